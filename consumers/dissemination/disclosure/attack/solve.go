package attack

import (
	"math/big"
	"slices"
)

// part is a set of cells of unknown count that sums link, with nothing of it linked to other such cells.
type part struct {
	v         *view
	cells     []int
	sums      []sum
	low, high []int64 // of cells, by place
	place     map[int]int
}

// parts divides the cells of unknown count.
func (v *view) parts() []*part {
	root := make([]int, len(v.keys))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			i = root[i]
		}
		return i
	}
	known := func(c int) bool { return v.low[c] == v.high[c] }
	first := func(s sum) int {
		return slices.IndexFunc(append(slices.Clone(s.parts), s.whole), func(c int) bool { return !known(c) })
	}
	for _, s := range v.sums {
		all := append(slices.Clone(s.parts), s.whole)
		if at := first(s); at >= 0 {
			for _, c := range all {
				if !known(c) {
					root[find(c)] = find(all[at])
				}
			}
		}
	}
	at := map[int]*part{}
	var out []*part
	for c := range v.keys {
		if known(c) {
			continue
		}
		r := find(c)
		if at[r] == nil {
			at[r] = &part{v: v, place: map[int]int{}}
			out = append(out, at[r])
		}
		p := at[r]
		p.place[c] = len(p.cells)
		p.cells, p.low, p.high = append(p.cells, c), append(p.low, v.low[c]), append(p.high, v.high[c])
	}
	for _, s := range v.sums {
		if i := first(s); i >= 0 {
			p := at[find(append(slices.Clone(s.parts), s.whole)[i])]
			p.sums = append(p.sums, s)
		}
	}
	return out
}

// equations returns the sums as equations between the places of the part, for lower bounds of 0.
func (p *part) equations() []equation {
	var out []equation
	for _, s := range p.sums {
		e := newEquation()
		term := func(c int, factor int64) {
			if at, ok := p.place[c]; ok {
				e.add(at, factor)
			} else {
				e.rhs.Sub(e.rhs, big.NewRat(factor*p.v.low[c], 1))
			}
		}
		for _, c := range s.parts {
			term(c, 1)
		}
		term(s.whole, -1)
		out = append(out, e)
	}
	return out
}

// program returns the part as a linear program of what cells are over their lower bounds.
func (p *part) program() (*program, error) {
	n := len(p.cells)
	limited := 0
	for _, h := range p.high {
		if h != unlimited {
			limited++
		}
	}
	var rows [][]*big.Rat
	row := func() []*big.Rat {
		r := make([]*big.Rat, n+limited+1)
		for j := range r {
			r[j] = new(big.Rat)
		}
		rows = append(rows, r)
		return r
	}
	for _, e := range p.equations() {
		r := row()
		r[n+limited].Set(e.rhs)
		for x, c := range e.of {
			r[x].Set(c)
			r[n+limited].Sub(r[n+limited], new(big.Rat).Mul(c, big.NewRat(p.low[x], 1)))
		}
	}
	slack := n
	for j, h := range p.high {
		if h != unlimited {
			r := row()
			r[j].SetInt64(1)
			r[slack].SetInt64(1)
			r[n+limited].SetInt64(h - p.low[j])
			slack++
		}
	}
	return newProgram(rows, n+limited)
}

// counts returns the counts of a solution of the program.
func (p *part) counts(solution []*big.Rat) []*big.Rat {
	out := make([]*big.Rat, len(p.cells))
	for j := range out {
		out[j] = new(big.Rat).Add(solution[j], big.NewRat(p.low[j], 1))
	}
	return out
}

// tells reports whether bounds of a withheld cell tell too much: its count, or that it is below the threshold. What others leave of a
// published count is no secret unless it is of so few persons.
func (v *view) tells(c int, low, high int64) bool {
	few := high < v.threshold(v.keys[c])
	if v.rest[c] {
		return few && low > 0
	}
	return few || low == high
}

// solve finds withheld cells by arithmetic, and rounded ones whose count is certain after all.
func (v *view) solve() ([]Finding, error) {
	var out []Finding
	for c, hidden := range v.withheld {
		if hidden && v.shares[c] && !v.told[c] && v.tells(c, v.low[c], v.high[c]) {
			out = append(out, Finding{Vintage: v.id, Key: v.keys[c], Low: v.low[c], High: v.high[c], How: Percent})
		}
	}
	for _, p := range v.parts() {
		if !slices.ContainsFunc(p.cells, func(c int) bool { return v.withheld[c] || v.rounded[c] }) {
			continue
		}
		found, err := p.attack()
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// attack finds the withheld cells of the part: by elimination, by linear programs, and, if it is small, over all tables.
func (p *part) attack() ([]Finding, error) {
	var out []Finding
	_, values := eliminate(p.equations())
	h := &hunt{p: p}
	for j, c := range p.cells {
		if !p.v.withheld[c] && !p.v.rounded[c] {
			continue
		}
		if x := values[j]; x != nil && x.IsInt() {
			if n := x.Num().Int64(); p.v.tells(c, n, n) {
				out = append(out, Finding{Vintage: p.v.id, Key: p.v.keys[c], Low: n, High: n, How: Linear})
			}
			continue
		}
		if p.v.rest[c] {
			h.rest = append(h.rest, j)
		} else if p.v.withheld[c] {
			h.targets = append(h.targets, j)
		} else {
			h.rounded = append(h.rounded, j)
		}
	}
	found, err := h.bounds()
	if err != nil {
		return nil, err
	}
	return append(out, found...), nil
}
