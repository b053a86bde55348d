package stream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Config says what to read. Zero fields take the defaults named.
type Config struct {
	// Brokers are addresses to start from, host:port.
	Brokers []string
	// Group is the consumer group.
	Group string
	// Topics are co-partitioned: the same key is in the same partition of each.
	Topics []string
	// Partitions is the number that each topic must have.
	Partitions int

	// SessionTimeout is how long the group waits for a sign of life, and how
	// long a run may take to end when its shard is taken away. Default 30 s.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long the group waits for its members to come
	// back when it is divided anew. Default 60 s.
	RebalanceTimeout time.Duration
	// JoinBackoff is the wait after a failed attempt to join. Default 500 ms.
	JoinBackoff time.Duration

	// FetchMaxBytes bounds one answer, compressed; a larger single batch
	// comes whole. Default 2 MiB.
	FetchMaxBytes int
	// MinBytes makes the broker wait for so much, for MaxWait at most.
	// Default 1.
	MinBytes int
	// MaxWait is how long the broker may hold a request when there is
	// nothing. Default 500 ms.
	MaxWait time.Duration
	// PrefetchBytes bounds what is fetched and not yet handed out, over all
	// shards of this process; each topic of a shard may hold one answer
	// beyond its share. Default 64 MiB.
	PrefetchBytes int

	// RequestTimeout bounds a request beyond MaxWait. Default 10 s.
	RequestTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait before another attempt.
	// Default 50 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration
	// StallTimeout is how long the end of a partition may lie ahead without
	// progress before the client is rebuilt. Default 15 s.
	StallTimeout time.Duration
	// TopicGrace is how long a topic may be missing before that stops a
	// shard; brokers that start forget their topics for a moment. Default 10 s.
	TopicGrace time.Duration
	// CheckEvery is how often the partition count is compared. Default 2 s.
	CheckEvery time.Duration
	// StopRetry is how long a stopped shard waits before it is looked at
	// again. Default 30 s.
	StopRetry time.Duration

	// ClientID names this program to the broker. Default retorno.
	ClientID string
	// TLS switches encryption on. Certificates are read through its
	// callbacks at each connection, so they can be changed while running.
	TLS *tls.Config
	// SASL logs in; nil does not.
	SASL *SASL
	// Assigned is told the partitions of this member each time when the group
	// has been divided anew, when no run of the division before is left and
	// before the first of the new one; and nil when the member has left. nil
	// tells nobody.
	Assigned func(partitions []int)
	// Registerer receives the metrics; nil keeps none.
	Registerer prometheus.Registerer
	// Logger receives what is retried and what stopped; nil drops it.
	Logger *slog.Logger
}

// SASL is how to log in to the broker.
type SASL struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User      string
	Password  string
}

func (c Config) withDefaults() Config {
	duration := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	size := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	duration(&c.SessionTimeout, 30*time.Second)
	duration(&c.RebalanceTimeout, 60*time.Second)
	duration(&c.JoinBackoff, 500*time.Millisecond)
	duration(&c.MaxWait, 500*time.Millisecond)
	duration(&c.RequestTimeout, 10*time.Second)
	duration(&c.MinBackoff, 50*time.Millisecond)
	duration(&c.MaxBackoff, 2*time.Second)
	duration(&c.StallTimeout, 15*time.Second)
	duration(&c.TopicGrace, 10*time.Second)
	duration(&c.CheckEvery, 2*time.Second)
	duration(&c.StopRetry, 30*time.Second)
	size(&c.FetchMaxBytes, 2<<20)
	size(&c.MinBytes, 1)
	size(&c.PrefetchBytes, 64<<20)
	if c.ClientID == "" {
		c.ClientID = "retorno"
	}
	if c.Assigned == nil {
		c.Assigned = func([]int) {}
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
	if c.Group == "" {
		return errors.New("no group name")
	}
	if len(c.Topics) == 0 {
		return errors.New("no topics")
	}
	seen := make(map[string]bool)
	for _, t := range c.Topics {
		if t == "" || seen[t] {
			return fmt.Errorf("topics %q: each must be named once", c.Topics)
		}
		seen[t] = true
	}
	if c.Partitions <= 0 {
		return fmt.Errorf("partitions %d: must be positive", c.Partitions)
	}
	if c.SessionTimeout < 0 || c.RebalanceTimeout < 0 || c.MaxWait < 0 || c.RequestTimeout < 0 || c.StopRetry < 0 {
		return errors.New("times must not be negative")
	}
	if c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("backoff from %s to %s: the second must not be less", c.MinBackoff, c.MaxBackoff)
	}
	if c.FetchMaxBytes < 1024 || c.PrefetchBytes < 1024 {
		return errors.New("byte limits below 1 KiB cannot work")
	}
	_, err := c.SASL.mechanism()
	return err
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
