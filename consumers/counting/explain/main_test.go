package explain

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/processor"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

var engine *embedded.Engine

func TestMain(m *testing.M) {
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

// patience bounds every wait of these tests.
const patience = 5 * time.Minute

// bench is a broker and an empty schema, and what was sent to the broker. Tests of this package run one after the other.
type bench struct {
	t      *testing.T
	store  *store.Store
	broker *fakekafka.Broker
	writer *kafka.Writer
	sent   uint64
}

func fresh(t *testing.T) *bench {
	t.Helper()
	s := enginetest.Fresh(t, engine)
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	client := &kafka.Client{Addr: kafka.TCP(broker.Addr())}
	var topics []kafka.TopicConfig
	for _, topic := range []string{events.TopicCheckpoint, events.TopicCentre, events.TopicDeadLetter} {
		topics = append(topics, kafka.TopicConfig{Topic: topic, NumPartitions: 1, ReplicationFactor: 1})
	}
	if _, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: topics}); err != nil {
		t.Fatal(err)
	}
	w := &kafka.Writer{Addr: kafka.TCP(broker.Addr()), BatchTimeout: time.Millisecond, RequiredAcks: kafka.RequireAll}
	t.Cleanup(func() { _ = w.Close() })
	return &bench{t: t, store: s, broker: broker, writer: w}
}

// send writes a copy of a record that was sent at a moment.
func (b *bench) send(r *events.Record, at time.Time) {
	b.t.Helper()
	value, err := events.Seal(r, at.UnixMilli(), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	b.raw(events.Topic(r), events.Key(r), value)
}

func (b *bench) raw(topic, key string, value []byte) {
	b.t.Helper()
	if err := b.writer.WriteMessages(b.t.Context(), kafka.Message{Topic: topic, Key: []byte(key), Value: value}); err != nil {
		b.t.Fatal(err)
	}
	b.sent++
}

func (b *bench) kafka() stream.Config {
	return stream.Config{Brokers: []string{b.broker.Addr()}, Partitions: 1, MaxWait: 20 * time.Millisecond}
}

// count runs a consumer until everything sent is in the ledger.
func (b *bench) count() {
	b.t.Helper()
	letters, err := deadletter.New(deadletter.Config{Brokers: []string{b.broker.Addr()}})
	if err != nil {
		b.t.Fatal(err)
	}
	topics := []string{events.TopicCheckpoint, events.TopicCentre}
	counter, err := processor.New(processor.Config{Store: b.store, DeadLetters: letters, Topics: topics, Partitions: 1, FlushEvery: time.Millisecond, Name: "test"})
	if err != nil {
		b.t.Fatal(err)
	}
	cfg := b.kafka()
	cfg.Group, cfg.Topics = "retorno", topics
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- stream.Run(ctx, cfg, counter.Run) }()
	deadline := time.Now().Add(patience)
	for {
		a, err := b.store.Accounted(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		if a.Read() >= b.sent {
			break
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%d of %d records are accounted for", a.Read(), b.sent)
		}
		<-time.After(20 * time.Millisecond)
	}
	cancel()
	if err := errors.Join(<-ended, letters.Close()); err != nil {
		b.t.Fatal(err)
	}
}

// explainer is an explainer of what the bench holds.
func (b *bench) explainer() *Explainer {
	b.t.Helper()
	e, err := New(Config{Store: b.store, Kafka: b.kafka(), Settle: 10 * time.Millisecond})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = e.Close() })
	return e
}

// forget deletes what a topic holds before an offset, as retention does.
func (b *bench) forget(topic string, before int64) {
	b.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.broker.Addr()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	t := kmsg.NewDeleteRecordsRequestTopic()
	t.Topic = topic
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = before
	t.Partitions = append(t.Partitions, p)
	request.Topics = append(request.Topics, t)
	response, err := request.RequestWith(b.t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

const (
	ana = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
	bea = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
)

func at(day, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", day+" "+clock, calendar.Zone())
	if err != nil {
		panic(err)
	}
	return t
}

// idOf is the n-th record id of a test.
func idOf(n int) string { return fmt.Sprintf("01550000-0000-7000-8000-%012d", n) }

// made is a first revision; the caller fills in the body.
func made(n int, person string, when time.Time) *events.Record {
	return &events.Record{RecordId: idOf(n), Revision: 1, SourceId: "L-COR-1", SourceSeq: uint64(n), PersonKey: person,
		EventTimeMs: when.UnixMilli(), RecordedTimeMs: when.Add(time.Minute).UnixMilli(), SchemaVersion: events.SchemaVersion}
}

func crossing(n int, person string, when time.Time, x *events.Crossing) *events.Record {
	r := made(n, person, when)
	r.Body = &events.Record_Crossing{Crossing: x}
	return r
}

func registration(n int, person string, when time.Time, x *events.Registration) *events.Record {
	r := made(n, person, when)
	r.Body = &events.Record_Registration{Registration: x}
	return r
}

func help(n int, person string, when time.Time, kind string) *events.Record {
	r := made(n, person, when)
	r.Body = &events.Record_Assistance{Assistance: &events.Assistance{Centre: "CAMR-OMO", Kind: kind}}
	return r
}

func back(point string) *events.Crossing {
	return &events.Crossing{Direction: "entry", BorderPoint: point, Returned: true, Country: "MX", Mode: "land", Sex: "F", DocumentCheck: "genuine"}
}
