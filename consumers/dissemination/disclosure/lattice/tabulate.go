package lattice

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/calendar"
)

// TimeColumn is the column of periods that every table has.
const TimeColumn = "time_period"

// Measure is what the tables count.
const Measure = "returns"

// Fact is one return. Codes has one code for each of Attributes.
type Fact struct {
	Person [16]byte
	Day    calendar.Day
	Codes  []string
}

// Attributes are the names of what is needed of each fact, in the order of Fact.Codes. All but source are columns of
// ceniss.returns; source is "both", "registered" or "checkpoint", by which sources know the return.
func (l *Lattice) Attributes() []string {
	names := map[string]bool{}
	for _, c := range l.columns {
		names[c.of] = true
		if c.within != "" {
			names[c.within] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Tabulate counts the facts of a period into the tables that its vintage has: those of its kind of period and, within it, of the
// shorter kinds. provisional asks for the tables of provisional vintages instead. Facts of other days are left out. The error
// names a code that no list has.
func (l *Lattice) Tabulate(period calendar.Period, facts []Fact, provisional bool) (*suppress.Input, error) {
	names := l.Attributes()
	leaves := make([]placed, 0, len(facts))
	for _, f := range facts {
		if !period.Contains(f.Day) {
			continue
		}
		p := placed{person: f.Person, day: f.Day, at: map[string]*node{}}
		for name, c := range l.columns {
			inner := ""
			if c.within != "" {
				inner = f.Codes[slices.Index(names, c.within)]
			}
			outer := f.Codes[slices.Index(names, c.of)]
			if p.at[name] = c.leafOf(outer, inner); p.at[name] == nil {
				return nil, fmt.Errorf("a return of %s has %s %q, which the code list does not have: migrate, and publish with a program of this release", f.Day, c.of, outer)
			}
		}
		leaves = append(leaves, p)
	}
	// Person by person, so that one who is in a cell twice is counted once without a set of persons for each cell.
	slices.SortFunc(leaves, func(a, b placed) int { return bytes.Compare(a.person[:], b.person[:]) })
	in := &suppress.Input{Hierarchies: map[string]published.Hierarchy{TimeColumn: l.times(period)}}
	for name, c := range l.columns {
		in.Hierarchies[name] = c.hierarchy()
	}
	for _, t := range l.Tables {
		if t.Provisional != provisional {
			continue
		}
		cube := l.cube(t, period)
		if len(cube.times) == 0 {
			continue
		}
		cube.fill(leaves)
		if t.small != "" {
			cube.join(leaves, in.Hierarchies[t.small])
		}
		in.Tables = append(in.Tables, cube.table())
	}
	return in, nil
}

// placed is a fact with its leaf in each column.
type placed struct {
	person [16]byte
	day    calendar.Day
	at     map[string]*node
}

// times is the hierarchy of the periods within a period.
func (l *Lattice) times(period calendar.Period) published.Hierarchy {
	h := published.Hierarchy{}
	for day := period.First; day <= period.Last; day = day.Period(calendar.KindMonth).Last + 1 {
		label, quarter, half := day.Month(), day.Quarter(), day.HalfYear()
		switch period.Kind {
		case calendar.KindYear:
			h[half] = period.Label
			fallthrough
		case calendar.KindHalfYear:
			h[quarter] = half
			fallthrough
		case calendar.KindQuarter:
			h[label] = quarter
		}
	}
	return h
}

// hierarchy is the column's tree in its public form.
func (c *column) hierarchy() published.Hierarchy {
	h := published.Hierarchy{}
	c.walk(func(n *node) {
		if n.parent != nil {
			h[n.code] = n.parent.code
		}
	})
	return h
}

// timesOf are the labels of the periods of a table within a vintage's period. A year has its own cells only: the shorter periods
// are those of its half-years' vintages.
func (t *Table) timesOf(period calendar.Period) map[string]bool {
	all := map[string]bool{}
	for _, k := range t.Time {
		if kinds[k] != period.Kind && period.Kind == calendar.KindYear {
			continue
		}
		for at := period.First.Period(kinds[k]); at.First <= period.Last; at = at.Next() {
			if at.First >= period.First && at.Last <= period.Last {
				all[at.Label] = true
			}
		}
	}
	return all
}
