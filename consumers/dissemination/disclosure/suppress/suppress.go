// Package suppress decides which cells of linked tables are withheld: secondary cell suppression. Cells of too few persons are withheld
// (primary), then others, until nothing that is published tells too much of a withheld one. Whether that is so, package audit
// decides; nothing is returned that it does not accept.
//
// It promises: thresholds count distinct persons, not events; the withheld cells do not depend on the order of the input; what
// comes out does not tell primary cells from others; a count that is the same in two tables is withheld in both or in none;
// what was withheld before stays withheld. Counts are never changed, so that what is published is exact. It fails, naming
// cells, if cells that must be published leave others unprotected: the tables must then be coarser. It has no clock, no
// I/O, no randomness.
package suppress

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/published"
)

// ErrUnsafe is wrapped by errors about cells that cannot be protected because others must be published.
var ErrUnsafe = errors.New("the tables are too fine to be published")

// UnsafeError names a cell that cannot be protected. It wraps ErrUnsafe.
type UnsafeError struct {
	Cell string // its key
	Why  string
}

func (e *UnsafeError) Error() string { return ErrUnsafe.Error() + ": " + e.Why }

func (e *UnsafeError) Unwrap() error { return ErrUnsafe }

// Measure is that of the cell.
func (e *UnsafeError) Measure() string {
	measure, _, _ := strings.Cut(e.Cell, "|")
	return measure
}

// Release is what may be published.
type Release struct {
	// Tables are those of the input, in their order, without what is withheld; their cells are sorted by codes, so that their
	// order says nothing.
	Tables []published.Table
	// Audit is the exact audit of the release.
	Audit *audit.Report
	// Cells is the number of different cells of the tables, Withheld the number of those that are withheld.
	Cells, Withheld int
	// LeftOut is the number of cells of too few persons that are in no table because codes were joined. They are not computable.
	LeftOut int
	// Hierarchies are those of the input, with the codes that were joined: "A+B" is above A and B.
	Hierarchies map[string]published.Hierarchy
}

// Plan withholds what must be withheld. Its errors wrap ErrUnsafe, or tell what of the input contradicts itself.
func Plan(in *Input) (*Release, error) {
	coarse := coarsened(in)
	r, err := plan(coarse)
	if err != nil {
		return nil, err
	}
	return r, guardLeftOut(in, coarse, r)
}

// plan withholds cells of tables as they are.
func plan(in *Input) (*Release, error) {
	f, err := newFrame(in)
	if err != nil {
		return nil, err
	}
	if err := f.withholdPrimary(); err != nil {
		return nil, err
	}
	memo := &audit.Memo{}
	for {
		if err := f.repair(); err != nil {
			return nil, err
		}
		report, err := audit.Audit(&f.System, audit.Options{Memo: memo, Strangers: in.Strangers})
		if err != nil {
			return nil, err
		}
		if report.Accepted() {
			break
		}
		if err := f.widenFaults(report); err != nil {
			return nil, err
		}
	}
	report, err := audit.Audit(&f.System, audit.Options{Exact: true, Strangers: in.Strangers})
	if err != nil {
		return nil, err
	}
	if !report.Accepted() {
		cell := f.keys[report.Faults[0].Cell]
		return nil, &UnsafeError{cell, "the exact audit refuses cell " + cell}
	}
	return f.release(in, report), nil
}

// withholdPrimary withholds the cells that must be.
func (f *frame) withholdPrimary() error {
	for i := range f.Cells {
		if f.primary[i] && f.state[i] == Forced {
			return &UnsafeError{f.keys[i], fmt.Sprintf("cell %s must be published and has only %d persons, below %d", f.keys[i], f.persons[i], f.Cells[i].Threshold)}
		}
		if f.primary[i] || f.state[i] == Held {
			f.Cells[i].Withheld = true
		}
	}
	return nil
}

// repair withholds further cells until, in each equation by itself, withheld cells hide each other, and no withheld cell is computable
// from all equations together.
func (f *frame) repair() error {
	for {
		queue := make([]int, len(f.Equations))
		for n := range queue {
			queue[n] = n
		}
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			if f.deficit(n) == 0 {
				continue
			}
			i := f.best(n)
			if i < 0 {
				return f.unsafe(f.open(n))
			}
			f.Cells[i].Withheld = true
			queue = append(queue, n)
			queue = append(queue, f.in[i]...)
		}
		found := f.computable()
		if len(found) == 0 {
			return nil
		}
		for _, i := range found {
			if _, err := f.widen(i, 1); err != nil {
				return err
			}
		}
	}
}

// open returns a withheld audited cell of equation n.
func (f *frame) open(n int) int {
	e := f.Equations[n]
	for _, p := range append(slices.Clone(e.Parts), e.Total) {
		if f.Cells[p].Withheld && f.Cells[p].Threshold > 0 {
			return p
		}
	}
	return e.Total
}

// deficit returns how much more equation n must hide so that, in it alone, each withheld part could be 0 or its threshold, also to a
// person who is in one of them. 0 is enough.
func (f *frame) deficit(n int) int64 {
	e := f.Equations[n]
	var hidden, limit int64
	var parts int
	for _, p := range e.Parts {
		if f.Cells[p].Withheld {
			if f.Cells[p].Threshold == 0 {
				return 0 // cells of a core: the audit judges them
			}
			hidden += f.value[p]
			limit = max(limit, f.Cells[p].Threshold)
			parts++
		}
	}
	switch {
	case f.Cells[e.Total].Withheld && parts > 0, !f.Cells[e.Total].Withheld && parts == 0:
		return 0
	case f.Cells[e.Total].Withheld:
		return f.Cells[e.Total].Threshold + 1
	case parts == 1:
		return max(limit+1-hidden, 1)
	}
	return max(limit+1-hidden, 0)
}

// best returns the published cell of equation n that is best withheld: one that mends most equations, then a part before the total, then the
// smallest that is enough, then the largest. It returns -1 if none may be.
func (f *frame) best(n int) int {
	e, need := f.Equations[n], f.deficit(n)
	best, bestMends := -1, 0
	for _, p := range append(slices.Clone(e.Parts), e.Total) {
		if f.Cells[p].Withheld || f.state[p] == Forced || p == e.Total && best >= 0 {
			continue
		}
		mends := 0
		for _, m := range f.in[p] {
			if f.deficit(m) > 0 {
				mends++
			}
		}
		if best < 0 || mends > bestMends || mends == bestMends && f.fitter(p, best, need) {
			best, bestMends = p, mends
		}
	}
	return best
}

// fitter reports whether cell a hides need better than cell b.
func (f *frame) fitter(a, b int, need int64) bool {
	x, y := f.value[a], f.value[b]
	if (x >= need) != (y >= need) {
		return x >= need
	}
	if x != y {
		return (x < y) == (x >= need)
	}
	return a < b
}

// widen withholds one more cell in an equation of cell i, or of cells that are withheld with it, nearest first, and returns it.
func (f *frame) widen(i int, need int64) (int, error) {
	seen := map[int]bool{i: true}
	for ring := []int{i}; len(ring) > 0; {
		best := -1
		var next []int
		for _, c := range ring {
			for _, n := range f.in[c] {
				e := f.Equations[n]
				for _, p := range append(slices.Clone(e.Parts), e.Total) {
					switch {
					case f.Cells[p].Withheld:
						if !seen[p] {
							seen[p] = true
							next = append(next, p)
						}
					case f.state[p] != Forced && (best < 0 || f.fitter(p, best, need)):
						best = p
					}
				}
			}
		}
		if best >= 0 {
			f.Cells[best].Withheld = true
			return best, nil
		}
		slices.Sort(next)
		ring = next
	}
	return -1, f.unsafe(i)
}

// widenFaults withholds a cell for each cell at fault, unless one that was withheld for another is next to it.
func (f *frame) widenFaults(r *audit.Report) error {
	touched := map[int]bool{}
	for _, fault := range r.Faults {
		if touched[fault.Cell] {
			continue
		}
		need := max(f.Cells[fault.Cell].Threshold+1-max(fault.High, 0), fault.Low, 1)
		added, err := f.widen(fault.Cell, need)
		if err != nil {
			return err
		}
		for _, n := range f.in[added] {
			touched[f.Equations[n].Total] = true
			for _, p := range f.Equations[n].Parts {
				touched[p] = true
			}
		}
	}
	return nil
}

func (f *frame) unsafe(i int) error {
	return &UnsafeError{f.keys[i], fmt.Sprintf("nothing more can be withheld to protect cell %s; make its columns coarser, or publish fewer cells in any case", f.keys[i])}
}

// release turns the frame into tables.
func (f *frame) release(in *Input, report *audit.Report) *Release {
	r := &Release{Audit: report, Hierarchies: in.Hierarchies}
	for i, c := range f.Cells {
		if strings.Contains(f.keys[i], " (core ") {
			continue
		}
		r.Cells++
		if c.Withheld {
			r.Withheld++
		}
	}
	for _, t := range in.Tables {
		out := published.Table{ID: t.ID, Measure: t.Measure, Columns: slices.Clone(t.Columns)}
		for _, c := range t.Counts {
			cell := published.Cell{Codes: slices.Clone(c.Codes), Value: c.Value}
			if f.Cells[f.index[published.Key(t.Measure, t.Columns, c.Codes)]].Withheld {
				cell.Value, cell.Withheld = 0, true
			}
			out.Cells = append(out.Cells, cell)
		}
		r.Tables = append(r.Tables, out)
	}
	return r
}
