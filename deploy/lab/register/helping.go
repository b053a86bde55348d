package register

import "retorno/schemas/calendar"

// help is one help that must come out in the end.
type help struct {
	event        int64
	to           int64 // whom it counts for: a person, or beyond the persons a fact that stands for itself
	visit        int32 // place in returns of the return it belongs to; -1 for none
	centre, kind uint16
}

// standsAlone marks owners of helps that are no person with a key but a fact of a person without.
const standsAlone = int64(1) << 32

// meet turns to another person.
func (g *generator) meet() { g.seen, g.gave = g.seen[:0], len(g.helps) }

// assist gives one help or several under a registration. Where the table counts the helped people, each helped return
// has its first help inside the period and after its arrival.
func (g *generator) assist(who, registration int32, a *attributes, at, interviewed int64) {
	for n := 0; n == 0 || g.chance(g.world.MoreHelp); n++ {
		event := interviewed + g.between(5*minute, 3*hour)
		if g.chance(g.rates.HelpEarly) {
			// Food on the bus, before anybody asked for a name; some of it before the border.
			event = at - 2*hour + g.between(0, interviewed-at+2*hour)
		}
		if g.assistance {
			event = min(max(event, at), g.until-1)
		}
		under := registration
		if who != none && g.chance(0.2) {
			under = none
		}
		g.give(who, under, event, a[dimCentre], false)
	}
}

// give makes one help.
func (g *generator) give(who, under int32, event int64, centre uint16, bystander bool) {
	detail := g.draws.kinds.pick(g.rng)
	m := made{kind: kindHelp, person: who, under: under, event: event, detail: uint8(detail), source: -1, bystander: bystander}
	m.said[dimCentre] = centre
	f := g.make(m)
	if f == lost {
		return
	}
	to := int64(who)
	switch {
	case who == none && under == none:
		to = standsAlone | int64(f)
	case who == none:
		to = standsAlone | int64(under)
	}
	g.helps = append(g.helps, help{event: event, to: to, visit: -1, centre: centre, kind: detail})
}

// attach gives each help of the person to the latest return that began before it or with it.
func (g *generator) attach() {
	for i := g.gave; i < len(g.helps); i++ {
		h := &g.helps[i]
		for _, v := range g.seen {
			r := &g.returns[v]
			if r.arrival <= h.event && (h.visit < 0 || g.returns[h.visit].arrival < r.arrival) {
				h.visit = v
			}
		}
	}
}

// expected is one return that must come out in the end.
type expected struct {
	said       attributes
	first      int32 // the fact that it begins with; -1 before there is one
	person     int32
	arrival    int64 // of that fact
	day        calendar.Day
	registered bool
	checkpoint bool
}

// expect begins a return of that person with these attributes.
func (g *generator) expect(who int32, a attributes) *expected {
	g.seen = append(g.seen, int32(len(g.returns)))
	g.returns = append(g.returns, expected{said: a, first: -1, person: who})
	return &g.returns[len(g.returns)-1]
}

// hold lets the return hold a fact that arrives then.
func (e *expected) hold(g *generator, f int32, arrives int64) {
	if e.first < 0 || g.before(f, arrives, e.first, e.arrival) {
		e.first, e.arrival = f, arrives
	}
}
