package tables

import (
	"fmt"
	"slices"
	"strings"
)

// Adult is the age from which a person is an adult in every block that does not move the cut.
const Adult = 18

// AdultCivil is the age of majority that some publishers print children up to (`_0_20` categories): 21.
const AdultCivil = 21

// MaxAge is the highest age that a return can state.
const MaxAge = 120

// Ages is a range of ages in completed years, both ends included.
type Ages struct{ Min, Max int }

// Filter selects returns: those that satisfy every one of its conditions. The zero Filter selects all.
// A list condition holds when the return's code is one of the list (sorted, without repetition); nil is no condition.
// Lists never hold "": an unknown code is there only when the table names it.
type Filter struct {
	Countries      []string
	Modes          []string
	ReturnTypes    []string
	EntryPoints    []string
	ExitPoints     []string
	Centres        []string
	Departments    []string
	Sexes          []string
	Accompaniments []string
	// Months are months of arrival, "2016-06".
	Months []string
	// Ages, when set, demands a stated age in the range.
	Ages *Ages
	// Reason, when set, must be one of the return's reasons; ReasonKnown demands that there is any.
	Reason      string
	ReasonKnown bool
	// Except are further filters of which none may select the return. Only the OTHER of a country_mode block has them.
	Except []Filter
}

// dimension is one list condition of a filter with the attribute that it looks at and the code that stands for an empty
// one. Matches says the same again without the indirection: it is called for every return and cell.
type dimension struct {
	name    string
	unknown string
	set     func(*Filter) *[]string
	of      func(*Attributes) string
}

// code is the attribute's code, the unknown one for an empty one.
func (d *dimension) code(a *Attributes) string {
	if code := d.of(a); code != "" {
		return code
	}
	return d.unknown
}

var dimensions = []dimension{
	{"country", "XX", func(f *Filter) *[]string { return &f.Countries }, func(a *Attributes) string { return a.Country }},
	{"mode", "unknown", func(f *Filter) *[]string { return &f.Modes }, func(a *Attributes) string { return a.Mode }},
	{"return_type", "unknown", func(f *Filter) *[]string { return &f.ReturnTypes }, func(a *Attributes) string { return a.ReturnType }},
	{"entry_point", "X-UNK", func(f *Filter) *[]string { return &f.EntryPoints }, func(a *Attributes) string { return a.EntryPoint }},
	{"exit_point", "X-UNK", func(f *Filter) *[]string { return &f.ExitPoints }, func(a *Attributes) string { return a.ExitPoint }},
	{"centre", "X-UNK", func(f *Filter) *[]string { return &f.Centres }, func(a *Attributes) string { return a.Centre }},
	{"department", "XX", func(f *Filter) *[]string { return &f.Departments }, func(a *Attributes) string { return a.Department }},
	{"sex", "U", func(f *Filter) *[]string { return &f.Sexes }, func(a *Attributes) string { return a.Sex }},
	{"accompaniment", "unknown", func(f *Filter) *[]string { return &f.Accompaniments }, func(a *Attributes) string { return a.Accompaniment }},
	{"month", "", func(f *Filter) *[]string { return &f.Months }, func(a *Attributes) string { return a.Month }},
}

// Matches reports whether the filter selects a return with these attributes.
func (f *Filter) Matches(a *Attributes) bool {
	if !(has(f.Countries, a.Country, "XX") && has(f.Modes, a.Mode, "unknown") && has(f.ReturnTypes, a.ReturnType, "unknown") &&
		has(f.EntryPoints, a.EntryPoint, "X-UNK") && has(f.ExitPoints, a.ExitPoint, "X-UNK") && has(f.Centres, a.Centre, "X-UNK") &&
		has(f.Departments, a.Department, "XX") && has(f.Sexes, a.Sex, "U") &&
		has(f.Accompaniments, a.Accompaniment, "unknown") && has(f.Months, a.Month, "")) {
		return false
	}
	if f.Ages != nil && (a.Age < 0 || a.Age < f.Ages.Min || a.Age > f.Ages.Max) {
		return false
	}
	if f.Reason != "" && !slices.Contains(a.Reasons, f.Reason) {
		return false
	}
	if f.ReasonKnown && len(a.Reasons) == 0 {
		return false
	}
	for i := range f.Except {
		if f.Except[i].Matches(a) {
			return false
		}
	}
	return true
}

// has reports whether a list condition holds for a code, unknown standing for an empty one.
func has(set []string, code, unknown string) bool {
	if set == nil {
		return true
	}
	if code == "" {
		code = unknown
	}
	return slices.Contains(set, code)
}

// All reports whether the filter has no condition.
func (f *Filter) All() bool { return f.Key() == "" }

// And returns the filter that selects what both select. It is an error, naming the condition, when that is nothing
// whatever the returns are. The result shares lists with its operands: filters are not changed once made.
func (f Filter) And(g Filter) (Filter, error) {
	out := f
	for i := range dimensions {
		d := &dimensions[i]
		a, b := *d.set(&f), *d.set(&g)
		switch {
		case b == nil:
		case a == nil:
			*d.set(&out) = b
		default:
			both := intersect(a, b)
			if len(both) == 0 {
				return out, fmt.Errorf("no %s is both one of %s and one of %s", d.name, brief(a), brief(b))
			}
			*d.set(&out) = both
		}
	}
	if g.Ages != nil {
		out.Ages = g.Ages
		if f.Ages != nil {
			out.Ages = &Ages{max(f.Ages.Min, g.Ages.Min), min(f.Ages.Max, g.Ages.Max)}
			if out.Ages.Min > out.Ages.Max {
				return out, fmt.Errorf("no age is both %d to %d and %d to %d", f.Ages.Min, f.Ages.Max, g.Ages.Min, g.Ages.Max)
			}
		}
	}
	if g.Reason != "" {
		out.Reason = g.Reason
	}
	out.ReasonKnown = f.ReasonKnown || g.ReasonKnown
	out.Except = append(slices.Clip(f.Except), g.Except...)
	return out, nil
}

// Key is equal for two filters exactly when their conditions are the same; "" when there is none.
func (f *Filter) Key() string {
	var b strings.Builder
	for i := range dimensions {
		if set := *dimensions[i].set(f); set != nil {
			fmt.Fprintf(&b, "%s=%s;", dimensions[i].name, strings.Join(set, ","))
		}
	}
	if f.Ages != nil {
		fmt.Fprintf(&b, "age=%d..%d;", f.Ages.Min, f.Ages.Max)
	}
	if f.Reason != "" {
		fmt.Fprintf(&b, "reason=%s;", f.Reason)
	}
	if f.ReasonKnown {
		b.WriteString("reason known;")
	}
	for i := range f.Except {
		fmt.Fprintf(&b, "except(%s);", f.Except[i].Key())
	}
	return b.String()
}

// intersect returns the elements of two sorted lists that both have.
func intersect(a, b []string) []string {
	out := []string{}
	for _, s := range a {
		if _, ok := slices.BinarySearch(b, s); ok {
			out = append(out, s)
		}
	}
	return out
}

// brief names the first elements of a list.
func brief(list []string) string {
	const most = 6
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " …"
	}
	return strings.Join(list, ", ")
}
