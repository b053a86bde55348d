package register

import "retorno/schemas/calendar"

// room is what a return may take up without running into another of the same person.
type room struct {
	// before: facts may arrive some hours before the arrival; after: some days after it, second centre and all.
	before, after bool
	// none: nothing may arrive later than the arrival itself: the next return comes just over the gap later.
	none bool
}

// returnee makes all facts of one person who returned once or more: the rows at these places, in order of arrival.
func (g *generator) returnee(visits []int32) {
	who := none
	if len(visits) > 1 || !g.chance(g.world.NoDocument) {
		who = g.newPerson()
	}
	g.meet()
	space := room{before: true}
	for i, v := range visits {
		r := &g.rows[v]
		space.after, space.none = true, false
		distance := int64(0)
		if i+1 < len(visits) {
			distance = g.rows[visits[i+1]].at - r.at
			space.after = distance > apart
			space.none = distance == sameReturn+1
		}
		g.visit(who, r.said, r.at, space, r.helped && (g.assistance || g.chance(g.world.Assisted)))
		if distance != 0 && distance <= apart {
			g.partBefore(who, &r.said, r.at, distance)
		}
		space.before = distance == 0 || distance > apart
	}
	if who != none && len(visits) == 1 && g.chance(g.world.LeavesAgain) {
		g.leave(who, &g.rows[visits[0]].said, g.rows[visits[0]].at)
	}
	g.attach()
}

// partBefore makes what parts a return from the next one of the same person: an exit between them, or nothing at all
// when the gap alone does.
func (g *generator) partBefore(who int32, a *attributes, at, distance int64) {
	if distance > sameReturn && g.chance(0.3) {
		// An ordinary entry between two returns does not make them one.
		g.traveller(who, a, at+g.between(11*hour, distance-hour), 0)
	}
	if distance != sameReturn+1 {
		g.traveller(who, a, at+g.between(11*hour, distance-hour), markExit)
	}
}

// leave makes the exit of someone who leaves again: long before or long after the return.
func (g *generator) leave(who int32, a *attributes, at int64) {
	if ago := g.between(4*day, 200*day); g.chance(0.5) && at-ago >= earliest {
		g.traveller(who, a, at-ago, markExit)
		return
	}
	g.traveller(who, a, at+g.between(apart, 60*day), markExit)
}

// visit makes the facts of one registered return, arriving at that time, and says what must come of them. Whatever
// else is said of the person, the statements of the method's choice are those of a.
func (g *generator) visit(who int32, a attributes, at int64, space room, helped bool) {
	passed := who != none && a[dimEntry] != 0 && g.chance(g.world.SeenAtPost)
	post, form := g.statements(&a, passed)
	twice := !space.none && space.after && who != none && g.chance(g.rates.TwoCentres)
	var other attributes
	if twice {
		other = g.secondForm(&a, &form)
	}

	e := g.expect(who, a)
	if passed {
		e.hold(g, g.crossing(who, at, post, markReturned), at)
		if g.chance(g.rates.Bridged) && !space.none {
			g.traveller(who, &a, at+g.between(minute, 5*hour), 0)
		}
		if g.chance(g.rates.TwoPosts) && !space.none {
			g.secondPost(e, who, &post, &form, at)
		}
	}
	event, arrival := g.interview(at, passed, space)
	first := g.registration(who, event, arrival, 0, form)
	arrives := arrivalOf(event, arrival)
	e.hold(g, first, arrives)
	if twice {
		last := arrives
		if passed {
			last = max(at, arrives)
		}
		g.secondCentre(e, who, other, first, arrives, last)
	}
	e.day, e.registered, e.checkpoint = calendar.DayOf(at), true, passed
	if helped {
		g.assist(who, first, &a, at, event)
	}
}

func arrivalOf(event, stated int64) int64 {
	if stated != 0 {
		return stated
	}
	return event
}

// statements splits what holds of a return into what the post says and what the first form says. An attribute that is
// known is stated by one of them at least, and where both speak the form is right, for it decides.
func (g *generator) statements(a *attributes, passed bool) (post, form attributes) {
	form = *a
	if !passed {
		return post, form
	}
	for d := range dimSaidTwice {
		if a[d] == 0 {
			continue
		}
		post[d] = a[d]
		switch {
		case g.chance(g.rates.Omit):
			form[d] = 0
		case g.chance(g.rates.Omit):
			post[d] = 0
		case g.chance(g.rates.Disagree):
			post.disagree(d, g.rng)
		}
	}
	// Of the point of entry the post decides.
	post[dimEntry] = a[dimEntry]
	switch {
	case g.chance(g.rates.Omit):
		form[dimEntry] = 0
	case g.chance(g.rates.Disagree):
		form.disagree(dimEntry, g.rng)
	}
	return post, form
}

// secondForm is what another centre writes about the same return: what the first form leaves out it states rightly,
// and what holds as unknown it does not state; of the rest it may say something else. It may take statements away
// from the first form, which then are the second's to make.
func (g *generator) secondForm(a, form *attributes) attributes {
	other := *a
	for d := range dims {
		p := 0.25
		if d == dimCentre {
			p = 0.9
		}
		if a[d] != 0 && g.chance(p) {
			other.disagree(d, g.rng)
		}
	}
	for d := dimExit; d < dims; d++ {
		if d != dimCentre && form[d] != 0 && g.chance(g.rates.Omit) {
			form[d] = 0
		}
	}
	for d := range dims {
		if form[d] == 0 && d != dimEntry {
			other[d] = a[d]
		}
	}
	if form[dimDepartment] == 0 || form[dimMunicipality] == 0 {
		other[dimDepartment], other[dimMunicipality] = a[dimDepartment], a[dimMunicipality]
	}
	if a[dimEntry] == 0 {
		other[dimEntry] = 0
	}
	return other
}

// interview draws when the person was registered and which arrival the form states, 0 for none. The arrival is that
// time or close to it; where no post saw the person, it is what the day is taken from.
func (g *generator) interview(at int64, passed bool, space room) (event, arrival int64) {
	event = at + g.between(20*minute, 9*hour)
	if space.after && g.chance(g.rates.NextDay) {
		event = at + g.between(12*hour, 30*hour)
	}
	rounded := at - at%minute
	switch {
	case space.none:
		return event, at
	case g.chance(0.15):
		if !passed {
			return at, 0
		}
		return event, 0
	case !space.before:
		return event, at
	case passed && g.chance(g.rates.Disagree):
		if space.after {
			return event, max(earliest, min(event, at+g.between(-20*hour, 20*hour)))
		}
		return event, max(earliest, at-g.between(0, 20*hour))
	}
	return event, rounded
}

// secondPost lets another post, or the same one again, see the person within hours. What the first post and the form
// leave out it does not state either.
func (g *generator) secondPost(e *expected, who int32, post, form *attributes, at int64) {
	said := *post
	for d := range dimSaidTwice {
		if form[d] != 0 && said[d] != 0 && g.chance(0.2) {
			said.disagree(d, g.rng)
		}
	}
	said.disagree(dimEntry, g.rng)
	later := at + g.between(minute, 5*hour)
	e.hold(g, g.crossing(who, later, said, markReturned), later)
}

// secondCentre registers the person again, at most the method's gap after the fact before it. Both forms may state the
// same arrival; then the one whose record was made first counts as the earlier.
func (g *generator) secondCentre(e *expected, who int32, said attributes, first int32, arrived, last int64) {
	later := last + g.between(2*hour, 40*hour)
	event, arrival, minted := later, int64(0), int64(0)
	switch {
	case g.chance(g.rates.GapEdge):
		later = last + sameReturn
		event, arrival = later+g.between(0, 6*hour), later
	case g.chance(0.3):
		arrival = arrived
		minted = max(g.facts[first].minted, event) + g.between(minute, 20*hour)
	case g.chance(0.5):
		event, arrival = later+g.between(0, 6*hour), later
	}
	f := g.registration(who, event, arrival, minted, said)
	e.hold(g, f, arrivalOf(event, arrival))
}
