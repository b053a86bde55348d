package reconcile

import (
	"strconv"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Attributes are the attributes of a return, always all and in the same order.
func (r *Return) Attributes() []Attribute {
	all := make([]Attribute, len(attributes))
	for i, a := range attributes {
		all[i] = Attribute{a.name, a.of(r)}
	}
	return all
}

// AttributeNames are the names of Attributes in their order.
func AttributeNames() []string {
	names := make([]string, len(attributes))
	for i, a := range attributes {
		names[i] = a.name
	}
	return names
}

// Attribute is one attribute of a return by its name; empty for a name that is none.
func (r *Return) Attribute(name string) string {
	for _, a := range attributes {
		if a.name == name {
			return a.of(r)
		}
	}
	return ""
}

// attribute is a column of retorno.returns: how a return has it, and how facts give it. values are those of the
// attributes before it.
type attribute struct {
	name   string
	of     func(*Return) string
	reason func(facts, registrations, crossings []*Fact, values map[string]string) Reason
}

// attributes in the order of the dictionary; what is derived stands after what it is derived from.
var attributes = func() []attribute {
	all := []attribute{
		{"day", func(r *Return) string { return r.Day.String() }, reasonOfDay},
		{"arrival", func(r *Return) string { return LocalTime(r.Arrival) }, func(facts, _, _ []*Fact, _ map[string]string) Reason {
			return Reason{Attribute{Value: LocalTime(facts[0].Arrival)}, facts[0].RecordID, ByFirstFact}
		}},
	}
	for _, a := range dictionary.Attributes() {
		switch {
		case !a.OfReturn():
		case a.Name == "age":
			all = append(all, stated(a, func(r *Return) string { return ageText(r.Age) }, func(f *Fact) string { return ageStated(f.Age) }, unknownText), ageGroup)
		case a.Name == "reasons":
			all = append(all, stated(a, func(r *Return) string { return orUnknown(reasonsText(r.Reasons)) }, func(f *Fact) string { return reasonsText(f.Reasons) }, unknownText))
		case a.Coded == dictionary.Centre:
			all = append(all, attribute{a.Name, textOf(a), reasonOfCentre})
		case a.Coded == dictionary.Mode:
			all = append(all, coded(a), route)
		default:
			all = append(all, coded(a))
		}
	}
	return append(all,
		attribute{"registered", func(r *Return) string { return bit(r.Registered) }, func(_, registrations, _ []*Fact, _ map[string]string) Reason { return holds(registrations) }},
		attribute{"checkpoint", func(r *Return) string { return bit(r.Checkpoint) }, func(_, _, crossings []*Fact, _ map[string]string) Reason { return holds(crossings) }})
}()

// The derived ones.
var (
	route = attribute{"route", func(r *Return) string {
		return codelists.RouteOf(lists[dictionary.Country].At(r.Codes[dictionary.Country]), lists[dictionary.Mode].At(r.Codes[dictionary.Mode]))
	}, func(_, _, _ []*Fact, v map[string]string) Reason {
		return Reason{Attribute{Value: codelists.RouteOf(v["country"], v["mode"])}, ID{}, ByCountryMode}
	}}
	ageGroup = attribute{"age_group", func(r *Return) string { return ageGroupList.At(r.AgeGroup()) }, func(_, _, _ []*Fact, v map[string]string) Reason {
		age, err := strconv.Atoi(v["age"])
		if err != nil {
			age = -1 // not stated
		}
		return Reason{Attribute{Value: codelists.AgeGroupOf(age)}, ID{}, ByAge}
	}}
)

const unknownText = "unknown"

func textOf(a *dictionary.Attribute) func(*Return) string {
	return func(r *Return) string { return lists[a.Coded].At(r.Codes[a.Coded]) }
}

func coded(a *dictionary.Attribute) attribute {
	post := a.Coded // of crossings
	if a.Post != "" {
		post = dictionary.Get(a.Post).Coded
	}
	return stated(a, textOf(a), func(f *Fact) string {
		code := f.Codes[a.Coded]
		if f.Kind == Crossing {
			code = f.Codes[post]
		}
		if code == 0 {
			return ""
		}
		return lists[a.Coded].At(code)
	}, lists[a.Coded].Unknown)
}

// stated is an attribute that comes from the earliest fact that states it; states gives empty text where it does not.
func stated(a *dictionary.Attribute, of func(*Return) string, states func(*Fact) string, unknown string) attribute {
	first := func(facts []*Fact, rule Rule) (Reason, bool) {
		for _, f := range facts {
			if text := states(f); text != "" {
				return Reason{Attribute{Value: text}, f.RecordID, rule}, true
			}
		}
		return Reason{Attribute{Value: unknown}, ID{}, ByNobody}, false
	}
	return attribute{a.Name, of, func(_, registrations, crossings []*Fact, _ map[string]string) Reason {
		if a.Method == dictionary.PostsFirst {
			if r, ok := first(crossings, ByCrossing); ok {
				return r
			}
		}
		r, ok := first(registrations, ByRegistration)
		if !ok && a.Method == dictionary.RegistrationsFirst {
			r, _ = first(crossings, ByCrossing)
		}
		return r
	}}
}
