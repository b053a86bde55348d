package suppress

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
)

// A table of several columns with a cell of too few persons cannot be protected by withholding a few cells: each of them would have
// to be able to be 0, and a large neighbour is not. So its codes are joined first: the smallest code of the cell joins
// the next smallest beside it. Tables of one column are left as they are; in them a few cells suffice.

// coarsened returns the input with codes joined until no table of several columns has a cell of too few persons, where joining can help.
func coarsened(in *Input) *Input {
	out := &Input{Cores: in.Cores, Hierarchies: map[string]published.Hierarchy{}, Join: in.Join}
	for column, h := range in.Hierarchies {
		out.Hierarchies[column] = maps.Clone(h)
	}
	for _, t := range in.Tables {
		t.Counts = slices.SortedFunc(slices.Values(t.Counts), func(a, b Count) int { return slices.Compare(a.Codes, b.Codes) })
		out.Tables = append(out.Tables, t)
	}
	byID := make([]*Table, len(out.Tables))
	for i := range out.Tables {
		byID[i] = &out.Tables[i]
	}
	slices.SortFunc(byID, func(a, b *Table) int { return cmp.Compare(a.ID, b.ID) })
	for joined := true; joined; {
		joined = false
		for _, t := range byID {
			for t.several() && out.joinOne(t) {
				joined = true
			}
		}
	}
	return out
}

// several reports whether the table has several columns of more than one code.
func (t *Table) several() bool {
	n := 0
	for j := range t.Columns {
		if len(t.codes(j)) > 1 {
			n++
		}
	}
	return n > 1
}

// joinOne joins a code of the first cell of too few persons, and reports whether it did.
func (in *Input) joinOne(t *Table) bool {
	for _, c := range t.Counts {
		if c.Persons == 0 || c.Persons >= c.Threshold || c.State == Forced {
			continue
		}
		column, code, least := -1, "", int64(0)
		for j := range t.Columns {
			size, ok := in.joinable(t, j, c.Codes[j])
			if ok && (column < 0 || size < least) {
				column, code, least = j, c.Codes[j], size
			}
		}
		if column >= 0 {
			in.join(t, column, code)
			return true
		}
	}
	return false
}

// size is the largest count of a code in a table: its margin.
func (t *Table) size(j int, code string) int64 {
	var n int64
	for _, c := range t.Counts {
		if c.Codes[j] == code {
			n = max(n, c.Value)
		}
	}
	return n
}

// siblings returns the codes of the table right below the same code as this one, itself too, and the code
// above.
func (in *Input) siblings(t *Table, j int, code string) ([]string, string) {
	for above, parts := range Families(in.Hierarchies[t.Columns[j]], t.codes(j)) {
		if slices.Contains(parts, code) {
			return parts, above
		}
	}
	return nil, ""
}

// joinable reports whether a code can be joined with another, and how large it is.
func (in *Input) joinable(t *Table, j int, code string) (int64, bool) {
	parts, _ := in.siblings(t, j, code)
	ok := t.Columns[j] != in.Join.Never && in.free(t, j, code) && in.partner(t, j, code, parts) != ""
	return t.size(j, code), ok
}

// free reports whether a code has no parts in the table and no cell that must be published.
func (in *Input) free(t *Table, j int, code string) bool {
	if _, inner := Families(in.Hierarchies[t.Columns[j]], t.codes(j))[code]; inner {
		return false
	}
	return !slices.ContainsFunc(t.Counts, func(c Count) bool { return c.Codes[j] == code && c.State == Forced })
}

// join joins a code with its partner: the one that the configuration names, else the next smallest that can be joined. What was joined
// in another table is joined in the same way here, so that joined codes never overlap. If nothing else would be left beside them, all
// are left out, and the code above has them.
func (in *Input) join(t *Table, j int, code string) {
	h := in.Hierarchies[t.Columns[j]]
	parts, above := in.siblings(t, j, code)
	top := func(code string) string {
		for h.Parent(code) != above {
			code = h.Parent(code)
		}
		return code
	}
	name := top(code)
	if name == code {
		with := top(in.partner(t, j, code, parts))
		name = in.joint(t.Columns[j], code, with)
		h[name], h[code], h[with] = above, name, name
	}
	inside := func(c string) bool { return slices.Contains(parts, c) && h.Within(c, name) }
	if slices.ContainsFunc(parts, func(c string) bool { return !inside(c) }) {
		t.replace(j, inside, name)
	} else {
		t.replace(j, inside, "")
	}
}

// partner returns the code that a code joins, or "".
func (in *Input) partner(t *Table, j int, code string, parts []string) string {
	partner := ""
	for _, p := range parts {
		if p == code || !in.free(t, j, p) {
			continue
		}
		if p == in.Join.With[t.Columns[j]][code] {
			return p
		}
		if partner == "" || t.size(j, p) < t.size(j, partner) {
			partner = p
		}
	}
	return partner
}

// joint returns the code of codes that are joined, whatever the order in which they were.
func (in *Input) joint(column string, codes ...string) string {
	if in.joined == nil {
		in.joined = map[[2]string][]string{}
	}
	var all []string
	for _, code := range codes {
		if parts := in.joined[[2]string{column, code}]; parts != nil {
			all = append(all, parts...)
		} else {
			all = append(all, code)
		}
	}
	slices.Sort(all)
	name := strings.Join(slices.Compact(all), "+")
	in.joined[[2]string{column, name}] = slices.Compact(all)
	return name
}

// replace puts one code in the place of several; without a name it leaves them out. The persons of joined cells are taken to be those of the
// larger one: there are no fewer.
func (t *Table) replace(j int, gone func(code string) bool, name string) {
	var counts []Count
	at := map[string]int{}
	for _, c := range t.Counts {
		if !gone(c.Codes[j]) {
			counts = append(counts, c)
			continue
		}
		if name == "" {
			continue
		}
		c.Codes = slices.Clone(c.Codes)
		c.Codes[j] = name
		k := strings.Join(c.Codes, "|")
		if i, ok := at[k]; ok {
			old := &counts[i]
			old.Value, old.Persons = old.Value+c.Value, max(old.Persons, c.Persons)
			old.Threshold, old.State = max(old.Threshold, c.Threshold), max(old.State, c.State)
			continue
		}
		at[k] = len(counts)
		counts = append(counts, c)
	}
	t.Counts = slices.SortedFunc(slices.Values(counts), func(a, b Count) int { return slices.Compare(a.Codes, b.Codes) })
}
