package cells

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/sdmx/structure"
	"retorno/consumers/dissemination/vintages"
	"retorno/schemas/calendar"
)

// Store keeps the state of what a shelf has.
type Store struct {
	shelf *vintages.Shelf

	mu       sync.Mutex
	state    *State
	editions map[uuid.UUID]*edition
	lattices map[string]*lattice.Lattice // by their text
}

// NewStore makes one.
func NewStore(shelf *vintages.Shelf) *Store {
	return &Store{shelf: shelf, editions: map[uuid.UUID]*edition{}, lattices: map[string]*lattice.Lattice{}}
}

// State is what is published now.
func (s *Store) State(ctx context.Context) (*State, error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil && slices.EqualFunc(s.state.editions, all, func(e *edition, v vintages.Vintage) bool { return e.ID == v.ID }) {
		return s.state, nil
	}
	return s.load(ctx, all)
}

// load makes the state of vintages, of which it reads those that it has not read before.
func (s *Store) load(ctx context.Context, all []vintages.Vintage) (*State, error) {
	editions := make([]*edition, len(all))
	var fresh []*vintages.Opened // of the editions that were not read before, nil for the others
	for i, v := range all {
		opened, err := s.edition(ctx, v, &editions[i])
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, opened)
	}
	state, err := newState(editions)
	if err != nil {
		return nil, err
	}
	if s.state != nil && !s.state.Structures.Begins(state.Structures) { // an older lattice came later: places in keys are others
		clear(s.editions)
		s.state = nil
		return s.load(ctx, all)
	}
	for i, o := range fresh {
		if o != nil {
			editions[i].read(o, state.Structures)
		}
	}
	s.state = state
	return state, nil
}

// edition finds an edition, or begins one and returns the vintage that its observations are to be read from.
func (s *Store) edition(ctx context.Context, v vintages.Vintage, e **edition) (*vintages.Opened, error) {
	if known := s.editions[v.ID]; known != nil && known.flows != nil {
		*e = known
		return nil, nil
	}
	o, err := s.shelf.Open(ctx, v)
	if err != nil {
		return nil, err
	}
	l := s.lattices[string(o.Lattice)]
	if l == nil {
		if l, err = lattice.Parse("of a vintage", o.Lattice); err != nil {
			return nil, fmt.Errorf("vintage %d of %s: %w", v.Number, v.Period, err)
		}
		s.lattices[string(o.Lattice)] = l
	}
	*e = &edition{Vintage: v, lattice: l, codes: o.Codes}
	s.editions[v.ID] = *e
	return o, nil
}

// read takes the cells of a vintage.
func (e *edition) read(o *vintages.Opened, s *structure.Structures) {
	flows := map[string][]*Observation{}
	shared := map[string]string{}
	share := func(text string) string {
		if _, ok := shared[text]; !ok {
			text = strings.Clone(text)
			shared[text] = text
		}
		return shared[text]
	}
	frame := Observation{Status: Normal, Base: "1"}
	if o.Manifest.Rounded > 1 {
		frame.Status, frame.Base = Provisional, strconv.FormatInt(o.Manifest.Rounded, 10)
	}
	if c := o.Manifest.Coverage; c != nil {
		frame.Coverage = strconv.FormatFloat(*c, 'f', 1, 64)
	}
	for i := range o.Tables {
		t := &o.Tables[i]
		place := make([]int, len(t.Columns))
		for j, column := range t.Columns {
			place[j] = slices.IndexFunc(s.Dimensions, func(c structure.Component) bool { return c.Column == column })
		}
		id := structure.ID(t.ID)
		for _, c := range t.Cells {
			one := frame
			one.Key = slices.Repeat([]string{structure.Total}, len(s.Dimensions))
			for j, code := range c.Codes {
				if place[j] >= 0 {
					one.Key[place[j]] = share(structure.ID(code))
				} else {
					one.Period, _ = calendar.ParsePeriod(code) // the column of the time, which the lattice made
				}
			}
			one.Key[0], one.Key[1] = structure.FrequencyOf(one.Period), share(structure.ID(t.Measure))
			if one.Count, one.Withheld = c.Value, c.Withheld; c.Withheld {
				one.Count, one.Status = 0, Suppressed
			}
			of := e.Number
			if c.Kept {
				of = c.Of
			}
			one.Vintage = share(e.Period + "/" + strconv.FormatUint(of, 10))
			one.Period.Label = share(one.Period.Label)
			flows[id] = append(flows[id], &one)
		}
	}
	e.flows = flows
}
