package feed

import (
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// Row is one cell: a code for each dimension of the question, and the count as it was published.
type Row struct {
	Codes    []string
	Returns  int64 // 0 when withheld
	Withheld bool
	Of       uint64 // number of the vintage that the count is of: a revision keeps counts of earlier ones
}

// Table is the answer to a question: cells of one table of a vintage, or sums of such cells.
type Table struct {
	Query Query
	From  *vintages.Opened
	Rows  []Row // ordered by codes
}

// Rounded reports whether the counts are rounded, and so provisional.
func (t Table) Rounded() bool { return t.From.Manifest.Rounded > 1 }

// measure is what the feed gives counts of.
const measure = "returns"

// Columns of the vintages' tables that no dimension names.
const (
	sourceColumn = "source"
	timeColumn   = "time_period"
)

// Find answers a question from one vintage, from the table with the finest codes. It reports false where no table of the vintage has
// the answer.
func Find(o *vintages.Opened, q Query) (Table, bool) {
	best := Table{Query: q, From: o}
	for i := range o.Tables {
		if rows := rowsOf(&o.Tables[i], q, o.Manifest.Rounded > 1, o.Number); len(rows) > len(best.Rows) {
			best.Rows = rows
		}
	}
	return best, len(best.Rows) > 0
}

// Total is the count of the whole period in a series; nil where it is not published, or is that of an earlier vintage.
func Total(o *vintages.Opened, q Query, series Series) *int64 {
	q.By, q.Series = nil, series
	t, ok := Find(o, q)
	if !ok || t.Rows[0].Withheld || t.Rows[0].Of != o.Number {
		return nil
	}
	return &t.Rows[0].Returns
}

// choice is what a question takes from a table: which cells count in which row.
type choice struct {
	by    []int             // the column of each dimension of a code list, in the order of the question
	exact []exactColumn     // columns that must have one of some codes
	time  int               // the column of the periods
	spans []calendar.Period // one for each period that rows have
	in    map[string]int    // by the label of a cell's period, the span that it counts in
	parts []int             // how many cells each row of a span is the sum of
}

type exactColumn struct {
	column int
	codes  []string
}

// rowsOf returns the rows that a table of a vintage has for a question; none where it does not have all of them. Cells that are
// rounded, or kept from an earlier vintage, are never added up.
func rowsOf(t *vintages.Table, q Query, rounded bool, number uint64) []Row {
	c, ok := choose(t, q)
	if !ok || rounded && slices.Max(c.parts) > 1 {
		return nil
	}
	type sum struct {
		Row
		span, cells int
	}
	sums := map[string]*sum{}
	for _, cell := range t.Cells {
		span, ok := c.in[cell.Codes[c.time]]
		if !ok || !c.takes(t, cell) {
			continue
		}
		codes := c.codes(q, cell, c.spans[span])
		key := strings.Join(append(codes, c.spans[span].Label), "\x00")
		if sums[key] == nil {
			sums[key] = &sum{Row: Row{Codes: codes}, span: span}
		}
		s := sums[key]
		s.cells++
		s.Returns += cell.Value
		s.Withheld = s.Withheld || cell.Withheld
		if cell.Kept && c.parts[span] > 1 {
			return nil // counts of different vintages do not add up
		}
		if s.Of = number; cell.Kept {
			s.Of = cell.Of
		}
	}
	var rows []Row
	for _, s := range sums {
		if s.cells != c.parts[s.span] {
			return nil
		}
		if s.Withheld {
			s.Returns = 0
		}
		rows = append(rows, s.Row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return slices.Compare(a.Codes, b.Codes) })
	return rows
}

// choose finds the columns of a table that answer a question, and reports whether it has them all.
func choose(t *vintages.Table, q Query) (c choice, ok bool) {
	if t.Measure != measure {
		return c, false
	}
	c.by = make([]int, len(q.By))
	for i, d := range q.By {
		if c.by[i] = -1; d.Kind == "" {
			if c.by[i] = slices.Index(t.Columns, d.Column); c.by[i] < 0 {
				return c, false
			}
		}
	}
	if c.time = slices.Index(t.Columns, timeColumn); c.time < 0 || !c.divide(t, q) {
		return c, false
	}
	sources := []string{published.Total}
	for j, column := range t.Columns {
		switch {
		case j == c.time || slices.Contains(c.by, j):
			continue
		case column == sourceColumn:
			sources = q.Series.sources
			c.exact = append(c.exact, exactColumn{j, sources})
		default:
			c.exact = append(c.exact, exactColumn{j, []string{published.Total}})
		}
	}
	for i := range c.parts {
		c.parts[i] *= len(q.Series.sources)
	}
	return c, slices.Equal(sources, q.Series.sources)
}

// divide finds the periods of the rows, and the cells' periods that each is the sum of: itself, or the quarters or months that make
// it up.
func (c *choice) divide(t *vintages.Table, q Query) bool {
	kind := q.kind()
	c.in = map[string]int{}
	for i, span := range within(q.Period, kind) {
		labels := cellsOf(t.Finest[c.time], span)
		if labels == nil {
			return false
		}
		for _, l := range labels {
			c.in[l] = i
		}
		c.spans, c.parts = append(c.spans, span), append(c.parts, len(labels))
	}
	return len(c.spans) > 0
}

// cellsOf returns the periods of cells that make up a period, of the longest kind that a table has; nil when it has none.
func cellsOf(has map[string]bool, span calendar.Period) []string {
	for _, kind := range []string{calendar.KindHalfYear, calendar.KindQuarter, calendar.KindMonth} {
		var labels []string
		for _, p := range within(span, kind) {
			if _, ok := has[p.Label]; ok {
				labels = append(labels, p.Label)
			} else {
				labels = nil
				break
			}
		}
		if labels != nil {
			return labels
		}
	}
	return nil
}

// takes reports whether a cell counts in a row. Of a dimension's codes the finest do.
func (c *choice) takes(t *vintages.Table, cell published.Cell) bool {
	for _, e := range c.exact {
		if !slices.Contains(e.codes, cell.Codes[e.column]) {
			return false
		}
	}
	for _, j := range c.by {
		if j >= 0 && (!t.Finest[j][cell.Codes[j]] || cell.Codes[j] == published.Total) {
			return false
		}
	}
	return true
}

// codes returns what a row says of a cell.
func (c *choice) codes(q Query, cell published.Cell, span calendar.Period) []string {
	codes := make([]string, len(q.By), len(q.By)+1)
	for i, j := range c.by {
		if j >= 0 {
			codes[i] = cell.Codes[j]
		} else {
			codes[i] = span.First.Label(q.By[i].Kind)
		}
	}
	return codes
}

// kind is the kind of period that rows are of: the shortest that the question names. It is "" where vintages have no such period.
func (q Query) kind() string {
	for _, kind := range []string{calendar.KindMonth, calendar.KindQuarter, calendar.KindHalfYear} {
		if q.Period.Kind == kind || slices.ContainsFunc(q.By, func(d Dimension) bool { return d.Kind == kind }) {
			return kind
		}
	}
	return ""
}

// within returns the periods of a kind that a period is made of; nothing where it is not.
func within(p calendar.Period, kind string) (all []calendar.Period) {
	if kind == "" {
		return nil
	}
	for one := p.First.Period(kind); one.First <= p.Last; one = one.Next() {
		if one.First < p.First || one.Last > p.Last {
			return nil
		}
		all = append(all, one)
	}
	return all
}
