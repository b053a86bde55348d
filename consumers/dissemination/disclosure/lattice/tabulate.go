package lattice

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// Row is one event of microdata.
type Row struct {
	// Person is the key of the person; every event without one is a person of its own, and has a key of its own.
	Person string
	// Month is the month of the event, such as "2016-03".
	Month string
	// Codes are codes of the code lists, in the order of Data.Columns. A person whose municipality is not stated has the code of the group above and "-XX".
	Codes []string
	// Record is the record that made the event, if one did. It is not counted by.
	Record string
}

// Data are the events of one measure in one half-year.
type Data struct {
	Measure string
	Columns []string
	Rows    []Row
}

// Tabulate counts the events and the distinct persons in each cell of each table of a half-year, such as "2016-S1". The order of rows
// does not matter. It returns an error for a code or a month that the lattice does not know.
func (l *Lattice) Tabulate(halfYear string, data ...Data) (*suppress.Input, error) {
	time, err := calendar(halfYear)
	if err != nil {
		return nil, err
	}
	in := &suppress.Input{Hierarchies: map[string]published.Hierarchy{timeColumn: time.hierarchy}, Join: suppress.Join{With: map[string]map[string]string{}, Never: timeColumn}}
	for _, c := range l.Columns {
		in.Join.With[c.ID] = c.Joins
		in.Hierarchies[c.ID] = c.Hierarchy
	}
	for _, d := range data {
		rows := slices.SortedFunc(slices.Values(d.Rows), func(a, b Row) int { return cmp.Compare(a.Person, b.Person) })
		for i := range l.Tables {
			if t := &l.Tables[i]; t.Measure == d.Measure {
				made, err := l.tabulate(t, time, d.Columns, rows)
				if err != nil {
					return nil, err
				}
				in.Tables = append(in.Tables, *made)
			}
		}
		for _, k := range l.Cores {
			if k.Measure == d.Measure {
				in.Cores = append(in.Cores, k.of(time))
			}
		}
	}
	return in, nil
}

// span is the time of a half-year: its own name, its quarters and its months.
type span struct {
	name      string
	of        map[string][]string // by kind
	hierarchy published.Hierarchy
}

func calendar(halfYear string) (*span, error) {
	if len(halfYear) != 7 || halfYear[4:6] != "-S" || halfYear[6] != '1' && halfYear[6] != '2' {
		return nil, fmt.Errorf("half-year %q: expected a name such as 2016-S1", halfYear)
	}
	year, half := halfYear[:4], int(halfYear[6]-'1')
	s := &span{name: halfYear, of: map[string][]string{"S": {halfYear}}, hierarchy: published.Hierarchy{halfYear: year, year: published.Total}}
	for m := half*6 + 1; m <= half*6+6; m++ {
		month, quarter := fmt.Sprintf("%s-%02d", year, m), year+"-Q"+strconv.Itoa((m+2)/3)
		if s.hierarchy[quarter] == "" {
			s.of["Q"] = append(s.of["Q"], quarter)
		}
		s.of["M"] = append(s.of["M"], month)
		s.hierarchy[month], s.hierarchy[quarter] = quarter, halfYear
	}
	return s, nil
}

// of returns the core in one half-year.
func (k *Core) of(time *span) suppress.Core {
	out := suppress.Core{Measure: k.Measure}
	add := func(column string, codes []string) {
		out.Columns, out.Codes = append(out.Columns, column), append(out.Codes, codes)
	}
	for _, column := range k.Columns {
		if column == timeColumn {
			add(column, time.of[k.Codes[column][0]])
		} else {
			add(column, k.Codes[column])
		}
	}
	for _, column := range slices.Sorted(maps.Keys(k.Only)) {
		add(column, []string{k.Only[column]})
	}
	if !slices.Contains(out.Columns, timeColumn) {
		add(timeColumn, []string{time.name})
	}
	return out
}

// axis is one column of a table: its codes, and which of them each code of the microdata counts in.
type axis struct {
	column string
	codes  []string
	in     map[string][]int
	source int // the column of the microdata; -1 is the month
}

// axes returns the columns of a table, time last.
func (l *Lattice) axes(t *Table, time *span, columns []string) ([]axis, error) {
	var out []axis
	add := func(col *Column, codes []string) error {
		a := axis{column: col.ID, codes: codes, in: map[string][]int{}, source: slices.Index(columns, col.ID)}
		if a.source < 0 {
			return fmt.Errorf("table %s: the microdata have no column %s", t.ID, col.ID)
		}
		for code, leaf := range col.Leaf {
			for i, above := range codes {
				if above == published.Total || col.Hierarchy.Within(leaf, above) {
					a.in[code] = append(a.in[code], i)
				}
			}
		}
		out = append(out, a)
		return nil
	}
	for _, name := range t.Levels {
		col, _, _ := l.level(name)
		if err := add(col, l.codes(t, col, name)); err != nil {
			return nil, err
		}
	}
	for _, column := range slices.Sorted(maps.Keys(t.Only)) {
		col, _ := l.Column(column)
		if err := add(col, []string{t.Only[column]}); err != nil {
			return nil, err
		}
	}
	a := axis{column: timeColumn, in: map[string][]int{}, source: -1}
	for _, kind := range t.kinds() {
		a.codes = append(a.codes, time.of[string(kind)]...)
	}
	for _, month := range time.of["M"] {
		a.in[month] = []int{}
		for i, above := range a.codes {
			if time.hierarchy.Within(month, above) {
				a.in[month] = append(a.in[month], i)
			}
		}
	}
	return append(out, a), nil
}

// codes returns the codes of a column in a table: its level, the coarser codes that other tables of the measure have, and the total.
func (l *Lattice) codes(t *Table, col *Column, name string) []string {
	_, codes, _ := l.level(name)
	out := slices.Clone(codes)
	add := func(codes ...string) {
		for _, code := range codes {
			if !slices.Contains(out, code) {
				out = append(out, code)
			}
		}
	}
	for _, other := range l.Tables {
		if other.Measure != t.Measure {
			continue
		}
		if only, ok := other.Only[col.ID]; ok && slices.ContainsFunc(codes, func(code string) bool { return col.Hierarchy.Within(code, only) }) {
			add(only)
		}
		for _, level := range other.Levels {
			if c, coarser, _ := l.level(level); c.ID == col.ID && len(coarser) <= len(codes) {
				add(coarser...)
			}
		}
	}
	if !t.WithoutTotal {
		out = append(out, published.Total)
	}
	return out
}

// tabulate counts one table. Rows are sorted by person.
func (l *Lattice) tabulate(t *Table, time *span, columns []string, rows []Row) (*suppress.Table, error) {
	axes, err := l.axes(t, time, columns)
	if err != nil {
		return nil, err
	}
	out := &suppress.Table{ID: t.ID, Measure: t.Measure}
	size := 1
	for _, a := range axes {
		out.Columns = append(out.Columns, a.column)
		size *= len(a.codes)
	}
	values, persons, last := make([]int64, size), make([]int64, size), make([]int, size)
	person := 0
	for i, row := range rows {
		if i == 0 || row.Person != rows[i-1].Person {
			person++
		}
		cells, err := l.cells(t, axes, row)
		if err != nil {
			return nil, err
		}
		for _, cell := range cells {
			if values[cell]++; last[cell] != person {
				last[cell] = person
				persons[cell]++
			}
		}
	}
	for cell := range size {
		out.Counts = append(out.Counts, l.count(t, axes, time, cell, values[cell], persons[cell]))
	}
	out.Sensitive = l.sensitive(axes)
	return out, nil
}

// cells returns the numbers of the cells in which an event counts.
func (l *Lattice) cells(t *Table, axes []axis, row Row) ([]int, error) {
	cells := []int{0}
	for _, a := range axes {
		code := row.Month
		if a.source >= 0 {
			code = row.Codes[a.source]
		}
		in, ok := a.in[code]
		if !ok && (a.source < 0 || l.unknown(a.column, code)) {
			return nil, fmt.Errorf("table %s: column %s has no group for %q of the microdata", t.ID, a.column, code)
		}
		next := make([]int, 0, len(cells)*len(in))
		for _, cell := range cells {
			for _, j := range in {
				next = append(next, cell*len(a.codes)+j)
			}
		}
		cells = next
	}
	return cells, nil
}

// codesOf returns the codes of the cell of that number.
func codesOf(axes []axis, cell int) []string {
	codes := make([]string, len(axes))
	for j := len(axes) - 1; j >= 0; j-- {
		codes[j] = axes[j].codes[cell%len(axes[j].codes)]
		cell /= len(axes[j].codes)
	}
	return codes
}

// unknown reports whether a column has no group for a code, rather than one that the table leaves out.
func (l *Lattice) unknown(column, code string) bool {
	c, ok := l.Column(column)
	return !ok || c.Leaf[code] == ""
}

// count returns the cell of that number, with its threshold and state.
func (l *Lattice) count(t *Table, axes []axis, time *span, cell int, value, persons int64) suppress.Count {
	c := suppress.Count{Codes: codesOf(axes, cell), Value: value, Persons: persons, Threshold: t.Threshold}
	broken := 0 // columns in which the cell is not a sum over all codes
	always := false
	for j, a := range axes[:len(axes)-1] {
		col, _ := l.Column(a.column)
		if t.Minors > 0 && col.List == "age_group" && col.Hierarchy.Within(c.Codes[j], "minor") {
			c.Threshold = t.Minors
		}
		if _, only := t.Only[a.column]; !only && c.Codes[j] != published.Total {
			broken++
			always = always || slices.Contains(t.Always, c.Codes[j])
		}
	}
	if c.Codes[len(axes)-1] == time.name && (broken == 0 || broken == 1 && always) && !t.WithoutTotal {
		c.State = suppress.Forced
		c.Threshold = min(c.Threshold, persons) // the total of a half-year is published whatever it is
		c.Threshold = max(c.Threshold, 1)
	}
	return c
}

// sensitive returns the sensitive columns among the axes.
func (l *Lattice) sensitive(axes []axis) []suppress.Sensitive {
	var out []suppress.Sensitive
	for _, a := range axes {
		col, ok := l.Column(a.column)
		if !ok || col.Sensitive == nil {
			continue
		}
		for _, column := range slices.Sorted(maps.Keys(col.Sensitive.Group)) {
			out = append(out, suppress.Sensitive{Column: a.column, Ignored: col.Sensitive.Ignored, OfColumn: column, Of: col.Sensitive.Group[column]})
		}
	}
	return out
}
