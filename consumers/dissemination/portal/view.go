package portal

import (
	"cmp"
	"math"
	"slices"
	"time"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/feed"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// exactFrom is the smallest total that a page shows exactly, as it is published; a smaller one is rounded like
// everything below it, because a total of four people with one exit point says where all four left.
const exactFrom = 1000

// homeView is what the template of the page of a half-year is given: texts and numbers that are ready to be shown.
type homeView struct {
	Frame
	Empty, Open                bool // nothing was ever counted; the period is not over
	Label, Name, First, Last   string
	Periods                    []choice
	Total                      string
	TotalExact                 bool
	Checkpoint, Reconciled     string // rounded
	Coverage                   string // "" when it is not given
	CoverageWidth              float64
	Method                     int
	Counted                    string // when data last came in; "" for never
	CountedISO                 string
	RouteLines, ExitLines      []line
	TopExit                    *line
	MonthLines                 []line
	MonthBars                  []column
	ExitBars, RouteBars        []bar
	ExitHeight, RouteHeight    int           // pixels
	Complete                   *completeView // nil: it could not be read
	QueryCSV, QueryJSON        string
	QueryMonthCSV, QueryByJSON string
}

type choice struct {
	Label, Name string
	Chosen      bool
}

// line is one row of the table.
type line struct {
	Code, Name     string
	Count, Percent string
	Unknown        bool // the code for not stated, or what is left over
	size           uint64
	share          disclosure.Tenths
}

// column and bar are parts of the pictures, in percent of their width and in pixels of their height.
type column struct {
	X, Middle, Width float64
	Y, Height        int
	Name, Value      string
	ValueY           int
}

type bar struct {
	Y, BarY     int
	Width       float64
	Name, Value string
	Unknown     bool
}

// view turns a snapshot into what may be shown of it.
func (s *server) view(snap *snapshot, lang string) homeView {
	v := homeView{Frame: frame(lang, "/", snap.period.Label), Method: reconcile.MethodVersion}
	if !snap.flushed.IsZero() {
		v.Counted, v.CountedISO = moment(snap.flushed, lang), snap.flushed.In(calendar.Zone()).Format(time.RFC3339)
	}
	total := snap.total.Registered
	if total < exactFrom {
		total = disclosure.Round(total)
	} else {
		v.TotalExact = true
	}
	today := calendar.DayOfTime(s.now())
	v.Complete = viewComplete(snap, total, today, lang)
	if snap.period.Label == "" {
		v.Empty = true
		v.Title = both{"Todavía no hay datos", "No data yet"}.in(lang)
		return v
	}
	v.Label, v.Name = snap.period.Label, halfYearName(snap.period, lang)
	v.First, v.Last = date(snap.period.First, lang), date(snap.period.Last, lang)
	for _, h := range snap.halfYears {
		v.Periods = append(v.Periods, choice{h.period.Label, capital(halfYearName(h.period, lang)), h.period.Label == v.Label})
	}
	v.Total = number(total)
	v.Title = both{v.Total + " retornos registrados, " + v.Name, v.Total + " registered returns, " + v.Name}.in(lang)
	v.Reconciled, v.Checkpoint = number(disclosure.Round(snap.total.Reconciled)), number(disclosure.Round(snap.total.Checkpoint))
	if c, ok := disclosure.Coverage(total, snap.total.Reconciled); ok {
		v.Coverage, v.CoverageWidth = percent(c, lang), c.Percent()
	}
	v.RouteLines = lines(snap.routes, total, codelists.Route, 12, both{"Otras rutas", "Other routes"}, lang)
	v.ExitLines = lines(snap.exits, total, codelists.BorderPoint, 14, both{"Otros puntos", "Other points"}, lang)
	if len(v.ExitLines) > 0 && !v.ExitLines[0].Unknown {
		v.TopExit = &v.ExitLines[0]
	}
	v.Open = snap.period.Last >= today
	v.MonthLines, v.MonthBars = monthColumns(snap, today, lang)
	v.ExitBars, v.ExitHeight = bars(v.ExitLines, 8, brief)
	v.RouteBars, v.RouteHeight = bars(v.RouteLines, 6, clip)
	query := "?period=" + v.Label + "&lang=" + lang
	v.QueryCSV, v.QueryJSON = feed.PathCSV+query+"&by=route", feed.PathJSON+query+"&by=route"
	v.QueryMonthCSV, v.QueryByJSON = feed.PathCSV+query+"&by=month,exit_point", feed.PathJSON+query+"&by=route,exit_point"
	return v
}

// lines are the largest parts with what is not stated after them and the rest summed up. Parts that round to zero
// are only in the rest.
func lines(parts map[string]counts, total uint64, list string, most int, rest both, lang string) []line {
	codes, _ := codelists.Get(list)
	var all []line
	var left uint64
	for code, c := range parts {
		all = append(all, line{Code: code, Name: label(codes, code, lang), Unknown: code == codes.Unknown, size: c.Registered})
	}
	slices.SortFunc(all, func(a, b line) int {
		if a.Unknown != b.Unknown {
			return cmp.Compare(b2i(a.Unknown), b2i(b.Unknown))
		}
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.Code, b.Code))
	})
	var shown []line
	var unknown *line
	for i := range all {
		switch {
		case all[i].Unknown:
			unknown = &all[i]
		case len(shown) < most && disclosure.Round(all[i].size) > 0:
			shown = append(shown, all[i])
		default:
			left += all[i].size
		}
	}
	if disclosure.Round(left) > 0 {
		shown = append(shown, line{Name: rest.in(lang), Unknown: true, size: left})
	}
	if unknown != nil && disclosure.Round(unknown.size) > 0 {
		shown = append(shown, *unknown)
	}
	for i := range shown {
		shown[i].fill(total, lang)
	}
	return shown
}

func (l *line) fill(total uint64, lang string) {
	l.Count = number(disclosure.Round(l.size))
	if t, ok := disclosure.Share(l.size, total); ok {
		l.share, l.Percent = t, percent(t, lang)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// label is the name of a code; the code itself when the list does not hold it.
func label(list *codelists.List, code, lang string) string {
	c, ok := list.Lookup(code)
	if !ok {
		return code
	}
	return both{c.LabelES, c.LabelEN}.in(lang)
}

// Sizes of the pictures in pixels; widths are relative, so that letters keep their size on a telephone.
const (
	columnsTop, columnsFoot = 30, 230 // where the highest column ends and where all begin
	barStep, barOffset      = 46, 24  // from one bar to the next, and from its name to it
)

// monthColumns draws all months of the period, the empty ones too. Months that have not begun have a place and no value.
func monthColumns(snap *snapshot, today calendar.Day, lang string) ([]line, []column) {
	var all []line
	var largest uint64
	for m := snap.period.First.Period(calendar.KindMonth); m.First <= snap.period.Last; m = m.Next() {
		_, month, _ := m.First.Civil()
		one := line{Code: m.Label, Name: months[lang][month-1], size: snap.months[m.Label].Registered}
		if m.First <= today || one.size > 0 {
			one.fill(snap.total.Registered, lang)
		}
		all = append(all, one)
		largest = max(largest, disclosure.Round(one.size))
	}
	var columns []column
	step := 100 / float64(len(all))
	for i, one := range all {
		c := column{X: round2(float64(i)*step + step*0.16), Middle: round2(float64(i)*step + step/2), Width: round2(step * 0.68), Y: columnsFoot,
			Name: capital(one.Name), Value: one.Count}
		if largest > 0 {
			c.Height = int(math.Round(float64(disclosure.Round(one.size)) / float64(largest) * (columnsFoot - columnsTop)))
			c.Y = columnsFoot - c.Height
		}
		c.ValueY = c.Y - 8
		columns = append(columns, c)
	}
	return all, columns
}

// bars draws the first lines of a breakdown, in the order of the table; width is the share of the population.
// What is not stated closes the picture as it closes the table: it may be the largest part.
func bars(from []line, most int, shorten func(string) string) ([]bar, int) {
	if len(from) > most {
		tail := from[len(from)-1]
		if from = from[:most]; tail.Unknown && tail.Code != "" {
			from = append(slices.Clone(from[:most-1]), tail)
		}
	}
	var all []bar
	for i, one := range from {
		all = append(all, bar{Y: i*barStep + 15, BarY: i*barStep + barOffset, Name: shorten(one.Name), Unknown: one.Unknown,
			Value: one.Count + " · " + one.Percent, Width: math.Max(0.4, one.share.Percent())})
	}
	return all, len(all) * barStep
}

func round2(f float64) float64 { return math.Round(f*100) / 100 }
