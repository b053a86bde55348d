package suppress

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// tableOf finds the counts of a published table; nil where there are none of its columns.
func tableOf(in *Input, t *published.Table) *Table {
	for i := range in.Tables {
		if in.Tables[i].ID == t.ID && slices.Equal(in.Tables[i].Columns, t.Columns) {
			return &in.Tables[i]
		}
	}
	return nil
}

// whole reports whether a count sums over every column that has several codes, but for the one of time, of which it has the whole period.
func (t *Table) whole(c Count) bool {
	sums := 0
	for j, code := range c.Codes {
		if code == published.Total || len(t.codes(j)) == 1 {
			sums++
		}
	}
	return sums >= len(c.Codes)-1
}

// codesOf returns the codes that a published table has in column j.
func codesOf(t *published.Table, j int) map[string]bool {
	have := map[string]bool{}
	for _, c := range t.Cells {
		have[c.Codes[j]] = true
	}
	return have
}

// sumOf adds changes up. A person has one reason, so that persons add up too.
func sumOf(changes []Change) Change {
	out := Change{Added: &Input{}, Removed: &Input{}, Persons: map[string]int64{}}
	for i, c := range changes {
		for key, n := range c.Persons {
			out.Persons[key] += n
		}
		if i == 0 {
			out.Added, out.Removed = clone(c.Added), clone(c.Removed)
			continue
		}
		out.Added.add(c.Added)
		out.Removed.add(c.Removed)
	}
	return out
}

func clone(in *Input) *Input {
	out := *in
	out.Tables = slices.Clone(in.Tables)
	for i := range out.Tables {
		out.Tables[i].Counts = slices.Clone(in.Tables[i].Counts)
	}
	return &out
}

// add adds the counts of the same tables.
func (in *Input) add(more *Input) {
	for i := range in.Tables {
		for j := range in.Tables[i].Counts {
			c, m := &in.Tables[i].Counts[j], more.Tables[i].Counts[j]
			c.Value, c.Persons = c.Value+m.Value, c.Persons+m.Persons
			c.Threshold, c.State = max(c.Threshold, m.Threshold), max(c.State, m.State)
		}
	}
}

// find returns the count of codes of a table; of codes that were joined since, the sum of the counts of the codes in them.
func (t *Table) find(codes []string, hierarchies map[string]published.Hierarchy) (Count, bool) {
	if i := slices.IndexFunc(t.Counts, func(c Count) bool { return slices.Equal(c.Codes, codes) }); i >= 0 {
		return t.Counts[i], true
	}
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
			out.Value, out.Persons = out.Value+c.Value, max(out.Persons, c.Persons)
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
