package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/verify"
	"retorno/schemas/events"
)

// disorder is everything that sources do to the n-th record: copies, corrections out of order, one that is void and one
// that holds again, two contents of one revision, copies that were sent too early by the clock, and another body.
func disorder(n int, when time.Time) []kafka.Message {
	first, second, void, again := registration(n, when), registration(n, when), registration(n, when), registration(n, when)
	second.Revision, void.Revision, again.Revision = 2, 3, 4
	second.GetRegistration().ExitPoint = "L-AGC"
	void.VoidReason = "duplicate_entry"
	other := registration(n, when)
	other.Revision = 2
	other.GetRegistration().ExitPoint = "L-GUA"
	early := when.Add(-3 * time.Hour).UnixMilli()
	ahead := crossing(n+1, when)
	body := crossing(n+2, when)
	rewritten := registration(n+2, when)
	rewritten.Revision = 2
	nameless := help(n+3, when)
	nameless.PersonKey = ""
	nameless.GetAssistance().RegistrationId = id(when, n)
	misfiled := message(registration(n+4, when))
	misfiled.Key = []byte(person(n + 5))
	return []kafka.Message{message(second), message(first), message(first), message(other), copyOf(ahead, early), message(ahead), copyOf(ahead, early),
		message(body), message(rewritten), message(void), message(nameless), broken(person(n)), misfiled, message(again), message(first)}
}

// TestIncrementalPassesReadWhatCame: what sources do is no difference, and a pass reads the records that came since the
// one before, each once.
func TestIncrementalPassesReadWhatCame(t *testing.T) {
	s := start(t)
	v := s.verifier()
	s.pass(v, true)
	for round := range 4 {
		before := s.sent
		for n := range 5 {
			s.write(disorder(1000*round+10*n, at("2016-06-01", "10:00").AddDate(0, 0, round))...)
		}
		// What an earlier round sent comes again, and is corrected.
		late := registration(1000*max(0, round-1), at("2016-06-01", "10:00").AddDate(0, 0, max(0, round-1)))
		s.write(message(late))
		late.Revision = 9
		s.write(message(late))
		s.count()
		report := s.pass(v, false)
		if report.Read() != s.sent-before {
			t.Errorf("round %d: %d records were read, %d came", round, report.Read(), s.sent-before)
		}
		if rows := rowsOf(report, "facts"); rows == 0 || rows > 5*5+1 {
			t.Errorf("round %d: %d facts were compared", round, rows)
		}
	}
	if report := s.pass(v, false); report.Read() != 0 || rowsOf(report, "returns") != 0 {
		t.Errorf("nothing came, and %d records were read, %d returns compared", report.Read(), rowsOf(report, "returns"))
	}
	report, err := v.Full(t.Context())
	if err != nil || report.Different() > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, p := range report.Partitions {
		if p.Log != p.Stored || p.Facts == 0 {
			t.Errorf("checksums of partition %d: %s of the log, %s of ClickHouse, %d facts", p.Partition, p.Log, p.Stored, p.Facts)
		}
	}
}

func rowsOf(report verify.Report, check string) uint64 {
	for _, r := range report.Results {
		if r.Check == check {
			return r.Rows
		}
	}
	return 0
}

// TestNoFalseAlarmWhileWriting makes passes of both kinds beside a consumer that writes all the time.
func TestNoFalseAlarmWhileWriting(t *testing.T) {
	verify.NameEveryPerson(t)
	verify.SmallPieces(t)
	s := startBusy(t, 2)
	leave := s.consume()
	defer leave()
	ended := make(chan error, 1)
	go func() {
		for n := range 150 {
			// Each is sent again two rounds later, and corrected a third time.
			batch := disorder(10*n, at("2016-06-01", "10:00").Add(time.Duration(n)*time.Hour))
			if n >= 2 {
				batch = append(batch, disorder(10*(n-2), at("2016-06-01", "10:00").Add(time.Duration(n-2)*time.Hour))...)
			}
			if err := s.writer.WriteMessages(t.Context(), batch...); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	v := s.verifier()
	read, writing := uint64(0), true
	for round := 0; writing || round < 6; round++ {
		select {
		case err := <-ended:
			if writing = false; err != nil {
				t.Fatal(err)
			}
		default:
		}
		pass := v.Pass
		if round%3 == 2 {
			pass = v.Full
		}
		report, err := pass(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if report.Different() > 0 {
			t.Fatalf("round %d, full %v: %+v", round, report.Full, report.Results)
		}
		if !report.Full {
			read += report.Read()
		}
	}
	if read == 0 {
		t.Error("no incremental pass had anything to read")
	}
}

// retain deletes a place's records before an offset, as retention does.
func (s *system) retain(topic string, partition int, before int64) {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.kafka.Brokers...))
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.TimeoutMillis = 10_000
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Partition, p.Offset = int32(partition), before
	of := kmsg.NewDeleteRecordsRequestTopic()
	of.Topic, of.Partitions = topic, append(of.Partitions, p)
	request.Topics = append(request.Topics, of)
	response, err := request.RequestWith(s.t.Context(), client)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := kerr.ErrorForCode(response.Topics[0].Partitions[0].ErrorCode); err != nil {
		s.t.Fatal(err)
	}
}

// TestRetentionNarrowsWhatCanBeCompared: what the log does not hold any more is no difference; the report says from
// where on there is a comparison, and there it finds what is wrong.
func TestRetentionNarrowsWhatCanBeCompared(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	for n := range 10 {
		s.write(disorder(10*n, when)...)
	}
	s.count()
	for n := range 10 { // copies of what will be gone, and news
		s.write(message(registration(10*n, when)), message(registration(1000+n, when)), broken(person(n)))
	}
	s.count()
	v := s.verifier()
	s.pass(v, true)
	cut := map[int]int64{}
	for partition := range s.partitions {
		_, end, err := verify.Bounds(t.Context(), s.kafka, events.TopicCentre, partition)
		if err != nil {
			t.Fatal(err)
		}
		cut[partition] = end - 7 // somewhere in a run of the ledger
		s.retain(events.TopicCentre, partition, cut[partition])
	}
	s.write(message(registration(2000, when)))
	s.count()
	if report := s.pass(v, false); report.Read() != 1 {
		t.Errorf("%d records were read", report.Read())
	}
	report, err := v.Full(t.Context())
	if err != nil || report.Different() > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	for _, p := range report.Partitions {
		for _, r := range p.Ranges {
			if r.Topic == events.TopicCentre && r.From != cut[p.Partition] {
				t.Errorf("partition %d is said to be compared from %d on, the log begins at %d", p.Partition, r.From, cut[p.Partition])
			}
		}
	}
	s.delete(registration(2000, when))
	s.delete(registration(1009, when))
	if report, err = v.Full(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2000, 1009} {
		if !named(report, "facts", id(when, n), "not stored") {
			t.Errorf("record %d is gone and not named: %+v", n, report.Results)
		}
	}
}

// TestWhatTheLogNeverHeld: facts that are stored as of a place that is none, or beyond the end of its log.
func TestWhatTheLogNeverHeld(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	for n := range 3 {
		s.write(message(registration(n+1, when)))
	}
	s.count()
	s.replace(registration(1, when), "toUUID('"+id(when, 0xdead)+"') AS record_id, 1000000 AS kafka_offset", true)
	s.replace(registration(2, when), "77 AS kafka_partition", false)
	s.replace(registration(3, when), "'it\\'s none' AS topic", false)
	report, err := s.kafka.Once(t.Context(), s.store.Conn())
	if err != nil {
		t.Fatal(err)
	}
	for _, texts := range [][]string{{id(when, 0xdead), "offset 1000000", "ends at"}, {id(when, 2), "partition 77"}, {id(when, 3), "it's none"}} {
		if !named(report, "facts", texts...) {
			t.Errorf("%q is not named: %+v", texts, report.Results)
		}
	}
}

// TestAnOlderDatabaseIsComparedAnew: when ClickHouse was restored, the pass that follows compares everything.
func TestAnOlderDatabaseIsComparedAnew(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	s.write(disorder(10, when)...)
	s.count()
	v := s.verifier()
	s.pass(v, true)
	s.write(disorder(20, when)...)
	s.count()
	s.pass(v, false)
	s.exec("ALTER TABLE retorno.ledger DELETE WHERE (topic, kafka_partition, epoch) IN (SELECT topic, kafka_partition, max(epoch) FROM retorno.ledger GROUP BY topic, kafka_partition) SETTINGS mutations_sync = 2")
	s.count()
	s.pass(v, true)
	s.pass(v, false)
}

// TestATopicMadeAnewIsADifference: the ledger accounts for what the log does not hold.
func TestATopicMadeAnewIsADifference(t *testing.T) {
	s := start(t)
	s.write(disorder(10, at("2016-06-01", "10:00"))...)
	s.count()
	v := s.verifier()
	s.pass(v, true)
	client := &kafka.Client{Addr: kafka.TCP(s.broker.Addr())}
	if _, err := client.DeleteTopics(t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{events.TopicCentre}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: events.TopicCentre, NumPartitions: s.partitions, ReplicationFactor: 1}}}); err != nil {
		t.Fatal(err)
	}
	report, err := v.Full(t.Context())
	if err != nil || !named(report, "facts", "the ledger accounts for offsets up to", "the log ends at 0") {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestAPassThatCannotBeMadeSaysSo: without Kafka there is no report, and no word of agreement.
func TestAPassThatCannotBeMadeSaysSo(t *testing.T) {
	s := start(t)
	v := s.verifier()
	s.pass(v, true)
	if err := s.broker.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Full(t.Context()); err == nil || !strings.Contains(err.Error(), events.TopicCheckpoint) {
		t.Errorf("the broker is gone: %v", err)
	}
	if _, failed := v.Newest(); failed == nil {
		t.Error("the latest pass is said to have been made")
	}
}

// TestEveryColumnIsCompared: a column that is added to the facts must be compared with the log too.
func TestEveryColumnIsCompared(t *testing.T) {
	s := start(t)
	rows, err := s.store.Conn().Query(t.Context(), "SELECT name FROM system.columns WHERE database = 'retorno' AND table = 'facts' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var have []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		have = append(have, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if want := verify.ColumnNames(); fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("the facts have the columns\n%v\ncompared are\n%v", have, want)
	}
}
