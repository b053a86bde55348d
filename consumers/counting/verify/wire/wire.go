// Package wire reads Kafka logs for the verifier, by other means than the consumer does: it fetches and takes record
// batches apart itself, byte by byte. It shares with package stream how brokers are reached and what decompresses, and
// nothing of how a log is read.
//
// It promises that what it hands out is contiguous and whole: each batch is checked against its checksum, and each
// offset follows the one before it, and that offsets without a record (the end of a transaction, a record of one that was
// aborted) are said to be such. Whatever a broker answers, it allocates no more than the answer's size and what a
// batch may unfold to. It commits nothing, joins no group, and keeps nothing. A lost connection is made again; what
// cannot be read after several tries is an error, never a hole. An answer may take any time while its bytes come.
// Brokers from Kafka 2.1 on.
package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// Config says how to reach the brokers.
type Config struct {
	Brokers []string // host:port
	TLS     *kafka.TLS
	SASL    *kafka.SASL
	// RequestTimeout is how long a broker may be silent on one request; default 10 s.
	RequestTimeout time.Duration
}

// Message is one message of a log. Key and Value are valid until the next one.
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
	cfg       Config
	access    kafka.Access
	topic     string
	partition int

	conn        *kafkago.Conn
	raw         net.Conn // beneath conn, inside the encryption
	correlation int32
	frame       []byte
	unfolded    []byte
}

// Open prepares the reading of a partition without connecting yet. The error is for wrong settings.
func Open(cfg Config, topic string, partition int) (*Log, error) {
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = 10 * time.Second
	}
	access := kafka.Access{Brokers: cfg.Brokers, TLS: cfg.TLS, SASL: cfg.SASL, ClientID: "retorno-verify", Silence: cfg.RequestTimeout}
	if err := access.Validate(); err != nil {
		return nil, err
	}
	return &Log{cfg: cfg, access: access, topic: topic, partition: partition}, nil
}

// Close gives the connection back.
func (l *Log) Close() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing was written
		l.conn, l.raw = nil, nil
	}
}

const (
	tries    = 5 // in a row, before a failure is handed on
	firstTry = 50 * time.Millisecond
)

// Bounds are the first offset that the log still holds and the one after its last.
func (l *Log) Bounds(ctx context.Context) (first, end int64, err error) {
	err = l.persist(ctx, func() error {
		if err := l.connect(ctx); err != nil {
			return err
		}
		first, end, err = l.conn.ReadOffsets()
		return err
	})
	return first, end, err
}

// Read hands out every message from one offset up to before another one, in order, each once. It waits for none: when
// the log does not hold them all, the error is *GoneError. What fn returns ends the reading.
func (l *Log) Read(ctx context.Context, from, to int64, fn func(*Message) error) error {
	at := from
	for at < to {
		var answer fetched
		err := l.persist(ctx, func() (err error) {
			answer, err = l.fetch(ctx, at)
			return err
		})
		if err != nil {
			return err
		}
		next, err := l.handOut(answer, at, to, fn)
		if err != nil {
			return err
		}
		if next == at {
			first, end, err := l.Bounds(ctx)
			if err != nil {
				return err
			}
			if end <= at || at < first {
				return &GoneError{Topic: l.topic, Partition: l.partition, Asked: at, First: first, End: end}
			}
		}
		at = next
	}
	return nil
}

// persist repeats do over a new connection while it fails for reasons that pass.
func (l *Log) persist(ctx context.Context, do func() error) error {
	pause := firstTry
	for try := 1; ; try++ {
		err := do()
		var gone *GoneError
		if err == nil || errors.As(err, &gone) {
			return err
		}
		l.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if try == tries {
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

// connect dials the partition's leader and logs in, and gives the request that follows its time.
func (l *Log) connect(ctx context.Context) error {
	if l.conn == nil {
		leader, err := l.leader(ctx)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, l.cfg.RequestTimeout)
		defer cancel()
		if l.conn, err = l.dialer().DialPartition(ctx, "tcp", "", leader); err != nil {
			l.conn = nil
			return err
		}
	}
	deadline := time.Now().Add(l.cfg.RequestTimeout)
	return errors.Join(l.conn.SetDeadline(deadline), l.raw.SetDeadline(deadline))
}

// leader asks the brokers to start from, each so long as a request may take, who leads the partition.
func (l *Log) leader(ctx context.Context) (partition kafkago.Partition, err error) {
	for _, broker := range l.cfg.Brokers {
		asking, cancel := context.WithTimeout(ctx, l.cfg.RequestTimeout)
		partition, err = l.dialer().LookupPartition(asking, "tcp", broker, l.topic, l.partition)
		cancel()
		if err == nil {
			break
		}
	}
	return partition, err
}

func (l *Log) dialer() *kafkago.Dialer {
	dialer := l.access.Dialer()
	dialer.DialFunc = l.dial
	return dialer
}

// dial keeps the newest connection: the last one that a dialer makes is the leader's.
func (l *Log) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.access.Dial(ctx, network, address)
	if err == nil {
		l.raw = conn
	}
	return conn, err
}
