package structure

import (
	"cmp"
	"slices"
	"strings"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/schemas/dictionary"
)

// New makes the structures of lattices, the oldest first, and of the codes that stand in tables which were published by them. A later
// lattice renames what an earlier one named, and what it adds stands behind.
func New(lattices []*lattice.Lattice, codes []bundle.Code) *Structures {
	s := &Structures{AgencyName: Text{"Centro Nacional de Información del Sector Social (CENISS)", "National Information Centre of the Social Sector (CENISS)"},
		Name:    Text{"Migrantes retornados a Honduras", "Migrants returned to Honduras"},
		Period:  Component{Concept: own[Time]},
		Primary: Component{Concept: own[Value]},
		Attributes: []Component{{Concept: own[Status], List: statuses, Required: true}, {Concept: own[Confidence], List: confidences, Required: true},
			{Concept: own[Vintage], Required: true}, {Concept: own[Coverage]}, {Concept: own[Base], Required: true}}}
	var measures []Code
	var columns []string
	lists := map[string]*maker{}
	for _, l := range lattices {
		for _, m := range l.Measures {
			measures = put(measures, Code{ID: ID(m.ID), Name: Text{m.ES, m.EN}}, func(c Code) string { return c.ID })
		}
		for i := range l.Columns {
			c := &l.Columns[i]
			if lists[c.ID] == nil {
				columns, lists[c.ID] = append(columns, c.ID), &maker{codes: map[string]Code{Total: {ID: Total, Name: Text{"Total", "Total"}}}}
			}
			lists[c.ID].add(c)
		}
		for _, t := range l.Tables {
			s.Flows = put(s.Flows, Flow{ID: ID(t.ID), Name: Text{t.ES, t.EN}}, func(f Flow) string { return f.ID })
		}
	}
	for _, c := range codes {
		if m := lists[c.Column]; m != nil {
			m.join(c)
		}
	}
	s.Dimensions = []Component{{Concept: own[Frequency], List: frequencies}, {Concept: own[Measure], List: newList("CL_"+Measure, own[Measure].Name, measures)}}
	for _, id := range columns {
		concept := conceptOf(lists[id].column)
		s.Dimensions = append(s.Dimensions, Component{Concept: concept, Column: id, List: newList("CL_"+concept.ID, concept.Name, lists[id].sorted())})
	}
	return s
}

// put puts one thing into the place of the one with its id, or behind all.
func put[T any](all []T, one T, id func(T) string) []T {
	if i := slices.IndexFunc(all, func(o T) bool { return id(o) == id(one) }); i >= 0 {
		all[i] = one
		return all
	}
	return append(all, one)
}

// conceptOf is what the dictionary says of a column: of the attribute of that name, or else of the one whose code list it groups.
func conceptOf(c *lattice.Column) Concept {
	a := dictionary.Get(c.ID)
	if a == nil {
		a = dictionary.Get(c.List)
	}
	if a != nil {
		return Concept{a.Concept, Text{a.LabelES, a.LabelEN}, Text{a.DescriptionES, a.DescriptionEN}}
	}
	for _, a := range dictionary.Returned() { // route follows from two attributes
		if a.Name == c.ID {
			return Concept{strings.ToUpper(a.Name), Text{a.LabelES, a.LabelEN}, Text{a.DescriptionES, a.DescriptionEN}}
		}
	}
	id := ID(strings.ToUpper(c.ID))
	if known, ok := own[id]; ok {
		return known
	}
	return Concept{ID: id, Name: Text{c.ID, c.ID}}
}

// maker gathers the codes of a column.
type maker struct {
	column *lattice.Column
	codes  map[string]Code
}

func (m *maker) add(c *lattice.Column) {
	m.column = c
	for code, label := range c.Label {
		m.codes[code] = Code{ID: ID(code), Parent: ID(c.Hierarchy.Parent(code)), Name: Text{label[0], label[1]}}
	}
}

// join adds a code that only a vintage has: it joined others. These stay parts of what the lattice says.
func (m *maker) join(c bundle.Code) {
	if _, ok := m.codes[c.Code]; !ok {
		m.codes[c.Code] = Code{ID: ID(c.Code), Parent: ID(c.Parent), Name: Text{c.LabelES, c.LabelEN}}
	}
}

// sorted has the total first.
func (m *maker) sorted() []Code {
	all := make([]Code, 0, len(m.codes))
	for _, c := range m.codes {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Code) int {
		return cmp.Or(cmp.Compare(bit(b.ID == Total), bit(a.ID == Total)), strings.Compare(a.ID, b.ID))
	})
	return all
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
