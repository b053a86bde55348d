package lattice

import (
	"maps"
	"slices"
	"strings"
)

// timeColumn is the column of months, quarters and the half-year inside one half-year.
const timeColumn = "time_period"

// periods is the number of codes of each kind of time in a half-year.
var periods = map[string]int{"M": 6, "Q": 2}

// cores finds, for each measure, through which unpublished cross its tables limit each other. Tables whose columns form an acyclic family (in the sense of the
// reduction of Graham, and of Yu and Ozsoyoglu) limit each other only through the columns that neighbours share: any counts that agree there are the
// margins of one table (Dobra and Fienberg, PNAS 97/22, 2000). What the reduction leaves is covered by the cliques of a
// triangulation, which form such a family with the tables.
func (c *checker) cores() {
	for i, m := range c.l.Measures {
		family := c.l.family(m.ID)
		core := reduce(slices.Collect(maps.Values(family)))
		if len(core) == 0 {
			continue
		}
		cliques := c.cliques(m.ID, core)
		size, names := 0, []string{}
		for _, k := range cliques {
			size += k.size()
			names = append(names, strings.Join(k.Columns, " x "))
		}
		if size > c.l.CoreLimit {
			var tables []string
			for id, columns := range family {
				if slices.ContainsFunc(core, func(e []string) bool { return subset(e, columns) }) {
					tables = append(tables, id)
				}
			}
			slices.Sort(tables)
			c.fault([]any{"measures", i}, "tables %s of %s form a cycle through %s: a core of %d cells, over the limit of %d; take a column out of one of them",
				strings.Join(tables, ", "), m.ID, strings.Join(names, " and "), size, c.l.CoreLimit)
			continue
		}
		c.l.Cores = append(c.l.Cores, cliques...)
	}
}

// family returns the columns of each table of a measure, those that it restricts left out.
func (l *Lattice) family(measure string) map[string][]string {
	out := map[string][]string{}
	for _, t := range l.Tables {
		if t.Measure != measure || t.WithoutTotal {
			continue
		}
		var columns []string
		for _, name := range t.Levels {
			id, _, _ := strings.Cut(name, ".")
			columns = append(columns, id)
		}
		if t.kinds() != "S" {
			columns = append(columns, timeColumn)
		}
		slices.Sort(columns)
		out[t.ID] = columns
	}
	return out
}

// kinds returns the kinds of time that the table has inside a half-year, finest first.
func (t *Table) kinds() string {
	out := ""
	for _, kind := range []string{"M", "Q", "S"} {
		if slices.Contains(t.Time, kind) {
			out += kind
		}
	}
	return out
}

// reduce takes away columns that only one edge has and edges that lie within others, until nothing changes.
func reduce(edges [][]string) [][]string {
	for changed := true; changed; {
		changed = false
		count := map[string]int{}
		for _, e := range edges {
			for _, column := range e {
				count[column]++
			}
		}
		var kept [][]string
		for _, e := range edges {
			rest := slices.DeleteFunc(slices.Clone(e), func(column string) bool { return count[column] == 1 })
			changed = changed || len(rest) < len(e)
			kept = append(kept, rest)
		}
		edges = nil
		for i, e := range kept {
			inside := len(e) == 0
			for j, other := range kept {
				inside = inside || i != j && subset(e, other) && (len(e) < len(other) || i > j)
			}
			if inside {
				changed = true
			} else {
				edges = append(edges, e)
			}
		}
	}
	return edges
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(x string) bool { return !slices.Contains(b, x) })
}

// cliques covers the edges of a core by the cliques of a triangulation of the graph of its columns, if tables hold what
// neighbouring cliques share; else by all columns together.
func (c *checker) cliques(measure string, core [][]string) []Core {
	var columns []string
	for _, e := range core {
		columns = append(columns, e...)
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	linked := slices.Clone(core)
	rest := slices.Clone(columns)
	var out []Core
	for len(rest) > 0 {
		var best Core
		for _, column := range rest { // the column whose clique is smallest goes first
			k := c.core(measure, neighbours(linked, column))
			if best.Columns == nil || k.size() < best.size() {
				best = k
				best.Only = map[string]string{"": column}
			}
		}
		gone := best.Only[""]
		shared := slices.DeleteFunc(slices.Clone(best.Columns), func(x string) bool { return x == gone })
		if !slices.ContainsFunc(out, func(k Core) bool { return subset(best.Columns, k.Columns) }) {
			if len(out) > 0 && !c.l.holds(measure, shared) && len(shared) < len(rest)-1 {
				return []Core{c.restricted(c.core(measure, columns))}
			}
			best.Only = nil
			out = append(out, c.restricted(best))
		}
		linked = slices.DeleteFunc(linked, func(e []string) bool { return slices.Contains(e, gone) })
		linked = append(linked, shared)
		rest = slices.DeleteFunc(rest, func(x string) bool { return x == gone })
	}
	for _, k := range out { // each clique must meet the others in columns that a table has
		for _, other := range out {
			var shared []string
			for _, column := range k.Columns {
				if slices.Contains(other.Columns, column) {
					shared = append(shared, column)
				}
			}
			if len(shared) < len(k.Columns) && !c.l.holds(measure, shared) {
				return []Core{c.restricted(c.core(measure, columns))}
			}
		}
	}
	return out
}

// neighbours returns the columns that share an edge with column, and column itself.
func neighbours(edges [][]string, column string) []string {
	out := []string{column}
	for _, e := range edges {
		if slices.Contains(e, column) {
			out = append(out, e...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// holds reports whether a table has all of the columns.
func (l *Lattice) holds(measure string, columns []string) bool {
	for _, have := range l.family(measure) {
		if subset(columns, have) {
			return true
		}
	}
	return false
}

// core returns the cross of columns, each at the finest level that two tables share.
func (c *checker) core(measure string, columns []string) Core {
	k := Core{Measure: measure, Columns: columns, Codes: map[string][]string{}}
	for _, column := range columns {
		k.Codes[column] = c.l.shared(measure, column)
	}
	return k
}

// shared returns the codes of the second finest of the levels that tables have of a column; of time, the kind.
func (l *Lattice) shared(measure, column string) []string {
	var levels [][]string
	for _, t := range l.Tables {
		if t.Measure != measure {
			continue
		}
		if kind := t.kinds()[:1]; column == timeColumn && kind != "S" {
			levels = append(levels, slices.Repeat([]string{kind}, periods[kind]))
		}
		for _, name := range t.Levels {
			if col, codes, _ := l.level(name); col.ID == column {
				levels = append(levels, codes)
			}
		}
	}
	slices.SortStableFunc(levels, func(a, b []string) int { return len(b) - len(a) })
	return levels[min(1, len(levels)-1)]
}

// restricted adds the columns that each table within the core restricts to the same code.
func (c *checker) restricted(k Core) Core {
	k.Only = map[string]string{}
	for _, t := range c.l.Tables {
		if t.Measure == k.Measure && subset(c.l.family(k.Measure)[t.ID], k.Columns) {
			for column, code := range t.Only {
				if !slices.Contains(k.Columns, column) {
					k.Only[column] = code
				}
			}
		}
	}
	return k
}

func (k *Core) size() int {
	n := 1
	for _, codes := range k.Codes {
		n *= len(codes)
	}
	return n
}
