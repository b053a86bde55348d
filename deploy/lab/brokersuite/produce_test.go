package brokersuite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

func TestTopicsAreMadeOnceAndChecked(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		ctx := limited(t)
		for range 2 {
			if err := producer.EnsureTopics(ctx, b.brokers, producer.TopicsConfig{Partitions: 4}); err != nil {
				t.Fatal(err)
			}
		}
		for topic, want := range map[string]map[string]string{
			producer.TopicCheckpoint: {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "max.message.bytes": "16777216"},
			producer.TopicCentre:     {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1", "max.message.bytes": "16777216"},
			producer.TopicDeadLetter: {"message.timestamp.type": "CreateTime", "retention.ms": "-1", "max.message.bytes": "20971520"},
		} {
			for name, value := range want {
				if got := b.admin.config(t, topic, name); got != value {
					t.Errorf("%s of %s is %q, want %q", name, topic, got, value)
				}
			}
		}
		err := producer.CheckTopics(ctx, b.brokers, producer.TopicsConfig{Partitions: 5})
		var counts *producer.TopicsError
		if !errors.As(err, &counts) || !strings.Contains(err.Error(), "topic retorno.checkpoint.v1 has 4 partitions, expected 5") ||
			strings.Contains(err.Error(), "deadletter") {
			t.Errorf("a wrong count is answered with %v", err)
		}
		if err := producer.EnsureTopics(ctx, b.brokers, producer.TopicsConfig{Partitions: 6}); !errors.As(err, &counts) {
			t.Errorf("a wrong count is answered with %v", err)
		}
		if _, err := stream.New(stream.Config{}); err == nil {
			t.Error("an empty configuration is accepted")
		}
		err = stream.Run(ctx, b.streamConfig(t, []string{producer.TopicCheckpoint, producer.TopicCentre}, 5),
			func(context.Context, *stream.Shard) error { return nil })
		if !stream.IsStop(err) || !strings.Contains(err.Error(), "has 4 partitions, expected 5") {
			t.Errorf("the consumer answers a wrong count with %v", err)
		}
	})
}

func sameMessage(t *testing.T, m stream.Message, w producer.Message, offset int64) {
	t.Helper()
	if m.Offset != offset || !bytes.Equal(m.Key, w.Key) || !bytes.Equal(m.Value, w.Value) ||
		(m.Key == nil) != (w.Key == nil) || (m.Value == nil) != (w.Value == nil) || len(m.Headers) != len(w.Headers) {
		t.Errorf("message %d came as key %q, %d bytes, %d headers at offset %d", offset, m.Key, len(m.Value), len(m.Headers), m.Offset)
		return
	}
	for j, h := range m.Headers {
		if h.Key != w.Headers[j].Key || !bytes.Equal(h.Value, w.Headers[j].Value) {
			t.Errorf("header %d of message %d came as %q=%q", j, offset, h.Key, h.Value)
		}
	}
}

func TestMessagesArriveAsWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topic := unique(t, "topic")
		b.admin.create(t, topic, 1, map[string]string{"max.message.bytes": fmt.Sprint(producer.MaxFactBytes)})
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 1))
		large := make([]byte, 10<<20)
		for i := range large {
			large[i] = byte(random.Uint32())
		}
		when := time.UnixMilli(1465344000123).UTC()
		want := []producer.Message{
			{Key: []byte("k"), Value: []byte("v"), Time: when, Headers: []kafka.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "ñ", Value: []byte{0, 255}}}},
			{Key: nil, Value: []byte("no key")},
			{Key: []byte{}, Value: []byte("empty key")},
			{Key: []byte("tombstone"), Value: nil},
			{Key: []byte("empty"), Value: []byte{}},
			{Key: []byte("large"), Value: large},
			{Key: []byte("after"), Value: []byte("the large one")},
		}
		for i := range want {
			want[i].Topic = topic
		}
		b.write(t, 1, want)
		c, err := stream.New(b.streamConfig(t, []string{topic}, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s := c.Open(0)
		defer s.Close()
		var got []stream.Message
		ctx := limited(t)
		for len(got) < len(want) {
			msgs, err := s.Fetch(ctx, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, msgs...)
		}
		for i, m := range got {
			sameMessage(t, m, want[i], int64(i))
		}
		if !got[0].Time.Equal(when) {
			t.Errorf("time came as %s", got[0].Time)
		}
		if s.HighWatermark(topic) != int64(len(want)) || s.LogStart(topic) != 0 {
			t.Errorf("bounds are %d and %d", s.LogStart(topic), s.HighWatermark(topic))
		}
		if err := s.Commit(limited(t), map[string]int64{topic: 1}); err == nil {
			t.Error("a shard outside of a group could commit")
		}
	})
}

func TestTooLargeIsRefusedAndTheRestIsWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topic := unique(t, "topic")
		b.admin.create(t, topic, 1, map[string]string{"max.message.bytes": "20000"})
		w := b.writer(t, 1)
		// A batch above the limit is cut until it fits.
		if err := w.Write(limited(t), facts([]string{topic}, 0, 1000)...); err != nil {
			t.Fatal(err)
		}
		err := w.Write(limited(t), producer.Message{Topic: topic, Value: []byte("small")}, producer.Message{Topic: topic, Value: make([]byte, 50_000)})
		if !producer.IsStop(err) || !strings.Contains(err.Error(), "message 2 of 2") || !strings.Contains(err.Error(), "max.message.bytes") {
			t.Errorf("a message above the limit is answered with %v", err)
		}
		if got := b.admin.read(t, b.brokers, topic, 1000); len(got) < 1000 {
			t.Errorf("%d messages in the topic", len(got))
		}
	})
}

func TestKeysMeetWhereJavaPutsThem(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		const partitions = 7
		topic := b.topics(t, 1, partitions)[0]
		var msgs []producer.Message
		var records []*kgo.Record
		for i := range 200 {
			key := fmt.Appendf(nil, "llave-%d", i)
			msgs = append(msgs, producer.Message{Topic: topic, Key: key, Value: []byte("ours")})
			records = append(records, &kgo.Record{Topic: topic, Key: key, Value: []byte("theirs")})
		}
		b.write(t, partitions, msgs)
		// The other client's default is the Java client's.
		if err := b.admin.client.ProduceSync(limited(t), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
		where := make(map[string]int32)
		for _, r := range b.admin.read(t, b.brokers, topic, 400) {
			key := string(r.Key)
			if p, ok := where[key]; ok && p != r.Partition {
				t.Errorf("key %s is in partitions %d and %d", key, p, r.Partition)
			}
			where[key] = r.Partition
			if want := kafka.Partition(r.Key, partitions); int(r.Partition) != want {
				t.Errorf("key %s is in partition %d, Partition says %d", key, r.Partition, want)
			}
		}
	})
}

func TestConcurrentWritersShareRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topic := b.topics(t, 1, 1)[0]
		w := b.writer(t, 1)
		errs := make(chan error)
		const writers = 200
		for i := range writers {
			go func() {
				errs <- w.Write(limited(t), facts([]string{topic}, i*10, 10)...)
			}()
		}
		for range writers {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if got := b.admin.read(t, b.brokers, topic, writers*10); len(got) != writers*10 {
			t.Errorf("%d messages in the topic, want %d", len(got), writers*10)
		}
	})
}

func TestClockOffsetComesFromTheBroker(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		plain := unique(t, "topic")
		b.admin.create(t, plain, 1, nil)
		w := b.writer(t, 1)
		if err := w.Write(limited(t), producer.Message{Topic: plain, Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		if d, known := w.ClockOffset(); known {
			t.Errorf("offset %s known from a topic with the producer's time", d)
		}
		topic := b.topics(t, 1, 1)[0]
		began := time.Now()
		if err := w.Write(limited(t), producer.Message{Topic: topic, Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		sameClock(t, w, time.Since(began))
	})
}

// sameClock checks that the broker's clock is this computer's: the broker appended while the writing took its time, and
// stamps whole milliseconds, so no offset can be larger.
func sameClock(t *testing.T, w *producer.Writer, took time.Duration) {
	t.Helper()
	if d, known := w.ClockOffset(); !known || d.Abs() > took+time.Millisecond {
		t.Errorf("offset %s, known %v, on one computer, from a message that took %s", d, known, took)
	}
}

func TestMissingTopicStopsAfterAWhile(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		w, err := producer.New(producer.Config{Brokers: b.brokers, Partitions: 1, TopicGrace: 500 * time.Millisecond, Logger: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		err = w.Write(limited(t), producer.Message{Topic: unique(t, "missing"), Value: []byte("x")})
		if !producer.IsStop(err) || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("a missing topic is answered with %v", err)
		}
	})
}

func TestLostAcknowledgementIsWrittenAgain(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topic := b.topics(t, 1, 1)[0]
		var lost atomic.Int64
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.Produce && lost.Add(1) <= 2 {
				return cut
			}
			return pass
		})
		msgs := facts([]string{topic}, 0, 100)
		b.write(t, 1, msgs)
		if lost.Load() < 3 {
			t.Fatalf("%d answers, none was lost", lost.Load())
		}
		// Nothing is lost; the batch is there three times, as is known.
		got := b.admin.read(t, b.brokers, topic, 300)
		count := make(map[string]int)
		for _, r := range got {
			count[string(r.Value)]++
		}
		for _, m := range msgs {
			if count[string(m.Value)] != 3 {
				t.Fatalf("a message is there %d times, want 3", count[string(m.Value)])
			}
		}
	})
}

func TestWriteEndsWithItsContext(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topic := b.topics(t, 1, 1)[0]
		w := b.writer(t, 1)
		var asked atomic.Bool
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.Produce {
				asked.Store(true)
				return cut
			}
			return pass
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Write(ctx, facts([]string{topic}, 0, 10)...) }()
		until(t, "a request was answered", asked.Load)
		cancel()
		err := <-done
		if !errors.Is(err, context.Canceled) || producer.IsStop(err) {
			t.Errorf("Write returned %v", err)
		}
		b.proxy.hook(nil)
		if err := w.Write(limited(t), facts([]string{topic}, 10, 10)...); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Write(limited(t), facts([]string{topic}, 0, 1)...); !errors.Is(err, producer.ErrClosed) {
			t.Errorf("Write after Close returned %v", err)
		}
	})
}

// TestNothingOfAClosedWriterRuns: a request that the broker answers late, and that no caller waits for any more, ends with
// the writer.
func TestNothingOfAClosedWriterRuns(t *testing.T) {
	b := proxied(t, "embedded")
	topic := unique(t, "topic")
	b.admin.create(t, topic, 1, nil)
	held, let := make(chan struct{}, 1), make(chan struct{})
	b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
		if key != kmsg.Produce {
			return pass
		}
		held <- struct{}{}
		<-let
		return cut
	})
	defer close(let)
	w, err := producer.New(producer.Config{Brokers: b.brokers, Partitions: 1, RequestTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(limited(t))
	go func() { <-held; cancel() }()
	if err := w.Write(ctx, producer.Message{Topic: topic, Value: []byte("v")}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a message without an answer is answered with %v", err)
	}
	if !laneRuns() {
		t.Fatal("the request did not wait for its answer: this test shows nothing")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if laneRuns() {
		t.Error("a closed writer still sends")
	}
}

// laneRuns reports whether a writer of this process is at work on a partition.
func laneRuns() bool {
	stacks := make([]byte, 16<<20)
	return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("producer.(*lane).run"))
}
