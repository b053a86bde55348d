package kafka

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// BatchBytes is how much of several messages goes into one request, by Message.Size: below Kafka's default limit of a
// batch. A larger message goes alone.
const BatchBytes = 900_000

// Header is a name and a value that travel beside a message.
type Header = kafkago.Header

// Message is what is written to a topic.
type Message struct {
	Topic string
	// Key and Value may be nil, which is not the same as empty.
	Key     []byte
	Value   []byte
	Headers []Header
	// Time is the record's time; zero means the moment of sending. Topics
	// with the broker's time ignore it.
	Time time.Time
}

// Size is the message's share of a batch in bytes, rounded up: the record's own fields take at most 33 bytes, and those
// of a header at most 10.
func (m *Message) Size() int {
	n := 33 + len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += 10 + len(h.Key) + len(h.Value)
	}
	return n
}

// Produce writes the messages that next returns, until it returns nil, to one partition in one request. It returns when
// all in-sync replicas have them. The time is the broker's of the batch, zero on topics with the producer's time. The
// error is the client library's; it does not say whether the messages were written, unless a broker refused them.
func (b *ByTopic) Produce(ctx context.Context, to TopicPartition, codec kafkago.Compression, next func() *Message) (time.Time, error) {
	res, err := b.Client(to.Topic).Produce(ctx, &kafkago.ProduceRequest{
		Topic:        to.Topic,
		Partition:    to.Partition,
		RequiredAcks: kafkago.RequireAll,
		Compression:  codec,
		Records:      &records{next: next},
	})
	if err != nil {
		return time.Time{}, err
	}
	return res.LogAppendTime, res.Error
}

// TooLarge reports whether the broker found what was produced too large for the topic.
func TooLarge(err error) bool {
	return errors.Is(err, kafkago.MessageSizeTooLarge) || errors.Is(err, kafkago.RecordListTooLarge)
}

// AttemptLevel is the level of the message about the failure of an attempt, from 1 on: attempts 1, 2, 4, 8 … have the
// given level, the others are for debugging.
func AttemptLevel(attempt int, level slog.Level) slog.Level {
	if attempt&(attempt-1) == 0 {
		return level
	}
	return slog.LevelDebug
}

// records gives messages to kafka-go, reusing one record.
type records struct {
	next   func() *Message
	record kafkago.Record
	key    payload
	value  payload
}

// ReadRecord returns the next record, valid until the next call.
func (r *records) ReadRecord() (*kafkago.Record, error) {
	m := r.next()
	if m == nil {
		return nil, io.EOF
	}
	r.record = kafkago.Record{Time: m.Time, Headers: m.Headers}
	if m.Key != nil {
		r.key.Reset(m.Key)
		r.record.Key = &r.key
	}
	if m.Value != nil {
		r.value.Reset(m.Value)
		r.record.Value = &r.value
	}
	return &r.record, nil
}

type payload struct{ bytes.Reader }

func (*payload) Close() error { return nil }
