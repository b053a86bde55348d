package fit

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"
	"retorno/schemas/tables"
)

// TestEveryTrueTableIsMet: whatever was counted from some population can be made into a population that counts alike.
func TestEveryTrueTableIsMet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawTruth(t, 12, 60)
		table := drawTable(t, u, 9)
		p, err := Fit(table, rapid.Uint64().Draw(t, "seed"))
		if err != nil {
			t.Fatalf("%v\nof\n%s", err, text(table))
		}
		for _, d := range count(table, p).Differences() {
			t.Errorf("line %d: %s %s is %s, printed %s", d.Cell.Line, d.Cell.Block, d.Cell.Category, d.Counted, d.Cell.Printed)
		}
		got := &truth{}
		for i := range p.Len() {
			got.returns = append(got.returns, p.At(i))
		}
		for i := range table.Blocks {
			if b := &table.Blocks[i]; b.Complete && !reaches(b, got) {
				t.Errorf("%s does not reach its population", b.Name)
			}
		}
		for _, a := range got.returns {
			if m := a.Month; m < "2019-11" || m > "2020-02" {
				t.Fatalf("a return in month %q", m)
			}
		}
		if t.Failed() {
			t.Logf("table:\n%s", text(table))
		}
	})
}

// TestNamedSetsAreSmallestContradictions: a table with one number spoiled is refused, what is named cannot hold, and
// holds without any one part of it. That a part holds is shown by making its population and counting it.
func TestNamedSetsAreSmallestContradictions(t *testing.T) {
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		u := drawTruth(t, 8, 40)
		table := drawTable(t, u, 7)
		cells := table.Cells()
		spoiled := rapid.SampledFrom(cells).Draw(t, "spoiled")
		certain := false
		if spoiled.Measure == tables.Returns && rapid.Bool().Draw(t, "beyond everything") && table.Blocks[0].Name == "total" && spoiled.Block != "total" {
			spoiled.Units = int64(len(u.returns)) + 1 + rapid.Int64Range(0, 1000).Draw(t, "more")
			certain = true
		} else {
			spoiled.Units = max(0, spoiled.Units+rapid.Int64Range(-9, 9).Draw(t, "changed"))
		}
		spoiled.Printed = percent(spoiled.Units, spoiled.Decimals)
		p, err := Fit(table, 1)
		var contradiction *Contradiction
		switch {
		case err == nil && certain:
			t.Fatalf("line %d is larger than the population and was met", spoiled.Line)
		case err == nil:
			if d := count(table, p).Differences(); len(d) > 0 {
				t.Fatalf("line %d is %s, printed %s in\n%s", d[0].Cell.Line, d[0].Counted, d[0].Cell.Printed, text(table))
			}
			return
		case !errors.As(err, &contradiction):
			t.Logf("spoiled line %d of\n%s", spoiled.Line, text(table))
			t.Fatal(err)
		}
		refused++
		for _, c := range contradiction.Conflicts {
			// The truth satisfies every row but the spoiled one.
			if c.Population == "" && !slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Line == spoiled.Line }) {
				t.Errorf("line %d is spoiled, and not in: %s\nof\n%s", spoiled.Line, c, text(table))
			}
		}
		checkConflicts(t, table, contradiction)
	})
	t.Logf("%d refused", refused)
	if refused == 0 {
		t.Error("no table was refused")
	}
}

func checkConflicts(t *rapid.T, table *tables.Table, e *Contradiction) {
	set := DefaultSettings()
	p := newProblem(table, set.MostReturns)
	used := map[int]bool{}
	if len(e.Conflicts) == 0 {
		t.Fatal("a contradiction without a conflict")
	}
	for _, c := range e.Conflicts {
		sel := selection{cells: map[int]demand{}, reach: map[int]bool{}, population: c.Population != ""}
		for _, r := range c.Rows {
			for i := range p.cells {
				if p.cells[i].Line == r.Line {
					sel.cells[i] = demand{p.cells[i].Units, p.cells[i].Units}
				}
			}
			if used[r.Line] && r.Block != "total" {
				t.Errorf("line %d is in two conflicts", r.Line)
			}
			used[r.Line] = true
		}
		for i := range p.blocks {
			for _, name := range c.Reach {
				if p.blocks[i].Name == name {
					sel.reach[i] = true
				}
			}
		}
		if len(sel.cells)+len(sel.reach) == 0 || c.String() == "" || c.By == "" {
			t.Fatalf("an empty conflict: %+v", c)
		}
		if made := make1(p, sel); made != nil {
			t.Fatalf("can hold: %s\nof\n%s", c, text(table))
		}
		for i := range sel.cells {
			rest := sel.with(i, demand{})
			delete(rest.cells, i)
			mustHold(t, table, p, rest, c)
		}
		for i := range sel.reach {
			rest := sel
			rest.reach = map[int]bool{}
			for j := range sel.reach {
				if j != i {
					rest.reach[j] = true
				}
			}
			mustHold(t, table, p, rest, c)
		}
		if sel.population {
			rest := sel
			rest.population = false
			mustHold(t, table, p, rest, c)
		}
		for _, r := range c.Rows {
			checkChange(t, p, sel, r)
		}
	}
}

// make1 makes the population of a selection, nil when there is none.
func make1(p *problem, sel selection) *Population {
	set := DefaultSettings()
	m := p.build(sel, false)
	if m.infeasible {
		return nil
	}
	m.addMarginals()
	if found, err := m.solver.Find(set.SearchBudget); !found || err != nil {
		return nil
	}
	x := newMix(p, &set)
	// A restless population may be as large as registers go: it is made small, by the same means as in a fit.
	m.pull(m.total, 0)
	return m.expand(x, &set, 1)
}

func mustHold(t *rapid.T, table *tables.Table, p *problem, sel selection, c Conflict) {
	made := make1(p, sel)
	if made == nil {
		t.Fatalf("not smallest: %s\nof\n%s", c, text(table))
	}
	tally := tables.NewTally(table)
	got := &truth{}
	for i := range made.Len() {
		a := made.At(i)
		tally.Add(&a, made.Assisted(i))
		got.returns = append(got.returns, a)
	}
	for i, cell := range table.Cells() {
		n, base := tally.Count(i)
		for j := range sel.cells {
			if p.cells[j].Line == cell.Line && !tables.Agrees(cell, n, base) {
				t.Fatalf("line %d: %d of %d, printed %s, in a part of %s", cell.Line, n, base, cell.Printed, c)
			}
		}
	}
	for i := range sel.reach {
		if !reaches(p.blocks[i].Block, got) {
			t.Fatalf("%s does not reach its population in a part of %s", p.blocks[i].Name, c)
		}
	}
}

// checkChange checks that a row's smallest change mends the set and one unit less does not.
func checkChange(t *rapid.T, p *problem, sel selection, r Row) {
	if r.Change == 0 {
		return
	}
	for i := range p.cells {
		if p.cells[i].Line != r.Line {
			continue
		}
		units := p.cells[i].Units
		within := func(d int64) demand { return demand{min(units, units+d), max(units, units+d)} }
		if !p.holds(sel.with(i, within(r.Change)), 20000) {
			t.Fatalf("line %d changed by %d does not mend the set", r.Line, r.Change)
		}
		less := r.Change - 1
		if r.Change < 0 {
			less = r.Change + 1
		}
		if p.holds(sel.with(i, within(less)), 20000) {
			t.Fatalf("line %d changed by %d would do", r.Line, less)
		}
	}
}
