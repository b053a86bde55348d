// Package producer writes messages to Kafka.
//
// It promises that Write returns nil only when every message has been
// acknowledged by all in-sync replicas, that a key always goes to the same
// partition (the murmur2 hash that Java clients use, over a partition count
// that is fixed for the writer's life), and that what can be retried is
// retried until the caller's context ends. Memory is bounded by what callers
// hand in: nothing is queued behind a call that has returned.
//
// It never drops a message in silence, never writes without acknowledgement
// and never re-hashes keys when partitions are added: that stops it. It does
// write a message twice when an acknowledgement is lost; identity comes from
// the record, never from Kafka.
//
// An error is one of two kinds. A stop error (IsStop) will not go away by
// trying again: the topic is missing, the partition count differs, the broker
// refuses the credentials, a message is too large. Any other error means that
// the context ended while the writer was still trying; the messages may or
// may not have been written, and are to be written again.
package producer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"retorno/schemas/kafka"
)

// Message is what is written. The writer does not copy Key, Value and Header
// values: they must not be changed before Write returns, and not at all when
// it returns because its context ended.
type Message = kafka.Message

// Writer writes messages to Kafka. It is safe for concurrent use; calls that
// run at the same time share requests.
type Writer struct {
	cfg     Config
	clients *kafka.ByTopic
	logins  *logins
	metrics *metrics
	clock   *clock
	topics  *topics

	// ctx ends when the writer is closed: no caller waits for a request then.
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	calls   sync.WaitGroup
	lanes   map[kafka.TopicPartition]*lane
	sending sync.WaitGroup // lanes that run
}

// ErrClosed is returned by Write after Close.
var ErrClosed = errors.New("publish: writer is closed")

// New returns a writer. It opens no connection; the first Write does.
func New(cfg Config) (*Writer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	clients, logins := kafka.NewByTopic(cfg.Access()), &logins{grace: cfg.LoginGrace}
	ctx, cancel := context.WithCancel(context.Background())
	return &Writer{
		ctx: ctx, cancel: cancel,
		cfg:     cfg,
		clients: clients,
		logins:  logins,
		metrics: m,
		clock:   newClock(m),
		topics:  newTopics(clients, logins, cfg),
		lanes:   make(map[kafka.TopicPartition]*lane),
	}, nil
}

// Write sends msgs and returns when all are acknowledged, when one of them
// meets a stop error, or when ctx ends. Messages of one partition are sent in
// the order of msgs.
func (w *Writer) Write(ctx context.Context, msgs ...Message) error {
	if len(msgs) == 0 {
		return nil
	}
	if !w.enter() {
		return ErrClosed
	}
	defer w.calls.Done()
	assigned, err := w.assign(ctx, msgs)
	if err != nil {
		return err
	}
	c := newCall(ctx, msgs, len(assigned))
	for tp, idx := range assigned {
		w.lane(tp).add(&parcel{call: c, idx: idx})
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		// A call that was answered in the same moment keeps its answer.
		if c.cancel(ctx.Err()) {
			return fmt.Errorf("publish: %d messages not acknowledged: %w", len(msgs), w.why(ctx.Err(), c))
		}
		<-c.done
		return c.err
	}
}

// why joins the last failure that was being retried to the end of the context.
func (w *Writer) why(end error, c *call) error {
	if last := c.lastError(); last != nil {
		return fmt.Errorf("%w (last failure: %w)", end, last)
	}
	return end
}

// ClockOffset returns this computer's clock minus the broker's, taken from
// the answers to produce requests on topics with the broker's time. It is
// false until such an answer came. A step of the own clock discards what was
// learnt before it.
func (w *Writer) ClockOffset() (time.Duration, bool) { return w.clock.offset() }

// Close waits for calls of Write to return, cuts off requests that no call
// waits for any more, and closes the connections. When it returns, nothing of
// the writer runs.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.calls.Wait()
	w.cancel()
	w.sending.Wait()
	w.clients.Forget()
	return nil
}

func (w *Writer) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.calls.Add(1)
	return true
}

// assign sorts the messages' indexes by topic and partition.
func (w *Writer) assign(ctx context.Context, msgs []Message) (map[kafka.TopicPartition][]int32, error) {
	assigned := make(map[kafka.TopicPartition][]int32)
	topic, partitions := "", 0
	for i := range msgs {
		m := &msgs[i]
		if m.Topic != topic || i == 0 {
			n, err := w.topics.partitions(ctx, m.Topic)
			if err != nil {
				return nil, err
			}
			topic, partitions = m.Topic, n
		}
		tp := kafka.TopicPartition{Topic: topic, Partition: kafka.Partition(m.Key, partitions)}
		idx := assigned[tp]
		if idx == nil {
			idx = make([]int32, 0, len(msgs)/partitions+16)
		}
		assigned[tp] = append(idx, int32(i))
	}
	return assigned, nil
}

func (w *Writer) lane(tp kafka.TopicPartition) *lane {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.lanes[tp]
	if l == nil {
		l = &lane{w: w, tp: tp}
		w.lanes[tp] = l
	}
	return l
}
