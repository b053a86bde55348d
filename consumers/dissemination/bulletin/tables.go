package bulletin

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

// Table is a published table of the half-year as people read it: the codes of the last column of codes stand side by side, those of the
// others below each other.
type Table struct {
	ID     string // in the vintage
	Number int    // in the bulletin, from 1
	Title  string
	Unit   string   // what is counted
	Heads  []string // above the names of rows
	Values []string // above the numbers
	Rows   []Row
	// Shares says that the last column of values is the percentage of the total.
	Shares bool
	// Uneven says that the percentages do not add up to 100, because a part is withheld.
	Uneven bool
	// Withheld and Kept say that some number is.
	Withheld, Kept bool
}

// Row is a line of a table.
type Row struct {
	Names []string // one for each of Heads
	Depth int      // of the last name: 0 for a total, 1 for its parts
	Cells []Cell
}

// Cell is a number of a table. Without a Symbol for a withheld or a missing one, Value is its count.
type Cell struct {
	Key    Key
	Value  int64
	Symbol string // of Confidential, Provisional, Revised, NotAvailable; "" for a plain number
	Of     uint64 // number of the earlier vintage that the count is of; 0: of this one
	Share  string // in place of a count, a percentage
}

// Given reports whether the cell shows a count.
func (c Cell) Given() bool {
	return c.Share == "" && c.Symbol != Confidential && c.Symbol != NotAvailable
}

// Text is the cell as it is printed.
func (c Cell) Text() string {
	switch {
	case c.Share != "":
		return c.Share
	case !c.Given():
		return "[" + c.Symbol + "]"
	}
	text := wording.Number(c.Value)
	if c.Symbol != "" {
		text += " [" + c.Symbol + "]"
	}
	return text
}

// layout is a table of a vintage on its way to the page.
type layout struct {
	o       *vintages.Opened
	keys    *Keys
	from    *vintages.Table
	cells   map[string]*published.Cell // of the half-year, by their codes in the columns shown
	columns []int                      // the columns shown
	codes   [][]node                   // of each of them, in the order of the page
	changed map[string]bool            // keys of counts that a revision changes
}

type node struct {
	code  string
	depth int
}

// layOut makes the table of the half-year; false where the vintage's table has nothing of it.
func layOut(o *vintages.Opened, from *vintages.Table, keys *Keys, lang string) (Table, bool) {
	l := layout{o: o, keys: keys, from: from, cells: map[string]*published.Cell{}, changed: map[string]bool{}}
	for _, d := range o.Differences {
		l.changed[d.Key] = true
	}
	time := slices.Index(from.Columns, timeColumn)
	of := func(c *published.Cell) bool { return c.Codes[time] == o.Period }
	for j := range from.Columns {
		if j != time && l.varies(j, of) {
			l.columns = append(l.columns, j)
		}
	}
	for i := range from.Cells {
		if c := &from.Cells[i]; of(c) {
			l.cells[l.name(c)] = c
		}
	}
	if len(l.cells) == 0 || len(l.columns) == 0 {
		return Table{}, false
	}
	for _, j := range l.columns {
		l.codes = append(l.codes, l.order(j, of))
	}
	t := Table{ID: from.ID, Title: wording.In(lang, from.Title.ES, from.Title.EN), Unit: unit(from.Measure, lang)}
	last := len(l.columns) - 1
	if last == 0 {
		t.Values, t.Shares = []string{t.Unit}, true
		t.Heads = []string{columnName(from.Columns[l.columns[0]], lang)}
	} else {
		for _, n := range l.codes[last] {
			t.Values = append(t.Values, o.Label(from.Columns[l.columns[last]], n.code, lang))
		}
		for _, j := range l.columns[:last] {
			t.Heads = append(t.Heads, columnName(from.Columns[j], lang))
		}
	}
	t.Rows = l.rows(lang)
	if t.Shares = t.Shares && l.share(&t); t.Shares {
		t.Values = append(t.Values, "%")
	}
	for _, r := range t.Rows {
		for _, c := range r.Cells {
			t.Withheld, t.Kept = t.Withheld || c.Symbol == Confidential, t.Kept || c.Of > 0
		}
	}
	return t, true
}

// varies reports whether cells have different codes in a column: a table that is of one code only says so in its title.
func (l *layout) varies(j int, of func(*published.Cell) bool) bool {
	first := ""
	for i := range l.from.Cells {
		c := &l.from.Cells[i]
		if !of(c) {
			continue
		}
		if first == "" {
			first = c.Codes[j]
		}
		if c.Codes[j] != first {
			return true
		}
	}
	return false
}

// name is what a cell is called in cells.
func (l *layout) name(c *published.Cell) string {
	var codes []string
	for _, j := range l.columns {
		codes = append(codes, c.Codes[j])
	}
	return strings.Join(codes, "\x00")
}

// rows are the lines: every combination of codes of the columns but the last, or of the only one.
func (l *layout) rows(lang string) (rows []Row) {
	heads := l.codes
	if len(heads) > 1 {
		heads = heads[:len(heads)-1]
	}
	var walk func(codes []string, names []string, depth int)
	walk = func(codes, names []string, depth int) {
		if len(codes) == len(heads) {
			r := Row{Names: slices.Clone(names), Depth: depth}
			if len(l.codes) == 1 {
				r.Cells = []Cell{l.cell(codes)}
			} else {
				for _, n := range l.codes[len(l.codes)-1] {
					r.Cells = append(r.Cells, l.cell(append(slices.Clone(codes), n.code)))
				}
			}
			if slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Symbol != NotAvailable }) {
				rows = append(rows, r)
			}
			return
		}
		for _, n := range heads[len(codes)] {
			label := l.o.Label(l.from.Columns[l.columns[len(codes)]], n.code, lang)
			walk(append(slices.Clone(codes), n.code), append(slices.Clone(names), label), n.depth)
		}
	}
	walk(nil, nil, 0)
	return rows
}

// cell is the number with these codes.
func (l *layout) cell(codes []string) Cell {
	c := l.cells[strings.Join(codes, "\x00")]
	if c == nil {
		return Cell{Symbol: NotAvailable}
	}
	out := Cell{Key: l.keys.of(l.from, c), Value: c.Value}
	switch {
	case c.Withheld:
		out.Symbol = Confidential
	case l.o.Manifest.Rounded > 1:
		out.Symbol = Provisional
	case c.Kept:
		out.Of = c.Of
	case l.changed[published.Key(l.from.Measure, l.from.Columns, c.Codes)]:
		out.Symbol = Revised
	}
	return out
}

// order has the codes of a column as a tree: a total before its parts, parts from the largest to the smallest, ages by their years, what
// is not stated last.
func (l *layout) order(j int, of func(*published.Cell) bool) (out []node) {
	column, size := l.from.Columns[j], map[string]int64{}
	for i := range l.from.Cells {
		if c := &l.from.Cells[i]; of(c) {
			size[c.Codes[j]] = max(size[c.Codes[j]], c.Value)
		}
	}
	var under func(parent string, depth int)
	under = func(parent string, depth int) {
		var parts []string
		for code := range size {
			if code != parent && l.above(column, code, size) == parent {
				parts = append(parts, code)
			}
		}
		slices.SortFunc(parts, func(a, b string) int {
			return cmp.Or(cmp.Compare(unstated(a), unstated(b)), cmp.Compare(years(a), years(b)), cmp.Compare(size[b], size[a]), cmp.Compare(a, b))
		})
		for _, code := range parts {
			out = append(out, node{code, depth})
			under(code, depth+1)
		}
	}
	under("", 0)
	return out
}

// above is the nearest code of the table that a code is a part of; "" where there is none.
func (l *layout) above(column, code string, there map[string]int64) string {
	for code = l.o.Parent(column, code); code != ""; code = l.o.Parent(column, code) {
		if _, ok := there[code]; ok {
			return code
		}
	}
	return ""
}

// unstated is 1 of a code for what is not stated.
func unstated(code string) int {
	switch code {
	case "unknown", "U", "X-UNK":
		return 1
	}
	return 0
}

// years is where an age group begins, and 0 of any other code.
func years(code string) int {
	digits := code
	if i := strings.IndexAny(code, "-+"); i > 0 {
		digits = code[:i]
	} else if code != "6" && code != "11" && code != "12" { // ages of one year
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n + 1
}

func unit(measure, lang string) string {
	switch measure {
	case "helps":
		return wording.In(lang, "Ayudas", "Helps")
	case "people", "people_by_kind":
		return wording.In(lang, "Personas", "People")
	case "crossings":
		return wording.In(lang, "Controles", "Checks")
	}
	return wording.In(lang, "Retornos", "Returns")
}

// columnNames are what the columns of codes are called above the names of rows.
var columnNames = map[string][2]string{
	"route": {"País y vía", "Country and mode"}, "exit_point": {"Punto de salida", "Exit point"}, "sex": {"Sexo", "Sex"}, "age": {"Edad", "Age"},
	"residence": {"Lugar de origen", "Place of origin"}, "accompanied": {"Acompañamiento", "Accompaniment"}, "source": {"Fuente", "Source"},
	"entry_point": {"Punto de entrada", "Entry point"}, "centre": {"Centro", "Centre"}, "return_type": {"Tipo de retorno", "Type of return"},
	"kind": {"Tipo de ayuda", "Kind of help"}, "result": {"Resultado", "Result"}, "post": {"Puesto", "Post"},
}

func columnName(column, lang string) string {
	name, ok := columnNames[column]
	if !ok {
		return column
	}
	return wording.In(lang, name[0], name[1])
}
