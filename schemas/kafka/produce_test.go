package kafka_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/kafka"
)

// What is produced is read as it was given, in its order and from its partition, an absent key or value as absent; the
// error tells what is too large from what is refused otherwise.
func TestWhatIsProducedIsReadAsGiven(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {1: kgo.NewOffset().AtStart()}}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = "t", 2, 1
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = append(create.Topics, topic)
	if res, err := create.RequestWith(t.Context(), client); err != nil || res.Topics[0].ErrorCode != 0 {
		t.Fatal(res, err)
	}
	at := time.UnixMilli(1465344000000)
	want := []kafka.Message{
		{Topic: "t", Key: []byte("k"), Value: []byte("v"), Headers: []kafka.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{0, 255}}}, Time: at},
		{Topic: "t", Value: []byte{}, Time: at},
		{Topic: "t", Key: []byte{}, Time: at},
	}
	given := func() func() *kafka.Message {
		left := want
		return func() (m *kafka.Message) {
			if len(left) > 0 {
				m, left = &left[0], left[1:]
			}
			return m
		}
	}
	clients, to := kafka.NewByTopic(kafka.Access{Brokers: []string{broker.Addr()}}), kafka.TopicPartition{Topic: "t", Partition: 1}
	defer clients.Forget()
	for code, large := range map[*kerr.Error]bool{kerr.MessageTooLarge: true, kerr.RecordListTooLarge: true, kerr.NotEnoughReplicas: false} {
		fault := broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Err: code, Count: -1})
		if _, err := clients.Produce(t.Context(), to, 0, given()); err == nil || kafka.TooLarge(err) != large {
			t.Errorf("the broker says %s: %v, too large: %v", code.Message, err, kafka.TooLarge(err))
		}
		fault.Remove()
	}
	if _, err := clients.Produce(t.Context(), to, 0, given()); err != nil {
		t.Fatal(err)
	}
	var got []*kgo.Record
	for len(got) < len(want) {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got = append(got, fetches.Records()...)
	}
	for i, r := range got {
		m := want[i]
		if fmt.Sprintf("%#v %#v", r.Key, r.Value) != fmt.Sprintf("%#v %#v", m.Key, m.Value) || !r.Timestamp.Equal(m.Time) || len(r.Headers) != len(m.Headers) {
			t.Errorf("%#v is read as %+v", m, r)
			continue
		}
		for j, h := range r.Headers {
			if h.Key != m.Headers[j].Key || !bytes.Equal(h.Value, m.Headers[j].Value) {
				t.Errorf("header %+v is read as %+v", m.Headers[j], h)
			}
		}
	}
}

// A message takes no more of a batch than its size says, whatever it holds.
func TestASizeIsNeverTooSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 300)
		m := kafka.Message{Key: content.Draw(t, "key"), Value: content.Draw(t, "value")}
		r := kmsg.Record{TimestampDelta64: rapid.Int64Range(0, 1<<45).Draw(t, "delta"), OffsetDelta: rapid.Int32Range(0, 1<<20).Draw(t, "offset"), Key: m.Key, Value: m.Value}
		for range rapid.IntRange(0, 20).Draw(t, "headers") {
			h := kafka.Header{Key: string(content.Draw(t, "name")), Value: content.Draw(t, "header")}
			m.Headers = append(m.Headers, h)
			r.Headers = append(r.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		body := r.AppendTo(nil)
		r.Length = int32(len(body))
		if n := len(r.AppendTo(nil)); n > m.Size() {
			t.Fatalf("%d bytes, and the size is %d", n, m.Size())
		}
	})
}

func TestFewAttemptsAreHeard(t *testing.T) {
	var heard []int
	for attempt := 1; attempt <= 20; attempt++ {
		if kafka.AttemptLevel(attempt, slog.LevelError) == slog.LevelError {
			heard = append(heard, attempt)
		}
	}
	if fmt.Sprint(heard) != "[1 2 4 8 16]" {
		t.Errorf("heard are %v", heard)
	}
}
