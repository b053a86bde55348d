package fit

import "retorno/deploy/lab/register/fit/exact"

// breakdown is the attribute d in the system: a variable for each class of the core and each group of values.
type breakdown struct {
	d       dim
	classes []class
	// groupOf is the group of each value, groups the values of each; group 0 is the unknown value alone.
	groupOf []int
	groups  [][]uint16
}

// class is a set of core cells that the cells of a breakdown do not tell apart.
type class struct {
	core []int
	// covered says that a block breaks the class down: what it does not state is unknown.
	covered bool
	// counts are the variables of the groups; absent ones cannot be.
	counts  []exact.Var
	present []bool
	size    exact.Var
}

// addBreakdown makes the breakdown of d, if a selected cell needs one.
func (m *model) addBreakdown(d dim) {
	var cells []int
	var sets [][]bool
	for i := range m.cells {
		c := &m.cells[i]
		fine := (d == country || d == age) && c.home == homeCore && m.splits(d, &c.where)
		if !m.relevant(i) || c.home != d && !fine {
			continue
		}
		cells = append(cells, i)
		if c.where.in[d] != nil {
			sets = append(sets, c.where.in[d])
		}
		for j := range c.where.except {
			sets = append(sets, c.where.except[j].in[d])
		}
	}
	if len(cells) == 0 {
		return
	}
	if d == country || d == age {
		// The groups refine the classes of the core.
		for _, values := range m.members[d] {
			set := make([]bool, len(m.space.codes[d]))
			for _, v := range values {
				set[v] = true
			}
			sets = append(sets, set)
		}
	}
	b := &breakdown{d: d}
	b.groupOf, b.groups = classes(len(m.space.codes[d]), sets)
	m.breakdown[d] = b
	b.classes = m.split(d, cells)
	for i := range b.classes {
		m.addClass(b, &b.classes[i], cells)
	}
}

// split sorts the core cells into the classes that the cells of a breakdown tell apart. Core cells that no block
// speaks about are in none: there the table leaves the attribute free.
func (m *model) split(d dim, cells []int) []class {
	byKey := map[string]int{}
	var out []class
	for j := range m.core {
		cc := &m.core[j]
		key := []byte{}
		mark := func(f *selector) bool {
			hit := (d == country || f.admits(country, cc.point[country])) && (d == age || f.admits(age, cc.point[age]))
			key = append(key, '0')
			if hit {
				key[len(key)-1] = '1'
			}
			return hit
		}
		spoken, covered, open := false, false, false
		for _, i := range cells {
			c := &m.cells[i]
			spoken = mark(&c.where) || spoken
			for e := range c.where.except {
				mark(&c.where.except[e])
			}
			mark(&c.base)
			if m.sel.reach[c.block] {
				for _, j := range m.blocks[c.block].cells {
					mark(&m.cells[j].where)
				}
			}
			covered = m.coveredBy(d, c.block, cc) || covered
			open = m.countsUnknown(d, c.block, cc) || open
		}
		if !spoken && !covered && !open {
			continue
		}
		covered = covered && !open
		key = append(key, '0')
		if covered {
			key[len(key)-1] = '1'
		}
		switch d {
		case country:
			key = append(key, byte(cc.country), byte(cc.country>>8))
		case age:
			key = append(key, byte(cc.age), byte(cc.age>>8))
		}
		k, ok := byKey[string(key)]
		if !ok {
			k = len(out)
			byKey[string(key)] = k
			out = append(out, class{covered: covered})
		}
		out[k].core = append(out[k].core, j)
	}
	return out
}

// coveredBy reports whether the block breaks the core cell down by d: the cell is in the block's population, and not in
// one of its categories that leave d open (minors beside men and women say nothing about sex).
func (m *model) coveredBy(d dim, block int, cc *coreCell) bool {
	b := &m.blocks[block]
	if b.Kind == "minors" || b.Kind == "adults" || b.Kind == "total" {
		return false
	}
	if !b.base.admits(country, cc.point[country]) || !b.base.admits(age, cc.point[age]) {
		return false
	}
	if d == country || d == age {
		return true
	}
	for _, i := range b.cells {
		w := &m.cells[i].where
		if m.relevant(i) && w.in[d] == nil && len(w.except) == 0 && w.admits(country, cc.point[country]) && w.admits(age, cc.point[age]) {
			return false
		}
	}
	return true
}

// countsUnknown reports whether the block prints, for the core cell's population, how many returns have an unknown value.
// Its rest is then stated, with values that it does not name.
func (m *model) countsUnknown(d dim, block int, cc *coreCell) bool {
	b := &m.blocks[block]
	if !b.base.admits(country, cc.point[country]) || !b.base.admits(age, cc.point[age]) {
		return false
	}
	for _, i := range b.cells {
		if w := &m.cells[i].where; m.relevant(i) && w.in[d] != nil && w.in[d][0] {
			return true
		}
	}
	return false
}

// addClass makes the variables of a class and ties them to the core.
func (m *model) addClass(b *breakdown, k *class, cells []int) {
	var core, parts []exact.Term
	for _, j := range k.core {
		core = append(core, exact.Term{Var: m.core[j].count, Coef: 1})
	}
	k.size = m.sum(core)
	k.counts = make([]exact.Var, len(b.groups))
	k.present = make([]bool, len(b.groups))
	for g := range b.groups {
		if k.present[g] = m.possible(b, k, g, cells); k.present[g] {
			k.counts[g] = m.solver.Var(0, m.most)
			parts = append(parts, exact.Term{Var: k.counts[g], Coef: 1})
		}
	}
	for _, t := range core {
		parts = append(parts, exact.Term{Var: t.Var, Coef: -1})
	}
	m.bound(m.solver.Sum(parts), 0, 0)
}

// possible reports whether returns of the class may have a value of the group.
func (m *model) possible(b *breakdown, k *class, g int, cells []int) bool {
	first := b.groups[g][0]
	switch b.d {
	case month:
		return g != 0 && !m.space.outside[first]
	case country, age:
		// Groups lie within one class of the core.
		if m.classOf[b.d][first] != m.classOf[b.d][m.core[k.core[0]].point[b.d]] {
			return false
		}
	}
	if g == 0 || !k.covered {
		return true
	}
	if b.d == country || b.d == age {
		for _, j := range k.core {
			if m.named(b.d, first, &m.core[j]) {
				return true
			}
		}
		return false
	}
	p := m.core[k.core[0]].point
	p[b.d] = first
	for _, i := range cells {
		if c := &m.cells[i]; c.where.in[b.d] != nil && c.where.matches(&p) {
			return true
		}
		if c := &m.cells[i]; len(c.where.except) > 0 && (c.where.matches(&p) || c.where.excepts(&p)) {
			return true
		}
	}
	return false
}

// points calls f with each variable and a point of its class and group.
func (b *breakdown) points(m *model, f func(p *point, v exact.Var)) {
	for i := range b.classes {
		k := &b.classes[i]
		p := m.core[k.core[0]].point
		for g := range b.groups {
			if k.present[g] {
				p[b.d] = b.groups[g][0]
				f(&p, k.counts[g])
			}
		}
	}
}

// sum counts the returns that the selector of one of the breakdown's cells selects.
func (b *breakdown) sum(m *model, f *selector) exact.Var {
	var terms []exact.Term
	b.points(m, func(p *point, v exact.Var) {
		if f.matches(p) {
			terms = append(terms, exact.Term{Var: v, Coef: 1})
		}
	})
	return m.sum(terms)
}

// forbid leaves no return at the points outside.
func (b *breakdown) forbid(m *model, in func(*point) bool) {
	b.points(m, func(p *point, v exact.Var) {
		if !in(p) {
			m.bound(v, 0, 0)
		}
	})
}
