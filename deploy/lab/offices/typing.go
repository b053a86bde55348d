package offices

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"retorno/deploy/lab/register"
	"retorno/schemas/calendar"
)

// clock is that of a made computer: made time while forms of a register are typed, else this machine's.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

// sinceBoot goes on with now: a made clock is never set, however it leaps.
func (c *clock) sinceBoot() (string, time.Duration) { return "", time.Duration(c.now().UnixNano()) }

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *clock) made() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.at.IsZero()
}

// PerCall is how many forms Type types with one sync.
const PerCall = 2000

// RefusedError says that an agent did not save what was typed.
type RefusedError struct {
	Source string
	Status int
	Answer string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s answered %d: %s", e.Source, e.Status, e.Answer)
}

// Type types forms, in their order, and returns when all are saved. Those that were saved before change nothing. The error is a
// *RefusedError when the agent refuses some; those before them may be saved.
func (o *Office) Type(ctx context.Context, forms []register.Form) error {
	defer o.clock.set(time.Time{})
	for len(forms) > 0 && ctx.Err() == nil {
		n := min(PerCall, len(forms))
		if err := o.typeSome(ctx, forms[:n]); err != nil {
			return err
		}
		forms = forms[n:]
	}
	return ctx.Err()
}

func (o *Office) typeSome(ctx context.Context, forms []register.Form) error {
	for again := false; ; again = true {
		if o.cookie == nil {
			if err := o.login(ctx); err != nil {
				return err
			}
		}
		_ = o.spool.Prepare(daysOf(forms)) // it only saves time: what the disk does not take, the agent says
		a := o.ask(ctx, "/forms", "application/jsonl", &lines{clock: &o.clock, forms: forms})
		switch {
		case a.status == http.StatusCreated || a.status == http.StatusOK:
			return nil
		case a.status == http.StatusUnauthorized && !again: // locked in the meantime
			o.cookie = nil
		default:
			return &RefusedError{o.cfg.Source, a.status, a.body.String()}
		}
	}
}

// daysOf are the days on which forms are typed.
func daysOf(forms []register.Form) (days []calendar.Day) {
	for _, f := range forms {
		if day := calendar.DayOfTime(f.At); !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	return days
}

func (o *Office) login(ctx context.Context) error {
	form := url.Values{"clerk": {Clerk}, "passphrase": {Passphrase}}.Encode()
	a := o.ask(ctx, "/login", "application/x-www-form-urlencoded", strings.NewReader(form))
	cookies := (&http.Response{Header: a.header}).Cookies()
	if a.status != http.StatusOK || len(cookies) == 0 {
		return &RefusedError{o.cfg.Source, a.status, a.body.String()}
	}
	o.cookie = cookies[0]
	return nil
}

// answer takes the answer to a request inside the process.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the header to be sent.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write adds to the body.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// host is what a program of this computer asks: the address is checked, and no network is between.
var host = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}

func (o *Office) ask(ctx context.Context, path, media string, body io.Reader) *answer {
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, net.Addr(host))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host.String()+path, io.NopCloser(body))
	if err != nil {
		panic(err) // the address is a constant
	}
	r.Header.Set("Content-Type", media)
	r.Header.Set("Accept", "application/json")
	if o.cookie != nil {
		r.AddCookie(o.cookie)
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	o.agent.ServeHTTP(a, r)
	return a
}

// lines gives one form at a Read, as a line, and sets the clock to the moment at which it is typed.
type lines struct {
	clock *clock
	forms []register.Form
	rest  []byte
}

// Read gives a form, or what is left of it.
func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if len(l.forms) == 0 {
			return 0, io.EOF
		}
		l.clock.set(l.forms[0].At)
		line, err := l.forms[0].AppendLine(nil)
		if err != nil {
			return 0, err
		}
		l.rest = append(line, '\n')
		l.forms = l.forms[1:]
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
