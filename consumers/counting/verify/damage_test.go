package verify_test

import (
	"fmt"
	"testing"

	"retorno/consumers/counting/verify"
	"retorno/schemas/events"
)

// damage is something that is not as it was sent, done to one record.
type damage struct {
	record *events.Record
	check  string
	texts  []string // that name it
	do     func(s *system, r *events.Record)
}

// delete takes a fact's rows away.
func (s *system) delete(r *events.Record) {
	s.t.Helper()
	s.exec("ALTER TABLE retorno.facts DELETE WHERE record_id = '" + r.GetRecordId() + "' SETTINGS mutations_sync = 2")
}

// replace puts a fact with some columns changed into the place of the one that is there; beside it, when its key changes.
func (s *system) replace(r *events.Record, columns string, beside bool) {
	s.t.Helper()
	s.exec("CREATE OR REPLACE TABLE retorno.test_held ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM retorno.latest_facts WHERE record_id = '" + r.GetRecordId() + "'")
	if !beside {
		s.delete(r)
	}
	s.exec("INSERT INTO retorno.facts SELECT * REPLACE (" + columns + ") FROM retorno.test_held")
	s.exec("DROP TABLE retorno.test_held")
}

// damages are one of each kind, to the records from number n on.
func damages(n int) []damage {
	when := at("2016-06-02", "10:00")
	corrected := registration(n+2, when)
	corrected.Revision = 2
	one := func(i int) *events.Record { return registration(n+i, when) }
	change := func(columns string) func(*system, *events.Record) {
		return func(s *system, r *events.Record) { s.replace(r, columns, false) }
	}
	return []damage{
		{one(0), "facts", []string{"not stored"}, func(s *system, r *events.Record) { s.delete(r) }},
		{one(1), "facts", []string{`exit_point: stored "L-AGC", sent "L-COR"`}, change("'L-AGC' AS exit_point")},
		{corrected, "facts", []string{"version"}, change("version - 2 AS version")},
		{one(3), "facts", []string{invented, "stored as of"}, func(s *system, r *events.Record) {
			s.replace(r, "toUUID(concat(substring(toString(record_id), 1, 24), '"+invented+"')) AS record_id", true)
		}},
		{one(4), "facts", []string{"kafka_offset"}, change("kafka_offset + 1 AS kafka_offset")},
		{one(5), "facts", []string{"sent_at"}, change("sent_at + 1 AS sent_at")},
		{one(6), "facts", []string{"version"}, change("version + 2 AS version")},
		{one(7), "returns", nil, func(s *system, r *events.Record) {
			s.exec("INSERT INTO retorno.returns SELECT * REPLACE ('L-AGC' AS exit_point, version + 1 AS version) FROM retorno.returns FINAL WHERE return_id = '" + r.GetRecordId() + "'")
		}},
	}
}

// invented is how the id of the fact ends that no source made.
const invented = "00000000dead"

// TestEveryDamageIsFoundAndNamed damages one fact in each way, of those that came after a pass: the incremental pass that
// follows names each, and so does the full one after it.
func TestEveryDamageIsFoundAndNamed(t *testing.T) {
	verify.NameEveryPerson(t)
	verify.SmallPieces(t)
	s := start(t)
	first := at("2016-06-01", "10:00")
	for n := range 20 {
		s.write(message(registration(n, first)), message(crossing(100+n, first)), message(help(200+n, first)))
	}
	s.count()
	v := s.verifier()
	if report := s.pass(v, true); report.Read() != s.sent {
		t.Errorf("a full pass read %d of %d records", report.Read(), s.sent)
	}
	before := s.sent
	all := damages(1000)
	for _, d := range all {
		if d.record.GetRevision() == 2 { // after its first revision
			one := registration(int(d.record.GetSourceSeq()), at("2016-06-02", "10:00"))
			s.write(message(one))
		}
		s.write(message(d.record))
	}
	s.write(message(help(1100, at("2016-06-02", "11:00"))), message(crossing(1101, at("2016-06-02", "11:00"))), broken(person(7)))
	s.count()
	swallowed := s.swallow()
	for _, d := range all {
		d.do(s, d.record)
	}
	s.exec(`INSERT INTO retorno.ledger SELECT * REPLACE (rejected - 1 AS rejected, accepted + 1 AS accepted, flushed_at + 1 AS flushed_at)
		FROM (SELECT * FROM retorno.ledger FINAL WHERE rejected > 0 AND first_offset > 0)`)
	s.exec("INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, version + 1 AS version) FROM retorno.return_counts FINAL WHERE day = '2016-06-02' LIMIT 1")

	report, err := v.Pass(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if report.Full || report.Read() != s.sent-before {
		t.Errorf("full %v, %d records read; an incremental pass reads the %d that came", report.Full, report.Read(), s.sent-before)
	}
	expectNamed(t, "incremental", report, all, swallowed)
	whole, err := v.Pass(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !whole.Full {
		t.Error("after a difference a full pass follows")
	}
	expectNamed(t, "full", whole, all, swallowed)
}

// swallow sends a record that the ledger accounts for and that is not stored.
func (s *system) swallow() *events.Record {
	s.t.Helper()
	r := registration(1200, at("2016-06-02", "12:00"))
	s.write(message(r))
	s.exec(`INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at)
		SELECT topic, kafka_partition, max(epoch), max(next_offset), max(next_offset) + 1, 1, 1, now64(3) FROM retorno.ledger FINAL
		WHERE topic = '` + events.TopicCentre + `' AND kafka_partition = ` + fmt.Sprint(verify.PartitionOf(r.GetPersonKey(), s.partitions)) + ` GROUP BY topic, kafka_partition`)
	return r
}

func expectNamed(t *testing.T, pass string, report verify.Report, all []damage, swallowed *events.Record) {
	t.Helper()
	for _, d := range all {
		texts := append([]string{}, d.texts...)
		if len(texts) == 0 || texts[0] != invented {
			texts = append(texts, d.record.GetRecordId())
		}
		if !named(report, d.check, texts...) {
			t.Errorf("%s: no row of %s names %q", pass, d.check, texts)
		}
	}
	if !named(report, "facts", swallowed.GetRecordId(), "not stored") {
		t.Errorf("%s: the swallowed record is not named", pass)
	}
	if !named(report, "facts", "were rejected") {
		t.Errorf("%s: the wrong count of rejected records is not named", pass)
	}
	if !named(report, "return_counts", "2016-06-02") {
		t.Errorf("%s: the wrong cell is not named", pass)
	}
	if t.Failed() {
		t.Logf("%+v", report.Results)
	}
}
