// Package fit makes the population of a published table: one return for each return that the table counts, with
// attributes such that every printed number holds at once, counts to the unit and percentages to the printed decimal.
//
// It promises: counting the population gives the table back (tables.Tally); the same table, seed and settings give
// the same returns in the same order, and the seed changes what the table leaves open, never whether it can be met.
// Where a block's cells are fewer than its population, the rest is not stated (the unknown code). What no block speaks
// about is drawn from Settings, and made plausible where it is free: returns from the United States arrive by air, at
// an airport, at a centre that receives flights.
// It never bends a number: a table that no register can satisfy is refused.
// On failure: *Contradiction names sets of rows that cannot hold together, each as small as can be, and by how much;
// ErrNoCounts and *TooLargeError are about tables from which no register can be made at all; an error that wraps
// exact.ErrUndecided says that the search for whole numbers was given up.
package fit

import (
	"errors"
	"fmt"

	"retorno/schemas/tables"
)

// ErrNoCounts is returned for a table that prints percentages only: it does not say how many returns there are.
var ErrNoCounts = errors.New("the table prints no count, so nothing says how many returns there are: a register needs one, such as a row total,TOTAL")

// TooLargeError is returned for a table with more returns than a register may have.
type TooLargeError struct {
	Line        int
	Value, Most int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("line %d states %s returns, and a register of at most %s is made", e.Line, grouped(e.Value), grouped(e.Most))
}

// maxMonths bounds the period of a table: a register of more than a century is a misprint.
const maxMonths = 1200

// Fit makes the population of a table with the default settings.
func Fit(t *tables.Table, seed uint64) (*Population, error) {
	return With(t, seed, DefaultSettings())
}

// With makes the population of a table. Errors: those of the package comment, and what Settings.Validate says.
func With(t *tables.Table, seed uint64, set Settings) (*Population, error) {
	if err := set.Validate(); err != nil {
		return nil, err
	}
	p, err := check(t, &set)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.ID, err)
	}
	m, err := p.solve(set.SearchBudget)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.ID, err)
	}
	if m == nil {
		return nil, p.explain(set.SearchBudget)
	}
	x := newMix(p, &set)
	m.settle(x, &set)
	return m.expand(x, &set, seed), nil
}

// check refuses what no search can help.
func check(t *tables.Table, set *Settings) (*problem, error) {
	if n := int(t.Last-t.First)/28 + 1; n > maxMonths {
		return nil, fmt.Errorf("its period, %s to %s, is longer than a century", t.First, t.Last)
	}
	counts := false
	for _, c := range t.Cells() {
		if c.Measure.Share() {
			continue
		}
		counts = true
		if c.Units > set.MostReturns {
			return nil, &TooLargeError{Line: c.Line, Value: c.Units, Most: set.MostReturns}
		}
	}
	if !counts {
		return nil, ErrNoCounts
	}
	return newProblem(t, set.MostReturns), nil
}

// solve finds a solution of everything the table demands: first one that keeps percentages off ties, so that every
// way of rounding prints the same, else any. It returns nil without an error when there is none.
func (p *problem) solve(budget int) (*model, error) {
	for _, inside := range []bool{true, false} {
		m := p.build(p.everything(), inside)
		if m.infeasible {
			continue
		}
		m.addMarginals()
		nodes := budget
		if inside {
			nodes = budget/10 + 1 // a tie is no harm: it is not worth a long search to avoid one
		}
		found, err := m.solver.Find(nodes)
		if err != nil && !inside {
			return nil, fmt.Errorf("%w: neither a register nor a contradiction was found", err)
		}
		if found {
			return m, nil
		}
	}
	return nil, nil
}

// holds reports whether a selection of the demands can hold. What cannot be decided is taken as possible: a
// contradiction is claimed only where it is certain.
func (p *problem) holds(sel selection, budget int) bool {
	m := p.build(sel, false)
	if m.infeasible {
		return false
	}
	found, err := m.solver.Find(budget)
	return found || err != nil
}

// Population is the returns that a table counts. It does not change and may be shared.
type Population struct {
	space    *space
	values   [dims][]uint16
	reasons  []uint8
	assisted []bool
	open     map[string]bool
}

// Len is the number of returns.
func (p *Population) Len() int { return len(p.assisted) }

// At returns the attributes of the i-th return. Unknown codes are left empty.
func (p *Population) At(i int) tables.Attributes {
	code := func(d dim) string {
		if p.values[d][i] == 0 {
			return ""
		}
		return p.space.codes[d][p.values[d][i]]
	}
	a := tables.Attributes{
		Country: code(country), Mode: code(mode), ReturnType: code(returnType), EntryPoint: code(entryPoint),
		ExitPoint: code(exitPoint), Centre: code(centre), Department: code(department), Sex: code(sex),
		Accompaniment: code(accompaniment), Month: code(month), Age: int(p.values[age][i]) - 1,
	}
	for r, name := range p.space.reasons {
		if p.reasons[i]&(1<<r) != 0 {
			a.Reasons = append(a.Reasons, name)
		}
	}
	return a
}

// Assisted reports whether the i-th return is the one under which a helped person is counted. No two of these returns are
// of the same person, and the people of the other returns, unless they are among these too, were not helped.
func (p *Population) Assisted(i int) bool { return p.assisted[i] }

// Open reports whether no block of the table speaks about an attribute, so that every value of it was drawn from the
// settings and may be drawn again. Attributes: country, mode, return_type, entry_point, exit_point, centre, department,
// sex, age, accompaniment, month, reasons, assisted.
func (p *Population) Open(attribute string) bool { return p.open[attribute] }
