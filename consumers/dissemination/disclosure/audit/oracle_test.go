package audit

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
)

// gonum is here because an oracle must be of others: it solves the same linear programs in floating point.
func TestLargerLatticesAgainstAnotherSolver(t *testing.T) {
	compared := 0
	for seed := uint64(1); seed <= 40; seed++ {
		r := rand.New(rand.NewPCG(seed, 16))
		shape := [][]int{{12, 9}, {6, 5, 4}, {9, 4, 2}, {60}}[seed%4]
		m := makeLattice(r, shape, 400, 0.3)
		report, err := Audit(&m.System, Options{Exact: true})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		bounds := map[int]Bound{}
		for _, b := range report.Bounds {
			bounds[b.Cell] = b
		}
		_, parts, err := m.reduce()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range parts {
			rows := independent(c.vectors(), len(c.cells))
			for k, cell := range c.targets {
				if k >= 15 {
					break
				}
				b := bounds[cell]
				low, high, ok := optima(t, rows, len(c.cells), c.column(cell))
				if !ok {
					continue // the other solver gave up
				}
				compared++
				if b.Proven && (math.Abs(math.Ceil(low-1e-6)-float64(b.Low)) > 1e-6 || math.Abs(math.Floor(high+1e-6)-float64(b.High)) > 1e-6) {
					t.Errorf("seed %d, cell %d: %d to %d; gonum says %v to %v", seed, cell, b.Low, b.High, low, high)
				}
			}
		}
	}
	t.Logf("compared both bounds of %d cells", compared)
	if compared < 200 {
		t.Errorf("only %d cells could be compared", compared)
	}
}

func (c *component) column(cell int) int {
	for j, other := range c.cells {
		if other == cell {
			return j
		}
	}
	return -1
}

// optima returns the bounds of a column by gonum, which wants independent rows, and false if it fails.
func optima(t *testing.T, rows [][]int64, columns, column int) (low, high float64, ok bool) {
	t.Helper()
	a, b := mat.NewDense(len(rows), columns, nil), make([]float64, len(rows))
	for i, r := range rows {
		for j := range columns {
			a.Set(i, j, float64(r[j]))
		}
		b[i] = float64(r[columns])
	}
	goal := make([]float64, columns)
	goal[column] = 1
	low, _, err := lp.Simplex(goal, a, b, 1e-10, nil)
	if err != nil {
		return 0, 0, false
	}
	goal[column] = -1
	high, _, err = lp.Simplex(goal, a, b, 1e-10, nil)
	return low, -high, err == nil
}

// independent returns as many rows as are independent, by elimination modulo a prime.
func independent(rows [][]int64, columns int) [][]int64 {
	const prime = 2147483629
	var kept, reduced [][]int64
	var pivots []int
	for _, r := range rows {
		line := make([]int64, columns)
		for j := range line {
			line[j] = (r[j] + prime) % prime
		}
		for k, other := range reduced {
			if f := line[pivots[k]]; f != 0 {
				for j := range line {
					line[j] = (line[j] + (prime-f)*other[j]) % prime
				}
			}
		}
		p := 0
		for p < columns && line[p] == 0 {
			p++
		}
		if p == columns {
			continue
		}
		inverse, base := int64(1), line[p]
		for e := prime - 2; e > 0; e >>= 1 {
			if e&1 == 1 {
				inverse = inverse * base % prime
			}
			base = base * base % prime
		}
		for j := range line {
			line[j] = line[j] * inverse % prime
		}
		kept, reduced, pivots = append(kept, r), append(reduced, line), append(pivots, p)
	}
	return kept
}
