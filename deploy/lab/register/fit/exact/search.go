package exact

import (
	"math"
)

// share says that num is a printed percentage of base: 100 num / base, rounded to units of 100/scale, is lo to hi.
type share struct {
	num, base Var
	// lo and hi are printed numbers times 10^decimals, scale is 100 x 10^decimals: 63.5 % is 635 of 1000.
	lo, hi, scale int64
	// inside leaves out exact ties between two printed numbers, and makes zero mean none.
	inside bool
}

// Share demands that num, in percent of base, is printed as a number from lo to hi (printed numbers times
// 10^decimals). With inside set, exact ties between two printed numbers do not count and a printed zero means none;
// without, a tie may be printed either way. Both variables need bounds from both sides. Like Bound, it returns false
// when that leaves nothing.
func (s *Solver) Share(num, base Var, lo, hi int64, decimals int, inside bool) bool {
	scale := int64(100)
	for range decimals {
		scale *= 10
	}
	sh := share{num: num, base: base, lo: min(lo, 4*scale), hi: min(hi, 4*scale), scale: scale, inside: inside}
	if len(s.byBase[base]) == 0 {
		s.bases = append(s.bases, base)
	}
	s.byBase[base] = append(s.byBase[base], len(s.shares))
	s.shares = append(s.shares, sh)
	if sh.lo > 0 && !s.Bound(base, 1, math.MaxInt64) {
		return false
	}
	if s.lo[base] < s.hi[base] {
		least := int64(0)
		if inside {
			least = 1
		}
		if sh.lo > 0 {
			low := s.Sum([]Term{{num, 2 * scale}, {base, -(2*sh.lo - 1)}})
			s.Bound(low, least, math.MaxInt64)
		}
		if sh.hi > 0 || !inside {
			high := s.Sum([]Term{{base, 2*sh.hi + 1}, {num, -2 * scale}})
			s.Bound(high, least, math.MaxInt64)
		}
	}
	return s.narrowShares(base)
}

// least and most are the smallest and the largest numerator that a base allows.
func (sh *share) least(base int64) int64 {
	switch product := (2*sh.lo - 1) * base; {
	case sh.lo == 0:
		return 0
	case sh.inside:
		return integerDiv(product, 2*sh.scale) + 1
	default:
		return -integerDiv(-product, 2*sh.scale)
	}
}

func (sh *share) most(base int64) int64 {
	switch product := (2*sh.hi + 1) * base; {
	case sh.hi == 0 && sh.inside:
		return 0
	case sh.inside:
		return -integerDiv(-product, 2*sh.scale) - 1
	default:
		return integerDiv(product, 2*sh.scale)
	}
}

// integerDiv is the floor of a/b for b > 0.
func integerDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// narrowShares narrows the numerators of a base to what its bounds allow.
func (s *Solver) narrowShares(base Var) bool {
	for _, i := range s.byBase[base] {
		sh := &s.shares[i]
		if s.hi[base] == math.MaxInt64 || s.lo[base] < 0 {
			panic("exact: the base of a percentage needs bounds")
		}
		if !s.Bound(sh.num, sh.least(s.lo[base]), sh.most(s.hi[base])) {
			return false
		}
	}
	return true
}

// Parts says that numerators of shares of base are parts of it that do not overlap, and with whole set that they make
// it up. It demands nothing new; it lets the search pass over bases for which no whole numbers exist.
func (s *Solver) Parts(base Var, nums []Var, whole bool) {
	p := parts{whole: whole}
	for _, num := range nums {
		for _, i := range s.byBase[base] {
			if s.shares[i].num == num {
				p.shares = append(p.shares, i)
				break
			}
		}
	}
	s.parts[base] = append(s.parts[base], p)
}

// parts are shares that do not overlap.
type parts struct {
	shares []int
	whole  bool
}

// possible reports whether a base allows whole numerators for its shares.
func (s *Solver) possible(base Var, n int64) bool {
	for _, i := range s.byBase[base] {
		if sh := &s.shares[i]; sh.least(n) > sh.most(n) {
			return false
		}
	}
	for _, p := range s.parts[base] {
		var least, most int64
		for _, i := range p.shares {
			least += s.shares[i].least(n)
			most += s.shares[i].most(n)
		}
		if least > n || p.whole && most < n {
			return false
		}
	}
	return true
}

// nextPossible is the first possible base from n on in the direction step (1 or -1), if the bounds have one.
func (s *Solver) nextPossible(base Var, n, step int64) (int64, bool) {
	for n = min(max(n, s.lo[base]-1), s.hi[base]+1); ; n += step {
		if step > 0 && n > s.hi[base] || step < 0 && n < s.lo[base] {
			return 0, false
		}
		if n >= s.lo[base] && n <= s.hi[base] && s.possible(base, n) {
			return n, true
		}
	}
}

// Feasible reports whether there is a rational solution.
func (s *Solver) Feasible() bool { return s.check() }

// Find looks for a solution in whole numbers and keeps it for Value. The budget bounds the nodes of the search.
// The bounds are afterwards as before. Errors: ErrUndecided.
func (s *Solver) Find(budget int) (bool, error) {
	mark := s.Mark()
	found, err := s.search(&budget)
	s.Undo(mark)
	return found, err
}

// branch is one alternative of a choice: narrower bounds of a variable.
type branch struct {
	v      Var
	lo, hi int64
}

func (s *Solver) search(budget *int) (bool, error) {
	if *budget--; *budget < 0 {
		return false, ErrUndecided
	}
	if !s.check() {
		return false, nil
	}
	branches, whole := s.branches()
	if whole {
		s.keep()
		return true, nil
	}
	for _, b := range branches {
		mark := s.Mark()
		if s.Bound(b.v, b.lo, b.hi) {
			if found, err := s.search(budget); found || err != nil {
				return found, err
			}
		}
		s.Undo(mark)
	}
	return false, nil
}

// branches splits the system so that every whole solution is in one of the branches; whole says that the values are
// such a solution already.
func (s *Solver) branches() (out []branch, whole bool) {
	for _, base := range s.bases {
		if s.lo[base] == s.hi[base] {
			continue
		}
		x := s.value[base]
		if x.isInt() && s.possible(base, x.floor()) {
			continue
		}
		if n, ok := s.nextPossible(base, x.floor(), -1); ok {
			out = append(out, branch{base, s.lo[base], n})
		}
		if n, ok := s.nextPossible(base, x.ceil(), 1); ok {
			out = append(out, branch{base, n, s.hi[base]})
		}
		return out, false
	}
	fractional := Var(-1)
	for v := range s.value {
		if s.defs[v] == nil && !s.value[v].isInt() {
			fractional = Var(v)
			break
		}
	}
	if fractional < 0 {
		return nil, true
	}
	for _, base := range s.bases {
		if s.lo[base] < s.hi[base] {
			n := s.value[base].floor() // whole and possible, as seen above
			out = append(out, branch{base, n, n})
			if m, ok := s.nextPossible(base, n-1, -1); ok {
				out = append(out, branch{base, s.lo[base], m})
			}
			if m, ok := s.nextPossible(base, n+1, 1); ok {
				out = append(out, branch{base, m, s.hi[base]})
			}
			return out, false
		}
	}
	x := s.value[fractional]
	return []branch{{fractional, s.lo[fractional], x.floor()}, {fractional, x.ceil(), s.hi[fractional]}}, false
}

// whole reports whether all values are whole numbers.
func (s *Solver) whole() bool {
	for v := range s.value {
		if s.defs[v] == nil && !s.value[v].isInt() {
			return false
		}
	}
	return true
}

// keep stores the values, which are whole, as the solution.
func (s *Solver) keep() {
	if s.solution == nil {
		s.solution = make([]int64, len(s.value))
	}
	for v := range s.value {
		if s.defs[v] == nil {
			s.solution[v] = s.value[v].floor()
		}
	}
}

// Pull fixes a variable at the value nearest to target that leaves a solution in whole numbers, as far as the budget
// lets it see, and else at its value in the last solution. Find must have found one. It returns the value.
func (s *Solver) Pull(v Var, target int64, budget int) int64 {
	if s.lo[v] == s.hi[v] {
		return s.lo[v]
	}
	if !s.check() {
		panic("exact: a system with a solution became infeasible")
	}
	s.approach(v, target)
	n := s.value[v].floor()
	if !s.value[v].isInt() && integer(target).cmp(s.value[v]) < 0 {
		n++ // the least possible value is between n and n+1
	}
	mark := s.Mark()
	if n != s.Value(v) && s.Bound(v, n, n) && s.check() {
		if s.whole() {
			s.keep()
			return n
		}
		if found, err := s.Find(budget); found && err == nil {
			return n
		}
	}
	s.Undo(mark)
	n = s.Value(v)
	s.Bound(v, n, n)
	return n
}
