package ml

import (
	"regexp"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

// Structures30 writes a message of artefacts as SDMX-ML 3.0, which refers to others by their URN, in the order that its schemas want.
func Structures30(s *structure.Selection, published time.Time) []byte {
	w := &writer{}
	w.begin()
	w.open("mes:Structure", "xmlns:mes", schemas30+"message", "xmlns:com", schemas30+"common", "xmlns:str", schemas30+"structure")
	w.open("mes:Header")
	w.header(idOf("structures"), published)
	w.close()
	w.open("mes:Structures")
	if s.HasAgencies {
		w.open("str:AgencySchemes")
		w.artefact30(s, "str:AgencyScheme", structure.Agencies, structure.TopAgency, structure.AgencyScheme, structure.Text{ES: "Agencias", EN: "Agencies"}, "")
		if !s.Stub(structure.Agencies) {
			w.item("str:Agency", structure.Agency, s.AgencyName)
			w.close()
		}
		w.close()
		w.close()
	}
	w.lists30(s)
	w.concepts30(s)
	w.constraints30(s)
	w.flows30(s)
	w.dataStructure30(s)
	w.close()
	w.close()
	return w.Bytes()
}

// artefact30 begins one of the artefacts.
func (w *writer) artefact30(s *structure.Selection, element, kind, agency, id string, name structure.Text, partial string) {
	external, version := "", structure.Semantic
	if s.Stub(kind) {
		external = "true"
	}
	if kind == structure.Agencies {
		version = "" // SDMX 3.0 fixes it at 1.0
	}
	w.open(element, "id", id, "agencyID", agency, "version", version, "isExternalReference", external, "isPartial", partial)
	w.named("com:Name", name)
}

// item begins an item of a scheme.
func (w *writer) item(element, id string, name structure.Text) {
	w.open(element, "id", id)
	w.named("com:Name", name)
}

// parent is the form that the schemas of 3.0 want of a code that others are parts of: _T is not allowed to be one.
var parent = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]*$`)

func (w *writer) lists30(s *structure.Selection) {
	if len(s.Lists) == 0 {
		return
	}
	w.open("str:Codelists")
	for _, l := range s.Lists {
		w.artefact30(s, "str:Codelist", structure.Lists, structure.Agency, l.ID, l.Name, partial(s))
		for _, c := range l.Codes {
			if s.Stub(structure.Lists) {
				break
			}
			w.item("str:Code", c.ID, c.Name)
			if parent.MatchString(c.Parent) {
				w.text("str:Parent", c.Parent)
			}
			w.close()
		}
		w.close()
	}
	w.close()
}

func (w *writer) concepts30(s *structure.Selection) {
	if !s.HasConcepts {
		return
	}
	w.open("str:ConceptSchemes")
	w.artefact30(s, "str:ConceptScheme", structure.Concepts, structure.Agency, structure.ConceptScheme, s.Name, partial(s))
	for _, c := range s.Concepts() {
		if s.Stub(structure.Concepts) {
			break
		}
		w.item("str:Concept", c.ID, c.Name)
		w.named("com:Description", c.Description)
		w.close()
	}
	w.close()
	w.close()
}

func (w *writer) flows30(s *structure.Selection) {
	if len(s.Flows) == 0 {
		return
	}
	w.open("str:Dataflows")
	for _, f := range s.Flows {
		w.artefact30(s, "str:Dataflow", structure.Flows, structure.Agency, f.ID, f.Name, "")
		if !s.Stub(structure.Flows) {
			w.text("str:Structure", structure.URN("datastructure.DataStructure", structure.DataStructure))
		}
		w.close()
	}
	w.close()
}

func (w *writer) dataStructure30(s *structure.Selection) {
	if !s.HasStructure {
		return
	}
	w.open("str:DataStructures")
	w.artefact30(s, "str:DataStructure", structure.Structure, structure.Agency, structure.DataStructure, s.Name, "")
	if !s.Stub(structure.Structure) {
		w.open("str:DataStructureComponents")
		w.open("str:DimensionList", "id", "DimensionDescriptor")
		for _, d := range s.Dimensions {
			w.component30("str:Dimension", d)
			w.close()
		}
		w.component30("str:TimeDimension", s.Period)
		w.close()
		w.close()
		w.open("str:AttributeList", "id", "AttributeDescriptor")
		for _, a := range s.Attributes {
			w.component30("str:Attribute", a, "usage", map[bool]string{true: "mandatory", false: "optional"}[a.Required])
			w.open("str:AttributeRelationship")
			w.empty("str:Observation")
			w.close()
			w.close()
		}
		w.close()
		w.open("str:MeasureList", "id", "MeasureDescriptor")
		w.component30("str:Measure", s.Primary, "usage", "optional")
		w.close()
		w.close()
		w.close()
	}
	w.close()
	w.close()
}

// component30 begins a dimension, an attribute or the measure.
func (w *writer) component30(element string, c structure.Component, attributes ...string) {
	w.open(element, append([]string{"id", c.ID}, attributes...)...)
	w.text("str:ConceptIdentity", structure.URN("conceptscheme.Concept", structure.ConceptScheme)+"."+c.ID)
	w.open("str:LocalRepresentation")
	if c.List != nil {
		w.text("str:Enumeration", structure.URN("codelist.Codelist", c.List.ID))
	} else {
		w.empty("str:TextFormat", "textType", c.Type())
	}
	w.close()
}

func (w *writer) constraints30(s *structure.Selection) {
	if len(s.Available) == 0 {
		return
	}
	w.open("str:DataConstraints")
	for _, a := range s.Available {
		w.open("str:DataConstraint", "id", "CR_"+a.Flow.ID, "agencyID", structure.Agency, "version", structure.Semantic, "role", "Actual")
		w.metrics(a)
		w.named("com:Name", a.Flow.Name)
		w.open("str:ConstraintAttachment")
		w.text("str:Dataflow", structure.URN("datastructure.Dataflow", a.Flow.ID))
		w.close()
		w.region(a, "str:")
		w.close()
	}
	w.close()
}
