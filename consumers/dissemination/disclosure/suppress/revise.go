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

// Since is what changed since a vintage that is public.
type Since struct {
	Vintage uint64
	// Kept has the cells, by key, of which that vintage shows the count of an earlier one.
	Kept map[string]bool
	// Changes have the same tables, in the same order.
	Changes []Change
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

// Revise corrects published tables by what changed since each vintage before, the oldest first. What was withheld stays withheld. What was
// gained and what was lost since each are protected as if they were tables that are published: a change of fewer persons than the
// threshold is not shown, nor what would tell of it; such cells keep their count, until it has changed by enough. The total of a measure is
// always corrected. If nothing else can be shown safely, nothing else is.
//
// The changes are protected against those who do not know of themselves that they changed: what they say of others is little, and
// to protect each latecomer from the others would hide nearly everything.
//
// A reason is named if the same cells protect what it gained and lost, else in the lines of the totals alone; and only if least
// persons changed for it in each total that did. What is not named is among the others. Before and hierarchies are of the latest vintage. An
// error names a cell of it that the changes do not have.
func Revise(before []published.Table, hierarchies map[string]published.Hierarchy, since []Since, shown Shown, least int64) (*Revision, error) {
	out := &Revision{Tables: slices.Clone(before)}
	measures := map[string][]int{} // the places of their tables
	for i, t := range before {
		measures[t.Measure] = append(measures[t.Measure], i)
	}
	for _, measure := range slices.Sorted(maps.Keys(measures)) {
		r := &reviser{hierarchies: hierarchies, least: least}
		for _, s := range since {
			r.since = append(r.since, step{Since: s, all: sumOf(s.Changes)})
		}
		for _, i := range measures[measure] {
			r.before = append(r.before, before[i])
		}
		one, err := r.revise(shown)
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
func (r *reviser) revise(shown Shown) (*Revision, error) {
	for tables := len(r.before); ; tables-- {
		r.begin(shown, tables)
		err := r.hide()
		if errors.Is(err, ErrUnsafe) && tables > 0 {
			continue
		}
		if errors.Is(err, ErrUnsafe) {
			r.hideOthers()
		} else if err != nil {
			return nil, err
		}
		return r.revision()
	}
}

// begin begins with only the first tables corrected.
func (r *reviser) begin(shown Shown, tables int) {
	r.shown, r.revised, r.columns = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range r.before[:tables] {
		for _, c := range t.Cells {
			if shown(t.ID, t.Columns, c.Codes) {
				r.show(&t, c)
			}
		}
	}
	if tables == len(r.before) {
		r.findTotals()
	}
	r.hidden = map[string]bool{}
	for i := range r.since {
		r.since[i].small = map[string]bool{}
		r.hideSmall(&r.since[i])
	}
}

// step is what changed since one vintage, all in all, and which cells changed by little.
type step struct {
	Since
	all   Change
	small map[string]bool
}

// reviser holds which changes of a measure must not be shown. Its maps are by the key of a cell.
type reviser struct {
	since       []step
	before      []published.Table
	hierarchies map[string]published.Hierarchy
	least       int64
	shown       map[string]bool // may show a change
	revised     map[string]bool // the tables of these
	columns     map[string]bool // and their columns
	totals      map[string]bool // always show it
	stale       map[string]bool // never do, and need no protection: the wider totals
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

// hideSmall hides changes by fewer persons than the threshold, and those whose amount is smaller, however many persons they are of: only the
// amount is seen.
func (r *reviser) hideSmall(s *step) {
	for i := range r.before {
		t := &r.before[i]
		from := tableOf(s.all.Added, t)
		if from == nil {
			continue
		}
		for _, c := range t.Cells {
			n, _ := from.find(c.Codes, r.hierarchies)
			key := published.Key(t.Measure, t.Columns, c.Codes)
			amount, persons, least := r.amount(s.all, t, c.Codes), s.all.Persons[key], from.threshold(n)
			if !s.Kept[key] && (amount != 0 && max(amount, -amount) < least || persons > 0 && persons < least) && !r.totals[key] && !r.stale[key] {
				r.hidden[key], s.small[key] = true, true
			}
		}
	}
}

// hide hides changes until what is shown of the gains and of the losses is safe. The error wraps ErrUnsafe where that cannot be.
func (r *reviser) hide() error {
	for grown := true; grown; {
		grown = false
		for i := range r.since {
			s := &r.since[i]
			for _, in := range []*Input{s.all.Added, s.all.Removed} {
				hidden, err := r.unsafe(s, in)
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

// unsafe returns the cells of gains or losses since a vintage that must not be shown beside the others. What that vintage does not show of its
// own is hidden anyway.
func (r *reviser) unsafe(s *step, in *Input) ([]string, error) {
	system := &Input{Hierarchies: r.hierarchies, Cores: in.Cores, Strangers: true}
	for i := range r.before {
		t, err := r.part(&r.before[i], s, in)
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
			if key := published.Key(t.Measure, t.Columns, c.Codes); c.Withheld && !s.Kept[key] {
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}

// part is what the cells of a published table gained or lost that what is shown could tell of: those that may be shown; and, of a table
// of which nothing may be, all, if each of its columns is one of those. A column of which nothing is shown leaves a cell free: who changed
// may have any code of it.
func (r *reviser) part(t *published.Table, s *step, in *Input) (*Table, error) {
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
		case shown && !c.Withheld && !s.Kept[key] && !r.hidden[key]:
		case n.Value != 0 && (n.Persons < n.Threshold || s.small[key]):
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
func (r *reviser) revision() (*Revision, error) {
	out := &Revision{}
	names := make([]*named, len(r.since))
	found := map[string]published.Difference{}
	for i := range r.before {
		t := r.before[i]
		t.Cells = slices.Clone(t.Cells)
		for j, c := range t.Cells {
			key := published.Key(t.Measure, t.Columns, c.Codes)
			if c.Withheld {
				continue
			}
			base := slices.IndexFunc(r.since, func(s step) bool { return s.Vintage == c.Of })
			if base < 0 || r.hidden[key] || r.stale[key] || !r.totals[key] && !r.shown[key] {
				t.Cells[j].Kept = true
				out.Kept++
				continue
			}
			amount := r.amount(r.since[base].all, &t, c.Codes)
			t.Cells[j].Of, t.Cells[j].Kept = 0, false
			if t.Cells[j].Value += amount; t.Cells[j].Value < 0 {
				return nil, fmt.Errorf("table %s: %v was %d and lost %d", t.ID, c.Codes, c.Value, -amount)
			}
			if amount == 0 {
				continue
			}
			if names[base] == nil {
				n, err := r.name(&r.since[base])
				if err != nil {
					return nil, err
				}
				names[base] = &n
			}
			found[key] = r.difference(key, &t, c, amount, names[base])
		}
		out.Tables = append(out.Tables, t)
	}
	out.Differences = slices.Collect(maps.Values(found))
	return out, nil
}

// difference is what a cell changed by since the vintage that its count is of.
func (r *reviser) difference(key string, t *published.Table, c published.Cell, amount int64, names *named) published.Difference {
	d := published.Difference{Key: key, Before: c.Value, After: c.Value + amount, By: map[string]int64{}, Other: amount}
	given := names.ofAll
	if r.totals[key] {
		given = names.ofTotals
	}
	for _, n := range given {
		if part := r.amount(n, t, c.Codes); part != 0 {
			d.By[n.Reason] = part
			d.Other -= part
		}
	}
	return d
}

// amount is by how much a cell of a published table changed.
func (r *reviser) amount(c Change, t *published.Table, codes []string) (n int64) {
	added, _ := tableOf(c.Added, t).find(codes, r.hierarchies)
	removed, _ := tableOf(c.Removed, t).find(codes, r.hierarchies)
	return added.Value - removed.Value
}
