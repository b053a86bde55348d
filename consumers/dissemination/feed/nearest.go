package feed

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// maxNearest is how many tables an answer names that says that one is not published.
const maxNearest = 4

// lack is why a question has no answer, and questions that come near to it and have one.
type lack struct {
	why  text
	near []Query
}

// answer finds the table of a question. Where it is not published, it returns why, and what comes near to it.
func (s *server) answer(ctx context.Context, q Query) (t Table, l lack, err error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return Table{}, lack{}, err
	}
	t, ok, err := s.find(ctx, q, all)
	if ok || err != nil {
		return t, lack{}, err
	}
	l.why = q.why(all)
	for _, candidate := range candidates(q, all) {
		_, ok, err := s.find(ctx, candidate, all)
		if err != nil {
			return Table{}, lack{}, err
		}
		if ok {
			l.near = append(l.near, candidate)
		}
		if len(l.near) == maxNearest {
			break
		}
	}
	return Table{}, l, nil
}

// of are the vintages of the half-year that a period begins in, the oldest first.
func of(period calendar.Period, all []vintages.Vintage) (some []vintages.Vintage) {
	half := period.First.Period(calendar.KindHalfYear)
	for _, v := range all {
		if v.Period == half.Label {
			some = append(some, v)
		}
	}
	slices.SortFunc(some, func(a, b vintages.Vintage) int { return cmp.Compare(a.Number, b.Number) })
	return some
}

// numbersOf are the numbers of vintages, as text.
func numbersOf(some []vintages.Vintage) []string {
	out := make([]string, len(some))
	for i, v := range some {
		out[i] = strconv.FormatUint(v.Number, 10)
	}
	return out
}

// why says why a question has no answer: which vintages there are, where it names one that is not there, or when the first was published,
// where it asks for an earlier time; else that the vintage has no such table.
func (q Query) why(all []vintages.Vintage) text {
	some := of(q.Period, all)
	v, ok := q.vintage(all)
	half := q.Period.First.Period(calendar.KindHalfYear)
	switch {
	case ok:
		return text{fmt.Sprintf("La edición %s/%d no tiene esa tabla de %s.", v.Period, v.Number, q.Period.Label), fmt.Sprintf("Vintage %s/%d does not have that table of %s.", v.Period, v.Number, q.Period.Label)}
	case len(some) == 0 || !half.Contains(q.Period.Last):
		return text{"Ninguna edición publicada tiene esa tabla de " + q.Period.Label + ".", "No published vintage has that table of " + q.Period.Label + "."}
	case q.Vintage > 0:
		numbers := strings.Join(numbersOf(some), ", ")
		return text{fmt.Sprintf("%s no tiene edición %d. Las que hay: %s.", half.Label, q.Vintage, numbers), fmt.Sprintf("%s has no vintage %d. There are: %s.", half.Label, q.Vintage, numbers)}
	}
	published := moment(slices.MinFunc(some, func(a, b vintages.Vintage) int { return a.Published.Compare(b.Published) }).Published)
	return text{fmt.Sprintf("En asOf=%s todavía no se había publicado nada de %s. La primera edición se publicó el %s.", q.AsOf, half.Label, published),
		fmt.Sprintf("At asOf=%s nothing of %s had been published yet. Its first vintage was published at %s.", q.AsOf, half.Label, published)}
}

// nameVintages puts the vintages that there are into a fault that names none of them. Where they cannot be read, the fault stays as it is.
func (s *server) nameVintages(r *http.Request, faults []Fault) {
	i := slices.IndexFunc(faults, func(f Fault) bool { return f.Parameter == "vintage" })
	period, err := calendar.ParsePeriod(r.URL.Query().Get("period"))
	if i < 0 || err != nil {
		return
	}
	if all, err := s.shelf.List(r.Context()); err == nil {
		faults[i].Allowed = numbersOf(of(period, all))
	}
}

// find finds the table of a question in the vintage that is to answer it.
func (s *server) find(ctx context.Context, q Query, all []vintages.Vintage) (t Table, ok bool, err error) {
	v, ok := q.vintage(all)
	if !ok {
		return Table{}, false, nil
	}
	o, err := s.shelf.Open(ctx, v)
	if err != nil {
		return Table{}, false, err
	}
	t, ok = Find(o, q)
	return t, ok, nil
}

// vintage returns the newest of the half-year that holds the period, or the one that the question names.
func (q Query) vintage(all []vintages.Vintage) (vintages.Vintage, bool) {
	half := q.Period.First.Period(calendar.KindHalfYear)
	i := slices.IndexFunc(all, func(v vintages.Vintage) bool {
		return v.Period == half.Label && (q.Vintage == 0 || v.Number == q.Vintage) && (q.AsOf == "" || v.Published.Before(q.before))
	})
	if i < 0 || !half.Contains(q.Period.Last) {
		return vintages.Vintage{}, false
	}
	return all[i], true
}

// candidates are questions that come near to one, the nearest first: with as many of its columns, then with a period as short, then of
// its series.
func candidates(q Query, all []vintages.Vintage) (near []Query) {
	if len(all) == 0 {
		return nil
	}
	seen := map[string]bool{q.Canonical(): true}
	for _, by := range subsets(findable(q.By)) {
		for _, period := range periods(q, all) {
			for _, one := range []Series{q.Series, Registered} {
				c := Query{Period: period, By: by, Series: one, Lang: q.Lang, Vintage: q.Vintage, AsOf: q.AsOf, BOM: q.BOM, before: q.before}
				if _, ok := c.vintage(all); !ok {
					c.Vintage, c.AsOf = 0, ""
				}
				if text := c.Canonical(); !seen[text] {
					seen[text] = true
					near = append(near, c)
				}
			}
		}
	}
	return near
}

// findable are the columns with one that tables have in the place of each that none has.
func findable(by []Dimension) (out []Dimension) {
	for _, d := range dimensions {
		ask := func(id string) bool { return slices.ContainsFunc(by, func(d Dimension) bool { return d.ID == id }) }
		if ask(d.ID) && (d.Column != "" || d.Kind != "") || d.ID == "route" && (ask("country") || ask("mode")) {
			out = append(out, d)
		}
	}
	return out
}

// subsets are all choices of columns, those of more columns first.
func subsets(by []Dimension) (all [][]Dimension) {
	for bits := range 1 << len(by) {
		var one []Dimension
		for i, d := range by {
			if bits>>i&1 == 0 {
				one = append(one, d)
			}
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b []Dimension) int { return len(b) - len(a) })
	return all
}

// periods are those near to the one that is asked for: itself, those that hold its first or its last day, and the half-year of the
// newest vintage.
func periods(q Query, all []vintages.Vintage) []calendar.Period {
	out := []calendar.Period{q.Period}
	for _, kind := range []string{calendar.KindMonth, calendar.KindQuarter, calendar.KindHalfYear} {
		for _, day := range []calendar.Day{q.Period.First, q.Period.Last} {
			if p := day.Period(kind); p.Days() >= q.Period.Days() || kind == calendar.KindHalfYear {
				out = append(out, p)
			}
		}
	}
	if newest, err := calendar.ParsePeriod(all[0].Period); err == nil {
		out = append(out, newest)
	}
	return out
}
