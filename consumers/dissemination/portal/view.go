package portal

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// homeView is what the template of the page of a half-year is given: texts and numbers that are ready to be shown.
type homeView struct {
	Frame
	Empty                      bool // nothing was ever published
	Label, Name, First, Last   string
	Periods                    []choice
	Vintage, Folder            string // its name and its address
	Status                     string
	Bulletin                   string // the address of the half-year's bulletin
	Revisions                  string // the address of the half-year's revisions
	TotalCell, ExitCell        string // where the explorer has the two figures with their SDMX keys; "" where they are in no table
	KeptLines, KeptMonths      string // what their marks of earlier vintages mean; "" where none has one
	Accepted, Missing          string // why it was published incomplete, and how many records were missing; "" where it was complete, and for none
	Certificate                string // its address
	Rounded                    int64  // base of a provisional vintage's counts; 0: they are exact
	Withheld                   bool   // some count of the page
	AsOf, AsOfISO              string
	Published, PublishedISO    string
	Method                     int
	Total                      string // as all counts, "" where it is not published
	Checkpoint, Reconciled     string
	Coverage, Late             string // "" where they are not given
	CoverageWidth              float64
	RouteLines, ExitLines      []line
	TopExit                    *line
	MonthLines                 []line
	MonthBars                  []column
	ExitBars, RouteBars        []bar
	ExitHeight, RouteHeight    int // pixels
	QueryCSV, QueryJSON        string
	QueryMonthCSV, QueryByJSON string
}

type choice struct {
	Label, Name string
	Chosen      bool
}

// line is one row of the table.
type line struct {
	Name           string
	Count, Percent string // "" when it is withheld
	Unknown        bool   // the code for not stated
	Withheld       bool
	Kept           string // the earlier vintage that the count is of; "" where it is of this one
	code           string
	size           int64
	share          float64
}

// column and bar are parts of the pictures, in percent of their width and in pixels of their height.
type column struct {
	X, Middle, Width float64
	Y, Height        int
	Name, Value      string
	ValueY           int
	Mark             string // of an earlier vintage that the count is of: "[1]"
	MarkY            int
}

type bar struct {
	Y, BarY     int
	NameY       int // where the box of the name begins
	Width       float64
	Name, Value string
	Unknown     bool
}

// emptyView is the page while nothing is published.
func emptyView(lang string) homeView {
	v := homeView{Frame: frame(lang, "/", ""), Empty: true}
	v.Title = both{"Todavía no hay nada publicado", "Nothing is published yet"}.in(lang)
	return v
}

// view turns a vintage into what is shown of it; all are those that there are.
func view(all []vintages.Vintage, o *vintages.Opened, lang string) homeView {
	m := o.Manifest
	period, _ := calendar.ParsePeriod(o.Period) // only half-years have a public form
	ask := feed.Query{Period: period, Series: feed.Registered, Lang: lang}
	v := homeView{Frame: frame(lang, "/", o.Period), Label: o.Period, Name: wording.HalfYear(period, lang), First: wording.Date(period.First, lang), Last: wording.Date(period.Last, lang),
		Vintage: o.Period + "/" + strconv.FormatUint(o.Number, 10), Folder: vintages.Address(o.Period, o.Number), Method: m.MethodVersion,
		AsOf: wording.Moment(m.AsOf, lang), AsOfISO: stamp(m.AsOf), Published: wording.Moment(o.Vintage.Published, lang), PublishedISO: stamp(o.Vintage.Published)}
	v.Bulletin = bulletin.Path + o.Period + "?lang=" + lang
	v.Certificate = v.Folder + bundle.CertificatePath
	v.Status = map[string]both{"final": {"Definitivo", "Final"}, "revision": {"Revisado", "Revised"}, "provisional": {"Provisional", "Provisional"}}[o.Status].in(lang)
	v.Revisions = revisionsPath + o.Period + "?lang=" + lang
	v.TotalCell = cellAddress(o, lang, "source=registered")
	if m.Rounded > 1 {
		v.Rounded = m.Rounded
	}
	if v.Accepted = sentence(m.Accepted); m.Missing > 0 {
		v.Missing = wording.Number(int64(m.Missing))
	}
	v.Periods = periods(all, o.Period, lang)
	total := feed.Total(o, ask, feed.Registered)
	v.Total, v.Checkpoint, v.Reconciled = given(total), given(feed.Total(o, ask, feed.Checkpoint)), given(feed.Total(o, ask, feed.Reconciled))
	v.Title = both{"Retornos registrados, " + v.Name, "Registered returns, " + v.Name}.in(lang)
	if v.Total != "" {
		v.Title = both{v.Total + " retornos registrados, " + v.Name, v.Total + " registered returns, " + v.Name}.in(lang)
	}
	if m.Coverage != nil {
		v.Coverage, v.CoverageWidth = wording.Percent(*m.Coverage, lang), *m.Coverage
	}
	if m.Late != nil {
		v.Late = wording.Percent(*m.Late, lang)
	}
	v.RouteLines, v.ExitLines = lines(o, ask, "route", codelists.Route, total), lines(o, ask, "exit_point", codelists.BorderPoint, total)
	if len(v.ExitLines) > 0 && !v.ExitLines[0].Unknown && !v.ExitLines[0].Withheld && v.ExitLines[0].Kept == "" {
		v.TopExit = &v.ExitLines[0]
		v.ExitCell = cellAddress(o, lang, "exit_point="+v.TopExit.code, "source=registered")
	}
	v.MonthLines = monthLines(o, ask, total)
	v.MonthBars = monthColumns(v.MonthLines)
	for _, shown := range [][]line{v.RouteLines, v.ExitLines, v.MonthLines} {
		v.Withheld = v.Withheld || slices.ContainsFunc(shown, func(l line) bool { return l.Withheld })
	}
	v.KeptLines, v.KeptMonths = keptNote(slices.Concat(v.RouteLines, v.ExitLines), lang), keptNote(v.MonthLines, lang)
	v.ExitBars, v.ExitHeight = bars(v.ExitLines)
	v.RouteBars, v.RouteHeight = bars(v.RouteLines)
	query := "?period=" + v.Label + "&lang=" + lang
	v.QueryCSV, v.QueryJSON = feed.PathCSV+query+"&by=route", feed.PathJSON+query+"&by=route"
	v.QueryMonthCSV, v.QueryByJSON = feed.PathCSV+query+"&by=month", feed.PathJSON+query+"&by=sex"
	return v
}

// periods are the half-years of which something is published, the latest first.
func periods(all []vintages.Vintage, chosen, lang string) (out []choice) {
	for _, v := range all {
		p, err := calendar.ParsePeriod(v.Period)
		if err == nil && !slices.ContainsFunc(out, func(c choice) bool { return c.Label == v.Period }) {
			out = append(out, choice{v.Period, wording.Capital(wording.HalfYear(p, lang)), v.Period == chosen})
		}
	}
	slices.SortFunc(out, func(a, b choice) int { return cmp.Compare(b.Label, a.Label) })
	return out
}

// given writes a count that may not be published.
func given(n *int64) string {
	if n == nil {
		return ""
	}
	return wording.Number(*n)
}

// stamp writes a time for programs.
func stamp(t time.Time) string { return t.In(calendar.Zone()).Format(time.RFC3339) }

// newLine makes a line of a row that the feed gives.
func newLine(o *vintages.Opened, r feed.Row, name string, total *int64, lang string) line {
	l := line{Name: name, Withheld: r.Withheld, size: r.Returns}
	if r.Of != o.Number {
		l.Kept = strconv.FormatUint(r.Of, 10)
	}
	if !r.Withheld {
		l.Count = wording.Number(r.Returns)
		if total != nil && *total > 0 {
			l.share = wording.Share(r.Returns, *total)
			if l.Kept == "" { // else the total of its own vintage was another
				l.Percent = wording.Percent(l.share, lang)
			}
		}
	}
	return l
}

// lines are the parts by a dimension, the largest first; those withheld stand after them in the order of their codes, what is not stated
// at the end. They are none where the vintage has no such table.
func lines(o *vintages.Opened, ask feed.Query, dimension, list string, total *int64) (all []line) {
	codes, _ := codelists.Get(list)
	t, _ := feed.Find(o, ask.Breakdown(dimension))
	for _, r := range t.Rows {
		l := newLine(o, r, o.Label(t.Query.By[0].Column, r.Codes[0], ask.Lang), total, ask.Lang)
		l.code, l.Unknown = r.Codes[0], r.Codes[0] == codes.Unknown
		all = append(all, l)
	}
	slices.SortStableFunc(all, func(a, b line) int {
		return cmp.Or(cmp.Compare(b2i(a.Unknown), b2i(b.Unknown)), cmp.Compare(b2i(a.Withheld), b2i(b.Withheld)), cmp.Compare(b.size, a.size))
	})
	return all
}

// monthLines are the months of the half-year.
func monthLines(o *vintages.Opened, ask feed.Query, total *int64) (all []line) {
	t, _ := feed.Find(o, ask.Breakdown("month"))
	for _, r := range t.Rows {
		month, _ := calendar.ParsePeriod(r.Codes[0])
		_, number, _ := month.First.Civil()
		all = append(all, newLine(o, r, wording.Months[ask.Lang][number-1], total, ask.Lang))
	}
	return all
}

// value is what stands over its bar.
func (l line) value() string {
	if l.Kept != "" {
		return l.Count + " " + l.mark()
	}
	return l.Count + " · " + l.Percent
}

// mark names the earlier vintage that the count is of: "[1]"; "" where it is of this one.
func (l line) mark() string {
	if l.Kept == "" {
		return ""
	}
	return "[" + l.Kept + "]"
}

// keptNote says what the marks of lines mean; "" where none has one.
func keptNote(from []line, lang string) string {
	var marks []string
	for _, l := range from {
		if mark := l.mark(); mark != "" && !slices.Contains(marks, mark) {
			marks = append(marks, mark)
		}
	}
	if len(marks) == 0 {
		return ""
	}
	slices.Sort(marks)
	var said []string
	for _, mark := range marks {
		said = append(said, mark+both{": cifra de la edición ", ": figure of vintage "}.in(lang)+strings.Trim(mark, "[]")+".")
	}
	return strings.Join(said, " ") + both{" No cambió, o cambió en tan pocas personas que no se publica. No la sume con las demás.",
		" It did not change, or changed by so few persons that it is not published. Do not add it to the others."}.in(lang)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Sizes of the pictures in pixels; widths are relative, so that letters keep their size on a telephone.
const (
	columnsTop, columnsFoot = 40, 230 // where the highest column ends and where all begin
	barStep, barOffset      = 46, 24  // from one bar to the next, and from its name to it
)

// monthColumns draws all months; one that is withheld has a place and no height.
func monthColumns(all []line) (columns []column) {
	var largest int64
	for _, one := range all {
		largest = max(largest, one.size)
	}
	step := 100 / float64(max(1, len(all)))
	for i, one := range all {
		c := column{X: round2(float64(i)*step + step*0.16), Middle: round2(float64(i)*step + step/2), Width: round2(step * 0.68), Y: columnsFoot,
			Name: wording.Capital(one.Name), Value: cmp.Or(one.Count, "–"), Mark: one.mark()}
		if largest > 0 {
			c.Height = int(math.Round(float64(one.size) / float64(largest) * (columnsFoot - columnsTop)))
			c.Y = columnsFoot - c.Height
		}
		c.ValueY, c.MarkY = c.Y-8, c.Y-24
		columns = append(columns, c)
	}
	return columns
}

// bars draws the lines of a breakdown whose counts are given, in the order of the table; width is the share of the total.
func bars(from []line) (all []bar, height int) {
	for _, one := range from {
		if one.Withheld {
			continue
		}
		i := len(all)
		all = append(all, bar{Y: i*barStep + 15, BarY: i*barStep + barOffset, NameY: i * barStep, Name: one.Name, Unknown: one.Unknown,
			Value: one.value(), Width: math.Max(0.4, one.share)})
	}
	return all, len(all) * barStep
}

func round2(f float64) float64 { return math.Round(f*100) / 100 }
