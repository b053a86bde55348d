package structure

import "slices"

// Kinds of artefacts, as addresses name them.
const (
	Agencies   = "agencyscheme"
	Concepts   = "conceptscheme"
	Lists      = "codelist"
	Structure  = "datastructure"
	Flows      = "dataflow"
	Anything   = "structure" // each of them
	AnyKind    = "*"
	latest     = "latest"
	everything = "all"
)

// Kinds are those of artefacts that there are.
func Kinds() []string { return []string{Agencies, Concepts, Lists, Structure, Flows} }

// Ask is a question for artefacts. Of each list one must fit.
type Ask struct {
	Kind                    string
	Agencies, IDs, Versions []string
	Items                   []string // ids of items of a scheme; none: all
	References              string   // none, children, descendants, parents, parentsandsiblings, all, or a kind
	Stubs, ReferenceStubs   bool     // the artefacts asked for, and those that they refer to, without their content
}

// Selection is what a message of structures holds.
type Selection struct {
	*Structures
	HasAgencies, HasConcepts, HasStructure bool
	Lists                                  []*List
	Flows                                  []Flow
	Partial                                bool // items were left out
	Available                              []Available
	stubs                                  map[string]bool
	concepts                               []Concept
}

// Stub reports whether artefacts of a kind stand without their content.
func (s *Selection) Stub(kind string) bool { return s.stubs[kind] }

// Concepts are those of the selection.
func (s *Selection) Concepts() []Concept { return s.concepts }

// Available is what a question for availability comes to (SDMX 2.1: ContentConstraint, 3.0: DataConstraint).
type Available struct {
	Flow                 Flow
	Dimensions           []string // those that are told of
	Values               map[string][]string
	From, To             string // the first day of the first period, and the last day of the last one; "" where the time is not told of
	Series, Observations int
}

// artefact is one, by kind and id.
type artefact struct{ kind, id string }

func fits(asked []string, value string, more ...string) bool {
	return len(asked) == 0 || slices.ContainsFunc(asked, func(a string) bool {
		return a == value || a == everything || a == "*" || slices.Contains(more, a)
	})
}

// all are all artefacts.
func (s *Structures) all() []artefact {
	out := []artefact{{Agencies, AgencyScheme}, {Concepts, ConceptScheme}}
	for _, l := range s.Lists() {
		out = append(out, artefact{Lists, l.ID})
	}
	out = append(out, artefact{Structure, DataStructure})
	for _, f := range s.Flows {
		out = append(out, artefact{Flows, f.ID})
	}
	return out
}

// below are the artefacts that one refers to.
func (s *Structures) below(of artefact) (some []artefact) {
	for _, a := range s.all() {
		switch {
		case of.kind == Flows && a.kind == Structure, of.kind == Structure && (a.kind == Concepts || a.kind == Lists):
			some = append(some, a)
		}
	}
	return some
}

// above are the artefacts that refer to one.
func (s *Structures) above(of artefact) (some []artefact) {
	for _, a := range s.all() {
		if slices.Contains(s.below(a), of) {
			some = append(some, a)
		}
	}
	return some
}

// related are the artefacts that come with one, by the parameter references (REST 1.5 §4.3.2, REST 2.2 "Structure queries").
func (s *Structures) related(of artefact, references string) (some []artefact) {
	descendants := func() (all []artefact) {
		for _, a := range s.below(of) {
			all = append(all, append(s.below(a), a)...)
		}
		return all
	}
	siblings := func() (all []artefact) {
		for _, a := range s.above(of) {
			all = append(all, append(s.below(a), a)...)
		}
		return all
	}
	switch references {
	case "", "none":
		return nil
	case "children":
		return s.below(of)
	case "descendants":
		return descendants()
	case "parents":
		return s.above(of)
	case "parentsandsiblings":
		return siblings()
	case "ancestors":
		for _, a := range s.above(of) {
			some = append(append(some, a), s.above(a)...)
		}
		return some
	}
	some = append(descendants(), siblings()...)
	if references == everything {
		return append(some, artefact{Agencies, AgencyScheme})
	}
	for _, a := range s.above(of) {
		some = append(some, s.above(a)...)
	}
	return slices.DeleteFunc(some, func(a artefact) bool { return a.kind != references })
}

// Select chooses artefacts. It reports false where there are none.
func (s *Structures) Select(ask Ask) (*Selection, bool) {
	out := &Selection{Structures: s, stubs: map[string]bool{}, concepts: s.Concepts()}
	var matched, with []artefact
	for _, a := range s.all() {
		agency := Agency
		if a.kind == Agencies {
			agency = TopAgency
		}
		if (ask.Kind == Anything || ask.Kind == AnyKind || ask.Kind == a.kind) && fits(ask.Agencies, agency) && fits(ask.IDs, a.id) &&
			fits(ask.Versions, Version, Semantic, latest, "+", "~", "1.0+.0", "1+.0.0", "1.0.0+") {
			matched = append(matched, a)
			with = append(with, s.related(a, ask.References)...)
		}
	}
	for _, a := range matched {
		out.stubs[a.kind] = ask.Stubs
	}
	for _, a := range with {
		if _, ok := out.stubs[a.kind]; !ok {
			out.stubs[a.kind] = ask.ReferenceStubs
		}
	}
	for _, a := range s.all() {
		if slices.Contains(matched, a) || slices.Contains(with, a) {
			out.add(a)
		}
	}
	return out, len(matched) > 0 && out.items(ask.Items)
}

func (s *Selection) add(a artefact) {
	switch a.kind {
	case Agencies:
		s.HasAgencies = true
	case Concepts:
		s.HasConcepts = true
	case Structure:
		s.HasStructure = true
	case Lists:
		all := s.Structures.Lists()
		s.Lists = append(s.Lists, all[slices.IndexFunc(all, func(l *List) bool { return l.ID == a.id })])
	case Flows:
		flow, _ := s.Flow(a.id)
		s.Flows = append(s.Flows, flow)
	}
}

// items leaves only some items in the schemes, and reports whether there are any.
func (s *Selection) items(ids []string) bool {
	if len(ids) == 0 || fits(ids, "*") {
		return true
	}
	s.Partial = true
	found := s.HasAgencies && fits(ids, Agency)
	s.concepts = slices.DeleteFunc(s.concepts, func(c Concept) bool { return !fits(ids, c.ID) })
	found = found || s.HasConcepts && len(s.concepts) > 0
	used := map[string]bool{}
	for _, id := range ids {
		used[id] = true
	}
	for i, l := range s.Lists {
		s.Lists[i] = l.Only(used)
		found = found || len(s.Lists[i].Codes) > 0
	}
	return found
}

// Restrict leaves only the codes that are available, and those above them.
func (s *Selection) Restrict(values map[string][]string) {
	used := map[string]map[string]bool{}
	for _, c := range s.Dimensions {
		if used[c.List.ID] == nil {
			used[c.List.ID] = map[string]bool{}
		}
		for _, code := range values[c.ID] {
			used[c.List.ID][code] = true
		}
	}
	for i, l := range s.Lists {
		if codes := used[l.ID]; codes != nil {
			s.Lists[i], s.Partial = l.Only(codes), true
		}
	}
}
