package reconcile

import (
	"iter"

	"retorno/schemas/calendar"
)

// Stretch is what facts come to that follow each other in the method's order, whatever stands before and after them:
// the returns that begin and end in it, and the parts of returns at its two ends. Stretches joined in their order come
// to what all their facts come to, however the facts were divided, so that a person of a million facts need not be
// reconciled as a whole for each new one.
type Stretch struct {
	head, tail part // of the return that may be open before it, and of the one that may be open after it
	inner      []Return
	// divided: a return ends somewhere in it. Else head holds all of it, and tail nothing.
	divided bool
}

// Of makes s the stretch of these facts, which are in the method's order (Reconcile leaves them so), into the space
// that s has.
func (s *Stretch) Of(facts []Fact) {
	*s = Stretch{inner: s.inner[:0]}
	s.walk(facts)
}

// walk adds facts at the end. Return crossings and registrations open a return or join the open one; an exit ends it.
func (s *Stretch) walk(facts []Fact) {
	for i := range facts {
		f := &facts[i]
		switch {
		case !f.Counts():
		case f.Kind == Crossing && f.Direction == exit:
			s.end()
		case f.Kind == Registration || f.Kind == Crossing && f.Returned:
			if open := s.open(); !open.empty() && open.tooEarlyFor(f.Arrival) {
				s.end()
			}
			s.open().add(f)
		}
	}
}

// open is the part at the end.
func (s *Stretch) open() *part {
	if s.divided {
		return &s.tail
	}
	return &s.head
}

// end ends the return that is open at the end, if there is one.
func (s *Stretch) end() {
	if s.divided && !s.tail.empty() {
		s.inner = s.tail.whole(s.inner)
		s.tail = part{}
	}
	s.divided = true
}

// Join appends to returns those of stretches that follow each other and hold all facts of a person.
func Join(returns []Return, stretches iter.Seq[*Stretch]) []Return {
	var open part
	for s := range stretches {
		if !s.head.empty() {
			if _, arrival := s.head.first(); !open.empty() && open.tooEarlyFor(arrival) {
				returns, open = open.whole(returns), part{}
			}
			open.join(&s.head)
		}
		if s.divided {
			if !open.empty() {
				returns = open.whole(returns)
			}
			returns, open = append(returns, s.inner...), s.tail
		}
	}
	if !open.empty() {
		returns = open.whole(returns)
	}
	return returns
}

// part is what facts of one return come to that follow each other: its registrations and its crossings apart, because
// an attribute is asked of all registrations before any crossing, or the other way round. Each of the two has the id
// and arrival of its first fact.
type part struct {
	registrations, crossings Return
	last                     int64 // arrival of the last fact
}

func (p *part) empty() bool { return !p.registrations.Registered && !p.crossings.Checkpoint }

// tooEarlyFor reports whether the part's last fact lies too long before a fact that arrives then to be in one return
// with it.
func (p *part) tooEarlyFor(arrival int64) bool { return arrival-p.last > SameReturnGap.Milliseconds() }

// first is the record id and the arrival of the part's first fact in the method's order.
func (p *part) first() (ID, int64) {
	r, c := &p.registrations, &p.crossings
	if !c.Checkpoint || r.Registered && (r.Arrival < c.Arrival || r.Arrival == c.Arrival && compareIDs(&r.ID, &c.ID) < 0) {
		return r.ID, r.Arrival
	}
	return c.ID, c.Arrival
}

// add adds a registration or a return crossing at the end.
func (p *part) add(f *Fact) {
	p.last = f.Arrival
	if f.Kind == Registration {
		r := p.registrations.begin(f)
		r.Registered = true
		state(&r.EntryPoint, f.EntryPoint)
		state(&r.ExitPoint, f.ExitPoint)
		state(&r.Centre, f.Centre)
		state(&r.Department, f.Department)
		state(&r.Municipality, f.Municipality)
		state(&r.Accompanied, f.Accompanied)
		if r.Reasons == 0 {
			r.Reasons = f.Reasons
		}
		return
	}
	c := p.crossings.begin(f)
	c.Checkpoint = true
	state(&c.EntryPoint, f.BorderPoint)
}

// begin takes what registrations and crossings both can state; of the first fact, its id and arrival, too.
func (r *Return) begin(f *Fact) *Return {
	if !r.Registered && !r.Checkpoint {
		r.ID, r.Arrival, r.Age = f.RecordID, f.Arrival, -1
	}
	state(&r.Country, f.Country)
	state(&r.Mode, f.Mode)
	state(&r.ReturnType, f.ReturnType)
	state(&r.Sex, f.Sex)
	state(&r.Nationality, f.Nationality)
	if r.Age < 0 {
		r.Age = f.Age
	}
	return r
}

// join adds a part that is not empty at the end.
func (p *part) join(next *part) {
	p.last = next.last
	p.registrations.then(&next.registrations)
	p.crossings.then(&next.crossings)
}

// then adds what later facts of the same kind state; either may stand for no fact at all.
func (r *Return) then(later *Return) {
	switch {
	case !later.Registered && !later.Checkpoint:
	case !r.Registered && !r.Checkpoint:
		*r = *later
	default:
		r.fill(later)
	}
}

// fill takes from another one every attribute that r does not state.
func (r *Return) fill(from *Return) {
	state(&r.Country, from.Country)
	state(&r.Mode, from.Mode)
	state(&r.ReturnType, from.ReturnType)
	state(&r.EntryPoint, from.EntryPoint)
	state(&r.ExitPoint, from.ExitPoint)
	state(&r.Centre, from.Centre)
	state(&r.Department, from.Department)
	state(&r.Municipality, from.Municipality)
	state(&r.Sex, from.Sex)
	state(&r.Accompanied, from.Accompanied)
	state(&r.Nationality, from.Nationality)
	if r.Reasons == 0 {
		r.Reasons = from.Reasons
	}
	if r.Age < 0 {
		r.Age = from.Age
	}
}

// state keeps the first answer that is one.
func state(attribute *Code, answer Code) {
	if *attribute == 0 {
		*attribute = answer
	}
}

// whole appends the return of which this is all: each attribute from its earliest registration that states it, else from
// its earliest crossing.
func (p *part) whole(returns []Return) []Return {
	c := &p.crossings
	if !p.registrations.Registered {
		returns = append(returns, *c)
		r := &returns[len(returns)-1]
		r.Centre, r.Day = notRegistered, calendar.DayOf(c.Arrival)
		return returns
	}
	returns = append(returns, p.registrations)
	r := &returns[len(returns)-1]
	dayOf := r.Arrival
	if c.Checkpoint {
		r.ID, r.Arrival = p.first()
		if c.EntryPoint != 0 { // of where people came back in, the post itself knows best
			r.EntryPoint = c.EntryPoint
		}
		r.fill(c)
		r.Checkpoint, dayOf = true, c.Arrival
	}
	r.Day = calendar.DayOf(dayOf)
	return returns
}
