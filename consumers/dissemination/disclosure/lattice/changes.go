package lattice

import (
	"cmp"
	"fmt"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Shift is by how much a cell changed, and by how many distinct persons. A person who was lost and gained in the same cell did not
// change it.
type Shift struct {
	Amount, Persons int64
	// Threshold is the number of persons from which something may be said of them.
	Threshold int64
}

// Shifts counts what the cells of all tables gained and lost, by published.Key. Added and removed are of the same measure, and neither
// their order nor that of their rows matters. It returns an error for a code or a month that the lattice does not know.
func (l *Lattice) Shifts(halfYear string, added, removed Data) (map[string]Shift, error) {
	time, err := calendar(halfYear)
	if err != nil {
		return nil, err
	}
	rows := byPerson(added, removed)
	out, hierarchies := map[string]Shift{}, l.hierarchies()
	for i := range l.Tables {
		t := &l.Tables[i]
		if t.Measure != added.Measure {
			continue
		}
		axes, err := l.axes(t, time, added.Columns)
		if err != nil {
			return nil, err
		}
		var columns []string
		for _, a := range axes {
			columns = append(columns, a.column)
		}
		here, err := l.shifts(t, axes, rows)
		if err != nil {
			return nil, err
		}
		for cell, s := range here {
			codes := codesOf(axes, cell)
			key := published.Key(t.Measure, columns, codes)
			s.Threshold = l.threshold(t, columns, codes, hierarchies)
			if o, ok := out[key]; ok {
				s.Threshold = min(s.Threshold, o.Threshold)
			}
			out[key] = s
		}
	}
	return out, nil
}

// Changed counts by how many distinct persons each cell of published tables changed, by published.Key. Hierarchies are those of Joined. It returns
// an error for a code or a month that the lattice does not know.
func (l *Lattice) Changed(tables []published.Table, hierarchies map[string]published.Hierarchy, added, removed Data) (map[string]int64, error) {
	rows := byPerson(added, removed)
	out := map[string]int64{}
	for i := range tables {
		t := &tables[i]
		if t.Measure != added.Measure || len(rows) == 0 {
			continue
		}
		axes, err := l.publishedAxes(t, hierarchies, added.Columns, rows)
		if err != nil {
			return nil, err
		}
		shifts, err := l.shifts(&Table{ID: t.ID}, axes, rows)
		if err != nil {
			return nil, err
		}
		for cell, s := range shifts {
			out[published.Key(t.Measure, t.Columns, codesOf(axes, cell))] = s.Persons
		}
	}
	return out, nil
}

// publishedAxes are the columns of a published table, whose codes may be joined.
func (l *Lattice) publishedAxes(t *published.Table, hierarchies map[string]published.Hierarchy, columns []string, rows []signed) ([]axis, error) {
	var out []axis
	for j, column := range t.Columns {
		a := axis{column: column, in: map[string][]int{}, source: slices.Index(columns, column)}
		for _, c := range t.Cells {
			if !slices.Contains(a.codes, c.Codes[j]) {
				a.codes = append(a.codes, c.Codes[j])
			}
		}
		enter := func(code, leaf string) {
			a.in[code] = []int{}
			for i, above := range a.codes {
				if above == published.Total || hierarchies[column].Within(leaf, above) {
					a.in[code] = append(a.in[code], i)
				}
			}
		}
		if column == timeColumn {
			for _, r := range rows {
				enter(r.Month, r.Month)
			}
		} else {
			col, ok := l.Column(column)
			if !ok || a.source < 0 {
				return nil, fmt.Errorf("table %s: the microdata have no column %s", t.ID, column)
			}
			for code, leaf := range col.Leaf {
				enter(code, leaf)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// byPerson are the events that were gained and lost, those of a person together.
func byPerson(added, removed Data) (rows []signed) {
	for _, r := range added.Rows {
		rows = append(rows, signed{r, 1})
	}
	for _, r := range removed.Rows {
		rows = append(rows, signed{r, -1})
	}
	slices.SortFunc(rows, func(a, b signed) int { return cmp.Compare(a.Person, b.Person) })
	return rows
}

// signed is an event that was gained, or lost.
type signed struct {
	Row
	sign int64
}

// shifts counts one table, by the number of the cell. Rows are sorted by person.
func (l *Lattice) shifts(t *Table, axes []axis, rows []signed) (map[int]Shift, error) {
	out := map[int]Shift{}
	for from := 0; from < len(rows); {
		ofPerson := map[int]int64{}
		to := from
		for ; to < len(rows) && rows[to].Person == rows[from].Person; to++ {
			cells, err := l.cells(t, axes, rows[to].Row)
			if err != nil {
				return nil, err
			}
			for _, cell := range cells {
				ofPerson[cell] += rows[to].sign
			}
		}
		from = to
		for cell, amount := range ofPerson {
			if amount != 0 {
				s := out[cell]
				out[cell] = Shift{Amount: s.Amount + amount, Persons: s.Persons + 1}
			}
		}
	}
	return out, nil
}

// hierarchies are those of the columns.
func (l *Lattice) hierarchies() map[string]published.Hierarchy {
	all := map[string]published.Hierarchy{}
	for _, c := range l.Columns {
		all[c.ID] = c.Hierarchy
	}
	return all
}
