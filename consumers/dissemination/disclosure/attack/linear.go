package attack

import "math/big"

// equation is a sum of coefficients times variables that equals rhs.
type equation struct {
	of  map[int]*big.Rat
	rhs *big.Rat
}

func newEquation() equation { return equation{map[int]*big.Rat{}, new(big.Rat)} }

// add adds factor times the variable.
func (e equation) add(variable int, factor int64) {
	if e.of[variable] == nil {
		e.of[variable] = new(big.Rat)
	}
	if e.of[variable].Add(e.of[variable], new(big.Rat).SetInt64(factor)); e.of[variable].Sign() == 0 {
		delete(e.of, variable)
	}
}

// less subtracts factor times other.
func (e equation) less(factor *big.Rat, other equation) {
	f := new(big.Rat).Set(factor)
	for x, c := range other.of {
		if e.of[x] == nil {
			e.of[x] = new(big.Rat)
		}
		if e.of[x].Sub(e.of[x], new(big.Rat).Mul(f, c)); e.of[x].Sign() == 0 {
			delete(e.of, x)
		}
	}
	e.rhs.Sub(e.rhs, new(big.Rat).Mul(f, other.rhs))
}

// eliminate brings the equations into reduced form, by the variable that each determines, and returns the value of each variable
// that has only one. Equations are changed.
func eliminate(equations []equation) (map[int]equation, map[int]*big.Rat) {
	solved := map[int]equation{}
	for _, e := range equations {
		for x := range solved {
			if c := e.of[x]; c != nil {
				e.less(c, solved[x])
			}
		}
		pivot := -1
		for x := range e.of {
			if pivot < 0 || x < pivot {
				pivot = x
			}
		}
		if pivot < 0 {
			continue
		}
		inverse := new(big.Rat).Inv(e.of[pivot])
		for _, c := range e.of {
			c.Mul(c, inverse)
		}
		e.rhs.Mul(e.rhs, inverse)
		for _, other := range solved {
			if c := other.of[pivot]; c != nil {
				other.less(c, e)
			}
		}
		solved[pivot] = e
	}
	values := map[int]*big.Rat{}
	for x, e := range solved {
		if len(e.of) == 1 {
			values[x] = e.rhs
		}
	}
	return solved, values
}
