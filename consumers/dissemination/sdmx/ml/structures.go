package ml

import (
	"strconv"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

// Structures writes a message of artefacts, in the order that the schemas want.
func Structures(s *structure.Selection, published time.Time) []byte {
	w := &writer{}
	w.begin()
	w.open("mes:Structure", "xmlns:mes", nsMessage, "xmlns:com", nsCommon, "xmlns:str", nsStructure)
	w.open("mes:Header")
	w.header(idOf("structures"), published)
	w.close()
	w.open("mes:Structures")
	w.agencies(s)
	w.flows(s)
	w.lists(s)
	w.concepts(s)
	w.dataStructure(s)
	w.constraints(s)
	w.close()
	w.close()
	return w.Bytes()
}

// artefact begins one of the artefacts. What is external has its content elsewhere: it is left out.
func (w *writer) artefact(s *structure.Selection, element, kind, agency, id string, name structure.Text, partial string) {
	external, final := "", "true"
	if s.Stub(kind) {
		external = "true"
	}
	if kind == structure.Agencies {
		final = "" // SDMX 2.1 does not allow it to be
	}
	w.open(element, "id", id, "urn", urnOf(kind, agency, id), "agencyID", agency, "version", structure.Version, "isFinal", final, "isExternalReference", external, "isPartial", partial)
	w.named("com:Name", name)
}

// urnOf is the URN of an artefact (SDMX 2.1 §6, technical notes).
func urnOf(kind, agency, id string) string {
	class := map[string]string{structure.Agencies: "base.AgencyScheme", structure.Concepts: "conceptscheme.ConceptScheme", structure.Lists: "codelist.Codelist",
		structure.Structure: "datastructure.DataStructure", structure.Flows: "datastructure.Dataflow", constraint: "registry.ContentConstraint"}[kind]
	return "urn:sdmx:org.sdmx.infomodel." + class + "=" + agency + ":" + id + "(" + structure.Version + ")"
}

const constraint = "contentconstraint"

func partial(s *structure.Selection) string {
	if s.Partial {
		return "true"
	}
	return ""
}

func (w *writer) agencies(s *structure.Selection) {
	if !s.HasAgencies {
		return
	}
	w.open("str:OrganisationSchemes")
	w.artefact(s, "str:AgencyScheme", structure.Agencies, structure.TopAgency, structure.AgencyScheme, structure.Text{ES: "Agencias", EN: "Agencies"}, "")
	if !s.Stub(structure.Agencies) {
		w.open("str:Agency", "id", structure.Agency)
		w.named("com:Name", s.AgencyName)
		w.close()
	}
	w.close()
	w.close()
}

func (w *writer) flows(s *structure.Selection) {
	if len(s.Flows) == 0 {
		return
	}
	w.open("str:Dataflows")
	for _, f := range s.Flows {
		w.artefact(s, "str:Dataflow", structure.Flows, structure.Agency, f.ID, f.Name, "")
		if !s.Stub(structure.Flows) {
			w.open("str:Structure")
			w.empty("Ref", "id", structure.DataStructure, "version", structure.Version, "agencyID", structure.Agency, "package", "datastructure", "class", "DataStructure")
			w.close()
		}
		w.close()
	}
	w.close()
}

func (w *writer) lists(s *structure.Selection) {
	if len(s.Lists) == 0 {
		return
	}
	w.open("str:Codelists")
	for _, l := range s.Lists {
		w.artefact(s, "str:Codelist", structure.Lists, structure.Agency, l.ID, l.Name, partial(s))
		for _, c := range l.Codes {
			if s.Stub(structure.Lists) {
				break
			}
			w.open("str:Code", "id", c.ID)
			w.named("com:Name", c.Name)
			if c.Parent != "" {
				w.open("str:Parent")
				w.empty("Ref", "id", c.Parent)
				w.close()
			}
			w.close()
		}
		w.close()
	}
	w.close()
}

func (w *writer) concepts(s *structure.Selection) {
	if !s.HasConcepts {
		return
	}
	w.open("str:Concepts")
	w.artefact(s, "str:ConceptScheme", structure.Concepts, structure.Agency, structure.ConceptScheme, s.Name, partial(s))
	for _, c := range s.Concepts() {
		if s.Stub(structure.Concepts) {
			break
		}
		w.open("str:Concept", "id", c.ID)
		w.named("com:Name", c.Name)
		w.named("com:Description", c.Description)
		w.close()
	}
	w.close()
	w.close()
}

func (w *writer) dataStructure(s *structure.Selection) {
	if !s.HasStructure {
		return
	}
	w.open("str:DataStructures")
	w.artefact(s, "str:DataStructure", structure.Structure, structure.Agency, structure.DataStructure, s.Name, "")
	if !s.Stub(structure.Structure) {
		w.open("str:DataStructureComponents")
		w.open("str:DimensionList", "id", "DimensionDescriptor")
		for i, d := range s.Dimensions {
			w.component("str:Dimension", d, "position", strconv.Itoa(i+1))
		}
		w.component("str:TimeDimension", s.Period, "position", strconv.Itoa(len(s.Dimensions)+1))
		w.close()
		w.open("str:AttributeList", "id", "AttributeDescriptor")
		for _, a := range s.Attributes {
			w.component("str:Attribute", a, "assignmentStatus", map[bool]string{true: "Mandatory", false: "Conditional"}[a.Required])
		}
		w.close()
		w.open("str:MeasureList", "id", "MeasureDescriptor")
		w.component("str:PrimaryMeasure", s.Primary)
		w.close()
		w.close()
	}
	w.close()
	w.close()
}

// component writes a dimension, an attribute or the measure.
func (w *writer) component(element string, c structure.Component, attributes ...string) {
	w.open(element, append([]string{"id", c.ID}, attributes...)...)
	w.open("str:ConceptIdentity")
	w.empty("Ref", "id", c.ID, "maintainableParentID", structure.ConceptScheme, "maintainableParentVersion", structure.Version, "agencyID", structure.Agency, "package", "conceptscheme", "class", "Concept")
	w.close()
	w.open("str:LocalRepresentation")
	if c.List != nil {
		w.open("str:Enumeration")
		w.empty("Ref", "id", c.List.ID, "version", structure.Version, "agencyID", structure.Agency, "package", "codelist", "class", "Codelist")
		w.close()
	} else {
		w.empty("str:TextFormat", "textType", c.Type())
	}
	w.close()
	if element == "str:Attribute" {
		w.open("str:AttributeRelationship")
		w.open("str:PrimaryMeasure")
		w.empty("Ref", "id", structure.Value)
		w.close()
		w.close()
	}
	w.close()
}

// constraints are what questions for availability come to.
func (w *writer) constraints(s *structure.Selection) {
	if len(s.Available) == 0 {
		return
	}
	w.open("str:Constraints")
	for _, a := range s.Available {
		w.open("str:ContentConstraint", "id", "CR_"+a.Flow.ID, "urn", urnOf(constraint, structure.Agency, "CR_"+a.Flow.ID), "agencyID", structure.Agency, "version", structure.Version, "type", "Actual")
		w.metrics(a)
		w.named("com:Name", a.Flow.Name)
		w.open("str:ConstraintAttachment")
		w.open("str:Dataflow")
		w.empty("Ref", "id", a.Flow.ID, "version", structure.Version, "agencyID", structure.Agency, "package", "datastructure", "class", "Dataflow")
		w.close()
		w.close()
		w.region(a, "com:")
		w.close()
	}
	w.close()
}

// metrics are the numbers of observations and series, in the annotations that pysdmx reads.
func (w *writer) metrics(a structure.Available) {
	w.open("com:Annotations")
	for _, n := range []struct {
		id string
		n  int
	}{{"obs_count", a.Observations}, {"series_count", a.Series}} {
		w.open("com:Annotation", "id", n.id)
		w.text("com:AnnotationTitle", strconv.Itoa(n.n))
		w.text("com:AnnotationType", "sdmx_metrics")
		w.close()
	}
	w.close()
}

// region is what of the dimensions is available; its elements have the prefix of the version.
func (w *writer) region(a structure.Available, prefix string) {
	w.open("str:CubeRegion", "include", "true")
	for _, id := range a.Dimensions {
		w.open(prefix+"KeyValue", "id", id)
		if id == structure.Time {
			w.open(prefix + "TimeRange")
			w.text(prefix+"StartPeriod", a.From+"T00:00:00", "isInclusive", "true")
			w.text(prefix+"EndPeriod", a.To+"T23:59:59", "isInclusive", "true")
			w.close()
		}
		for _, value := range a.Values[id] {
			w.text(prefix+"Value", value)
		}
		w.close()
	}
	w.close()
}
