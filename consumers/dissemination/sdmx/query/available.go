package query

import (
	"maps"
	"slices"
	"strings"

	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/schemas/calendar"
)

// Modes of questions for availability.
const (
	Exact      = "exact"     // the values that the answer to the question has
	Selectable = "available" // the values of each dimension that could be asked for with the rest of the question
)

// Availability tells what there is of a question for data: the values of dimensions (none named: all), how many observations and series the
// answer would have, and which time they cover.
func (q *Data) Availability(s *cells.State, dimensions []string, mode string) structure.Available {
	all := q.choose(s)
	if !q.UpdatedAfter.IsZero() {
		gone, changed := difference(q.choose(s.Earlier(q.UpdatedAfter)), all)
		all = append(changed, gone...)
	}
	a := structure.Available{Flow: q.Flow, Dimensions: dimensions, Observations: len(all), Values: map[string][]string{}}
	if len(dimensions) == 0 {
		for _, c := range append(slices.Clone(s.Structures.Dimensions), s.Structures.Period) {
			a.Dimensions = append(a.Dimensions, c.ID)
		}
	}
	series := map[string]bool{}
	var first, last calendar.Day
	for i, o := range all {
		series[strings.Join(o.Key, ".")] = true
		if i == 0 || o.Period.First < first {
			first = o.Period.First
		}
		if i == 0 || o.Period.Last > last {
			last = o.Period.Last
		}
	}
	a.Series = len(series)
	if len(all) > 0 {
		a.From, a.To = first.String(), last.String()
	}
	for _, id := range a.Dimensions {
		at := s.Structures.Position(id)
		if at < 0 {
			continue
		}
		some := all
		if mode == Selectable {
			some = q.without(id, at).choose(s)
		}
		values := map[string]bool{}
		for _, o := range some {
			values[o.Key[at]] = true
		}
		a.Values[id] = slices.Sorted(maps.Keys(values))
	}
	return a
}

// without is the question that leaves a dimension open.
func (q *Data) without(id string, at int) *Data {
	open := *q
	open.keys = nil
	for _, k := range q.keys {
		if k = slices.Clone(k); at < len(k) {
			k[at] = nil
		}
		open.keys = append(open.keys, k)
	}
	open.filters = slices.DeleteFunc(slices.Clone(q.filters), func(f filter) bool { return f.component == id })
	return &open
}
