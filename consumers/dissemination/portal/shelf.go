package portal

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// shelf keeps what was read for a short while and lets one request at a time read, so that a page that many look at
// costs ClickHouse no more than one that few do. One at a time, whatever the period: singleflight would bound the readers of
// one period alone.
type shelf[T any] struct {
	keep time.Duration
	now  func() time.Time
	turn chan struct{} // held while reading

	mu   sync.Mutex
	held map[string]dated[T]
}

type dated[T any] struct {
	what *T
	at   time.Time
}

func newShelf[T any](keep time.Duration, now func() time.Time) *shelf[T] {
	return &shelf[T]{keep: keep, now: now, turn: make(chan struct{}, 1), held: map[string]dated[T]{}}
}

func (s *shelf[T]) get(ctx context.Context, period string, load func(context.Context, string) (*T, error)) (*T, error) {
	if what := s.fresh(period); what != nil {
		return what, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another reader: %w", ctx.Err())
	}
	if what := s.fresh(period); what != nil {
		return what, nil
	}
	what, err := load(ctx, period)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Only periods that exist, and none, get here, so the map stays as small as history.
	s.held[period] = dated[T]{what, s.now()}
	return what, nil
}

func (s *shelf[T]) fresh(period string) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.held[period]; ok && s.now().Sub(d.at) < s.keep {
		return d.what
	}
	return nil
}
