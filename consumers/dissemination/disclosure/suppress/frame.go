package suppress

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/published"
)

// State is what must become of a cell, whatever else is withheld.
type State int

// The states of a cell.
const (
	// Free: the cell is published if that is safe.
	Free State = iota
	// Forced: the cell is published in any case, because it is a total or public already.
	Forced
	// Held: the cell is withheld in any case, because it was before.
	Held
	// Stale: the cell is withheld in any case, and need not be protected: what is published of it is an earlier count.
	Stale
)

// Count is one cell before disclosure control. It is internal: nothing of it but Value may become public.
type Count struct {
	Codes []string
	// Value is the count, Persons the number of distinct persons in it.
	Value, Persons int64
	// Threshold is the number of distinct persons from which the cell may be published.
	Threshold int64
	State     State
}

// Sensitive names a column that says something about people which must not be known of all of a group.
type Sensitive struct {
	Column string
	// Ignored are codes that say nothing, such as "not stated".
	Ignored []string
	// Of are the codes that a group must have in column OfColumn to be protected: minors.
	OfColumn string
	Of       []string
}

// Table is a table before disclosure control: every combination of the codes of its columns, zeros too.
type Table struct {
	ID, Measure string
	Columns     []string
	Counts      []Count
	Sensitive   []Sensitive
}

// Core is a cross that is not published, but through which published tables limit each other: the codes of each of its columns
// at the finest level at which two tables share them.
type Core struct {
	Measure string
	Columns []string
	Codes   [][]string
}

// Input is everything of which the public can know sums.
type Input struct {
	Tables      []Table
	Cores       []Core
	Hierarchies map[string]published.Hierarchy
	Join        Join
	// Strangers says that the public does not know who is in the tables: no attacker knows their own case.
	Strangers bool
	joined    map[[2]string][]string // by column and joined code, the codes that it was made of
}

// Join says which codes are joined where too few persons have one.
type Join struct {
	// With names, by column, the code that a code joins first: "not stated" joins the largest. Others join the next smallest.
	With map[string]map[string]string
	// Never is a column whose codes are not joined: time.
	Never string
}

// frame is the system of all cells of all tables. Its order does not depend on the order of the input.
type frame struct {
	audit.System
	keys  []string
	index map[string]int
	// persons, value and state are of each cell; primary are the cells that must not be published.
	persons, value []int64
	state          []State
	primary        []bool
	in             [][]int // the equations of each cell
}

// newFrame brings the tables into one system.
func newFrame(in *Input) (*frame, error) {
	f := &frame{index: map[string]int{}}
	counts := map[string]Count{}
	where := map[string]string{}
	for _, t := range in.Tables {
		for _, c := range t.Counts {
			if len(c.Codes) != len(t.Columns) {
				return nil, fmt.Errorf("table %s: %d codes for columns %s", t.ID, len(c.Codes), strings.Join(t.Columns, ", "))
			}
			k := published.Key(t.Measure, t.Columns, c.Codes)
			old, ok := counts[k]
			if ok && (old.Value != c.Value || old.Persons != c.Persons) {
				return nil, fmt.Errorf("cell %s: %d of %d persons in table %s, %d of %d in table %s", k, old.Value, old.Persons, where[k], c.Value, c.Persons, t.ID)
			}
			if c.Value < 0 || c.Persons < 0 || c.Persons > c.Value || c.Value > 0 && c.Persons == 0 {
				return nil, fmt.Errorf("table %s, cell %s: %d of %d persons", t.ID, k, c.Value, c.Persons)
			}
			c.Threshold, c.State = max(c.Threshold, old.Threshold), max(c.State, old.State)
			counts[k], where[k] = c, t.ID
		}
	}
	f.keys = slices.Sorted(maps.Keys(counts))
	for i, k := range f.keys {
		c := counts[k]
		f.index[k] = i
		f.persons, f.value, f.state = append(f.persons, c.Persons), append(f.value, c.Value), append(f.state, c.State)
		f.primary = append(f.primary, c.Persons > 0 && c.Persons < c.Threshold)
		f.Cells = append(f.Cells, audit.Cell{Value: c.Value, Withheld: c.State >= Held, Threshold: max(c.Threshold, 1)})
		if c.State == Stale {
			f.Cells[i].Threshold = 0
		}
	}
	for _, t := range in.Tables {
		f.addTable(in, &t)
	}
	cores := slices.SortedFunc(slices.Values(in.Cores), func(a, b Core) int {
		return cmp.Compare(fmt.Sprint(a.Measure, a.Columns, a.Codes), fmt.Sprint(b.Measure, b.Columns, b.Codes))
	})
	for _, c := range cores {
		f.addCore(in, &c)
	}
	return f, f.finish()
}

// codes returns the codes that the table has in column j.
func (t *Table) codes(j int) map[string]bool {
	have := map[string]bool{}
	for _, c := range t.Counts {
		have[c.Codes[j]] = true
	}
	return have
}

// addTable adds an equation for each cell and each column in which it is the sum of other cells of the table.
func (f *frame) addTable(in *Input, t *Table) {
	for j, column := range t.Columns {
		families := Families(in.Hierarchies[column], t.codes(j))
		for _, c := range t.Counts {
			parts, ok := families[c.Codes[j]]
			if !ok {
				continue
			}
			e := audit.Equation{Total: f.index[published.Key(t.Measure, t.Columns, c.Codes)]}
			codes, complete := slices.Clone(c.Codes), true
			for _, part := range parts {
				codes[j] = part
				i, there := f.index[published.Key(t.Measure, t.Columns, codes)]
				complete = complete && there
				e.Parts = append(e.Parts, i)
			}
			if complete {
				f.Equations = append(f.Equations, e)
				f.oneCategory(t, column, c, parts)
			}
		}
	}
}

// oneCategory makes cells primary that tell of a whole group what it is: all of it lies in one category of a sensitive column.
func (f *frame) oneCategory(t *Table, column string, group Count, parts []string) {
	j := slices.Index(t.Columns, column)
	for _, s := range t.Sensitive {
		of := slices.Index(t.Columns, s.OfColumn)
		if s.Column != column || group.Value == 0 || of < 0 || !slices.Contains(s.Of, group.Codes[of]) {
			continue
		}
		codes := slices.Clone(group.Codes)
		for _, part := range parts {
			codes[j] = part
			i := f.index[published.Key(t.Measure, t.Columns, codes)]
			if f.value[i] == group.Value && !slices.Contains(s.Ignored, part) {
				f.primary[i] = true
			}
		}
	}
}

// Families returns, for each code that a table has, the codes of the table of which it is the sum. A code whose parts do not
// all stand in the table has none.
func Families(h published.Hierarchy, have map[string]bool) map[string][]string {
	out := map[string][]string{}
	for code := range have {
		for p := h.Parent(code); p != ""; p = h.Parent(p) {
			if have[p] {
				out[p] = append(out[p], code)
				break
			}
		}
	}
	leaves := leavesOf(h)
	for total, parts := range out {
		slices.Sort(parts)
		if !covers(h, leaves, parts, total) {
			delete(out, total)
		}
	}
	return out
}

// leavesOf returns the codes that have no parts.
func leavesOf(h published.Hierarchy) map[string]bool {
	leaves := map[string]bool{}
	for code := range h {
		leaves[code] = true
	}
	for _, parent := range h {
		delete(leaves, parent)
	}
	return leaves
}

// covers reports whether parts have together everything that is in code.
func covers(h published.Hierarchy, leaves map[string]bool, parts []string, code string) bool {
	for leaf := range leaves {
		if h.Within(leaf, code) && !slices.ContainsFunc(parts, func(p string) bool { return h.Within(leaf, p) }) {
			return false
		}
	}
	return true
}

// addCore adds the cells of a core, which are not published, and for each cell of a table that only has columns of the core the
// equation that it is a sum of them.
func (f *frame) addCore(in *Input, core *Core) {
	var cells [][]string
	for codes := range product(core.Codes) {
		cells = append(cells, slices.Clone(codes))
		k := published.Key(core.Measure+" (core "+strings.Join(core.Columns, ",")+")", core.Columns, codes)
		f.index[k] = len(f.Cells)
		f.keys = append(f.keys, k)
		f.persons, f.value, f.state = append(f.persons, 0), append(f.value, 0), append(f.state, Held)
		f.primary = append(f.primary, false)
		f.Cells = append(f.Cells, audit.Cell{Withheld: true})
	}
	first := len(f.Cells) - len(cells)
	for _, t := range in.Tables {
		if t.Measure != core.Measure || !subset(t.Columns, core.Columns) {
			continue
		}
		finest := core.finest(in, &t)
		for _, c := range t.Counts {
			if !finest(c.Codes) {
				continue
			}
			e := audit.Equation{Total: f.index[published.Key(t.Measure, t.Columns, c.Codes)]}
			for i, codes := range cells {
				if core.within(in, codes, t.Columns, c.Codes) {
					e.Parts = append(e.Parts, first+i)
				}
			}
			if len(e.Parts) > 0 {
				f.Equations = append(f.Equations, e)
			}
		}
	}
}

// finest returns a function that reports whether a cell of the table is a sum of cells of the core, and not of other such cells of the table.
func (c *Core) finest(in *Input, t *Table) func(codes []string) bool {
	split := make([]map[string]bool, len(t.Columns)) // codes whose parts are coarse enough for the core
	whole := make([]map[string]bool, len(t.Columns)) // codes that are sums of codes of the core
	for j, column := range t.Columns {
		h := in.Hierarchies[column]
		core := c.Codes[slices.Index(c.Columns, column)]
		split[j], whole[j] = map[string]bool{}, map[string]bool{}
		leaves := leavesOf(h)
		for code := range t.codes(j) {
			inside := slices.DeleteFunc(slices.Clone(core), func(part string) bool { return !h.Within(part, code) })
			whole[j][code] = len(inside) > 0 && covers(h, leaves, inside, code)
		}
		for total, parts := range Families(h, t.codes(j)) {
			split[j][total] = !slices.ContainsFunc(parts, func(part string) bool { return !whole[j][part] })
		}
	}
	return func(codes []string) bool {
		for j, code := range codes {
			if split[j][code] || !whole[j][code] {
				return false
			}
		}
		return true
	}
}

// within reports whether a cell of the core is part of a cell of a table.
func (c *Core) within(in *Input, codes, columns, of []string) bool {
	for j, column := range columns {
		if !in.Hierarchies[column].Within(codes[slices.Index(c.Columns, column)], of[j]) {
			return false
		}
	}
	return true
}

// product yields every combination of codes. The slice is reused.
func product(codes [][]string) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		at := make([]string, len(codes))
		var walk func(j int) bool
		walk = func(j int) bool {
			if j == len(codes) {
				return yield(at)
			}
			for _, c := range codes[j] {
				at[j] = c
				if !walk(j + 1) {
					return false
				}
			}
			return true
		}
		walk(0)
	}
}

func subset(a, b []string) bool {
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

// finish orders the equations, drops those that stand there twice, and checks that counts add up.
func (f *frame) finish() error {
	for _, e := range f.Equations {
		slices.Sort(e.Parts)
	}
	order := func(a, b audit.Equation) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), slices.Compare(a.Parts, b.Parts))
	}
	slices.SortFunc(f.Equations, order)
	f.Equations = slices.CompactFunc(f.Equations, func(a, b audit.Equation) bool { return order(a, b) == 0 })
	f.in = make([][]int, len(f.Cells))
	for n, e := range f.Equations {
		var sum int64
		seen := true
		for _, p := range append([]int{e.Total}, e.Parts...) {
			f.in[p] = append(f.in[p], n)
			seen = seen && !f.Cells[p].Withheld
		}
		for _, p := range e.Parts {
			sum += f.value[p]
		}
		if seen && sum != f.value[e.Total] {
			return fmt.Errorf("cell %s is %d; its parts (%s …) sum to %d", f.keys[e.Total], f.value[e.Total], f.keys[e.Parts[0]], sum)
		}
	}
	return nil
}
