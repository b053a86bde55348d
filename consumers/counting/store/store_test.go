package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store/column"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

func empty(t testing.TB) *Store {
	t.Helper()
	s, err := Open(Config{Addr: engine.Native(), RetryFirst: time.Millisecond, RetryMost: 20 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, database := range []string{"ceniss", "retorno"} {
		if err := s.Conn().Exec(t.Context(), "DROP DATABASE IF EXISTS "+database+" SYNC"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func migrated(t testing.TB) *Store {
	t.Helper()
	s := empty(t)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMigratingTwiceChangesNothing(t *testing.T) {
	s := empty(t)
	first, err := s.Migrate(t.Context())
	if err != nil || len(first) == 0 {
		t.Fatalf("applied %v: %v", first, err)
	}
	again, err := s.Migrate(t.Context())
	if err != nil || len(again) != 0 {
		t.Fatalf("applied again %v: %v", again, err)
	}
	var label string
	if err := s.Conn().QueryRow(t.Context(), "SELECT label_es FROM ceniss.codes WHERE list = 'border_point' AND code = 'L-COR'").Scan(&label); err != nil || label != "Corinto" {
		t.Fatalf("the code lists are not there: %q, %v", label, err)
	}
}

// TestAPeriodReadsItsDaysAlone: each form of a period finds its cells by an index, and the cells of its days are right
// where others of the same partition are passed over.
func TestAPeriodReadsItsDaysAlone(t *testing.T) {
	s := migrated(t)
	insert := `INSERT INTO retorno.return_counts (day, route, kafka_partition, registered, reconciled, version, is_deleted)
		SELECT toDate('2015-01-01') + number, 'US-AIR', number %% 3, 1, 1, %d, %s FROM numbers(1000)`
	for _, q := range []string{fmt.Sprintf(insert, 1, "0"), fmt.Sprintf(insert, 2, "number % 2")} {
		if err := s.Conn().Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for column, value := range map[string]string{"month": "2016-02", "quarter": "2016-Q2", "half_year": "2016-S1"} {
		where := fmt.Sprintf("WHERE %s = '%s'", column, value)
		var plan string
		if err := s.Conn().QueryRow(t.Context(), "SELECT arrayStringConcat(groupArray(explain), '\n') FROM (EXPLAIN indexes = 1 SELECT sum(registered) FROM ceniss.return_counts "+where+")").Scan(&plan); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "Name: by_"+column) {
			t.Errorf("%s is not found by its index:\n%s", column, plan)
		}
		var got, want uint64
		if err := s.Conn().QueryRow(t.Context(), "SELECT sum(registered) FROM ceniss.return_counts "+where).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if err := s.Conn().QueryRow(t.Context(), "SELECT sum(registered) FROM (SELECT *, materialize("+column+") AS p FROM ceniss.return_counts) WHERE p = ?", value).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if got != want || got == 0 {
			t.Errorf("%s: %d returns, by reading all cells %d", value, got, want)
		}
	}
}

func TestAnotherReleasesSchemaIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ insert, says string }{
		"edited": {"(1, 'retorno', 'of another text', now() + 60)", "applied from another text"},
		"newer":  {"(9999, 'of_the_future', '', now())", "newer release"},
	} {
		t.Run(name, func(t *testing.T) {
			s := migrated(t)
			if err := s.Conn().Exec(t.Context(), "INSERT INTO retorno.migrations VALUES "+c.insert); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want one that says %q", err, c.says)
			}
		})
	}
}

// TestANewerReleasesCodesAreRefused: what bears a code that this release does not know would be taken for unknown.
func TestANewerReleasesCodesAreRefused(t *testing.T) {
	s := migrated(t)
	for _, table := range []string{"retorno.codes", "ceniss.codes"} {
		if err := s.CheckCodes(t.Context(), table); err != nil {
			t.Errorf("%s of this release: %v", table, err)
		}
	}
	for _, code := range []string{"('border_point', 'L-NEW')", "('list_of_the_future', 'x')"} {
		if err := s.Conn().Exec(t.Context(), "INSERT INTO retorno.codes (list, code) VALUES "+code); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"retorno.codes", "ceniss.codes"} {
			var newer *column.NewerError
			if err := s.CheckCodes(t.Context(), table); !errors.As(err, &newer) || !IsStop(err) {
				t.Errorf("%s with %s: %v", table, code, err)
			}
		}
		if _, err := s.Migrate(t.Context()); !IsStop(err) {
			t.Errorf("an older release migrates a database with %s: %v", code, err)
		}
		if err := s.Conn().Exec(t.Context(), "DELETE FROM retorno.codes WHERE "+strings.NewReplacer("('", "(list, code) = ('").Replace(code)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrorsThatStop(t *testing.T) {
	s := empty(t) // no table is there
	_, err := s.Claim(t.Context(), 0, t.Name())
	if !IsStop(err) || Code(err) != 60 && Code(err) != 81 {
		t.Fatalf("a table that is not there: %v (code %d)", err, Code(err))
	}
	stranger, err := Open(Config{Addr: engine.Native(), User: "stranger", Password: func() (string, error) { return "wrong", nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	if err := stranger.Ping(t.Context()); !IsStop(err) || strings.Contains(err.Error(), "wrong\"") {
		t.Fatalf("a stranger: %v", err)
	}
}

// TestAServerThatIsAwayIsWaitedFor: nothing is dropped, and the write ends with its context and not before.
func TestAServerThatIsAwayIsWaitedFor(t *testing.T) {
	s, err := Open(Config{Addr: "127.0.0.1:1", RetryFirst: time.Millisecond, RetryMost: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	w := &Claim{store: s, conn: bulk{store: s}, epoch: 1}
	defer w.Close()
	f := NewFlush(0, 1)
	f.Ledger(ledger.Entry{Topic: "t", At: time.Now()})
	if err := w.Write(ctx, f, nil); !errors.Is(err, context.DeadlineExceeded) || IsStop(err) {
		t.Fatal(err)
	}
	if f.Rows() != 1 {
		t.Error("the flush lost its row")
	}
}

// TestWhatIsWrittenIsReadBack holds for every field of a fact that the method needs, and for what is derived.
func TestWhatIsWrittenIsReadBack(t *testing.T) {
	s := migrated(t)
	age := uint32(33)
	r := &events.Record{RecordId: "01552000-0000-7000-8000-000000000001", Revision: 3, SourceId: "CAMR-OMO-1", SourceSeq: 9, PersonKey: "00112233445566778899aabbccddeeff",
		EventTimeMs: 1464760800_123, RecordedTimeMs: 1464760860_000, SchemaVersion: 1, VoidReason: "test_record",
		Body: &events.Record_Registration{Registration: &events.Registration{Centre: "CAMR-OMO", ArrivalTimeMs: 1464757200_001, EntryPoint: "L-COR", ExitPoint: "X-BLD",
			Country: "US", Mode: "air", ReturnType: "voluntary", Sex: "M", Age: &age, Nationality: "GT", Department: "HN-CR", Municipality: "0501",
			Accompanied: "unaccompanied", Reasons: []string{"violence", "economic"}}}}
	value, err := events.Seal(r, 946684800_000, 0) // sent long before it happened: future
	if err != nil {
		t.Fatal(err)
	}
	opened, err := events.Open(value)
	if err != nil {
		t.Fatal(err)
	}
	fact, err := reconcile.FactOf(&opened)
	if err != nil {
		t.Fatal(err)
	}
	if !fact.Void || !fact.Future {
		t.Fatalf("%+v should be void and future", fact)
	}
	person, err := reconcile.PersonID(r)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := events.FieldsOf(&opened)
	if err != nil {
		t.Fatal(err)
	}
	want := StoredFact{Person: person, Fact: fact, Origin: ledger.Origin{Topic: events.TopicCentre, Partition: 5, Offset: 77}}
	ret := reconcile.Return{ID: fact.RecordID, Arrival: fact.Arrival, Day: 16953, Age: -1, Reasons: 1 << 2, Registered: true,
		Codes: reconcile.ReturnCodes{dictionary.Country: 3, dictionary.Mode: 1, dictionary.ReturnType: 2, dictionary.EntryPoint: 4, dictionary.ExitPoint: 5,
			dictionary.Centre: 6, dictionary.Department: 7, dictionary.Municipality: 8, dictionary.Sex: 2, dictionary.Accompanied: 1, dictionary.Nationality: 9}}
	help := reconcile.Help{RecordID: fact.RecordID, Return: ret.ID, Day: 16954, Centre: 2, Kind: 3, Sex: 1, AgeGroup: 4}
	cell, n := reconcile.CellOf(&ret), reconcile.ReturnCount{Registered: 3, Checkpoint: 2, Reconciled: 4}
	helpCell, crossingCell := reconcile.HelpCell{Day: 16954, Centre: 2, Kind: 3}, reconcile.CrossingCell{Day: 16955, BorderPoint: 3, Direction: 1, DocumentCheck: 2}

	w := claimed(t, s, 5)
	f := NewFlush(5, w.Epoch())
	f.Fact(FactRow{Fields: &fields, Fact: &fact, Origin: want.Origin})
	f.Return(person, &ret)
	f.Help(person, &help)
	f.ReturnCell(cell, n)
	f.HelpCell(helpCell, 7)
	f.CrossingCell(crossingCell, 8)
	f.Ledger(ledger.Entry{Topic: events.TopicCentre, FirstOffset: 0, NextOffset: 78, Accounts: ledger.Accounts{Accepted: 1}, At: time.Now()})
	for range 2 { // written twice, it is there once
		if err := w.Write(t.Context(), f, map[string]int64{events.TopicCentre: 78}); err != nil {
			t.Fatal(err)
		}
	}
	var facts []StoredFact
	if err := s.Facts(t.Context(), 5, func(f *StoredFact) { facts = append(facts, *f) }); err != nil {
		t.Fatal(err)
	}
	want.Sum = ledger.FactSum(want.Person, want.Fact.RecordID, want.Fact.Version, want.Origin.Place())
	if got := slices.Compact(facts); !slices.Equal(got, []StoredFact{want}) { // a row may come twice
		t.Errorf("facts %+v\nwant  %+v", got, want)
	}
	d, cells, err := derived(t, s, 5)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Returns[Key{person, ret.ID}].Row; got != ret || len(d.Returns) != 1 {
		t.Errorf("return %+v\nwant   %+v", got, ret)
	}
	if got := d.Helps[Key{person, help.RecordID}].Row; got != help {
		t.Errorf("help %+v\nwant %+v", got, help)
	}
	if cells.Returns[cell] != n || cells.Helps[helpCell] != 7 || cells.Crossings[crossingCell] != 8 {
		t.Errorf("cells %+v", cells)
	}
	positions, err := s.Positions(t.Context(), 5)
	if err != nil || len(positions) != 1 || positions[0].NextOffset != 78 || positions[0].Accounts.Accepted != 1 {
		t.Errorf("positions %+v, %v", positions, err)
	}
	if other, _, err := derived(t, s, 4); err != nil || len(other.Returns) != 0 {
		t.Errorf("another partition has %+v, %v", other, err)
	}
}

// derived is what a partition has stored, whichever process has it.
func derived(t *testing.T, s *Store, partition int) (*Derived, *reconcile.Cells, error) {
	t.Helper()
	c := &Claim{store: s, conn: bulk{store: s}, partition: partition}
	defer c.conn.close()
	cells, err := c.Cells(t.Context())
	if err != nil {
		return nil, nil, err
	}
	d, err := c.Derived(t.Context(), 1, 0)
	return d, cells, err
}
