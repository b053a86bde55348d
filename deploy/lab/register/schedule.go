package register

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"retorno/schemas/calendar"
)

// schedule gives each return the moment of its arrival and completes its attributes, which may depend on the day.
func (g *generator) schedule() {
	g.reseed(purposeDays, 0)
	upTo := make([]float64, int(g.last-g.first)+1)
	var sum float64
	for i := range upTo {
		sum += g.world.Weekdays[(g.first + calendar.Day(i)).Weekday()]
		upTo[i] = sum
	}
	for i := range g.rows {
		r := &g.rows[i]
		d := g.drawDay(upTo, r.lo, r.hi)
		g.draws.complete(&r.said, &g.open, d, g.rng)
		r.at = g.moment(&r.said, d)
	}
	g.edges()
}

// drawDay draws a day from lo to hi by the weights of the weekdays.
func (g *generator) drawDay(upTo []float64, lo, hi calendar.Day) calendar.Day {
	below := 0.0
	if lo > g.first {
		below = upTo[lo-g.first-1]
	}
	x := below + g.rng.Float64()*(upTo[hi-g.first]-below)
	i, _ := slices.BinarySearch(upTo[lo-g.first:hi-g.first+1], x)
	return min(lo+calendar.Day(i), hi)
}

// moment draws a time of that day: in the hours in which flights land or buses come, or close to midnight.
func (g *generator) moment(a *attributes, d calendar.Day) int64 {
	from, until := d.Start().UnixMilli(), (d + 1).Start().UnixMilli()
	if g.chance(g.rates.Midnight) {
		if g.chance(0.5) {
			return from + g.between(0, 5*minute)
		}
		return until - 1 - g.between(0, 5*minute)
	}
	hours := &g.draws.landHours
	if a.code(dimMode) == "air" {
		hours = &g.draws.airHours
	}
	return min(from+int64(hours.pick(g.rng))*hour+g.between(0, hour-1), until-1)
}

// edges moves some returns to the first and last minutes of the period.
func (g *generator) edges() {
	if g.rates.Edge <= 0 {
		return
	}
	want := g.number(g.rates.Edge * float64(len(g.rows)))
	early, late := want, want
	for tries := 0; tries < 8*want && early+late > 0; tries++ {
		r := &g.rows[g.rng.IntN(len(g.rows))]
		switch {
		case early > 0 && r.lo == g.first:
			r.at = g.from + g.between(0, 2*minute)
			early--
		case late > 0 && r.hi == g.last:
			r.at = g.until - 1 - g.between(0, 2*minute)
			late--
		}
	}
}

// chains says which returns are of one person: for each person the places of their rows, in order of arrival. People
// of one chain have the same sex and department and about the same age, and their arrivals lie two days apart at least.
func (g *generator) chains() [][]int32 {
	g.reseed(purposeChains, 0)
	order := make([]int32, len(g.rows))
	for i := range order {
		order[i] = int32(i)
	}
	rand.New(g.pcg).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	slices.SortStableFunc(order, func(i, j int32) int {
		a, b := &g.rows[i].said, &g.rows[j].said
		return cmp.Or(cmp.Compare(a[dimSex], b[dimSex]), cmp.Compare(a[dimDepartment], b[dimDepartment]), cmp.Compare(a[dimAge], b[dimAge]))
	})
	var chains [][]int32
	const longest = 5
	for len(order) > 0 {
		n := 1
		for n < len(order) && n < longest && g.chance(g.world.Again) && g.fits(order[:n], order[n]) {
			n++
		}
		chain := order[:n:n]
		slices.SortFunc(chain, func(i, j int32) int { return cmp.Compare(g.rows[i].at, g.rows[j].at) })
		chains, order = append(chains, chain), order[n:]
	}
	return chains
}

// fits reports whether a return can be another one of the person with that chain, and may move it to the edge of the gap.
func (g *generator) fits(chain []int32, next int32) bool {
	r, last := &g.rows[next], &g.rows[chain[len(chain)-1]]
	if r.said[dimSex] != last.said[dimSex] || r.said[dimDepartment] != last.said[dimDepartment] || g.assistance && (r.helped || last.helped) {
		return false
	}
	if len(chain) == 1 && g.chance(g.rates.GapEdge) {
		at := last.at + sameReturn + 1
		if d := calendar.DayOf(at); r.lo <= d && d <= r.hi {
			r.at = at
			return true
		}
	}
	for _, i := range chain {
		if distance := g.rows[i].at - r.at; -2*day < distance && distance < 2*day {
			return false
		}
	}
	return true
}
