package attack

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
)

// unlimited is the upper bound of a count of which nothing is known.
const unlimited = math.MaxInt64

// sum is the knowledge that one cell is the sum of others.
type sum struct {
	whole int
	parts []int
}

// view is what one vintage says: cells by key, with what is known of their counts, and which are sums of others.
type view struct {
	id        string
	vintage   *published.Vintage
	keys      []string
	index     map[string]int
	low, high []int64
	withheld  []bool
	told      map[int]bool // cells whose count the attacker has from elsewhere
	tops      map[int]bool // cells that are the whole of a table
	rounded   map[int]bool // cells whose count is published rounded
	shares    map[int]bool // cells of which percentages tell
	rest      map[int]bool // cells that no one publishes: what others publish leaves them of a published one
	threshold func(key string) int64

	hierarchies map[string]published.Hierarchy
	sums        []sum
}

// look reads a vintage.
func look(in *Input, vintage *published.Vintage) (*view, error) {
	v := &view{id: vintage.ID, vintage: vintage, index: map[string]int{}, told: map[int]bool{}, tops: map[int]bool{}, rounded: map[int]bool{}, rest: map[int]bool{}, shares: map[int]bool{}, threshold: in.threshold, hierarchies: vintage.Hierarchies}
	if v.hierarchies == nil {
		v.hierarchies = in.Hierarchies
	}
	for i := range vintage.Tables {
		t := &vintage.Tables[i]
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("vintage %s: %w", v.id, err)
		}
		for _, c := range t.Cells {
			n := v.cell(published.Key(t.Measure, t.Columns, c.Codes))
			if v.top(t, c) {
				v.tops[n] = true
			}
			if c.Withheld || c.Kept { // an earlier count says nothing of the one of now
				v.withheld[n] = c.Withheld
				continue
			}
			low, high := c.Value, c.Value
			if t.Base > 1 {
				low, high = max(0, c.Value-t.Base/2), c.Value+(t.Base-1)/2
				v.rounded[n] = true
			}
			if err := v.learn(n, low, high); err != nil {
				return nil, err
			}
		}
	}
	tables := slices.Clone(vintage.Tables)
	for _, k := range in.Known {
		n := v.cell(k.Key())
		if k.Value >= v.low[n] && k.Value <= v.high[n] { // else the count is of another vintage
			v.low[n], v.high[n], v.told[n] = k.Value, k.Value, true
		}
	}
	for _, k := range in.Known { // all of them are cells by now
		if v.told[v.index[k.Key()]] {
			tables = v.gather(tables, k)
		}
	}
	for i := range tables {
		v.addSums(&tables[i])
	}
	v.within(in)
	for _, s := range vintage.Shares {
		if err := v.addShare(&s); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// gather puts counts from elsewhere into tables of their own, one for each measure and columns, for they have sums, too, and puts the cells beside
// them there that come with them to a published one: the rest of it, which no one publishes. A code that is in no hierarchy is in no sum.
func (v *view) gather(tables []published.Table, k Known) []published.Table {
	for i, code := range k.Codes {
		if _, ok := v.hierarchies[k.Columns[i]][code]; !ok && code != published.Total {
			return tables
		}
	}
	id := "known " + strings.Join(k.Columns, " ")
	at := slices.IndexFunc(tables, func(t published.Table) bool { return t.ID == id && t.Measure == k.Measure })
	if at < 0 {
		at, tables = len(tables), append(tables, published.Table{ID: id, Measure: k.Measure, Columns: k.Columns})
	}
	t := &tables[at]
	add := func(codes []string) {
		if !slices.ContainsFunc(t.Cells, func(c published.Cell) bool { return slices.Equal(c.Codes, codes) }) {
			t.Cells = append(t.Cells, published.Cell{Codes: codes})
		}
	}
	add(k.Codes)
	for j, column := range k.Columns {
		h := v.hierarchies[column]
		codes := slices.Clone(k.Codes)
		codes[j] = h.Parent(codes[j])
		if _, whole := v.index[published.Key(k.Measure, k.Columns, codes)]; codes[j] == "" || !whole {
			continue
		}
		for _, beside := range h.Parts(codes[j]) {
			other := slices.Clone(codes)
			other[j] = beside
			if _, there := v.index[published.Key(k.Measure, k.Columns, other)]; !there {
				n := v.cell(published.Key(k.Measure, k.Columns, other))
				v.withheld[n], v.rest[n] = true, true
			}
			add(other)
		}
	}
	return tables
}

// top reports whether every other cell of a table is part of this one.
func (v *view) top(t *published.Table, c published.Cell) bool {
	for j, column := range t.Columns {
		for _, other := range t.Cells {
			if !v.hierarchies[column].Within(other.Codes[j], c.Codes[j]) {
				return false
			}
		}
	}
	return true
}

// cell returns the number of the cell of that key.
func (v *view) cell(key string) int {
	n, ok := v.index[key]
	if !ok {
		n = len(v.keys)
		v.index[key] = n
		v.keys, v.low, v.high, v.withheld = append(v.keys, key), append(v.low, 0), append(v.high, unlimited), append(v.withheld, false)
	}
	return n
}

// learn narrows what is known of a cell.
func (v *view) learn(n int, low, high int64) error {
	v.low[n], v.high[n] = max(v.low[n], low), min(v.high[n], high)
	if v.low[n] > v.high[n] {
		return fmt.Errorf("vintage %s: %s has two counts that cannot both be", v.id, v.keys[n])
	}
	return nil
}

// addSums finds the cells that are sums of cells of a table: along one column, the codes nearest below one that have,
// together, every finest code below it.
func (v *view) addSums(t *published.Table) {
	for j, column := range t.Columns {
		h := v.hierarchies[column]
		parts, below := map[int][]int{}, map[int]int{} // by the whole: its parts, and how many finest codes they have
		for _, c := range t.Cells {
			codes := slices.Clone(c.Codes)
			for p := h.Parent(c.Codes[j]); p != ""; p = h.Parent(p) {
				codes[j] = p
				whole, ok := v.index[published.Key(t.Measure, t.Columns, codes)]
				if !ok {
					continue
				}
				parts[whole] = append(parts[whole], v.index[published.Key(t.Measure, t.Columns, c.Codes)])
				if below[whole] += len(finest(h, c.Codes[j])); below[whole] == len(finest(h, p)) {
					v.sums = append(v.sums, sum{whole, parts[whole]})
				}
				break
			}
		}
	}
}

// finest returns the codes without parts that are part of code, or code itself if it has none.
func finest(h published.Hierarchy, code string) []string {
	inner := map[string]bool{}
	for c := range h {
		inner[h.Parent(c)] = true
	}
	if !inner[code] {
		return []string{code}
	}
	var out []string
	for c := range h {
		if !inner[c] && h.Within(c, code) {
			out = append(out, c)
		}
	}
	return out
}

// addShare learns of the part of a percentage whose base is known, or of the base if the part is: the share lies within half a unit of the
// last decimal.
func (v *view) addShare(s *published.Share) error {
	if s.Scale < 1 {
		return nil
	}
	base, part := v.cell(published.Key(s.Measure, s.Columns, s.Base)), v.cell(published.Key(s.Measure, s.Columns, s.Codes))
	v.shares[base], v.shares[part] = true, true
	unit := 200 * s.Scale
	// value - 1/2 <= 100 scale part / base <= value + 1/2
	if v.high[base] != unlimited {
		low, high := (2*s.Value-1)*v.low[base], (2*s.Value+1)*v.high[base]
		if err := v.learn(part, max(0, (low+unit-1)/unit), high/unit); err != nil {
			return err
		}
	}
	if v.high[part] == unlimited || s.Value < 1 {
		return nil
	}
	less, more := 2*s.Value+1, 2*s.Value-1
	return v.learn(base, (unit*v.low[part]+less-1)/less, unit*v.high[part]/more)
}
