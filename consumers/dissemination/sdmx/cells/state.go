package cells

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
)

// edition is a vintage with its observations by dataflow.
type edition struct {
	vintages.Vintage
	lattice *lattice.Lattice
	codes   []bundle.Code
	flows   map[string][]*Observation
}

// State is what is published at a time. It is shared and must not be changed.
type State struct {
	Structures *structure.Structures
	// Published is when the latest vintage was; zero where there is none.
	Published time.Time
	editions  []*edition // in the order of the shelf

	mu    sync.Mutex
	flows map[string][]*Observation
}

// newState makes the state of editions.
func newState(editions []*edition) (*State, error) {
	s := &State{editions: editions, flows: map[string][]*Observation{}}
	byTime := slices.Clone(editions)
	slices.SortStableFunc(byTime, func(a, b *edition) int {
		return cmp.Or(a.Published.Compare(b.Published), strings.Compare(a.Period, b.Period), cmp.Compare(a.Number, b.Number))
	})
	var lattices []*lattice.Lattice
	var codes []bundle.Code
	for _, e := range byTime {
		if !slices.Contains(lattices, e.lattice) {
			lattices = append(lattices, e.lattice)
		}
		codes = append(codes, e.codes...)
		s.Published = e.Published
	}
	if len(lattices) == 0 {
		l, err := lattice.Shipped()
		if err != nil {
			return nil, err
		}
		lattices = append(lattices, l)
	}
	s.Structures = structure.New(lattices, codes)
	return s, nil
}

// Of is what one vintage has, as if no other were published, under structures whose dimensions those of the vintage are among.
func Of(o *vintages.Opened, s *structure.Structures) *State {
	e := &edition{Vintage: o.Vintage, codes: o.Codes}
	e.read(o, s)
	return &State{Structures: s, Published: o.Published, editions: []*edition{e}, flows: map[string][]*Observation{}}
}

// AsOf is the state at a time.
func (s *State) AsOf(at time.Time) (*State, error) {
	if !at.Before(s.Published) {
		return s, nil
	}
	return newState(slices.DeleteFunc(slices.Clone(s.editions), func(e *edition) bool { return e.Published.After(at) }))
}

// Earlier is the state at a time with the structures of this one, so that the two can be compared.
func (s *State) Earlier(at time.Time) *State {
	return &State{Structures: s.Structures, Published: at, flows: map[string][]*Observation{},
		editions: slices.DeleteFunc(slices.Clone(s.editions), func(e *edition) bool { return e.Published.After(at) })}
}

// Moments are the times at which something was published after one time and until another, in their order.
func (s *State) Moments(after, until time.Time) (all []time.Time) {
	for _, e := range s.editions {
		if e.Published.After(after) && !e.Published.After(until) {
			all = append(all, e.Published)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// Flow has the observations of a dataflow, by key and period. The slice is shared.
func (s *State) Flow(id string) []*Observation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all, ok := s.flows[id]; ok {
		return all
	}
	var all []*Observation
	shown := map[string]bool{}
	for _, e := range s.editions {
		if !shown[e.Period] {
			shown[e.Period] = true
			all = append(all, e.flows[id]...)
		}
	}
	n := len(s.Structures.Dimensions)
	for i, o := range all {
		if len(o.Key) != n {
			all[i] = o.fit(n)
		}
	}
	slices.SortFunc(all, Compare)
	s.flows[id] = all
	return all
}
