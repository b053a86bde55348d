package sdmx

import (
	"net/http"
	"slices"
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

// known are the resources that the standard has and this service does not keep (REST 1.5 §4, REST 2.2).
var known = strings.Fields(`actualconstraint allowedconstraint attachmentconstraint categorisation categoryscheme categoryschememap conceptschememap contentconstraint
	customtypescheme dataconstraint dataconsumerscheme dataproviderscheme hierarchicalcodelist hierarchy hierarchyassociation metadata metadataconstraint metadataflow
	metadataprovideragreement metadataproviderscheme metadataprovisionagreement metadatastructure namepersonalisationscheme organisationscheme organisationschememap
	organisationunitscheme process provisionagreement registration reportingtaxonomy reportingtaxonomymap representationmap rulesetscheme schema structuremap structureset
	transformationscheme userdefinedoperatorscheme valuelist vtlmappingscheme`)

// answer21 answers REST 1.5.
func (s *server) answer21(r *request) (response.Representation, error) {
	switch kind := r.part(0); {
	case kind == "data":
		if len(r.parts) > 4 {
			return response.Representation{}, noSuchAddress()
		}
		flows, err := r.flows21()
		if err != nil {
			return response.Representation{}, err
		}
		rep, err := r.data(flows, r.part(2), data21)
		if err == nil && rep.Body == nil {
			err = noResults()
		}
		return rep, err
	case kind == "availableconstraint":
		flows, err := r.flows21()
		if err != nil {
			return response.Representation{}, err
		}
		return r.availability(flows, r.part(2), r.part(4), structures21)
	case slices.Contains(append(structure.Kinds(), structure.Anything), kind):
		return r.structures(kind, r.parts[1:], '+', structures21)
	case slices.Contains(known, kind):
		return response.Representation{}, notKept(kind)
	}
	return response.Representation{}, noSuchAddress()
}

// flows21 finds dataflows by ID; AGENCY,ID; or AGENCY,ID,VERSION, and a provider that has them.
func (r *request) flows21() ([]structure.Flow, error) {
	ref := strings.Split(r.part(1), ",")
	ask := structure.Ask{Kind: structure.Flows}
	switch len(ref) {
	case 1:
		ask.IDs = ref
	case 2:
		ask.Agencies, ask.IDs = ref[:1], ref[1:]
	case 3:
		ask.Agencies, ask.IDs, ask.Versions = ref[:1], ref[1:2], ref[2:]
	}
	found, ok := r.state.Structures.Select(ask)
	if provider := r.part(3); !ok || len(ref) > 3 || provider != "" && !slices.Contains([]string{"all", structure.Agency, structure.Agency + "," + structure.Agency, "all," + structure.Agency}, provider) {
		return nil, noResults()
	}
	return found.Flows, nil
}

// answer30 answers REST 2.2.
func (s *server) answer30(r *request) (response.Representation, error) {
	switch kind := r.part(0); {
	case kind == "data":
		flows, err := r.flows30(6)
		if err != nil {
			return response.Representation{}, err
		}
		rep, err := r.data(flows, r.part(5), data30)
		if err == nil && rep.Body == nil {
			rep.Status = http.StatusNoContent
		}
		return rep, err
	case kind == "availability":
		flows, err := r.flows30(7)
		if err != nil {
			return response.Representation{}, err
		}
		return r.availability(flows, r.part(5), r.part(6), structures30)
	case kind == "structure":
		of := r.part(1)
		if of == "" {
			of = structure.AnyKind
		}
		if slices.Contains(known, of) {
			return response.Representation{}, notKept(of)
		}
		if of != structure.AnyKind && !slices.Contains(structure.Kinds(), of) {
			return response.Representation{}, noSuchAddress()
		}
		return r.structures(of, r.parts[min(2, len(r.parts)):], ',', structures30)
	case slices.Contains(known, kind):
		return response.Representation{}, notKept(kind)
	}
	return response.Representation{}, noSuchAddress()
}

// flows30 finds dataflows by context, agency, id and version.
func (r *request) flows30(most int) ([]structure.Flow, error) {
	switch context := r.part(1); context {
	case "", "*", structure.Flows:
	case structure.Structure, "provisionagreement":
		return nil, byFlow(context)
	default:
		return nil, noSuchAddress()
	}
	found, ok := r.state.Structures.Select(structure.Ask{Kind: structure.Flows, Agencies: listOf(r.part(2)), IDs: listOf(r.part(3)), Versions: listOf(r.part(4))})
	if !ok || len(r.parts) > most {
		return nil, noResults()
	}
	return found.Flows, nil
}

// listOf are the alternatives of a part of a path.
func listOf(part string) []string {
	if part == "" {
		return nil
	}
	return strings.FieldsFunc(part, func(c rune) bool { return c == ',' })
}

// data answers a question for observations. Without any, the representation has no body.
func (r *request) data(flows []structure.Flow, key string, formats []format) (none response.Representation, err error) {
	f, o, err := r.choose(formats)
	if err != nil {
		return none, err
	}
	if len(flows) > 1 {
		return none, oneFlow()
	}
	q, faults := query.Parse(r.state.Structures, flows[0], key, r.values)
	if faults = append(r.allowOnly(append(slices.Clone(query.Parameters), "c", "format")...), faults...); len(faults) > 0 {
		return none, wrongQuestion(faults)
	}
	if !f.actions && (q.History || !q.UpdatedAfter.IsZero()) {
		return none, notAcceptable(mediaOf(slices.DeleteFunc(slices.Clone(formats), func(f format) bool { return !f.actions })))
	}
	if err := r.pin(q); err != nil {
		return none, err
	}
	a, err := q.Answer(r.state, r.server.most)
	if err != nil || len(a.Sets) == 0 {
		return none, err
	}
	return f.representation(f.data(a, o), r.lang), nil
}

// references and details that structure questions may name.
var (
	references = append([]string{"none", "children", "descendants", "parents", "parentsandsiblings", "all", "ancestors"}, structure.Kinds()...)
	details    = []string{"full", "allstubs", "allcompletestubs", "referencestubs", "referencecompletestubs", "referencepartial", "raw"}
)

// one is the value of a parameter, if it is one of some values; else it adds a fault.
func (r *request) one(name string, values []string, faults *[]query.Fault) string {
	text := r.values.Get(name)
	if text != "" && !slices.Contains(values, text) && !(name == "references" && slices.Contains(known, text)) {
		list := strings.Join(values, ", ")
		*faults = append(*faults, query.Fault{Status: http.StatusBadRequest, Parameter: name, Found: response.Short(text),
			ES: name + " no conoce el valor «" + response.Short(text) + "». Se admite: " + list + ".", EN: name + " does not know the value \"" + response.Short(text) + "\". Allowed: " + list + "."})
	}
	return text
}

// structures answers a question for artefacts: agency, id, version and item, each of which may be several with a separator between them.
func (r *request) structures(kind string, parts []string, separator rune, formats []format) (none response.Representation, err error) {
	f, _, err := r.choose(formats)
	if err != nil {
		return none, err
	}
	faults := r.allowOnly("references", "detail", "format", "asOf")
	ask := structure.Ask{Kind: kind, References: r.one("references", references, &faults)}
	detail := r.one("detail", details, &faults)
	q, more := query.Parse(r.state.Structures, structure.Flow{}, "", map[string][]string{"asOf": r.values["asOf"]})
	if faults = append(faults, more...); len(faults) > 0 {
		return none, wrongQuestion(faults)
	}
	if err := r.pin(q); err != nil {
		return none, err
	}
	ask.Stubs, ask.ReferenceStubs = strings.HasPrefix(detail, "all"), strings.HasSuffix(detail, "stubs")
	for i, to := range []*[]string{&ask.Agencies, &ask.IDs, &ask.Versions, &ask.Items} {
		if i < len(parts) {
			*to = strings.FieldsFunc(parts[i], func(c rune) bool { return c == separator })
		}
	}
	found, ok := r.state.Structures.Select(ask)
	if !ok || len(parts) > 4 {
		return none, noResults()
	}
	if detail == "referencepartial" && !slices.Contains([]string{structure.Lists, structure.Anything, structure.AnyKind}, kind) {
		found.Restrict(r.used(found.Flows))
	}
	return f.representation(f.structures(found, r), r.lang), nil
}

// used are the codes of each dimension that stand in dataflows; without any, in all.
func (r *request) used(flows []structure.Flow) map[string][]string {
	if len(flows) == 0 {
		flows = r.state.Structures.Flows
	}
	found, values := map[[2]string]bool{}, map[string][]string{}
	for _, flow := range flows {
		for _, o := range r.state.Flow(flow.ID) {
			for i, d := range r.state.Structures.Dimensions {
				if one := [2]string{d.ID, o.Key[i]}; !found[one] {
					found[one], values[d.ID] = true, append(values[d.ID], o.Key[i])
				}
			}
		}
	}
	return values
}

// availability answers what there is of a question for data.
func (r *request) availability(flows []structure.Flow, key, component string, formats []format) (none response.Representation, err error) {
	f, _, err := r.choose(formats)
	if err != nil {
		return none, err
	}
	faults := r.allowOnly("c", "startPeriod", "endPeriod", "updatedAfter", "asOf", "mode", "references", "format")
	mode := r.one("mode", []string{query.Exact, query.Selectable}, &faults)
	ask := r.one("references", append([]string{"none", "all"}, structure.Kinds()...), &faults)
	dimensions := slices.DeleteFunc(listOf(component), func(id string) bool { return id == "*" || id == "all" })
	for _, id := range dimensions {
		if r.state.Structures.Position(id) < 0 && id != r.state.Structures.Period.ID {
			faults = append(faults, query.Fault{Status: http.StatusUnprocessableEntity, Parameter: "componentID", Found: response.Short(id),
				ES: "«" + response.Short(id) + "» no es una dimensión.", EN: "\"" + response.Short(id) + "\" is not a dimension."})
		}
	}
	var all []structure.Available
	values := map[string][]string{}
	state := r.state
	for _, flow := range flows {
		q, more := query.Parse(state.Structures, flow, key, r.values)
		if faults = append(faults, more...); len(faults) > 0 {
			return none, wrongQuestion(faults)
		}
		r.state = state
		if err := r.pin(q); err != nil {
			return none, err
		}
		if a := q.Availability(r.state, dimensions, mode); a.Observations > 0 {
			all = append(all, a)
			for id, some := range a.Values {
				values[id] = append(values[id], some...)
			}
		}
	}
	if len(all) == 0 {
		return none, noResults()
	}
	found := r.described(ask, all)
	found.Restrict(values)
	found.Available = all
	return f.representation(f.structures(found, r), r.lang), nil
}

// described are the artefacts that come with availability.
func (r *request) described(references string, all []structure.Available) *structure.Selection {
	ask := structure.Ask{Kind: structure.Flows, References: references}
	if references == "all" {
		ask.References = "descendants"
	}
	for _, a := range all {
		ask.IDs = append(ask.IDs, a.Flow.ID)
	}
	found, _ := r.state.Structures.Select(ask)
	if references != "all" && references != structure.Flows {
		found.Flows = nil
	}
	return found
}
