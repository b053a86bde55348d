// Package bulletin writes the half-year's bulletin of a vintage, in Spanish and English: key figures with their base, coverage and
// change, every published table, pictures with their data beside them, method, sources and symbols. It is a page that prints, and a
// workbook.
//
// It promises that every number is a cell of the vintage, or computed from such cells alone, and that each count carries the key of its
// cell, so that a reader finds the same count in the tables of the vintage. What the vintage withholds is withheld here. The same vintage
// gives the same bytes. It asks package vintages for vintages and reads nothing else.
package bulletin

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// Bulletin is what is written, in one language.
type Bulletin struct {
	Lang          string
	Period        string // 2016-S1
	Name          string // primer semestre de 2016
	First, Last   string // days in words
	Vintage       string // 2016-S1/2
	Status        string
	Rounded       int64 // base of provisional counts; 0: they are exact
	Published     string
	AsOf          string
	Lead          string // the half-year in one sentence; "" where its total is not published
	Figures       []Figure
	Tables        []Table
	Months        []Month
	Line          string // through the months, and LineThen through those a year before
	LineThen      string
	Exits         []Bar
	Ages          []Band
	Map           []Tile
	Reason        string // of a revision
	Changed       string // what it changes of the total, in a sentence
	Next          string // which bulletin follows
	Incomplete    string // why it was published although records were missing
	Coverage      string // in percent; "" where it is not given
	Late          string
	MethodVersion int
	Address       string // of the vintage
	Here          string // address of the bulletin of this vintage, with a question begun
	Print         bool   // it is kept as PDF, too
	published     time.Time
	keys          *Keys
}

// Figure is a key figure.
type Figure struct {
	Name, Value string
	Note        string // its base, or what it is
	Change      string // against the same half-year a year before; a symbol where one of both is not given, or is under 50
	Key         Key
	Count       int64
}

// leastBase is the smallest count against which a change is given.
const leastBase = 50

// Make makes the bulletin of a vintage. before is the vintage of the half-year a year before that was the newest when this one was published,
// or nil; keys are those of the lattices that vintages had until then.
func Make(o, before *vintages.Opened, keys *Keys, lang string) Bulletin {
	m := o.Manifest
	period, _ := calendar.ParsePeriod(o.Period) // only half-years have a public form
	b := Bulletin{Lang: lang, Period: o.Period, Name: wording.HalfYear(period, lang), First: wording.Date(period.First, lang), Last: wording.Date(period.Last, lang),
		Vintage: o.Period + "/" + strconv.FormatUint(o.Number, 10), Status: statusName(o.Status, lang), Published: wording.Moment(o.Vintage.Published, lang),
		AsOf: wording.Moment(m.AsOf, lang), Reason: strings.TrimSuffix(m.Reason, "."), MethodVersion: m.MethodVersion, Address: vintages.Address(o.Period, o.Number),
		Here:      Path + o.Period + "?vintage=" + strconv.FormatUint(o.Number, 10),
		published: o.Vintage.Published, keys: keys}
	if m.Rounded > 1 {
		b.Rounded = m.Rounded
	}
	if b.Incomplete = strings.TrimSuffix(m.Accepted, "."); b.Incomplete != "" {
		b.Incomplete += wording.In(lang, fmt.Sprintf(" (faltaban %s registros)", wording.Number(int64(m.Missing))), fmt.Sprintf(" (%s records were missing)", wording.Number(int64(m.Missing))))
	}
	if m.Coverage != nil {
		b.Coverage = wording.Percent(*m.Coverage, lang)
	}
	if m.Late != nil {
		b.Late = wording.Percent(*m.Late, lang)
	}
	for i := range o.Tables {
		if t, ok := layOut(o, &o.Tables[i], keys, lang); ok {
			b.Tables = append(b.Tables, t)
		}
	}
	slices.SortFunc(b.Tables, func(x, y Table) int { return cmp.Or(cmp.Compare(number(x.ID), number(y.ID)), cmp.Compare(x.ID, y.ID)) })
	for i := range b.Tables {
		b.Tables[i].Number = i + 1
	}
	b.figures(o, before)
	b.revisions(o)
	b.pictures(o, before)
	return b
}

// number is the figure in the id of a table: 10 of T10g.
func number(id string) (n int) {
	for _, r := range id {
		if r >= '0' && r <= '9' {
			n = n*10 + int(r-'0')
		}
	}
	return n
}

func statusName(status, lang string) string {
	switch status {
	case "final":
		return wording.In(lang, "definitivo", "final")
	case "revision":
		return wording.In(lang, "revisado", "revised")
	}
	return wording.In(lang, "provisional", "provisional")
}

// cell finds a count by its codes; columns that are not named are totals. It is nil where no table has it.
func cell(o *vintages.Opened, measure string, codes map[string]string) (*vintages.Table, *published.Cell) {
	if o == nil {
		return nil, nil
	}
	for i := range o.Tables {
		t := &o.Tables[i]
		if t.Measure != measure || !hasColumns(t, codes) {
			continue
		}
		for j := range t.Cells {
			if c := &t.Cells[j]; isOf(t, c, codes) {
				return t, c
			}
		}
	}
	return nil, nil
}

func hasColumns(t *vintages.Table, codes map[string]string) bool {
	n := 0
	for _, column := range t.Columns {
		if _, ok := codes[column]; ok {
			n++
		}
	}
	return n == len(codes)
}

func isOf(t *vintages.Table, c *published.Cell, codes map[string]string) bool {
	for j, column := range t.Columns {
		want, ok := codes[column]
		if !ok {
			want = published.Total
		}
		if c.Codes[j] != want {
			return false
		}
	}
	return true
}

// breakdown is the finest table of registered returns by these columns of codes and no other; nil where the vintage has none.
func breakdown(o *vintages.Opened, columns ...string) (best *vintages.Table) {
	for i := range o.Tables {
		t := &o.Tables[i]
		lacks := func(column string) bool { return !slices.Contains(t.Columns, column) }
		if t.Measure != "returns" || len(t.Columns) != len(columns)+2 || lacks("source") || slices.ContainsFunc(columns, lacks) {
			continue
		}
		if best == nil || len(finest(t, columns[len(columns)-1])) > len(finest(best, columns[len(columns)-1])) {
			best = t
		}
	}
	return best
}

// finest are the codes of a column of a table that have no parts there, sorted.
func finest(t *vintages.Table, column string) (codes []string) {
	if t == nil {
		return nil
	}
	for code, is := range t.Finest[slices.Index(t.Columns, column)] {
		if is && code != published.Total {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}
