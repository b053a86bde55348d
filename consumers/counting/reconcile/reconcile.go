// Package reconcile is the method, version 1: how one person's facts become that person's returns, helps and
// crossings, and how those become cells.
//
// It promises that the result depends on the set of facts alone: no clock, no I/O, no goroutine, no map order. It
// never fails: whatever facts there are, they have one answer. The same method stands a second time in SQL, in
// package verify, and the two are compared for ever.
package reconcile

import (
	"slices"
	"sort"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// MethodVersion stands beside each return. A change of the method is a new version and a recount.
const MethodVersion = 1

// SameReturnGap is method.same_return_gap: a fact that arrives at most so long after the fact before it in the open
// return joins it.
const SameReturnGap = 48 * time.Hour

// Return is one arrival of one returned person. Codes are indexes of their lists, 0 where nothing states them.
type Return struct {
	// ID is the record id of the first fact.
	ID ID
	// Arrival is that of the first fact; milliseconds since 1970-01-01 UTC.
	Arrival int64
	// Day is the local date of the earliest crossing, else of the earliest registration's arrival.
	Day calendar.Day
	// Age in completed years; -1 when not stated.
	Age int16
	// Reasons has bit i set for the reason with index i.
	Reasons uint16

	// Codes are its attributes by place in the dictionary.
	Codes ReturnCodes
	// Registered: it holds a registration. Checkpoint: it holds a return crossing.
	Registered, Checkpoint bool
}

// National reports whether the return is counted among those of nationals: nationality Honduran or not stated.
func (r *Return) National() bool {
	nationality := r.Codes[dictionary.Nationality]
	return nationality == 0 || nationality == honduras
}

// AgeGroup is the index of the return's age group in its list.
func (r *Return) AgeGroup() Code { return ageGroupOf(r.Age) }

// ageGroups is the index of the age group of each age; the last one is that of an age that is not stated.
var ageGroups = func() (all [codelists.MaxAge + 2]Code) {
	for age := range all {
		all[age] = ageGroupList.code(codelists.AgeGroupOf(age))
	}
	return all
}()

func ageGroupOf(age int16) Code {
	if age < 0 || age > codelists.MaxAge {
		return ageGroups[codelists.MaxAge+1]
	}
	return ageGroups[age]
}

// Help is one help given, with what the return it belongs to says of the person.
type Help struct {
	RecordID ID
	// Return is the return it belongs to; zero when there is none before it.
	Return        ID
	Day           calendar.Day
	Centre, Kind  Code
	Sex, AgeGroup Code
}

// Person is what one person's facts amount to.
type Person struct {
	Returns []Return // in order of arrival
	Helps   []Help   // in order of time
	// Crossings are the cells that the person's crossings fall in, one each.
	Crossings []CrossingCell
}

// Reconcile applies the method to all facts of one person, each in its latest revision, in any order. The facts are
// sorted in place.
func Reconcile(facts []Fact) Person {
	var p Person
	p.Reconcile(facts)
	return p
}

// Reconcile is the function Reconcile, into the space that p has.
func (p *Person) Reconcile(facts []Fact) {
	if len(facts) == 0 {
		p.Returns, p.Helps, p.Crossings = p.Returns[:0], p.Helps[:0], p.Crossings[:0]
		return
	}
	slices.SortFunc(facts, func(a, b Fact) int { return byArrival(&a, &b) })
	all := Stretch{inner: p.Returns[:0], divided: true} // as after an exit: nothing is open before it
	all.walk(facts)
	p.Returns = all.inner
	if !all.tail.empty() {
		p.Returns = all.tail.whole(p.Returns)
	}
	p.Apart(facts, p.Returns)
}

// Apart works out what each fact comes to apart from the others, into the space that p has: the helps and the
// crossings. The facts may be some of a person's, in the method's order; returns are all of the person's.
func (p *Person) Apart(facts []Fact, returns []Return) {
	p.Helps, p.Crossings = p.Helps[:0], p.Crossings[:0]
	for i := range facts {
		switch f := &facts[i]; {
		case !f.Counts():
		case f.Kind == Crossing:
			p.Crossings = append(p.Crossings, CrossingCell{Day: calendar.DayOf(f.Event), BorderPoint: f.Codes[dictionary.BorderPoint],
				Direction: f.Codes[dictionary.Direction], DocumentCheck: f.Codes[dictionary.DocumentCheck]})
		case f.Kind == Assistance:
			p.Helps = append(p.Helps, helpOf(f, returns))
		}
	}
}

// helpOf gives a help to the latest return whose first fact arrived before it or with it.
func helpOf(f *Fact, returns []Return) Help {
	h := Help{RecordID: f.RecordID, Day: calendar.DayOf(f.Event), Centre: f.Codes[dictionary.Centre], Kind: f.Codes[dictionary.AssistanceKind],
		AgeGroup: ageGroupOf(-1)}
	if later := sort.Search(len(returns), func(i int) bool { return returns[i].Arrival > f.Event }); later > 0 {
		r := &returns[later-1]
		h.Return, h.Sex, h.AgeGroup = r.ID, r.Codes[dictionary.Sex], r.AgeGroup()
	}
	return h
}
