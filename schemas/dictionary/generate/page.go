package main

import (
	"fmt"
	"strings"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

const pageFile = "../../docs/data-dictionary.md"

// chosen says how a return gets an attribute.
var chosen = map[dictionary.Method]string{
	dictionary.Unused: "stored only", dictionary.OfFact: "of single facts only",
	dictionary.RegistrationsFirst: "earliest registration that states it, else earliest return crossing",
	dictionary.RegistrationsOnly:  "earliest registration that states it",
	dictionary.PostsFirst:         "earliest return crossing, else earliest registration",
}

// page is the data dictionary for people.
func page() string {
	var b strings.Builder
	b.WriteString(`# Data dictionary · Diccionario de datos

<!-- Generated from schemas/dictionary/attributes.csv: run ` + "`make generate`" + `. -->

What a record can state, one row for each attribute. Its name is the column's name in ` + "`retorno.facts`" + `, in ` + "`ceniss.returns`" + `
and in the counts. A record that does not state an attribute counts under the code that stands after *unknown*.

Lo que un registro puede declarar, una fila por atributo. Su nombre es el de la columna en ` + "`retorno.facts`" + `, en ` + "`ceniss.returns`" + `
y en los conteos. Un registro que no declara un atributo cuenta bajo el código que sigue a *unknown*.

| Name | Español | English | Values | Stated by | How a return gets it | Dimension of | Concept | Sensitivity |
|---|---|---|---|---|---|---|---|---|
`)
	for _, a := range dictionary.Attributes() {
		cells := []string{"`" + a.Name + "`", a.DescriptionES, a.DescriptionEN, values(a), statedBy(a), chosen[a.Method], strings.Join(a.Cubes, ", "), a.Concept, a.Sensitivity}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString(`
Concepts are those of SDMX's cross-domain list where it has one (SEX, AGE, EDUCATION_LEV, OCCUPATION), else the agency's own.
Sensitivity is what disclosure control must know: *indirect* helps to recognise a person, *sensitive* tells what a person may not
want told, *identifier* names another record.

## Code lists · Listas de códigos

| List | Codes | Unknown |
|---|---|---|
`)
	for _, l := range codelists.Lists() {
		fmt.Fprintf(&b, "| `%s` | %d | `%s` |\n", l.Name, l.Len(), l.Unknown)
	}
	b.WriteString("\nThe view `ceniss.codes` holds every code with its labels and validity · La vista `ceniss.codes` contiene cada código con sus nombres y su vigencia.\n")
	return b.String()
}

// values says what an attribute's values are.
func values(a *dictionary.Attribute) string {
	switch a.Type {
	case dictionary.Code:
		return fmt.Sprintf("list `%s`; unknown `%s`", a.List, a.Codes.Unknown)
	case dictionary.Codes:
		return fmt.Sprintf("several of list `%s`; unknown `%s`", a.List, a.Codes.Unknown)
	case dictionary.Age:
		return "0 to 120"
	case dictionary.Flag:
		return "0, 1"
	case dictionary.Time:
		return "date and time, America/Tegucigalpa"
	}
	return "UUID"
}

func statedBy(a *dictionary.Attribute) string {
	var all []string
	for _, k := range dictionary.Kinds() {
		if !a.Has(k) {
			continue
		}
		text := k.String()
		for _, required := range a.Required {
			if required == k {
				text += " (required)"
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
