package register

// made is how a fact comes into the world, before anything goes wrong with it.
type made struct {
	kind     kind
	person   int32
	under    int32
	event    int64
	arrival  int64
	minted   int64 // 0: drawn
	said     attributes
	category uint8
	detail   uint8
	marks    uint8
	source   int // -1: drawn
	// bystander: nothing else hangs on the record, so it may be lost.
	bystander bool
}

// crossing makes the entry of a returned person; said holds the post (dimEntry) and what it notes.
func (g *generator) crossing(who int32, at int64, said attributes, marks uint8) int32 {
	return g.make(made{kind: kindCrossing, person: who, under: none, event: at, said: said, marks: marks, source: -1,
		detail: uint8(g.draws.checks.pick(g.rng))})
}

// traveller makes a crossing that is no return: an ordinary entry, or with markExit an exit.
func (g *generator) traveller(who int32, a *attributes, at int64, marks uint8) {
	said := attributes{dimSex: a[dimSex], dimAge: a[dimAge], dimNationality: a[dimNationality]}
	said[dimEntry] = g.draws.entry(a, g.rng)
	g.crossing(who, at, said, marks)
}

// registration makes what a centre writes; arrival is the stated one or 0, minted when its id is made or 0.
func (g *generator) registration(who int32, event, arrival, minted int64, said attributes) int32 {
	return g.make(made{kind: kindRegistration, person: who, under: none, event: event, arrival: arrival, minted: minted, said: said,
		source: -1})
}

// lost is what make returns for a record that was made and never sent: nothing can come of it.
const lost int32 = -1

// make makes a fact with all its revisions and sendings, right in the end whatever happened before.
func (g *generator) make(m made) int32 {
	minted := m.minted
	if minted == 0 {
		minted = m.event + g.between(10*second, 10*minute)
		if g.chance(g.rates.Late) {
			minted += int64(g.rng.Float64() * g.rates.LateDays * float64(day))
		}
	}
	f := g.add(fact{minted: minted, person: m.person, under: m.under, kind: m.kind})
	r := revision{event: m.event, arrival: m.arrival, recorded: minted, said: m.said, fact: f, number: 1, category: m.category,
		detail: m.detail, marks: m.marks, source: g.sourceOf(&m)}
	if g.chance(g.rates.SpelledOut) {
		r.marks |= markSpelled
	}
	switch {
	case m.bystander && g.chance(g.rates.Lost):
		r.marks |= markLost
		g.revs = append(g.revs, r)
		return lost
	case m.minted == 0 && g.chance(g.rates.FutureMended):
		g.mendedFuture(r)
	case g.chance(g.rates.Correct):
		g.corrected(r)
	case g.chance(g.rates.Reinstated):
		g.reinstated(r)
	case g.chance(g.rates.Conflict):
		g.conflicting(r)
	default:
		g.say(r, 0)
	}
	if m.kind == kindCrossing {
		g.crossed[crossingOf(&r)]++
	}
	if g.chance(g.rates.Voided) {
		g.mistaken(r, m.person)
	}
	return f
}

func (g *generator) sourceOf(m *made) uint8 {
	if m.source >= 0 {
		return uint8(m.source)
	}
	computers := g.sources.at[m.said[dimEntry]]
	if m.kind != kindCrossing {
		computers = g.sources.in[m.said[dimCentre]]
	}
	return computers[g.rng.IntN(len(computers))]
}

// corrected is wrong at first, perhaps twice, and then r.
func (g *generator) corrected(r revision) {
	wrong := []revision{g.wrong(r)}
	if g.chance(0.2) {
		wrong = append(wrong, g.wrong(r))
	}
	g.history(append(wrong, r)...)
}

// reinstated is voided by mistake and made good again.
func (g *generator) reinstated(r revision) {
	void := r
	void.void = g.voidReason()
	if g.chance(0.3) {
		g.history(g.wrong(r), void, r)
		return
	}
	g.history(r, void, r)
}

// voidReason draws a reason; it never is the list's unknown one, which is no reason.
func (g *generator) voidReason() uint8 { return uint8(1 + g.rng.IntN(voidList.Len()-1)) }

// mistaken makes a record that looks like r, would change what comes of the person, and is voided in the end. Some are
// r itself under a wrong person's key, made again under the right one.
func (g *generator) mistaken(like revision, who int32) {
	wrong := like
	wrong.marks &^= markSpelled
	wrong.event = max(earliest, wrong.event-g.between(minute, 30*hour))
	if wrong.arrival != 0 {
		wrong.arrival = wrong.event
	}
	void := wrong
	void.void = g.voidReason()
	if g.chance(g.rates.WrongPerson) {
		who = int32(g.rng.IntN(int(g.people) + 1))
		wrong.event, wrong.arrival = like.event, like.arrival
		void = wrong
		void.void = uint8(indexIn(voidList, "wrong_person"))
	} else {
		wrong = g.wrong(wrong)
	}
	made := g.facts[like.fact]
	made.minted, made.person = wrong.event+g.between(10*second, 10*minute), who
	f := g.add(made)
	wrong.fact, void.fact = f, f
	wrong.recorded = made.minted
	if g.chance(0.1) {
		g.history(wrong, void, wrong, void)
		return
	}
	g.history(wrong, void)
}

// wrong is r as it was first typed: on another day, or with something else in it.
func (g *generator) wrong(r revision) revision {
	if g.chance(g.rates.MovesDay) {
		shift := g.between(day, 45*day)
		if g.chance(0.5) && r.event-shift-day >= earliest {
			shift = -shift
		}
		r.event += shift
		if r.arrival != 0 {
			r.arrival += shift
		}
		return r
	}
	switch g.facts[r.fact].kind {
	case kindHelp:
		r.detail = uint8(g.draws.kinds.pick(g.rng))
		if g.chance(0.5) {
			r.said.disagree(dimCentre, g.rng)
		}
	case kindCrossing:
		r.said.disagree(dimEntry, g.rng)
		if r.marks&markReturned != 0 {
			r.said.disagree(dim(g.rng.IntN(int(dimSaidTwice))), g.rng)
		}
	default:
		for range 1 + g.rng.IntN(3) {
			r.said.disagree(dim(g.rng.IntN(int(dims))), g.rng)
		}
	}
	return r
}

// history says the revisions of one fact, numbered from 1, each some time after the one before it. Each may be sent
// before the one that it corrects.
func (g *generator) history(revs ...revision) {
	recorded := revs[0].recorded
	places := make([]int, 0, 4)
	for i, r := range revs {
		r.number, r.recorded = uint8(i+1), recorded
		places = append(places, len(g.sends))
		g.say(r, 0)
		gap := g.between(5*minute, 12*hour)
		if g.chance(0.3) {
			gap = g.between(12*hour, 40*day)
		}
		recorded += gap
	}
	last := g.sends[len(g.sends)-1].at
	for i := len(revs) - 2; i >= 0; i-- {
		if g.chance(g.rates.Overtaken) {
			for j := places[i]; j < places[i+1]; j++ {
				g.sends[j].at = last + g.between(second, 2*day)
			}
		}
	}
}
