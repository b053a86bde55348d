package bundle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Site is a bundle at an address, or a server that gives bundles. One that asks to wait is waited for.
type Site struct {
	Base   string // ends in /
	Client *http.Client
}

// AnswerError says that a server answered something else than the file.
type AnswerError struct {
	Address string
	Status  int
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("%s answers %d %s", e.Address, e.Status, http.StatusText(e.Status))
}

// Read asks for one file. The error is *AnswerError, or of the network.
func (s Site) Read(ctx context.Context, name string) ([]byte, error) {
	address, err := url.JoinPath(s.Base, name)
	if err != nil {
		return nil, err
	}
	return s.get(ctx, address)
}

// Ask asks for an address below the site, which may have a query string. The error is that of Read.
func (s Site) Ask(ctx context.Context, reference string) ([]byte, error) {
	return s.get(ctx, s.Base+strings.TrimPrefix(reference, "/"))
}

// List returns nothing: an address does not tell what else lies there.
func (s Site) List() ([]string, error) { return nil, nil }

// attempts is how often a server is asked that says to wait (429, RFC 6585 §4), and longestWait how long it is waited for each time.
const (
	attempts    = 3
	longestWait = time.Minute
)

func (s Site) get(ctx context.Context, address string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		body, later, err := s.once(ctx, address)
		var answer *AnswerError
		if !errors.As(err, &answer) || answer.Status != http.StatusTooManyRequests || attempt == attempts {
			return body, err
		}
		timer := time.NewTimer(waiting(later, time.Now()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
	}
}

// once asks once, and returns what the server says of when to ask later.
func (s Site) once(ctx context.Context, address string) (body []byte, later string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	res, err := s.Client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, res.Header.Get("Retry-After"), &AnswerError{address, res.StatusCode}
	}
	if body, err = bounded(res.Body); err != nil {
		return nil, "", fmt.Errorf("%s: %w", address, err)
	}
	return body, "", nil
}

// waiting is how long Retry-After says to wait (RFC 9110 §10.2.3): seconds or a date; a second where it says nothing.
func waiting(later string, now time.Time) time.Duration {
	wait := time.Second
	if n, err := strconv.Atoi(later); err == nil {
		wait = time.Duration(min(max(n, 1), 3600)) * time.Second
	} else if at, err := http.ParseTime(later); err == nil {
		wait = max(at.Sub(now), time.Second)
	}
	return min(wait, longestWait)
}
