package returns

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"retorno/consumers/store"
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
