package processor

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// The faults of this file are named by their numbers. What they are made to: history's records, of which some move a
// return to another day, cell or person; what must come out: what the same log gives without a fault.

// torn opens the engine's store with a hook after each insert of a flush.
func torn(t *testing.T, inserted func(table string)) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{Addr: engine.Native(), Inserted: inserted})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// flushTables are the tables of a flush, in the order of their inserts.
var flushTables = []string{"retorno.claims", "retorno.facts", "retorno.returns", "retorno.assistance", "retorno.return_counts",
	"retorno.assistance_counts", "retorno.crossing_counts", "retorno.sendings", "retorno.ledger"}

// messy is a log, and its first part.
func messy(t *testing.T, seed uint64) (part, whole *log) {
	t.Helper()
	h := &history{rnd: rand.New(rand.NewPCG(seed, 7))}
	h.emit(crossing(9001, at("2016-06-30", "22:00"), back("L-COR")), at("2016-06-30", "22:00"))
	h.make(25)
	half := len(h.sent) / 2
	// The crossing was under the wrong person's key: void there, made again.
	void := crossing(9001, at("2016-06-30", "22:00"), back("L-COR"))
	void.Revision, void.VoidReason = 2, "wrong_person"
	h.emit(void, at("2016-07-01", "08:00"))
	again := crossing(9002, at("2016-06-30", "22:00"), back("L-COR"))
	again.PersonKey = strings.Repeat("0", 30) + "bb"
	h.emit(again, at("2016-07-01", "08:00"))
	all := h.sent
	h.sent = all[:half]
	part = h.logOf(t, rand.New(rand.NewPCG(seed, 8)), false)
	h.sent = all
	whole = h.logOf(t, rand.New(rand.NewPCG(seed, 8)), false)
	part.step, whole.step = 10_000, 10_000
	return part, whole
}

// truthOf is what a log gives when nothing goes wrong.
func truthOf(t *testing.T, l *log) map[string]string {
	t.Helper()
	s := fresh(t)
	countLog(t, s, l)
	return tables(t, s)
}

func tables(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, query := range everything {
		all[name] = rows(t, s, query)
	}
	// Of one log, each record has one account, however often it was read.
	all["accounts"] = rows(t, s, `SELECT topic, kafka_partition, sum(accepted), sum(duplicate), sum(superseded), sum(rejected)
		FROM retorno.accounts GROUP BY ALL ORDER BY ALL`)
	return all
}

// isTrue fails the test unless every table, the second count and the accounts are as they must be.
func isTrue(t *testing.T, s *store.Store, l *log, want map[string]string) {
	t.Helper()
	for name, got := range tables(t, s) {
		if got != want[name] {
			t.Errorf("%s differ:\n%s\n\nin truth:\n%s", name, got, want[name])
		}
	}
	noDifference(t, s)
	accounts, err := s.Accounted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, messages := range l.topics {
		total += len(messages)
	}
	if accounts.Read() != uint64(total) {
		t.Errorf("%d records are accounted for, %d were sent: %+v", accounts.Read(), total, accounts)
	}
}

// consumer is a process of its own: a consumer over some store.
func consumer(t *testing.T, s *store.Store, dead DeadLetters) (*Processor, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	c, err := New(Config{Store: s, DeadLetters: dead, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1, FlushEvery: time.Nanosecond,
		Name: t.Name(), Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	return c, registry
}

func counter(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// TestF01KilledAfterReading: what was read and not written is read again, and is accepted once.
func TestF01KilledAfterReading(t *testing.T) {
	_, whole := messy(t, 1)
	want := truthOf(t, whole)
	s := fresh(t)
	c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1, FlushEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.run(t.Context(), &cursor{log: whole, next: map[string]int64{}, abrupt: true}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if a, err := s.Accounted(t.Context()); err != nil || a.Read() != 0 {
		t.Fatalf("nothing should be written yet: %+v, %v", a, err)
	}
	countLog(t, s, whole)
	isTrue(t, s, whole, want)
}

// TestF02TornFlushes ends a process after each table of a flush in turn, and TestF05 after its ledger rows and before
// the group's offsets are committed. The next one mends it, also where the torn revision moved a return.
func TestF02TornFlushes(t *testing.T) {
	part, whole := messy(t, 2)
	want := truthOf(t, whole)
	for _, table := range flushTables {
		t.Run(table, func(t *testing.T) {
			tearAt(t, table, part, whole, want)
		})
	}
}

// TestF05EndedBeforeTheCommit: the position comes from the ledger, whatever was committed.
func TestF05EndedBeforeTheCommit(t *testing.T) {
	part, whole := messy(t, 5)
	tearAt(t, "retorno.ledger", part, whole, truthOf(t, whole))
}

func tearAt(t *testing.T, table string, part, whole *log, want map[string]string) {
	t.Helper()
	s := fresh(t)
	countLog(t, s, part)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	seen := 0
	dying, _ := consumer(t, torn(t, func(inserted string) {
		// The first flush of an assignment mends; the second one brings the records.
		if inserted == "retorno.claims" {
			seen++
		}
		if inserted == table && seen >= 2 {
			kill()
		}
	}), &letters{})
	at := &cursor{log: whole, next: map[string]int64{}}
	if err := dying.run(ctx, at); !errors.Is(err, context.Canceled) {
		t.Fatalf("it was to be torn at %s: %v", table, err)
	}
	next, metrics := consumer(t, s, &letters{})
	if err := next.run(t.Context(), &cursor{log: whole, next: map[string]int64{}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	isTrue(t, s, whole, want)
	derived := slices.Index(flushTables, table) - slices.Index(flushTables, "retorno.facts")
	if mended := counter(t, metrics, "retorno_repaired_rows_total"); (mended == 0) != (derived <= 0 || table == "retorno.ledger") {
		t.Errorf("%v rows were mended of what follows from the facts", mended)
	}
}

// TestF06RefusedCommit: the group's offsets decide nothing.
func TestF06RefusedCommit(t *testing.T) {
	_, whole := messy(t, 6)
	want := truthOf(t, whole)
	s := fresh(t)
	c, _ := consumer(t, s, &letters{})
	if err := c.run(t.Context(), &refusing{cursor: cursor{log: whole, next: map[string]int64{}}}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	isTrue(t, s, whole, want)
}

type refusing struct{ cursor }

func (r *refusing) Commit(_ context.Context, asked map[string]int64) error {
	r.committed = asked
	return errors.New("request timed out")
}

// TestF09StoppedInMidFlush stops a process between the announcement of a flush and its first row, or after any table,
// and lets it go on once another one has counted on. Records of the torn flush have changed again by then: the late
// rows are of a state that the new owner never wrote, and must not win.
func TestF09StoppedInMidFlush(t *testing.T) {
	early, late := &log{step: 10}, &log{step: 10}
	for n := range 6 {
		when := at("2016-06-28", "10:00").Add(time.Duration(n) * 100 * time.Hour)
		first := crossing(n+1, when, back("L-COR"))
		second := crossing(n+1, when.Add(-30*time.Hour), back("L-AGC"))
		second.Revision = 2
		early.add(t, first, when)
		late.add(t, first, when)
		late.add(t, second, when.Add(time.Hour))
	}
	// In the late log a first revision is followed by its second one: the order of the early log is its own.
	ordered := &log{step: 100, topics: map[string][]stream.Message{}}
	for topic := range late.topics {
		for half := range 2 {
			for i, m := range late.topics[topic] {
				if i%2 == half {
					m.Offset = int64(len(ordered.topics[topic]))
					ordered.topics[topic] = append(ordered.topics[topic], m)
				}
			}
		}
	}
	want := truthOf(t, ordered)
	for _, table := range flushTables {
		if strings.HasPrefix(table, "retorno.assistance") {
			continue // crossings are no help
		}
		t.Run(table, func(t *testing.T) {
			s := fresh(t)
			stopped, goOn := make(chan struct{}), make(chan struct{})
			flushes := 0
			zombie, _ := consumer(t, torn(t, func(inserted string) {
				if inserted == "retorno.claims" {
					flushes++
				}
				if inserted == table && flushes == 2 {
					close(stopped)
					<-goOn
				}
			}), &letters{})
			ended := make(chan error, 1)
			go func() { ended <- zombie.run(t.Context(), &cursor{log: early, next: map[string]int64{}}) }()
			select {
			case <-stopped:
			case err := <-ended:
				t.Fatalf("it never stopped: %v", err)
			}
			countLog(t, s, ordered)
			close(goOn)
			if err := <-ended; !errors.Is(err, errEnd) && !store.IsFenced(err) {
				t.Fatal(err)
			}
			isTrue(t, s, ordered, want)
		})
	}
}

// TestF12ReorderedDuplicatedLateAndFuture: the higher revision wins although it came first, copies count once, what
// comes 30 days late counts on the day it happened, and what lies in the future is held and shown.
func TestF12ReorderedDuplicatedLateAndFuture(t *testing.T) {
	s := fresh(t)
	l := &log{step: 2}
	when := at("2016-06-15", "10:00")
	soon := when.Add(time.Hour)
	corrected := crossing(1, when, back("L-AGC"))
	corrected.Revision = 2
	l.add(t, corrected, soon) // before its original
	l.add(t, crossing(1, when, back("L-COR")), soon)
	copied := crossing(2, when.Add(48*time.Hour), back("L-COR"))
	copied.PersonKey = strings.Repeat("0", 30) + "dd"
	for range 3 {
		l.add(t, copied, when.Add(50*time.Hour))
	}
	month := when.Add(30 * 24 * time.Hour)
	late := crossing(3, month, back("L-AMA")) // written down a month later
	late.PersonKey, late.EventTimeMs = strings.Repeat("0", 30)+"bb", when.UnixMilli()
	l.add(t, late, month)
	future := crossing(4, when.Add(48*time.Hour), back("L-COR"))
	future.PersonKey = strings.Repeat("0", 30) + "cc"
	l.add(t, future, soon)
	c, metrics := consumer(t, s, &letters{})
	scrape := func() {
		for name, want := range map[string]float64{"retorno_records_read_total": 7, "retorno_records_accepted_total": 4, "retorno_records_duplicate_total": 2,
			"retorno_records_superseded_total": 1, "retorno_late_records_total": 1, "retorno_future_records_total": 1} {
			if got := counter(t, metrics, name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
	if err := c.run(t.Context(), &scraped{cursor: cursor{log: l, next: map[string]int64{}}, scrape: scrape}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"SELECT day, entry_point, reconciled FROM ceniss.return_counts":       "('2016-06-15','L-AGC',1)\n('2016-06-15','L-AMA',1)\n('2016-06-17','L-COR',1)",
		"SELECT month, entry_point, late FROM ceniss.coverage WHERE late > 0": "('2016-06','L-AMA',1)",
		"SELECT border_point, future FROM retorno.latest_facts WHERE future":  "('L-COR',1)",
	} {
		if got := rows(t, s, query); got != want {
			t.Errorf("%s:\n%s\nwant:\n%s", query, got, want)
		}
	}
	if a, err := s.Accounted(t.Context()); err != nil || a != (ledger.Accounts{Accepted: 4, Duplicate: 2, Superseded: 1}) {
		t.Errorf("accounts %+v, %v", a, err)
	}
	noDifference(t, s)
}

// scraped is a cursor that is asked for the metrics at its end, while the partition is still counted.
type scraped struct {
	cursor
	scrape func()
}

func (s *scraped) Fetch(ctx context.Context, wait time.Duration) ([]stream.Message, error) {
	messages, err := s.cursor.Fetch(ctx, wait)
	if err != nil {
		s.scrape()
	}
	return messages, err
}

// TestF13ARevisionReplacesItsOwnFact: a flush that was announced is read before a person's facts are in order.
func TestF13ARevisionReplacesItsOwnFact(t *testing.T) {
	tally := newTally()
	person := records(t, crossing(1, at("2016-06-03", "10:00"), back("L-COR")), crossing(2, at("2016-06-01", "10:00"), back("L-AGC")))
	for _, row := range person {
		tally.load(&store.StoredFact{Person: row.Fields.Person, Fact: *row.Fact})
	}
	again := crossing(1, at("2016-06-03", "10:00"), back("L-AMA"))
	again.Revision = 2
	next := records(t, again)[0]
	if account, _ := tally.merge(next.Fields.Person, next.Fact); account != accepted {
		t.Fatalf("a new revision ended in account %d", account)
	}
	for _, f := range tally.facts.of(tally.facts.first[next.Fields.Person], nil) {
		if own := f.RecordID == person[0].Fact.RecordID; own != (f.Version>>40 == 2) {
			t.Errorf("fact %s is in revision %d", f.RecordID, f.Version>>40)
		}
	}
}

// records are rows of facts of sound records.
func records(t *testing.T, all ...*events.Record) []store.FactRow {
	t.Helper()
	var out []store.FactRow
	for n, r := range all {
		value, err := events.Seal(r, r.GetEventTimeMs()+60_000, 0)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := events.Open(value)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := events.FieldsOf(&opened)
		if err != nil {
			t.Fatal(err)
		}
		fact := reconcile.FactFrom(&fields)
		out = append(out, store.FactRow{Fields: &fields, Fact: &fact, Origin: ledger.Origin{Topic: events.Topic(r), Offset: int64(n)}})
	}
	return out
}
