package processor

import (
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
)

// account is what becomes of one record.
type account uint8

const (
	accepted account = iota
	duplicate
	superseded
	rejected
)

// String is the account as retorno.redriven spells it.
func (a account) String() string {
	return [...]string{"accepted", "duplicate", "superseded", "rejected"}[a]
}

// sink takes derived rows: what there is now under a key, and that there is nothing more. It is a store.Flush.
type sink interface {
	Return(person reconcile.ID, r *reconcile.Return)
	DeleteReturn(person, id reconcile.ID)
	Help(person reconcile.ID, h *reconcile.Help)
	DeleteHelp(person, id reconcile.ID)
	ReturnCell(c reconcile.ReturnCell, n reconcile.ReturnCount)
	HelpCell(c reconcile.HelpCell, n int64)
	CrossingCell(c reconcile.CrossingCell, n int64)
}

// tally is the state of one Kafka partition: every person's facts (record ids are unique, but a source's error may file
// one under two persons, and then each person has a fact of its own) and the cells they come to, and what of it has
// changed since the last flush. It does no I/O. It belongs to one goroutine.
type tally struct {
	facts *facts
	cells *reconcile.Cells

	changed []change           // persons who changed since the last flush
	before  []reconcile.Person // what each of them came to then; those beyond len(changed) are space to be used again
	moved   *reconcile.Cells   // by how much their cells have changed
	own     []reconcile.Fact   // the facts of the person at hand
	after   reconcile.Person   // what they come to
	was     reconcile.Person   // what some of them came to; of a hot person

	alive func() // called now and then during long work, as a sign of life
}

// change names a person, and the place of the person's first fact.
type change struct {
	person reconcile.ID
	first  uint32
}

func newTally() *tally {
	return &tally{facts: newFacts(), cells: reconcile.NewCells(), moved: reconcile.NewCells(), alive: func() {}}
}

// load takes a stored revision of a fact into the state, unless a larger one is there.
func (t *tally) load(f *store.StoredFact) {
	first := t.facts.first[f.Person]
	if h := t.facts.find(first, f.Fact.RecordID); h == nil {
		t.facts.add(f.Person, first, &f.Fact)
	} else if f.Fact.Version > h.version {
		t.facts.replace(first, h, &f.Fact)
	}
}

// recount works out what a person comes to of whom nothing has been counted, and counts it. The place is that of the
// person's first fact; after is the person.
func (t *tally) recount(first uint32) {
	t.own = t.facts.of(first, t.own[:0])
	t.after.Reconcile(t.own)
	t.facts.arrange(first, t.own, t.after.Returns)
	t.cells.Add(&t.after, 1)
}

// merge takes one record into the state: the largest version of a fact holds. An accepted fact is to be written.
// conflict says that the record differs in content from another one of the same revision, which is its source's error.
func (t *tally) merge(person reconcile.ID, f *reconcile.Fact) (a account, conflict bool) {
	first := t.facts.first[person]
	if first == 0 {
		t.remember(person, t.facts.add(person, 0, f), nil)
		return accepted, false
	}
	h := t.facts.find(first, f.RecordID)
	if h == nil {
		t.touch(person, first)
		t.facts.add(person, first, f)
		return accepted, false
	}
	conflict = reconcile.SameRevision(h.version, f.Version) && !reconcile.SameContent(h.version, f.Version)
	switch {
	case f.Version < h.version && reconcile.SameContent(h.version, f.Version), f.Version == h.version:
		return duplicate, false
	case f.Version < h.version:
		return superseded, conflict
	}
	t.touch(person, first)
	t.facts.replace(first, h, f)
	return accepted, conflict
}

// touch remembers what a person came to before its first change since the last flush.
func (t *tally) touch(person reconcile.ID, first uint32) {
	if t.facts.at(first).changed() {
		return
	}
	t.own = t.own[:0]
	if h := t.facts.hotAt(first); h == nil || h.blocks == nil { // blocks remember what they came to
		t.own = t.facts.of(first, t.own)
	}
	t.remember(person, first, t.own)
}

// remember notes that a person changes whose facts have been these.
func (t *tally) remember(person reconcile.ID, first uint32, facts []reconcile.Fact) {
	n := len(t.changed)
	if n == len(t.before) {
		t.before = append(t.before, reconcile.Person{})
	}
	t.before[n].Reconcile(facts)
	t.changed = append(t.changed, change{person, first})
	t.facts.at(first).mark(true)
}

// settle forgets what has changed: the derived rows are to be compared with what is stored, all of them.
func (t *tally) settle() {
	for _, c := range t.changed {
		t.facts.at(c.first).mark(false)
	}
	t.changed = t.changed[:0]
}

// changes writes the derived rows that have changed since the last flush into f, and forgets that they changed.
func (t *tally) changes(f sink) {
	for n, c := range t.changed {
		if h := t.facts.hotAt(c.first); h != nil && h.blocks != nil {
			t.hotChanges(f, c.person, h)
			continue
		}
		before := &t.before[n]
		t.own = t.facts.of(c.first, t.own[:0])
		t.after.Reconcile(t.own)
		t.returnsDiffer(f, c.person, before.Returns, t.after.Returns)
		t.apartDiffers(f, c.person, before, &t.after)
		t.facts.arrange(c.first, t.own, t.after.Returns)
	}
	t.settle()
	t.moveCells(f, t.moved)
	clear(t.moved.Returns)
	clear(t.moved.Helps)
	clear(t.moved.Crossings)
}

// moveCells changes the counts of the cells named in by by so much, writes their absolute counts, and drops those that
// have come to zero.
func (t *tally) moveCells(f sink, by *reconcile.Cells) {
	for cell, d := range by.Returns {
		n := t.cells.Returns[cell].Plus(d)
		f.ReturnCell(cell, n)
		keep(t.cells.Returns, cell, n)
	}
	for cell, d := range by.Helps {
		n := t.cells.Helps[cell] + d
		f.HelpCell(cell, n)
		keep(t.cells.Helps, cell, n)
	}
	for cell, d := range by.Crossings {
		n := t.cells.Crossings[cell] + d
		f.CrossingCell(cell, n)
		keep(t.cells.Crossings, cell, n)
	}
}

// keep holds a count, and none that is zero.
func keep[C, N comparable](counts map[C]N, cell C, n N) {
	var zero N
	if n == zero {
		delete(counts, cell)
	} else {
		counts[cell] = n
	}
}

// returnsDiffer writes what turns a person's stored returns from before into after: changed rows, and tombstones under
// keys that are no more. It notes which cells move.
func (t *tally) returnsDiffer(f sink, person reconcile.ID, before, after []reconcile.Return) {
	compare(before, after, func(r *reconcile.Return) reconcile.ID { return r.ID }, func(old, now *reconcile.Return) {
		if old != nil {
			t.moved.AddReturn(old, -1)
		}
		if now == nil {
			f.DeleteReturn(person, old.ID)
			return
		}
		t.moved.AddReturn(now, 1)
		f.Return(person, now)
	})
}

// apartDiffers is the same of helps and of crossings, which have no rows but in the cells.
func (t *tally) apartDiffers(f sink, person reconcile.ID, before, after *reconcile.Person) {
	compare(before.Helps, after.Helps, func(h *reconcile.Help) reconcile.ID { return h.RecordID }, func(old, now *reconcile.Help) {
		if old != nil {
			t.moved.AddHelp(old, -1)
		}
		if now == nil {
			f.DeleteHelp(person, old.RecordID)
			return
		}
		t.moved.AddHelp(now, 1)
		f.Help(person, now)
	})
	prefix, suffix := common(before.Crossings, after.Crossings)
	for _, cell := range before.Crossings[prefix : len(before.Crossings)-suffix] {
		t.moved.Crossings[cell]--
	}
	for _, cell := range after.Crossings[prefix : len(after.Crossings)-suffix] {
		t.moved.Crossings[cell]++
	}
}

// common is how many a and b have in common at their begins and, apart from those, at their ends.
func common[T comparable](a, b []T) (prefix, suffix int) {
	n := min(len(a), len(b))
	for prefix < n && a[prefix] == b[prefix] {
		prefix++
	}
	for suffix < n-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	return prefix, suffix
}

// scans is how many comparisons of ids are made rather than an index.
const scans = 256

// compare yields what is not the same before and after, by id; of what is new old is nil, of what no longer exists now is.
func compare[T comparable](before, after []T, id func(*T) reconcile.ID, differs func(old, now *T)) {
	prefix, suffix := common(before, after)
	before, after = before[prefix:len(before)-suffix], after[prefix:len(after)-suffix]
	var was, is map[reconcile.ID]*T
	if len(before)*len(after) > scans {
		was, is = index(before, id), index(after, id)
	}
	for i := range after {
		if old := find(before, was, id, id(&after[i])); old == nil || *old != after[i] {
			differs(old, &after[i])
		}
	}
	for i := range before {
		if find(after, is, id, id(&before[i])) == nil {
			differs(&before[i], nil)
		}
	}
}

func index[T any](all []T, id func(*T) reconcile.ID) map[reconcile.ID]*T {
	places := make(map[reconcile.ID]*T, len(all))
	for i := range all {
		places[id(&all[i])] = &all[i]
	}
	return places
}

// find is the one of all with that id, by their index if there is one; nil when there is none.
func find[T any](all []T, index map[reconcile.ID]*T, id func(*T) reconcile.ID, want reconcile.ID) *T {
	if index != nil {
		return index[want]
	}
	for i := range all {
		if id(&all[i]) == want {
			return &all[i]
		}
	}
	return nil
}
