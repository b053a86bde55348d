package register

import (
	"bytes"
	"slices"
	"sort"
	"testing"

	"github.com/google/uuid"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
	"retorno/schemas/tables"
)

// Here the method is said once more, slowly and straight from its text, over the messages themselves. It shares no
// code with the generator: what the two agree on, the events really say.

// heard is one record as the latest revision heard of it says.
type heard struct {
	record *events.Record
	id     uuid.UUID
	hash   uint64
	sentAt int64
}

func (h *heard) arrival() int64 {
	if at := h.record.GetRegistration().GetArrivalTimeMs(); at != 0 {
		return at
	}
	return h.record.GetEventTimeMs()
}

// counted is what a reader of all messages ends up with.
type counted struct {
	messages   int
	rejected   map[string]int
	records    map[string]*heard
	held       int
	seqs       map[string]map[uint64]bool
	returns    map[uuid.UUID]Return
	firstHelp  map[uuid.UUID]bool // returns under which a person is helped for the first time in the period
	helped     int
	helps      map[HelpCell]int
	crossings  map[CrossingCell]int
	duplicates int
}

// read takes all messages in.
func read(t testing.TB, messages []events.Message) *counted {
	c := &counted{rejected: map[string]int{}, records: map[string]*heard{}, seqs: map[string]map[uint64]bool{},
		returns: map[uuid.UUID]Return{}, firstHelp: map[uuid.UUID]bool{}, helps: map[HelpCell]int{}, crossings: map[CrossingCell]int{}}
	for _, m := range messages {
		c.messages++
		o, err := events.Open(m.Value)
		if err != nil {
			c.rejected[err.(*events.Rejection).Code]++
			continue
		}
		if faults := events.Validate(o.Record); len(faults) > 0 {
			c.rejected[faults[0].Code]++
			continue
		}
		if m.Topic != events.Topic(o.Record) || string(m.Key) != events.Key(o.Record) {
			t.Fatalf("record %s is sent to %s under %s", o.Record.RecordId, m.Topic, m.Key)
		}
		c.take(o)
	}
	return c
}

// take keeps the latest revision; of two contents of one revision the one with the larger hash; of each the latest
// sending.
func (c *counted) take(o events.Opened) {
	r := o.Record
	if c.seqs[r.SourceId] == nil {
		c.seqs[r.SourceId] = map[uint64]bool{}
	}
	c.seqs[r.SourceId][r.SourceSeq] = true
	now := &heard{record: r, id: uuid.MustParse(r.RecordId), hash: o.ContentHash, sentAt: o.SentAtMs}
	was, known := c.records[r.RecordId]
	switch {
	case !known || r.Revision > was.record.Revision || r.Revision == was.record.Revision && now.hash > was.hash:
		c.records[r.RecordId] = now
	case r.Revision == was.record.Revision && now.hash == was.hash:
		c.duplicates++
		was.sentAt = max(was.sentAt, now.sentAt)
	}
}

// reckon applies the method to everybody.
func (c *counted) reckon(first, last calendar.Day) {
	people := map[string][]*heard{}
	for _, h := range c.records {
		if h.record.VoidReason != "" {
			continue
		}
		if h.record.EventTimeMs > h.sentAt+3600_000 {
			c.held++
			continue
		}
		people[events.Key(h.record)] = append(people[events.Key(h.record)], h)
	}
	for key, facts := range people {
		sort.Slice(facts, func(i, j int) bool {
			a, b := facts[i], facts[j]
			return a.arrival() < b.arrival() || a.arrival() == b.arrival() && bytes.Compare(a.id[:], b.id[:]) < 0
		})
		c.person(uuid.MustParse(key), facts, first, last)
	}
}

func (c *counted) person(person uuid.UUID, facts []*heard, first, last calendar.Day) {
	var groups [][]*heard
	open := false
	for _, f := range facts {
		x := f.record.GetCrossing()
		if x != nil && x.Direction == "exit" {
			open = false
			continue
		}
		if f.record.GetRegistration() == nil && !x.GetReturned() {
			continue
		}
		if open {
			group := groups[len(groups)-1]
			if f.arrival()-group[len(group)-1].arrival() <= 48*3600_000 {
				groups[len(groups)-1] = append(group, f)
				continue
			}
		}
		groups, open = append(groups, []*heard{f}), true
	}
	for _, group := range groups {
		c.returns[group[0].id] = returnOf(person, group)
	}
	wasHelped := false
	for _, f := range facts { // in order of time: help arrives when it is given
		if x := f.record.GetCrossing(); x != nil {
			check := x.DocumentCheck
			if check == "" {
				check = "unknown"
			}
			c.crossings[CrossingCell{calendar.DayOf(f.record.EventTimeMs).String(), x.BorderPoint, x.Direction, check}]++
		}
		if f.record.GetAssistance() == nil {
			continue
		}
		var to []*heard
		for _, group := range groups {
			if group[0].arrival() <= f.arrival() {
				to = group
			}
		}
		day := calendar.DayOf(f.record.EventTimeMs)
		cell := HelpCell{day.String(), f.record.GetAssistance().Centre, f.record.GetAssistance().Kind, "U", "unknown"}
		if to != nil {
			r := c.returns[to[0].id]
			cell.Sex, cell.AgeGroup = r.Sex, r.AgeGroup
		}
		c.helps[cell]++
		if first <= day && day <= last && !wasHelped {
			wasHelped = true
			c.helped++
			if to != nil {
				c.firstHelp[to[0].id] = true
			}
		}
	}
}

// said asks registrations in order, then crossings in order, for the first statement.
func said(group []*heard, unknown string, of func(*events.Registration) string, or func(*events.Crossing) string) string {
	for _, ask := range []func(*events.Record) string{
		func(r *events.Record) string { return of(r.GetRegistration()) },
		func(r *events.Record) string { return or(r.GetCrossing()) },
	} {
		for _, f := range group {
			if s := ask(f.record); s != "" && s != unknown {
				return s
			}
		}
	}
	return unknown
}

func nothing(*events.Crossing) string { return "" }

func returnOf(person uuid.UUID, group []*heard) Return {
	type R = *events.Registration
	type X = *events.Crossing
	r := Return{ReturnID: group[0].id, Person: person, Age: -1,
		Country:       said(group, "XX", R.GetCountry, X.GetCountry),
		Mode:          said(group, "unknown", R.GetMode, X.GetMode),
		ReturnType:    said(group, "unknown", R.GetReturnType, X.GetReturnType),
		Sex:           said(group, "U", R.GetSex, X.GetSex),
		Nationality:   said(group, "XX", R.GetNationality, X.GetNationality),
		ExitPoint:     said(group, "X-UNK", R.GetExitPoint, nothing),
		Department:    said(group, "XX", R.GetDepartment, nothing),
		Municipality:  said(group, "XX", R.GetMunicipality, nothing),
		Accompaniment: said(group, "unknown", R.GetAccompanied, nothing),
		Centre:        "X-NON", EntryPoint: "X-UNK"}
	var arrival int64
	for _, f := range slices.Backward(group) {
		if x := f.record.GetRegistration(); x != nil {
			r.Registered = true
			arrival = f.arrival()
			if x.EntryPoint != "" && x.EntryPoint != "X-UNK" {
				r.EntryPoint = x.EntryPoint
			}
			if len(x.Reasons) > 0 && x.Reasons[0] != "unknown" {
				r.Reasons = x.Reasons
			}
		}
	}
	for _, f := range slices.Backward(group) {
		if x := f.record.GetCrossing(); x != nil {
			r.Checkpoint = true
			arrival = f.arrival()
			r.EntryPoint = x.BorderPoint
			if x.Age != nil {
				r.Age = int(*x.Age)
			}
		}
	}
	for _, f := range slices.Backward(group) {
		if x := f.record.GetRegistration(); x != nil && x.Age != nil {
			r.Age = int(*x.Age)
		}
	}
	if r.Registered {
		r.Centre = said(group, "X-UNK", R.GetCentre, nothing)
	}
	r.Day = calendar.DayOf(arrival)
	r.Date, r.AgeGroup = r.Day.String(), codelists.AgeGroupOf(r.Age)
	r.Route = codelists.RouteOf(r.Country, r.Mode)
	r.National = r.Nationality == "HN" || r.Nationality == "XX"
	return r
}

// printed counts the table back out of the returns.
func (c *counted) printed(table *tables.Table) []tables.Difference {
	tally := tables.NewTally(table)
	for id, r := range c.returns {
		if r.Registered && r.National && table.First <= r.Day && r.Day <= table.Last {
			tally.Add(&tables.Attributes{Country: r.Country, Mode: r.Mode, ReturnType: r.ReturnType, EntryPoint: r.EntryPoint,
				ExitPoint: r.ExitPoint, Centre: r.Centre, Department: r.Department, Sex: r.Sex, Accompaniment: r.Accompaniment,
				Age: r.Age, Month: r.Day.Month(), Reasons: r.Reasons}, c.firstHelp[id])
		}
	}
	return tally.Differences()
}

// cells counts the cube.
func (c *counted) cells() map[ReturnCell]ReturnCount {
	cells := map[ReturnCell]ReturnCount{}
	for _, r := range c.returns {
		if !r.National {
			continue
		}
		k := ReturnCell{r.Date, r.Route, r.ReturnType, r.EntryPoint, r.ExitPoint, r.Centre, r.Sex, r.AgeGroup}
		n := cells[k]
		n.Reconciled++
		if r.Registered {
			n.Registered++
		}
		if r.Checkpoint {
			n.Checkpoint++
		}
		cells[k] = n
	}
	return cells
}
