package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retorno/consumers/counting/stream"
)

// ErrNotFound says that no letter has the wanted origin.
var ErrNotFound = errors.New("no such dead letter")

// errEnough ends a listing early.
var errEnough = errors.New("enough")

// List hands out the letters set aside at since or later, oldest first, up to
// the end of the topic as it is at the call. The zero time means all. Of
// several letters of one origin only the first is delivered. What fn returns
// ends the listing.
func List(ctx context.Context, cfg Config, since time.Time, fn func(Letter) error) error {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	reader, err := stream.New(stream.Config{
		Brokers: cfg.Brokers, Group: "retorno-deadletter-list", Topics: []string{Topic}, Partitions: 1,
		RequestTimeout: cfg.RequestTimeout, TLS: cfg.TLS, SASL: cfg.SASL, Logger: cfg.Logger,
	})
	if err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	defer reader.Close()
	first, end, err := reader.Bounds(ctx, Topic, 0)
	if err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	shard := reader.Open(0)
	defer shard.Close()
	shard.Seek(Topic, first)
	seen := make(map[Origin]struct{})
	for at := first; at < end; {
		messages, err := shard.Fetch(ctx, time.Second)
		if err != nil {
			return fmt.Errorf("deadletter: %w", err)
		}
		for i := range messages {
			m := &messages[i]
			if m.Offset >= end {
				return nil
			}
			at = m.Offset + 1
			if m.Skipped {
				continue
			}
			l, err := letter(m)
			if err != nil {
				// Another program's message is no reason not to show ours.
				cfg.Logger.Warn("deadletter: not a letter", "offset", m.Offset, "error", err)
				continue
			}
			if _, twice := seen[l.Origin]; twice || l.At.Before(since) {
				continue
			}
			seen[l.Origin] = struct{}{}
			if err := fn(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// Show returns the letter of one origin; the error is ErrNotFound when there
// is none.
func Show(ctx context.Context, cfg Config, origin Origin) (Letter, error) {
	var found Letter
	err := List(ctx, cfg, time.Time{}, func(l Letter) error {
		if l.Origin != origin {
			return nil
		}
		found = l
		return errEnough
	})
	switch {
	case errors.Is(err, errEnough):
		return found, nil
	case err != nil:
		return Letter{}, err
	}
	return Letter{}, fmt.Errorf("%w: %s", ErrNotFound, origin)
}
