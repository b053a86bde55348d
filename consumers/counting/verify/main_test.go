package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/processor"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/consumers/counting/verify"
	"retorno/consumers/counting/verify/wire"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// engine is shared by all tests of the package, one after the other.
var engine *embedded.Engine

func TestMain(m *testing.M) {
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

var factTopics = []string{events.TopicCheckpoint, events.TopicCentre}

// system is a broker, an empty database, and a consumer between them when it is asked for.
type system struct {
	t      *testing.T
	store  *store.Store
	broker *fakekafka.Broker
	writer *kafka.Writer
	kafka  *verify.Kafka
	sent   uint64 // messages of both topics

	partitions int // of each topic of facts
}

// start makes a system of one partition a topic, of which consumers and passes take turns. What a pass costs the engine
// grows with the partitions, so a test has more of them only where it is about them.
func start(t *testing.T) *system {
	t.Helper()
	return startOf(t, 1)
}

// startOf makes such a system with more partitions.
func startOf(t *testing.T, partitions int) *system {
	t.Helper()
	verify.NoTraffic(t)
	return startBusy(t, partitions)
}

// startBusy makes a system of which the consumer may write while a pass is made.
func startBusy(t *testing.T, partitions int) *system {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	s := enginetest.Fresh(t, engine)
	client := &kafka.Client{Addr: kafka.TCP(broker.Addr())}
	topics := []kafka.TopicConfig{{Topic: deadletter.Topic, NumPartitions: 1, ReplicationFactor: 1}}
	for _, topic := range factTopics {
		topics = append(topics, kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1})
	}
	if _, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: topics}); err != nil {
		t.Fatal(err)
	}
	writer := &kafka.Writer{Addr: kafka.TCP(broker.Addr()), RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond,
		Balancer: kafka.Murmur2Balancer{Consistent: true}, Compression: kafka.Lz4}
	t.Cleanup(func() { _ = writer.Close() })
	return &system{t: t, store: s, broker: broker, writer: writer,
		kafka: &verify.Kafka{Config: wire.Config{Brokers: []string{broker.Addr()}}, Partitions: partitions}, partitions: partitions}
}

// write sends messages as they are.
func (s *system) write(messages ...kafka.Message) {
	s.t.Helper()
	if err := s.writer.WriteMessages(s.t.Context(), messages...); err != nil {
		s.t.Fatal(err)
	}
	s.sent += uint64(len(messages))
}

// message seals one copy of a record, sent when it was recorded.
func message(r *events.Record) kafka.Message { return copyOf(r, r.GetRecordedTimeMs()) }

func copyOf(r *events.Record, sentAtMs int64) kafka.Message {
	value, err := events.Seal(r, sentAtMs, 0)
	if err != nil {
		panic(err)
	}
	return kafka.Message{Topic: events.Topic(r), Key: []byte(events.Key(r)), Value: value}
}

// broken is a message that belongs among the dead letters.
func broken(person string) kafka.Message {
	return kafka.Message{Topic: events.TopicCentre, Key: []byte(person), Value: []byte{0xff}}
}

// count runs a consumer until everything that was sent is accounted for, and ends it.
func (s *system) count() {
	s.t.Helper()
	leave := s.consume()
	s.await(func() (bool, string) {
		a, err := s.store.Accounted(s.t.Context())
		return err == nil && a.Read() == s.sent, fmt.Sprintf("%+v of %d, %v", a, s.sent, err)
	})
	leave()
}

// consume starts a consumer and gives what ends it.
func (s *system) consume() (leave func()) {
	s.t.Helper()
	letters, err := deadletter.New(deadletter.Config{Brokers: s.kafka.Brokers})
	if err != nil {
		s.t.Fatal(err)
	}
	counter, err := processor.New(processor.Config{Store: s.store, DeadLetters: letters, Topics: factTopics, Partitions: s.partitions, FlushEvery: 20 * time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	reader, err := stream.New(stream.Config{Brokers: s.kafka.Brokers, Group: "retorno", Topics: factTopics, Partitions: s.partitions, MaxWait: 50 * time.Millisecond})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reader.Run(ctx, counter.Run) }()
	return func() {
		s.t.Helper()
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			s.t.Error(err)
		}
		if err := letters.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

// await waits for a condition.
func (s *system) await(done func() (bool, string)) {
	s.t.Helper()
	embeddedtest.Await(s.t, "the consumer", done)
}

func (s *system) exec(statement string) {
	s.t.Helper()
	if err := s.store.Conn().Exec(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// verifier makes a verifier of the system.
func (s *system) verifier() *verify.Verifier {
	s.t.Helper()
	v, err := verify.New(verify.Config{Conn: s.store.Conn(), Kafka: s.kafka, Logger: slog.New(slog.NewTextHandler(s.t.Output(), nil))})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// pass makes a pass, of which the kind is expected, and fails the test when something differs.
func (s *system) pass(v *verify.Verifier, full bool) verify.Report {
	s.t.Helper()
	report, err := v.Pass(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if report.Full != full {
		s.t.Errorf("a full pass: %v, expected %v", report.Full, full)
	}
	if report.Different() > 0 {
		s.t.Fatalf("a difference where there is none: %+v", report.Results)
	}
	return report
}

// named reports whether a check names a row that holds all of the texts.
func named(report verify.Report, check string, texts ...string) bool {
	for _, r := range report.Results {
		for _, d := range r.Differences {
			all := r.Check == check
			for _, text := range texts {
				all = all && strings.Contains(d.Row, text)
			}
			if all {
				return true
			}
		}
	}
	return false
}

func at(day, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", day+" "+clock, calendar.Zone())
	if err != nil {
		panic(err)
	}
	return t
}

// person is the key of the n-th person.
func person(n int) string { return fmt.Sprintf("%032x", 0xa0a0+n) }

// id is the n-th record's.
func id(when time.Time, n int) string {
	ms := when.UnixMilli()
	return fmt.Sprintf("%08x-%04x-7000-8000-%012x", ms>>16, ms&0xffff, n)
}

// registration is the n-th record, of the n-th person.
func registration(n int, when time.Time) *events.Record {
	age := uint32(n % 100)
	return &events.Record{RecordId: id(when, n), Revision: 1, SourceId: "OMO-1", SourceSeq: uint64(n), PersonKey: person(n),
		EventTimeMs: when.UnixMilli(), RecordedTimeMs: when.UnixMilli() + 1000, SchemaVersion: events.SchemaVersion,
		Body: &events.Record_Registration{Registration: &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Age: &age,
			Reasons: []string{"family", "economic"}, Country: "MX", Mode: "land"}}}
}

// crossing is a return over Corinto, the n-th record.
func crossing(n int, when time.Time) *events.Record {
	r := registration(n, when)
	r.Body = &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", BorderPoint: "L-COR", Returned: true, Sex: "F"}}
	return r
}

// help is the n-th record, given to the n-th person.
func help(n int, when time.Time) *events.Record {
	r := registration(n, when)
	r.Body = &events.Record_Assistance{Assistance: &events.Assistance{Centre: "CAMR-OMO", Kind: "food"}}
	return r
}
