package register

import "retorno/schemas/calendar"

// bystanders makes everybody that the table does not count and a border sees all the same.
func (g *generator) bystanders() {
	n := float64(len(g.rows))
	if n == 0 {
		return
	}
	for i, each := range []struct {
		expected float64
		make     func()
	}{
		{n * (1/g.world.Coverage - 1), g.neverInterviewed},
		{n * g.world.OutsidePeriod / 2, func() { g.outside(false) }},
		{n * g.world.OutsidePeriod / 2, func() { g.outside(true) }},
		{n * g.world.OtherNationals, g.otherNational},
		{n * g.world.Transit, func() { g.passer("transit", "VE", "CU", "HT", "EC", "CO", "SN") }},
		{n * g.world.Deceased, func() { g.passer("deceased", "HN") }},
		{n * g.world.DeparturePrevented, func() { g.passer("departure_prevented", "HN") }},
		{n * g.world.Ordinary, g.ordinary},
		{n * g.rates.FutureHeld, g.aheadForEver},
	} {
		g.reseed(purposeBystanders, uint64(i)<<32)
		for k := range g.number(each.expected) {
			g.reseed(purposeBystanders, uint64(i)<<32|uint64(k+1))
			g.meet()
			each.make()
			g.attach()
		}
	}
	if !g.assistance && g.world.Unattached > 0 {
		g.reseed(purposeBystanders, 1<<40)
		for range g.number(n * g.world.Unattached) {
			g.meet()
			g.unattached()
			g.attach()
		}
	}
}

// someone is a person who comes in the same days as the returned, by name or without one.
func (g *generator) someone() (who int32, like *row) {
	who = none
	if !g.chance(3 * g.world.NoDocument) {
		who = g.newPerson()
	}
	return who, &g.rows[g.rng.IntN(len(g.rows))]
}

// neverInterviewed is seen at a post only. Returns of this kind are in the series checkpoint and
// reconciled, and not in what the table counts.
func (g *generator) neverInterviewed() {
	who, like := g.someone()
	a := like.said
	for d := dimEntry; d < dims; d++ {
		a[d] = 0
	}
	for d := range dimSaidTwice {
		if g.chance(g.rates.Omit) {
			a[d] = 0
		}
	}
	a[dimEntry] = g.draws.entry(&like.said, g.rng)
	at := g.moment(&like.said, calendar.DayOf(like.at))
	f := g.make(made{kind: kindCrossing, person: who, under: none, event: at, said: a, marks: markReturned, source: -1,
		detail: uint8(g.draws.checks.pick(g.rng)), bystander: true})
	if f == lost {
		return
	}
	a[dimCentre] = notRegistered
	e := g.expect(who, a)
	e.hold(g, f, at)
	e.day, e.checkpoint = calendar.DayOf(at), true
}

// outside is registered before or after the period, often only just.
func (g *generator) outside(after bool) {
	like := &g.rows[g.rng.IntN(len(g.rows))]
	at := g.from - 1 - g.between(0, 20*day)
	if after || g.from-20*day < earliest {
		after, at = true, g.until+g.between(0, 20*day)
	}
	if g.rates.Edge > 0 && g.chance(0.3) {
		at = g.from - 1 - g.between(0, 2*minute)
		if after {
			at = g.until + g.between(0, 2*minute)
		}
	}
	// Everything about it stays on its side of the edge, so that no help is given inside the period.
	g.visit(g.newPerson(), like.said, at, room{}, after && !g.assistance && g.chance(g.world.Assisted))
}

// otherNational is registered with a returned family, and of another nationality.
func (g *generator) otherNational() {
	like := &g.rows[g.rng.IntN(len(g.rows))]
	a := like.said
	foreign := [...]string{"US", "US", "US", "GT", "MX", "SV", "NI"}
	a[dimNationality] = index(dimNationality, foreign[g.rng.IntN(len(foreign))])
	at := g.moment(&a, calendar.DayOf(like.at))
	g.visit(g.newPerson(), a, at, room{before: true, after: true}, !g.assistance && g.chance(g.world.Assisted))
}

// passer is seen by a post and never a return: in transit, dead, or kept from leaving.
func (g *generator) passer(category string, nationalities ...string) {
	who, like := g.someone()
	m := made{kind: kindCrossing, person: who, under: none, event: max(earliest, like.at+g.between(-12*hour, 12*hour)), source: -1,
		detail: uint8(g.draws.checks.pick(g.rng)), category: uint8(indexIn(categoryList, category)), bystander: true}
	m.said[dimEntry] = g.draws.entry(&like.said, g.rng)
	m.said[dimSex] = like.said[dimSex]
	m.said[dimNationality] = index(dimNationality, nationalities[g.rng.IntN(len(nationalities))])
	if category == "departure_prevented" {
		m.marks = markExit
	}
	g.make(m)
}

// ordinary is a traveller at any of the border computers, in or out.
func (g *generator) ordinary() {
	who, like := g.someone()
	source := g.rng.IntN(g.sources.border)
	m := made{kind: kindCrossing, person: who, under: none, event: max(earliest, like.at+g.between(-12*hour, 12*hour)), source: source,
		detail: uint8(g.draws.checks.pick(g.rng)), category: uint8(g.rng.IntN(2)), bystander: true}
	m.said[dimEntry] = g.sources.post[source]
	m.said[dimSex] = like.said[dimSex]
	nationalities := [...]string{"HN", "HN", "HN", "GT", "SV", "NI", "US", ""}
	m.said[dimNationality] = index(dimNationality, nationalities[g.rng.IntN(len(nationalities))])
	if g.chance(0.5) {
		m.marks = markExit
	}
	g.make(m)
}

// aheadForEver is a record that a computer dated in the future and never mended: held, and not counted. It would fall
// into the period.
func (g *generator) aheadForEver() {
	like := &g.rows[g.rng.IntN(len(g.rows))]
	r := revision{event: like.at, said: like.said, number: 1}
	k := kindRegistration
	if g.chance(0.5) {
		k, r.marks = kindCrossing, markReturned
		r.said[dimEntry] = g.draws.entry(&r.said, g.rng)
	}
	r.source = g.sourceOf(&made{kind: k, said: r.said, source: -1})
	r.recorded = r.event + g.between(10*second, 10*minute)
	// By a millisecond too far, or by up to a year.
	ahead := futureLimit + 1
	if g.chance(0.8) {
		ahead = g.between(2*hour, 365*day)
	}
	r.fact = g.add(fact{minted: r.recorded, person: g.newPerson(), under: none, kind: k})
	g.revs = append(g.revs, r)
	at := r.event - ahead
	g.sends = append(g.sends, send{at: at, ahead: int32(ahead / second), rev: int32(len(g.revs) - 1)})
	if g.chance(g.rates.Resend) {
		again := g.sends[len(g.sends)-1]
		again.at -= g.between(0, minute)
		g.sends = append(g.sends, again)
	}
	g.held++
}

// unattached is help to a person of whom no registration is known: to a stranger, to a person with a key, or under a
// registration that never arrived.
func (g *generator) unattached() {
	like := &g.rows[g.rng.IntN(len(g.rows))]
	centre := centreFor(&like.said, calendar.DayOf(like.at))
	who := none
	if g.chance(0.5) {
		who = g.newPerson()
	}
	g.give(who, none, like.at+g.between(-hour, 4*hour), centre, true)
}
