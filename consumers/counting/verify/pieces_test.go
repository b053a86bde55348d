package verify_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"retorno/consumers/counting/verify"
	"retorno/schemas/events"
)

// TestStatementsAreBounded: what recounts facts reads those of one Kafka partition and of few persons; progress rises to
// all of the work.
func TestStatementsAreBounded(t *testing.T) {
	verify.SmallPieces(t)
	s := start(t)
	when := at("2016-06-01", "10:00")
	for n := range 40 {
		r := registration(n+1, when)
		r.PersonKey = fmt.Sprintf("%016x%016x", n, uint64(n)*0x0666666666666666) // all over the range of keys
		h := help(1000+n, when)
		h.PersonKey = r.PersonKey
		s.write(message(r), message(h))
	}
	s.count()
	whole := regexp.MustCompile(`kafka_partition = \d+( AND void_reason|\)|$| GROUP| AND kind| AND \(topic)`)
	recounts := 0
	conn := seen{s.store.Conn(), func(statement string) error {
		recounts += strings.Count(statement, "row_number()")
		for _, of := range []string{"row_number()", "argMax(intHash64", "AS crossings"} {
			if strings.Contains(statement, of) && strings.Contains(statement, "retorno.facts") && whole.MatchString(statement) {
				t.Errorf("not bounded: %s", statement)
			}
		}
		return nil
	}}
	var progress []uint64
	v, err := verify.New(verify.Config{Conn: conn, Kafka: s.kafka, Progress: func(done, total uint64) { progress = append(progress, done, total) }})
	if err != nil {
		t.Fatal(err)
	}
	report, err := v.Full(t.Context())
	if err != nil || report.Different() > 0 || rowsOf(report, "returns") != 40 {
		t.Fatalf("%+v, %v", report, err)
	}
	if recounts < 40 { // of 80 facts, three at a time, for returns and for helps
		t.Errorf("%d recounts", recounts)
	}
	for i := 2; i < len(progress); i += 2 {
		if progress[i] < progress[i-2] || progress[i] > progress[i+1] || progress[i+1] != progress[1] {
			t.Fatalf("the progress is %d", progress)
		}
	}
	if n := len(progress); n < 20 || progress[n-2] != progress[n-1] {
		t.Errorf("the progress ends with %d", progress[max(0, n-4):])
	}
}

// TestOnePersonOfManyFacts: one person is one piece, however many facts there are, and their returns and helps are found.
func TestOnePersonOfManyFacts(t *testing.T) {
	verify.SmallPieces(t)
	s := start(t)
	when := at("2016-01-01", "10:00")
	for n := range 60 {
		day := when.AddDate(0, 0, 3*n)
		r, c, h := registration(n+1, day), crossing(100+n, day), help(200+n, day)
		r.PersonKey, c.PersonKey, h.PersonKey = person(7), person(7), person(7)
		s.write(message(r), message(c), message(h))
	}
	s.count()
	report, err := s.kafka.Once(t.Context(), s.store.Conn())
	if err != nil || report.Different() > 0 || rowsOf(report, "returns") != 60 || rowsOf(report, "assistance") != 60 {
		t.Errorf("%+v, %v", report, err)
	}
	s.exec("INSERT INTO retorno.assistance SELECT * REPLACE ('M' AS sex, version + 1 AS version) FROM retorno.assistance FINAL WHERE record_id = '" + id(when.AddDate(0, 0, 3*30), 230) + "'")
	if report, err = s.kafka.Once(t.Context(), s.store.Conn()); err != nil || !named(report, "assistance", id(when.AddDate(0, 0, 90), 230)) {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestSumsHideNothing: what leaves every total as it is, is seen all the same: two rows that have changed places in one
// column, a cell of nothing, and a count that moved from one cell to another.
func TestSumsHideNothing(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	swapped := []*events.Record{registration(1, when), registration(2, when)}
	swapped[1].PersonKey = person(1) // one bucket
	swapped[0].GetRegistration().ExitPoint, swapped[1].GetRegistration().ExitPoint = "L-COR", "L-AGC"
	for _, r := range swapped {
		s.write(message(r))
	}
	other := crossing(3, when)
	other.PersonKey = person(9)
	s.write(message(other))
	s.count()
	s.pass(s.verifier(), true)
	s.replace(swapped[0], "'L-AGC' AS exit_point", false)
	s.replace(swapped[1], "'L-COR' AS exit_point", false)
	s.exec("INSERT INTO retorno.crossing_counts SELECT * REPLACE ('L-AMA' AS border_point, 0 AS crossings) FROM retorno.crossing_counts FINAL")
	s.exec("INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, checkpoint - 1 AS checkpoint, version + 1 AS version) FROM retorno.return_counts FINAL WHERE exit_point = 'X-UNK'")
	report, err := s.kafka.Once(t.Context(), s.store.Conn())
	if err != nil {
		t.Fatal(err)
	}
	for check, texts := range map[string][]string{"facts": {swapped[0].GetRecordId(), `exit_point: stored "L-AGC", sent "L-COR"`}, "crossing_counts": {"L-AMA"}, "return_counts": {"X-UNK"}} {
		if !named(report, check, texts...) {
			t.Errorf("%s does not name %q: %+v", check, texts, report.Results)
		}
	}
}

// TestWhatWasGivenUpIsNotCompared: of offsets that a recorded decision gave up nothing is known, and what is stored of the
// others is compared. A decision that was not applied gives up nothing, and nothing is lost without a decision.
func TestWhatWasGivenUpIsNotCompared(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	for n := range 6 {
		s.write(message(registration(n+1, when)))
	}
	s.count()
	lost := registration(3, when)
	of := "topic = '" + events.TopicCentre + "' AND kafka_partition = " + s.text("SELECT kafka_partition FROM retorno.facts WHERE record_id = '"+lost.GetRecordId()+"'")
	offset := s.text("SELECT kafka_offset FROM retorno.facts WHERE record_id = '" + lost.GetRecordId() + "'")
	for _, table := range []string{"facts WHERE record_id", "returns WHERE return_id"} {
		s.exec("ALTER TABLE retorno." + strings.Replace(table, " ", " DELETE ", 1) + " = '" + lost.GetRecordId() + "' SETTINGS mutations_sync = 2")
	}
	decide := "INSERT INTO retorno.decisions (id, topic, action, kafka_partition, position, to_offset, who, why) SELECT generateUUIDv4(), topic, 'skip', kafka_partition, " + offset + ", " + offset + " + 1, 'a test', 'it is gone' FROM retorno.accounts WHERE " + of + " LIMIT 1"
	apply := "ALTER TABLE retorno.ledger UPDATE accepted = accepted - 1, read = read - 1, lost = lost + 1 WHERE " + of + " AND first_offset <= " + offset + " AND next_offset > " + offset + " SETTINGS mutations_sync = 2"
	for _, step := range []struct{ do, check, text string }{
		{"", "facts", "not stored"},
		{apply, "ledger", "1 offsets are lost, and decisions gave up 0"},
		{decide, "", ""},
		{strings.NewReplacer("read - 1", "read + 1", "accepted - 1", "accepted + 1", "lost + 1", "lost - 1").Replace(apply), "facts", "not stored"}, // not applied
	} {
		if step.do != "" {
			s.exec(step.do)
		}
		report, err := s.kafka.Once(t.Context(), s.store.Conn())
		if err != nil || step.check != "" && !named(report, step.check, step.text) {
			t.Errorf("after %q: %+v, %v", step.do, report.Results, err)
		}
		for _, r := range report.Results {
			if step.check == "" && r.Different > 0 && (r.Check == "facts" || r.Check == "ledger" || r.Check == "returns") {
				t.Errorf("after %q: %+v", step.do, r)
			}
		}
	}
}

// TestPartitionsAtOnceComeToTheSame: a pass over several Kafka partitions at once finds what one after the other finds, each
// row once.
func TestPartitionsAtOnceComeToTheSame(t *testing.T) {
	s := startOf(t, 2)
	when := at("2016-06-01", "10:00")
	for n := range 20 {
		s.write(disorder(10*n, when)...)
	}
	s.count()
	s.exec("INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, version + 1 AS version) FROM retorno.return_counts FINAL")
	var found []string
	for _, n := range []int{1, s.partitions} {
		v, err := verify.New(verify.Config{Conn: s.store.Conn(), Kafka: s.kafka, AtOnce: n})
		if err != nil {
			t.Fatal(err)
		}
		report, err := v.Full(t.Context())
		if err != nil || report.Read() != s.sent || len(report.Partitions) != s.partitions || report.Different() == 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		found = append(found, fmt.Sprintf("%+v %+v", report.Results, report.Partitions))
	}
	if found[0] != found[1] {
		t.Errorf("one after the other:\n%s\nat once:\n%s", found[0], found[1])
	}
}
