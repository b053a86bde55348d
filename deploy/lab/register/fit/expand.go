package fit

import (
	"math/rand/v2"
	"slices"
)

// dealer deals the settled numbers out to returns.
type dealer struct {
	*model
	x   *mix
	set *Settings
	rng *rand.Rand
	pop *Population
	// ofCore are the returns of each core cell, in random order.
	ofCore [][]int32
	// free are the returns to which no block states d.
	free [dims][]int32
	// pools are sets of returns within which values of d may be exchanged without changing any printed number.
	pools [dims][][]int32
	// modeUrns and routes keep what is asked often.
	modeUrns map[uint16]*urn
	routes   [][]bool
}

// expand makes the returns. The random numbers are those of PCG, which Go promises to keep.
func (m *model) expand(x *mix, set *Settings, seed uint64) *Population {
	n := int(m.solver.Value(m.total))
	pop := &Population{space: m.space, reasons: make([]uint8, n), assisted: make([]bool, n), open: map[string]bool{}}
	for d := range dims {
		pop.values[d] = make([]uint16, n)
	}
	g := &dealer{model: m, x: x, set: set, rng: rand.New(rand.NewPCG(seed, 0x5265746f726e6f)), pop: pop} // "Retorno"
	g.dealCore(n)
	for d := range dims {
		g.deal(d)
	}
	g.drawRoutes()
	g.drawPeople()
	g.drawPlaces()
	g.dealReasons()
	g.dealAssisted()
	g.markOpen()
	return pop
}

// dealCore gives each core cell its returns.
func (g *dealer) dealCore(n int) {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	g.shuffle(order)
	g.ofCore = make([][]int32, len(g.core))
	for j := range g.core {
		size := g.solver.Value(g.core[j].count)
		g.ofCore[j], order = order[:size:size], order[size:]
	}
}

func (g *dealer) shuffle(list []int32) {
	g.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// gather collects the returns of core cells in random order.
func (g *dealer) gather(core []int) []int32 {
	var out []int32
	for _, j := range core {
		out = append(out, g.ofCore[j]...)
	}
	g.shuffle(out)
	return out
}

// deal gives out the values of d that the table states, and notes who is left without.
func (g *dealer) deal(d dim) {
	spoken := make([]bool, len(g.core))
	if b := g.breakdown[d]; b != nil {
		for i := range b.classes {
			k := &b.classes[i]
			members := g.gather(k.core)
			g.dealClass(b, k, members)
			g.pools[d] = append(g.pools[d], members)
			for _, j := range k.core {
				spoken[j] = true
			}
		}
	}
	for j := range g.core {
		if spoken[j] {
			continue
		}
		if d == country || d == age {
			// The core itself says in which class the value lies.
			class := g.members[d][g.classOf[d][g.core[j].point[d]]]
			g.drawFrom(d, class, g.ofCore[j], nil)
			if d == country && len(class) > 1 {
				g.free[d] = append(g.free[d], g.ofCore[j]...)
			}
			continue
		}
		g.free[d] = append(g.free[d], g.ofCore[j]...)
	}
}

// dealClass gives the members of a class, who are in random order, the numbers of values that were settled.
func (g *dealer) dealClass(b *breakdown, k *class, members []int32) {
	for v := range b.groups {
		if !k.present[v] {
			continue
		}
		n := g.solver.Value(k.counts[v])
		g.drawFrom(b.d, b.groups[v], members[:n], &g.core[k.core[0]].point)
		members = members[n:]
	}
}

// drawFrom draws each member a value among some, by the settings; among values that they do not know, evenly, and no
// return from Honduras where there is another country. Weights are those for returns such as p.
func (g *dealer) drawFrom(d dim, values []uint16, members []int32, p *point) {
	if p == nil {
		p = &point{}
	}
	column := g.pop.values[d]
	if len(values) == 1 {
		for _, i := range members {
			column[i] = values[0]
		}
		return
	}
	if d == country {
		home := g.space.index[country]["HN"]
		values = slices.DeleteFunc(slices.Clone(values), func(v uint16) bool { return v == home })
	}
	u := newUrn(values, func(v uint16) int64 { return g.x.weight(d, v, p) })
	for _, i := range members {
		column[i] = u.draw(g.rng)
	}
}

// urn draws values by weight.
type urn struct {
	values []uint16
	upTo   []uint64
}

func newUrn(values []uint16, weight func(uint16) int64) urn {
	u := urn{values: values, upTo: make([]uint64, len(values))}
	var sum uint64
	for i, v := range values {
		sum += uint64(weight(v))
		u.upTo[i] = sum
	}
	if sum == 0 {
		for i := range values {
			u.upTo[i] = uint64(i + 1)
		}
	}
	return u
}

func (u *urn) draw(rng *rand.Rand) uint16 {
	x := rng.Uint64N(u.upTo[len(u.upTo)-1])
	lo, hi := 0, len(u.upTo)-1
	for lo < hi {
		if mid := (lo + hi) / 2; u.upTo[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return u.values[lo]
}

// dealReasons gives out the reasons for leaving.
func (g *dealer) dealReasons() {
	spoken := make([]bool, len(g.core))
	for i := range g.model.reasons {
		k := &g.model.reasons[i]
		for _, j := range k.core {
			spoken[j] = true
		}
		known := g.gather(k.core)[:g.solver.Value(k.known)]
		for r := range g.space.reasons {
			if v, ok := k.counts[r]; ok {
				g.giveReason(known, g.solver.Value(v), func() uint8 { return 1 << r })
			}
		}
		if len(k.open) > 0 {
			g.giveOpenReasons(k, known)
		}
		coverAll(known, g.pop.reasons)
	}
	for j := range g.core {
		if !spoken[j] {
			g.drawReasons(g.ofCore[j])
		}
	}
}

// giveReason gives a reason to n of the members, drawn at random.
func (g *dealer) giveReason(members []int32, n int64, reason func() uint8) {
	g.shuffle(members)
	for _, i := range members[:n] {
		g.pop.reasons[i] |= reason()
	}
}

// giveOpenReasons gives reasons that the table does not name: first to those who have none yet.
func (g *dealer) giveOpenReasons(k *reasonClass, known []int32) {
	u := g.reasonUrn(k.open)
	n := g.solver.Value(k.unnamed)
	for _, without := range []bool{true, false} {
		for _, i := range known {
			if n > 0 && (g.pop.reasons[i] == 0) == without {
				g.pop.reasons[i] |= 1 << u.draw(g.rng)
				n--
			}
		}
	}
}

func (g *dealer) reasonUrn(reasons []int) urn {
	values := make([]uint16, len(reasons))
	for i, r := range reasons {
		values[i] = uint16(r)
	}
	return newUrn(values, func(v uint16) int64 {
		for _, w := range g.set.Reasons {
			if w.Code == g.space.reasons[v] {
				return int64(w.Weight)
			}
		}
		return 0
	})
}

// coverAll moves reasons from returns with several to those with none, so that every known one has a reason. There
// are enough: the system demands as many answers as returns with known reasons.
func coverAll(known []int32, reasons []uint8) {
	var none []int32
	for _, i := range known {
		if reasons[i] == 0 {
			none = append(none, i)
		}
	}
	for _, i := range known {
		for len(none) > 0 && reasons[i]&(reasons[i]-1) != 0 {
			last := reasons[i] & -reasons[i]
			reasons[i] &^= last
			reasons[none[0]] = last
			none = none[1:]
		}
	}
}

// drawReasons draws the reasons of returns of which the table says nothing.
func (g *dealer) drawReasons(members []int32) {
	all := make([]int, len(g.space.reasons))
	for r := range all {
		all[r] = r
	}
	u := g.reasonUrn(all)
	for _, i := range members {
		if g.rng.IntN(1000) >= g.set.ReasonsKnown {
			continue
		}
		for _, w := range g.set.Reasons {
			if g.rng.IntN(1000) < w.Weight {
				g.pop.reasons[i] |= 1 << reasonIndex(g.space, w.Code)
			}
		}
		if g.pop.reasons[i] == 0 {
			g.pop.reasons[i] = 1 << u.draw(g.rng)
		}
	}
}

// dealAssisted chooses the returns under which helped people are counted.
func (g *dealer) dealAssisted() {
	spoken := make([]bool, len(g.core))
	for i := range g.model.assisted {
		k := &g.model.assisted[i]
		for _, i := range g.gather(k.core)[:g.solver.Value(k.count)] {
			g.pop.assisted[i] = true
		}
		for _, j := range k.core {
			spoken[j] = true
		}
	}
	for j := range g.core {
		for _, i := range g.ofCore[j] {
			if !spoken[j] && g.rng.IntN(1000) < g.set.Assisted {
				g.pop.assisted[i] = true
			}
		}
	}
}

// markOpen notes of which attributes the table says nothing at all.
func (g *dealer) markOpen() {
	said := map[dim]bool{}
	for i := range g.cells {
		c := &g.cells[i]
		said[c.home] = true
		for d := range dims {
			if c.where.in[d] != nil {
				said[d] = true
			}
			for e := range c.where.except {
				if c.where.except[e].in[d] != nil {
					said[d] = true
				}
			}
		}
	}
	for d, name := range dimNames {
		g.pop.open[name] = !said[d]
	}
}

// dimNames are the attributes as Population.Open takes them.
var dimNames = map[dim]string{
	country: "country", mode: "mode", returnType: "return_type", entryPoint: "entry_point", exitPoint: "exit_point",
	centre: "centre", department: "department", sex: "sex", accompaniment: "accompaniment", month: "month", age: "age",
	homeReasons: "reasons", homeAssisted: "assisted",
}
