package producer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

func startBroker(t *testing.T) *fakekafka.Broker {
	t.Helper()
	b, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Stop() })
	return b
}

func TestWriteThousands(t *testing.T) {
	b := startBroker(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := producer.EnsureTopics(ctx, []string{b.Addr()}, producer.TopicsConfig{Partitions: 4}); err != nil {
		t.Fatal(err)
	}
	w, err := producer.New(producer.Config{Brokers: []string{b.Addr()}, Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	msgs := make([]producer.Message, 50_000)
	want := map[int]int64{}
	for i := range msgs {
		key := []byte(fmt.Sprintf("person-%d", i%1000))
		msgs[i] = producer.Message{Topic: producer.TopicCheckpoint, Key: key, Value: make([]byte, 200)}
		want[kafka.Partition(key, 4)]++
	}
	began := time.Now()
	if err := w.Write(ctx, msgs...); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	for p, n := range want {
		if got := b.Cluster().PartitionInfo(producer.TopicCheckpoint, int32(p)).HighWatermark; got != n {
			t.Errorf("partition %d holds %d messages, want %d", p, got, n)
		}
	}
	// The broker appended while it was written to, and stamps whole milliseconds.
	if off, ok := w.ClockOffset(); !ok || off.Abs() > took+time.Millisecond {
		t.Errorf("clock offset %v, known %v, on one computer, after writing for %s", off, ok, took)
	}
}

// Refusals that pass are waited out; those that do not are said at once.
func TestWriteClassifiesRefusals(t *testing.T) {
	b := startBroker(t)
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	w, err := producer.New(producer.Config{Brokers: []string{b.Addr()}, Partitions: 1, MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	msg := producer.Message{Topic: producer.TopicCheckpoint, Key: []byte("k"), Value: []byte("v")}
	passing := []*kerr.Error{kerr.NotEnoughReplicas, kerr.RequestTimedOut, kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownServerError, kerr.KafkaStorageError}
	for _, e := range passing {
		b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 2})
		if err := w.Write(t.Context(), msg, msg, msg); err != nil {
			t.Errorf("%v: %v", e, err)
		}
	}
	lasting := []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.PolicyViolation}
	for _, e := range lasting {
		b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 1})
		if err := w.Write(t.Context(), msg); !producer.IsStop(err) {
			t.Errorf("%v: %v", e, err)
		}
	}
	for name, want := range map[string]int{"retorno_publish_retries_total": 2 * len(passing), "retorno_publish_stops_total": len(lasting), "retorno_publish_messages_total": 3 * len(passing)} {
		if got := total(t, registry, name); got != float64(want) {
			t.Errorf("%s is %v, want %d", name, got, want)
		}
	}
}

// What the topic takes only in smaller batches is cut until it fits, in order; one message that it never takes is named.
func TestABatchIsCutUntilItFits(t *testing.T) {
	b := startBroker(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.ConsumeTopics("small"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "small", 1, 1
	limit := kmsg.NewCreateTopicsRequestTopicConfig()
	limit.Name, limit.Value = "max.message.bytes", kmsg.StringPtr("20000")
	topic.Configs = append(topic.Configs, limit)
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = append(create.Topics, topic)
	if res, err := create.RequestWith(t.Context(), client); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	w, err := producer.New(producer.Config{Brokers: []string{b.Addr()}, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	msgs := make([]producer.Message, 1000)
	for i := range msgs {
		msgs[i] = producer.Message{Topic: "small", Value: fmt.Appendf(nil, "%0200d", i)}
	}
	if err := w.Write(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
	err = w.Write(t.Context(), producer.Message{Topic: "small", Value: []byte("fits")}, producer.Message{Topic: "small", Value: make([]byte, 50_000)})
	if !producer.IsStop(err) || !strings.Contains(err.Error(), "message 2 of 2") || !strings.Contains(err.Error(), "max.message.bytes") {
		t.Errorf("a message above the limit: %v", err)
	}
	for read := 0; read < len(msgs); {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			if read < len(msgs) && string(r.Value) != string(msgs[read].Value) {
				t.Fatalf("message %d is %.20q…", read, r.Value)
			}
			read++
		}
	}
}

// A call whose context ends while the broker refuses returns, with what was refused; the writer goes on.
func TestAWriteEndsWithItsContext(t *testing.T) {
	b := startBroker(t)
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	w, err := producer.New(producer.Config{Brokers: []string{b.Addr()}, Partitions: 1, MinBackoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	fault := b.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	msg := producer.Message{Topic: producer.TopicCheckpoint, Key: []byte("k"), Value: []byte("v")}
	go func() { done <- w.Write(ctx, msg) }()
	for total(t, registry, "retorno_publish_retries_total") < 3 {
		select {
		case err := <-done:
			t.Fatalf("the broker refuses, and writing ends with %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || producer.IsStop(err) || !strings.Contains(err.Error(), "Not Enough Replicas") {
		t.Errorf("the context has ended: %v", err)
	}
	fault.Remove()
	if err := w.Write(t.Context(), msg); err != nil {
		t.Error(err)
	}
}

// total sums the values of a counter.
func total(t *testing.T, r prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
