package suppress

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Change is what the counts of a release gained and lost for one reason: the events that were not in it, and those that are in it no
// more. An event of which a code changed is lost with the old code and gained with the new one.
type Change struct {
	Reason         string // "" is never named
	Added, Removed *Input
	// Persons is by how many distinct persons each cell of the release changed, by its key. A person who was lost and gained in it did not
	// change it.
	Persons map[string]int64
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

// Shown reports whether a revision may change a cell of a table. What it may not keeps its count.
type Shown func(table string, columns, codes []string) bool

// Revise corrects published tables by what changed since. What was withheld stays withheld, and what was kept stays kept. What was gained
// and what was lost are protected as if they were tables that are published: a change of fewer persons than the threshold is
// not shown, nor what would tell of it; such cells keep their count. The total of a measure is always corrected. If nothing else
// can be shown safely, nothing else is.
//
// The changes are protected against those who do not know of themselves that they changed: what they say of others is little, and
// to protect each latecomer from the others would hide nearly everything.
//
// A reason is named if the same cells protect what it gained and lost, else in the lines of the totals alone; and only if least
// persons changed for it in each total that did. What is not named is among the others. Changes have the same tables, in the same order. Before and hierarchies are of the release before. An error
// names a cell of the release before that the changes do not have.
func Revise(before []published.Table, hierarchies map[string]published.Hierarchy, changes []Change, shown Shown, least int64) (*Revision, error) {
	out := &Revision{Tables: slices.Clone(before)}
	if len(changes) == 0 {
		return out, nil
	}
	measures := map[string][]int{} // the places of their tables
	for i, t := range before {
		measures[t.Measure] = append(measures[t.Measure], i)
	}
	for _, measure := range slices.Sorted(maps.Keys(measures)) {
		r := &reviser{hierarchies: hierarchies, least: least}
		for _, i := range measures[measure] {
			r.before = append(r.before, before[i])
		}
		one, err := r.revise(changes, shown)
		if err != nil {
			return nil, err
		}
		for n, i := range measures[measure] {
			out.Tables[i] = one.Tables[n]
		}
		out.Kept += one.Kept
		out.Differences = append(out.Differences, one.Differences...)
	}
	slices.SortFunc(out.Differences, func(a, b published.Difference) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

// revise corrects the tables of one measure: measures are counted apart, and tell nothing of each other. Where what may be shown cannot
// be protected, the last table is not corrected.
func (r *reviser) revise(changes []Change, shown Shown) (*Revision, error) {
	all := sumOf(changes)
	for tables := len(r.before); ; tables-- {
		r.begin(all, shown, tables)
		err := r.hide(all)
		if errors.Is(err, ErrUnsafe) && tables > 0 {
			continue
		}
		if errors.Is(err, ErrUnsafe) {
			r.hideOthers()
		} else if err != nil {
			return nil, err
		}
		names, err := r.name(changes)
		if err != nil {
			return nil, err
		}
		return r.revision(all, names)
	}
}

// begin begins with only the first tables corrected.
func (r *reviser) begin(all Change, shown Shown, tables int) {
	r.shown, r.revised, r.columns = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range r.before[:tables] {
		for _, c := range t.Cells {
			if shown(t.ID, t.Columns, c.Codes) {
				r.show(&t, c)
			}
		}
	}
	if tables == len(r.before) {
		r.findTotals(all)
	}
	r.hidden, r.small = map[string]bool{}, map[string]bool{}
	r.hideSmall(all)
}

// reviser holds which changes of a measure must not be shown. Its maps are by the key of a cell.
type reviser struct {
	before      []published.Table
	hierarchies map[string]published.Hierarchy
	least       int64
	shown       map[string]bool // may show a change
	revised     map[string]bool // the tables of these
	columns     map[string]bool // and their columns
	totals      map[string]bool // always show it
	stale       map[string]bool // never do, and need no protection: the wider totals
	small       map[string]bool // have changed by little, all in all
	hidden      map[string]bool
	totalsOnly  bool // nothing else may be shown
}

// show notes that a cell may show a change.
func (r *reviser) show(t *published.Table, c published.Cell) {
	r.shown[published.Key(t.Measure, t.Columns, c.Codes)] = true
	r.revised[t.ID] = true
	for _, column := range t.Columns {
		r.columns[column] = true
	}
}

// findTotals finds the totals that are always corrected: the one that most tables have, and those wider ones that differ from it by
// nothing or by enough persons.
func (r *reviser) findTotals(all Change) {
	r.totals, r.stale = map[string]bool{}, map[string]bool{}
	type total struct {
		key          string
		tables       int
		gained, lost int64
	}
	found := map[string]*total{}
	for i := range r.before {
		gained, lost := tableOf(all.Added, &r.before[i]), tableOf(all.Removed, &r.before[i])
		if gained == nil || !r.revised[gained.ID] {
			continue
		}
		for n, c := range gained.Counts {
			if c.State != Forced || !gained.whole(c) {
				continue
			}
			key := published.Key(gained.Measure, gained.Columns, c.Codes)
			if found[key] == nil {
				found[key] = &total{key: key, gained: c.Value, lost: lost.Counts[n].Value}
			}
			found[key].tables++
		}
	}
	order := slices.SortedFunc(maps.Values(found), func(a, b *total) int {
		return cmp.Or(cmp.Compare(b.tables, a.tables), cmp.Compare(len(b.key), len(a.key)), cmp.Compare(a.key, b.key))
	})
	enough := func(a, b int64) bool { return a == b || max(a-b, b-a) >= r.least }
	for i, t := range order {
		if slices.ContainsFunc(order[:i], func(o *total) bool { return r.totals[o.key] && !(enough(t.gained, o.gained) && enough(t.lost, o.lost)) }) {
			r.stale[t.key] = true
		} else {
			r.totals[t.key] = true
		}
	}
	r.addRests()
}

// addRests makes totals of what others give away: a part of a total of which all other parts are totals.
func (r *reviser) addRests() {
	for i := range r.before {
		t := &r.before[i]
		if !r.revised[t.ID] {
			continue
		}
		for _, whole := range t.Cells {
			if !r.totals[published.Key(t.Measure, t.Columns, whole.Codes)] {
				continue
			}
			for j, column := range t.Columns {
				var open []string
				parts := Families(r.hierarchies[column], codesOf(t, j))[whole.Codes[j]]
				for _, part := range parts {
					codes := slices.Clone(whole.Codes)
					codes[j] = part
					if key := published.Key(t.Measure, t.Columns, codes); !r.totals[key] {
						open = append(open, key)
					}
				}
				if len(open) == 1 && len(parts) > 1 {
					r.totals[open[0]] = true
				}
			}
		}
	}
}

// hideSmall hides changes by fewer persons than the threshold, and those whose amount is smaller, however many persons they are of: only the
// amount is seen.
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
			amount, persons, least := r.amount(all, t, c.Codes), all.Persons[key], from.threshold(n)
			if (amount != 0 && max(amount, -amount) < least || persons > 0 && persons < least) && !r.totals[key] && !r.stale[key] {
				r.hidden[key], r.small[key] = true, true
			}
		}
	}
}

// hide hides changes until what is shown of the gains and of the losses is safe. The error wraps ErrUnsafe where that cannot be.
func (r *reviser) hide(all Change) error {
	for grown := true; grown; {
		grown = false
		for _, in := range []*Input{all.Added, all.Removed} {
			hidden, err := r.unsafe(in)
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
	system := &Input{Hierarchies: r.hierarchies, Cores: in.Cores, Strangers: true}
	for i := range r.before {
		t, err := r.part(&r.before[i], in)
		if err != nil {
			return nil, err
		}
		if len(t.Counts) > 0 {
			system.Tables = append(system.Tables, *t)
		}
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

// part is what the cells of a published table gained or lost that what is shown could tell of: those that may be shown; and, of a table
// of which nothing may be, all, if each of its columns is one of those. A column of which nothing is shown leaves a cell free: who changed
// may have any code of it.
func (r *reviser) part(t *published.Table, in *Input) (*Table, error) {
	from := tableOf(in, t)
	if from == nil {
		return nil, fmt.Errorf("table %s of the release before is not among the changes, or has other columns", t.ID)
	}
	out := &Table{ID: t.ID, Measure: t.Measure, Columns: t.Columns}
	if !r.revised[t.ID] && slices.ContainsFunc(t.Columns, func(c string) bool { return !r.columns[c] }) {
		return out, nil
	}
	for _, c := range t.Cells {
		key := published.Key(t.Measure, t.Columns, c.Codes)
		shown := r.shown[key]
		if r.revised[t.ID] && !shown && !r.totals[key] {
			continue
		}
		n, ok := from.find(c.Codes, r.hierarchies)
		if !ok {
			return nil, fmt.Errorf("table %s: nothing says how %v changed", t.ID, c.Codes)
		}
		n.Codes, n.Threshold = c.Codes, max(from.threshold(n), 1)
		switch n.State = Free; {
		case r.totals[key]:
			n.State, n.Threshold = Forced, 1
		case r.stale[key]:
			n.State = Stale
		case shown && !c.Withheld && !c.Kept && !r.hidden[key]:
		case n.Value != 0 && (n.Persons < n.Threshold || r.small[key]):
			n.State = Held
		default:
			n.State = Stale // not shown, but no harm if it were
		}
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
			case c.Kept || r.hidden[key] || r.stale[key] || !r.totals[key] && !r.shown[key]:
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
					if amount := r.amount(n, &t, c.Codes); amount != 0 {
						l.By[n.Reason] = amount
						l.Other -= amount
					}
				}
				lines[key] = l
			}
		}
		out.Tables = append(out.Tables, t)
	}
	for _, l := range lines {
		out.Differences = append(out.Differences, l)
	}
	return out, nil
}

// amount is by how much a cell of a published table changed.
func (r *reviser) amount(c Change, t *published.Table, codes []string) (n int64) {
	added, _ := tableOf(c.Added, t).find(codes, r.hierarchies)
	removed, _ := tableOf(c.Removed, t).find(codes, r.hierarchies)
	return added.Value - removed.Value
}
