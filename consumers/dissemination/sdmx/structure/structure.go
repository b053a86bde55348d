// Package structure is what SDMX calls structural metadata of the published tables: one agency, one concept scheme, one data structure
// with a code list for each of its dimensions, and one dataflow for each table of the lattice.
//
// It promises that all of it follows from the dictionary of the data, the lattices of the vintages and the codes of their tables, so that
// an attribute or a table is described where it is added and nowhere else; that dimensions keep their places when a later lattice adds
// columns; and that each id is one that SDMX allows (SDMX 2.1 §3, IDType), whatever the codes hold. It names what cells have and holds no
// cell. It has no I/O, and does not fail.
package structure

import (
	"slices"
	"strings"
	"sync"

	"retorno/consumers/dissemination/disclosure/published"
)

// Ids of what there is one of, with the version of all artefacts: Version as SDMX 2.1 writes it, Semantic as SDMX 3.0 does.
const (
	Agency        = "CENISS"
	DataStructure = "RETURN_MIGRATION"
	ConceptScheme = "CS_RETURN_MIGRATION"
	AgencyScheme  = "AGENCIES" // SDMX 2.1 §3: of the agency SDMX, whose agencies are those of the first level
	TopAgency     = "SDMX"
	Version       = "1.0"
	Semantic      = "1.0.0"
)

// Ids of components that are no columns of the lattice. The first six are SDMX's own (Cross-Domain Concepts, 2009).
const (
	Frequency  = "FREQ"
	Time       = "TIME_PERIOD"
	Value      = "OBS_VALUE"
	Status     = "OBS_STATUS"
	Confidence = "CONF_STATUS"
	Coverage   = "COVERAGE"
	Measure    = "MEASURE"
	Vintage    = "VINTAGE"
	Base       = "BASE"
)

// Text is what people read.
type Text struct{ ES, EN string }

// In is the text in a language, "es" or "en".
func (t Text) In(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ES
}

// Code is one code of a list. Parent is the code that it is a part of, "" at the top.
type Code struct {
	ID, Parent string
	Name       Text
}

// List is a code list.
type List struct {
	ID    string
	Name  Text
	Codes []Code
	index func() map[string]int
}

// Concept is what a component means.
type Concept struct {
	ID          string
	Name        Text
	Description Text
}

// Component is a dimension or an attribute of the data structure.
type Component struct {
	Concept
	Column   string // of the lattice; "" of the others
	List     *List  // nil where its values are no codes
	Required bool   // of an attribute: each observation has it
}

// Flow is a dataflow: one table of the lattice.
type Flow struct {
	ID   string
	Name Text
}

// Structures are all artefacts. They are shared and must not be changed.
type Structures struct {
	AgencyName Text
	Name       Text        // of the data structure
	Dimensions []Component // without the time
	Period     Component   // the time
	Primary    Component   // the observed value
	Attributes []Component // all of them of observations
	Flows      []Flow
}

// Concepts are those of all components, in their order.
func (s *Structures) Concepts() (all []Concept) {
	for _, c := range s.Components() {
		all = append(all, c.Concept)
	}
	return all
}

// Components are the dimensions, the time, the observed value and the attributes.
func (s *Structures) Components() []Component {
	return slices.Concat(s.Dimensions, []Component{s.Period, s.Primary}, s.Attributes)
}

// Lists are the code lists, each once, by id.
func (s *Structures) Lists() (all []*List) {
	for _, c := range s.Components() {
		if c.List != nil {
			all = append(all, c.List)
		}
	}
	slices.SortFunc(all, func(a, b *List) int { return strings.Compare(a.ID, b.ID) })
	return slices.Compact(all)
}

// Type is what the values of a component are that are no codes (SDMX 2.1 §3, DataType).
func (c Component) Type() string {
	switch c.ID {
	case Time:
		return "ObservationalTimePeriod"
	case Value, Base:
		return "Long"
	case Coverage:
		return "Decimal"
	}
	return "String"
}

// URN is that of an artefact of the agency in SDMX 3.0 (§6, technical notes); class is such as codelist.Codelist.
func URN(class, id string) string {
	return "urn:sdmx:org.sdmx.infomodel." + class + "=" + Agency + ":" + id + "(" + Semantic + ")"
}

// Component is the component of an id.
func (s *Structures) Component(id string) (Component, bool) {
	all := s.Components()
	i := slices.IndexFunc(all, func(c Component) bool { return c.ID == id })
	if i < 0 {
		return Component{}, false
	}
	return all[i], true
}

// Position is the place of a dimension in keys; -1 of what is none, the time included.
func (s *Structures) Position(id string) int {
	return slices.IndexFunc(s.Dimensions, func(c Component) bool { return c.ID == id })
}

// Begins reports whether others have the same dimensions, and perhaps more behind them.
func (s *Structures) Begins(others *Structures) bool {
	return len(s.Dimensions) <= len(others.Dimensions) &&
		slices.EqualFunc(s.Dimensions, others.Dimensions[:len(s.Dimensions)], func(a, b Component) bool { return a.ID == b.ID })
}

// Flow is the dataflow of an id.
func (s *Structures) Flow(id string) (Flow, bool) {
	i := slices.IndexFunc(s.Flows, func(f Flow) bool { return f.ID == id })
	if i < 0 {
		return Flow{}, false
	}
	return s.Flows[i], true
}

// Label is what a value of a component is called in a language; "" where it has no name.
func (c Component) Label(value, lang string) string {
	if c.List == nil {
		return ""
	}
	if i, ok := c.List.index()[value]; ok {
		return c.List.Codes[i].Name.In(lang)
	}
	return ""
}

// newList makes a list of codes that are whole.
func newList(id string, name Text, codes []Code) *List {
	l := &List{ID: id, Name: name, Codes: codes}
	l.index = sync.OnceValue(func() map[string]int {
		places := make(map[string]int, len(l.Codes))
		for i, c := range l.Codes {
			places[c.ID] = i
		}
		return places
	})
	return l
}

// Only is the list with only the codes that are used, and those above them.
func (l *List) Only(used map[string]bool) *List {
	keep := map[string]bool{}
	for id := range used {
		for at, ok := l.index()[id]; ok && !keep[l.Codes[at].ID]; at, ok = l.index()[l.Codes[at].Parent] {
			keep[l.Codes[at].ID] = true
		}
	}
	return newList(l.ID, l.Name, slices.DeleteFunc(slices.Clone(l.Codes), func(c Code) bool { return !keep[c.ID] }))
}

// ID is the id that SDMX can carry of a code: an id has no plus sign, which joins codes, and 51+ is 51@. No code has an @.
func ID(code string) string { return strings.ReplaceAll(code, "+", "@") }

// Total is the code of a sum over a dimension.
const Total = published.Total
