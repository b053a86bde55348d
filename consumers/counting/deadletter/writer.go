package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/stream"
	"retorno/schemas/kafka"
)

// Writer writes letters. It is safe for concurrent use.
type Writer struct {
	cfg     Config
	clients *kafka.ByTopic
	metrics *metrics
}

// New returns a writer. It opens no connection.
func New(cfg Config) (*Writer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("deadletter: %w", err)
	}
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("deadletter: %w", err)
	}
	return &Writer{cfg: cfg, clients: kafka.NewByTopic(cfg.access()), metrics: m}, nil
}

// Write returns nil when every letter is acknowledged. It tries until ctx
// ends, also while the topic is missing or refused: nothing is ever passed
// over. Only a letter that is too large for the topic ends it earlier, with a
// stop error that names its origin.
func (w *Writer) Write(ctx context.Context, letters []Letter) error {
	now := time.Now()
	messages := make([]message, len(letters))
	for i := range letters {
		l := letters[i]
		if l.At.IsZero() {
			l.At = now
		}
		messages[i] = message{origin: l.Origin,
			Message: kafka.Message{Topic: Topic, Key: []byte(l.Origin.String()), Value: l.Value, Headers: l.headers(), Time: l.At}}
	}
	if err := w.write(ctx, messages); err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	for i := range letters {
		w.metrics.written(letters[i].Code)
	}
	return nil
}

// Redrive sends each letter's message to its topic again, as it was, into the partition of its key among so many, and with
// a header that names where it was read first. A message without a key goes where it was. The letter stays where it is.
func (w *Writer) Redrive(ctx context.Context, letters []Letter, partitions int) error {
	messages := make([]message, len(letters))
	for i := range letters {
		l := &letters[i]
		m := message{origin: l.Origin, partition: l.Origin.Partition,
			Message: kafka.Message{Topic: l.Origin.Topic, Key: l.Key, Value: l.Value, Time: l.Time}}
		if l.Key != nil {
			m.partition = kafka.Partition(l.Key, partitions)
		}
		for _, h := range l.Headers {
			if h.Key != headerRedriven {
				m.Headers = append(m.Headers, h)
			}
		}
		m.Headers = append(m.Headers, Header{Key: headerRedriven, Value: []byte(l.root().String())})
		messages[i] = m
	}
	slices.SortStableFunc(messages, func(a, b message) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.partition, b.partition))
	})
	if err := w.write(ctx, messages); err != nil {
		return fmt.Errorf("redrive: %w", err)
	}
	w.metrics.redriven.Add(float64(len(letters)))
	return nil
}

// Close closes the connections.
func (w *Writer) Close() error {
	w.clients.Forget()
	return nil
}

// message is what goes into one record.
type message struct {
	kafka.Message
	partition int
	origin    Origin
}

func (m *message) to() kafka.TopicPartition {
	return kafka.TopicPartition{Topic: m.Topic, Partition: m.partition}
}

// write sends the messages in order, cut into requests of one partition each.
func (w *Writer) write(ctx context.Context, messages []message) error {
	limit := len(messages)
	for len(messages) > 0 {
		n := span(messages, limit)
		err := w.send(ctx, messages[:n])
		var large *tooLargeError
		switch {
		case err == nil:
			messages = messages[n:]
		case errors.As(err, &large) && n > 1:
			limit = n / 2
		default:
			return err
		}
	}
	return nil
}

// span is how many of the first messages go into one request.
func span(messages []message, limit int) int {
	bytes := 0
	for i := range messages {
		m := &messages[i]
		bytes += m.Size()
		if i > 0 && (i == limit || m.to() != messages[0].to() || bytes > kafka.BatchBytes) {
			return i
		}
	}
	return len(messages)
}

// send tries one request until it is acknowledged or ctx ends.
func (w *Writer) send(ctx context.Context, messages []message) error {
	backoff := w.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		beat.Beat(ctx)
		err := w.attempt(ctx, messages)
		if err == nil {
			return nil
		}
		if kafka.TooLarge(err) {
			return &tooLargeError{origin: messages[0].origin, topic: messages[0].Topic, size: messages[0].Size(), err: err}
		}
		beat.Beat(ctx)
		w.metrics.retries.Inc()
		// The view of the cluster may be out of date; the next attempt asks.
		w.clients.Forget()
		w.cfg.Logger.Log(ctx, kafka.AttemptLevel(attempt, slog.LevelError), "deadletter: cannot write, waiting", "topic", messages[0].Topic, "letters", len(messages), "attempt", attempt, "error", err)
		timer := time.NewTimer(backoff)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%d messages not acknowledged by %s: %w (last failure: %w)", len(messages), messages[0].Topic, ctx.Err(), err)
		case <-timer.C:
		}
		backoff = min(2*backoff, w.cfg.MaxBackoff)
	}
}

func (w *Writer) attempt(ctx context.Context, messages []message) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.RequestTimeout)
	defer cancel()
	_, err := w.clients.Produce(ctx, messages[0].to(), 0, func() *kafka.Message {
		if len(messages) == 0 {
			return nil
		}
		m := &messages[0].Message
		messages = messages[1:]
		return m
	})
	return err
}

// tooLargeError says that the topic takes no message of that size.
type tooLargeError struct {
	origin Origin
	topic  string
	size   int
	err    error
}

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("the message of %s is too large for topic %s (about %d bytes): raise max.message.bytes there: %v", e.origin, e.topic, e.size, e.err)
}

func (e *tooLargeError) Unwrap() error { return e.err }

// StopReason makes it a stop error.
func (e *tooLargeError) StopReason() string { return stream.ReasonConsumer }
