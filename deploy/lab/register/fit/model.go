package fit

import (
	"retorno/deploy/lab/register/fit/exact"
	"retorno/schemas/tables"
)

// model is a selection of a problem's demands as a system of equations.
//
// Blocks restrict their populations by country and age only, so countries and ages are split into the classes that the
// restrictions tell apart, and a variable counts the returns of each pair of classes: the core. Every attribute that a
// block breaks down has a breakdown: the core is split into the classes that the block's cells tell apart, and in each
// class a variable counts the returns with each value (values that no cell tells apart being one). The breakdowns meet
// in the core only, so any solution can be dealt out to returns, attribute by attribute.
type model struct {
	*problem
	sel       selection
	solver    *exact.Solver
	takesPart []bool
	naming    [dims][]*selector
	// total counts all returns.
	total exact.Var
	core  []coreCell
	// coreOf is the core cell of each pair of classes.
	classOf   [dims][]int      // of country and age: class of each value
	members   [dims][][]uint16 // of country and age: values of each class
	breakdown map[dim]*breakdown
	reasons   []reasonClass
	assisted  []assistedClass
	exprs     map[string]exact.Var
	// counted are the numerator and base of each selected cell.
	counted map[int]counted
	// most is the most returns that there can be.
	most int64
	// populations and marginals are sums that settle works on.
	populations, marginals []marginal
	// infeasible is set when building met a plain impossibility.
	infeasible bool
}

type counted struct{ num, base exact.Var }

// coreCell is a class of countries with a class of ages.
type coreCell struct {
	country, age int // classes
	// point has one country and one age of the classes.
	point point
	count exact.Var
}

// build sets up the selection. With inside set, percentages keep off ties and a printed 0 % means none.
func (p *problem) build(sel selection, inside bool) *model {
	m := &model{
		problem: p, sel: sel, solver: exact.New(), breakdown: map[dim]*breakdown{},
		exprs: map[string]exact.Var{}, counted: map[int]counted{},
	}
	m.findRelevant()
	m.buildCore()
	for d := range dims {
		m.addBreakdown(d)
	}
	m.addReasons()
	m.addAssisted()
	m.demandReach()
	m.demandCells(inside)
	return m
}

// relevant reports whether the cell takes part in the selection, if only by its meaning: the cells of a block that must
// reach its population do.
func (m *model) relevant(i int) bool { return m.takesPart[i] }

// findRelevant notes which cells take part, and what names countries and ages: each population once, and the cells that
// restrict them further, whose exceptions name too: an OTHER counts a return of which nothing is stated, and does not count
// one that a row beside it names, whether or not that row is selected.
func (m *model) findRelevant() {
	m.takesPart = make([]bool, len(m.cells))
	for i := range m.blocks {
		b := &m.blocks[i]
		spoken := false
		for _, c := range b.cells {
			_, ok := m.sel.cells[c]
			m.takesPart[c] = ok || m.sel.reach[i]
			spoken = spoken || m.takesPart[c]
		}
		for _, d := range []dim{country, age} {
			if spoken && b.base.in[d] != nil {
				m.naming[d] = append(m.naming[d], &b.base)
			}
			for _, c := range b.cells {
				if !m.takesPart[c] {
					continue
				}
				if m.cells[c].own[d] {
					m.naming[d] = append(m.naming[d], &m.cells[c].where)
				}
				for e := range m.cells[c].where.except {
					if f := &m.cells[c].where.except[e]; f.in[d] != nil {
						m.naming[d] = append(m.naming[d], f)
					}
				}
			}
		}
	}
}

// buildCore splits countries and ages and makes the core.
func (m *model) buildCore() {
	for _, d := range []dim{country, age} {
		var sets [][]bool
		add := func(f *selector) {
			if f.in[d] != nil {
				sets = append(sets, f.in[d])
			}
		}
		for i := range m.cells {
			if !m.relevant(i) {
				continue
			}
			c := &m.cells[i]
			add(&c.base)
			if c.home != homeCore {
				add(&c.where)
				for j := range c.where.except {
					add(&c.where.except[j])
				}
			}
		}
		m.classOf[d], m.members[d] = classes(len(m.space.codes[d]), sets)
	}
	m.limit()
	var all []exact.Term
	for c, countries := range m.members[country] {
		for a, ages := range m.members[age] {
			cc := coreCell{country: c, age: a}
			cc.point[country], cc.point[age] = countries[0], ages[0]
			cc.count = m.solver.Var(0, m.most)
			if !m.nameable(country, &cc) || !m.nameable(age, &cc) {
				m.solver.Bound(cc.count, 0, 0)
			}
			m.core = append(m.core, cc)
			all = append(all, exact.Term{Var: cc.count, Coef: 1})
		}
	}
	m.total = m.sum(all)
	if m.sel.population {
		m.bound(m.total, m.least, m.least)
	}
}

// limit narrows the size of any number of returns to that of the population, where that is given.
func (m *model) limit() {
	m.most = m.problem.most
	if m.sel.population {
		m.most = min(m.most, m.least)
	}
	for i, want := range m.sel.cells {
		if c := &m.cells[i]; c.home == homeCore && c.Measure == tables.Returns && c.Where.All() {
			m.most = min(m.most, want.hi)
		}
	}
}

// covers reports whether a block that breaks down d speaks about the core cell, and none counts its unknown values.
func (m *model) covers(d dim, cc *coreCell) bool {
	covered := false
	for i := range m.blocks {
		b := &m.blocks[i]
		kind := d == country && (b.Kind == "country" || b.Kind == "country_mode") ||
			d == age && (b.Kind == "age" || b.Kind == "sex_age")
		if kind && m.blockSelected(i) && b.base.admits(country, cc.point[country]) && b.base.admits(age, cc.point[age]) {
			covered = true
			if m.countsUnknown(d, i, cc) {
				return false
			}
		}
	}
	return covered
}

func (m *model) blockSelected(i int) bool {
	for _, c := range m.blocks[i].cells {
		if m.relevant(c) {
			return true
		}
	}
	return false
}

// nameable reports whether returns of the core cell may be there: where a block breaks d down, only the values that some
// cell names, and the unknown one, may.
func (m *model) nameable(d dim, cc *coreCell) bool {
	class := m.classOf[d][cc.point[d]]
	if class == 0 || !m.covers(d, cc) {
		return true
	}
	for _, v := range m.members[d][class] {
		if m.named(d, v, cc) {
			return true
		}
	}
	return false
}

// named reports whether some cell, or the population that it is a part of, names the value for returns of the core cell.
func (m *model) named(d dim, v uint16, cc *coreCell) bool {
	p := cc.point
	p[d] = v
	for _, f := range m.naming[d] {
		if f.in[d][v] && f.admits(country, p[country]) && f.admits(age, p[age]) {
			return true
		}
	}
	return false
}

// sum gives a variable for the sum of the terms: the variable itself if there is one only, and the same for equal sums.
func (m *model) sum(terms []exact.Term) exact.Var {
	if len(terms) == 1 && terms[0].Coef == 1 {
		return terms[0].Var
	}
	key := make([]byte, 0, 8*len(terms))
	for _, t := range terms {
		key = append(key, byte(t.Var), byte(t.Var>>8), byte(t.Var>>16), byte(t.Coef))
	}
	if v, ok := m.exprs[string(key)]; ok {
		return v
	}
	v := m.solver.Sum(terms)
	m.solver.Bound(v, 0, m.most)
	m.exprs[string(key)] = v
	return v
}

func (m *model) bound(v exact.Var, lo, hi int64) {
	if !m.solver.Bound(v, lo, hi) {
		m.infeasible = true
	}
}

// coreSum is the number of returns of the core that the selector admits by country and age.
func (m *model) coreSum(f *selector) exact.Var {
	var terms []exact.Term
	for i := range m.core {
		cc := &m.core[i]
		if f.admits(country, cc.point[country]) && f.admits(age, cc.point[age]) {
			terms = append(terms, exact.Term{Var: cc.count, Coef: 1})
		}
	}
	return m.sum(terms)
}

// demandCells states what the selected cells print: counts first, because a fixed base makes a percentage simple.
func (m *model) demandCells(inside bool) {
	for i := range m.cells {
		if _, ok := m.sel.cells[i]; ok {
			m.counted[i] = counted{m.numerator(i), m.base(i)}
		}
	}
	for i := range m.cells {
		if want, ok := m.sel.cells[i]; ok && !m.cells[i].Measure.Share() {
			m.bound(m.counted[i].num, want.lo, want.hi)
		}
	}
	for i := range m.cells {
		want, ok := m.sel.cells[i]
		if !ok || !m.cells[i].Measure.Share() {
			continue
		}
		c := m.counted[i]
		if !m.solver.Share(c.num, c.base, want.lo, want.hi, m.cells[i].Decimals, inside) {
			m.infeasible = true
		}
	}
	m.tellParts()
}

// tellParts tells the solver which shares are parts of one whole.
func (m *model) tellParts() {
	for i := range m.blocks {
		b := &m.blocks[i]
		var nums []exact.Var
		var base exact.Var
		apart := b.Pct && !b.Multi && b.Kind != "assisted_people"
		for j, c := range b.cells {
			for _, other := range b.cells[:j] {
				apart = apart && disjoint(&m.cells[c].where, &m.cells[other].where)
			}
			if n, ok := m.counted[c]; ok {
				nums, base = append(nums, n.num), n.base
			}
		}
		if apart && len(nums) > 0 {
			m.solver.Parts(base, nums, m.sel.reach[i] && len(nums) == len(b.cells))
		}
	}
}

// numerator is the number that the cell counts.
func (m *model) numerator(i int) exact.Var {
	c := &m.cells[i]
	switch c.home {
	case homeReasons:
		return m.reasonSum(&c.where)
	case homeAssisted:
		return m.assistedSum(&c.where)
	case homeCore:
		for _, d := range []dim{country, age} {
			if b := m.breakdown[d]; b != nil && m.splits(d, &c.where) {
				return b.sum(m, &c.where)
			}
		}
		return m.coreSum(&c.where)
	}
	return m.breakdown[c.home].sum(m, &c.where)
}

// base is what the cell's share is of.
func (m *model) base(i int) exact.Var {
	c := &m.cells[i]
	if c.Measure == tables.ReasonPercent {
		return m.knownSum(&c.base)
	}
	return m.coreSum(&c.base)
}

// splits reports whether the selector takes only a part of some class of d.
func (m *model) splits(d dim, f *selector) bool {
	if f.in[d] == nil {
		return false
	}
	for _, values := range m.members[d] {
		for _, v := range values {
			if f.in[d][v] != f.in[d][values[0]] {
				return true
			}
		}
	}
	return false
}

// demandReach leaves no return of a complete block's population outside its cells.
func (m *model) demandReach() {
	for i := range m.blocks {
		b := &m.blocks[i]
		if !m.sel.reach[i] {
			continue
		}
		home := homeCore
		for _, c := range b.cells {
			switch h := m.cells[c].home; {
			case h < dims:
				home = h
			case h == homeCore && home == homeCore && m.splits(country, &m.cells[c].where):
				home = country
			}
		}
		in := func(p *point) bool {
			for _, c := range b.cells {
				if m.cells[c].where.matches(p) {
					return true
				}
			}
			return !b.base.admits(country, p[country]) || !b.base.admits(age, p[age])
		}
		if home == homeCore {
			for j := range m.core {
				if !in(&m.core[j].point) {
					m.bound(m.core[j].count, 0, 0)
				}
			}
			continue
		}
		m.breakdown[home].forbid(m, in)
	}
}
