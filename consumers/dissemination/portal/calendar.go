package portal

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
	"retorno/schemas/calendar"
)

// calendarPath is where all vintages stand with their dates, and what comes next.
const calendarPath = "/calendar"

// calendarView is what the template of the calendar is given.
type calendarView struct {
	Frame
	Vintages   []release
	Next, Ends string   // the half-year that comes next, and when it ends; "" where nothing is published yet
	Date       string   // announced for the next publication; "" where none is
	Awaited    []string // half-years of which the final vintage is to come
}

// release is a vintage in the calendar.
type release struct {
	Vintage, Folder, Period, Status, Published, Stamp string
	Bulletin, Revisions                               string
}

// published are the vintages, for a page without a question of its own; false when the answer has been given: a parameter that there is
// not, or no database.
func (s *server) published(w http.ResponseWriter, r *http.Request) ([]vintages.Vintage, bool) {
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return nil, false
	}
	all, err := s.shelf.List(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return nil, false
	}
	return all, true
}

// calendar is the page of the vintages by their dates.
func (s *server) calendar(w http.ResponseWriter, r *http.Request) {
	all, ok := s.published(w, r)
	if !ok {
		return
	}
	v := viewCalendar(all, language(r))
	if len(v.Vintages) > 0 {
		latest := slices.MaxFunc(all, func(a, b vintages.Vintage) int { return a.Published.Compare(b.Published) })
		o, err := s.shelf.Open(r.Context(), latest)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		if day, ok := o.Manifest.Next(); ok {
			v.Date = wording.Date(day, v.Lang)
		}
	}
	s.show(w, r, http.StatusOK, "calendar", v)
}

// viewCalendar needs no clock: what comes next follows from what was published.
func viewCalendar(all []vintages.Vintage, lang string) calendarView {
	v := calendarView{Frame: frame(lang, calendarPath, "")}
	v.Title = both{"Calendario de publicaciones", "Release calendar"}.in(lang)
	byTime := slices.Clone(all)
	slices.SortStableFunc(byTime, func(a, b vintages.Vintage) int {
		return cmp.Or(b.Published.Compare(a.Published), strings.Compare(b.Period, a.Period), cmp.Compare(b.Number, a.Number))
	})
	name := func(label string) string {
		p, _ := calendar.ParsePeriod(label) // only half-years have a public form
		return wording.HalfYear(p, lang)
	}
	for _, one := range byTime {
		v.Vintages = append(v.Vintages, release{Vintage: one.Name(), Folder: vintages.Address(one.Period, one.Number), Period: wording.Capital(name(one.Period)), Status: statusName(one.Status).in(lang),
			Published: wording.Moment(one.Published, lang), Stamp: stamp(one.Published), Bulletin: bulletin.Path + one.Period + "?vintage=" + strconv.FormatUint(one.Number, 10) + "&lang=" + lang,
			Revisions: revisionsPath + one.Period + "?lang=" + lang})
	}
	latest := newest(all)
	for _, one := range latest {
		if one.Status == "provisional" {
			v.Awaited = append(v.Awaited, name(one.Period))
		}
	}
	if len(latest) > 0 {
		p, _ := calendar.ParsePeriod(latest[0].Period)
		next := p.Next()
		v.Next, v.Ends = wording.HalfYear(next, lang), wording.Date(next.Last, lang)
	}
	return v
}
