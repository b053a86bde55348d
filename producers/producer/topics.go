package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// checkEvery is how often the partition count of a written topic is compared
// with the expected one. The answer comes from the client's cache.
const checkEvery = time.Second

// refreshEvery is the shortest time between two looks at the cluster.
const refreshEvery = 200 * time.Millisecond

// topics knows the partition count of each written topic. A count is fixed
// once known: a different one later is a stop error, because keys would move.
type topics struct {
	clients *kafka.ByTopic
	logins  *logins
	cfg     Config

	mu        sync.Mutex
	known     map[string]*topicState
	forgotten time.Time
}

type topicState struct {
	partitions   int
	checked      time.Time
	missingSince time.Time
}

func newTopics(clients *kafka.ByTopic, logins *logins, cfg Config) *topics {
	return &topics{clients: clients, logins: logins, cfg: cfg, known: make(map[string]*topicState)}
}

// refresh makes the client ask for the cluster again instead of trusting what
// it saw up to two seconds ago. Many lanes find out at once that a leader has
// moved, so it does so now and then only.
func (t *topics) refresh() {
	t.mu.Lock()
	stale := time.Since(t.forgotten) > refreshEvery
	if stale {
		t.forgotten = time.Now()
	}
	t.mu.Unlock()
	if stale {
		t.clients.Forget()
	}
}

func (t *topics) state(topic string) *topicState {
	s := t.known[topic]
	if s == nil {
		s = &topicState{partitions: t.cfg.Partitions}
		t.known[topic] = s
	}
	return s
}

// partitions returns the topic's count. It asks until it gets an answer, a
// stop error or the end of ctx.
func (t *topics) partitions(ctx context.Context, topic string) (int, error) {
	t.mu.Lock()
	s := t.state(topic)
	n, fresh := s.partitions, time.Since(s.checked) < checkEvery
	t.mu.Unlock()
	if fresh && n > 0 {
		return n, nil
	}
	backoff := t.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		n, err := t.check(ctx, topic)
		if err == nil || IsStop(err) {
			return n, err
		}
		t.cfg.Logger.Log(ctx, kafka.AttemptLevel(attempt, slog.LevelWarn), "publish: partition count not known yet", "topic", topic, "attempt", attempt, "error", err)
		t.refresh()
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("publish: partition count of topic %s: %w (last failure: %w)", topic, ctx.Err(), err)
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, t.cfg.MaxBackoff)
	}
}

// check asks once.
func (t *topics) check(ctx context.Context, topic string) (int, error) {
	asking, cancel := context.WithTimeout(ctx, t.cfg.RequestTimeout)
	defer cancel()
	counts, err := partitionCounts(asking, t.clients.Client(topic), topic)
	if err != nil {
		if refused := t.logins.judge(topic, err); refused != nil {
			return 0, refused
		}
		return 0, err
	}
	t.logins.accepted()
	n := counts[topic]
	if n == 0 {
		return 0, t.missing(ctx, topic, kafkago.UnknownTopicOrPartition)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state(topic)
	if s.partitions == 0 {
		s.partitions = n
	}
	if n != s.partitions {
		return 0, &StopError{Reason: ReasonPartitions, Topic: topic, Err: fmt.Errorf(
			"it has %d partitions, expected %d; keys would move between partitions, so nothing more is written", n, s.partitions)}
	}
	s.checked, s.missingSince = time.Now(), time.Time{}
	return n, nil
}

// seen notes that the topic answers.
func (t *topics) seen(topic string) {
	t.mu.Lock()
	t.state(topic).missingSince = time.Time{}
	t.mu.Unlock()
}

// missing returns err while the topic may still be about to appear, and a
// stop error after that.
func (t *topics) missing(ctx context.Context, topic string, err error) error {
	// A cluster that cannot be reached also looks like one without topics.
	ctx, cancel := context.WithTimeout(ctx, t.cfg.RequestTimeout)
	defer cancel()
	counts, reach := partitionCounts(ctx, t.clients.Client(topic), topic)
	if reach != nil {
		return reach
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.state(topic)
	if n := counts[topic]; n > 0 && n == s.partitions {
		s.missingSince = time.Time{}
		return err // it is there: the broker that answered had an older view of the cluster
	}
	if s.missingSince.IsZero() {
		s.missingSince = time.Now()
	}
	if time.Since(s.missingSince) < t.cfg.TopicGrace {
		return err
	}
	return &StopError{Reason: ReasonTopic, Topic: topic, Err: fmt.Errorf("it does not exist; create it first: %w", err)}
}

// partitionCounts asks the cluster; a topic that does not exist counts zero.
func partitionCounts(ctx context.Context, client *kafkago.Client, names ...string) (map[string]int, error) {
	res, err := client.Metadata(ctx, &kafkago.MetadataRequest{Topics: names})
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int, len(names))
	for _, t := range res.Topics {
		switch {
		case t.Error == nil:
			counts[t.Name] = len(t.Partitions)
		case errors.Is(t.Error, kafkago.UnknownTopicOrPartition):
			counts[t.Name] = 0
		default:
			return nil, fmt.Errorf("topic %s: %w", t.Name, t.Error)
		}
	}
	return counts, nil
}
