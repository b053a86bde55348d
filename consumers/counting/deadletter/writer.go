package deadletter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/stream"
	"retorno/schemas/kafka"
)

// batchBytes bounds a request of several letters; a larger letter goes alone.
const batchBytes = 900_000

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
		messages[i] = message{topic: Topic, origin: l.Origin, key: []byte(l.Origin.String()), value: l.Value, headers: l.headers(), at: l.At}
	}
	if err := w.write(ctx, messages); err != nil {
		return fmt.Errorf("deadletter: %w", err)
	}
	for i := range letters {
		w.metrics.written(letters[i].Code)
	}
	return nil
}

// Redrive sends each letter's message to its topic again, with its old key
// and into its old partition, and a header that names the message's first
// origin. The letter stays where it is.
func (w *Writer) Redrive(ctx context.Context, letters []Letter) error {
	messages := make([]message, len(letters))
	for i := range letters {
		l := &letters[i]
		m := message{topic: l.Origin.Topic, partition: l.Origin.Partition, origin: l.Origin, key: l.Key, value: l.Value, at: l.Time}
		for _, h := range l.Headers {
			if h.Key != headerRedriven {
				m.headers = append(m.headers, kafkago.Header{Key: h.Key, Value: h.Value})
			}
		}
		m.headers = append(m.headers, kafkago.Header{Key: headerRedriven, Value: []byte(l.Root().String())})
		messages[i] = m
	}
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
	topic      string
	partition  int
	origin     Origin
	key, value []byte
	headers    []kafkago.Header
	at         time.Time
}

func (m *message) size() int {
	n := 64 + len(m.key) + len(m.value)
	for _, h := range m.headers {
		n += 10 + len(h.Key) + len(h.Value)
	}
	return n
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
		bytes += m.size()
		other := m.topic != messages[0].topic || m.partition != messages[0].partition
		if i > 0 && (i == limit || other || bytes > batchBytes) {
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
		if errors.Is(err, kafkago.MessageSizeTooLarge) || errors.Is(err, kafkago.RecordListTooLarge) {
			return &tooLargeError{origin: messages[0].origin, topic: messages[0].topic, size: messages[0].size(), err: err}
		}
		beat.Beat(ctx)
		w.metrics.retries.Inc()
		// The view of the cluster may be out of date; the next attempt asks.
		w.clients.Forget()
		w.cfg.Logger.Log(ctx, loud(attempt), "deadletter: cannot write, waiting", "topic", messages[0].topic, "letters", len(messages), "attempt", attempt, "error", err)
		timer := time.NewTimer(backoff)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%d messages not acknowledged by %s: %w (last failure: %w)", len(messages), messages[0].topic, ctx.Err(), err)
		case <-timer.C:
		}
		backoff = min(2*backoff, w.cfg.MaxBackoff)
	}
}

// loud is the level of the message about an attempt: the first is heard, and
// then fewer and fewer.
func loud(attempt int) slog.Level {
	if attempt&(attempt-1) == 0 {
		return slog.LevelError
	}
	return slog.LevelDebug
}

func (w *Writer) attempt(ctx context.Context, messages []message) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.RequestTimeout)
	defer cancel()
	res, err := w.clients.Client(messages[0].topic).Produce(ctx, &kafkago.ProduceRequest{
		Topic:        messages[0].topic,
		Partition:    messages[0].partition,
		RequiredAcks: kafkago.RequireAll,
		Records:      &records{messages: messages},
	})
	if err != nil {
		return err
	}
	return res.Error
}

// records hands messages to the library.
type records struct{ messages []message }

// ReadRecord returns the next record.
func (r *records) ReadRecord() (*kafkago.Record, error) {
	if len(r.messages) == 0 {
		return nil, io.EOF
	}
	m := &r.messages[0]
	r.messages = r.messages[1:]
	return &kafkago.Record{Time: m.at, Key: kafkago.NewBytes(m.key), Value: kafkago.NewBytes(m.value), Headers: m.headers}, nil
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
