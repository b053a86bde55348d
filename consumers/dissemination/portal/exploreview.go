package portal

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// rowsPerPage bounds a page of the explorer.
const rowsPerPage = 250

// exploreView is what the template of a table is given.
type exploreView struct {
	Frame
	ID, Name, Measure string
	Action            string // of the form
	Clear             string // the table without filters
	Number            uint64 // of the vintage that is asked for; 0: the newest
	Periods           []option
	Filters           []filter
	Fixed             string // what all cells are of
	Heads             []string
	Rows              []exploreRow
	Count, Withheld   int // of the slice
	From, To          int // of its rows, on this page
	Previous, Next    string
	Editions          []edition
	Rounded           bool
	Kept              bool
	Keys              sdmxLinks
	Pinned            string // address of this slice that never changes; "" of several half-years
	Downloads         []download
	Bulletin          string
	Selected          bool // some filter is set
}

type filter struct {
	Column, Name string
	Options      []option
}

type option struct {
	Value, Name string
	Chosen      bool
}

type exploreRow struct {
	Names                  []named
	Key                    string // of the count in SDMX, with its dataflow
	Period                 string
	Count, Percent, Status string
	Withheld               bool
	Vintage, Folder        string
	Total                  bool
}

type named struct {
	Name  string
	Depth int
}

// edition is a vintage that rows are of.
type edition struct {
	Period, Name, Vintage, Folder string
	Status, Published, AsOf       string
	Coverage                      string
	Rounding                      string
	Total                         string // the base of the percentages
	Address                       string // of the slice in it
	File, Hash, Manifest          string // of the table, its SHA-256 and that of the manifest
	Revisions, Certificate        string
	Citation                      string
}

type download struct{ Name, Address string }

// explorer makes the view of a slice.
type explorer struct {
	q           question
	lang        string
	all, having []vintages.Vintage
	parts       []*part
	structures  *structure.Structures
}

func (x explorer) view(file func(o *vintages.Opened, path string) ([]byte, error)) (exploreView, error) {
	first := x.parts[0]
	id := first.table.ID
	v := exploreView{Frame: frame(x.lang, explorePath+"/"+id, ""), ID: id, Name: wording.In(x.lang, first.table.Title.ES, first.table.Title.EN), Measure: measureName(first.table.Measure).in(x.lang),
		Action: explorePath + "/" + id, Number: x.q.number, Selected: len(x.q.codes) > 0, Rows: []exploreRow{}}
	v.Elsewhere = x.q.address(v.Other)
	v.Clear = question{table: id, period: x.q.period, number: x.q.number}.address(x.lang)
	v.Title = v.Name + ", " + x.periodName(x.q.period)
	v.Bulletin = bulletin.Path + first.from.Period + "?lang=" + x.lang
	for _, one := range x.having {
		v.Periods = append(v.Periods, option{one.Period, x.periodName(one.Period), one.Period == x.q.period})
	}
	v.Periods = append(v.Periods, option{allPeriods, x.periodName(allPeriods), x.q.period == allPeriods})
	for _, column := range first.free() {
		v.Filters = append(v.Filters, x.filter(column))
	}
	columns := x.shown(first)
	for _, column := range columns {
		v.Heads = append(v.Heads, x.columnName(column))
	}
	v.Filters = append(v.Filters, x.filter(timeColumn))
	v.Fixed = x.fixed(first)
	if err := x.rows(&v, columns); err != nil {
		return v, err
	}
	for _, p := range x.parts {
		e, err := x.edition(p, v.Name, file)
		if err != nil {
			return v, err
		}
		v.Editions = append(v.Editions, e)
		v.Rounded = v.Rounded || p.table.Base > 1
	}
	v.Keys = x.keys()
	if len(x.parts) == 1 {
		v.Pinned = v.Editions[0].Address
		for _, f := range formats.All() {
			v.Downloads = append(v.Downloads, download{wording.In(x.lang, f.ES, f.EN), formats.Address(first.from.Vintage, id, f.ID) + "&lang=" + x.lang})
			if f.ID == "csv" {
				v.Downloads = append(v.Downloads, download{wording.In(x.lang, "CSV que Excel abre con tildes", "CSV that Excel opens with accents"), formats.Address(first.from.Vintage, id, f.ID) + "&bom=1&lang=" + x.lang})
			}
		}
	}
	return v, nil
}

// rows are those of the page that is asked for.
func (x explorer) rows(v *exploreView, columns []string) error {
	for _, p := range x.parts {
		for _, c := range p.cells {
			v.Count++
			if c.Withheld {
				v.Withheld++
			}
			kept := p.vintageOf(c) != p.from.Number
			v.Kept = v.Kept || kept
			if (v.Count-1)/rowsPerPage+1 == x.q.page {
				v.Rows = append(v.Rows, x.row(p, c, columns))
			}
		}
	}
	pages := max(1, (v.Count+rowsPerPage-1)/rowsPerPage)
	if x.q.page > pages {
		return refused([]both{{"La tabla tiene " + strconv.Itoa(pages) + " páginas.", "The table has " + strconv.Itoa(pages) + " pages."}})
	}
	v.From, v.To = (x.q.page-1)*rowsPerPage+1, min(v.Count, x.q.page*rowsPerPage)
	turned := func(page int) string {
		q := x.q
		q.page = page
		return q.address(x.lang)
	}
	if x.q.page > 1 {
		v.Previous = turned(x.q.page - 1)
	}
	if x.q.page < pages {
		v.Next = turned(x.q.page + 1)
	}
	return nil
}

func (x explorer) row(p *part, c published.Cell, columns []string) exploreRow {
	of := p.vintageOf(c)
	r := exploreRow{Period: p.period(c), Count: "[c]", Withheld: c.Withheld, Status: p.table.Status(c), Total: p.isTotal(c),
		Vintage: p.from.Period + "/" + strconv.FormatUint(of, 10), Folder: vintages.Address(p.from.Period, of)}
	if !c.Withheld {
		r.Count = wording.Number(c.Value)
	}
	if total, ok := p.share(c); ok {
		r.Percent = wording.Percent(wording.Share(c.Value, total.Value), x.lang)
	}
	r.Key = x.key(p, c)
	for _, column := range columns {
		code := p.code(c, column)
		r.Names = append(r.Names, named{p.from.Label(column, code, x.lang), p.depth(column, code)})
	}
	return r
}

// filter has the codes of a column that the parts have.
func (x explorer) filter(column string) filter {
	f := filter{Column: column, Name: x.columnName(column)}
	chosen := x.q.codes[column]
	listed := map[string]bool{}
	f.Options = []option{{"", wording.In(x.lang, "Todos", "All"), chosen == ""}}
	for _, p := range x.parts {
		j := slices.Index(p.table.Columns, column)
		if j < 0 {
			continue
		}
		for _, code := range p.codes(j) {
			if listed[code] {
				continue
			}
			listed[code] = true
			name := code
			if column != timeColumn {
				name = strings.Repeat("\u00a0\u00a0", max(0, len(p.paths[j][code])-1)) + p.from.Label(column, code, x.lang)
			}
			f.Options = append(f.Options, option{code, name, code == chosen})
		}
	}
	return f
}

// shown are the columns of codes that rows differ in; all that the filters are about where these leave none.
func (x explorer) shown(p *part) []string {
	open := slices.DeleteFunc(p.free(), func(column string) bool { return x.q.codes[column] != "" })
	if len(open) == 0 {
		return p.free()
	}
	return open
}

// fixed says what all cells of the slice are of.
func (x explorer) fixed(p *part) string {
	var names []string
	for _, column := range p.table.Columns {
		code := cmp.Or(p.fixed[column], x.q.codes[column])
		if code != "" && (code != published.Total || p.fixed[column] == "") && column != timeColumn {
			names = append(names, x.columnName(column)+": "+p.from.Label(column, code, x.lang))
		}
	}
	return strings.Join(names, " · ")
}

// columnName is what SDMX's concept of a column is called.
func (x explorer) columnName(column string) string {
	if column == timeColumn {
		return x.structures.Period.Name.In(x.lang)
	}
	for _, c := range x.structures.Dimensions {
		if c.Column == column {
			return c.Name.In(x.lang)
		}
	}
	return column
}

func (x explorer) periodName(period string) string {
	if period == allPeriods {
		return wording.In(x.lang, "todos los semestres", "all half-years")
	}
	p, _ := calendar.ParsePeriod(period) // of a vintage
	return wording.HalfYear(p, x.lang)
}

// edition is what is said of a vintage, and how the slice of it is cited.
func (x explorer) edition(p *part, name string, file func(o *vintages.Opened, path string) ([]byte, error)) (edition, error) {
	o, m := p.from, p.from.Manifest
	e := edition{Period: o.Period, Name: wording.Capital(x.periodName(o.Period)), Vintage: o.Name(), Folder: vintages.Address(o.Period, o.Number), Status: statusName(o.Status).in(x.lang),
		Published: wording.Date(calendar.DayOfTime(o.Vintage.Published), x.lang), AsOf: wording.Moment(m.AsOf, x.lang), Address: x.q.of(o.Period, o.Number).address(x.lang),
		Rounding: wording.In(x.lang, "exactos", "exact"), Revisions: revisionsPath + o.Period + "?lang=" + x.lang, Total: "–", Coverage: wording.In(x.lang, "no se da", "not given")}
	e.Certificate, e.File = e.Folder+bundle.CertificatePath, e.Folder+bundle.TablePath(p.table.ID)
	if m.Coverage != nil {
		e.Coverage = wording.Percent(*m.Coverage, x.lang)
	}
	if m.Rounded > 1 {
		e.Rounding = wording.In(x.lang, "redondeados a múltiplos de ", "rounded to multiples of ") + strconv.FormatInt(m.Rounded, 10)
	}
	if total, ok := p.totals[o.Period]; ok && !total.Withheld {
		e.Total = wording.Number(total.Value)
	}
	for _, f := range m.Files {
		if f.Path == bundle.TablePath(p.table.ID) {
			e.Hash = f.SHA256
		}
	}
	body, err := file(o, bundle.ManifestPath)
	if err != nil {
		return e, err
	}
	sum := sha256.Sum256(body)
	e.Manifest = hex.EncodeToString(sum[:])
	e.Citation = wording.In(x.lang, "CENISS, Retorno: "+name+", "+x.periodName(o.Period)+". Edición "+o.Name()+" ("+strings.ToLower(e.Status)+"), publicada el "+e.Published+".",
		"CENISS, Retorno: "+name+", "+x.periodName(o.Period)+". Vintage "+o.Name()+" ("+strings.ToLower(e.Status)+"), published on "+e.Published+".")
	return e, nil
}
