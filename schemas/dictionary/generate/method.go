package main

import (
	"fmt"
	"strings"

	"retorno/schemas/dictionary"
)

const (
	methodFile = "../../consumers/counting/reconcile/METHOD.md"
	// tableBegin and tableEnd are the lines of METHOD.md between which a table is generated, one for each language.
	tableBegin = "<!-- Generated from schemas/dictionary/attributes.csv: run `make generate`. -->\n"
	tableEnd   = "<!-- End of what is generated. -->\n"
)

// asked are the ways in which a return gets an attribute, as METHOD.md names them in English and Spanish.
var asked = []struct {
	method dictionary.Method
	words  [2]string
}{
	{dictionary.RegistrationsFirst, [2]string{"registrations, then return crossings", "los registros, después los cruces de retorno"}},
	{dictionary.PostsFirst, [2]string{"return crossings (the post itself), then registrations", "los cruces de retorno (el puesto mismo), después los registros"}},
	{dictionary.RegistrationsOnly, [2]string{"registrations only", "solo los registros"}},
}

// heads are the headings of the table.
var heads = [2]string{"| asked in this order | attributes |\n|---|---|\n", "| se pregunta en este orden a | atributos |\n|---|---|\n"}

// methodTable says which records each attribute of a return comes from; language 0 is English, 1 Spanish.
func methodTable(language int) string {
	var b strings.Builder
	b.WriteString("\n" + heads[language])
	for _, way := range asked {
		var names []string
		for _, a := range dictionary.Attributes() {
			if a.Method == way.method {
				names = append(names, "`"+a.Name+"`")
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", way.words[language], strings.Join(names, ", "))
	}
	return b.String() + "\n"
}

// method is METHOD.md with its tables as attributes.csv has them.
func method(text string) (string, error) {
	var b strings.Builder
	for language := range heads {
		before, rest, begins := strings.Cut(text, tableBegin)
		_, after, ends := strings.Cut(rest, tableEnd)
		if !begins || !ends {
			return "", fmt.Errorf("%s lacks the lines %q and %q, once for each language", methodFile, strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
		}
		b.WriteString(before + tableBegin + methodTable(language) + tableEnd)
		text = after
	}
	return b.String() + text, nil
}
