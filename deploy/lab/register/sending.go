package register

import (
	"cmp"
	"math"
	"slices"
)

// span is a stretch of time; milliseconds, until excluded.
type span struct{ from, until int64 }

// latency is how long a record waits on its computer when the line is up.
const latency = 2 * second

// cutOff draws when each computer is cut off.
func (g *generator) cutOff() {
	g.outages = make([][]span, len(g.sources.ids))
	from, until := g.from-60*day, g.until+120*day
	perMs := g.rates.OutagesPerYear / (365.25 * float64(day))
	if perMs <= 0 || g.rates.OutageDays <= 0 {
		return
	}
	for s := range g.outages {
		g.reseed(purposeOutages, uint64(s))
		for at := from; ; {
			at += int64(math.Min(g.rng.ExpFloat64()/perMs, 1e15))
			if at >= until {
				break
			}
			// Most are of hours, a few of weeks.
			x := g.rng.Float64()
			end := at + hour + int64(x*x*g.rates.OutageDays*float64(day))
			g.outages[s] = append(g.outages[s], span{at, end})
			at = end + hour
		}
	}
}

// online is when what is ready at that time leaves its computer: at once, or after the outage, in order.
func (g *generator) online(source uint8, at int64) int64 {
	cuts := g.outages[source]
	i, _ := slices.BinarySearchFunc(cuts, at, func(s span, at int64) int { return cmp.Compare(s.until, at+1) })
	if i < len(cuts) && cuts[i].from <= at {
		return cuts[i].until + (at-cuts[i].from)/2000
	}
	return at
}

// say adds a revision and its sendings, the first not before notBefore.
func (g *generator) say(r revision, notBefore int64) {
	at := max(g.online(r.source, r.recorded+latency), notBefore)
	if g.chance(g.rates.Disorder) {
		at += int64(math.Exp(g.rng.Float64()*math.Log(float64(2*day)/float64(10*minute))) * float64(10*minute))
	}
	i := int32(len(g.revs))
	g.revs = append(g.revs, r)
	g.sends = append(g.sends, send{at: at, rev: i})
	for g.chance(g.rates.Resend) {
		again := at
		if !g.chance(g.rates.ResendSame) {
			again += g.between(second, 20*day)
		}
		g.sends = append(g.sends, send{at: again, rev: i})
	}
}

// mendedFuture is sent by a clock that is ahead, so that it is held, and mended by a later copy or by a revision.
func (g *generator) mendedFuture(r revision) {
	ahead := g.between(2*hour, 3*day)
	if g.chance(0.3) {
		ahead = day
	}
	i := int32(len(g.revs))
	if g.chance(0.5) {
		// The later copy may come exactly when the event stops being future.
		mended := r.event - futureLimit
		if g.chance(0.8) {
			mended += g.between(0, 5*day)
		}
		g.revs = append(g.revs, r)
		g.sends = append(g.sends, send{at: r.recorded - ahead, ahead: int32(ahead / second), rev: i}, send{at: mended, rev: i})
		return
	}
	early := r
	early.event += ahead
	early.recorded += ahead
	if early.arrival != 0 {
		early.arrival += ahead
	}
	g.facts[r.fact].minted = early.recorded
	g.revs = append(g.revs, early)
	g.sends = append(g.sends, send{at: r.recorded + latency, ahead: int32(ahead / second), rev: i})
	r.number, r.recorded = 2, early.recorded+g.between(hour, 3*day)
	g.say(r, 0)
}

// conflicting exists in two contents of one revision; the one to come out is r. The other is made to have the smaller
// hash when it is encoded.
func (g *generator) conflicting(r revision) {
	twin := g.wrong(r)
	twin.marks |= markTwin
	twin.recorded += g.between(second, hour)
	i := int32(len(g.revs))
	g.revs = append(g.revs, twin)
	g.sends = append(g.sends, send{at: g.online(r.source, twin.recorded+latency) + g.between(0, 3*day), rev: i})
	g.say(r, 0)
}

// finish numbers the records of each computer in the order in which it made them, and puts what is sent in order.
func (g *generator) finish() {
	order := make([]int32, len(g.revs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &g.revs[i], &g.revs[j]
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.recorded, b.recorded), cmp.Compare(i, j))
	})
	next := make([]uint32, len(g.sources.ids))
	for _, i := range order {
		r := &g.revs[i]
		next[r.source]++
		r.seq = next[r.source]
	}
	slices.SortFunc(g.sends, func(a, b send) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rev, b.rev)) })
}
