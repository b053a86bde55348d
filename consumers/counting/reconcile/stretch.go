package reconcile

import (
	"iter"

	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
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
		case f.Kind == Crossing && f.Codes[dictionary.Direction] == exit:
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
		p.registrations.begin(f)
		p.registrations.Registered = true
		return
	}
	p.crossings.begin(f)
	p.crossings.Checkpoint = true
}

// begin takes what a fact states and no fact before it did; of the first fact, its id and arrival, too.
func (r *Return) begin(f *Fact) {
	if !r.Registered && !r.Checkpoint {
		r.ID, r.Arrival, r.Age = f.RecordID, f.Arrival, -1
	}
	for _, from := range statedBy[f.Kind] {
		if r.Codes[from.attribute] == 0 {
			r.Codes[from.attribute] = f.Codes[from.code]
		}
	}
	if r.Age < 0 {
		r.Age = f.Age
	}
	if r.Reasons == 0 {
		r.Reasons = f.Reasons
	}
}

// statedBy is, by kind of fact, which of its codes gives which attribute of a return.
var statedBy = func() (all [Registration + 1][]struct{ attribute, code dictionary.Coded }) {
	for i := range dictionary.ReturnCodes {
		attribute := dictionary.Coded(i)
		a := attribute.Attribute()
		if a.Method != dictionary.RegistrationsOnly {
			code := attribute
			if a.Post != "" {
				code = dictionary.Get(a.Post).Coded
			}
			all[Crossing] = append(all[Crossing], struct{ attribute, code dictionary.Coded }{attribute, code})
		}
		all[Registration] = append(all[Registration], struct{ attribute, code dictionary.Coded }{attribute, attribute})
	}
	return all
}()

// byPosts are the attributes of a return that crossings are asked for first.
var byPosts = func() (all []dictionary.Coded) {
	for i := range dictionary.ReturnCodes {
		if c := dictionary.Coded(i); c.Attribute().Method == dictionary.PostsFirst {
			all = append(all, c)
		}
	}
	return all
}()

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
	for i, code := range from.Codes {
		if r.Codes[i] == 0 {
			r.Codes[i] = code
		}
	}
	if r.Reasons == 0 {
		r.Reasons = from.Reasons
	}
	if r.Age < 0 {
		r.Age = from.Age
	}
}

// whole appends the return of which this is all: each attribute from its earliest registration that states it, else from
// its earliest crossing.
func (p *part) whole(returns []Return) []Return {
	c := &p.crossings
	if !p.registrations.Registered {
		returns = append(returns, *c)
		r := &returns[len(returns)-1]
		r.Codes[dictionary.Centre], r.Day = notRegistered, calendar.DayOf(c.Arrival)
		return returns
	}
	returns = append(returns, p.registrations)
	r := &returns[len(returns)-1]
	dayOf := r.Arrival
	if c.Checkpoint {
		r.ID, r.Arrival = p.first()
		for _, attribute := range byPosts {
			if code := c.Codes[attribute]; code != 0 {
				r.Codes[attribute] = code
			}
		}
		r.fill(c)
		r.Checkpoint, dayOf = true, c.Arrival
	}
	r.Day = calendar.DayOf(dayOf)
	return returns
}
