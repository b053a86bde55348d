package processor

import (
	"context"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
)

// repairRows is how many rows that differ are written at once, about. A variable, so that tests need fewer.
var repairRows = 200_000

// repair compares what the store holds of a partition with what its facts come to, and writes every difference under the
// new epoch. A flush that was torn between its tables, rows of a process that was overtaken, and a restored backup all
// end here. It goes piece by piece of the persons, so that what is stored is held of one at a time. It leaves the cells of
// the state recounted.
type repair struct {
	*tally
	claim *store.Claim
	flush *store.Flush
	// write writes the flush and empties it. What is left in it at the end is the caller's to write.
	write   func() error
	pending int // rows in the flush
	rows    int // that differed
}

func (r *repair) run(ctx context.Context) error {
	n, err := r.claim.DerivedPieces(ctx)
	if err != nil {
		return err
	}
	r.cells = reconcile.NewCells()
	for i := range int(n) {
		have, err := r.claim.Derived(ctx, n, i)
		if err != nil {
			return err
		}
		if err := r.persons(ctx, n, i, have); err != nil {
			return err
		}
	}
	stored, err := r.claim.Cells(ctx)
	if err != nil {
		return err
	}
	by := differing(r.cells, stored)
	r.rows += r.pending + len(by.Returns) + len(by.Helps) + len(by.Crossings)
	r.moveCells(r.flush, by)
	return nil
}

// persons compares the persons of piece i.
func (r *repair) persons(ctx context.Context, n store.Pieces, i int, have *store.Derived) error {
	for person, first := range r.facts.first {
		if n.Of(person) != i {
			continue
		}
		beat.Beat(ctx) // millions of persons take their time
		r.recount(first)
		r.person(person, have)
		if err := r.spill(); err != nil {
			return err
		}
	}
	for key := range have.Returns {
		r.flush.DeleteReturn(key.Person, key.ID)
		r.pending++
	}
	for key := range have.Helps {
		r.flush.DeleteHelp(key.Person, key.ID)
		r.pending++
	}
	return r.spill()
}

// person compares the person at hand, and leaves of have what is no longer.
func (r *repair) person(person reconcile.ID, have *store.Derived) {
	for i := range r.after.Returns {
		x := &r.after.Returns[i]
		key := store.Key{Person: person, ID: x.ID}
		if old, ok := have.Returns[key]; !ok || old.Row != *x {
			r.flush.Return(person, x)
			r.pending++
		}
		delete(have.Returns, key)
	}
	for i := range r.after.Helps {
		x := &r.after.Helps[i]
		key := store.Key{Person: person, ID: x.RecordID}
		if old, ok := have.Helps[key]; !ok || old.Row != *x {
			r.flush.Help(person, x)
			r.pending++
		}
		delete(have.Helps, key)
	}
}

// spill writes the flush when it is large.
func (r *repair) spill() error {
	if r.pending < repairRows {
		return nil
	}
	r.rows, r.pending = r.rows+r.pending, 0
	return r.write()
}

// differing names the cells whose counts are not the same in a and b, each to be moved by nothing.
func differing(a, b *reconcile.Cells) *reconcile.Cells {
	d := reconcile.NewCells()
	unequal(a.Returns, b.Returns, d.Returns)
	unequal(a.Helps, b.Helps, d.Helps)
	unequal(a.Crossings, b.Crossings, d.Crossings)
	return d
}

func unequal[C, N comparable](a, b, d map[C]N) {
	var nothing N
	for cell, n := range a {
		if b[cell] != n {
			d[cell] = nothing
		}
	}
	for cell, n := range b {
		if a[cell] != n {
			d[cell] = nothing
		}
	}
}
