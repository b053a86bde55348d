package portal

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
)

// timeColumn is the column of periods, which every table has.
const timeColumn = "time_period"

// part is what one vintage has of a slice: the chosen cells of its table.
type part struct {
	from   *vintages.Opened
	table  *vintages.Table
	fixed  map[string]string // columns in which all cells have one code, the period left out
	cells  []published.Cell
	totals map[string]published.Cell // by period, the cell that the others are parts of
	paths  []map[string][]string     // by column and code, the code behind those of the column that it is a part of
}

// newPart takes a table of a vintage, with all its cells; nil where the vintage does not have the table.
func newPart(o *vintages.Opened, table string) *part {
	i := slices.IndexFunc(o.Tables, func(t vintages.Table) bool { return t.ID == table })
	if i < 0 {
		return nil
	}
	p := &part{from: o, table: &o.Tables[i], fixed: map[string]string{}, totals: map[string]published.Cell{}}
	for j, column := range p.table.Columns {
		paths := map[string][]string{}
		for _, c := range p.table.Cells {
			paths[c.Codes[j]] = nil
		}
		for code := range paths {
			paths[code] = slices.DeleteFunc(p.path(column, code), func(above string) bool {
				_, there := paths[above]
				return !there
			})
		}
		p.paths = append(p.paths, paths)
		if codes := p.codes(j); len(codes) == 1 && column != timeColumn {
			p.fixed[column] = codes[0]
		}
	}
	for _, c := range p.table.Cells {
		if p.isTotal(c) {
			p.totals[p.period(c)] = c
		}
	}
	return p
}

// codes are those of a column in the table, totals before their parts, each once.
func (p *part) codes(column int) []string {
	return slices.SortedFunc(maps.Keys(p.paths[column]), func(a, b string) int {
		return slices.CompareFunc(p.paths[column][a], p.paths[column][b], compareCodes)
	})
}

// free are the columns that differ between cells, without the period.
func (p *part) free() (columns []string) {
	for _, column := range p.table.Columns {
		if _, ok := p.fixed[column]; !ok && column != timeColumn {
			columns = append(columns, column)
		}
	}
	return columns
}

func (p *part) isTotal(c published.Cell) bool {
	for j, column := range p.table.Columns {
		if _, ok := p.fixed[column]; !ok && column != timeColumn && c.Codes[j] != published.Total {
			return false
		}
	}
	return true
}

func (p *part) period(c published.Cell) string { return p.code(c, timeColumn) }

// code is that of a cell in a column; published.Total of a column that the table does not have.
func (p *part) code(c published.Cell, column string) string {
	if j := slices.Index(p.table.Columns, column); j >= 0 {
		return c.Codes[j]
	}
	return published.Total
}

// choose keeps the cells that have the codes, in the order of people: totals before their parts, then by code.
func (p *part) choose(codes map[string]string) {
	p.cells = nil
	for _, c := range p.table.Cells {
		has := true
		for column, code := range codes {
			has = has && p.code(c, column) == code
		}
		if has {
			p.cells = append(p.cells, c)
		}
	}
	places := make([]map[string]int, len(p.table.Columns))
	for j := range places {
		places[j] = map[string]int{}
		for i, code := range p.codes(j) {
			places[j][code] = i
		}
	}
	slices.SortFunc(p.cells, func(a, b published.Cell) int {
		for j, place := range places {
			if order := cmp.Compare(place[a.Codes[j]], place[b.Codes[j]]); order != 0 {
				return order
			}
		}
		return 0
	})
}

// path has a code behind those of the vintage that it is a part of, the total left out.
func (p *part) path(column, code string) (path []string) {
	for ; code != "" && code != published.Total && len(path) < 10; code = p.from.Parent(column, code) {
		path = append(path, code)
	}
	slices.Reverse(path)
	return path
}

// compareCodes puts numbers into their order: 6-10 before 11-12. Half-years stand before their quarters and months.
func compareCodes(a, b string) int {
	x, errX := strconv.Atoi(leading(a))
	y, errY := strconv.Atoi(leading(b))
	if errX == nil && errY == nil && x != y {
		return cmp.Compare(x, y)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
}

func leading(code string) string {
	return code[:len(code)-len(strings.TrimLeft(code, "0123456789"))]
}

func rank(code string) int {
	switch {
	case strings.Contains(code, "-S"):
		return 0
	case strings.Contains(code, "-Q"):
		return 1
	}
	return 2
}

// depth is how far below the totals a code stands in its column.
func (p *part) depth(column, code string) int {
	j := slices.Index(p.table.Columns, column)
	if j < 0 {
		return 0
	}
	return len(p.paths[j][code])
}

// cellAddress is where the explorer shows the returns of the half-year with these codes, each as column=code, in their order; "" where the vintage
// has no such cell.
func cellAddress(o *vintages.Opened, lang string, codes ...string) string {
	want := "returns|" + strings.Join(append(codes, timeColumn+"="+o.Period), "|")
	for i := range o.Tables {
		p := newPart(o, o.Tables[i].ID)
		for _, c := range p.table.Cells {
			if published.Key(p.table.Measure, p.table.Columns, c.Codes) != want {
				continue
			}
			q := question{table: p.table.ID, period: o.Period, codes: map[string]string{timeColumn: o.Period}}
			for _, column := range p.free() {
				q.codes[column] = p.code(c, column)
			}
			return q.address(lang)
		}
	}
	return ""
}

// vintageOf is the number of the vintage that the count of a cell is of.
func (p *part) vintageOf(c published.Cell) uint64 {
	return cmp.Or(p.table.VintageOf(c), p.from.Number)
}

// share is the percentage that a cell is of the total of its period. It reports false where one of both is not given, or is of another
// vintage than the other.
func (p *part) share(c published.Cell) (of published.Cell, ok bool) {
	of, ok = p.totals[p.period(c)]
	return of, ok && !c.Withheld && !of.Withheld && of.Value > 0 && p.vintageOf(c) == p.vintageOf(of)
}

// check names the columns and codes of a question that the parts do not have.
func check(parts []*part, codes map[string]string) (faults []both) {
	for _, column := range slices.Sorted(maps.Keys(codes)) {
		var columns, known []string
		for _, p := range parts {
			for j, name := range p.table.Columns {
				columns = append(columns, name)
				if name == column {
					known = append(known, p.codes(j)...)
				}
			}
		}
		switch {
		case known == nil:
			list := listed(columns)
			faults = append(faults, both{fmt.Sprintf("No existe el filtro «%s» en esta tabla; los que hay: period, vintage, page, lang, %s.", short(column), list),
				fmt.Sprintf("There is no filter %q for this table; there are: period, vintage, page, lang, %s.", short(column), list)})
		case !slices.Contains(known, codes[column]):
			list := listed(known)
			faults = append(faults, both{fmt.Sprintf("%s no tiene el código «%s» en esta tabla; se admite: %s.", column, short(codes[column]), list),
				fmt.Sprintf("%s does not have the code %q in this table; allowed: %s.", column, short(codes[column]), list)})
		}
	}
	return faults
}

// listed writes codes, each once, and not too many.
func listed(codes []string) string {
	slices.SortFunc(codes, compareCodes)
	codes = slices.Compact(codes)
	if len(codes) > 20 {
		return strings.Join(codes[:20], ", ") + " …"
	}
	return strings.Join(codes, ", ")
}
