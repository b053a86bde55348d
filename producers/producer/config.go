package producer

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
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
	// LoginGrace is how long a login may be refused that was good before,
	// until that counts as a stop error: passwords and certificates change
	// at the brokers and here one after the other. Default 1 min.
	LoginGrace time.Duration
	// Compression is none, gzip, snappy, lz4 or zstd. Default none.
	Compression string
	// ClientID names this program to the broker. Default retorno.
	ClientID string
	// TLS encrypts; nil does not.
	TLS *kafka.TLS
	// SASL logs in; nil does not.
	SASL *kafka.SASL
	// Registerer receives the metrics; nil keeps none.
	Registerer prometheus.Registerer
	// Logger receives what is retried; nil drops it.
	Logger *slog.Logger
}

// Access is how to reach the cluster.
func (c Config) Access() kafka.Access {
	return kafka.Access{Brokers: c.Brokers, TLS: c.TLS, SASL: c.SASL, ClientID: c.ClientID}
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
	set(&c.LoginGrace, time.Minute)
	if c.BatchBytes == 0 {
		c.BatchBytes = kafka.BatchBytes
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
	if err := c.Access().Validate(); err != nil {
		return err
	}
	if c.LoginGrace < 0 || c.TopicGrace < 0 || c.RequestTimeout < 0 {
		return errors.New("times must not be negative")
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
	_, err := compression(c.Compression)
	return err
}

func compression(name string) (kafkago.Compression, error) {
	switch name {
	case "", "none":
		return 0, nil
	case "gzip":
		return kafkago.Gzip, nil
	case "snappy":
		return kafkago.Snappy, nil
	case "lz4":
		return kafkago.Lz4, nil
	case "zstd":
		return kafkago.Zstd, nil
	}
	return 0, fmt.Errorf("compression %q: want none, gzip, snappy, lz4 or zstd", name)
}
