package attack

import "slices"

// Small systems: at most so many cells, and so many steps of the search.
const (
	smallCells = 14
	smallSteps = 200_000
)

// enumerate returns the smallest and largest count of each place over all tables of whole numbers, and false if there are too
// many to try.
func (p *part) enumerate() ([][2]int64, bool) {
	if len(p.cells) > smallCells {
		return nil, false
	}
	e := &enumeration{p: p, counts: make([]int64, len(p.cells)), found: make([][2]int64, len(p.cells)), steps: smallSteps,
		low: slices.Clone(p.low), high: slices.Clone(p.high)}
	for j := range e.found {
		e.found[j] = [2]int64{unlimited, -1}
	}
	for _, s := range p.sums {
		e.rows = append(e.rows, p.whole(s))
	}
	e.narrow()
	e.walk(0)
	return e.found, e.steps > 0 && e.found[0][1] >= 0
}

// integerRow is a sum as coefficients of places, which must come to rhs.
type integerRow struct {
	of  []int64
	rhs int64
}

func (p *part) whole(s sum) integerRow {
	r := integerRow{of: make([]int64, len(p.cells))}
	term := func(c int, factor int64) {
		if at, ok := p.place[c]; ok {
			r.of[at] += factor
		} else {
			r.rhs -= factor * p.v.low[c]
		}
	}
	for _, c := range s.parts {
		term(c, 1)
	}
	term(s.whole, -1)
	return r
}

type enumeration struct {
	p      *part
	rows   []integerRow
	counts []int64
	// low and high are what the rows say of each place one by one.
	low, high []int64
	found     [][2]int64
	steps     int
}

// narrow lowers the upper bound of each place to what its rows leave if everything else in them is as it helps most.
func (e *enumeration) narrow() {
	for range e.counts {
		for _, r := range e.rows {
			for j, c := range r.of {
				if most, ok := e.most(r, j); c != 0 && ok {
					e.high[j] = min(e.high[j], most)
				}
			}
		}
	}
}

// most returns the largest count that row r allows place j, and false if it does not limit it. Coefficients are 1 or -1.
func (e *enumeration) most(r integerRow, j int) (int64, bool) {
	most := r.rhs * r.of[j]
	for k, c := range r.of {
		switch {
		case k == j || c == 0:
		case c == r.of[j]:
			most -= e.low[k]
		case e.high[k] == unlimited:
			return 0, false
		default:
			most += e.high[k]
		}
	}
	return most, true
}

// walk tries every count of place j that the rows leave open, given the counts of the places before.
func (e *enumeration) walk(j int) {
	if e.steps--; e.steps <= 0 {
		return
	}
	if j == len(e.counts) {
		for k, v := range e.counts {
			e.found[k] = [2]int64{min(e.found[k][0], v), max(e.found[k][1], v)}
		}
		return
	}
	low, high := e.low[j], e.high[j]
	for _, r := range e.rows {
		if r.of[j] == 0 {
			continue
		}
		rest, negative, last := r.rhs, false, true
		for k, c := range r.of {
			if k < j {
				rest -= c * e.counts[k]
			}
			if k > j {
				negative, last = negative || c*r.of[j] < 0, last && c == 0
			}
		}
		if rest *= r.of[j]; last { // coefficients are 1 or -1
			low, high = max(low, rest), min(high, rest)
		} else if !negative {
			high = min(high, rest)
		}
	}
	if high == unlimited {
		e.steps = 0
		return
	}
	for v := low; v <= high && e.steps > 0; v++ {
		e.counts[j] = v
		e.walk(j + 1)
	}
}
