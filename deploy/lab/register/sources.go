package register

import (
	"fmt"
	"slices"
)

// sources are the computers that make the records.
type sources struct {
	// ids by number: the border posts' computers first.
	ids    []string
	border int
	// post of each border computer.
	post []uint16
	// at are the numbers of the computers at a post, or serving it; in those of a centre.
	at, in [][]uint8
}

// newSources places the computers. Each post that is needed gets at least one, taken from the posts that have most, as
// long as there are any to take; a centre that receives no person has none.
func newSources(w *World, needed, centres []bool) *sources {
	posts, has := []uint16{}, map[uint16]int{}
	for _, c := range w.Computers {
		post := index(dimEntry, c.Code)
		posts, has[post] = append(posts, post), max(1, int(c.Weight))
	}
	for i := 1; i < len(needed); i++ {
		post := uint16(i)
		if !needed[i] || has[post] > 0 {
			continue
		}
		richest := slices.MaxFunc(posts, func(a, b uint16) int { return has[a] - has[b] })
		if has[richest] < 2 {
			break
		}
		has[richest]--
		posts, has[post] = append(posts, post), 1
	}
	s := &sources{at: make([][]uint8, lists[dimEntry].Len()), in: make([][]uint8, lists[dimCentre].Len())}
	for _, post := range posts {
		s.at[post] = s.install(lists[dimEntry].At(post), has[post])
		for range s.at[post] {
			s.post = append(s.post, post)
		}
	}
	s.border = len(s.ids)
	for _, c := range w.CentreComputers {
		if centre := index(dimCentre, c.Code); centres[centre] {
			s.in[centre] = s.install(c.Code, max(1, int(c.Weight)))
		}
	}
	if len(s.ids) == s.border {
		main := w.CentreComputers[0]
		s.in[index(dimCentre, main.Code)] = s.install(main.Code, max(1, int(main.Weight)))
	}
	s.serve(posts)
	return s
}

func (s *sources) install(place string, n int) []uint8 {
	var numbers []uint8
	for i := range n {
		numbers = append(numbers, uint8(len(s.ids)))
		s.ids = append(s.ids, fmt.Sprintf("%s-%d", place, i+1))
	}
	return numbers
}

// serve lets posts and centres without a computer use another's: the first post of the same kind, the first centre.
func (s *sources) serve(posts []uint16) {
	for i := range s.at {
		if s.at[i] != nil {
			continue
		}
		s.at[i] = s.at[posts[0]]
		for _, post := range posts {
			if lists[dimEntry].At(post)[0] == lists[dimEntry].At(uint16(i))[0] {
				s.at[i] = s.at[post]
				break
			}
		}
	}
	first := slices.IndexFunc(s.in, func(computers []uint8) bool { return computers != nil })
	for i := range s.in {
		if s.in[i] == nil {
			s.in[i] = s.in[first]
		}
	}
}
