// Package wire reads Kafka logs for the verifier by other means than the consumer does. The client library is franz-go: it
// connects, logs in, frames requests and answers, and decompresses. This package asks for batches, checks them and takes
// them apart. The library's own consumer would not do: it leaves out what an aborted transaction wrote and what follows a
// malformed record, and says of neither that it did. With the consumer it shares settings, dialling, and the bound to
// which a batch may decompress.
//
// It promises that what it delivers is contiguous and whole: each batch matches its checksum, and each offset follows
// the one before it. Offsets without a record (a marker that ends a transaction, a record of an aborted one) are said to
// be such. What fails is tried again over new connections; what fails several times is an error, never a hole. A broker
// may be silent for RequestTimeout; an answer may take any time while its bytes come. Whatever a broker answers, memory
// is bounded by kafka.MaxFetchAnswer and compression.Limit. It commits nothing, joins no group, and keeps nothing.
// Brokers from Kafka 2.1 on.
package wire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"retorno/schemas/kafka"
)

// Config says how to reach the brokers.
type Config struct {
	Brokers []string // host:port
	TLS     *kafka.TLS
	SASL    *kafka.SASL
	// RequestTimeout is how long a broker may be silent on one request, from 100 ms to 15 minutes; default 10 s.
	RequestTimeout time.Duration
}

// Message is one message of a log. It, its Key and its Value are valid until the next one.
type Message struct {
	Offset     int64
	Key, Value []byte // nil: none
	// Unreadable says why the batch that holds this offset cannot be taken apart though it is whole; empty: it can.
	Unreadable string
	// Skipped says that this offset holds no record: it ends a transaction, or belongs to one that was aborted.
	Skipped bool
}

// GoneError says that the log does not hold an offset that was asked for.
type GoneError struct {
	Topic             string
	Partition         int
	Asked, First, End int64
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("%s, partition %d: offset %d was asked for; the log holds %d to %d", e.Topic, e.Partition, e.Asked, e.First, e.End)
}

// Log is one partition of one topic. It belongs to one goroutine.
type Log struct {
	topic     string
	partition int32
	limit     time.Duration // of silence
	options   []kgo.Opt

	client *kgo.Client // nil: to be made
	codecs kgo.Decompressor
	room   buffer
	leader *kgo.Broker // nil: to be asked for
	id     [16]byte    // the topic's; zero before Kafka 2.8
	edge   int64       // where the batch last taken apart ended; -1: none yet
}

// Open prepares the reading of a partition without connecting yet. The error is for wrong settings.
func Open(cfg Config, topic string, partition int) (*Log, error) {
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = 10 * time.Second
	}
	options, err := options(cfg)
	if err != nil {
		return nil, err
	}
	return &Log{topic: topic, partition: int32(partition), limit: cfg.RequestTimeout, options: options}, nil
}

// Close closes the connections. A later call of Read or Bounds opens new ones.
func (l *Log) Close() {
	if l.client != nil {
		l.client.Close()
		l.client, l.leader = nil, nil
	}
}

// Bounds are the first offset that the log still holds and the one after its last.
func (l *Log) Bounds(ctx context.Context) (first, end int64, err error) {
	err = l.persist(ctx, func() (err error) {
		first, end, err = l.bounds(ctx)
		return err
	})
	return first, end, err
}

// Read calls fn with every message from one offset up to before another one, in order, each once. It waits for none:
// when the log does not hold them all, the error is *GoneError. An error of fn ends the reading and is returned.
func (l *Log) Read(ctx context.Context, from, to int64, fn func(*Message) error) error {
	var refused error
	deliver := func(m *Message) error {
		refused = fn(m)
		return refused
	}
	l.edge = -1
	for at := from; at < to; {
		err := l.persist(ctx, func() (err error) {
			if at, err = l.advance(ctx, at, to, deliver); refused != nil {
				return nil
			}
			return err
		})
		if err = errors.Join(refused, err); err != nil {
			return err
		}
	}
	return nil
}

// advance delivers the messages of one answer and returns the offset after the last one delivered.
func (l *Log) advance(ctx context.Context, at, to int64, fn func(*Message) error) (int64, error) {
	answer, err := l.fetch(ctx, at)
	if err != nil {
		return at, err
	}
	next, err := l.deliver(answer, at, to, fn)
	if err != nil || next > at {
		return next, err
	}
	first, end, err := l.bounds(ctx)
	switch {
	case err != nil:
		return at, err
	case answer.ErrorCode != 0 || at < first || at >= end:
		return at, &GoneError{Topic: l.topic, Partition: int(l.partition), Asked: at, First: first, End: end}
	case len(answer.RecordBatches) > 0:
		return at, broken(at, "an answer's batches do not hold it")
	}
	return at, nil // a transaction has not ended yet
}

const (
	tries      = 5 // in a row, before a failure is returned
	firstPause = 50 * time.Millisecond
)

// persist repeats do over new connections while it fails for reasons that may pass.
func (l *Log) persist(ctx context.Context, do func() error) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := do()
		if err == nil || errors.As(err, new(*GoneError)) {
			return err
		}
		l.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if try == tries {
			var code *kerr.Error
			if errors.As(err, &code) {
				err = fmt.Errorf("%w (%w)", err, kafka.Code(code.Code, nil)) // so that kafka.Refused recognises it
			}
			return fmt.Errorf("read %s, partition %d: %w", l.topic, l.partition, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}
