package processor

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// BenchmarkCount reads one partition of crossings and registrations through to the ledger in ClickHouse, from an empty
// store: decoding, reconciling, counting, encoding and inserting, without Kafka.
func BenchmarkCount(b *testing.B) {
	const persons = 50_000
	l := &log{step: 10_000}
	for i := range persons {
		when := at("2016-01-01", "00:00").Add(time.Duration(i) * 5 * time.Minute)
		x := crossing(2*i+1, when, back("L-COR"))
		x.PersonKey = fmt.Sprintf("%032x", i)
		age := uint32(i % 90)
		g := registration(2*i+2, when.Add(time.Hour), &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Age: &age, Reasons: []string{"economic"}, Department: "HN-CR"})
		g.PersonKey = x.PersonKey
		for _, r := range []*events.Record{x, g} {
			value, err := events.Seal(r, when.UnixMilli(), 0)
			if err != nil {
				b.Fatal(err)
			}
			l.addRaw(events.Topic(r), []byte(events.Key(r)), value)
		}
	}
	s, err := store.Open(store.Config{Addr: engine.Native()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	records := 0
	for b.Loop() {
		b.StopTimer()
		for _, database := range []string{"ceniss", "retorno"} {
			if err := s.Conn().Exec(context.Background(), "DROP DATABASE IF EXISTS "+database+" SYNC"); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := s.Migrate(context.Background()); err != nil {
			b.Fatal(err)
		}
		c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 1, FlushEvery: time.Hour, FlushRecords: 50_000})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := c.run(context.Background(), &cursor{log: l, next: map[string]int64{}}); !errors.Is(err, errEnd) {
			b.Fatal(err)
		}
		records += 2 * persons
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// nowhere takes derived rows and forgets them.
type nowhere struct{ rows int }

func (n *nowhere) Return(reconcile.ID, *reconcile.Return)                 { n.rows++ }
func (n *nowhere) DeleteReturn(_, _ reconcile.ID)                         { n.rows++ }
func (n *nowhere) Help(reconcile.ID, *reconcile.Help)                     { n.rows++ }
func (n *nowhere) DeleteHelp(_, _ reconcile.ID)                           { n.rows++ }
func (n *nowhere) ReturnCell(reconcile.ReturnCell, reconcile.ReturnCount) { n.rows++ }
func (n *nowhere) HelpCell(reconcile.HelpCell, int64)                     { n.rows++ }
func (n *nowhere) CrossingCell(reconcile.CrossingCell, int64)             { n.rows++ }

// BenchmarkTally reads facts of 100,000 persons into the state and works out what they change, 10,000 facts at a time:
// the state, reconciling and counting, without decoding and without ClickHouse.
func BenchmarkTally(b *testing.B) {
	const persons, flush = 100_000, 10_000
	facts := make([]reconcile.Fact, 0, 2*persons)
	keys := make([]reconcile.ID, 0, 2*persons)
	for i := range persons {
		person := reconcile.ID{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16)}
		arrival := at("2016-01-01", "00:00").Add(time.Duration(i) * 5 * time.Minute).UnixMilli()
		for kind := reconcile.Crossing; kind <= reconcile.Registration; kind++ {
			facts = append(facts, reconcile.Fact{RecordID: reconcile.ID{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16), 15: byte(kind)}, Version: 1 << 40,
				Arrival: arrival, Event: arrival, Kind: kind, Returned: kind == reconcile.Crossing, Age: int16(i % 90),
				Codes: reconcile.FactCodes{dictionary.Direction: 1, dictionary.Country: reconcile.Code(i % 3)}})
			keys = append(keys, person)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		t, out := newTally(), &nowhere{}
		for i := range facts {
			t.merge(keys[i], &facts[i])
			if (i+1)%flush == 0 {
				t.changes(out)
			}
		}
		if out.rows < persons {
			b.Fatalf("%d rows came of %d persons", out.rows, persons)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(facts)), "ns/fact")
}
