package publish

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Config says where and how to write. Zero fields take the defaults named.
type Config struct {
	// Brokers are addresses to start from, host:port.
	Brokers []string
	// Partitions is the number of partitions that every written topic must
	// have. Zero means the number found at the first write to each topic.
	Partitions int
	// BatchBytes bounds one request; a larger single message is sent alone.
	// Default 900,000: below Kafka's default limit for a batch.
	BatchBytes int
	// BatchMessages bounds one request. Default 20,000.
	BatchMessages int
	// RequestTimeout bounds one attempt. Default 10 s.
	RequestTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait before another attempt.
	// Default 50 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration
	// TopicGrace is how long a topic may be missing before that counts as a
	// stop error; brokers that start forget their topics for a moment.
	// Default 10 s.
	TopicGrace time.Duration
	// Compression is none, gzip, snappy, lz4 or zstd. Default none.
	Compression string
	// ClientID names this program to the broker. Default retorno.
	ClientID string
	// TLS switches encryption on. Certificates are read through its
	// callbacks at each connection, so they can be changed while running.
	TLS *tls.Config
	// SASL logs in; nil does not.
	SASL *SASL
	// Registerer receives the metrics; nil keeps none.
	Registerer prometheus.Registerer
	// Logger receives what is retried; nil drops it.
	Logger *slog.Logger
}

// SASL is how to log in to the broker.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User      string
	Password  string
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.RequestTimeout, 10*time.Second)
	set(&c.MinBackoff, 50*time.Millisecond)
	set(&c.MaxBackoff, 2*time.Second)
	set(&c.TopicGrace, 10*time.Second)
	if c.BatchBytes == 0 {
		c.BatchBytes = 900_000
	}
	if c.BatchMessages == 0 {
		c.BatchMessages = 20_000
	}
	if c.ClientID == "" {
		c.ClientID = "retorno"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate names the first setting that cannot work.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("no broker address; name at least one host:port")
	}
	for _, b := range c.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			return fmt.Errorf("broker address %q: %w", b, err)
		}
	}
	if c.Partitions < 0 {
		return fmt.Errorf("partitions %d: must not be negative", c.Partitions)
	}
	if c.BatchBytes < 0 || c.BatchMessages < 0 {
		return errors.New("batch limits must not be negative")
	}
	if c.MinBackoff < 0 || c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("backoff from %s to %s: the second must not be less", c.MinBackoff, c.MaxBackoff)
	}
	if _, err := compression(c.Compression); err != nil {
		return err
	}
	_, err := c.SASL.mechanism()
	return err
}

func compression(name string) (kafka.Compression, error) {
	switch name {
	case "", "none":
		return 0, nil
	case "gzip":
		return kafka.Gzip, nil
	case "snappy":
		return kafka.Snappy, nil
	case "lz4":
		return kafka.Lz4, nil
	case "zstd":
		return kafka.Zstd, nil
	}
	return 0, fmt.Errorf("compression %q: want none, gzip, snappy, lz4 or zstd", name)
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil
	}
	switch s.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: s.User, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, s.User, s.Password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, s.User, s.Password)
	}
	return nil, fmt.Errorf("SASL mechanism %q: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
}

// newClient returns a client with connections of its own.
func newClient(c Config) (*kafka.Client, *kafka.Transport, error) {
	mechanism, err := c.SASL.mechanism()
	if err != nil {
		return nil, nil, err
	}
	t := &kafka.Transport{
		Dial:        (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		DialTimeout: 5 * time.Second,
		IdleTimeout: 30 * time.Second,
		// The cache of leaders follows a move within this time.
		MetadataTTL: 2 * time.Second,
		ClientID:    c.ClientID,
		TLS:         c.TLS,
		SASL:        mechanism,
	}
	return &kafka.Client{Addr: kafka.TCP(c.Brokers...), Transport: t}, t, nil
}
