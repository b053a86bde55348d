// Package audit is the gate before publication: it proves, or refutes, that withheld cells stay unknown.
//
// A system is a set of cells and of equations "total = sum of its parts" that hold between them. Every count is a whole
// number and not negative; published cells have a value that everyone knows. For each withheld cell the audit finds the
// smallest and the largest value that it has in any such system which agrees with everything published. It accepts if
// each withheld cell could be 0 and could be its threshold, also for a person who knows that they are in a withheld cell
// themselves and therefore counts everyone but them.
//
// It promises exact answers: linear programs are solved by integer pivoting (in 64 bits; with big integers as soon as a
// number does not fit), and a bound counts only where a table of whole numbers attains it. A question whose
// branch and bound grows too long is answered "not proven", which is not accepted. It never reads the true value of a
// withheld cell, so that anyone can repeat it from public tables. It has no clock, no I/O and no floating point.
package audit

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Unlimited is the upper bound of a cell that nothing published limits.
const Unlimited int64 = math.MaxInt64

// ErrContradiction is wrapped by errors about published values that no table of whole numbers has.
var ErrContradiction = errors.New("the published cells contradict each other")

// Cell is one count.
type Cell struct {
	// Value is the published count. It is not read if the cell is withheld.
	Value int64
	// Withheld reports whether the count is not published.
	Withheld bool
	// Threshold is the count that a withheld cell must be able to reach, and how far apart its bounds must be. A
	// withheld cell of threshold 0 only links others and is not audited.
	Threshold int64
}

// Equation says that one cell is the sum of others; cells are named by their index.
type Equation struct {
	Total int
	Parts []int
}

// System holds everything that an attacker knows about the counts of one measure.
type System struct {
	Cells     []Cell
	Equations []Equation
}

// Bound is what can be known of one withheld cell.
type Bound struct {
	// Cell is the index of the cell.
	Cell int
	// Low and High are the smallest and the largest count of the cell over all tables of whole numbers. High may be
	// Unlimited.
	Low, High int64
	// Proven reports whether tables attain both bounds. Otherwise the range is at most [Low, High].
	Proven bool
}

// Fault is a reason not to accept.
type Fault struct {
	// Bound is what can be known of the cell; with Knowing, of the others in it.
	Bound
	// Knowing is the withheld cell in which the attacker knows themselves to be, or -1.
	Knowing int
}

// Report is the outcome of an audit.
type Report struct {
	// Audited is the number of withheld cells that have a threshold, LPs the number of linear programs solved.
	Audited, LPs int
	// Bounds has an entry for each audited cell, in the order of cells. Without Options.Exact an upper bound is
	// the largest count that was seen.
	Bounds []Bound
	// Faults is empty if the audit accepts; its order is that of the cells.
	Faults []Fault
	// Determined is the number of audited cells of which the exact count can be computed.
	Determined int
	// MinWidth is the smallest difference between the bounds of an audited cell, MaxLow the largest lower bound. MinWidth
	// is Unlimited if nothing is audited.
	MinWidth, MaxLow int64
}

// Accepted reports whether every withheld cell is protected.
func (r *Report) Accepted() bool { return len(r.Faults) == 0 }

// Options say how thorough an audit is.
type Options struct {
	// Exact computes each bound to the end, for a certificate. Without it the search for a bound ends as soon as the
	// bound is wide enough; the verdict is the same.
	Exact bool
	// Strangers leaves out attackers who know that they are in a withheld cell themselves.
	Strangers bool
	// Memo, if not nil, keeps results between audits of systems that differ only in which cells are withheld.
	Memo *Memo
}

// Memo remembers the results of connected components. The zero value is ready. All systems audited with one Memo must
// have the same equations, thresholds and true values.
type Memo struct{ seen map[string]*outcome }

// Audit audits a system. It returns an error that wraps ErrContradiction if no table agrees with the published cells,
// and another error if the system itself is malformed.
func Audit(s *System, o Options) (*Report, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	known, components, err := s.reduce()
	if err != nil {
		return nil, err
	}
	r := &Report{MinWidth: Unlimited}
	for i, c := range s.Cells {
		if v, ok := known[i]; ok && c.Threshold > 0 {
			r.add(s, []Bound{{i, v, v, true}}, nil)
		}
	}
	for _, c := range components {
		out, err := c.bounds(o)
		if err != nil {
			return nil, err
		}
		r.LPs += out.lps
		r.add(s, out.bounds, out.faults)
	}
	slices.SortFunc(r.Bounds, func(a, b Bound) int { return a.Cell - b.Cell })
	slices.SortFunc(r.Faults, func(a, b Fault) int {
		if a.Cell != b.Cell {
			return a.Cell - b.Cell
		}
		return a.Knowing - b.Knowing
	})
	return r, nil
}

// add adds bounds to the report, and those that are too narrow to its faults.
func (r *Report) add(s *System, bounds []Bound, knowing []Fault) {
	for _, b := range bounds {
		r.Audited++
		r.Bounds = append(r.Bounds, b)
		r.MinWidth = min(r.MinWidth, b.High-b.Low)
		r.MaxLow = max(r.MaxLow, b.Low)
		if b.Low == b.High {
			r.Determined++
		}
		if !b.wide(s.Cells[b.Cell].Threshold) {
			r.Faults = append(r.Faults, Fault{b, -1})
		}
	}
	r.Faults = append(r.Faults, knowing...)
}

// wide reports whether a cell with these bounds could be 0 and could be t.
func (b Bound) wide(t int64) bool { return b.Proven && b.Low <= 0 && b.High >= t }

// check returns an error that names the first cell or equation that cannot be.
func (s *System) check() error {
	for i, c := range s.Cells {
		if !c.Withheld && c.Value < 0 {
			return fmt.Errorf("cell %d is published as %d; counts are not negative", i, c.Value)
		}
		if c.Threshold < 0 {
			return fmt.Errorf("cell %d has threshold %d", i, c.Threshold)
		}
	}
	for i, e := range s.Equations {
		seen := map[int]bool{e.Total: true}
		for _, p := range append([]int{e.Total}, e.Parts...) {
			if p < 0 || p >= len(s.Cells) {
				return fmt.Errorf("equation %d names cell %d of %d", i, p, len(s.Cells))
			}
		}
		for _, p := range e.Parts {
			if seen[p] {
				return fmt.Errorf("equation %d names cell %d twice", i, p)
			}
			seen[p] = true
		}
	}
	return nil
}
