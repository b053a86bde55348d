package store

import (
	"context"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
)

// table are rows of one table, in its columns.
type table interface{ self() *block }

// years are rows of one table, apart by the partition that they go to.
type years[T table] struct {
	make  func() T
	parts map[int]T
}

func byYear[T table](make func() T) years[T] {
	return years[T]{make: make, parts: map[int]T{}}
}

// clear empties every part.
func (y *years[T]) clear() {
	for _, part := range y.parts {
		part.self().clear()
	}
}

// blocks are the rows, by the partition that they go to.
func (y *years[T]) blocks() map[int]*block {
	all := make(map[int]*block, len(y.parts))
	for year, part := range y.parts {
		all[year] = part.self()
	}
	return all
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
	sendings   *sendings
	redriven   *redriven
	takeovers  *takeovers
	ledger     *ledgerRows
	last       *ledger.Entry // the latest one in the ledger
	left       []left        // by topic
	versions   *uint64
}

// left is what the flush leaves behind of one topic.
type left struct {
	topic string
	ledger.Left
}

// NewFlush makes an empty flush of a Kafka partition under an epoch.
func NewFlush(partition int, epoch uint32) *Flush {
	return newFlush(partition, epoch, new(uint64))
}

// Another makes another empty flush of the same epoch, to be filled while this one is written. They share the numbers
// of versions, so one goroutine fills both.
func (f *Flush) Another() *Flush { return newFlush(f.partition, f.epoch, f.versions) }

func newFlush(partition int, epoch uint32, versions *uint64) *Flush {
	return &Flush{partition: partition, epoch: epoch, versions: versions,
		facts: byYear(newFacts), returns: byYear(newReturns), counts: byYear(newReturnCounts), helps: byYear(newHelps),
		helpCounts: byYear(newHelpCounts), crossings: byYear(newCrossingCounts), sendings: newSendings(), redriven: newRedriven(), takeovers: newTakeovers(), ledger: newLedgerRows()}
}

// version is that of the next derived row: what a later epoch writes beats what an earlier one writes, however late.
func (f *Flush) version() uint64 {
	*f.versions++
	return uint64(f.epoch)<<40 | *f.versions
}

// of is what the flush leaves behind of a topic.
func (f *Flush) of(topic string) *left {
	for i := range f.left {
		if f.left[i].topic == topic {
			return &f.left[i]
		}
	}
	f.left = append(f.left, left{topic: topic})
	return &f.left[len(f.left)-1]
}

// Fact adds a fact.
func (f *Flush) Fact(row FactRow) {
	l := f.of(row.Origin.Topic)
	l.FactsSum += f.facts.of(yearOf(row.Fact.RecordID)).add(row)
}

// Return adds a return as it is now.
func (f *Flush) Return(person reconcile.ID, r *reconcile.Return) {
	f.returns.of(yearOf(r.ID)).add(person, r, f.partition, f.version(), false)
}

// DeleteReturn adds the tombstone of a return that no longer exists.
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

// Sending adds that a number of a source has arrived, in a copy sent at sentAtMs and read at that place.
func (f *Flush) Sending(at ledger.Origin, source []byte, seq uint64, sentAtMs, clockOffsetMs int64) {
	f.of(at.Topic).Sendings++
	f.sendings.add(at, source, seq, sentAtMs, clockOffsetMs)
}

// Redriven adds that the message read at to says it is the one read at from and sent again, with the account it ended in;
// from is to of a message that is set aside. content tells its bytes from others.
func (f *Flush) Redriven(from, to ledger.Origin, account string, content uint64) {
	if f.redriven.add(from, to, account, content) {
		f.of(to.Topic).Redriven++
	}
}

// Takeover adds from where the claim's epoch reads a log of a topic.
func (f *Flush) Takeover(c *Claim, topic string, log int, from int64) {
	f.takeovers.add(c, topic, log, from)
}

// Ledger adds what has been read of one topic and what became of it. What the flush left behind of the topic it knows
// itself. It returns the entry as it stands in the ledger.
func (f *Flush) Ledger(e ledger.Entry) ledger.Entry {
	e.Bound, e.Left = true, f.of(e.Topic).Left
	f.ledger.add(f.partition, f.epoch, e)
	f.last = &e
	return e
}

// Fold adds a row to the ledger that sums up flushes which are stored: theirs hold no longer beside it.
func (f *Flush) Fold(e ledger.Entry) { f.ledger.add(f.partition, f.epoch, e) }

// Rows is how many rows wait to be written.
func (f *Flush) Rows() int {
	n := 0
	for _, p := range parts(f) {
		n += p.rows
	}
	return n
}

// Clear empties the flush. The numbers of versions go on.
func (f *Flush) Clear() {
	f.facts.clear()
	f.returns.clear()
	f.counts.clear()
	f.helps.clear()
	f.helpCounts.clear()
	f.crossings.clear()
	f.sendings.clear()
	f.redriven.clear()
	f.takeovers.clear()
	f.ledger.clear()
	f.left = f.left[:0]
	f.last = nil
}

// stage is when an insert is made: those of a stage in any order, after all of the stage before.
type stage int

const (
	factsFirst  stage = iota
	whatFollows       // from the facts, and what else a flush leaves behind
	ledgerLast
)

// part is one insert: rows of one table that go to one partition of it, in a block of each flush that has any.
type part struct {
	table  string
	stage  stage
	blocks []*block
	rows   int
}

// inserts are the tables that a flush goes to, by their stages.
var inserts = []struct {
	table  string
	stage  stage
	blocks func(*Flush) map[int]*block // by the partition that they go to
}{
	{"retorno.facts", factsFirst, func(f *Flush) map[int]*block { return f.facts.blocks() }},
	{"retorno.returns", whatFollows, func(f *Flush) map[int]*block { return f.returns.blocks() }},
	{"retorno.assistance", whatFollows, func(f *Flush) map[int]*block { return f.helps.blocks() }},
	{"retorno.return_counts", whatFollows, func(f *Flush) map[int]*block { return f.counts.blocks() }},
	{"retorno.assistance_counts", whatFollows, func(f *Flush) map[int]*block { return f.helpCounts.blocks() }},
	{"retorno.crossing_counts", whatFollows, func(f *Flush) map[int]*block { return f.crossings.blocks() }},
	{"retorno.sendings", whatFollows, func(f *Flush) map[int]*block { return map[int]*block{0: &f.sendings.block} }},
	{"retorno.redriven", whatFollows, func(f *Flush) map[int]*block { return map[int]*block{0: &f.redriven.block} }},
	{"retorno.takeovers", whatFollows, func(f *Flush) map[int]*block { return map[int]*block{0: &f.takeovers.block} }},
	{"retorno.ledger", ledgerLast, func(f *Flush) map[int]*block { return map[int]*block{0: &f.ledger.block} }},
}

// parts are the inserts of flushes that go together, by their stages.
func parts(group ...*Flush) []part {
	var all []part
	for _, t := range inserts {
		years := map[int]*part{}
		for _, f := range group {
			for year, b := range t.blocks(f) {
				if b.rows() == 0 {
					continue
				}
				if years[year] == nil {
					years[year] = &part{table: t.table, stage: t.stage}
				}
				years[year].blocks = append(years[year].blocks, b)
				years[year].rows += b.rows()
			}
		}
		for _, year := range slices.Sorted(maps.Keys(years)) {
			all = append(all, *years[year])
		}
	}
	return all
}

// query is the INSERT of the part.
func (p *part) query() ch.Query {
	inputs := make([]proto.Input, len(p.blocks))
	for i, b := range p.blocks {
		inputs[i] = b.input
	}
	return Insert(p.table, inputs)
}

// Insert is the INSERT of blocks of the same columns, at least one, into a table. They go one after the other, and
// ClickHouse makes one block of them before it stores any.
func Insert(table string, blocks []proto.Input) ch.Query {
	rows := 0
	for _, b := range blocks {
		rows += b[0].Data.Rows()
	}
	input := slices.Clone(blocks[0])
	q := ch.Query{Body: "INSERT INTO " + table + " " + input.Columns() + " VALUES", Input: input, Settings: settings(rows)}
	if rest := blocks[1:]; len(rest) > 0 {
		q.OnInput = func(context.Context) error {
			copy(input, rest[0])
			rest = rest[1:]
			if len(rest) == 0 {
				return io.EOF // with this block
			}
			return nil
		}
	}
	return q
}

// settings are those of every statement over a bulk connection, stated rather than inherited, and the same for all: to
// change them costs the embedded engine as much as a query. rows is how many the statement inserts. Each part of a flush
// is one block, and repeating it must not be taken for a duplicate of something else: replay-safety comes from the keys
// alone.
func settings(rows int) []ch.Setting {
	size := strconv.Itoa(max(rows, 1<<20))
	return []ch.Setting{
		{Key: "insert_deduplicate", Value: "0", Important: true},
		{Key: "async_insert", Value: "0", Important: true},
		{Key: "max_insert_block_size", Value: size, Important: true},
		{Key: "min_insert_block_size_rows", Value: size, Important: true}, {Key: "min_insert_block_size_bytes", Value: "0", Important: true},
		// Rows of one key inside a block are rare, and reading tells them apart: merging the block first costs more
		// than writing it.
		{Key: "optimize_on_insert", Value: "0", Important: true},
		// What is inserted is small and is merged soon: a merge makes these, and each would be files of its own.
		{Key: "materialize_statistics_on_insert", Value: "0"},
		{Key: "materialize_skip_indexes_on_insert", Value: "0"},
		// FINAL inside partitions is enough: every partition key is a function of the sorting key.
		{Key: "do_not_merge_across_partitions_select_final", Value: "1", Important: true},
		// Many small statements at once: compiling each, and a thread for each core, costs more than it brings.
		{Key: "compile_expressions", Value: "0"}, {Key: "compile_sort_description", Value: "0"}, {Key: "max_threads", Value: "1"},
	}
}
