package audit

import "errors"

var (
	// errTooLarge says that a number does not fit the arithmetic.
	errTooLarge = errors.New("a number does not fit")
	// errInfeasible says that the equations have no solution that is not negative.
	errInfeasible = errors.New("no solution")
)

// tableau is a dense simplex tableau under integer pivoting (Edmonds): entry x stands for x/det, and every entry is a
// minor of the original matrix, so that all divisions are whole. Its basic solution is never negative. Artificial
// variables have no columns; they only stand in basis, as -1, until phase 1 is over.
type tableau[T any, N number[T]] struct {
	num   N
	rows  [][]T // the last column is the right-hand side
	basis []int // the column that is basic in each row
	at    []int // the row in which each column is basic, or -1
	det   T
	// fixed is a column that does not enter the basis, or -1.
	fixed int
	// still counts pivots that did not move the solution: Bland's rule then ends cycles.
	still int
	// visit, if set, is called with each new basic solution.
	visit func()
}

// newTableau returns a tableau of a feasible basic solution of rows (coefficient vectors with the right-hand side last).
func newTableau[T any, N number[T]](rows [][]int64, columns int) (*tableau[T, N], error) {
	t := &tableau[T, N]{at: make([]int, columns), fixed: -1}
	t.det, _ = t.num.of(1)
	for i := range t.at {
		t.at[i] = -1
	}
	goal := make([]int64, columns+1)
	for _, r := range rows {
		sign := int64(1)
		if r[columns] < 0 {
			sign = -1
		}
		line := make([]T, columns+1)
		for j, v := range r {
			goal[j] += sign * v
			var ok [2]bool
			line[j], ok[0] = t.num.of(sign * v)
			if _, ok[1] = t.num.of(goal[j]); !ok[0] || !ok[1] {
				return nil, errTooLarge
			}
		}
		t.rows = append(t.rows, line)
		t.basis = append(t.basis, -1)
	}
	return t, t.phaseOne(goal)
}

// phaseOne brings the sum of the artificial variables, which is the row goal, to 0.
func (t *tableau[T, N]) phaseOne(goal []int64) error {
	line := make([]T, len(goal))
	for j, v := range goal {
		line[j], _ = t.num.of(v) // newTableau has tried it
	}
	m := len(t.rows)
	t.rows = append(t.rows, line)
	for t.num.sign(t.rows[m][len(t.at)]) > 0 {
		j := t.enter(m, 1)
		if j < 0 {
			return errInfeasible
		}
		r := t.leave(j, -1, m)
		if r < 0 {
			return errInfeasible // cannot be: the sum is bounded by 0
		}
		if err := t.pivot(r, j); err != nil {
			return err
		}
	}
	t.rows = t.rows[:m]
	return t.dropArtificials()
}

// dropArtificials brings the artificial variables that are left, all 0, out of the basis, and deletes rows that follow from others.
func (t *tableau[T, N]) dropArtificials() error {
	for r := 0; r < len(t.rows); {
		if t.basis[r] >= 0 {
			r++
			continue
		}
		j := 0
		for j < len(t.at) && (t.at[j] >= 0 || t.num.sign(t.rows[r][j]) == 0) {
			j++
		}
		if j == len(t.at) {
			last := len(t.rows) - 1
			t.rows[r], t.basis[r] = t.rows[last], t.basis[last]
			if t.basis[r] >= 0 {
				t.at[t.basis[r]] = r
			}
			t.rows, t.basis = t.rows[:last], t.basis[:last]
			continue
		}
		if t.num.sign(t.rows[r][j]) < 0 {
			for k := range t.rows[r] {
				t.rows[r][k] = t.num.negated(t.rows[r][k])
			}
		}
		if err := t.pivot(r, j); err != nil {
			return err
		}
		r++
	}
	return nil
}

// enter returns the column to bring into the basis: one whose entry in row r has the given sign, or -1.
func (t *tableau[T, N]) enter(r, sign int) int {
	best := -1
	for j, at := range t.at {
		if at >= 0 || j == t.fixed || t.num.sign(t.rows[r][j]) != sign {
			continue
		}
		if t.still > len(t.rows)+20 { // Bland
			return j
		}
		if best < 0 || t.num.compare(t.rows[r][j], t.rows[r][best]) == sign {
			best = j
		}
	}
	return best
}

// leave returns the row whose basic variable first becomes 0 as column j grows, or -1 if none does. Rows without and goal are
// not asked.
func (t *tableau[T, N]) leave(j, without, goal int) int {
	best, n := -1, len(t.at)
	for i, line := range t.rows {
		if i == without || i == goal || t.num.sign(line[j]) <= 0 {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		switch t.num.compareRatios(line[n], line[j], t.rows[best][n], t.rows[best][j]) {
		case -1:
			best = i
		case 0:
			if t.basis[i] < t.basis[best] {
				best = i
			}
		}
	}
	return best
}

// pivot makes column s basic in row r, where its entry is positive.
func (t *tableau[T, N]) pivot(r, s int) error {
	line, p, d := t.rows[r], t.rows[r][s], t.det
	same := t.num.compare(p, d) == 0
	used := make([]int, 0, 64)
	for j := range line {
		if t.num.sign(line[j]) != 0 {
			used = append(used, j)
		}
	}
	for i, other := range t.rows {
		a := other[s]
		if i == r || same && t.num.sign(a) == 0 {
			continue
		}
		var ok bool
		if same {
			for _, j := range used {
				if other[j], ok = t.num.cross(other[j], p, a, line[j], d); !ok {
					return errTooLarge
				}
			}
			continue
		}
		for j := range other {
			if other[j], ok = t.num.cross(other[j], p, a, line[j], d); !ok {
				return errTooLarge
			}
		}
	}
	t.still++
	if t.num.sign(line[len(t.at)]) > 0 {
		t.still = 0
	}
	t.det = p
	if t.basis[r] >= 0 {
		t.at[t.basis[r]] = -1
	}
	t.basis[r], t.at[s] = s, r
	if t.visit != nil {
		t.visit()
	}
	return nil
}

// bring makes column c basic. It reports false if the column can grow without limit, and then leaves it as it is.
func (t *tableau[T, N]) bring(c int) (bool, error) {
	if t.at[c] >= 0 {
		return true, nil
	}
	r := t.leave(c, -1, -1)
	if r < 0 {
		return false, nil
	}
	return true, t.pivot(r, c)
}

// maximise moves to a solution in which column c is largest, or at least enough if enough is not negative. It reports
// false if the column can grow without limit.
func (t *tableau[T, N]) maximise(c int, enough int64) (bool, error) {
	for {
		if ok, err := t.bring(c); !ok || err != nil {
			return ok, err
		}
		r := t.at[c]
		if v, _ := t.value(c); enough >= 0 && v >= enough {
			return true, nil
		}
		j := t.enter(r, -1)
		if j < 0 {
			return true, nil
		}
		leaving := t.leave(j, r, -1)
		if leaving < 0 {
			return false, nil
		}
		if err := t.pivot(leaving, j); err != nil {
			return false, err
		}
	}
}

// minimise moves to a solution in which column c is smallest.
func (t *tableau[T, N]) minimise(c int) error {
	for t.at[c] >= 0 && t.num.sign(t.rows[t.at[c]][len(t.at)]) > 0 {
		j := t.enter(t.at[c], 1)
		if j < 0 {
			return nil
		}
		if err := t.pivot(t.leave(j, -1, -1), j); err != nil {
			return err
		}
	}
	return nil
}

// value returns the count of a column in the basic solution, rounded down, and reports whether it is whole.
func (t *tableau[T, N]) value(c int) (int64, bool) {
	if t.at[c] < 0 {
		return 0, true
	}
	return t.num.floor(t.rows[t.at[c]][len(t.at)], t.det)
}

// shift makes the basic column c count n more: 1 or -1.
func (t *tableau[T, N]) shift(c, n int) (err error) {
	step := t.det
	if n < 0 {
		step = t.num.negated(step)
	}
	line, ok := t.rows[t.at[c]], false
	if line[len(t.at)], ok = t.num.sum(line[len(t.at)], step); !ok {
		return errTooLarge
	}
	return nil
}
