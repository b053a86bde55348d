package processor

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// patient is a process that flushes when it leaves, and no sooner.
func patient(t *testing.T, s *store.Store) (*Processor, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1,
		FlushEvery: time.Hour, LeaveWithin: time.Minute, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	return c, registry
}

// leaving ends the assignment once all is read.
type leaving struct {
	cursor
	leave context.CancelFunc
}

func (l *leaving) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	messages, err := l.cursor.Fetch(ctx, wait)
	if len(messages) == 0 {
		l.leave()
		err = ctx.Err()
	}
	return messages, err
}

// assign gives c the partition until it has read the log. All of it must be written when it leaves.
func assign(t *testing.T, c *Processor, l *log) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	c.Assigned([]int{0})
	at := &leaving{cursor: cursor{log: l, next: map[string]int64{}}, leave: leave}
	if err := c.run(ctx, at); !errors.Is(err, context.Canceled) || !at.flushed() {
		t.Fatalf("it left %v of %d topics written: %v", at.committed, len(l.topics), err)
	}
}

// TestLeavesNothingToBeReadAgain: a process that has time to leave writes what it has read before it goes; and when it
// gets the partition again, and nothing happened meanwhile, it goes on under the same epoch. Else it takes it over.
func TestLeavesNothingToBeReadAgain(t *testing.T) {
	part, whole := messy(t, 3)
	want := truthOf(t, whole)
	for name, test := range map[string]struct {
		meanwhile func(*testing.T, *store.Store, *Processor)
		resumed   float64
		epoch     string
	}{
		"nothing happened":  {func(*testing.T, *store.Store, *Processor) {}, 1, "(1)"},
		"another had it":    {func(t *testing.T, s *store.Store, _ *Processor) { countLog(t, s, whole) }, 0, "(3)"},
		"another has it":    {func(_ *testing.T, _ *store.Store, c *Processor) { c.Assigned([]int{1, 2}) }, 0, "(2)"},
		"ClickHouse is new": {func(t *testing.T, _ *store.Store, _ *Processor) { fresh(t) }, 0, "(1)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			c, registry := patient(t, s)
			assign(t, c, part)
			test.meanwhile(t, s, c)
			assign(t, c, whole)
			c.Assigned(nil)
			if got := counter(t, registry, "retorno_partitions_resumed_total"); got != test.resumed || len(c.parked) > 0 {
				t.Errorf("it went on %v times, want %v; %d partitions are kept", got, test.resumed, len(c.parked))
			}
			if got := rows(t, s, "SELECT max(epoch) FROM retorno.claims"); got != test.epoch {
				t.Errorf("epoch %s, want %s", got, test.epoch)
			}
			isTrue(t, s, whole, want)
		})
	}
}

// TestLeavingInVain: what could not be written before the partition went is read again, although the claim holds.
func TestLeavingInVain(t *testing.T) {
	part, whole := messy(t, 3)
	want := truthOf(t, whole)
	fresh(t)
	var away atomic.Bool
	back := make(chan struct{})
	s := torn(t, func(table string) {
		if away.Load() && table == "retorno.claims" {
			<-back
		}
	})
	c, registry := patient(t, s)
	assign(t, c, part)
	c.cfg.LeaveWithin = 100 * time.Millisecond
	away.Store(true)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	c.Assigned([]int{0})
	at := &leaving{cursor: cursor{log: whole, next: map[string]int64{}}, leave: leave}
	if err := c.run(ctx, at); !errors.Is(err, context.Canceled) || len(c.parked) > 0 {
		t.Errorf("it left with %v, %d partitions are kept", err, len(c.parked))
	}
	away.Store(false)
	close(back)
	c.cfg.LeaveWithin = time.Minute
	assign(t, c, whole)
	c.Assigned(nil)
	if got := counter(t, registry, "retorno_partitions_resumed_total"); got != 1 {
		t.Errorf("it went on %v times, want once", got)
	}
	isTrue(t, s, whole, want)
}

// stopping stops once all is read.
type stopping struct{ cursor }

func (s *stopping) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	messages, err := s.cursor.Fetch(ctx, wait)
	if len(messages) == 0 {
		err = stream.Stop(errors.New("the log ends here"))
	}
	return messages, err
}
