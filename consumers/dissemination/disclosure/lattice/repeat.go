package lattice

import (
	"fmt"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// Published returns the published tables of a half-year with what is needed to audit them again: the threshold of each cell, and the
// crosses that tables limit each other through. The error names a table that the lattice does not have.
func (l *Lattice) Published(halfYear string, tables []published.Table, hierarchies map[string]published.Hierarchy) (*suppress.Input, error) {
	time, err := calendar(halfYear)
	if err != nil {
		return nil, err
	}
	in := &suppress.Input{Hierarchies: hierarchies}
	measures := map[string]bool{}
	for _, p := range tables {
		at := slices.IndexFunc(l.Tables, func(t Table) bool { return t.ID == p.ID && t.Measure == p.Measure })
		if at < 0 {
			return nil, fmt.Errorf("the lattice has no table %s of %s", p.ID, p.Measure)
		}
		measures[p.Measure] = true
		out := suppress.Table{ID: p.ID, Measure: p.Measure, Columns: p.Columns}
		for _, c := range p.Cells {
			count := suppress.Count{Codes: c.Codes, Value: c.Value, Persons: c.Value, Threshold: l.threshold(&l.Tables[at], p.Columns, c.Codes, hierarchies)}
			if c.Withheld {
				count.State = suppress.Held
			}
			out.Counts = append(out.Counts, count)
		}
		in.Tables = append(in.Tables, out)
	}
	for _, k := range l.Cores {
		if measures[k.Measure] {
			in.Cores = append(in.Cores, k.of(time))
		}
	}
	return in, nil
}

// Thresholds are the numbers of distinct persons from which the cells of published tables may be published, by their keys. A table that
// the lattice does not have asks for nothing.
func (l *Lattice) Thresholds(tables []published.Table, hierarchies map[string]published.Hierarchy) map[string]int64 {
	out := map[string]int64{}
	for _, p := range tables {
		at := slices.IndexFunc(l.Tables, func(t Table) bool { return t.ID == p.ID && t.Measure == p.Measure })
		if at < 0 {
			continue
		}
		for _, c := range p.Cells {
			key := published.Key(p.Measure, p.Columns, c.Codes)
			out[key] = max(out[key], l.threshold(&l.Tables[at], p.Columns, c.Codes, hierarchies))
		}
	}
	return out
}

// threshold is the number of distinct persons from which a cell may be published.
func (l *Lattice) threshold(t *Table, columns, codes []string, hierarchies map[string]published.Hierarchy) int64 {
	for i, column := range columns {
		if col, ok := l.Column(column); ok && t.Minors > 0 && col.List == "age_group" && hierarchies[column].Within(codes[i], "minor") {
			return t.Minors
		}
	}
	return t.Threshold
}
