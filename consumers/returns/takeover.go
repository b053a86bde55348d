package returns

import (
	"context"

	"retorno/consumers/reconcile"
	"retorno/consumers/store"
)

// repair compares what the store holds of a partition with what its facts come to, and writes every difference
// under the new epoch into f. A flush that was torn between its tables, rows of a process that was overtaken, and a
// restored backup all end here. It leaves the cells of the state recounted. It returns how many rows differed.
func (t *tally) repair(ctx context.Context, s *store.Store, partition int, f *store.Flush) (int, error) {
	have, err := s.Derived(ctx, partition)
	if err != nil {
		return 0, err
	}
	rowsBefore := f.Rows()
	t.recount(func(person reconcile.ID, p reconcile.Person) {
		for i := range p.Returns {
			r := &p.Returns[i]
			key := store.Key{Person: person, ID: r.ID}
			if old, ok := have.Returns[key]; !ok || old != *r {
				f.Return(person, r)
			}
			delete(have.Returns, key)
		}
		for i := range p.Helps {
			h := &p.Helps[i]
			key := store.Key{Person: person, ID: h.RecordID}
			if old, ok := have.Helps[key]; !ok || old != *h {
				f.Help(person, h)
			}
			delete(have.Helps, key)
		}
	})
	for key := range have.Returns {
		f.DeleteReturn(key.Person, key.ID)
	}
	for key := range have.Helps {
		f.DeleteHelp(key.Person, key.ID)
	}
	t.writeCells(f, differing(t.cells, have.Cells))
	return f.Rows() - rowsBefore, nil
}

// differing names the cells whose counts are not the same in a and b.
func differing(a, b *reconcile.Cells) *reconcile.Cells {
	d := reconcile.NewCells()
	unequal(a.Returns, b.Returns, d.Returns)
	unequal(a.Helps, b.Helps, d.Helps)
	unequal(a.Crossings, b.Crossings, d.Crossings)
	return d
}

func unequal[C, N comparable](a, b, d map[C]N) {
	for cell, n := range a {
		if b[cell] != n {
			d[cell] = n
		}
	}
	for cell, n := range b {
		if a[cell] != n {
			d[cell] = n
		}
	}
}
