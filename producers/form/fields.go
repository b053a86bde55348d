package form

import (
	"slices"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Input is how a field is typed.
type Input string

// The ways to type.
const (
	Text   Input = "text"   // free text, or figures
	Date   Input = "date"   // a day as people type it; read back in words
	One    Input = "one"    // one code of a short list
	Find   Input = "find"   // one code of a long list, found by typing
	Many   Input = "many"   // several codes of a short list
	Hidden Input = "hidden" // goes with the form
)

// Field is one field of a form.
type Field struct {
	Name   string
	Input  Input
	List   string // of codes
	ES, EN string // label
	// More reports whether the field stands below the others, behind "more", because most records do not need it.
	More bool
	// Or names the field that need not be answered when this one is.
	Or string
	// Return reports whether the field is only of a returned person.
	Return bool
}

// Label is what the form shows in that language.
func (f Field) Label(english bool) string {
	if english {
		return f.EN
	}
	return f.ES
}

func hidden(names ...string) []Field {
	out := make([]Field, len(names))
	for i, name := range names {
		out[i] = Field{Name: name, Input: Hidden}
	}
	return out
}

// identifying are the fields that stay in the office, in the order in which the other fields follow them.
var (
	number = Field{Name: "document_number", Input: Text, ES: "Documento", EN: "Document"}
	age    = Field{Name: "age", Input: Text, ES: "Edad", EN: "Age", Or: "birth_date"}
	birth  = Field{Name: "birth_date", Input: Date, ES: "Fecha de nacimiento", EN: "Birth date"}
	folio  = Field{Name: "folio", Input: Text, ES: "Boleta", EN: "Slip", More: true}
	others = []Field{
		{Name: "document_type", Input: Text, ES: "Tipo de documento", EN: "Type of document", More: true},
		{Name: "document_country", Input: Find, List: codelists.Country, ES: "País del documento", EN: "Country of the document", More: true},
		{Name: "names", Input: Text, ES: "Nombres", EN: "Given names", More: true},
		{Name: "surnames", Input: Text, ES: "Apellidos", EN: "Surnames", More: true},
		{Name: "form_number", Input: Text, ES: "Número de formulario", EN: "Form number", More: true},
		{Name: "happened", Input: Text, ES: "Cuándo (si no es ahora)", EN: "When (if not now)", More: true},
	}
)

// of is a field of an attribute as the dictionary has it.
func of(name string, input Input, more ...bool) Field {
	a := dictionary.Get(name)
	return Field{Name: a.Field, Input: input, List: a.List, ES: a.LabelES, EN: a.LabelEN, More: len(more) > 0}
}

func ofReturn(f Field) Field {
	f.Return = true
	return f
}

// CrossingList is the list of a field that names a crossing of which a post told: it is no code list.
const CrossingList = "crossing"

var layouts = map[Page][]Field{
	ArrivalPage: slices.Concat(hidden("record_id", "revision", "confirm"), []Field{
		{Name: "means", Input: One, List: "means", ES: "Cómo llegan", EN: "How they arrive"},
		of("country", Find), of("return_type", One), of("programme", One),
		{Name: "plate", Input: Text, ES: "Placa o vuelo", EN: "Plate or flight"},
		{Name: "expected", Input: Text, ES: "Personas esperadas", EN: "People expected"},
		of("mode", One, true), of("border_point", One, true), others[5],
		{Name: "sent_to", Input: One, List: codelists.Centre, ES: "Enviado al centro", EN: "Sent on to the centre", More: true},
		{Name: "closed", Input: One, List: codelists.Answer, ES: "Cerrada", EN: "Closed", More: true},
	}),
	CrossingPage: slices.Concat(hidden("record_id", "revision", "confirm", "arrival_id", "returned"), []Field{
		number, of("sex", One), age, birth, of("document_check", One), folio,
		of("direction", One, true), of("category", One, true), of("nationality", Find, true),
		ofReturn(of("country", Find, true)), ofReturn(of("mode", One, true)), ofReturn(of("return_type", One, true)), of("border_point", One, true),
	}, others),
	RegistrationPage: slices.Concat(hidden("record_id", "revision", "confirm", "arrival_id"), []Field{
		number, {Name: "crossing_id", Input: Find, List: CrossingList, ES: "Persona en camino", EN: "Person on the way"}, of("sex", One), age, birth, of("exit_point", One), of("municipality", Find), of("destination_municipality", Find),
		of("accompanied", One), of("travel_company", One), of("reasons", Many), of("intended_country", Find), of("displaced_by_violence", One),
		of("intends_to_migrate_again", One), of("education", One), of("occupation", One), of("programme", One),
		of("nationality", Find, true), of("country", Find, true), of("mode", One, true), of("return_type", One, true), of("entry_point", One, true),
		{Name: "arrival_time_ms", Input: Text, ES: "Llegada a Honduras", EN: "Arrival in Honduras", More: true},
		of("department", One, true), of("destination_department", One, true), of("centre", One, true), folio,
	}, others),
	AssistancePage: slices.Concat(hidden("record_id", "revision", "confirm", "arrival_id", "registration_id"), []Field{
		of("assistance_kind", Many), of("centre", One, true), others[5],
	}),
}

// Fields are the fields of a page in their order. The slice is shared.
func Fields(page Page) []Field { return layouts[page] }

// unseen are names that forms may bear and pages do not show as fields of their own.
var unseen = map[Page][]string{
	ArrivalPage:    {"arrival_id"},
	AssistancePage: {"document_number", "document_type", "document_country", "folio", "left_out", "form_number"},
}

var names = func() map[Page][]string {
	all := map[Page][]string{}
	for page, fields := range layouts {
		for _, f := range fields {
			all[page] = append(all[page], f.Name)
		}
		all[page] = append(all[page], "void_reason")
		all[page] = append(all[page], unseen[page]...)
	}
	return all
}()

// Names are the names that fields of a page may have. The slice is shared.
func Names(page Page) []string { return names[page] }
