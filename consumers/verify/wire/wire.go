// Package wire reads Kafka logs for the verifier, by other means than the consumer does: it fetches and takes record
// batches apart itself, byte by byte, and shares no code with package stream but the address of the brokers.
//
// It promises that what it hands out is contiguous and whole: each batch is checked against its checksum, and each
// offset follows the one before it. Whatever a broker answers, it allocates no more than the answer's size and what a
// batch may unfold to. It commits nothing, joins no group, and keeps nothing. A lost connection is made anew; what
// cannot be read after several tries is an error, never a hole. Brokers from Kafka 2.1 on.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Config says how to reach the brokers.
type Config struct {
	Brokers []string // host:port
	TLS     *tls.Config
	SASL    *SASL
	// RequestTimeout is how long one request may take; default 10 s.
	RequestTimeout time.Duration
}

// SASL is how to log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
type SASL struct{ Mechanism, User, Password string }

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	switch {
	case s == nil:
		return nil, nil
	case s.Mechanism == "PLAIN":
		return plain.Mechanism{Username: s.User, Password: s.Password}, nil
	case s.Mechanism == "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.User, s.Password)
	case s.Mechanism == "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.User, s.Password)
	}
	return nil, fmt.Errorf("SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

// Message is one message of a log. Key and Value are valid until the next one.
type Message struct {
	Offset     int64
	Key, Value []byte // nil: none
	// Unreadable says why the batch that holds this offset cannot be taken apart though it is whole; empty: it can.
	Unreadable string
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
	mechanism sasl.Mechanism
	topic     string
	partition int

	conn        *kafka.Conn
	raw         net.Conn // beneath conn, inside the encryption
	correlation int32
	frame       []byte
	unfolded    []byte
}

// Open prepares the reading of a partition without connecting yet. The error is for wrong settings.
func Open(cfg Config, topic string, partition int) (*Log, error) {
	if len(cfg.Brokers) == 0 {
		return nil, errors.New("no broker address; name at least one host:port")
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = 10 * time.Second
	}
	mechanism, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	return &Log{cfg: cfg, mechanism: mechanism, topic: topic, partition: partition}, nil
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
		var batches []byte
		err := l.persist(ctx, func() (err error) {
			batches, err = l.fetch(ctx, at)
			return err
		})
		if err != nil {
			return err
		}
		next, err := l.handOut(batches, at, to, fn)
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

// connect dials the partition's leader and logs in.
func (l *Log) connect(ctx context.Context) error {
	deadline := time.Now().Add(l.cfg.RequestTimeout)
	if l.conn == nil {
		ctx, cancel := context.WithDeadline(ctx, deadline)
		defer cancel()
		dialer := &kafka.Dialer{ClientID: "retorno-verify", SASLMechanism: l.mechanism, DialFunc: l.dial}
		var err error
		var partition kafka.Partition
		for _, broker := range l.cfg.Brokers {
			if partition, err = dialer.LookupPartition(ctx, "tcp", broker, l.topic, l.partition); err == nil {
				break
			}
		}
		if err != nil {
			return err
		}
		if l.conn, err = dialer.DialPartition(ctx, "tcp", "", partition); err != nil {
			l.conn = nil
			return err
		}
	}
	return errors.Join(l.conn.SetDeadline(deadline), l.raw.SetDeadline(deadline))
}

// dial keeps the newest connection: the last one that a dialer makes is the leader's.
func (l *Log) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: l.cfg.RequestTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if l.cfg.TLS != nil {
		cfg := l.cfg.TLS.Clone()
		if cfg.ServerName == "" {
			cfg.ServerName, _, _ = net.SplitHostPort(address)
		}
		secured := tls.Client(conn, cfg)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = secured
	}
	l.raw = conn
	return conn, nil
}
