package reconcile

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Verdict is what the method does with one fact, at its place in the order.
type Verdict string

// What METHOD.md, "Returns", "Help" and "What is left out", can do with a fact.
const (
	Opens       Verdict = "opens"       // it opens a return
	Joins       Verdict = "joins"       // it joins the open return
	Closes      Verdict = "closes"      // an exit that closes the open return
	NothingOpen Verdict = "no_open"     // an exit while no return is open
	NoReturn    Verdict = "no_return"   // a crossing that is neither a return nor an exit
	HelpOf      Verdict = "help_of"     // help that belongs to a return
	Unattached  Verdict = "unattached"  // help before any return
	LeftVoid    Verdict = "left_void"   // left out: the revision that holds is void
	LeftFuture  Verdict = "left_future" // left out: it lies in the future of every copy
)

// Step is what the method does with one fact, and why.
type Step struct {
	Fact    Fact
	Verdict Verdict
	// Return is the return that the fact opens, joins or closes, or that a help belongs to; zero: none.
	Return ID
	// Before is the fact before it in the return that was open; zero when none was. A fact that Opens although there
	// is one came more than SameReturnGap after it.
	Before ID
	Gap    time.Duration // between Before and this fact
}

// Rule says why an attribute of a return has its value.
type Rule string

// The rules of METHOD.md, "Attributes".
const (
	ByRegistration  Rule = "registration"   // the earliest registration that states it
	ByCrossing      Rule = "crossing"       // the earliest return crossing that states it
	ByNobody        Rule = "unknown"        // nothing states it
	NotRegistered   Rule = "not_registered" // the return holds no registration
	ByFirstFact     Rule = "first_fact"     // the return's first fact
	ByFirstCrossing Rule = "first_crossing" // the earliest return crossing
	ByFirstRegister Rule = "first_registration"
	ByCountryMode   Rule = "country_and_mode"
	ByAge           Rule = "age"
	ByHolding       Rule = "holds"     // the return holds such a fact: the earliest one is named
	ByLacking       Rule = "holds_not" // the return holds no such fact
)

// Attribute is one attribute of a return by its column's name, as text: codes, local dates and times, 0 or 1.
type Attribute struct{ Name, Value string }

// Reason is an attribute, the fact that gave it (zero: none) and the rule.
type Reason struct {
	Attribute
	Fact ID
	Rule Rule
}

// TracedReturn is a return as Trace explains it: its facts in order, and each attribute with its reason.
type TracedReturn struct {
	ID      ID
	Facts   []ID
	Reasons []Reason
}

// Traced is how the method goes through one person's facts.
type Traced struct {
	Steps   []Step
	Returns []TracedReturn
}

// Trace explains what Reconcile makes of the same facts. It is for people who ask why: the numbers come from
// Reconcile, and a test holds the two against each other. The facts are left as they are.
func Trace(facts []Fact) Traced {
	steps, groups := walk(slices.Clone(facts))
	t := Traced{Steps: steps}
	for _, g := range groups {
		t.Returns = append(t.Returns, traceReturn(g))
	}
	return t
}

// Steps is Trace without the attributes: in which return each fact is.
func Steps(facts []Fact) []Step {
	steps, _ := walk(slices.Clone(facts))
	return steps
}

// walk goes through the facts in the method's order, which it brings them into, and groups those of each return.
func walk(facts []Fact) (steps []Step, groups [][]*Fact) {
	slices.SortFunc(facts, func(a, b Fact) int { return byArrival(&a, &b) })
	steps = make([]Step, len(facts))
	open := -1 // the group that is open
	for i := range facts {
		f := &facts[i]
		s := &steps[i]
		s.Fact = *f
		if open >= 0 {
			last := groups[open][len(groups[open])-1]
			s.Before, s.Gap = last.RecordID, time.Duration(f.Arrival-last.Arrival)*time.Millisecond
		}
		switch s.Verdict = verdict(f, open >= 0, s.Gap); s.Verdict {
		case Opens:
			groups = append(groups, []*Fact{f})
			open = len(groups) - 1
			s.Return = f.RecordID
		case Joins:
			groups[open] = append(groups[open], f)
			s.Return = groups[open][0].RecordID
		case Closes:
			s.Return = groups[open][0].RecordID
			open = -1
		default:
			s.Before, s.Gap = ID{}, 0
		}
	}
	attach(steps, groups)
	return steps, groups
}

// verdict is what happens to a fact while a return is open or not; help is attached once all returns are known.
func verdict(f *Fact, open bool, gap time.Duration) Verdict {
	switch {
	case f.Void:
		return LeftVoid
	case f.Future:
		return LeftFuture
	case f.Kind == Assistance:
		return Unattached
	case f.Kind == Crossing && f.Codes[dictionary.Direction] == exit && open:
		return Closes
	case f.Kind == Crossing && f.Codes[dictionary.Direction] == exit:
		return NothingOpen
	case f.Kind == Crossing && !f.Returned:
		return NoReturn
	case open && gap <= SameReturnGap:
		return Joins
	}
	return Opens
}

// attach gives each help to the latest return whose first fact arrived before it or with it.
func attach(steps []Step, groups [][]*Fact) {
	for i := range steps {
		s := &steps[i]
		if s.Verdict != Unattached {
			continue
		}
		if later := sort.Search(len(groups), func(i int) bool { return groups[i][0].Arrival > s.Fact.Event }); later > 0 {
			s.Verdict, s.Return = HelpOf, groups[later-1][0].RecordID
		}
	}
}

func traceReturn(facts []*Fact) TracedReturn {
	t := TracedReturn{ID: facts[0].RecordID}
	var registrations, crossings []*Fact
	for _, f := range facts {
		t.Facts = append(t.Facts, f.RecordID)
		if f.Kind == Registration {
			registrations = append(registrations, f)
		} else {
			crossings = append(crossings, f)
		}
	}
	values := map[string]string{}
	for _, a := range attributes {
		r := a.reason(facts, registrations, crossings, values)
		r.Name = a.name
		values[a.name] = r.Value
		t.Reasons = append(t.Reasons, r)
	}
	return t
}

func reasonOfDay(_, registrations, crossings []*Fact, _ map[string]string) Reason {
	of := func(f *Fact, rule Rule) Reason {
		return Reason{Attribute{Value: calendar.DayOf(f.Arrival).String()}, f.RecordID, rule}
	}
	if len(crossings) > 0 {
		return of(crossings[0], ByFirstCrossing)
	}
	return of(registrations[0], ByFirstRegister)
}

func reasonOfCentre(facts, registrations, crossings []*Fact, v map[string]string) Reason {
	if len(registrations) == 0 {
		return Reason{Attribute{Value: lists[dictionary.Centre].At(notRegistered)}, ID{}, NotRegistered}
	}
	return coded(dictionary.Centre.Attribute()).reason(facts, registrations, crossings, v)
}

func holds(facts []*Fact) Reason {
	if len(facts) == 0 {
		return Reason{Attribute{Value: bit(false)}, ID{}, ByLacking}
	}
	return Reason{Attribute{Value: bit(true)}, facts[0].RecordID, ByHolding}
}

func bit(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

func ageStated(age int16) string {
	if age < 0 {
		return ""
	}
	return strconv.Itoa(int(age))
}

func ageText(age int16) string { return orUnknown(ageStated(age)) }

func orUnknown(text string) string {
	if text == "" {
		return unknownText
	}
	return text
}

// reasonsText names the reasons of a set in the order of their names.
func reasonsText(bits uint16) string {
	var names []string
	for i, c := range reasonList.Codes() {
		if bits&(1<<i) != 0 {
			names = append(names, c.Code)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// LocalTime writes an instant, in milliseconds since 1970-01-01 UTC, as clocks in Honduras show it.
func LocalTime(ms int64) string {
	return time.UnixMilli(ms).In(calendar.Zone()).Format("2006-01-02 15:04:05.000")
}

// Text writes the cell's codes by the names of their columns.
func (c ReturnCell) Text() []Attribute {
	all := []Attribute{{"day", c.Day.String()}}
	for i, code := range c.Codes {
		switch a := dictionary.Coded(i); a {
		case dictionary.Country: // the route says both
		case dictionary.Mode:
			all = append(all, Attribute{"route", codelists.RouteOf(lists[dictionary.Country].At(c.Codes[dictionary.Country]), lists[a].At(code))})
		default:
			all = append(all, Attribute{a.Attribute().Name, lists[a].At(code)})
		}
	}
	return append(all, Attribute{"age_group", ageGroupList.At(c.AgeGroup)})
}

// Text writes the cell's codes by the names of their columns.
func (c HelpCell) Text() []Attribute {
	return []Attribute{{"day", c.Day.String()}, {"centre", lists[dictionary.Centre].At(c.Centre)}, {"kind", lists[dictionary.AssistanceKind].At(c.Kind)},
		{"sex", lists[dictionary.Sex].At(c.Sex)}, {"age_group", ageGroupList.At(c.AgeGroup)}}
}

// Text writes the cell's codes by the names of their columns.
func (c CrossingCell) Text() []Attribute {
	return []Attribute{{"day", c.Day.String()}, {"border_point", lists[dictionary.BorderPoint].At(c.BorderPoint)},
		{"direction", lists[dictionary.Direction].At(c.Direction)}, {"document_check", lists[dictionary.DocumentCheck].At(c.DocumentCheck)}}
}
