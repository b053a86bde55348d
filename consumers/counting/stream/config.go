package stream

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/kafka"
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
	// back when it is divided again. Default 60 s.
	RebalanceTimeout time.Duration
	// JoinBackoff is the wait after a failed attempt to join. Default 500 ms.
	JoinBackoff time.Duration

	// FetchMaxBytes bounds one answer, compressed; a larger single batch
	// comes whole. Default 2 MiB.
	FetchMaxBytes int
	// AnswerBytes bounds what is accepted of an answer. Default 64 MiB.
	AnswerBytes int
	// MinBytes makes the broker wait for so much, for MaxWait at most.
	// Default 1.
	MinBytes int
	// MaxWait is how long the broker may hold a request when there is
	// nothing. Default 500 ms.
	MaxWait time.Duration
	// PrefetchBytes bounds what is fetched and not yet delivered, over all
	// shards of this process; each topic of a shard may hold one answer
	// beyond its share. Default 64 MiB.
	PrefetchBytes int

	// RequestTimeout bounds a request beyond MaxWait. Default 10 s.
	RequestTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait before another attempt.
	// Default 50 ms and 2 s.
	MinBackoff, MaxBackoff time.Duration
	// StallTimeout is how long the end of a partition may lie ahead without
	// progress before the fetcher connects again. Default 15 s.
	StallTimeout time.Duration
	// FailAfter is how long fetches may fail without a good answer among
	// them before that stops the shard. Default 1 min.
	FailAfter time.Duration
	// EndTimeout is how long the end of a log counts as known after it was
	// last seen; it is asked for more often than that. Default 10 s.
	EndTimeout time.Duration
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
	// TLS encrypts; nil does not.
	TLS *kafka.TLS
	// SASL logs in; nil does not.
	SASL *kafka.SASL
	// Assigned is told the partitions of this member each time when the group
	// has been divided again, when no run of the division before is left and
	// before the first of the new one; and nil when the member has left. nil
	// tells no one.
	Assigned func(partitions []int)
	// Registerer receives the metrics; nil keeps none.
	Registerer prometheus.Registerer
	// Logger receives what is retried and what stopped; nil drops it.
	Logger *slog.Logger
}

func (c Config) access() kafka.Access {
	return kafka.Access{Brokers: c.Brokers, TLS: c.TLS, SASL: c.SASL, ClientID: c.ClientID}
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
	duration(&c.FailAfter, time.Minute)
	duration(&c.EndTimeout, 10*time.Second)
	duration(&c.TopicGrace, 10*time.Second)
	duration(&c.CheckEvery, 2*time.Second)
	duration(&c.StopRetry, 30*time.Second)
	size(&c.FetchMaxBytes, 2<<20)
	size(&c.AnswerBytes, kafka.MaxFetchAnswer)
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
	if err := c.access().Validate(); err != nil {
		return err
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
	for _, d := range []time.Duration{c.SessionTimeout, c.RebalanceTimeout, c.JoinBackoff, c.MaxWait, c.RequestTimeout, c.MinBackoff,
		c.StallTimeout, c.FailAfter, c.EndTimeout, c.TopicGrace, c.CheckEvery, c.StopRetry} {
		if d < 0 {
			return errors.New("times must not be negative")
		}
	}
	if c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("backoff from %s to %s: the second must not be less", c.MinBackoff, c.MaxBackoff)
	}
	if c.FetchMaxBytes < 1024 || c.PrefetchBytes < 1024 {
		return errors.New("byte limits below 1 KiB cannot work")
	}
	if c.AnswerBytes < 0 || c.AnswerBytes > 0 && c.AnswerBytes < c.FetchMaxBytes {
		return fmt.Errorf("answers of at most %d bytes cannot hold the %d bytes that are asked for", c.AnswerBytes, c.FetchMaxBytes)
	}
	return nil
}
