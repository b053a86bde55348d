package exact

import "math"

// check looks for a rational solution within the bounds, from wherever the values are.
func (s *Solver) check() bool {
	s.asked = true
	for v := range s.lo {
		if s.lo[v] > s.hi[v] {
			return false
		}
	}
	for {
		r, up := s.violated()
		if r < 0 {
			return true
		}
		row := &s.rows[r]
		entering := Var(-1)
		var coef rat
		for _, t := range row.terms {
			if t.coef.sign() > 0 == up && s.canRise(t.v) || t.coef.sign() > 0 != up && s.canFall(t.v) {
				entering, coef = t.v, t.coef
				break
			}
		}
		if entering < 0 {
			return false
		}
		b := row.basic
		bound := s.hi[b]
		if up {
			bound = s.lo[b]
		}
		s.move(entering, integer(bound).sub(s.value[b]).div(coef))
		s.pivot(r, entering)
	}
}

// violated returns the row of the first basic variable outside its bounds, and whether it must rise; -1 for none.
func (s *Solver) violated() (r int, up bool) {
	r = -1
	for i := range s.rows {
		b := s.rows[i].basic
		if r >= 0 && b > s.rows[r].basic {
			continue
		}
		if s.below(b) {
			r, up = i, true
		} else if s.above(b) {
			r, up = i, false
		}
	}
	return r, up
}

// pivot makes entering basic in row r, in the place of the row's basic variable.
func (s *Solver) pivot(r int, entering Var) {
	row := &s.rows[r]
	coef, _ := row.coef(entering)
	leaving := row.basic
	// basic = coef entering + rest  =>  entering = basic/coef - rest/coef
	inv := coef.inv()
	minus := inv.neg()
	terms := make([]term, 0, len(row.terms))
	placed := false
	for _, t := range row.terms {
		if !placed && t.v > leaving {
			terms = append(terms, term{leaving, inv})
			placed = true
		}
		if t.v != entering {
			terms = append(terms, term{t.v, t.coef.mul(minus)})
		}
	}
	if !placed {
		terms = append(terms, term{leaving, inv})
	}
	row.basic, row.terms = entering, terms
	s.rowOf[entering], s.rowOf[leaving] = r, -1
	for i := range s.rows {
		if i == r {
			continue
		}
		if c, ok := s.rows[i].coef(entering); ok {
			s.substitute(&s.rows[i], entering, c, terms)
		}
	}
}

// substitute replaces coef v in the row by coef times the terms.
func (s *Solver) substitute(r *row, v Var, coef rat, terms []term) {
	out := s.scratch[:0]
	a, b := r.terms, terms
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && a[0].v == v:
			a = a[1:]
		case len(b) == 0 || len(a) > 0 && a[0].v < b[0].v:
			out = append(out, a[0])
			a = a[1:]
		case len(a) == 0 || b[0].v < a[0].v:
			out = append(out, term{b[0].v, coef.mul(b[0].coef)})
			b = b[1:]
		default:
			if c := a[0].coef.add(coef.mul(b[0].coef)); c.sign() != 0 {
				out = append(out, term{a[0].v, c})
			}
			a, b = a[1:], b[1:]
		}
	}
	r.terms, s.scratch = out, r.terms
}

// approach brings the value of v as near to target as the system allows, from a feasible state to a feasible state:
// primal simplex steps.
func (s *Solver) approach(v Var, target int64) {
	goal := integer(min(max(target, s.lo[v]), s.hi[v]))
	for {
		gap := goal.sub(s.value[v])
		if gap.sign() == 0 {
			return
		}
		up := gap.sign() > 0
		entering, rate := v, one
		own := s.rowOf[v]
		if own >= 0 {
			entering = -1
			for _, t := range s.rows[own].terms {
				if t.coef.sign() > 0 == up && s.canRise(t.v) || t.coef.sign() > 0 != up && s.canFall(t.v) {
					entering, rate = t.v, t.coef
					break
				}
			}
			if entering < 0 {
				return
			}
		}
		step, leaving := s.longest(entering, gap.div(rate), own)
		s.move(entering, step)
		if leaving >= 0 {
			s.pivot(leaving, entering)
		}
	}
}

// longest shortens a step of a nonbasic variable until every variable stays within its bounds, and names the row of
// the basic variable that stops it; -1 when none does. The row own does not count: its variable is the one that is led.
func (s *Solver) longest(v Var, step rat, own int) (rat, int) {
	leaving := -1
	room := func(x Var, up bool) (rat, bool) {
		if up {
			return integer(s.hi[x]).sub(s.value[x]), s.hi[x] != math.MaxInt64
		}
		return integer(s.lo[x]).sub(s.value[x]), s.lo[x] != math.MinInt64
	}
	up := step.sign() > 0
	shorter := func(a rat) int { // compares lengths in the direction of the step
		if up {
			return a.cmp(step)
		}
		return step.cmp(a)
	}
	if r, ok := room(v, up); ok && shorter(r) < 0 {
		step = r
	}
	for i := range s.rows {
		if i == own {
			continue
		}
		c, ok := s.rows[i].coef(v)
		if !ok {
			continue
		}
		r, ok := room(s.rows[i].basic, c.sign() > 0 == up)
		if !ok {
			continue
		}
		switch cmp := shorter(r.div(c)); {
		case cmp < 0:
			step, leaving = r.div(c), i
		case cmp == 0 && leaving >= 0 && s.rows[i].basic < s.rows[leaving].basic:
			leaving = i
		}
	}
	return step, leaving
}
