package attack

import (
	"math/big"
	"slices"
)

// mostCells is how many cells of unknown count a linear program is made of. Revisions keep most counts of an earlier vintage, and say little
// of those of now: such systems are larger, and only elimination is tried on them.
const mostCells = 300

// hunt looks for the bounds of cells of a part. Solutions that it meets show what cells can be, and save programs.
type hunt struct {
	p       *part
	targets []int // places of withheld cells
	rounded []int // places of rounded cells
	rest    []int // places of cells that no one publishes
	seen    [][]*big.Rat
}

// can reports whether a solution was seen that ok accepts.
func (h *hunt) can(ok func(counts []*big.Rat) bool) bool { return slices.ContainsFunc(h.seen, ok) }

// solve returns the program of the part, and keeps its first solution.
func (h *hunt) solve() (*program, error) {
	lp, err := h.p.program()
	if err == nil {
		h.seen = append(h.seen, h.p.counts(lp.solution()))
	}
	return lp, err
}

// extreme returns the smallest or largest count of place j, rounded into the range, or unlimited.
func (h *hunt) extreme(lp *program, j int, sign int64) int64 {
	if !lp.extreme(j, sign) {
		return unlimited
	}
	counts := h.p.counts(lp.solution())
	h.seen = append(h.seen, counts)
	x := counts[j]
	floor := new(big.Int).Div(x.Num(), x.Denom()).Int64()
	if sign > 0 && !x.IsInt() {
		floor++
	}
	return floor
}

// bounds finds cells whose count the program fixes or keeps below the threshold, alone and for a person who is in a withheld cell.
func (h *hunt) bounds() ([]Finding, error) {
	if len(h.targets)+len(h.rounded)+len(h.rest) == 0 || len(h.p.cells) > mostCells {
		return nil, nil
	}
	lp, err := h.solve()
	if err != nil {
		return nil, err
	}
	var out []Finding
	for _, j := range slices.Concat(h.targets, h.rest) {
		if h.open(j, -1) {
			continue
		}
		low, high := h.extreme(lp, j, 1), h.extreme(lp, j, -1)
		if f, ok := h.finding(j, low, high, Bounds); ok {
			out = append(out, f)
		}
	}
	for _, j := range h.rounded {
		if h.apart(j) {
			continue
		}
		low, high := h.extreme(lp, j, 1), h.extreme(lp, j, -1)
		if low > 0 && high-low < h.p.limit(j)-1 { // from 0 on a later count is another one by enough, or may be the same
			out = append(out, Finding{Vintage: h.p.v.id, Key: h.p.v.keys[h.p.cells[j]], Low: low, High: high, How: Narrow})
		}
	}
	if whole, ok := h.p.enumerate(); ok {
		for _, j := range h.targets {
			if f, found := h.finding(j, whole[j][0], whole[j][1], Integers); found && !slices.ContainsFunc(out, func(o Finding) bool { return o.Key == f.Key }) {
				out = append(out, f)
			}
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	return h.knowing()
}

// apart reports whether solutions were seen in which place j is so far apart that a change by few persons is none for certain.
func (h *hunt) apart(j int) bool {
	least, most := h.seen[0][j], h.seen[0][j]
	for _, counts := range h.seen {
		if counts[j].Cmp(least) < 0 {
			least = counts[j]
		}
		if counts[j].Cmp(most) > 0 {
			most = counts[j]
		}
	}
	return new(big.Rat).Sub(most, least).Cmp(big.NewRat(h.p.limit(j), 1)) >= 0
}

// finding returns the finding about place j, if its bounds tell too much.
func (h *hunt) finding(j int, low, high int64, how How) (Finding, bool) {
	c := h.p.cells[j]
	return Finding{Vintage: h.p.v.id, Key: h.p.v.keys[c], Low: low, High: high, How: how}, h.p.v.tells(c, low, high)
}

// open reports whether solutions were seen in which place j is 0 and in which it reaches the threshold; with a person in
// place self, if it is not negative, who is not counted.
func (h *hunt) open(j, self int) bool {
	low, high := int64(0), h.p.limit(j)
	if self >= 0 && h.p.contains(j, self) {
		low, high = 1, high+1
	}
	in := func(counts []*big.Rat) bool { return self < 0 || counts[self].Cmp(one) >= 0 }
	return h.can(func(c []*big.Rat) bool { return in(c) && c[j].Cmp(big.NewRat(low, 1)) <= 0 }) &&
		h.can(func(c []*big.Rat) bool { return in(c) && c[j].Cmp(big.NewRat(high, 1)) >= 0 })
}

var one = big.NewRat(1, 1)

// limit is the threshold of the cell of place j.
func (p *part) limit(j int) int64 { return p.v.threshold(p.v.keys[p.cells[j]]) }

// contains reports whether the cell of place j contains that of place i: it is the same or, over sums, has it as a part.
func (p *part) contains(j, i int) bool {
	if i == j {
		return true
	}
	return slices.ContainsFunc(p.sums, func(s sum) bool {
		if !slices.Contains(s.parts, p.cells[i]) {
			return false
		}
		at, unknown := p.place[s.whole]
		return unknown && p.contains(j, at)
	})
}

// knowing finds cells in which a person who knows their own withheld cell sees too few others.
func (h *hunt) knowing() ([]Finding, error) {
	var out []Finding
	for _, self := range h.targets {
		if !slices.ContainsFunc(h.targets, func(j int) bool { return !h.open(j, self) }) {
			continue
		}
		low := h.p.low[self]
		h.p.low[self] = max(low, 1)
		lp, err := h.solve()
		for _, j := range h.targets {
			if err != nil || h.open(j, self) {
				continue
			}
			least, most := h.extreme(lp, j, 1), h.extreme(lp, j, -1)
			if h.p.contains(j, self) {
				if least--; most != unlimited {
					most--
				}
			}
			if f, ok := h.finding(j, least, most, Self); ok {
				f.With = h.p.v.keys[h.p.cells[self]]
				out = append(out, f)
			}
		}
		h.p.low[self] = low
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
