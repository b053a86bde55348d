package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/schemas/events"
)

// BenchmarkEncode makes the bytes of an insert of 10,000 facts: rows into columns, columns into a block.
func BenchmarkEncode(b *testing.B) {
	const rows = 10_000
	age := uint32(30)
	row := make([]FactRow, rows)
	for i := range row {
		r := &events.Record{RecordId: fmt.Sprintf("01552000-0000-7000-8000-%012x", i), Revision: 1, SourceId: fmt.Sprintf("L-COR-%d", i%4), SourceSeq: uint64(i + 1),
			PersonKey: fmt.Sprintf("%032x", i), EventTimeMs: 1464760800_000 + int64(i), RecordedTimeMs: 1464760860_000, SchemaVersion: 1,
			Body: &events.Record_Registration{Registration: &events.Registration{Centre: "CAMR-OMO", ExitPoint: "L-COR", Country: "MX", Mode: "land",
				ReturnType: "deported", Sex: "F", Age: &age, Department: "HN-CR", Reasons: []string{"economic", "violence"}}}}
		value, err := events.Seal(r, 1464760900_000, 0)
		if err != nil {
			b.Fatal(err)
		}
		f := new(events.Fields)
		if !events.Read(value, f) {
			b.Fatal("not a usual record")
		}
		fact := reconcile.FactFrom(f)
		row[i] = FactRow{Fields: f, Fact: &fact, Origin: ledger.Origin{Topic: events.TopicCentre, Offset: int64(i)}}
	}
	columns, buf := newFacts(), new(proto.Buffer)
	b.ReportAllocs()
	for b.Loop() {
		columns.clear()
		for i := range row {
			columns.add(row[i])
		}
		buf.Reset()
		block := proto.Block{Info: proto.BlockInfo{BucketNum: -1}, Columns: len(columns.input), Rows: rows}
		if err := block.EncodeRawBlock(buf, 54453, columns.input); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	b.ReportMetric(float64(len(buf.Buf))/rows, "B/row")
}

// claimedBy is a claim of a benchmark on an empty store, with a flush to fill.
func claimedBy(b *testing.B) (*Claim, *Flush) {
	b.Helper()
	claim, err := migrated(b).Claim(b.Context(), 0, "benchmark")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(claim.Close)
	return claim, NewFlush(0, claim.Epoch())
}

// BenchmarkFlushWithoutRows is what a flush costs for nothing but exactness: it is announced, the claim is checked, and
// the ledger is written. Each flush pays it once, however many records it has.
func BenchmarkFlushWithoutRows(b *testing.B) {
	claim, f := claimedBy(b)
	next := int64(0)
	for b.Loop() {
		f.Ledger(ledger.Entry{Topic: events.TopicCentre, FirstOffset: next, NextOffset: next + 1, Accounts: ledger.Accounts{Accepted: 1}})
		next++
		if err := claim.Write(b.Context(), f, map[string]int64{events.TopicCentre: next}); err != nil {
			b.Fatal(err)
		}
		f.Clear()
	}
}

// BenchmarkSmallFlush is what a flush of a few records of each kind costs, in which every table gets rows: what a post and a centre send within
// 200 ms. Nearly all of it is the price of statements and parts. flush/bare is its ratio to the bare inserts of as many such rows, one
// after the other over one connection, that alternate with it: neither announced nor checked.
func BenchmarkSmallFlush(b *testing.B) {
	claim, f := claimedBy(b)
	bare := bulk{store: claim.store}
	defer bare.close()
	var flushes, inserts time.Duration
	next := int64(0)
	for b.Loop() {
		next++
		smallFlush(f, next)
		began := time.Now()
		if err := claim.Write(b.Context(), f, map[string]int64{events.TopicCentre: next}); err != nil {
			b.Fatal(err)
		}
		flushes += time.Since(began)
		f.Clear()

		b.StopTimer()
		next++
		smallFlush(f, next)
		began = time.Now()
		for _, p := range parts(f) {
			if err := bare.do(b.Context(), p.query()); err != nil {
				b.Fatal(err)
			}
		}
		inserts += time.Since(began)
		f.Clear()
		b.StartTimer()
	}
	b.ReportMetric(float64(flushes)/float64(inserts), "flush/bare")
}

// smallFlush fills a flush with one record of each kind.
func smallFlush(f *Flush, next int64) {
	id := reconcile.ID{1, 85, 32, 0, 0, 0, 0x70, byte(next)}
	fields := &events.Fields{Person: id, RecordID: id, Source: []byte("L-COR-1"), Age: -1}
	f.Fact(FactRow{Fields: fields, Fact: &reconcile.Fact{RecordID: id}, Origin: ledger.Origin{Topic: events.TopicCentre, Offset: next}})
	f.Return(id, &reconcile.Return{ID: id, Age: -1})
	f.Help(id, &reconcile.Help{RecordID: id})
	f.ReturnCell(reconcile.ReturnCell{}, reconcile.ReturnCount{Reconciled: next})
	f.HelpCell(reconcile.HelpCell{}, next)
	f.CrossingCell(reconcile.CrossingCell{}, next)
	f.Sending(ledger.Origin{Topic: events.TopicCentre, Offset: next}, fields.Source, uint64(next), next, 0)
	f.Ledger(ledger.Entry{Topic: events.TopicCentre, FirstOffset: next, NextOffset: next + 1, Accounts: ledger.Accounts{Accepted: 1}})
}
