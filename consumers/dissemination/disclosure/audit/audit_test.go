package audit

import (
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
)

var (
	firstSeed = flag.Uint64("first-seed", 1, "seed of the first random lattice")
	lattices  = flag.Int("lattices", 200, "number of random lattices")
)

// made is a random lattice: the margins of a cube, some of them tables of it, some cells withheld.
type made struct {
	System
	truth  []int64
	leaves []int
	inside [][]int // the leaves of each cell
}

// make draws the counts of a cube and which of its margins are published.
func makeLattice(r *rand.Rand, dims []int, total int, withheld float64) *made {
	m := &made{}
	index := map[string]int{}
	var all [][]int
	var walk func(at []int)
	walk = func(at []int) {
		if len(at) < len(dims) {
			for v := -1; v < dims[len(at)]; v++ {
				walk(append(append([]int{}, at...), v))
			}
			return
		}
		index[fmt.Sprint(at)] = len(all)
		all = append(all, at)
	}
	walk(nil)
	m.truth = make([]int64, len(all))
	m.inside = make([][]int, len(all))
	for i, at := range all {
		leaf := true
		for _, v := range at {
			leaf = leaf && v >= 0
		}
		if leaf {
			m.leaves = append(m.leaves, i)
		}
	}
	for i, at := range all {
		for _, l := range m.leaves {
			in := true
			for d, v := range at {
				in = in && (v < 0 || v == all[l][d])
			}
			if in {
				m.inside[i] = append(m.inside[i], l)
			}
		}
	}
	for range total {
		// The smaller of two makes some cells rare, as countries and ages are.
		m.truth[m.leaves[min(r.IntN(len(m.leaves)), r.IntN(len(m.leaves)))]]++
	}
	for i, in := range m.inside {
		if len(in) == 1 {
			continue
		}
		for _, l := range in {
			m.truth[i] += m.truth[l]
		}
	}
	shown := make([]bool, 1<<len(dims)) // which sets of columns are tables
	for set := range shown {
		shown[set] = set == 0 || withheld == 0 || r.Float64() < 0.7
	}
	for i, at := range all {
		set := 0
		for d, v := range at {
			if v >= 0 {
				set |= 1 << d
			}
		}
		c := Cell{Value: m.truth[i]}
		if !shown[set] {
			c = Cell{Withheld: true}
		} else if set != 0 && r.Float64() < withheld {
			c = Cell{Withheld: true, Threshold: 2 + r.Int64N(3)}
		}
		m.Cells = append(m.Cells, c)
	}
	for i, at := range all {
		for d, v := range at {
			if v >= 0 {
				continue
			}
			e := Equation{Total: i}
			for k := range dims[d] {
				part := append([]int{}, at...)
				part[d] = k
				e.Parts = append(e.Parts, index[fmt.Sprint(part)])
			}
			m.Equations = append(m.Equations, e)
		}
	}
	return m
}

// each calls f with the counts of every table of whole numbers that agrees with what is published.
func (m *made) each(f func(counts []int64)) {
	counts := make([]int64, len(m.Cells))
	left := make([]int, len(m.Cells)) // leaves still to be drawn, by cell
	cells := map[int][]int{}
	for i, in := range m.inside {
		left[i] = len(in)
		for _, l := range in {
			cells[l] = append(cells[l], i)
		}
	}
	var walk func(k int)
	walk = func(k int) {
		if k == len(m.leaves) {
			f(counts)
			return
		}
		in := cells[m.leaves[k]]
		for _, c := range in {
			left[c]--
		}
		for v := int64(0); ; v++ {
			over, short := false, false
			for _, c := range in {
				if !m.Cells[c].Withheld {
					over = over || counts[c] > m.Cells[c].Value
					short = short || left[c] == 0 && counts[c] < m.Cells[c].Value
				}
			}
			if over {
				for _, c := range in {
					counts[c] -= v
				}
				break
			}
			if !short {
				walk(k + 1)
			}
			for _, c := range in {
				counts[c]++
			}
		}
		for _, c := range in {
			left[c]++
		}
	}
	walk(0)
}

// facts are what enumeration knows of a cell, or of a pair of cells.
type facts struct{ low, high int64 }

func (f *facts) saw(v int64) { f.low, f.high = min(f.low, v), max(f.high, v) }

func TestRandomLatticesAgainstEveryTable(t *testing.T) {
	shapes := [][]int{{2, 3}, {3, 3}, {2, 2, 2}, {2, 2, 3}, {4, 2}, {7}}
	var accepted, knowing, fractions int
	for seed := *firstSeed; seed < *firstSeed+uint64(*lattices); seed++ {
		r := rand.New(rand.NewPCG(seed, 14))
		m := makeLattice(r, shapes[r.IntN(len(shapes))], 1+r.IntN(11), 0.2+0.6*r.Float64())
		cells := map[int]*facts{}
		pairs := map[[2]int]*facts{}
		m.each(func(counts []int64) { m.note(counts, cells, pairs) })
		report, err := Audit(&m.System, Options{Exact: true})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		faults := map[[2]int]bool{}
		for _, f := range report.Faults {
			faults[[2]int{f.Cell, f.Knowing}] = true
			if !f.Proven {
				fractions++
			}
		}
		plain := false
		for _, b := range report.Bounds {
			want := cells[b.Cell]
			if b.Low != want.low || b.High != want.high || !b.Proven {
				t.Errorf("seed %d: cell %d: %+v, every table says %+v", seed, b.Cell, b, *want)
			}
			bad := want.low > 0 || want.high < m.Cells[b.Cell].Threshold
			plain = plain || bad
			if faults[[2]int{b.Cell, -1}] != bad {
				t.Errorf("seed %d: cell %d: fault %v, want %v", seed, b.Cell, !bad, bad)
			}
		}
		if len(report.Bounds) != len(cells) {
			t.Errorf("seed %d: %d cells audited, want %d", seed, len(report.Bounds), len(cells))
		}
		if !plain {
			for p, f := range pairs {
				bad := f.low > 0 || f.high < m.Cells[p[1]].Threshold
				if faults[[2]int{p[1], p[0]}] != bad {
					t.Errorf("seed %d: cell %d to a person in %d: fault %v; every table says %+v", seed, p[1], p[0], !bad, *f)
				}
				if bad {
					knowing++
				}
			}
		}
		quick, err := Audit(&m.System, Options{})
		if err != nil || quick.Accepted() != report.Accepted() {
			t.Errorf("seed %d: the short audit accepts: %v (%v), the exact one: %v", seed, quick.Accepted(), err, report.Accepted())
		}
		if report.Accepted() && report.Audited > 0 {
			accepted++
		}
	}
	t.Logf("seeds from %d: %d of %d lattices accepted, %d pairs found by one's own case, %d not proven", *firstSeed, accepted, *lattices, knowing, fractions)
	if *lattices >= 200 && (accepted == 0 || knowing == 0) {
		t.Error("the lattices try only one answer")
	}
}

// note updates what is known of the audited cells, and, of the others in them, to a person in another one.
func (m *made) note(counts []int64, cells map[int]*facts, pairs map[[2]int]*facts) {
	for i, c := range m.Cells {
		if c.Threshold == 0 {
			continue
		}
		if cells[i] == nil {
			cells[i] = &facts{low: Unlimited, high: -1}
		}
		cells[i].saw(counts[i])
		for j, d := range m.Cells {
			if d.Threshold == 0 || counts[i] < 1 {
				continue
			}
			p := [2]int{i, j}
			if pairs[p] == nil {
				pairs[p] = &facts{low: Unlimited, high: -1}
			}
			others := counts[j]
			if m.within(i, j) {
				others--
			}
			pairs[p].saw(others)
		}
	}
}

// within reports whether cell j contains cell i.
func (m *made) within(i, j int) bool {
	in := map[int]bool{}
	for _, l := range m.inside[j] {
		in[l] = true
	}
	for _, l := range m.inside[i] {
		if !in[l] {
			return false
		}
	}
	return true
}

// One row of a table: 3, 4 and 13 of 20, of which the first two are withheld.
func family(total int64, cells ...Cell) *System {
	s := &System{Cells: append([]Cell{{Value: total}}, cells...)}
	e := Equation{}
	for i := range cells {
		e.Parts = append(e.Parts, i+1)
	}
	s.Equations = []Equation{e}
	return s
}

func TestComplementIsDetermined(t *testing.T) {
	w := Cell{Withheld: true, Threshold: 5}
	r, err := Audit(family(20, w, Cell{Value: 17}), Options{Exact: true})
	if err != nil || r.Accepted() || r.Determined != 1 || r.Bounds[0].Low != 3 {
		t.Errorf("one withheld cell beside its complement: %+v, %v", r, err)
	}
	if r, err = Audit(family(20, w, w, Cell{Value: 13}), Options{Exact: true}); err != nil || !r.Accepted() || r.MinWidth != 7 || r.MaxLow != 0 {
		t.Errorf("two withheld cells that sum to 7: %+v, %v", r, err)
	}
	if r, err = Audit(family(20, w, w, Cell{Value: 15}), Options{}); err != nil || r.Accepted() || r.Faults[0].Knowing < 0 {
		t.Errorf("5 in two cells, to a person who is one of the 5: %+v, %v", r, err)
	}
}

func TestContradictionsAreErrors(t *testing.T) {
	w := Cell{Withheld: true, Threshold: 5}
	for name, s := range map[string]*System{
		"parts over their total": family(20, Cell{Value: 21}, w, w),
		"all published":          family(20, Cell{Value: 21}, Cell{Value: 1}),
	} {
		if _, err := Audit(s, Options{}); !errors.Is(err, ErrContradiction) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, s := range map[string]*System{
		"negative": family(-1, w), "no such cell": {Equations: []Equation{{Total: 3}}},
		"twice": {Cells: make([]Cell, 2), Equations: []Equation{{Total: 0, Parts: []int{1, 1}}}},
	} {
		if _, err := Audit(s, Options{}); err == nil || errors.Is(err, ErrContradiction) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Counts beyond 31 bits need big integers; both arithmetics must say the same.
func TestBothArithmeticsAgree(t *testing.T) {
	for seed := uint64(1); seed <= 40; seed++ {
		r := rand.New(rand.NewPCG(seed, 15))
		m := makeLattice(r, []int{3, 3, 2}, 30, 0.4)
		known, parts, err := m.reduce()
		if err != nil {
			t.Fatal(known, err)
		}
		for _, c := range parts {
			a, err := audited[int64, small](c, Options{Exact: true})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			b, err := audited[*big.Int, large](c, Options{Exact: true})
			if err != nil || fmt.Sprint(a.bounds, a.faults) != fmt.Sprint(b.bounds, b.faults) {
				t.Errorf("seed %d: %v and %v, %v", seed, a.bounds, b.bounds, err)
			}
		}
	}
	w := Cell{Withheld: true, Threshold: 5}
	r, err := Audit(family(1<<40, w, w), Options{Exact: true})
	if err != nil || !r.Accepted() || r.Bounds[1].High != 1<<40 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What fits into 64 bits must be what big integers give, and what does not fit must say so.
func TestSmallNumbersSayWhenTheyDoNotFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 22))
	fitted, refused := 0, 0
	for range 10_000 {
		var n [4]int64
		for i := range n {
			n[i] = (r.Int64N(2*limit-1) - limit + 1) >> r.IntN(28)
		}
		exact, _ := large{}.cross(big.NewInt(n[0]), big.NewInt(n[1]), big.NewInt(n[2]), big.NewInt(n[3]), big.NewInt(1))
		got, ok := small{}.cross(n[0], n[1], n[2], n[3], 1)
		switch {
		case ok && exact.Cmp(big.NewInt(got)) != 0:
			t.Fatalf("%d*%d - %d*%d is %v, not %d", n[0], n[1], n[2], n[3], exact, got)
		case ok != (exact.IsInt64() && -limit < exact.Int64() && exact.Int64() < limit):
			t.Fatalf("%v fits: %v", exact, ok)
		case ok:
			fitted++
		default:
			refused++
		}
		sum, ok := small{}.sum(n[0], n[1])
		if ok != (-limit < n[0]+n[1] && n[0]+n[1] < limit) || sum != n[0]+n[1] {
			t.Fatalf("%d + %d fits: %v", n[0], n[1], ok)
		}
	}
	if fitted == 0 || refused == 0 {
		t.Errorf("%d fitted, %d did not", fitted, refused)
	}
}

// BenchmarkTenThousandCells audits a table of 23 x 20 x 19 with its margins, of which 3 % are withheld.
func BenchmarkTenThousandCells(b *testing.B) {
	m := makeLattice(rand.New(rand.NewPCG(1, 17)), []int{23, 20, 19}, 300_000, 0)
	r := rand.New(rand.NewPCG(2, 17))
	for i := range m.Cells {
		if m.Cells[i].Withheld = r.Float64() < 0.12 && m.truth[i] < 1000; m.Cells[i].Withheld {
			m.Cells[i].Threshold = 5
		}
	}
	for b.Loop() {
		report, err := Audit(&m.System, Options{Exact: true})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(m.Cells)), "cells")
		b.ReportMetric(float64(report.Audited), "withheld")
		b.ReportMetric(float64(report.LPs), "LPs")
	}
}
