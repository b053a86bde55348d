package returns

import (
	"retorno/consumers/reconcile"
	"retorno/consumers/store"
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
}

// change names a person, and the place of the person's first fact.
type change struct {
	person reconcile.ID
	first  uint32
}

func newTally() *tally {
	return &tally{facts: newFacts(), cells: reconcile.NewCells(), moved: reconcile.NewCells()}
}

// load takes a stored revision of a fact into the state, unless a larger one is there.
func (t *tally) load(f *store.StoredFact) {
	first := t.facts.first[f.Person]
	if h := t.facts.find(first, f.Fact.RecordID); h == nil {
		t.facts.add(f.Person, first, &f.Fact)
	} else if f.Fact.Version > h.version {
		t.facts.replace(h, &f.Fact)
	}
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
	t.facts.replace(h, f)
	return accepted, conflict
}

// touch remembers what a person came to before its first change since the last flush.
func (t *tally) touch(person reconcile.ID, first uint32) {
	if !t.facts.at(first).changed() {
		t.own = t.facts.of(first, t.own[:0])
		t.remember(person, first, t.own)
	}
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
		before := &t.before[n]
		t.own = t.facts.of(c.first, t.own[:0])
		t.after.Reconcile(t.own)
		difference(f, c.person, before, &t.after)
		t.moved.Add(before, -1)
		t.moved.Add(&t.after, 1)
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

// difference writes what turns a person's stored returns and helps from before into after: changed rows, and
// tombstones under keys that are no more.
func difference(f sink, person reconcile.ID, before, after *reconcile.Person) {
	returnID := func(r *reconcile.Return) reconcile.ID { return r.ID }
	compare(before.Returns, after.Returns, returnID, func(r *reconcile.Return) { f.Return(person, r) },
		func(r *reconcile.Return) { f.DeleteReturn(person, r.ID) })
	helpID := func(h *reconcile.Help) reconcile.ID { return h.RecordID }
	compare(before.Helps, after.Helps, helpID, func(h *reconcile.Help) { f.Help(person, h) },
		func(h *reconcile.Help) { f.DeleteHelp(person, h.RecordID) })
}

// compare hands out what is new or other in after, and what of before is no more. Both are in nearly the same order, so
// that each is looked for first where the one before it was found.
func compare[T comparable](before, after []T, id func(*T) reconcile.ID, changed, gone func(*T)) {
	next := 0
	for i := range after {
		at := placeOf(before, id, id(&after[i]), next)
		if at < 0 || before[at] != after[i] {
			changed(&after[i])
		}
		next = max(next, at+1)
	}
	next = 0
	for i := range before {
		at := placeOf(after, id, id(&before[i]), next)
		if at < 0 {
			gone(&before[i])
		}
		next = max(next, at+1)
	}
}

// placeOf is where the one with that id stands, looked for from next on and then from the begin; -1 for nowhere.
func placeOf[T any](all []T, id func(*T) reconcile.ID, want reconcile.ID, next int) int {
	for i := next; i < len(all); i++ {
		if id(&all[i]) == want {
			return i
		}
	}
	for i := range min(next, len(all)) {
		if id(&all[i]) == want {
			return i
		}
	}
	return -1
}
