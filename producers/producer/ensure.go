package producer

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/agents"
	"retorno/schemas/kafka"
)

// The topics of version 1. The first two carry facts and have the same number
// of partitions, so that everything about a person meets in one of them.
const (
	TopicCheckpoint = "retorno.checkpoint.v1"
	TopicCentre     = "retorno.centre.v1"
	TopicDeadLetter = "retorno.deadletter.v1"
	// TopicImports holds the accounts of imported files (see producers/imports), in one partition.
	TopicImports = "retorno.imports.v1"
)

// Limits of one batch on each kind of topic, in bytes. A fact is under a
// kilobyte; the fact topics take far more so that a source that sends
// something absurd is seen in the dead letters instead of stuck at its
// spool. A dead letter holds such a thing whole, with its headers.
const (
	MaxFactBytes       = 16 << 20
	MaxDeadLetterBytes = 20 << 20
)

// TopicsConfig says which topics there are to be, and how.
type TopicsConfig struct {
	// Topics are those that are needed. Default the first three.
	Topics []string
	// Partitions of each of the two fact topics. Default 12.
	Partitions int
	// Replication is the number of copies of a topic that is created; zero
	// leaves it to the cluster.
	Replication int
	// MinInsyncReplicas refuses writes to such a topic with fewer copies
	// alive; zero leaves it to the cluster.
	MinInsyncReplicas int
	// Client says how to reach the cluster; its Brokers are not used.
	Client Config
}

func (c TopicsConfig) withDefaults() TopicsConfig {
	if c.Partitions == 0 {
		c.Partitions = 12
	}
	if len(c.Topics) == 0 {
		c.Topics = []string{TopicCheckpoint, TopicCentre, TopicDeadLetter}
	}
	return c
}

// partitions is how many a topic is to have: all but the fact topics have one.
func (c TopicsConfig) partitions(topic string) int {
	if topic == TopicCheckpoint || topic == TopicCentre {
		return c.Partitions
	}
	return 1
}

// AgentTopics are those by which agents tell of themselves, and each other.
func AgentTopics() []string {
	return []string{agents.TopicAgents, agents.TopicExchange, agents.TopicDocuments}
}

// cleanup is what a topic forgets: of agents' topics what a later message of the same key replaces, of the exchange what
// is older than seven days, of facts and dead letters nothing until it is decided otherwise.
func cleanup(topic string) (policy, retentionMs string) {
	switch topic {
	case agents.TopicAgents:
		return "compact", "-1"
	case agents.TopicDocuments:
		return "compact,delete", strconv.FormatInt(agents.FindingsKept.Milliseconds(), 10)
	case agents.TopicExchange:
		return "delete", strconv.FormatInt(agents.ExchangeKept.Milliseconds(), 10)
	}
	return "delete", "-1"
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
		" (the count belongs to the deployment: set it to what the topics have, or create them again)"
}

// showTimeout is how long a cluster may take to show all partitions of the topics that it has created.
const showTimeout = 30 * time.Second

// EnsureTopics creates the topics where they are missing, waits until the
// cluster shows all their partitions, and fails with a *TopicsError when one
// exists with another number of them. Existing topics are not changed. Several
// programs may call it at the same time.
func EnsureTopics(ctx context.Context, brokers []string, cfg TopicsConfig) error {
	cfg = cfg.withDefaults()
	cfg.Client.Brokers = brokers
	client, err := adminClient(cfg.Client)
	if err != nil {
		return err
	}
	defer client.Close()
	differs := check(ctx, client, cfg)
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
			if err := createTopics(shown, client, create); err != nil {
				return fmt.Errorf("kafka: create topics: %w", err)
			}
		}
		differs = check(ctx, client, cfg)
		if differs != nil && !pause(shown) {
			break
		}
	}
	return differs
}

// CheckTopics returns nil when the topics exist with the expected number of
// partitions, a *TopicsError when not, and another error when the cluster
// cannot be asked. It changes nothing.
func CheckTopics(ctx context.Context, brokers []string, cfg TopicsConfig) error {
	cfg.Client.Brokers = brokers
	client, err := adminClient(cfg.Client)
	if err != nil {
		return err
	}
	defer client.Close()
	return check(ctx, client, cfg.withDefaults())
}

func check(ctx context.Context, client *kafka.Client, cfg TopicsConfig) error {
	view, err := client.Metadata(ctx, cfg.Topics...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	e := &TopicsError{Expected: map[string]int{}, Found: map[string]int{}}
	differs := false
	for _, topic := range cfg.Topics {
		if e.Found[topic], err = view.Partitions(topic); err != nil {
			return fmt.Errorf("kafka: %w", err)
		}
		e.Expected[topic] = cfg.partitions(topic)
		differs = differs || e.Found[topic] != e.Expected[topic]
	}
	if differs {
		return e
	}
	return nil
}

// missing is how to create the topics that do not exist.
func (c TopicsConfig) missing(counts *TopicsError) (create []kmsg.CreateTopicsRequestTopic) {
	for _, topic := range c.Topics {
		if counts.Found[topic] == 0 {
			create = append(create, c.topic(topic))
		}
	}
	return create
}

// topic is how one of the topics is created.
func (c TopicsConfig) topic(name string) kmsg.CreateTopicsRequestTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, int32(c.partitions(name)), -1
	if c.Replication > 0 {
		t.ReplicationFactor = int16(c.Replication)
	}
	set := func(name, value string) {
		e := kmsg.NewCreateTopicsRequestTopicConfig()
		e.Name, e.Value = name, kmsg.StringPtr(value)
		t.Configs = append(t.Configs, e)
	}
	policy, retention := cleanup(name)
	set("retention.ms", retention)
	set("retention.bytes", "-1")
	set("cleanup.policy", policy)
	if c.MinInsyncReplicas > 0 {
		set("min.insync.replicas", strconv.Itoa(c.MinInsyncReplicas))
	}
	if name == TopicDeadLetter {
		set("max.message.bytes", strconv.Itoa(MaxDeadLetterBytes))
		return t
	}
	set("max.message.bytes", strconv.Itoa(MaxFactBytes))
	set("message.timestamp.type", "LogAppendTime")
	return t
}

func adminClient(cfg Config) (*kafka.Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return kafka.NewClient(cfg.Access()), nil
}

// createTopics creates what is missing; another program may be faster. A
// cluster that just started may not have its brokers together yet, which is
// waited for until ctx ends.
func createTopics(ctx context.Context, client *kafka.Client, topics []kmsg.CreateTopicsRequestTopic) error {
	for {
		err := createOnce(ctx, client, topics)
		if err == nil || !temporaryAdmin(err) {
			return err
		}
		if !pause(ctx) {
			return fmt.Errorf("%w (last failure: %w)", ctx.Err(), err)
		}
	}
}

func createOnce(ctx context.Context, client *kafka.Client, topics []kmsg.CreateTopicsRequestTopic) error {
	view, err := client.Metadata(ctx)
	if err != nil {
		return err
	}
	controller, err := view.Controller()
	if err != nil {
		return err
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.SetVersion(4) // the first that takes the cluster's own replication
	req.TimeoutMillis, req.Topics = 10_000, topics
	res, err := client.Ask(ctx, controller, req)
	if err != nil {
		return err
	}
	for _, t := range res.(*kmsg.CreateTopicsResponse).Topics {
		failed := kafka.Code(t.ErrorCode, t.ErrorMessage)
		if failed != nil && !errors.Is(failed, kafkago.TopicAlreadyExists) {
			return fmt.Errorf("topic %s: %w", t.Topic, failed)
		}
	}
	return nil
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
