package lattice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	period "retorno/schemas/calendar"
)

// Text is the configuration as it was read.
func (l *Lattice) Text() []byte { return slices.Clone(l.text) }

// Class returns the class of releases of a status.
func (l *Lattice) Class(status string) (Class, bool) {
	for _, c := range l.Classes {
		if c.Status == status {
			return c, true
		}
	}
	return Class{}, false
}

// Select returns the tables and periods that releases of the class have. halfYear is the period of the release.
func (c Class) Select(tables []published.Table, halfYear string) (out []published.Table) {
	for _, t := range tables {
		kinds, ok := c.Tables[t.ID]
		if len(c.Tables) > 0 && !ok {
			continue
		}
		if ok {
			at := slices.Index(t.Columns, timeColumn)
			t.Cells = slices.DeleteFunc(slices.Clone(t.Cells), func(n published.Cell) bool { return !slices.Contains(kinds, kindOf(n.Codes[at], halfYear)) })
		}
		out = append(out, t)
	}
	return out
}

// Has reports whether releases of the class have a table.
func (c Class) Has(table string) bool {
	_, ok := c.Tables[table]
	return len(c.Tables) == 0 || ok
}

// Shows reports whether releases of the class have a cell of a table. halfYear is the period of the release.
func (c Class) Shows(halfYear string) suppress.Shown {
	return func(table string, columns, codes []string) bool {
		kinds, ok := c.Tables[table]
		return len(c.Tables) == 0 || ok && slices.Contains(kinds, kindOf(codes[slices.Index(columns, timeColumn)], halfYear))
	}
}

// kindOf is the kind of a period within a half-year: M, Q or S.
func kindOf(period, halfYear string) string {
	switch {
	case period == halfYear:
		return "S"
	case strings.Contains(period, "-Q"):
		return "Q"
	}
	return "M"
}

// Title is what a table is called in Spanish and in English; empty when there is no such table.
func (l *Lattice) Title(id string) (es, en string) {
	for _, t := range l.Tables {
		if t.ID == id {
			return t.ES, t.EN
		}
	}
	return "", ""
}

// Label is what a code of a column is called in Spanish and in English. A period is its own label; codes that were joined have
// those of all of them.
func (l *Lattice) Label(column, code string) (es, en string) {
	c, ok := l.Column(column)
	if !ok {
		return code, code
	}
	if code == published.Total {
		return "Total", "Total"
	}
	if label, ok := c.Label[code]; ok {
		return label[0], label[1]
	}
	var all [2][]string
	for _, one := range c.parts(code) {
		label, ok := c.Label[one]
		if !ok {
			label = [2]string{one, one}
		}
		all[0], all[1] = append(all[0], label[0]), append(all[1], label[1])
	}
	return strings.Join(all[0], " + "), strings.Join(all[1], " + ")
}

// parts are the codes that were joined under one; the code itself where none were.
func (c *Column) parts(code string) (all []string) {
	for code != "" {
		one, rest := c.first(code)
		all, code = append(all, one), rest
	}
	return all
}

// first cuts the first of the codes that were joined off: the longest that the column has, for a code may hold a plus sign itself.
func (c *Column) first(joined string) (code, rest string) {
	for known := range c.Label {
		after, ok := strings.CutPrefix(joined, known)
		if ok && (after == "" || after[0] == '+') && len(known) > len(code) {
			code, rest = known, strings.TrimPrefix(after, "+")
		}
	}
	if code == "" {
		code, rest, _ = strings.Cut(joined, "+")
	}
	return code, rest
}

// Least is the smallest threshold of the tables.
func (l *Lattice) Least() int64 {
	least := l.Tables[0].Threshold
	for _, t := range l.Tables {
		least = min(least, t.Threshold)
	}
	return least
}

// Joined are the hierarchies of the lattice with the codes that were joined in published tables of a half-year, as suppress.Plan made them.
// The error is of a half-year that has no such name.
func (l *Lattice) Joined(halfYear string, tables []published.Table) (map[string]published.Hierarchy, error) {
	time, err := calendar(halfYear)
	if err != nil {
		return nil, err
	}
	all := map[string]published.Hierarchy{timeColumn: time.hierarchy}
	for i := range l.Columns {
		c := &l.Columns[i]
		h := maps.Clone(c.Hierarchy)
		joined := c.joined(tables)
		for _, name := range slices.SortedFunc(maps.Keys(joined), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(joined[a]), len(joined[b])), cmp.Compare(a, b))
		}) {
			for _, part := range joined[name] {
				for h.Parent(part) != name && len(joined[h.Parent(part)]) > 0 { // joined before
					part = h.Parent(part)
				}
				if h.Parent(part) != name {
					h[name], h[part] = h.Parent(part), name
				}
			}
		}
		all[c.ID] = h
	}
	return all, nil
}

// joined are the codes of tables that were joined, with what they were made of.
func (c *Column) joined(tables []published.Table) map[string][]string {
	out := map[string][]string{}
	for _, t := range tables {
		j := slices.Index(t.Columns, c.ID)
		if j < 0 {
			continue
		}
		for _, cell := range t.Cells {
			code := cell.Codes[j]
			if _, known := c.Label[code]; known || code == published.Total {
				continue
			}
			if parts := c.parts(code); len(parts) > 1 {
				out[code] = parts
			}
		}
	}
	return out
}

// Check says what of the name of a cell the lattice does not have: the measure, a column, or a code of it.
func (l *Lattice) Check(measure string, columns, codes []string) error {
	if !slices.ContainsFunc(l.Measures, func(m Measure) bool { return m.ID == measure }) {
		return fmt.Errorf("there is no measure %q", measure)
	}
	for i, column := range columns {
		if column == timeColumn {
			if _, err := period.ParsePeriod(codes[i]); err != nil {
				return err
			}
			continue
		}
		c, ok := l.Column(column)
		if !ok {
			return fmt.Errorf("there is no column %q", column)
		}
		for _, code := range c.parts(codes[i]) {
			if _, ok := c.Label[code]; !ok && code != published.Total {
				return fmt.Errorf("column %s has no code %q", column, code)
			}
		}
	}
	return nil
}
