package producer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

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
