package verify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/verify"
)

// seen is ClickHouse that tells of each statement before it is run, and does not run it when that is an error.
type seen struct {
	driver.Conn
	tell func(statement string) error
}

func (s seen) Query(ctx context.Context, statement string, args ...any) (driver.Rows, error) {
	if err := s.tell(statement); err != nil {
		return nil, err
	}
	return s.Conn.Query(ctx, statement, args...)
}

func (s *system) verifierOver(conn driver.Conn) *verify.Verifier {
	s.t.Helper()
	v, err := verify.New(verify.Config{Conn: conn, Kafka: s.kafka})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// TestAPassGoesOnWhereItWas: a verifier that is started again makes the rest of the pass that another was at: what that
// compared is not compared again, and counts.
func TestAPassGoesOnWhereItWas(t *testing.T) {
	s := startOf(t, 2)
	when := at("2016-06-01", "10:00")
	for n := range 10 {
		s.write(disorder(10*n, when)...)
	}
	s.count()
	gone := errors.New("the process is gone")
	first := s.verifierOver(seen{s.store.Conn(), func(statement string) error {
		if strings.Contains(statement, "FROM retorno.assistance FINAL WHERE kafka_partition = 1") {
			return gone
		}
		return nil
	}})
	if _, err := first.Pass(t.Context()); !errors.Is(err, gone) {
		t.Fatalf("the first verifier got to the end: %v", err)
	}
	made := s.text("SELECT kafka_partition FROM retorno.verifications WHERE kind = 'part'")
	began := s.text("SELECT toString(began) FROM retorno.verifications WHERE kind = 'began'")
	if made != "0" {
		t.Fatalf("made are the partitions %q", made)
	}
	// What the first one has compared is damaged behind its back: only who compares it again sees that.
	s.exec("INSERT INTO retorno.return_counts SELECT * REPLACE (registered + 1 AS registered, version + 1 AS version) FROM retorno.return_counts FINAL WHERE kafka_partition = 0 LIMIT 1")
	again := s.verifier()
	report := s.pass(again, true)
	if report.Read() != s.sent || fmt.Sprint(s.text("SELECT toString(began) FROM retorno.verifications WHERE kind = 'ended'")) != began {
		t.Errorf("%d of %d records were read by a pass that began %s, and should have begun %s", report.Read(), s.sent, report.At, began)
	}
	if report, err := again.Full(t.Context()); err != nil || !named(report, "return_counts", "2016-06-01") {
		t.Errorf("a pass from its begin: %+v, %v", report, err)
	}
}

func (s *system) text(query string) string {
	s.t.Helper()
	var all string
	if err := s.store.Conn().QueryRow(s.t.Context(), "SELECT arrayStringConcat(groupArray(toString(*)), ' ') FROM ("+query+")").Scan(&all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// TestAVerifierThatIsStartedAgainIsOneThatGoesOn: it reads what came since the latest pass, whichever process made that, and no more;
// after a difference it compares everything.
func TestAVerifierThatIsStartedAgainIsOneThatGoesOn(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	s.write(disorder(10, when)...)
	s.count()
	s.pass(s.verifier(), true)
	for n := range 3 {
		before := s.sent
		s.write(disorder(100+10*n, when)...)
		s.count()
		if report := s.pass(s.verifier(), false); report.Read() != s.sent-before {
			t.Errorf("after restart %d: %d records were read, %d came", n, report.Read(), s.sent-before)
		}
	}
	s.write(message(registration(2000, when)))
	s.count()
	s.delete(registration(2000, when))
	report, err := s.verifier().Pass(t.Context())
	if err != nil || report.Full || !named(report, "facts", "not stored") {
		t.Fatalf("%+v, %v", report, err)
	}
	report, err = s.verifier().Pass(t.Context())
	if err != nil || !named(report, "facts", "not stored") {
		t.Errorf("after a difference: %+v, %v", report, err)
	}
}

// TestAPassSaysHowFarTheLogsAreAhead, of every kind, and while nothing else is wrong.
func TestAPassSaysHowFarTheLogsAreAhead(t *testing.T) {
	s := start(t)
	when := at("2016-06-01", "10:00")
	s.write(disorder(10, when)...)
	s.count()
	v := s.verifier()
	for n := range 2 {
		if report := s.pass(v, n == 0); report.Behind == nil || *report.Behind != 0 {
			t.Errorf("pass %d: all is counted, and the logs are ahead by %v", n, report.Behind)
		}
	}
	more := disorder(20, when)
	s.write(more...)
	for n := range 2 {
		pass := v.Pass
		if n == 1 {
			pass = v.Full
		}
		report, err := pass(t.Context())
		if err != nil || report.Different() > 0 || report.Behind == nil || *report.Behind != uint64(len(more)) {
			t.Errorf("pass %d: %d records are not counted, said is %+v, %v", n, len(more), report, err)
		}
	}
	if report, err := verify.Once(t.Context(), s.store.Conn()); err != nil || report.Behind != nil {
		t.Errorf("who has no Kafka says %v, %v", report.Behind, err)
	}
}
