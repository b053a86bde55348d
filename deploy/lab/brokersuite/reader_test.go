package brokersuite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"retorno/consumers/counting/stream"
	"retorno/producers/producer"
)

// ledger is what a store would keep: positions, and what has been read.
type ledger struct {
	mu        sync.Mutex
	positions map[string]int64  // topic/partition
	prints    map[string]uint64 // topic/partition/position -> the fingerprint of the message before it
	seen      map[string]int    // value -> how often
	runs      int
	broken    []string
	commit    bool
	perFetch  func(s *stream.Shard) error
}

func newLedger() *ledger {
	return &ledger{positions: make(map[string]int64), prints: make(map[string]uint64), seen: make(map[string]int), commit: true}
}

func at(topic string, partition int) string { return fmt.Sprintf("%s/%d", topic, partition) }

func before(topic string, partition int, position int64) string {
	return fmt.Sprintf("%s/%d", at(topic, partition), position)
}

// run reads a shard from the ledger's position on.
func (l *ledger) run(topics []string) stream.RunFunc {
	return func(ctx context.Context, s *stream.Shard) error {
		next := make(map[string]int64)
		l.mu.Lock()
		l.runs++
		for _, t := range topics {
			next[t] = l.positions[at(t, s.Partition())]
			if print := l.prints[before(t, s.Partition(), next[t])]; print != 0 {
				s.SeekAfter(t, next[t]-1, print)
			} else {
				s.Seek(t, next[t])
			}
		}
		l.mu.Unlock()
		for {
			msgs, err := s.Fetch(ctx, 100*time.Millisecond)
			if err != nil {
				return err
			}
			l.take(next, msgs)
			if l.commit && len(msgs) > 0 {
				// A failed commit must do no harm.
				_ = s.Commit(ctx, map[string]int64{msgs[0].Topic: next[msgs[0].Topic]})
			}
			if l.perFetch != nil {
				if err := l.perFetch(s); err != nil {
					return err
				}
			}
		}
	}
}

func (l *ledger) take(next map[string]int64, msgs []stream.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range msgs {
		if m.Offset != next[m.Topic] {
			l.broken = append(l.broken, fmt.Sprintf("%s: offset %d follows, expected %d", at(m.Topic, m.Partition), m.Offset, next[m.Topic]))
		}
		next[m.Topic] = m.Offset + 1
		l.seen[string(m.Value)]++
		key := at(m.Topic, m.Partition)
		l.positions[key] = max(l.positions[key], m.Offset+1)
		l.prints[before(m.Topic, m.Partition, m.Offset+1)] = m.Fingerprint()
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

// check fails unless exactly these messages were read, each run without a gap.
func (l *ledger) check(t *testing.T, want []producer.Message) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.broken {
		t.Error(b)
	}
	missing := 0
	for _, m := range want {
		if l.seen[string(m.Value)] == 0 {
			missing++
		}
	}
	if missing > 0 || len(l.seen) != len(want) {
		t.Errorf("read %d different messages of %d, %d missing", len(l.seen), len(want), missing)
	}
}

// member is a running consumer.
type member struct {
	t        *testing.T
	consumer *stream.Consumer
	cancel   context.CancelFunc
	done     chan struct{}
	err      error
}

func join(t *testing.T, cfg stream.Config, run stream.RunFunc) *member {
	t.Helper()
	c, err := stream.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := &member{t: t, consumer: c, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		m.err = c.Run(ctx, run)
	}()
	t.Cleanup(m.leave)
	return m
}

// leave ends the member in order.
func (m *member) leave() {
	m.cancel()
	select {
	case <-m.done:
	case <-time.After(patience):
		m.t.Error("the member did not leave")
		return
	}
	if m.err != nil && !errors.Is(m.err, context.Canceled) {
		m.t.Errorf("the member ended with %v", m.err)
	}
}

// stopped returns the first shard that waits for a decision.
func (m *member) stopped() (stream.ShardStatus, bool) {
	for _, s := range m.consumer.Status().Shards {
		if s.Stopped != "" {
			return s, true
		}
	}
	return stream.ShardStatus{}, false
}
