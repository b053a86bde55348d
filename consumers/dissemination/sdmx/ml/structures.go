package ml

import (
	"regexp"
	"strconv"
	"time"

	"retorno/consumers/dissemination/sdmx/structure"
)

// structures writes artefacts in one of the two versions. They have the same artefacts; 3.0 has other names for some elements, another
// order of the sections, and refers to an artefact by its URN where 2.1 names its parts.
type structures struct {
	writer
	*structure.Selection
	v3 bool
}

// Structures writes a message of artefacts as SDMX-ML 2.1, in the order that its schemas want.
func Structures(s *structure.Selection, published time.Time) []byte {
	w := &structures{Selection: s}
	return w.message(published, schemas, w.agencies, w.flows, w.lists, w.concepts, w.dataStructure, w.constraints)
}

// Structures30 writes a message of artefacts as SDMX-ML 3.0, in the order that its schemas want.
func Structures30(s *structure.Selection, published time.Time) []byte {
	w := &structures{Selection: s, v3: true}
	return w.message(published, schemas30, w.agencies, w.lists, w.concepts, w.constraints, w.flows, w.dataStructure)
}

func (w *structures) message(published time.Time, schemas string, sections ...func()) []byte {
	w.begin()
	w.open("mes:Structure", "xmlns:mes", schemas+"message", "xmlns:com", schemas+"common", "xmlns:str", schemas+"structure")
	w.open("mes:Header")
	w.header(idOf("structures"), published)
	w.close()
	w.open("mes:Structures")
	for _, section := range sections {
		section()
	}
	w.close()
	w.close()
	return w.Bytes()
}

// either is what 2.1 writes or what 3.0 does; "" is left out.
func (w *structures) either(v2, v3 string) string {
	if w.v3 {
		return v3
	}
	return v2
}

// when is "true" or left out.
func when(yes bool) string {
	if yes {
		return "true"
	}
	return ""
}

// artefact begins one of the artefacts. What is external has its content elsewhere: it is left out.
func (w *structures) artefact(element, kind, agency, id string, name structure.Text, partial bool) {
	final, urn, version := "true", urnOf(kind, agency, id), structure.Version
	if kind == structure.Agencies {
		final = "" // SDMX 2.1 does not allow it to be
	}
	if w.v3 {
		final, urn, version = "", "", structure.Semantic
		if kind == structure.Agencies {
			version = "" // SDMX 3.0 fixes it at 1.0
		}
	}
	w.open(element, "id", id, "urn", urn, "agencyID", agency, "version", version, "isFinal", final, "isExternalReference", when(w.Stub(kind)), "isPartial", when(partial))
	w.named("com:Name", name)
}

// urnOf is the URN of an artefact (SDMX 2.1 §6, technical notes).
func urnOf(kind, agency, id string) string {
	class := map[string]string{structure.Agencies: "base.AgencyScheme", structure.Concepts: "conceptscheme.ConceptScheme", structure.Lists: "codelist.Codelist",
		structure.Structure: "datastructure.DataStructure", structure.Flows: "datastructure.Dataflow", constraint: "registry.ContentConstraint"}[kind]
	return "urn:sdmx:org.sdmx.infomodel." + class + "=" + agency + ":" + id + "(" + structure.Version + ")"
}

const constraint = "contentconstraint"

// refer writes an element that refers to an artefact of a class.
func (w *structures) refer(element, pack, class, id string) {
	if w.v3 {
		w.text(element, structure.URN(pack+"."+class, id))
		return
	}
	w.open(element)
	w.empty("Ref", "id", id, "version", structure.Version, "agencyID", structure.Agency, "package", pack, "class", class)
	w.close()
}

// item begins an item of a scheme.
func (w *structures) item(element, id string, name structure.Text) {
	w.open(element, "id", id)
	w.named("com:Name", name)
}

func (w *structures) agencies() {
	if !w.HasAgencies {
		return
	}
	w.open(w.either("str:OrganisationSchemes", "str:AgencySchemes"))
	w.artefact("str:AgencyScheme", structure.Agencies, structure.TopAgency, structure.AgencyScheme, structure.Text{ES: "Agencias", EN: "Agencies"}, false)
	if !w.Stub(structure.Agencies) {
		w.item("str:Agency", structure.Agency, w.AgencyName)
		w.close()
	}
	w.close()
	w.close()
}

func (w *structures) flows() {
	if len(w.Flows) == 0 {
		return
	}
	w.open("str:Dataflows")
	for _, f := range w.Flows {
		w.artefact("str:Dataflow", structure.Flows, structure.Agency, f.ID, f.Name, false)
		if !w.Stub(structure.Flows) {
			w.refer("str:Structure", "datastructure", "DataStructure", structure.DataStructure)
		}
		w.close()
	}
	w.close()
}

// parent3 is the form that the schemas of 3.0 want of a code that others are parts of: _T is not allowed to be one.
var parent3 = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_\-]*$`)

func (w *structures) lists() {
	if len(w.Lists) == 0 {
		return
	}
	w.open("str:Codelists")
	for _, l := range w.Lists {
		w.artefact("str:Codelist", structure.Lists, structure.Agency, l.ID, l.Name, w.Partial)
		for _, c := range l.Codes {
			if w.Stub(structure.Lists) {
				break
			}
			w.item("str:Code", c.ID, c.Name)
			switch {
			case w.v3 && parent3.MatchString(c.Parent):
				w.text("str:Parent", c.Parent)
			case !w.v3 && c.Parent != "":
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

func (w *structures) concepts() {
	if !w.HasConcepts {
		return
	}
	w.open(w.either("str:Concepts", "str:ConceptSchemes"))
	w.artefact("str:ConceptScheme", structure.Concepts, structure.Agency, structure.ConceptScheme, w.Name, w.Partial)
	for _, c := range w.Concepts() {
		if w.Stub(structure.Concepts) {
			break
		}
		w.item("str:Concept", c.ID, c.Name)
		w.named("com:Description", c.Description)
		w.close()
	}
	w.close()
	w.close()
}

func (w *structures) dataStructure() {
	if !w.HasStructure {
		return
	}
	w.open("str:DataStructures")
	w.artefact("str:DataStructure", structure.Structure, structure.Agency, structure.DataStructure, w.Name, false)
	if !w.Stub(structure.Structure) {
		w.components()
	}
	w.close()
	w.close()
}

func (w *structures) components() {
	w.open("str:DataStructureComponents")
	w.open("str:DimensionList", "id", "DimensionDescriptor")
	for i, d := range w.Dimensions {
		w.component("str:Dimension", d, "position", w.either(strconv.Itoa(i+1), ""))
		w.close()
	}
	w.component("str:TimeDimension", w.Period, "position", w.either(strconv.Itoa(len(w.Dimensions)+1), ""))
	w.close()
	w.close()
	w.open("str:AttributeList", "id", "AttributeDescriptor")
	for _, a := range w.Attributes {
		w.attribute(a)
	}
	w.close()
	w.open("str:MeasureList", "id", "MeasureDescriptor")
	w.component(w.either("str:PrimaryMeasure", "str:Measure"), w.Primary, "usage", w.either("", "optional"))
	w.close()
	w.close()
	w.close()
}

// attribute writes an attribute of observations.
func (w *structures) attribute(a structure.Component) {
	if w.v3 {
		w.component("str:Attribute", a, "usage", map[bool]string{true: "mandatory", false: "optional"}[a.Required])
		w.open("str:AttributeRelationship")
		w.empty("str:Observation")
	} else {
		w.component("str:Attribute", a, "assignmentStatus", map[bool]string{true: "Mandatory", false: "Conditional"}[a.Required])
		w.open("str:AttributeRelationship")
		w.open("str:PrimaryMeasure")
		w.empty("Ref", "id", structure.Value)
		w.close()
	}
	w.close()
	w.close()
}

// component begins a dimension, an attribute or the measure.
func (w *structures) component(element string, c structure.Component, attributes ...string) {
	w.open(element, append([]string{"id", c.ID}, attributes...)...)
	if w.v3 {
		w.text("str:ConceptIdentity", structure.URN("conceptscheme.Concept", structure.ConceptScheme)+"."+c.ID)
	} else {
		w.open("str:ConceptIdentity")
		w.empty("Ref", "id", c.ID, "maintainableParentID", structure.ConceptScheme, "maintainableParentVersion", structure.Version, "agencyID", structure.Agency, "package", "conceptscheme", "class", "Concept")
		w.close()
	}
	w.open("str:LocalRepresentation")
	if c.List != nil {
		w.refer("str:Enumeration", "codelist", "Codelist", c.List.ID)
	} else {
		w.empty("str:TextFormat", "textType", c.Type())
	}
	w.close()
}
