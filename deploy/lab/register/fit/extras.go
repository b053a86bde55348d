package fit

import "retorno/deploy/lab/register/fit/exact"

// reasonClass is a class of the core in which the reasons for leaving are counted. Several answers each: a return
// whose reasons are known has at least one.
type reasonClass struct {
	core []int
	size exact.Var
	// known counts the returns whose reasons are known.
	known exact.Var
	// counts are the returns with each reason that a cell names here; unnamed those with any of the others.
	counts  map[int]exact.Var
	unnamed exact.Var
	open    []int // the reasons that no cell names here
}

// assistedClass is a class of the core in which helped people are counted.
type assistedClass struct {
	core        []int
	size, count exact.Var
}

// coreClasses sorts the core into the classes that the cells of a home tell apart, leaving out what none speaks about.
func (m *model) coreClasses(home dim) [][]int {
	byKey := map[string]int{}
	var out [][]int
	for j := range m.core {
		cc := &m.core[j]
		var key []byte
		spoken := false
		for i := range m.cells {
			c := &m.cells[i]
			if c.home != home || !m.relevant(i) {
				continue
			}
			for _, f := range []*selector{&c.where, &c.base} {
				hit := f.admits(country, cc.point[country]) && f.admits(age, cc.point[age])
				key = append(key, '0')
				if hit {
					key[len(key)-1] = '1'
					spoken = true
				}
			}
		}
		if !spoken {
			continue
		}
		k, ok := byKey[string(key)]
		if !ok {
			k = len(out)
			byKey[string(key)] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], j)
	}
	return out
}

func (m *model) sizeOf(core []int) exact.Var {
	var terms []exact.Term
	for _, j := range core {
		terms = append(terms, exact.Term{Var: m.core[j].count, Coef: 1})
	}
	return m.sum(terms)
}

// atMost demands part <= whole.
func (m *model) atMost(part, whole exact.Var) {
	m.bound(m.solver.Sum([]exact.Term{{Var: whole, Coef: 1}, {Var: part, Coef: -1}}), 0, m.most)
}

func (m *model) addReasons() {
	for _, core := range m.coreClasses(homeReasons) {
		k := reasonClass{core: core, size: m.sizeOf(core), counts: map[int]exact.Var{}}
		k.known = m.solver.Var(0, m.most)
		m.atMost(k.known, k.size)
		p := &m.core[core[0]].point
		for r := range m.space.reasons {
			named := false
			for i := range m.cells {
				c := &m.cells[i]
				named = named || m.relevant(i) && c.home == homeReasons && c.where.reason == r && c.where.matches(p)
			}
			if named {
				k.counts[r] = m.solver.Var(0, m.most)
			} else {
				k.open = append(k.open, r)
			}
		}
		answers := []exact.Term{{Var: k.known, Coef: -1}}
		for r := range m.space.reasons {
			if v, ok := k.counts[r]; ok {
				m.atMost(v, k.known)
				answers = append(answers, exact.Term{Var: v, Coef: 1})
			}
		}
		if len(k.open) > 0 {
			k.unnamed = m.solver.Var(0, m.most)
			m.atMost(k.unnamed, k.known)
			answers = append(answers, exact.Term{Var: k.unnamed, Coef: 1})
		}
		m.bound(m.solver.Sum(answers), 0, int64(len(m.space.reasons))*m.most)
		m.reasons = append(m.reasons, k)
	}
}

func (m *model) addAssisted() {
	for _, core := range m.coreClasses(homeAssisted) {
		k := assistedClass{core: core, size: m.sizeOf(core), count: m.solver.Var(0, m.most)}
		m.atMost(k.count, k.size)
		m.assisted = append(m.assisted, k)
	}
}

// in reports whether the selector admits the core cells of a class, which it does not tell apart.
func (m *model) in(f *selector, core []int) bool {
	p := &m.core[core[0]].point
	return f.admits(country, p[country]) && f.admits(age, p[age])
}

func (m *model) reasonSum(f *selector) exact.Var {
	var terms []exact.Term
	for i := range m.reasons {
		k := &m.reasons[i]
		if v, ok := k.counts[f.reason]; ok && m.in(f, k.core) {
			terms = append(terms, exact.Term{Var: v, Coef: 1})
		}
	}
	return m.sum(terms)
}

// knownSum counts the returns with known reasons in a population.
func (m *model) knownSum(f *selector) exact.Var {
	var terms []exact.Term
	for i := range m.reasons {
		if k := &m.reasons[i]; m.in(f, k.core) {
			terms = append(terms, exact.Term{Var: k.known, Coef: 1})
		}
	}
	return m.sum(terms)
}

func (m *model) assistedSum(f *selector) exact.Var {
	var terms []exact.Term
	for i := range m.assisted {
		if k := &m.assisted[i]; m.in(f, k.core) {
			terms = append(terms, exact.Term{Var: k.count, Coef: 1})
		}
	}
	return m.sum(terms)
}
