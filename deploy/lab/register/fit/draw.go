package fit

import (
	"slices"
	"strings"

	"retorno/schemas/codelists"
)

// drawRoutes draws countries and modes where the table leaves them open, and brings those that it states together so
// that they go with each other and with the points of entry.
func (g *dealer) drawRoutes() {
	freeMode := g.marks(mode)
	freeEntry := g.marks(entryPoint)
	g.drawCountries(freeMode, freeEntry)
	// What both mode and country state is exchanged among equals until it is as plausible as it can be.
	by := func(i int32) uint16 {
		if freeMode[i] && !freeEntry[i] {
			return g.kindMode(g.pop.values[entryPoint][i])
		}
		return g.pop.values[mode][i]
	}
	route := func(i int32, c uint16) int {
		if m := by(i); freeMode[i] && m == 0 || g.plausible(c, m) {
			return 0
		}
		return 1
	}
	for range 2 {
		g.improve(mode, func(i int32) int { return int(g.pop.values[country][i]) }, func(i int32, m uint16) int {
			if g.plausible(g.pop.values[country][i], m) {
				return 0
			}
			return 1
		})
		g.improve(country, func(i int32) int { return int(by(i)) }, route)
	}
	for _, i := range g.free[mode] {
		m := uint16(0)
		if !freeEntry[i] {
			m = g.kindMode(g.pop.values[entryPoint][i])
		}
		if m == 0 && g.pop.values[country][i] != 0 {
			m = g.modeUrn(g.pop.values[country][i]).draw(g.rng)
		}
		g.pop.values[mode][i] = m
	}
}

// marks says for each return whether the table leaves d open.
func (g *dealer) marks(d dim) []bool {
	out := make([]bool, g.pop.Len())
	for _, i := range g.free[d] {
		out[i] = true
	}
	return out
}

// drawCountries draws the countries that the table leaves open again where the mode of return is known already.
func (g *dealer) drawCountries(freeMode, freeEntry []bool) {
	type key struct {
		class int
		mode  uint16
	}
	urns := map[key]*urn{}
	for _, i := range g.free[country] {
		c := g.pop.values[country][i]
		m := g.pop.values[mode][i]
		if freeMode[i] && !freeEntry[i] {
			m = g.kindMode(g.pop.values[entryPoint][i])
		}
		if m == 0 || c == 0 {
			continue
		}
		k := key{g.classOf[country][c], m}
		u, ok := urns[k]
		if !ok {
			values := g.members[country][k.class]
			fits := newUrn(values, func(v uint16) int64 { return g.x.modes[v][m] * min(1, g.x.of[country][v]) })
			var sum int64
			for _, v := range values {
				sum += g.x.modes[v][m] * min(1, g.x.of[country][v])
			}
			if sum > 0 {
				u = &fits
			}
			urns[k] = u
		}
		if u != nil {
			g.pop.values[country][i] = u.draw(g.rng)
		}
	}
}

// modeUrn draws the mode by which people return from a country.
func (g *dealer) modeUrn(c uint16) *urn {
	if g.modeUrns == nil {
		g.modeUrns = map[uint16]*urn{}
	}
	u := g.modeUrns[c]
	if u == nil {
		all := make([]uint16, len(g.space.codes[mode]))
		for v := range all {
			all[v] = uint16(v)
		}
		made := newUrn(all, func(v uint16) int64 { return g.x.modes[c][v] })
		u = &made
		g.modeUrns[c] = u
	}
	return u
}

// plausible reports whether people are returned from a country in a mode.
func (g *dealer) plausible(c, m uint16) bool {
	if g.routes == nil {
		g.routes = make([][]bool, len(g.space.codes[country]))
		for i, code := range g.space.codes[country] {
			for _, how := range g.space.codes[mode] {
				g.routes[i] = append(g.routes[i], codelists.PlausibleRoute(code, how))
			}
		}
	}
	return g.routes[c][m]
}

// kindMode is the mode that arrives at a border point, 0 when any might.
func (g *dealer) kindMode(point uint16) uint16 {
	l, _ := codelists.Get(codelists.BorderPoint)
	return g.space.index[mode][l.Attr(g.space.codes[entryPoint][point], "kind")]
}

// drawPeople draws what is about the person where the table leaves it open.
func (g *dealer) drawPeople() {
	sexes := [2]urn{}
	for i := range sexes {
		sexes[i] = newUrn([]uint16{0, 1, 2}[:len(g.x.sexes[i])], func(v uint16) int64 { return g.x.sexes[i][v] })
	}
	minor := func(i int32) bool { a := g.pop.values[age][i]; return a >= 1 && a <= adultAge }
	for _, i := range g.free[sex] {
		u := &sexes[1]
		if minor(i) {
			u = &sexes[0]
		}
		g.pop.values[sex][i] = u.draw(g.rng)
	}
	var minors []int32
	for _, i := range g.free[accompaniment] {
		if minor(i) {
			minors = append(minors, i)
		}
	}
	g.drawAll(accompaniment, minors)
	for _, d := range []dim{returnType, exitPoint, department, month} {
		g.drawAll(d, g.free[d])
	}
}

// drawAll draws each member one of all values of d.
func (g *dealer) drawAll(d dim, members []int32) {
	all := make([]uint16, len(g.space.codes[d]))
	for v := range all {
		all[v] = uint16(v)
	}
	g.drawFrom(d, all, members, nil)
}

// drawPlaces draws points of entry and centres that fit how people come, and exchanges those that the table states
// until they fit as well as they can.
func (g *dealer) drawPlaces() {
	values := &g.pop.values
	g.improve(entryPoint, func(i int32) int { return int(values[mode][i]) }, func(i int32, p uint16) int {
		if kind := g.kindMode(p); kind == 0 || values[mode][i] == 0 || kind == values[mode][i] {
			return 0
		}
		return 1
	})
	byMode := make([][]int32, len(g.space.codes[mode]))
	for _, i := range g.free[entryPoint] {
		byMode[values[mode][i]] = append(byMode[values[mode][i]], i)
	}
	for m, members := range byMode {
		var points []uint16
		for p := range g.space.codes[entryPoint] {
			if kind := g.kindMode(uint16(p)); kind == uint16(m) && g.x.of[entryPoint][p] > 0 && m > 0 {
				points = append(points, uint16(p))
			}
		}
		if len(points) == 0 {
			points = []uint16{0}
		}
		g.drawFrom(entryPoint, points, members, nil)
	}
	arrival := func(i int32) int {
		a := values[age][i]
		out := int(values[mode][i]) * 2
		if a >= 1 && a <= adultAge {
			out++
		}
		return out
	}
	cost := func(i int32, c uint16) int { return g.centreCost(arrival(i), c) }
	g.improve(centre, arrival, cost)
	g.drawCentres(arrival)
}

// drawCentres sends returns of which the table does not say it to the open centre that suits them best.
func (g *dealer) drawCentres(arrival func(int32) int) {
	best := map[int]uint16{}
	for _, i := range g.free[centre] {
		a := arrival(i)
		c, ok := best[a]
		if !ok {
			cost := -1
			for v := range g.space.codes[centre] {
				if n := g.centreCost(a, uint16(v)); g.x.of[centre][v] > 0 && (cost < 0 || n < cost) {
					c, cost = uint16(v), n
				}
			}
			best[a] = c
		}
		g.pop.values[centre][i] = c
	}
}

// childCentre receives children, and families with them.
const childCentre = "CANFM-BEL"

// centreCost says how ill a centre suits an arrival: 4 for the wrong mode, 2 for children elsewhere than in their
// centre, 2 for adults in it.
func (g *dealer) centreCost(arrival int, c uint16) int {
	code := g.space.codes[centre][c]
	l, _ := codelists.Get(codelists.Centre)
	modes, cost := l.Attr(code, "arrival_modes"), 0
	if modes == "" {
		return 0
	}
	if how := g.space.codes[mode][arrival/2]; arrival/2 > 0 && !strings.Contains(";"+modes+";", ";"+how+";") {
		if how != "sea" || !strings.Contains(modes, "land") { // by sea they are taken where buses are
			cost += 4
		}
	}
	if minor := arrival%2 == 1; minor != (code == childCentre) {
		cost += 2
	}
	return cost
}

// improve exchanges values of d between returns of one pool while that lowers the cost. Returns of one context pay
// alike for a value.
func (g *dealer) improve(d dim, context func(int32) int, cost func(int32, uint16) int) {
	for _, pool := range g.pools[d] {
		e := exchange{column: g.pop.values[d], cost: cost, holders: map[holding][]int32{}}
		for _, i := range pool {
			e.add(holding{context(i), e.column[i]}, i)
		}
		for e.pass() {
		}
	}
}

// holding is a value in a context.
type holding struct {
	context int
	value   uint16
}

// exchange swaps values between the returns of a pool.
type exchange struct {
	column  []uint16
	cost    func(int32, uint16) int
	keys    []holding // in order of appearance
	holders map[holding][]int32
}

func (e *exchange) add(k holding, members ...int32) {
	if _, ok := e.holders[k]; !ok {
		e.keys = append(e.keys, k)
	}
	e.holders[k] = append(e.holders[k], members...)
}

// pass swaps what is cheaper the other way round, as many at once as there are; it returns whether anything was.
// Every swap lowers the whole cost, so that passes come to an end.
func (e *exchange) pass() bool {
	changed := false
	for a := 0; a < len(e.keys); a++ {
		for b := 0; b < len(e.keys); b++ {
			x, y := e.keys[a], e.keys[b]
			n := min(len(e.holders[x]), len(e.holders[y]))
			if n == 0 || x.context == y.context || x.value == y.value {
				continue
			}
			i, j := e.holders[x][0], e.holders[y][0]
			if e.cost(i, y.value)+e.cost(j, x.value) >= e.cost(i, x.value)+e.cost(j, y.value) {
				continue
			}
			ofX, ofY := slices.Clone(e.holders[x][:n]), slices.Clone(e.holders[y][:n])
			e.holders[x], e.holders[y] = e.holders[x][n:], e.holders[y][n:]
			e.give(holding{x.context, y.value}, ofX)
			e.give(holding{y.context, x.value}, ofY)
			changed = true
		}
	}
	return changed
}

func (e *exchange) give(k holding, members []int32) {
	for _, i := range members {
		e.column[i] = k.value
	}
	e.add(k, members...)
}
