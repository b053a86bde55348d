package reconcile

import (
	"bytes"
	"sort"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// slow is the method a second time, written from its text with no thought for speed: every step scans all facts.
// It shares with the code under test only the types and the code lists.
func slow(facts []Fact) []Return {
	var ordered []Fact
	for _, f := range facts {
		if f.Void || f.Future || f.Kind == Assistance {
			continue
		}
		ordered = append(ordered, f)
	}
	sort.Slice(ordered, func(i, j int) bool {
		if ordered[i].Arrival != ordered[j].Arrival {
			return ordered[i].Arrival < ordered[j].Arrival
		}
		return bytes.Compare(ordered[i].RecordID[:], ordered[j].RecordID[:]) < 0
	})
	var groups [][]Fact
	open := false
	for _, f := range ordered {
		isExit := f.Kind == Crossing && lists[dictionary.Direction].At(f.Codes[dictionary.Direction]) == "exit"
		counts := f.Kind == Registration || f.Kind == Crossing && f.Returned
		if isExit {
			open = false
			continue
		}
		if !counts {
			continue
		}
		if open {
			last := groups[len(groups)-1]
			before := time.UnixMilli(last[len(last)-1].Arrival)
			if time.UnixMilli(f.Arrival).Sub(before) <= 48*time.Hour {
				groups[len(groups)-1] = append(last, f)
				continue
			}
		}
		groups = append(groups, []Fact{f})
		open = true
	}
	var returns []Return
	for _, g := range groups {
		returns = append(returns, slowReturn(g))
	}
	return returns
}

func slowReturn(facts []Fact) Return {
	var registrations, crossings []Fact
	for _, f := range facts {
		if f.Kind == Registration {
			registrations = append(registrations, f)
		} else {
			crossings = append(crossings, f)
		}
	}
	pick := func(of func(Fact) Code, from ...[]Fact) Code {
		for _, group := range from {
			for _, f := range group {
				if of(f) != 0 {
					return of(f)
				}
			}
		}
		return 0
	}
	r := Return{ID: facts[0].RecordID, Arrival: facts[0].Arrival, Age: -1,
		Registered: len(registrations) > 0, Checkpoint: len(crossings) > 0}
	r.Codes[dictionary.Country] = pick(func(f Fact) Code { return f.Codes[dictionary.Country] }, registrations, crossings)
	r.Codes[dictionary.Mode] = pick(func(f Fact) Code { return f.Codes[dictionary.Mode] }, registrations, crossings)
	r.Codes[dictionary.ReturnType] = pick(func(f Fact) Code { return f.Codes[dictionary.ReturnType] }, registrations, crossings)
	r.Codes[dictionary.Sex] = pick(func(f Fact) Code { return f.Codes[dictionary.Sex] }, registrations, crossings)
	r.Codes[dictionary.Nationality] = pick(func(f Fact) Code { return f.Codes[dictionary.Nationality] }, registrations, crossings)
	r.Codes[dictionary.ExitPoint] = pick(func(f Fact) Code { return f.Codes[dictionary.ExitPoint] }, registrations)
	r.Codes[dictionary.Department] = pick(func(f Fact) Code { return f.Codes[dictionary.Department] }, registrations)
	r.Codes[dictionary.Municipality] = pick(func(f Fact) Code { return f.Codes[dictionary.Municipality] }, registrations)
	r.Codes[dictionary.Accompanied] = pick(func(f Fact) Code { return f.Codes[dictionary.Accompanied] }, registrations)
	r.Reasons = pick(func(f Fact) Code { return f.Reasons }, registrations)
	r.Codes[dictionary.EntryPoint] = pick(func(f Fact) Code { return f.Codes[dictionary.BorderPoint] }, crossings)
	if r.Codes[dictionary.EntryPoint] == 0 {
		r.Codes[dictionary.EntryPoint] = pick(func(f Fact) Code { return f.Codes[dictionary.EntryPoint] }, registrations)
	}
	r.Codes[dictionary.Centre], _ = lists[dictionary.Centre].Index("X-NON")
	if r.Registered {
		r.Codes[dictionary.Centre] = pick(func(f Fact) Code { return f.Codes[dictionary.Centre] }, registrations)
	}
	for _, group := range [][]Fact{registrations, crossings} {
		for _, f := range group {
			if r.Age < 0 {
				r.Age = f.Age
			}
		}
	}
	if r.Checkpoint {
		r.Day = calendar.DayOf(crossings[0].Arrival)
	} else {
		r.Day = calendar.DayOf(registrations[0].Arrival)
	}
	return r
}

// slowHelps gives each help to the latest of the returns whose first fact arrived before it or with it.
func slowHelps(facts []Fact, returns []Return) []Help {
	var ordered []Fact
	for _, f := range facts {
		if !f.Void && !f.Future && f.Kind == Assistance {
			ordered = append(ordered, f)
		}
	}
	sort.Slice(ordered, func(i, j int) bool {
		if ordered[i].Arrival != ordered[j].Arrival {
			return ordered[i].Arrival < ordered[j].Arrival
		}
		return bytes.Compare(ordered[i].RecordID[:], ordered[j].RecordID[:]) < 0
	})
	var helps []Help
	for _, f := range ordered {
		unknown, _ := ageGroupList.Index("unknown")
		h := Help{RecordID: f.RecordID, Day: calendar.DayOf(f.Event), Centre: f.Codes[dictionary.Centre], Kind: f.Codes[dictionary.AssistanceKind], AgeGroup: unknown}
		for _, r := range returns {
			if r.Arrival <= f.Event {
				h.Return, h.Sex, h.AgeGroup = r.ID, r.Codes[dictionary.Sex], r.AgeGroup()
			}
		}
		helps = append(helps, h)
	}
	return helps
}
