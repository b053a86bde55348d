package query

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/structure"
)

// ErrTooLarge says that an answer would have more observations than one may have.
var ErrTooLarge = errors.New("the answer has too many observations")

// Actions of data sets: what a client that keeps a copy does with them (SDMX-CSV 2.1 field guide, "Further details for data actions").
const (
	Replace = "Replace"
	Merge   = "Append" // as XML and JSON write it; SDMX-CSV says M
	Delete  = "Delete"
)

// Set is one data set of an answer.
type Set struct {
	Action       string
	Observations []*cells.Observation
	From, To     time.Time // when it was valid; zero: not said, or until now
}

// Answer is what a question comes to.
type Answer struct {
	*Data
	Structures *structure.Structures
	Published  time.Time // of the latest vintage that it is about
	Sets       []Set     // none of them empty
	most       int
}

// Answer takes the answer from a state, which is that of the question. An answer of more than most observations is refused by ErrTooLarge.
func (q *Data) Answer(s *cells.State, most int) (*Answer, error) {
	a := &Answer{Data: q, Structures: s.Structures, Published: s.Published, most: most}
	var err error
	switch {
	case q.History:
		err = a.history(s)
	case !q.UpdatedAfter.IsZero():
		err = a.add(s.Published, time.Time{}, q.choose(s.Earlier(q.UpdatedAfter)), q.choose(s))
	default:
		all := q.choose(s)
		if len(all) > most && q.limit == 0 && !q.SeriesOnly {
			return nil, ErrTooLarge
		}
		set := Set{Action: q.action(), Observations: all}
		if !q.AsOf.IsZero() {
			set.To = q.AsOf
		}
		a.Sets = []Set{set}
	}
	a.page()
	return a, err
}

// action is what becomes of the observations that a client has: where only some components are asked for, it keeps the others.
func (q *Data) action() string {
	if q.Chosen {
		return Merge
	}
	return Replace
}

// history adds what each publication changed.
func (a *Answer) history(s *cells.State) error {
	moments := s.Moments(a.UpdatedAfter, s.Published)
	before := a.choose(s.Earlier(a.UpdatedAfter))
	if a.UpdatedAfter.IsZero() {
		before = nil
	}
	for i, at := range moments {
		now := a.choose(s.Earlier(at))
		var until time.Time
		if i+1 < len(moments) {
			until = moments[i+1]
		}
		if err := a.add(at, until, before, now); err != nil {
			return err
		}
		before = now
	}
	return nil
}

// add adds what makes one content another: what is gone, and what is new or differs.
func (a *Answer) add(from, until time.Time, before, now []*cells.Observation) error {
	gone, changed := difference(before, now)
	a.Sets = append(a.Sets, Set{Delete, gone, from, until}, Set{a.action(), changed, from, until})
	n := 0
	for _, s := range a.Sets {
		n += len(s.Observations)
	}
	if n > a.most {
		return ErrTooLarge
	}
	return nil
}

// difference compares two contents by key and period.
func difference(before, now []*cells.Observation) (gone, changed []*cells.Observation) {
	i := 0
	for _, o := range now {
		for ; i < len(before) && cells.Compare(before[i], o) < 0; i++ {
			gone = append(gone, before[i])
		}
		if i < len(before) && cells.Compare(before[i], o) == 0 {
			if i++; before[i-1].Same(o) {
				continue
			}
		}
		changed = append(changed, o)
	}
	return append(gone, before[i:]...), changed
}

// choose takes the observations of a state that the question asks for, by key and period.
func (q *Data) choose(s *cells.State) (some []*cells.Observation) {
	for _, o := range s.Flow(q.Flow.ID) {
		if q.takes(o) {
			some = append(some, o)
		}
	}
	return q.ends(some)
}

func (q *Data) takes(o *cells.Observation) bool {
	if len(q.keys) > 0 && !slices.ContainsFunc(q.keys, func(k key) bool { return k.takes(o) }) {
		return false
	}
	return !slices.ContainsFunc(q.filters, func(f filter) bool { return !f.takes(o) })
}

// ends keeps the first and the last observations of each series.
func (q *Data) ends(all []*cells.Observation) []*cells.Observation {
	if q.first == 0 && q.last == 0 {
		return all
	}
	var some []*cells.Observation
	for len(all) > 0 {
		n := 1
		for n < len(all) && slices.Equal(all[n].Key, all[0].Key) {
			n++
		}
		for i, o := range all[:n] {
			if i < q.first || i >= n-q.last {
				some = append(some, o)
			}
		}
		all = all[n:]
	}
	return some
}

// page orders the observations, takes the part that is asked for, and leaves out empty sets.
func (a *Answer) page() {
	skip, left := a.offset, a.limit
	for i := range a.Sets {
		s := &a.Sets[i]
		a.arrange(s.Observations)
		if a.SeriesOnly {
			s.Observations = a.seriesOf(s.Observations)
		}
		from := min(skip, len(s.Observations))
		skip -= from
		to := len(s.Observations)
		if a.limit > 0 {
			to = min(to, from+left)
			left -= to - from
		}
		s.Observations = s.Observations[from:to:to]
	}
	a.Sets = slices.DeleteFunc(a.Sets, func(s Set) bool { return len(s.Observations) == 0 })
}

func (a *Answer) arrange(all []*cells.Observation) {
	if len(a.order) == 0 {
		return
	}
	slices.SortStableFunc(all, func(x, y *cells.Observation) int {
		for _, by := range a.order {
			if c := by.compare(x, y); c != 0 {
				return c
			}
		}
		return 0
	})
}

func (by sortBy) compare(x, y *cells.Observation) (c int) {
	switch {
	case by.at >= 0:
		c = strings.Compare(x.Key[by.at], y.Key[by.at])
	case by.component == structure.Time:
		c = cmp.Compare(x.Period.First, y.Period.First)
	case by.component == structure.Value:
		c = cmp.Compare(x.Count, y.Count)
	default:
		c = strings.Compare(x.Value(by.component), y.Value(by.component))
	}
	if by.down {
		return -c
	}
	return c
}

// Group is a series, or another section: observations that differ in the dimension at the observation.
type Group struct {
	Observations []*cells.Observation
}

// Groups puts observations into groups, in the order in which these begin. With AllDimensions there is one.
func (a *Answer) Groups(all []*cells.Observation) (groups []Group) {
	if a.AtObservation == AllDimensions {
		return []Group{{all}}
	}
	place := map[string]int{}
	for _, o := range all {
		name := a.groupOf(o)
		at, ok := place[name]
		if !ok {
			at = len(groups)
			place[name], groups = at, append(groups, Group{})
		}
		groups[at].Observations = append(groups[at].Observations, o)
	}
	return groups
}

// groupOf names the group of an observation.
func (a *Answer) groupOf(o *cells.Observation) string {
	if a.AtObservation == structure.Time || a.AtObservation == AllDimensions {
		return strings.Join(o.Key, ".")
	}
	key := slices.Clone(o.Key)
	key[a.Structures.Position(a.AtObservation)] = ""
	return strings.Join(key, ".") + "." + o.Period.Label
}

// seriesOf keeps the first observation of each group.
func (a *Answer) seriesOf(all []*cells.Observation) (some []*cells.Observation) {
	seen := map[string]bool{}
	for _, o := range all {
		if name := a.groupOf(o); !seen[name] {
			seen[name] = true
			some = append(some, o)
		}
	}
	return some
}

// Value is the value of a dimension, the time included.
func Value(s *structure.Structures, o *cells.Observation, dimension string) string {
	if at := s.Position(dimension); at >= 0 {
		return o.Key[at]
	}
	return o.Value(dimension)
}
