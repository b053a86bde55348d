package suppress

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Change is what the counts of a release gained and lost for one reason: the events that were not in it, and those that are in it no
// more. An event of which a code changed is lost with the old code and gained with the new one.
type Change struct {
	Reason         string // "" is never named
	Added, Removed *Input
}

// Revision is what may be published of a period again.
type Revision struct {
	// Tables have the cells of the tables before, in their order: with their new counts, kept, or withheld as before.
	Tables []published.Table
	// Differences are the counts that changed, by key.
	Differences []published.Difference
	// Kept is the number of cells that keep the count of an earlier vintage.
	Kept int
}

// Revise corrects published tables by what changed since. What was withheld stays withheld, and what was kept stays kept. What was gained
// and what was lost are protected as if they were tables that are published: a change of fewer persons than the threshold is
// not shown, nor what would tell of it; such cells keep their count. The total of a measure is always corrected. If nothing else
// can be shown safely, nothing else is.
//
// A reason is named if the same cells protect what it gained and lost, else in the lines of the totals alone; and only if least
// persons changed for it in each total that did. What is not named is among the others. Changes have the same tables, in the same order. Before and hierarchies are of the release before. An error
// names a cell of the release before that the changes do not have.
func Revise(before []published.Table, hierarchies map[string]published.Hierarchy, changes []Change, least int64) (*Revision, error) {
	r := &reviser{before: before, hierarchies: hierarchies, hidden: map[string]bool{}}
	if len(changes) == 0 {
		return r.revision(Change{}, named{})
	}
	r.totals = totalsOf(before, changes[0].Added)
	all := sumOf(changes)
	r.hideSmall(all)
	if err := r.hide(all); err != nil {
		return nil, err
	}
	names, err := r.name(changes, least)
	if err != nil {
		return nil, err
	}
	return r.revision(all, names)
}

// reviser holds which changes must not be shown, by the key of their cell.
type reviser struct {
	before      []published.Table
	hierarchies map[string]published.Hierarchy
	totals      map[string]bool
	hidden      map[string]bool
	totalsOnly  bool // nothing else may be shown
}

// totalsOf finds the total of each measure: the forced count that most of its tables have.
func totalsOf(before []published.Table, in *Input) map[string]bool {
	tables := map[string]map[string]int{} // how many have it, by measure and key
	for i := range before {
		t := tableOf(in, &before[i])
		if t == nil {
			continue
		}
		if tables[t.Measure] == nil {
			tables[t.Measure] = map[string]int{}
		}
		for _, c := range t.Counts {
			if c.State == Forced {
				tables[t.Measure][published.Key(t.Measure, t.Columns, c.Codes)]++
			}
		}
	}
	totals := map[string]bool{}
	for _, keys := range tables {
		best := ""
		for key, n := range keys {
			if best == "" || cmp.Or(cmp.Compare(n, keys[best]), cmp.Compare(len(best), len(key)), cmp.Compare(best, key)) > 0 {
				best = key
			}
		}
		totals[best] = true
	}
	return totals
}

// hideSmall hides changes whose amount is smaller than the threshold, however many persons they are of: only the amount is seen.
func (r *reviser) hideSmall(all Change) {
	for i := range r.before {
		t := &r.before[i]
		from := tableOf(all.Added, t)
		if from == nil {
			continue
		}
		for _, c := range t.Cells {
			n, _ := from.find(c.Codes, r.hierarchies)
			key := published.Key(t.Measure, t.Columns, c.Codes)
			if amount := r.amount(all, t, c.Codes); amount != 0 && max(amount, -amount) < from.threshold(n) && !r.totals[key] {
				r.hidden[key] = true
			}
		}
	}
}

// hide hides changes until what is shown of the gains and of the losses is safe.
func (r *reviser) hide(all Change) error {
	for grown := true; grown; {
		grown = false
		for _, in := range []*Input{all.Added, all.Removed} {
			hidden, err := r.unsafe(in)
			if errors.Is(err, ErrUnsafe) {
				r.hideOthers()
				return nil
			}
			if err != nil {
				return err
			}
			for _, key := range hidden {
				if !r.hidden[key] {
					r.hidden[key], grown = true, true
				}
			}
		}
	}
	return nil
}

// hideOthers hides everything but the totals.
func (r *reviser) hideOthers() {
	r.totalsOnly = true
	for _, t := range r.before {
		for _, c := range t.Cells {
			if key := published.Key(t.Measure, t.Columns, c.Codes); !r.totals[key] {
				r.hidden[key] = true
			}
		}
	}
}

// unsafe returns the cells of gains or losses that must not be shown beside the others.
func (r *reviser) unsafe(in *Input) ([]string, error) {
	system := &Input{Hierarchies: r.hierarchies, Cores: in.Cores}
	for i := range r.before {
		t, err := r.part(&r.before[i], in)
		if err != nil {
			return nil, err
		}
		system.Tables = append(system.Tables, *t)
	}
	release, err := plan(system)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, t := range release.Tables {
		for _, c := range t.Cells {
			if c.Withheld {
				keys = append(keys, published.Key(t.Measure, t.Columns, c.Codes))
			}
		}
	}
	return keys, nil
}

// part is what the cells of a published table gained or lost.
func (r *reviser) part(t *published.Table, in *Input) (*Table, error) {
	from := tableOf(in, t)
	if from == nil {
		return nil, fmt.Errorf("table %s of the release before is not among the changes, or has other columns", t.ID)
	}
	out := &Table{ID: t.ID, Measure: t.Measure, Columns: t.Columns}
	for _, c := range t.Cells {
		n, ok := from.find(c.Codes, r.hierarchies)
		if !ok {
			return nil, fmt.Errorf("table %s: nothing says how %v changed", t.ID, c.Codes)
		}
		key := published.Key(t.Measure, t.Columns, c.Codes)
		n.Threshold = from.threshold(n)
		switch n.State = Free; {
		case r.totals[key]:
			n.State, n.Threshold = Forced, 1
		case n.Value != 0 && (c.Withheld || c.Kept || r.hidden[key]):
			n.State = Held // of one that did not change, an attacker who knows that is the stronger one
		}
		n.Codes, n.Threshold = c.Codes, max(n.Threshold, 1)
		out.Counts = append(out.Counts, n)
	}
	return out, nil
}

// threshold is that of a count; of one that is published whatever it is, and so has none, the least of its table.
func (t *Table) threshold(n Count) int64 {
	if n.State != Forced {
		return n.Threshold
	}
	least := int64(0)
	for _, c := range t.Counts {
		if c.State != Forced && (least == 0 || c.Threshold < least) {
			least = c.Threshold
		}
	}
	return least
}

// revision applies what may be shown.
func (r *reviser) revision(all Change, names named) (*Revision, error) {
	out := &Revision{}
	lines := map[string]published.Difference{}
	for i := range r.before {
		t := r.before[i]
		t.Cells = slices.Clone(t.Cells)
		for j, c := range t.Cells {
			key := published.Key(t.Measure, t.Columns, c.Codes)
			switch {
			case c.Withheld:
				continue
			case c.Kept || r.hidden[key]:
				t.Cells[j].Kept = true
				out.Kept++
				continue
			}
			amount := r.amount(all, &t, c.Codes)
			t.Cells[j].Of = 0
			if t.Cells[j].Value += amount; t.Cells[j].Value < 0 {
				return nil, fmt.Errorf("table %s: %v was %d and lost %d", t.ID, c.Codes, c.Value, -amount)
			}
			if amount != 0 {
				l := published.Difference{Key: key, Before: c.Value, After: t.Cells[j].Value, By: map[string]int64{}, Other: amount}
				given := names.ofAll
				if r.totals[key] {
					given = names.ofTotals
				}
				for _, n := range given {
					l.By[n.Reason] = r.amount(n, &t, c.Codes)
					l.Other -= l.By[n.Reason]
				}
				lines[key] = l
			}
		}
		out.Tables = append(out.Tables, t)
	}
	for _, l := range lines {
		out.Differences = append(out.Differences, l)
	}
	slices.SortFunc(out.Differences, func(a, b published.Difference) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// amount is by how much a cell of a published table changed.
func (r *reviser) amount(c Change, t *published.Table, codes []string) (n int64) {
	if c.Added == nil {
		return 0
	}
	added, _ := tableOf(c.Added, t).find(codes, r.hierarchies)
	removed, _ := tableOf(c.Removed, t).find(codes, r.hierarchies)
	return added.Value - removed.Value
}
