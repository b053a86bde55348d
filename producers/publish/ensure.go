package publish

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// The topics of version 1. The first two carry facts and have the same number
// of partitions, so that everything about a person meets in one of them.
const (
	TopicCheckpoint = "retorno.checkpoint.v1"
	TopicCentre     = "retorno.centre.v1"
	TopicDeadLetter = "retorno.deadletter.v1"
)

// Limits of one batch on each kind of topic, in bytes. A fact is under a
// kilobyte; the fact topics take far more so that a source that sends
// something absurd is seen in the dead letters instead of stuck at its
// spool. A dead letter holds such a thing whole, with its headers.
const (
	MaxFactBytes       = 16 << 20
	MaxDeadLetterBytes = 20 << 20
)

// TopicsConfig says how the topics are to be.
type TopicsConfig struct {
	// Partitions of each of the two fact topics. Default 12.
	Partitions int
	// Replication is the number of copies; zero leaves it to the cluster.
	Replication int
	// MinInsyncReplicas refuses writes with fewer copies alive; zero leaves
	// it to the cluster.
	MinInsyncReplicas int
	// Client says how to reach the cluster; its Brokers are not used.
	Client Config
}

// TopicsError names every topic whose number of partitions is not the
// expected one.
type TopicsError struct {
	Expected map[string]int
	Found    map[string]int // zero: the topic does not exist
}

// Missing says that a topic is not there at all, and none has a wrong count.
func (e *TopicsError) Missing() bool {
	missing := false
	for topic, want := range e.Expected {
		got := e.Found[topic]
		if got != 0 && got != want {
			return false
		}
		missing = missing || got == 0
	}
	return missing
}

// incomplete reports whether partitions are missing and none is too many.
func (e *TopicsError) incomplete() bool {
	incomplete := false
	for topic, want := range e.Expected {
		if e.Found[topic] > want {
			return false
		}
		incomplete = incomplete || e.Found[topic] < want
	}
	return incomplete
}

func (e *TopicsError) Error() string {
	var parts []string
	for topic, want := range e.Expected {
		switch got := e.Found[topic]; {
		case got == 0:
			parts = append(parts, fmt.Sprintf("topic %s does not exist, expected with %d partitions", topic, want))
		case got != want:
			parts = append(parts, fmt.Sprintf("topic %s has %d partitions, expected %d", topic, got, want))
		}
	}
	sort.Strings(parts)
	return "kafka: " + strings.Join(parts, "; ") +
		" (the count belongs to the deployment: set it to what the topics have, or create them anew)"
}

// showTimeout is how long a cluster may take to show all partitions of the topics that it has created.
const showTimeout = 30 * time.Second

// EnsureTopics creates the three topics where they are missing, waits until
// the cluster shows all their partitions, and fails with a *TopicsError when
// one exists with another number of them. Existing topics are not changed.
// Several programs may call it at the same time.
func EnsureTopics(ctx context.Context, brokers []string, cfg TopicsConfig) error {
	if cfg.Partitions == 0 {
		cfg.Partitions = 12
	}
	client, closeClient, err := adminClient(brokers, cfg.Client)
	if err != nil {
		return err
	}
	defer closeClient()
	differs := CheckTopics(ctx, brokers, cfg.Partitions, cfg.Client)
	var counts *TopicsError
	if !errors.As(differs, &counts) || !counts.Missing() {
		return differs
	}
	shown, cancel := context.WithTimeout(ctx, showTimeout)
	defer cancel()
	// A broker may answer that has not heard of a topic's creation, or of its
	// deletion before: so what is missing is created again until all is shown.
	for errors.As(differs, &counts) && counts.incomplete() {
		if create := cfg.missing(counts); len(create) > 0 {
			if err := createTopics(ctx, client, create); err != nil {
				return err
			}
		}
		differs = CheckTopics(ctx, brokers, cfg.Partitions, cfg.Client)
		if differs != nil && !pause(shown) {
			break
		}
	}
	return differs
}

// CheckTopics returns nil when the topics exist with the expected number of
// partitions (dead letters always one), a *TopicsError when not, and another
// error when the cluster cannot be asked.
func CheckTopics(ctx context.Context, brokers []string, partitions int, access ...Config) error {
	var cfg Config
	if len(access) > 0 {
		cfg = access[0]
	}
	client, closeClient, err := adminClient(brokers, cfg)
	if err != nil {
		return err
	}
	defer closeClient()
	expected := map[string]int{TopicCheckpoint: partitions, TopicCentre: partitions, TopicDeadLetter: 1}
	found, err := askCounts(ctx, client, TopicCheckpoint, TopicCentre, TopicDeadLetter)
	if err != nil {
		return err
	}
	for topic, want := range expected {
		if found[topic] != want {
			return &TopicsError{Expected: expected, Found: found}
		}
	}
	return nil
}

// missing is how to create the topics that do not exist.
func (c TopicsConfig) missing(counts *TopicsError) (create []kafkago.TopicConfig) {
	for _, t := range c.topics() {
		if counts.Found[t.Topic] == 0 {
			create = append(create, t)
		}
	}
	return create
}

func (c TopicsConfig) topics() []kafkago.TopicConfig {
	entries := func(size int, extra ...kafkago.ConfigEntry) []kafkago.ConfigEntry {
		e := []kafkago.ConfigEntry{
			// Facts and dead letters are kept until somebody decides otherwise.
			{ConfigName: "retention.ms", ConfigValue: "-1"},
			{ConfigName: "retention.bytes", ConfigValue: "-1"},
			{ConfigName: "cleanup.policy", ConfigValue: "delete"},
			{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(size)},
		}
		if c.MinInsyncReplicas > 0 {
			e = append(e, kafkago.ConfigEntry{ConfigName: "min.insync.replicas", ConfigValue: strconv.Itoa(c.MinInsyncReplicas)})
		}
		return append(e, extra...)
	}
	replication := c.Replication
	if replication == 0 {
		replication = -1
	}
	brokerTime := kafkago.ConfigEntry{ConfigName: "message.timestamp.type", ConfigValue: "LogAppendTime"}
	return []kafkago.TopicConfig{
		{Topic: TopicCheckpoint, NumPartitions: c.Partitions, ReplicationFactor: replication, ConfigEntries: entries(MaxFactBytes, brokerTime)},
		{Topic: TopicCentre, NumPartitions: c.Partitions, ReplicationFactor: replication, ConfigEntries: entries(MaxFactBytes, brokerTime)},
		{Topic: TopicDeadLetter, NumPartitions: 1, ReplicationFactor: replication, ConfigEntries: entries(MaxDeadLetterBytes)},
	}
}

func adminClient(brokers []string, cfg Config) (*kafkago.Client, func(), error) {
	cfg.Brokers = brokers
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	transport := cfg.Access().Transport(TopicCheckpoint, TopicCentre, TopicDeadLetter)
	client := &kafkago.Client{Addr: kafkago.TCP(cfg.Brokers...), Transport: transport, Timeout: cfg.RequestTimeout}
	return client, transport.CloseIdleConnections, nil
}

// askCounts asks the cluster for partition counts, waiting for ctx at most.
func askCounts(ctx context.Context, client *kafkago.Client, names ...string) (map[string]int, error) {
	found, err := partitionCounts(ctx, client, names...)
	if err != nil {
		return nil, fmt.Errorf("kafka at %s: %w", client.Addr, err)
	}
	return found, nil
}

// createTopics creates what is missing; another program may be faster. A
// cluster that just started may not have its brokers together yet, which is
// waited for until ctx ends.
func createTopics(ctx context.Context, client *kafkago.Client, topics []kafkago.TopicConfig) error {
	for {
		var failed error
		res, err := client.CreateTopics(ctx, &kafkago.CreateTopicsRequest{Topics: topics})
		if err != nil {
			failed = err
		} else {
			for topic, err := range res.Errors {
				if err != nil && !errors.Is(err, kafkago.TopicAlreadyExists) {
					failed = fmt.Errorf("topic %s: %w", topic, err)
				}
			}
		}
		if failed == nil {
			return nil
		}
		if !temporaryAdmin(failed) {
			return fmt.Errorf("kafka: create topics: %w", failed)
		}
		if !pause(ctx) {
			return fmt.Errorf("kafka: create topics: %w (last failure: %w)", ctx.Err(), failed)
		}
	}
}

// pause waits a moment, and reports false when ctx ended first.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(200 * time.Millisecond):
		return true
	}
}

// temporaryAdmin reports whether a request to the controller is worth
// repeating: it moved, is starting, or does not see its brokers yet.
func temporaryAdmin(err error) bool {
	var code kafkago.Error
	if !errors.As(err, &code) {
		return false
	}
	return code.Temporary() || code == kafkago.BrokerNotAvailable || code == kafkago.InvalidReplicationFactor
}
