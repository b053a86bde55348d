package tables

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"retorno/schemas/calendar"
)

// Columns are the columns of the form, in order.
var Columns = []string{"table_id", "system", "period_start", "period_end", "as_of", "block", "category", "value", "status", "source"}

const (
	colID = iota
	colSystem
	colStart
	colEnd
	colAsOf
	colBlock
	colCategory
	colValue
	colStatus
	colSource
)

// row is one row of the file.
type row struct {
	line   int
	fields []string
}

// IDs returns the ids of the tables in the file, in file order. Errors: *FormError when the file is not in the form,
// or what reading gave.
func IDs(r io.Reader) ([]string, error) {
	rows, err := scan(r)
	if err != nil {
		return nil, err
	}
	return idsOf(rows), nil
}

// Read reads the table with that id. It is strict: see the package comment. Rows of other tables are not judged,
// beyond being rows. Errors: *UnknownTableError, *FormError with all faults, or what reading gave.
func Read(r io.Reader, id string) (*Table, error) {
	all, err := scan(r)
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, row := range all {
		if row.fields[colID] == id {
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 || id == "" {
		return nil, &UnknownTableError{ID: id, IDs: idsOf(all)}
	}
	p := &reader{table: &Table{ID: id}}
	p.read(rows)
	if len(p.faults) > 0 {
		sort.SliceStable(p.faults, func(i, j int) bool { return p.faults[i].Line < p.faults[j].Line })
		return nil, &FormError{ID: id, Faults: p.faults}
	}
	return p.table, nil
}

// scan splits the file into rows. Space around fields, a byte order mark and rows without any content mean nothing.
func scan(r io.Reader) ([]row, error) {
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" {
		_, _ = in.Discard(3) // it has just been peeked
	}
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1
	var rows []row
	header := false
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return nil, broken(bad.Line, "row", bad.Err.Error(), "comma-separated fields with closed quotes")
		}
		if err != nil {
			return nil, fmt.Errorf("read tables: %w", err)
		}
		line, _ := c.FieldPos(0)
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		if !header {
			if !slices.Equal(fields, Columns) {
				return nil, broken(line, "header", strings.Join(fields, ","), strings.Join(Columns, ","))
			}
			header = true
			continue
		}
		if strings.Join(fields, "") == "" {
			continue
		}
		if fields[colID] == "" {
			return nil, broken(line, Columns[colID], "", "the id of the table that the row belongs to")
		}
		rows = append(rows, row{line, fields})
	}
	if !header {
		return nil, broken(1, "header", "", strings.Join(Columns, ","))
	}
	return rows, nil
}

func broken(line int, column, found, expected string) error {
	return &FormError{Faults: []Fault{{Line: line, Column: column, Found: found, Expected: expected}}}
}

func idsOf(rows []row) []string {
	var ids []string
	seen := map[string]bool{}
	for _, r := range rows {
		if id := r.fields[colID]; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// reader builds one table and collects what is wrong with it.
type reader struct {
	table  *Table
	faults []Fault
	// first is the row that the columns common to all rows are compared with.
	first  row
	blocks []*rawBlock
}

// rawBlock is a block before its categories are understood: they depend on each other.
type rawBlock struct {
	name blockName
	rows []row
}

func (p *reader) fault(line int, column, found, expected string) {
	p.faults = append(p.faults, Fault{line, column, found, expected})
}

func (p *reader) read(rows []row) {
	byName := map[string]*rawBlock{}
	for _, r := range rows {
		if len(r.fields) != len(Columns) {
			p.fault(r.line, "row", fmt.Sprintf("%d fields", len(r.fields)), fmt.Sprintf("%d: %s", len(Columns), strings.Join(Columns, ",")))
			continue
		}
		if i := slices.IndexFunc(r.fields, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
			p.fault(r.line, Columns[i], r.fields[i], "UTF-8 text")
			continue
		}
		p.common(r)
		name := r.fields[colBlock]
		b := byName[name]
		if b == nil {
			parsed, err := parseBlock(name)
			if err != nil {
				p.fault(r.line, Columns[colBlock], name, err.Error())
				continue
			}
			b = &rawBlock{name: parsed}
			byName[name] = b
			p.blocks = append(p.blocks, b)
		}
		b.rows = append(b.rows, r)
	}
	for _, b := range p.blocks {
		p.table.Blocks = append(p.table.Blocks, p.block(b))
	}
}

// common checks the columns that all rows of a table share.
func (p *reader) common(r row) {
	t := p.table
	t.AsOf = max(t.AsOf, r.fields[colAsOf])
	if p.first.fields == nil {
		p.first = r
		t.System = r.fields[colSystem]
		var errFirst, errLast error
		if t.First, errFirst = calendar.ParseDay(r.fields[colStart]); errFirst != nil {
			p.fault(r.line, Columns[colStart], r.fields[colStart], "a day such as 2016-01-01")
		}
		if t.Last, errLast = calendar.ParseDay(r.fields[colEnd]); errLast != nil {
			p.fault(r.line, Columns[colEnd], r.fields[colEnd], "a day such as 2016-06-30")
		}
		if errFirst == nil && errLast == nil && t.Last < t.First {
			p.fault(r.line, Columns[colEnd], r.fields[colEnd], "a day that is not before period_start, "+r.fields[colStart])
		}
		return
	}
	for _, col := range []int{colSystem, colStart, colEnd} {
		if r.fields[col] != p.first.fields[col] {
			p.fault(r.line, Columns[col], r.fields[col],
				fmt.Sprintf("%q as in line %d: the rows of a table share system and period", p.first.fields[col], p.first.line))
		}
	}
}

// block understands the rows of one block.
func (p *reader) block(raw *rawBlock) Block {
	name := raw.name
	m := meaning{blockName: name}
	for _, r := range raw.rows {
		m.categories = append(m.categories, r.fields[colCategory])
	}
	m.cut = cutOf(m.categories)
	out := Block{
		Name: name.name, Kind: name.base, Multi: name.base == "reason_pct_multi",
		Base: name.population(p.tableCut(raw)), Complete: slices.Contains(m.categories, other),
	}
	out.Pct = name.measure().Share()
	seen := map[string]int{}
	for _, r := range raw.rows {
		cell, ok := p.cell(&m, out.Base, r)
		if !ok {
			continue
		}
		key := cell.Where.Key()
		if first, twice := seen[key]; twice {
			p.fault(r.line, Columns[colCategory], cell.Category, fmt.Sprintf("what line %d has not said already: each category of a block once", first))
			continue
		}
		seen[key] = r.line
		out.Cells = append(out.Cells, cell)
	}
	return out
}

func (p *reader) cell(m *meaning, base Filter, r row) (Cell, bool) {
	c := Cell{
		Line: r.line, Block: m.name, Category: r.fields[colCategory], Printed: r.fields[colValue],
		AsOf: r.fields[colAsOf], Status: r.fields[colStatus], Source: r.fields[colSource], Measure: m.measure(), Base: base,
	}
	ok := true
	where, err := m.where(c.Category)
	if err == nil {
		c.Where, err = base.And(where)
	}
	if err != nil {
		p.fault(r.line, Columns[colCategory], c.Category, fmt.Sprintf("in block %s %s", m.name, err))
		ok = false
	}
	if c.Units, c.Decimals, err = parseValue(c.Printed, c.Measure.Share()); err != nil {
		p.fault(r.line, Columns[colValue], c.Printed, err.Error())
		ok = false
	}
	return c, ok
}

// tableCut is the age from which the table's sex_age block counts adults, for the minors_by_ and adults_by_ blocks:
// that of the block sex_age, else of the one with the same country prefix, else the one that all others share.
func (p *reader) tableCut(raw *rawBlock) int {
	if !raw.name.byCut {
		return Adult
	}
	best, rank, line := Adult, 0, 0
	for _, b := range p.blocks {
		if b.name.base != "sex_age" {
			continue
		}
		var categories []string
		for _, r := range b.rows {
			categories = append(categories, r.fields[colCategory])
		}
		cut, r := cutOf(categories), 1
		switch b.name.country {
		case "":
			r = 3
		case raw.name.country:
			r = 2
		}
		switch {
		case r > rank:
			best, rank, line = cut, r, b.rows[0].line
		case r == rank && cut != best:
			p.fault(raw.rows[0].line, Columns[colBlock], raw.name.name,
				fmt.Sprintf("sex_age blocks with one cut: those of lines %d and %d cut at different ages", line, b.rows[0].line))
			return best
		}
	}
	return best
}

var (
	countForm = regexp.MustCompile(`^\d{1,15}$`)
	shareForm = regexp.MustCompile(`^(\d{1,9})(?:\.(\d{1,6}))?$`)
)

// parseValue reads a printed number exactly: units times 10^-decimals.
func parseValue(s string, share bool) (units int64, decimals int, err error) {
	if !share {
		if !countForm.MatchString(s) {
			return 0, 0, errors.New("a whole number in plain digits, such as 27086")
		}
		units, err = strconv.ParseInt(s, 10, 64)
		return units, 0, err
	}
	m := shareForm.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, errors.New("a percentage with a decimal point and up to six decimals, such as 92.93")
	}
	units, err = strconv.ParseInt(m[1]+m[2], 10, 64)
	return units, len(m[2]), err
}

func sortByLine(cells []*Cell) {
	sort.SliceStable(cells, func(i, j int) bool { return cells[i].Line < cells[j].Line })
}

// pow10 is 10^n as an integer.
func pow10(n int) int64 { return int64(math.Round(math.Pow10(n))) }
