package suppress

import (
	"errors"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Revision is what may be published of a period again.
type Revision struct {
	// Tables have the cells of the tables before, in their order: with their new counts, kept, or withheld as before.
	Tables []published.Table
	// Changed is the number of lines with a new count, Kept the number of those that keep the one before.
	Changed, Kept int
}

// Revise corrects published tables by new counts. What was withheld stays withheld. The changes are tables too, and are protected like
// them: one of fewer persons than the threshold is not shown, nor what would tell of it; such cells keep their value. The totals that
// must be published are always corrected. If some counts became smaller, or no other change can be shown safely, nothing else is.
//
// Before and hierarchies are of the release before, old the counts from which it was made; in has the new counts, Count.Changed with them.
func Revise(before []published.Table, hierarchies map[string]published.Hierarchy, old, in *Input) (*Revision, error) {
	changes := &Input{Hierarchies: hierarchies, Cores: in.Cores}
	growing := true
	for i := range before {
		t, err := changesOf(&before[i], hierarchies, old, in)
		if err != nil {
			return nil, err
		}
		for _, c := range t.Counts {
			growing = growing && c.Value >= 0
		}
		changes.Tables = append(changes.Tables, *t)
	}
	var hidden func(key string) bool
	if growing {
		f, err := planChanges(changes)
		if err != nil && !errors.Is(err, ErrUnsafe) {
			return nil, err
		}
		if err == nil {
			hidden = func(key string) bool { return f[key] }
		}
	}
	out := &Revision{}
	for i, t := range before {
		t.Cells = slices.Clone(t.Cells)
		for j, c := range t.Cells {
			change := changes.Tables[i].Counts[j]
			keep := change.State != Forced
			if hidden != nil {
				keep = hidden(published.Key(t.Measure, t.Columns, c.Codes))
			}
			switch {
			case c.Withheld:
			case keep || c.Kept:
				t.Cells[j].Kept = true
				out.Kept++
			case change.Value != 0:
				t.Cells[j].Value += change.Value
				t.Cells[j].Kept = false
				out.Changed++
			}
		}
		out.Tables = append(out.Tables, t)
	}
	return out, nil
}

// planChanges returns which changes must not be shown, by key.
func planChanges(changes *Input) (map[string]bool, error) {
	r, err := plan(changes)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, t := range r.Tables {
		for _, c := range t.Cells {
			out[published.Key(t.Measure, t.Columns, c.Codes)] = c.Withheld
		}
	}
	return out, nil
}

// changesOf returns the table of the changes of a published table, cell by cell.
func changesOf(t *published.Table, hierarchies map[string]published.Hierarchy, old, in *Input) (*Table, error) {
	var tables [2]*Table
	for i, counts := range []*Input{old, in} {
		at := slices.IndexFunc(counts.Tables, func(n Table) bool { return n.ID == t.ID })
		if at < 0 || !slices.Equal(counts.Tables[at].Columns, t.Columns) {
			return nil, fmt.Errorf("table %s of the release before is not among the counts, or has other columns", t.ID)
		}
		tables[i] = &counts.Tables[at]
	}
	out := &Table{ID: t.ID, Measure: t.Measure, Columns: t.Columns}
	for _, c := range t.Cells {
		then, ok := tables[0].find(c.Codes, hierarchies)
		now, still := tables[1].find(c.Codes, hierarchies)
		if !ok || !still {
			return nil, fmt.Errorf("table %s has no old or no new count for %v", t.ID, c.Codes)
		}
		if !c.Withheld && !c.Kept && c.Value != then.Value {
			return nil, fmt.Errorf("table %s: %v was published as %d, and its count then was %d", t.ID, c.Codes, c.Value, then.Value)
		}
		change := Count{Codes: c.Codes, Value: now.Value - then.Value, Threshold: max(now.Threshold, 1), State: now.State}
		if change.Persons = now.Changed; change.Value == 0 {
			change.Persons = 0
		}
		if change.Persons == 0 {
			change.Persons = max(change.Value, 0)
		}
		switch {
		case change.Value != 0 && (c.Withheld || c.Kept):
			change.State = Held
		case c.Withheld || c.Kept:
			change.State = Free // an attacker who knows that it has not changed is the stronger one
		}
		if change.State == Forced {
			change.Threshold = 1
		}
		out.Counts = append(out.Counts, change)
	}
	return out, nil
}

// find returns the count of codes of a table; of codes that were joined since, the sum of the counts of the codes in them.
func (t *Table) find(codes []string, hierarchies map[string]published.Hierarchy) (Count, bool) {
	have := make([]map[string]bool, len(codes))
	for j := range codes {
		have[j] = t.codes(j)
	}
	out, found := Count{}, false
	for _, c := range t.Counts {
		same := true
		for j, code := range codes {
			h := hierarchies[t.Columns[j]]
			same = same && (c.Codes[j] == code || !have[j][code] && h.Within(c.Codes[j], code) && leaf(h, c.Codes[j], have[j]))
		}
		if same {
			out.Value, out.Persons, out.Changed = out.Value+c.Value, max(out.Persons, c.Persons), max(out.Changed, c.Changed)
			out.Threshold, out.State = max(out.Threshold, c.Threshold), max(out.State, c.State)
			found = true
		}
	}
	return out, found
}

// leaf reports whether no other code of a table is part of this one.
func leaf(h published.Hierarchy, code string, have map[string]bool) bool {
	for other := range have {
		if other != code && h.Within(other, code) {
			return false
		}
	}
	return true
}
