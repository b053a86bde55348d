package audit

import (
	"fmt"
	"slices"
)

// row is an equation between unknown cells: the sum of plus, less the sum of minus, is rhs.
type row struct {
	plus, minus []int
	rhs         int64
}

// component is a set of unknown cells that equations link, with nothing of it linked to other unknown cells.
type component struct {
	cells   []int // ascending
	targets []int // the audited ones of cells
	rows    []row // of indices of the system
	system  *System
	above   map[int][]int // the audited cells that contain an audited cell
}

// reduce replaces published cells by their values, and unknown ones that an equation gives away by what it gives. It
// returns what became known of withheld cells, and the rest in connected components.
func (s *System) reduce() (map[int]int64, []*component, error) {
	known := map[int]int64{}
	rows := make([]row, 0, len(s.Equations))
	for _, e := range s.Equations {
		rows = append(rows, row{plus: e.Parts, minus: []int{e.Total}})
	}
	for changed := true; changed; {
		changed = false
		kept := rows[:0]
		for i := range rows {
			r := s.substitute(rows[i], known)
			if err := r.contradiction(s); err != nil {
				return nil, nil, err
			}
			settled := r.settle(known)
			changed = changed || settled
			if !settled && len(r.plus)+len(r.minus) > 0 {
				kept = append(kept, r)
			}
		}
		rows = kept
	}
	return known, s.split(known, rows), nil
}

// substitute moves the cells whose count is known to the right-hand side.
func (s *System) substitute(r row, known map[int]int64) row {
	out := row{rhs: r.rhs}
	value := func(c int) (int64, bool) {
		if !s.Cells[c].Withheld {
			return s.Cells[c].Value, true
		}
		v, ok := known[c]
		return v, ok
	}
	for _, c := range r.plus {
		if v, ok := value(c); ok {
			out.rhs -= v
		} else {
			out.plus = append(out.plus, c)
		}
	}
	for _, c := range r.minus {
		if v, ok := value(c); ok {
			out.rhs += v
		} else {
			out.minus = append(out.minus, c)
		}
	}
	if len(out.plus) == 0 {
		out.plus, out.minus, out.rhs = out.minus, nil, -out.rhs
	}
	return out
}

// contradiction returns an error if counts that are not negative cannot solve the row.
func (r row) contradiction(s *System) error {
	if len(r.minus) > 0 || r.rhs >= 0 && (len(r.plus) > 0 || r.rhs == 0) {
		return nil
	}
	return fmt.Errorf("%w: an equation of %d cells leaves %d for %d withheld ones (cells %v)", ErrContradiction, len(s.Cells), r.rhs, len(r.plus), r.plus)
}

// settle writes down the cells that the row alone fixes, and reports whether it fixes all of its cells.
func (r row) settle(known map[int]int64) bool {
	if len(r.minus) > 0 || len(r.plus) == 0 || len(r.plus) > 1 && r.rhs != 0 {
		return false
	}
	for _, c := range r.plus {
		known[c] = r.rhs
	}
	return true
}

// split returns the connected components that have an audited cell, in the order of their first cells.
func (s *System) split(known map[int]int64, rows []row) []*component {
	root := make([]int, len(s.Cells))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, r := range rows {
		for _, c := range append(slices.Clone(r.plus), r.minus...) {
			a, b := find(r.plus[0]), find(c)
			root[max(a, b)] = min(a, b)
		}
	}
	at := map[int]*component{}
	var all []*component
	for i, c := range s.Cells {
		if _, ok := known[i]; ok || !c.Withheld {
			continue
		}
		k := find(i)
		if at[k] == nil {
			at[k] = &component{system: s}
			all = append(all, at[k])
		}
		at[k].cells = append(at[k].cells, i)
		if c.Threshold > 0 {
			at[k].targets = append(at[k].targets, i)
		}
	}
	for _, r := range rows {
		k := at[find(r.plus[0])]
		k.rows = append(k.rows, r)
	}
	all = slices.DeleteFunc(all, func(c *component) bool { return len(c.targets) == 0 })
	s.climb(all)
	return all
}

// climb finds, for each audited cell of the components, the audited cells that contain it.
func (s *System) climb(components []*component) {
	parents := map[int][]int{}
	for _, e := range s.Equations {
		for _, p := range e.Parts {
			parents[p] = append(parents[p], e.Total)
		}
	}
	for _, c := range components {
		c.above = map[int][]int{}
		for _, t := range c.targets {
			seen := map[int]bool{t: true}
			for queue := []int{t}; len(queue) > 0; queue = queue[1:] {
				for _, p := range parents[queue[0]] {
					if !seen[p] {
						seen[p] = true
						queue = append(queue, p)
					}
				}
			}
			for _, other := range c.targets {
				if seen[other] {
					c.above[t] = append(c.above[t], other)
				}
			}
		}
	}
}
