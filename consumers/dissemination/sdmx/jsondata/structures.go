package jsondata

import (
	"strconv"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

const structureSchema = "https://json.sdmx.org/2.0.0/sdmx-json-structure-schema.json"

// Structures writes a message of artefacts, with names in a language first.
func Structures(s *structure.Selection, lang string, published time.Time) []byte {
	data := object{}
	put := func(name string, all []any) {
		if len(all) > 0 {
			data[name] = all
		}
	}
	if s.HasAgencies {
		o := artefact(s, structure.Agencies, structure.TopAgency, structure.AgencyScheme, lang, structure.Text{ES: "Agencias", EN: "Agencies"})
		o["version"] = structure.Version // SDMX 3.0 still has it so
		if !s.Stub(structure.Agencies) {
			o["agencies"] = []any{object{"id": structure.Agency}.named(s.AgencyName, lang)}
		}
		put("agencySchemes", []any{o})
	}
	if s.HasConcepts {
		put("conceptSchemes", []any{concepts(s, lang)})
	}
	if s.HasStructure {
		put("dataStructures", []any{dataStructure(s, lang)})
	}
	var lists, flows, constraints []any
	for _, l := range s.Lists {
		lists = append(lists, list(s, l, lang))
	}
	for _, f := range s.Flows {
		o := artefact(s, structure.Flows, structure.Agency, f.ID, lang, f.Name)
		if !s.Stub(structure.Flows) {
			o["structure"] = structureURN
		}
		flows = append(flows, o)
	}
	for _, a := range s.Available {
		constraints = append(constraints, available(a, lang))
	}
	put("codelists", lists)
	put("dataflows", flows)
	put("dataConstraints", constraints)
	return write(meta(structureSchema, structure.Agency+"-structures", lang, published), data)
}

// artefact is one without its content, which is elsewhere where it is external.
func artefact(s *structure.Selection, kind, agency, id, lang string, name structure.Text) object {
	o := object{"id": id, "agencyID": agency, "version": structure.Semantic}.named(name, lang)
	if s.Stub(kind) {
		o["isExternalReference"] = true
	}
	if s.Partial && (kind == structure.Lists || kind == structure.Concepts) {
		o["isPartial"] = true
	}
	return o
}

func concepts(s *structure.Selection, lang string) object {
	o := artefact(s, structure.Concepts, structure.Agency, structure.ConceptScheme, lang, s.Name)
	if s.Stub(structure.Concepts) {
		return o
	}
	var all []any
	for _, c := range s.Concepts() {
		all = append(all, object{"id": c.ID}.named(c.Name, lang).described(c.Description, lang))
	}
	o["concepts"] = all
	return o
}

func list(s *structure.Selection, l *structure.List, lang string) object {
	o := artefact(s, structure.Lists, structure.Agency, l.ID, lang, l.Name)
	if s.Stub(structure.Lists) {
		return o
	}
	all := []any{}
	for _, c := range l.Codes {
		code := object{"id": c.ID}.named(c.Name, lang)
		if c.Parent != "" {
			code["parent"] = c.Parent
		}
		all = append(all, code)
	}
	o["codes"] = all
	return o
}

func dataStructure(s *structure.Selection, lang string) object {
	o := artefact(s, structure.Structure, structure.Agency, structure.DataStructure, lang, s.Name)
	if s.Stub(structure.Structure) {
		return o
	}
	var dimensions, attributes []any
	for i, c := range s.Dimensions {
		d := component(c)
		d["position"] = i
		dimensions = append(dimensions, d)
	}
	for _, c := range s.Attributes {
		a := component(c)
		a["usage"] = map[bool]string{true: "mandatory", false: "optional"}[c.Required]
		a["attributeRelationship"] = object{"observation": object{}}
		a["measureRelationship"] = []string{structure.Value}
		attributes = append(attributes, a)
	}
	measure := component(s.Primary)
	measure["usage"] = "optional"
	o["dataStructureComponents"] = object{
		"dimensionList": object{"id": "DimensionDescriptor", "dimensions": dimensions, "timeDimension": component(s.Period)},
		"attributeList": object{"id": "AttributeDescriptor", "attributes": attributes},
		"measureList":   object{"id": "MeasureDescriptor", "measures": []any{measure}},
	}
	return o
}

// component is a dimension, an attribute or the measure.
func component(c structure.Component) object {
	representation := object{"format": object{"dataType": c.Type()}}
	if c.List != nil {
		representation = object{"enumeration": structure.URN("codelist.Codelist", c.List.ID)}
	}
	return object{"id": c.ID, "conceptIdentity": structure.URN("conceptscheme.Concept", structure.ConceptScheme) + "." + c.ID, "localRepresentation": representation}
}

// available is what a question for availability comes to. The metrics are annotations: SDMX-JSON 2.0 has no place for them.
func available(a structure.Available, lang string) object {
	var keys []any
	for _, id := range a.Dimensions {
		if id == structure.Time {
			keys = append(keys, object{"id": id, "include": true, "timeRange": object{
				"startPeriod": object{"period": a.From, "isInclusive": true}, "endPeriod": object{"period": a.To, "isInclusive": true}}})
			continue
		}
		var values []any
		for _, v := range a.Values[id] {
			values = append(values, object{"value": v})
		}
		keys = append(keys, object{"id": id, "include": true, "values": values})
	}
	metric := func(id string, n int) object {
		return object{"id": id, "title": strconv.Itoa(n), "type": "sdmx_metrics", "text": strconv.Itoa(n)}
	}
	return object{"id": "CR_" + a.Flow.ID, "agencyID": structure.Agency, "version": structure.Semantic, "role": "Actual",
		"annotations":          []any{metric("obs_count", a.Observations), metric("series_count", a.Series)},
		"constraintAttachment": object{"dataflows": []string{flowURN(a.Flow.ID)}},
		"cubeRegions":          []any{object{"include": true, "keyValues": keys}}}.named(a.Flow.Name, lang)
}
