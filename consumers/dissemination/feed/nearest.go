package feed

import (
	"context"
	"slices"

	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// maxNearest is how many tables an answer names that says that one is not published.
const maxNearest = 4

// answer finds the table of a question. Where it is not published, it returns questions that come near to it and that are.
func (s *server) answer(ctx context.Context, q Query) (t Table, near []Query, err error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return Table{}, nil, err
	}
	t, ok, err := s.find(ctx, q, all)
	if ok || err != nil {
		return t, nil, err
	}
	for _, candidate := range candidates(q, all) {
		_, ok, err := s.find(ctx, candidate, all)
		if err != nil {
			return Table{}, nil, err
		}
		if ok {
			near = append(near, candidate)
		}
		if len(near) == maxNearest {
			break
		}
	}
	return Table{}, near, nil
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
				c := Query{Period: period, By: by, Series: one, Lang: q.Lang, Vintage: q.Vintage, AsOf: q.AsOf, before: q.before}
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
