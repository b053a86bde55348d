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

// factKey names a fact: record ids are unique, but a source's error may file one under two persons, and then each
// person has a fact of its own.
type factKey struct{ person, record reconcile.ID }

// tally is the state of one Kafka partition: every person's facts and the cells they come to, and what of it has
// changed since the last flush. It does no I/O. It belongs to one goroutine.
type tally struct {
	persons map[reconcile.ID][]reconcile.Fact
	cells   *reconcile.Cells
	// unsettled are facts that the store held beyond the ledger's position when the partition was taken over: a
	// flush was torn there. The record that made one is read again and counts as accepted, not as a duplicate.
	unsettled map[factKey]store.Origin

	before map[reconcile.ID]reconcile.Person // what changed persons came to at the last flush
	rows   map[factKey]store.FactRow         // facts to write
}

func newTally() *tally {
	return &tally{persons: map[reconcile.ID][]reconcile.Fact{}, cells: reconcile.NewCells(), unsettled: map[factKey]store.Origin{},
		before: map[reconcile.ID]reconcile.Person{}, rows: map[factKey]store.FactRow{}}
}

// load takes a stored fact into the state. settled says that the ledger accounts for it.
func (t *tally) load(f store.StoredFact, settled bool) {
	t.persons[f.Person] = append(t.persons[f.Person], f.Fact)
	if !settled {
		t.unsettled[factKey{f.Person, f.Fact.RecordID}] = f.Origin
	}
}

// recount makes the cells anew from all facts, and hands out what each person comes to.
func (t *tally) recount(yield func(person reconcile.ID, p reconcile.Person)) {
	t.cells = reconcile.NewCells()
	for id, facts := range t.persons {
		p := reconcile.Reconcile(facts)
		t.cells.Add(&p, 1)
		yield(id, p)
	}
}

// merge takes one record into the state: the largest version of a fact holds. conflict says that the record differs
// in content from another one of the same revision, which is its source's error.
func (t *tally) merge(row store.FactRow) (a account, conflict bool) {
	key := factKey{row.Person, row.Fact.RecordID}
	facts := t.persons[row.Person]
	held := find(facts, row.Fact.RecordID)
	if held >= 0 {
		version := facts[held].Version
		conflict = reconcile.SameRevision(version, row.Fact.Version) && !reconcile.SameContent(version, row.Fact.Version)
		switch {
		case row.Fact.Version == version && t.unsettled[key] == row.Origin:
			delete(t.unsettled, key)
			t.rows[key] = row // written again: the torn flush may have come from an older program
			return accepted, false
		case row.Fact.Version < version && reconcile.SameContent(version, row.Fact.Version), row.Fact.Version == version:
			return duplicate, false
		case row.Fact.Version < version:
			return superseded, conflict
		}
	}
	t.touch(row.Person)
	if held >= 0 {
		held = find(facts, row.Fact.RecordID) // reconciling sorts the facts
		facts[held] = *row.Fact
	} else {
		t.persons[row.Person] = append(facts, *row.Fact)
	}
	delete(t.unsettled, key)
	t.rows[key] = row
	return accepted, conflict
}

func find(facts []reconcile.Fact, id reconcile.ID) int {
	for i := range facts {
		if facts[i].RecordID == id {
			return i
		}
	}
	return -1
}

// touch remembers what a person came to before its first change since the last flush.
func (t *tally) touch(person reconcile.ID) {
	if _, done := t.before[person]; !done {
		t.before[person] = reconcile.Reconcile(t.persons[person])
	}
}

// facts writes the facts that have changed since the last flush into f, and forgets all that changed: the derived rows
// are to be compared with what is stored, all of them.
func (t *tally) facts(f *store.Flush) {
	for _, row := range t.rows {
		f.Fact(row)
	}
	clear(t.rows)
	clear(t.before)
}

// changes writes everything that has changed since the last flush into f, and forgets that it changed.
func (t *tally) changes(f *store.Flush) {
	before := t.before
	t.before = map[reconcile.ID]reconcile.Person{}
	t.facts(f)
	touched := reconcile.NewCells()
	for id, before := range before {
		after := reconcile.Reconcile(t.persons[id])
		difference(f, id, before, after)
		t.cells.Add(&before, -1)
		t.cells.Add(&after, 1)
		touched.Add(&before, 1)
		touched.Add(&after, 1)
	}
	t.writeCells(f, touched)
}

// writeCells writes the absolute counts of the cells named by touched, and drops those that have come to zero.
func (t *tally) writeCells(f *store.Flush, touched *reconcile.Cells) {
	for cell := range touched.Returns {
		n := t.cells.Returns[cell]
		f.ReturnCell(cell, n)
		if n == (reconcile.ReturnCount{}) {
			delete(t.cells.Returns, cell)
		}
	}
	for cell := range touched.Helps {
		n := t.cells.Helps[cell]
		f.HelpCell(cell, n)
		if n == 0 {
			delete(t.cells.Helps, cell)
		}
	}
	for cell := range touched.Crossings {
		n := t.cells.Crossings[cell]
		f.CrossingCell(cell, n)
		if n == 0 {
			delete(t.cells.Crossings, cell)
		}
	}
}

// difference writes what turns a person's stored returns and helps from before into after: changed rows, and
// tombstones under keys that are no more.
func difference(f *store.Flush, person reconcile.ID, before, after reconcile.Person) {
	was := make(map[reconcile.ID]*reconcile.Return, len(before.Returns))
	for i := range before.Returns {
		was[before.Returns[i].ID] = &before.Returns[i]
	}
	for i := range after.Returns {
		r := &after.Returns[i]
		if old := was[r.ID]; old == nil || *old != *r {
			f.Return(person, r)
		}
		delete(was, r.ID)
	}
	for id := range was {
		f.DeleteReturn(person, id)
	}
	had := make(map[reconcile.ID]*reconcile.Help, len(before.Helps))
	for i := range before.Helps {
		had[before.Helps[i].RecordID] = &before.Helps[i]
	}
	for i := range after.Helps {
		h := &after.Helps[i]
		if old := had[h.RecordID]; old == nil || *old != *h {
			f.Help(person, h)
		}
		delete(had, h.RecordID)
	}
	for id := range had {
		f.DeleteHelp(person, id)
	}
}
