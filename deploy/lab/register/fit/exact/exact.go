// Package exact decides systems of linear equations, bounds and percentages over non-negative integers, exactly, and
// moves through their solutions.
//
// It promises: an answer is right, whatever the sizes of the numbers: rational arithmetic on machine words, with
// math/big beyond them, never floating point. The same calls give the same answers and the same solution.
// It never guesses: when the search for a solution in whole numbers exceeds its budget it says so (ErrUndecided).
// On failure: ErrUndecided only; programming errors (a sum added after the first question) panic.
//
// The method is the simplex with bounds on every variable of B. Dutertre and L. de Moura, "A Fast Linear-Arithmetic
// Solver for DPLL(T)", CAV 2006, with Bland's rule for termination, and branch and bound on top of it. A percentage
// whose base is itself unknown is two inequalities and a list of the bases for which whole numbers exist at all.
package exact

import (
	"errors"
	"math"
	"sort"
)

// ErrUndecided is returned when the budget ended before the search.
var ErrUndecided = errors.New("no answer within the budget of the search")

// Var is a variable of a Solver.
type Var int

// Term is a multiple of a variable.
type Term struct {
	Var  Var
	Coef int64
}

// Solver holds a system. Build it with Var, Sum, Bound and Share; then ask. It is not safe for concurrent use.
type Solver struct {
	lo, hi []int64
	value  []rat
	// rowOf is the row in which a variable is basic, -1 for the others.
	rowOf []int
	rows  []row
	// defs are the definitions of sums in terms of structural variables; nil for structural ones.
	defs   [][]Term
	shares []share
	// byBase are the shares of each base, bases the bases in order of appearance.
	byBase map[Var][]int
	parts  map[Var][]parts
	bases  []Var
	trail  []change
	asked  bool
	// solution is the last one in whole numbers.
	solution []int64
	scratch  []term
}

type term struct {
	v    Var
	coef rat
}

// row says basic = sum of terms, which are sorted by variable and nonbasic.
type row struct {
	basic Var
	terms []term
}

// change undoes a narrowing.
type change struct {
	v      Var
	lo, hi int64
}

// New returns an empty system.
func New() *Solver { return &Solver{byBase: map[Var][]int{}, parts: map[Var][]parts{}} }

// Var adds an integer variable between lo and hi, both included; 0 <= lo.
func (s *Solver) Var(lo, hi int64) Var {
	v := s.add(nil)
	s.lo[v], s.hi[v] = lo, hi
	s.value[v] = integer(lo)
	return v
}

func (s *Solver) add(def []Term) Var {
	if s.asked {
		panic("exact: the system grows after it was asked")
	}
	v := Var(len(s.value))
	s.lo = append(s.lo, math.MinInt64)
	s.hi = append(s.hi, math.MaxInt64)
	s.value = append(s.value, zero)
	s.rowOf = append(s.rowOf, -1)
	s.defs = append(s.defs, def)
	return v
}

// Sum adds a variable that is the sum of the terms, not bounded.
func (s *Solver) Sum(terms []Term) Var {
	coefs := map[Var]int64{}
	for _, t := range terms {
		if s.defs[t.Var] == nil {
			coefs[t.Var] += t.Coef
			continue
		}
		for _, d := range s.defs[t.Var] {
			coefs[d.Var] += t.Coef * d.Coef
		}
	}
	def := make([]Term, 0, len(coefs))
	for v, c := range coefs {
		if c != 0 {
			def = append(def, Term{v, c})
		}
	}
	sort.Slice(def, func(i, j int) bool { return def[i].Var < def[j].Var })
	v := s.add(def)
	r := row{basic: v}
	for _, t := range def {
		r.terms = append(r.terms, term{t.Var, integer(t.Coef)})
		s.value[v] = s.value[v].add(s.value[t.Var].mul(integer(t.Coef)))
	}
	s.rowOf[v] = len(s.rows)
	s.rows = append(s.rows, r)
	return v
}

// Bound narrows the bounds of a variable; bounds never widen except by Undo. It returns false when nothing is left
// between them: the system is then infeasible until that is undone.
func (s *Solver) Bound(v Var, lo, hi int64) bool {
	lo, hi = max(lo, s.lo[v]), min(hi, s.hi[v])
	if lo == s.lo[v] && hi == s.hi[v] {
		return lo <= hi
	}
	s.trail = append(s.trail, change{v, s.lo[v], s.hi[v]})
	s.lo[v], s.hi[v] = lo, hi
	if lo > hi {
		return false
	}
	if s.rowOf[v] < 0 {
		if x := s.value[v]; lo != math.MinInt64 && x.cmp(integer(lo)) < 0 {
			s.move(v, integer(lo).sub(x))
		} else if hi != math.MaxInt64 && x.cmp(integer(hi)) > 0 {
			s.move(v, integer(hi).sub(x))
		}
	}
	return s.narrowShares(v)
}

// Bounds returns the bounds in force, math.MinInt64 and math.MaxInt64 standing for none.
func (s *Solver) Bounds(v Var) (lo, hi int64) { return s.lo[v], s.hi[v] }

// Mark names the present state of the bounds for Undo.
func (s *Solver) Mark() int { return len(s.trail) }

// Undo takes back every narrowing since the mark.
func (s *Solver) Undo(mark int) {
	for len(s.trail) > mark {
		c := s.trail[len(s.trail)-1]
		s.trail = s.trail[:len(s.trail)-1]
		s.lo[c.v], s.hi[c.v] = c.lo, c.hi
	}
}

// Value returns the variable's value in the last solution that Find or Pull came by.
func (s *Solver) Value(v Var) int64 {
	if s.defs[v] == nil {
		return s.solution[v]
	}
	var sum int64
	for _, t := range s.defs[v] {
		sum += t.Coef * s.solution[t.Var]
	}
	return sum
}

// move adds delta to the value of a nonbasic variable and carries it to the basic ones.
func (s *Solver) move(v Var, delta rat) {
	if delta.sign() == 0 {
		return
	}
	s.value[v] = s.value[v].add(delta)
	for i := range s.rows {
		if c, ok := s.rows[i].coef(v); ok {
			b := s.rows[i].basic
			s.value[b] = s.value[b].add(c.mul(delta))
		}
	}
}

// coef finds the coefficient of a variable in the row.
func (r *row) coef(v Var) (rat, bool) {
	lo, hi := 0, len(r.terms)
	for lo < hi {
		mid := (lo + hi) / 2
		if r.terms[mid].v < v {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(r.terms) && r.terms[lo].v == v {
		return r.terms[lo].coef, true
	}
	return zero, false
}

// below and above compare a value with the bounds of its variable.
func (s *Solver) below(v Var) bool {
	return s.lo[v] != math.MinInt64 && s.value[v].cmp(integer(s.lo[v])) < 0
}

func (s *Solver) above(v Var) bool {
	return s.hi[v] != math.MaxInt64 && s.value[v].cmp(integer(s.hi[v])) > 0
}

// canRise and canFall say whether the bounds leave room above and below the value.
func (s *Solver) canRise(v Var) bool {
	return s.hi[v] == math.MaxInt64 || s.value[v].cmp(integer(s.hi[v])) < 0
}

func (s *Solver) canFall(v Var) bool {
	return s.lo[v] == math.MinInt64 || s.value[v].cmp(integer(s.lo[v])) > 0
}
