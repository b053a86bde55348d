package fit

import (
	"math"
	"slices"

	"retorno/deploy/lab/register/fit/exact"
)

// pullBudget bounds the search after each step of settling; beyond it the step is not taken.
const pullBudget = 200

// marginal is a number of returns that is settled before its parts.
type marginal struct {
	v    exact.Var
	core []int
	// d and class are set for the marginal of a class of countries or ages; size for a restricted block's population.
	d     dim
	class int
	size  int64
	weak  bool
}

// addMarginals prepares the sums that settle works on; the system must not grow once it has been asked.
func (m *model) addMarginals() {
	bySize := map[exact.Var]int{}
	for i := range m.blocks {
		b := &m.blocks[i]
		if b.Base.All() || b.Pct || !m.blockSelected(i) {
			continue
		}
		v, size := m.coreSum(&b.base), m.blockSum(b)
		if k, ok := bySize[v]; ok {
			m.populations[k].size = max(m.populations[k].size, size)
			continue
		}
		bySize[v] = len(m.populations)
		m.populations = append(m.populations, marginal{v: v, size: size})
	}
	for _, d := range []dim{country, age} {
		for class := range m.members[d] {
			mg := marginal{d: d, class: class}
			for j := range m.core {
				if m.classOf[d][m.core[j].point[d]] == class {
					mg.core = append(mg.core, j)
				}
			}
			mg.v = m.sizeOf(mg.core)
			mg.weak = class != 0 && m.weak(d, m.members[d][class], mg.core)
			m.marginals = append(m.marginals, mg)
		}
	}
}

// weak reports whether values are there only because a restriction needs them: a block breaks d down and none of its
// cells names them. There are to be as few of them as can be.
func (m *model) weak(d dim, values []uint16, core []int) bool {
	for _, j := range core {
		if !m.covers(d, &m.core[j]) {
			return false
		}
		p := m.core[j].point
		for i := range m.cells {
			c := &m.cells[i]
			if !c.own[d] || !m.relevant(i) || d != country && !c.where.admits(country, p[country]) || d != age && !c.where.admits(age, p[age]) {
				continue
			}
			for _, v := range values {
				if c.where.in[d][v] {
					return false
				}
			}
		}
	}
	return true
}

// settle chooses among the solutions: nothing unknown that need not be, percentages near their printed value, and all
// else as the settings have it. It fixes every variable, one after the other, each as near to its target as the
// others allow.
func (m *model) settle(x *mix, set *Settings) {
	m.pull(m.total, m.least)
	for i := range m.populations {
		m.pull(m.populations[i].v, m.populations[i].size)
	}
	m.settleUnstated()
	m.settleShares(x, set)
	m.settleCore(x)
	for d := range dims {
		if b := m.breakdown[d]; b != nil {
			m.settleBreakdown(b, x)
		}
	}
	m.settleExtras(x, set)
}

func (m *model) pull(v exact.Var, target int64) int64 { return m.solver.Pull(v, target, pullBudget) }

// settleUnstated keeps small what is named only in passing, and then what is unknown, except where percentages leave
// a rest: they come first there.
func (m *model) settleUnstated() {
	for i := range m.marginals {
		if m.marginals[i].weak {
			m.pull(m.marginals[i].v, 0)
		}
	}
	for _, d := range []dim{country, age} {
		if b := m.breakdown[d]; b != nil {
			for i := range b.classes {
				k := &b.classes[i]
				for g := 1; g < len(b.groups); g++ {
					if k.present[g] && m.weak(d, b.groups[g], k.core) {
						m.pull(k.counts[g], 0)
					}
				}
			}
		}
	}
	// Where a block breaks down two attributes at once, its rest states neither: those who state one of them and not
	// the other are few, and then those who state neither.
	m.settleUnknown(func(k *class) bool { return m.allStated(k, country) || m.allStated(k, age) })
	for i := range m.marginals {
		if m.marginals[i].class == 0 && !m.shareLeavesRest(m.marginals[i].d, m.marginals[i].core) {
			m.pull(m.marginals[i].v, 0)
		}
	}
	m.settleUnknown(func(*class) bool { return true })
}

// allStated reports whether all returns of a class state their country, or their age.
func (m *model) allStated(k *class, d dim) bool {
	return !slices.ContainsFunc(k.core, func(j int) bool {
		_, hi := m.solver.Bounds(m.core[j].count)
		return hi > 0 && m.classOf[d][m.core[j].point[d]] == 0
	})
}

// settleUnknown keeps unknown values few in the classes that are asked for.
func (m *model) settleUnknown(asked func(*class) bool) {
	for d := range dims {
		b := m.breakdown[d]
		if b == nil {
			continue
		}
		for i := range b.classes {
			k := &b.classes[i]
			if asked(k) && k.present[0] && !m.shareLeavesRest(d, k.core) {
				m.pull(k.counts[0], 0)
			}
		}
	}
}

// shareLeavesRest reports whether a percentage block breaks d down for some of the core cells and its shares do not add
// up to the whole, within rounding.
func (m *model) shareLeavesRest(d dim, core []int) bool {
	for i := range m.blocks {
		b := &m.blocks[i]
		if !b.Pct || b.Multi || !m.blockSelected(i) {
			continue
		}
		breaks, sum, scale, slack := false, int64(0), int64(0), int64(0)
		for _, c := range b.cells {
			if m.cells[c].where.in[d] == nil {
				continue
			}
			breaks = true
			unit := int64(math.Pow10(6 - m.cells[c].Decimals))
			sum += m.cells[c].Units * unit
			slack += unit
			scale = 100 * int64(math.Pow10(6))
		}
		if !breaks || 2*sum+slack >= 2*scale {
			continue
		}
		for _, j := range core {
			if p := &m.core[j].point; b.base.admits(country, p[country]) && b.base.admits(age, p[age]) {
				return true
			}
		}
	}
	return false
}

// settleShares brings percentages to the middle of what their print allows: first what they are shares of.
func (m *model) settleShares(x *mix, set *Settings) {
	for i := range m.cells {
		c, ok := m.counted[i]
		if !ok || !m.cells[i].Measure.Share() || m.cells[i].home == homeReasons {
			continue
		}
		if lo, hi := m.solver.Bounds(c.base); lo < hi {
			m.pull(c.base, m.expected(&m.cells[i].base, x))
		}
		m.pull(c.num, nearestShare(m.solver.Value(c.base), m.cells[i].Units, m.cells[i].Decimals))
	}
	for i := range m.reasons {
		// What is known decides how exactly shares of it can be met, so it comes before them.
		k := &m.reasons[i]
		m.pull(k.known, m.solver.Value(k.size)*int64(set.ReasonsKnown)/1000)
	}
	for i := range m.cells {
		if c, ok := m.counted[i]; ok && m.cells[i].home == homeReasons {
			m.pull(c.num, nearestShare(m.solver.Value(c.base), m.cells[i].Units, m.cells[i].Decimals))
		}
	}
}

// nearestShare is the count whose share of base is nearest to units / 10^decimals percent.
func nearestShare(base, units int64, decimals int) int64 {
	whole := int64(math.Pow10(decimals + 2))
	return portion(base, min(units, whole), whole)
}

// portion is n parts of of, rounded; n <= of.
func portion(n, part, of int64) int64 {
	if of <= 0 {
		return 0
	}
	hi, lo := mul128(n, part)
	return div128(hi, lo, of)
}

// expected is how many returns of the population the settings would put into a selection.
func (m *model) expected(f *selector, x *mix) int64 {
	n := m.solver.Value(m.total)
	for _, d := range []dim{country, age} {
		if f.in[d] == nil {
			continue
		}
		var part, all int64
		for v, w := range x.of[d] {
			all += w
			if f.in[d][v] {
				part += w
			}
		}
		n = portion(n, part, all)
	}
	return n
}

// settleCore spreads the core: the classes of countries and of ages by the settings, and each pair by its two classes.
func (m *model) settleCore(x *mix) {
	of := [dims][]int64{country: make([]int64, len(m.members[country])), age: make([]int64, len(m.members[age]))}
	total := m.solver.Value(m.total)
	for i := range m.marginals {
		mg := &m.marginals[i]
		var part, all int64
		for v, w := range x.of[mg.d] {
			all += w
			if m.classOf[mg.d][v] == mg.class {
				part += w
			}
		}
		of[mg.d][mg.class] = m.pull(mg.v, portion(total, part, all))
	}
	for j := range m.core {
		cc := &m.core[j]
		m.pull(cc.count, portion(of[country][cc.country], of[age][cc.age], total))
	}
}

// settleBreakdown spreads the groups of each class: by the settings, and none unknown where the table does not make
// them so.
func (m *model) settleBreakdown(b *breakdown, x *mix) {
	for i := range b.classes {
		k := &b.classes[i]
		size := m.solver.Value(k.size)
		p := &m.core[k.core[0]].point
		weights := make([]int64, len(b.groups))
		var all int64
		for g, values := range b.groups {
			if g == 0 || !k.present[g] {
				continue
			}
			for _, v := range values {
				weights[g] += x.weight(b.d, v, p)
			}
			weights[g]++ // what the settings leave out is rare where the table makes it possible
			all += weights[g]
		}
		for g := range b.groups {
			if k.present[g] {
				m.pull(k.counts[g], portion(size, weights[g], all))
			}
		}
	}
}

// settleExtras spreads reasons and help over their classes.
func (m *model) settleExtras(x *mix, set *Settings) {
	for i := range m.reasons {
		k := &m.reasons[i]
		known := m.solver.Value(k.known)
		none := known // those without any of the named reasons, were these independent
		for _, w := range set.Reasons {
			r := reasonIndex(m.space, w.Code)
			if v, ok := k.counts[r]; ok {
				n := m.pull(v, portion(known, int64(w.Weight), 1000))
				none = portion(none, known-n, known)
			}
		}
		for r := range m.space.reasons {
			if v, ok := k.counts[r]; ok {
				m.pull(v, 0)
			}
		}
		if len(k.open) > 0 {
			m.pull(k.unnamed, none)
		}
	}
	for i := range m.assisted {
		k := &m.assisted[i]
		m.pull(k.count, portion(m.solver.Value(k.size), int64(set.Assisted), 1000))
	}
}
