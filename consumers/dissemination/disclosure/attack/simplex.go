package attack

import (
	"errors"
	"math/big"
)

// errContradiction says that no counts agree with what is published.
var errContradiction = errors.New("the published figures contradict each other")

// program is a linear program in rational numbers: variables that are not negative, equations, and a basic solution.
type program struct {
	rows  [][]*big.Rat // the last column is the right-hand side
	basis []int
	n     int
}

// newProgram returns a program with a first solution. Each row has n coefficients and the right-hand side.
func newProgram(rows [][]*big.Rat, n int) (*program, error) {
	m := len(rows)
	p := &program{n: n + m}
	goal := make([]*big.Rat, n+m+1)
	for j := range goal {
		goal[j] = new(big.Rat)
	}
	for i, r := range rows {
		line := make([]*big.Rat, n+m+1)
		for j := range line {
			line[j] = new(big.Rat)
		}
		for j := range n {
			line[j].Set(r[j])
		}
		line[n+m].Set(r[n])
		if r[n].Sign() < 0 {
			for _, x := range line {
				x.Neg(x)
			}
		}
		for j, x := range line {
			goal[j].Sub(goal[j], x)
		}
		line[n+i].SetInt64(1)
		p.rows, p.basis = append(p.rows, line), append(p.basis, n+i)
	}
	p.rows = append(p.rows, goal)
	p.descend(m)
	if p.rows[m][n+m].Sign() != 0 {
		return nil, errContradiction
	}
	p.rows = p.rows[:m]
	p.drop(n)
	return p, nil
}

// drop removes the artificial variables, which are all 0, and with them equations that follow from others.
func (p *program) drop(n int) {
	for i := 0; i < len(p.rows); {
		if p.basis[i] >= n {
			j := 0
			for j < n && p.rows[i][j].Sign() == 0 {
				j++
			}
			if j < n {
				p.pivot(i, j)
			} else {
				last := len(p.rows) - 1
				p.rows[i], p.basis[i] = p.rows[last], p.basis[last]
				p.rows, p.basis = p.rows[:last], p.basis[:last]
				continue
			}
		}
		i++
	}
	for i, r := range p.rows {
		p.rows[i] = append(r[:n:n], r[p.n])
	}
	p.n = n
}

// descend lowers the objective in the last row, by Bland's rule, and reports whether it has an end.
func (p *program) descend(m int) bool {
	for {
		goal := p.rows[m]
		j := 0
		for j < p.n && goal[j].Sign() >= 0 {
			j++
		}
		if j == p.n {
			return true
		}
		best := -1
		var least big.Rat
		for i := range m {
			if p.rows[i][j].Sign() <= 0 {
				continue
			}
			ratio := new(big.Rat).Quo(p.rows[i][p.n], p.rows[i][j])
			if c := ratio.Cmp(&least); best < 0 || c < 0 || c == 0 && p.basis[i] < p.basis[best] {
				best = i
				least.Set(ratio)
			}
		}
		if best < 0 {
			return false
		}
		p.pivot(best, j)
	}
}

// pivot makes variable j basic in row r.
func (p *program) pivot(r, j int) {
	line := p.rows[r]
	inverse := new(big.Rat).Inv(line[j])
	for _, x := range line {
		if x.Sign() != 0 {
			x.Mul(x, inverse)
		}
	}
	var product big.Rat
	for i, other := range p.rows {
		if i == r || other[j].Sign() == 0 {
			continue
		}
		factor := new(big.Rat).Set(other[j])
		for k, x := range line {
			if x.Sign() != 0 {
				other[k].Sub(other[k], product.Mul(factor, x))
			}
		}
	}
	p.basis[r] = j
}

// extreme moves to the solution in which variable j is smallest (sign 1) or largest (sign -1), and reports whether there is one.
func (p *program) extreme(j int, sign int64) bool {
	goal := make([]*big.Rat, p.n+1)
	for k := range goal {
		goal[k] = new(big.Rat)
	}
	goal[j].SetInt64(sign)
	for i, b := range p.basis {
		if b == j {
			factor := big.NewRat(sign, 1)
			for k, x := range p.rows[i] {
				goal[k].Sub(goal[k], new(big.Rat).Mul(factor, x))
			}
		}
	}
	m := len(p.rows)
	p.rows = append(p.rows, goal)
	limited := p.descend(m)
	p.rows = p.rows[:m]
	return limited
}

// solution returns the value of each variable.
func (p *program) solution() []*big.Rat {
	out := make([]*big.Rat, p.n)
	for j := range out {
		out[j] = new(big.Rat)
	}
	for i, b := range p.basis {
		out[b].Set(p.rows[i][p.n])
	}
	return out
}
