package fit

import (
	"slices"

	"retorno/schemas/tables"
)

// problem is a table in the words of the fit: its cells with selectors over points.
type problem struct {
	table  *tables.Table
	space  *space
	cells  []cell
	blocks []block
	// least is the size of the largest block, largest its index. ruled says that it is the population, by the rule for
	// tables without a total.
	least   int64
	largest int
	ruled   bool
	// most is the largest register that is made.
	most int64
}

type block struct {
	*tables.Block
	base  selector
	cells []int
}

type cell struct {
	*tables.Cell
	block       int
	where, base selector
	// home is the dim whose breakdown the cell is: a dim, or one of the following.
	home dim
	// own says of country and age whether the cell itself restricts them, not only its block's population.
	own [dims]bool
}

// Homes of cells beside the dims.
const (
	// homeCore is that of cells that restrict country and age only.
	homeCore dim = dims + iota
	homeReasons
	homeAssisted
)

func newProblem(t *tables.Table, most int64) *problem {
	p := &problem{table: t, space: newSpace(t), most: most}
	for i := range t.Blocks {
		b := block{Block: &t.Blocks[i], base: p.space.selector(&t.Blocks[i].Base)}
		for j := range b.Block.Cells {
			c := cell{Cell: &b.Block.Cells[j], block: i}
			c.where, c.base = p.space.selector(&c.Where), p.space.selector(&c.Cell.Base)
			c.home = homeOf(&c)
			for _, d := range []dim{country, age} {
				c.own[d] = c.where.in[d] != nil && (c.base.in[d] == nil || !slices.Equal(c.where.in[d], c.base.in[d]))
			}
			b.cells = append(b.cells, len(p.cells))
			p.cells = append(p.cells, c)
		}
		p.blocks = append(p.blocks, b)
	}
	p.findPopulation()
	return p
}

func homeOf(c *cell) dim {
	switch {
	case c.Measure.Assisted():
		return homeAssisted
	case c.Measure == tables.ReasonPercent:
		return homeReasons
	case len(c.where.except) > 0:
		return mode
	}
	for d := range dims {
		if d != country && d != age && c.where.in[d] != nil {
			return d
		}
	}
	return homeCore
}

// unrestricted reports whether the block speaks about the whole population of the table.
func (b *block) unrestricted() bool {
	return b.Base.All() && b.Kind != "minors" && b.Kind != "adults"
}

// hasTotal reports whether the table prints how many returns it is about.
func (p *problem) hasTotal() bool {
	for i := range p.blocks {
		if b := &p.blocks[i]; b.Kind == "total" && !b.Pct && b.unrestricted() {
			return true
		}
	}
	return false
}

// findPopulation applies the rule for tables without a total: the largest block is the population. When the largest
// block speaks about a part only (US_sex, minors), the population is the smallest that holds all blocks.
func (p *problem) findPopulation() {
	p.largest = -1
	for i := range p.blocks {
		b := &p.blocks[i]
		size := p.blockSum(b)
		if b.Pct || p.largest >= 0 && size < p.least {
			continue
		}
		if p.largest >= 0 && size == p.least && !b.unrestricted() {
			continue
		}
		p.largest, p.least = i, size
	}
	p.ruled = p.largest >= 0 && !p.hasTotal() && p.blocks[p.largest].unrestricted()
}

// blockSum is the number of returns that the cells of a counting block state: their sum, where cells that overlap with
// larger ones count once (minors beside boys and girls).
func (p *problem) blockSum(b *block) int64 {
	if b.Pct {
		return 0
	}
	order := append([]int(nil), b.cells...)
	for i := 1; i < len(order); i++ { // insertion sort, largest first
		for j := i; j > 0 && p.cells[order[j]].Units > p.cells[order[j-1]].Units; j-- {
			order[j], order[j-1] = order[j-1], order[j]
		}
	}
	var sum int64
	var taken []int
	for _, i := range order {
		apart := true
		for _, j := range taken {
			apart = apart && disjoint(&p.cells[i].where, &p.cells[j].where)
		}
		if apart {
			taken = append(taken, i)
			sum += p.cells[i].Units
		}
	}
	return sum
}

// disjoint reports whether no point is selected by both. It may say false where it does not know.
func disjoint(f, g *selector) bool {
	for d := range dims {
		if f.in[d] == nil || g.in[d] == nil {
			continue
		}
		common := false
		for v := range f.in[d] {
			common = common || f.in[d][v] && g.in[d][v]
		}
		if !common {
			return true
		}
	}
	// The OTHER of a block excepts the cells beside it.
	for i := range f.except {
		if contains(&f.except[i], g) {
			return true
		}
	}
	for i := range g.except {
		if contains(&g.except[i], f) {
			return true
		}
	}
	return false
}

// contains reports whether outer selects whatever inner selects; outer has no exceptions.
func contains(outer, inner *selector) bool {
	for d := range dims {
		if outer.in[d] == nil {
			continue
		}
		if inner.in[d] == nil {
			return false
		}
		for v, ok := range inner.in[d] {
			if ok && !outer.in[d][v] {
				return false
			}
		}
	}
	return true
}

// selection is a part of the demands of a table: which cells hold with what range of printed values, which blocks with
// an OTHER must reach their population, and whether the rule about the population without a total applies.
type selection struct {
	cells      map[int]demand
	reach      map[int]bool
	population bool
}

// demand is the range of units that a cell may be counted as: its own number, except while asking by how much a
// contradiction goes wrong.
type demand struct{ lo, hi int64 }

func (p *problem) everything() selection {
	s := selection{cells: map[int]demand{}, reach: map[int]bool{}, population: p.ruled}
	for i := range p.cells {
		s.cells[i] = demand{p.cells[i].Units, p.cells[i].Units}
	}
	for i := range p.blocks {
		if p.blocks[i].Complete {
			s.reach[i] = true
		}
	}
	return s
}
