package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/reconcile"
)

// years are rows of one table, apart by the partition that they go to.
type years[T interface{ rows() int }] struct {
	make  func() T
	parts map[int]T
}

func byYear[T interface{ rows() int }](make func() T) years[T] {
	return years[T]{make: make, parts: map[int]T{}}
}

func (y *years[T]) of(year int) T {
	part, ok := y.parts[year]
	if !ok {
		part = y.make()
		y.parts[year] = part
	}
	return part
}

// Flush is everything that one flush of one Kafka partition writes. It is filled, written and cleared, again and again.
type Flush struct {
	partition int
	epoch     uint32

	facts      years[*facts]
	returns    years[*returns]
	counts     years[*returnCounts]
	helps      years[*helps]
	helpCounts years[*helpCounts]
	crossings  years[*crossingCounts]
	sources    *sources
	redriven   *redriven
	ledger     *ledger
	last       *Entry // the latest one in the ledger
	n          uint64
}

// NewFlush makes an empty flush of a Kafka partition under an epoch.
func NewFlush(partition int, epoch uint32) *Flush {
	return &Flush{partition: partition, epoch: epoch,
		facts: byYear(newFacts), returns: byYear(newReturns), counts: byYear(newReturnCounts), helps: byYear(newHelps),
		helpCounts: byYear(newHelpCounts), crossings: byYear(newCrossingCounts), sources: newSources(), redriven: newRedriven(), ledger: newLedger()}
}

// version is that of the next derived row: what a later epoch writes beats what an earlier one writes, however late.
func (f *Flush) version() uint64 {
	f.n++
	return uint64(f.epoch)<<40 | f.n
}

// Fact adds a fact.
func (f *Flush) Fact(row FactRow) { f.facts.of(yearOf(row.Fact.RecordID)).add(row) }

// Return adds a return as it is now.
func (f *Flush) Return(person reconcile.ID, r *reconcile.Return) {
	f.returns.of(yearOf(r.ID)).add(person, r, f.partition, f.version(), false)
}

// DeleteReturn adds the tombstone of a return that is no more.
func (f *Flush) DeleteReturn(person, id reconcile.ID) {
	gone := reconcile.Return{ID: id, Age: -1}
	f.returns.of(yearOf(id)).add(person, &gone, f.partition, f.version(), true)
}

// Help adds a help as it is now.
func (f *Flush) Help(person reconcile.ID, h *reconcile.Help) {
	f.helps.of(yearOf(h.RecordID)).add(person, h, f.partition, f.version(), false)
}

// DeleteHelp adds the tombstone of a help that counts no longer.
func (f *Flush) DeleteHelp(person, id reconcile.ID) {
	gone := reconcile.Help{RecordID: id}
	f.helps.of(yearOf(id)).add(person, &gone, f.partition, f.version(), true)
}

// ReturnCell adds the absolute counts of a cell of returns.
func (f *Flush) ReturnCell(c reconcile.ReturnCell, n reconcile.ReturnCount) {
	f.counts.of(date(c.Day).Time().Year()).count(c, n, f.partition, f.version())
}

// HelpCell adds the absolute count of a cell of helps.
func (f *Flush) HelpCell(c reconcile.HelpCell, n int64) {
	f.helpCounts.of(date(c.Day).Time().Year()).count(c, n, f.partition, f.version())
}

// CrossingCell adds the absolute count of a cell of crossings.
func (f *Flush) CrossingCell(c reconcile.CrossingCell, n int64) {
	f.crossings.of(date(c.Day).Time().Year()).count(c, n, f.partition, f.version())
}

// Source adds that a number of a source has arrived, in a copy sent at sentAtMs.
func (f *Flush) Source(id []byte, seq uint64, sentAtMs, clockOffsetMs int64) {
	f.sources.add(id, seq, sentAtMs, clockOffsetMs)
}

// Redriven adds that the dead letter which was read at from has been read again at to, and the account it ended in there.
func (f *Flush) Redriven(from, to Origin, account string) { f.redriven.add(from, to, account) }

// Ledger adds what has been read of one topic and what became of it.
func (f *Flush) Ledger(e Entry) {
	f.ledger.add(f.partition, f.epoch, e)
	f.last = &e
}

// Rows is how many rows wait to be written.
func (f *Flush) Rows() int {
	n := 0
	for _, p := range f.parts() {
		n += p.rows
	}
	return n
}

// Clear empties the flush. The numbers of versions go on.
func (f *Flush) Clear() {
	clearYears(&f.facts)
	clearYears(&f.returns)
	clearYears(&f.counts)
	clearYears(&f.helps)
	clearYears(&f.helpCounts)
	clearYears(&f.crossings)
	f.sources.clear()
	f.redriven.clear()
	f.ledger.clear()
}

func clearYears[T interface {
	rows() int
	clear()
}](y *years[T]) {
	for _, part := range y.parts {
		part.clear()
	}
}

// part is one insert: rows of one table that go to one partition of it.
type part struct {
	table string
	year  int
	input proto.Input
	rows  int
}

// parts are the inserts of the flush in their order: facts before what is derived from them, the ledger last.
func (f *Flush) parts() []part {
	var all []part
	all = appendYears(all, "retorno.facts", f.facts.parts, func(t *facts) *block { return &t.block })
	all = appendYears(all, "retorno.returns", f.returns.parts, func(t *returns) *block { return &t.block })
	all = appendYears(all, "retorno.assistance", f.helps.parts, func(t *helps) *block { return &t.block })
	all = appendYears(all, "retorno.return_counts", f.counts.parts, func(t *returnCounts) *block { return &t.block })
	all = appendYears(all, "retorno.assistance_counts", f.helpCounts.parts, func(t *helpCounts) *block { return &t.block })
	all = appendYears(all, "retorno.crossing_counts", f.crossings.parts, func(t *crossingCounts) *block { return &t.block })
	for _, last := range []part{
		{table: "retorno.source_records", input: f.sources.input, rows: f.sources.rows()},
		{table: "retorno.redriven", input: f.redriven.input, rows: f.redriven.rows()},
		{table: "retorno.ledger", input: f.ledger.input, rows: f.ledger.rows()},
	} {
		if last.rows > 0 {
			all = append(all, last)
		}
	}
	return all
}

func appendYears[T any](all []part, table string, parts map[int]T, of func(T) *block) []part {
	for _, year := range slices.SortedFunc(maps.Keys(parts), cmp.Compare) {
		if b := of(parts[year]); b.rows() > 0 {
			all = append(all, part{table: table, year: year, input: b.input, rows: b.rows()})
		}
	}
	return all
}

// InsertSettings are stated rather than inherited. Each part is one block, and repeating it must not be taken for a
// duplicate of something else: replay-safety comes from the keys alone.
func InsertSettings(rows int) []ch.Setting {
	size := strconv.Itoa(max(rows, 1<<20))
	return []ch.Setting{
		{Key: "insert_deduplicate", Value: "0", Important: true},
		{Key: "async_insert", Value: "0", Important: true},
		{Key: "max_insert_block_size", Value: size, Important: true},
		{Key: "min_insert_block_size_rows", Value: size, Important: true},
		// Rows of one key inside a block are rare, and reading tells them apart: merging the block first costs more
		// than writing it.
		{Key: "optimize_on_insert", Value: "0", Important: true},
		{Key: "materialize_statistics_on_insert", Value: "0"},
		{Key: "max_threads", Value: "1"},
	}
}

// Write announces the flush, which ends at the offsets next, and writes it, table by table in order. It returns when all
// of it is stored. Anything but a definite answer makes it begin anew, announcement and check included: whoever
// answers after a broken connection may be a ClickHouse that was put back to an older state meanwhile. The error is
// *StopError, *FencedError, or tells that ctx has ended, in which case any leading part of the flush may be stored.
func (c *Claim) Write(ctx context.Context, f *Flush, next map[string]int64) error {
	c.flushes++
	err := c.store.retry(ctx, "write a flush", func() error { return c.write(ctx, f, next) })
	if err == nil {
		c.last = f.last
	}
	return err
}

func (c *Claim) write(ctx context.Context, f *Flush, next map[string]int64) error {
	c.conn.once = false
	if err := c.say(ctx, kindFlush, next); err != nil {
		return err
	}
	// From here on everything goes over the one connection, or the flush begins anew.
	c.conn.once = true
	defer func() { c.conn.once = false }()
	if err := c.check(ctx); err != nil {
		return err
	}
	s := c.store
	s.inserted("retorno.claims")
	for _, p := range f.parts() {
		began := time.Now()
		err := c.conn.do(ctx, ch.Query{Body: "INSERT INTO " + p.table + " " + p.input.Columns() + " VALUES", Input: p.input, Settings: InsertSettings(p.rows)})
		if err != nil {
			return fmt.Errorf("insert into %s: %w", p.table, err)
		}
		s.metrics.seconds.WithLabelValues(p.table).Observe(time.Since(began).Seconds())
		s.metrics.rows.WithLabelValues(p.table).Add(float64(p.rows))
		s.inserted(p.table)
	}
	return nil
}
