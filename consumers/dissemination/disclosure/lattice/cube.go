package lattice

import (
	"cmp"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/calendar"
)

// cube is a table while it is counted.
type cube struct {
	*Table
	least   thresholds
	columns []*column
	fixed   []*node // of where, by name of the column
	names   []string
	times   map[string]bool
	kinds   []string
	cells   map[string]*cell
	codes   []string         // of the cell at hand
	joined  map[*node]string // the code that stands for small ones
}

// cell is a count with those who are in it.
type cell struct {
	codes          []string // the period first
	value, persons int64
	last           [16]byte // who was counted last
	minors         bool
}

func (l *Lattice) cube(t *Table, period calendar.Period) *cube {
	c := &cube{Table: t, least: l.thresholds, times: t.timesOf(period), joined: map[*node]string{}}
	for _, name := range t.Columns {
		c.columns = append(c.columns, l.columns[name])
	}
	for name := range t.where {
		c.names = append(c.names, name)
	}
	slices.Sort(c.names)
	for _, name := range c.names {
		c.fixed = append(c.fixed, l.columns[name].find(t.where[name]))
	}
	for _, k := range t.Time {
		c.kinds = append(c.kinds, kinds[k])
	}
	c.codes = make([]string, 1+len(c.columns))
	return c
}

// fill counts facts, of which those of a person come one after the other.
func (c *cube) fill(facts []placed) {
	c.cells = map[string]*cell{}
	for at := range c.times {
		c.codes[0] = at
		c.empty(0, false)
	}
	for i := range facts {
		c.add(&facts[i])
	}
}

// code is the one under which a node is counted.
func (c *cube) code(n *node) string {
	if other := c.joined[n]; other != "" {
		return other
	}
	return n.code
}

// empty makes the cells of every combination of codes from the i-th column on.
func (c *cube) empty(i int, minors bool) {
	if i == len(c.columns) {
		for _, n := range c.fixed {
			minors = minors || n.minors
		}
		c.cells[strings.Join(c.codes, "\x00")] = &cell{codes: slices.Clone(c.codes), minors: minors}
		return
	}
	c.columns[i].walk(func(n *node) {
		if depth := c.depths[c.columns[i].name]; depth == 0 || n.depth <= depth {
			c.codes[1+i] = c.code(n)
			c.empty(i+1, minors || n.minors)
		}
	})
}

// add counts a fact in each cell that it is in.
func (c *cube) add(p *placed) {
	for i, n := range c.fixed {
		if !p.at[c.names[i]].in(n) {
			return
		}
	}
	for _, kind := range c.kinds {
		if c.codes[0] = p.day.Label(kind); c.times[c.codes[0]] {
			c.count(p, 0)
		}
	}
}

func (c *cube) count(p *placed, i int) {
	if i == len(c.columns) {
		into := c.cells[strings.Join(c.codes, "\x00")]
		if into.value == 0 || into.last != p.person {
			into.persons++
			into.last = p.person
		}
		into.value++
		return
	}
	depth := c.depths[c.columns[i].name]
	for n := p.at[c.columns[i].name]; n != nil; n = n.parent {
		if depth == 0 || n.depth <= depth {
			c.codes[1+i] = c.code(n)
			c.count(p, i+1)
		}
	}
}

// in reports whether the node is another one or a part of it.
func (n *node) in(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

// table is the counted table, with the codes that hold for all of it as columns of their own.
func (c *cube) table() suppress.Table {
	t := suppress.Table{ID: c.ID, Measure: Measure, Columns: append(append([]string{TimeColumn}, c.names...), c.Columns...)}
	for _, one := range c.cells {
		codes := []string{one.codes[0]}
		for _, n := range c.fixed {
			codes = append(codes, n.code)
		}
		count := suppress.Count{Codes: append(codes, one.codes[1:]...), Value: one.value, Persons: one.persons, Threshold: int64(c.Threshold)}
		if one.minors {
			count.Threshold = max(count.Threshold, int64(c.least.Minors))
		}
		t.Counts = append(t.Counts, count)
	}
	slices.SortFunc(t.Counts, func(a, b suppress.Count) int { return slices.Compare(a.Codes, b.Codes) })
	if c.sensitive != "" {
		for i, n := range c.fixed {
			if n.minors {
				t.Sensitive = append(t.Sensitive, suppress.Sensitive{Column: c.sensitive, Ignored: c.unstated(), OfColumn: c.names[i], Of: []string{n.code}})
			}
		}
	}
	return t
}

// unstated are the codes of the sensitive column that say nothing: a code list begins with its unknown code.
func (c *cube) unstated() []string {
	column := c.columns[slices.Index(c.Columns, c.sensitive)]
	return []string{column.root.parts[0].code}
}

// join makes one "other" of the codes of a parent that have too few persons. While that has too few itself, the next smallest
// joins it. Codes without anybody join as well, so that which codes stand by themselves tells nothing of the others.
func (c *cube) join(facts []placed, h published.Hierarchy) {
	column := c.columns[slices.Index(c.Columns, c.small)]
	left := map[*node][]*node{} // by parent, those that are not joined, smallest first
	column.walk(func(parent *node) {
		if parent.parent == nil || len(parent.parts) == 0 {
			return
		}
		parts := slices.Clone(parent.parts)
		persons := map[*node]int64{}
		for _, part := range parts {
			persons[part] = c.persons(part.code)
		}
		slices.SortFunc(parts, func(a, b *node) int {
			return cmp.Or(cmp.Compare(persons[a], persons[b]), strings.Compare(a.code, b.code))
		})
		for len(parts) > 0 && persons[parts[0]] < int64(c.Threshold) {
			c.joined[parts[0]] = parent.code + otherPart
			parts = parts[1:]
		}
		left[parent] = parts
	})
	for again := true; again; {
		again = false
		c.fill(facts)
		for parent, parts := range left {
			other := parent.code + otherPart
			if n := c.persons(other); n > 0 && n < int64(c.Threshold) && len(parts) > 0 {
				c.joined[parts[0]] = other
				left[parent], again = parts[1:], true
			}
		}
	}
	for n, other := range c.joined {
		delete(h, n.code)
		h[other] = n.parent.code
	}
}

// persons is how many there are in a code of the column that joins, over all others.
func (c *cube) persons(code string) (most int64) {
	i := 1 + slices.Index(c.Columns, c.small)
	for _, one := range c.cells {
		if one.codes[i] == code {
			most = max(most, one.persons)
		}
	}
	return most
}
