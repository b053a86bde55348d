package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
	"retorno/deploy/lab/fakekafka"
)

const topic = "retorno.test"

// site is an embedded broker with the topic, a producer that places as it is told, and what was read.
type site struct {
	broker     *fakekafka.Broker
	partitions int
	client     *kgo.Client
	registry   *prometheus.Registry

	mu   sync.Mutex
	read map[int][]string // by partition, in order
	next map[int]int64    // by partition: what to read next
}

func newSite(t *testing.T, partitions int) *site {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); _ = broker.Stop() })
	s := &site{broker: broker, partitions: partitions, client: client, registry: prometheus.NewRegistry(), read: map[int][]string{}, next: map[int]int64{}}
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, int32(partitions), 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) write(t *testing.T, partition int, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := s.client.ProduceSync(t.Context(), &kgo.Record{Partition: int32(partition), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *site) config() stream.Config {
	return stream.Config{Brokers: []string{s.broker.Addr()}, Group: "group", Topics: []string{topic}, Partitions: s.partitions,
		SessionTimeout: 3 * time.Second, RebalanceTimeout: 3 * time.Second, JoinBackoff: 50 * time.Millisecond, MaxWait: 50 * time.Millisecond,
		RequestTimeout: 2 * time.Second, MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, CheckEvery: 50 * time.Millisecond,
		StopRetry: 50 * time.Millisecond, TopicGrace: time.Second, EndTimeout: time.Second, Registerer: s.registry}
}

// take reads a shard on from what this site has read of it.
func (s *site) take(ctx context.Context, shard *stream.Shard) error {
	s.mu.Lock()
	at := s.next[shard.Partition()]
	s.mu.Unlock()
	if at > 0 {
		shard.Seek(topic, at)
	}
	return s.readOn(ctx, shard)
}

// readOn reads a shard from where it is, and commits what it has read.
func (s *site) readOn(ctx context.Context, shard *stream.Shard) error {
	for {
		msgs, err := shard.Fetch(ctx, 20*time.Millisecond)
		if err != nil {
			return err
		}
		if len(msgs) == 0 {
			continue
		}
		s.mu.Lock()
		for _, m := range msgs {
			s.read[m.Partition] = append(s.read[m.Partition], string(m.Value))
			s.next[m.Partition] = m.Offset + 1
		}
		s.mu.Unlock()
		if err := shard.Commit(ctx, map[string]int64{topic: msgs[len(msgs)-1].Offset + 1}); err != nil {
			return err
		}
	}
}

func (s *site) has(partition int, want ...string) func() bool {
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Equal(s.read[partition], want)
	}
}

// join runs a member until the test or the returned function ends it.
func join(t *testing.T, cfg stream.Config, run stream.RunFunc) (c *stream.Consumer, leave func()) {
	t.Helper()
	c, err := stream.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, run) }()
	leave = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the member ended with %v", err)
		}
	})
	t.Cleanup(leave)
	return c, leave
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// gauge sums the values of a metric.
func (s *site) gauge(t *testing.T, name string) float64 { return s.labelled(t, name, "") }

// labelled sums the values of a metric over those with a label of that value; "" takes all.
func (s *site) labelled(t *testing.T, name, value string) float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			has := func(l *dto.LabelPair) bool { return l.GetValue() == value }
			if f.GetName() == name && (value == "" || slices.ContainsFunc(m.GetLabel(), has)) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func stopped(c *stream.Consumer) (stream.ShardStatus, bool) {
	for _, s := range c.Status().Shards {
		if s.Stopped != "" {
			return s, true
		}
	}
	return stream.ShardStatus{}, false
}

// Each message is read once and in order, over members that follow each other.
func TestMembersReadOnFromWhatWasCommitted(t *testing.T) {
	s := newSite(t, 2)
	s.write(t, 0, "a", "b")
	s.write(t, 1, "x")
	var assigned [][]int
	cfg := s.config()
	cfg.Assigned = func(p []int) { assigned = append(assigned, p) }
	c, leave := join(t, cfg, s.take)
	until(t, "all is read", func() bool { return s.has(0, "a", "b")() && s.has(1, "x")() })
	if st := c.Status(); !st.Member || len(st.Shards) != 2 || s.gauge(t, "retorno_stream_member") != 1 || s.gauge(t, "retorno_stream_assigned_shards") != 2 {
		t.Errorf("the status is %+v", st)
	}
	leave()
	if st := c.Status(); st.Member || s.gauge(t, "retorno_stream_member") != 0 {
		t.Errorf("after leaving it is a member: %+v", st)
	}
	if len(assigned) != 2 || !slices.Equal(assigned[0], []int{0, 1}) || assigned[1] != nil {
		t.Errorf("it was told of %v", assigned)
	}
	s.write(t, 0, "c")
	again := s.config()
	again.Registerer = nil
	join(t, again, s.readOn) // begins where the group has come to
	until(t, "the rest is read", s.has(0, "a", "b", "c"))
}

// A member that has lost its shard cannot move the group's offset.
func TestOnlyTheGenerationThatAssignedCommits(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a", "b")
	held, release := make(chan *stream.Shard), make(chan struct{})
	first := s.config()
	first.SessionTimeout, first.RebalanceTimeout = time.Second, time.Second
	_, leave := join(t, first, func(_ context.Context, shard *stream.Shard) error {
		select {
		case held <- shard:
		case <-release:
		}
		<-release // deaf to the end of its shard
		return nil
	})
	old := <-held
	second := s.config()
	second.Registerer = nil
	join(t, second, s.take)
	until(t, "the new owner has read all", s.has(0, "a", "b"))
	if err := old.Commit(t.Context(), map[string]int64{topic: 0}); err == nil {
		t.Error("the former owner could commit")
	}
	close(release)
	leave()
	c, err := stream.New(second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	alone := c.Open(0)
	defer alone.Close()
	if err := alone.Commit(t.Context(), map[string]int64{topic: 1}); err == nil || alone.Generation() != -1 {
		t.Errorf("a shard of generation %d outside of any group commits: %v", alone.Generation(), err)
	}
}

// A caller that takes nothing makes fetching wait, and loses neither messages nor its place in the group.
func TestACallerThatTakesNothingHoldsLittle(t *testing.T) {
	s := newSite(t, 1)
	var all []string
	for i := range 200 {
		all = append(all, fmt.Sprintf("%d %s", i, strings.Repeat("x", 10_000)))
	}
	s.write(t, 0, all...)
	cfg := s.config()
	cfg.PrefetchBytes, cfg.FetchMaxBytes = 100<<10, 50<<10
	cfg.SessionTimeout = time.Second
	wait := make(chan struct{})
	c, _ := join(t, cfg, func(ctx context.Context, shard *stream.Shard) error {
		if _, err := shard.Fetch(ctx, 0); err != nil { // fetching has begun; nothing can have come yet
			return err
		}
		<-wait
		return s.take(ctx, shard)
	})
	held := func() float64 { return s.gauge(t, "retorno_stream_prefetched_bytes") }
	until(t, "enough is held", func() bool { return held() >= 100<<10 })
	generation := c.Status().Generation
	for begin := time.Now(); time.Since(begin) < 3*time.Second; { // three sessions
		if st := c.Status(); held() > 200<<10 || !st.Member || st.Generation != generation {
			t.Fatalf("%v bytes are held, and the status is %+v", held(), st)
		}
		<-time.After(10 * time.Millisecond)
	}
	close(wait)
	until(t, "all is read", s.has(0, all...))
}

// A topic that is deleted and filled again is not the one that was read, though it looks the same from outside.
func TestAnotherLogIsNotReadOn(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a", "b", "c")
	c, err := stream.New(s.config())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	first, end, err := c.Bounds(ctx, topic, 0)
	if err != nil || first != 0 || end != 3 {
		t.Fatalf("the log goes from %d to %d, %v", first, end, err)
	}
	shard := c.Open(0)
	var last stream.Message
	for last.Offset < 2 {
		msgs, err := shard.Fetch(ctx, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if len(msgs) > 0 {
			last = msgs[len(msgs)-1]
		}
	}
	shard.Close()
	for fingerprint, reason := range map[uint64]string{last.Fingerprint(): "", last.Fingerprint() + 1: stream.ReasonRecreated} {
		shard := c.Open(0)
		shard.SeekAfter(topic, 2, fingerprint)
		msgs, err := shard.Fetch(ctx, 200*time.Millisecond)
		for reason != "" && err == nil && len(msgs) == 0 {
			msgs, err = shard.Fetch(ctx, 200*time.Millisecond)
		}
		var stop *stream.StopError
		if len(msgs) > 0 || (reason == "") != (err == nil) || reason != "" && (!errors.As(err, &stop) || stop.Reason != reason) {
			t.Errorf("after a message with fingerprint %x: %d messages, %v; want %q", fingerprint, len(msgs), err, reason)
		}
		shard.Close()
	}
	shard = c.Open(0)
	defer shard.Close()
	shard.SeekAfter(topic, 9, 1)
	for {
		if _, err = shard.Fetch(ctx, time.Second); err != nil {
			break
		}
	}
	var stop *stream.StopError
	if !errors.As(err, &stop) || stop.Reason != stream.ReasonBeyondEnd {
		t.Errorf("a log that ends before what was read: %v", err)
	}
}

func TestMissingTopicsAndWrongSettings(t *testing.T) {
	s := newSite(t, 1)
	cfg := s.config()
	cfg.Registerer, cfg.Topics, cfg.TopicGrace = nil, []string{"retorno.none"}, 10*time.Millisecond
	var stop *stream.StopError
	if err := stream.Run(t.Context(), cfg, s.take); !errors.As(err, &stop) || stop.Reason != stream.ReasonTopicMissing {
		t.Errorf("a topic that is not there: %v", err)
	}
	for name, change := range map[string]func(*stream.Config){
		"no group":            func(c *stream.Config) { c.Group = "" },
		"no topics":           func(c *stream.Config) { c.Topics = nil },
		"a topic twice":       func(c *stream.Config) { c.Topics = []string{"a", "a"} },
		"no partitions":       func(c *stream.Config) { c.Partitions = 0 },
		"a negative time":     func(c *stream.Config) { c.FailAfter = -1 },
		"backoff turned":      func(c *stream.Config) { c.MinBackoff, c.MaxBackoff = 2, 1 },
		"too little":          func(c *stream.Config) { c.FetchMaxBytes = 10 },
		"answers cut short":   func(c *stream.Config) { c.AnswerBytes = 2000; c.FetchMaxBytes = 4000 },
		"a port out of range": func(c *stream.Config) { c.Brokers = []string{"kafka:99999"} },
	} {
		cfg := s.config()
		change(&cfg)
		if _, err := stream.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
