package lattice

import (
	"slices"
	"strings"
)

// minimum is the smallest threshold that a lattice may have, in persons.
const minimum = 3

func (c *checker) check() {
	unique(c, "measures", c.l.Measures, func(m Measure) string { return m.ID })
	unique(c, "columns", c.l.Columns, func(m Column) string { return m.ID })
	unique(c, "tables", c.l.Tables, func(m Table) string { return m.ID })
	unique(c, "classes", c.l.Classes, func(m Class) string { return m.ID })
	if c.l.Version == "" {
		c.fault(nil, "a lattice needs a version")
	}
	for i, m := range c.l.Measures {
		if m.ES == "" || m.EN == "" {
			c.fault([]any{"measures", i}, "measure %s needs a label in Spanish (es) and in English (en)", m.ID)
		}
	}
	for i := range c.l.Columns {
		c.column(i)
	}
	for i := range c.l.Tables {
		c.table(i)
	}
	for i := range c.l.Classes {
		c.class(i)
	}
	if len(c.faults) == 0 {
		c.cores()
	}
}

func unique[T any](c *checker, section string, all []T, id func(T) string) {
	seen := map[string]bool{}
	for i, x := range all {
		if id(x) == "" || seen[id(x)] {
			c.fault([]any{section, i}, "%s: id %q is empty or stands there twice", section, id(x))
		}
		seen[id(x)] = true
	}
}

// table checks one table.
func (c *checker) table(i int) {
	t := c.l.Tables[i]
	at := []any{"tables", i}
	if !slices.ContainsFunc(c.l.Measures, func(m Measure) bool { return m.ID == t.Measure }) {
		c.fault(at, "table %s: there is no measure %q", t.ID, t.Measure)
	}
	if t.ES == "" || t.EN == "" {
		c.fault(at, "table %s needs a title in Spanish (es) and in English (en)", t.ID)
	}
	if t.Threshold < minimum || t.Minors != 0 && t.Minors < t.Threshold {
		c.fault(at, "table %s: thresholds are %d persons at least, those of minors not lower; this has %d and %d", t.ID, minimum, t.Threshold, t.Minors)
	}
	seen := map[string]bool{}
	var codes []string
	for _, name := range t.Levels {
		col, in, ok := c.l.level(name)
		if !ok {
			c.fault(at, "table %s: there is no level %q", t.ID, name)
			continue
		}
		if _, restricted := t.Only[col.ID]; seen[col.ID] || restricted {
			c.fault(at, "table %s: column %s stands there twice", t.ID, col.ID)
		}
		seen[col.ID] = true
		codes = append(codes, in...)
	}
	for column, code := range t.Only {
		if col, ok := c.l.Column(column); !ok || col.Hierarchy[code] == "" {
			c.fault(at, "table %s: column %s has no group %q", t.ID, column, code)
		}
	}
	for _, code := range t.Always {
		if !slices.Contains(codes, code) {
			c.fault(at, "table %s: always names %s, which is no code of it", t.ID, code)
		}
	}
	for _, kind := range t.Time {
		if !strings.Contains("MQSA", kind) || len(kind) != 1 {
			c.fault(at, "table %s: time %q; expected M, Q, S or A", t.ID, kind)
		}
	}
	if t.Within != "" && !slices.ContainsFunc(c.l.Tables, func(o Table) bool { return o.ID == t.Within && o.ID != t.ID && slices.Equal(o.Levels, t.Levels) }) {
		c.fault(at, "table %s: within names %s, which is no other table of the same levels", t.ID, t.Within)
	}
	if !slices.Contains(t.Time, "S") {
		c.fault(at, "table %s: every table has its half-year (time S), through which tables are linked", t.ID)
	}
}

// class checks one class of releases.
func (c *checker) class(i int) {
	k := c.l.Classes[i]
	at := []any{"classes", i}
	if !slices.Contains([]string{"provisional", "final", "revision"}, k.Status) {
		c.fault(at, "class %s: status %q; expected provisional, final or revision", k.ID, k.Status)
	}
	if k.Base < 1 || k.Status == "provisional" && k.Base < 10 {
		c.fault(at, "class %s: base %d; provisional figures are rounded to 10 at least, others to 1", k.ID, k.Base)
	}
	for id, kinds := range k.Tables {
		n := slices.IndexFunc(c.l.Tables, func(t Table) bool { return t.ID == id })
		if n < 0 {
			c.fault(at, "class %s: there is no table %s", k.ID, id)
			continue
		}
		for _, kind := range kinds {
			if !slices.Contains(c.l.Tables[n].Time, kind) {
				c.fault(at, "class %s: table %s is not made by %s", k.ID, id, kind)
			}
		}
	}
}
