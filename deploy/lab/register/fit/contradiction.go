package fit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"retorno/schemas/tables"
)

// Contradiction says why no register can satisfy a table.
type Contradiction struct {
	TableID string
	// Conflicts are sets of rows that cannot hold together. They share no row except the total.
	Conflicts []Conflict
}

func (e *Contradiction) Error() string {
	lines := []string{fmt.Sprintf("table %s contradicts itself: no register can satisfy it", e.TableID)}
	for _, c := range e.Conflicts {
		lines = append(lines, "  "+c.String())
	}
	return strings.Join(lines, "\n")
}

// Conflict is a smallest set of rows that cannot hold together: without any one of them, or when the block OTHER need
// not reach its population, the rest can.
type Conflict struct {
	// Rows are the rows, in line order.
	Rows []Row
	// Reach are the blocks that take part by having to reach their population (they name an OTHER); Population is the
	// block that takes part by being the population of a table without a total, "" when none does.
	Reach      []string
	Population string
	// By says by how much the first row of each direction is wrong: see Row.Change. It is the amount in words.
	By string
	// text explains it.
	text string
}

// Row is a printed number that takes part in a conflict.
type Row struct {
	Line                     int
	Block, Category, Printed string
	// Change is the smallest change of this one number, in units of its last printed digit, with which the set could
	// hold; 0 when none is.
	Change int64
}

func (c Conflict) String() string { return c.text }

// Blocks are the names of the blocks that take part, each once.
func (c Conflict) Blocks() []string {
	var out []string
	for _, r := range c.Rows {
		if !slices.Contains(out, r.Block) {
			out = append(out, r.Block)
		}
	}
	for _, b := range append(slices.Clone(c.Reach), c.Population) {
		if b != "" && !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// maxConflicts bounds how many conflicts are reported, maxPairs how many pairs of blocks are looked at.
const (
	maxConflicts = 8
	maxPairs     = 3000
)

// explain finds the conflicts of a table that has no solution: one after the other, each time without the rows found
// so far, the total apart.
func (p *problem) explain(budget int) error {
	e := &explainer{problem: p, budget: budget}
	out := &Contradiction{TableID: p.table.ID}
	left := p.everything()
	for len(out.Conflicts) < maxConflicts && !e.holds(left) {
		set := e.smallest(left)
		out.Conflicts = append(out.Conflicts, e.describe(set))
		before := len(left.cells) + len(left.reach)
		for i := range set.cells {
			if !e.isTotal(i) {
				delete(left.cells, i)
			}
		}
		for b := range set.reach {
			delete(left.reach, b)
		}
		if len(left.cells)+len(left.reach) < before {
			continue
		}
		for i := range set.cells {
			delete(left.cells, i)
		}
		if len(set.cells) == 0 {
			left.population = false
		}
	}
	return out
}

type explainer struct {
	*problem
	budget int
}

func (e *explainer) holds(sel selection) bool { return e.problem.holds(sel, e.budget) }

// isTotal reports whether the cell is the table's total.
func (e *explainer) isTotal(i int) bool {
	c := &e.cells[i]
	return e.blocks[c.block].Kind == "total" && e.blocks[c.block].unrestricted()
}

// smallest reduces a selection that cannot hold to a smallest one: first to few blocks, then to few rows.
func (e *explainer) smallest(sel selection) selection {
	blocks := e.blocksOf(sel)
	small, ok := e.fewBlocks(sel, blocks)
	if !ok {
		needed := reduce(blocks, func(kept []int) bool {
			return !e.holds(e.pick(sel, func(b int) bool { return slices.Contains(kept, b) }))
		})
		small = e.pick(sel, func(b int) bool { return slices.Contains(needed, b) })
	}
	return e.fewRows(small)
}

// reduce takes elements away while the rest is still contradictory, large pieces first. Of what it returns no single
// element can be taken away, since a part of what holds holds.
func reduce(list []int, contradictory func([]int) bool) []int {
	for size := (len(list) + 1) / 2; size >= 1; size /= 2 {
		for from := 0; from < len(list); {
			without := slices.Concat(list[:from], list[min(from+size, len(list)):])
			if contradictory(without) {
				list = without
			} else {
				from += size
			}
		}
	}
	return list
}

// fewBlocks looks for one or two blocks that cannot hold, by themselves or with the total.
func (e *explainer) fewBlocks(sel selection, blocks []int) (selection, bool) {
	try := func(a, b int) (selection, bool) {
		s := e.pick(sel, func(x int) bool { return x == a || x == b || e.blocks[x].Kind == "total" && e.blocks[x].unrestricted() })
		return s, !e.holds(s)
	}
	for _, a := range blocks {
		if s, ok := try(a, a); ok {
			return s, true
		}
	}
	pairs := 0
	for i, a := range blocks {
		for _, b := range blocks[i+1:] {
			if pairs++; pairs > maxPairs {
				return sel, false
			}
			if s, ok := try(a, b); ok {
				return s, true
			}
		}
	}
	return sel, false
}

// blocksOf are the blocks that take part in a selection, in table order.
func (e *explainer) blocksOf(sel selection) []int {
	var out []int
	for i := range e.blocks {
		takesPart := sel.reach[i]
		for _, c := range e.blocks[i].cells {
			_, ok := sel.cells[c]
			takesPart = takesPart || ok
		}
		if takesPart {
			out = append(out, i)
		}
	}
	return out
}

// pick leaves the blocks of a selection that keep says, and the rule about the population.
func (e *explainer) pick(sel selection, keep func(block int) bool) selection {
	out := selection{cells: map[int]demand{}, reach: map[int]bool{}, population: sel.population}
	for i, want := range sel.cells {
		if keep(e.cells[i].block) {
			out.cells[i] = want
		}
	}
	for b := range sel.reach {
		if keep(b) {
			out.reach[b] = true
		}
	}
	return out
}

// fewRows takes away one demand after the other that is not needed for the contradiction: the rule about the
// population, the total, what blocks must reach, then the rows.
func (e *explainer) fewRows(sel selection) selection {
	if sel.population {
		sel.population = false
		if e.holds(sel) {
			sel.population = true
		}
	}
	for b := range e.blocks {
		if sel.reach[b] {
			delete(sel.reach, b)
			if e.holds(sel) {
				sel.reach[b] = true
			}
		}
	}
	for _, total := range []bool{true, false} {
		var rows []int
		kept := selection{cells: map[int]demand{}, reach: sel.reach, population: sel.population}
		for i := range e.cells {
			if want, ok := sel.cells[i]; ok && e.isTotal(i) == total {
				rows = append(rows, i)
			} else if ok {
				kept.cells[i] = want
			}
		}
		only := func(rows []int) selection {
			out := kept
			out.cells = maps.Clone(kept.cells)
			for _, i := range rows {
				out.cells[i] = sel.cells[i]
			}
			return out
		}
		sel = only(reduce(rows, func(rows []int) bool { return !e.holds(only(rows)) }))
	}
	return sel
}

// with is the selection with another demand on one cell.
func (s selection) with(i int, want demand) selection {
	out := s
	out.cells = maps.Clone(s.cells)
	out.cells[i] = want
	return out
}

// change is the smallest change of one cell's number with which the set holds: negative when the number is too large.
// 0 when no change helps. The change of a neighbouring row is tried first: it is mostly the same.
func (e *explainer) change(set selection, i int, guess int64) int64 {
	units := e.cells[i].Units
	most := e.most
	if e.cells[i].Measure.Share() {
		most = 100
		for range e.cells[i].Decimals {
			most *= 10
		}
	}
	down := e.firstHolding(units, max(-guess, 0), func(d int64) bool { return e.holds(set.with(i, demand{units - d, units})) })
	up := e.firstHolding(most-units, max(guess, 0), func(d int64) bool { return e.holds(set.with(i, demand{units, units + d})) })
	switch {
	case down > 0 && (up == 0 || down <= up):
		return -down
	default:
		return up
	}
}

// firstHolding is the smallest d from 1 to most for which ok holds, ok being monotone; 0 when there is none. It looks
// at guess first.
func (e *explainer) firstHolding(most, guess int64, ok func(int64) bool) int64 {
	if most < 1 || !ok(most) {
		return 0
	}
	lo, hi := int64(0), most // not ok at lo, ok at hi
	if guess > 1 && guess < most {
		if !ok(guess - 1) {
			lo = guess - 1
			if ok(guess) {
				return guess
			}
		} else {
			hi = guess - 1
		}
	}
	for step := int64(1); lo+step < hi; step *= 8 {
		if ok(lo + step) {
			hi = lo + step
			break
		}
		lo += step
	}
	for hi-lo > 1 {
		if mid := lo + (hi-lo)/2; ok(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// describe puts a smallest set into words.
func (e *explainer) describe(set selection) Conflict {
	var c Conflict
	w := &wording{explainer: e, set: set}
	var change int64
	for i := range e.cells {
		if _, ok := set.cells[i]; !ok {
			continue
		}
		change = e.change(set, i, change)
		cell := &e.cells[i]
		c.Rows = append(c.Rows, Row{Line: cell.Line, Block: cell.Block, Category: cell.Category, Printed: cell.Printed, Change: change})
		switch {
		case change < 0:
			w.large = append(w.large, i)
			w.by = smaller(w.by, -change)
		case change > 0:
			w.small = append(w.small, i)
			w.by = smaller(w.by, change)
		default:
			w.fixed = append(w.fixed, i)
		}
	}
	slices.SortFunc(c.Rows, func(a, b Row) int { return a.Line - b.Line })
	for i := range e.blocks {
		if set.reach[i] {
			c.Reach = append(c.Reach, e.blocks[i].Name)
		}
	}
	if set.population {
		c.Population = e.blocks[e.largest].Name
	}
	c.text, c.By = w.text()
	return c
}

func smaller(a, b int64) int64 {
	if a == 0 || b < a {
		return b
	}
	return a
}

// countOf is what a row counts as in a sum: its number, when it is a count.
func (e *explainer) countOf(rows []int) (sum int64, counts bool) {
	for _, i := range rows {
		if e.cells[i].Measure != tables.Returns && e.cells[i].Measure != tables.AssistedPeople {
			return 0, false
		}
		sum += e.cells[i].Units
	}
	return sum, true
}
