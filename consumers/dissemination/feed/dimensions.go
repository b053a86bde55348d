package feed

import (
	"retorno/schemas/codelists"
)

// DocumentationPath is where the feed is described for people; problems point into it.
const DocumentationPath = "/feed/"

// MaxDimensions is how many columns one table may be broken down by.
const MaxDimensions = 3

// Dimension is a column that counts can be broken down by. Its id is also the name of a column of
// ceniss.return_counts: nothing else of a question ever becomes part of SQL text.
type Dimension struct {
	ID     string
	List   string // code list of its labels; "" for periods, which are their own labels
	ES, EN string // what it is
	Daily  bool   // also given for days and weeks
}

// dimensions stand in the order in which they become columns of a table.
var dimensions = []Dimension{
	{ID: "half_year", ES: "Semestre", EN: "Half-year"},
	{ID: "quarter", ES: "Trimestre", EN: "Quarter"},
	{ID: "month", ES: "Mes", EN: "Month"},
	{ID: "route", List: codelists.Route, ES: "Ruta: país de retorno y vía", EN: "Route: country of return and mode", Daily: true},
	{ID: "country", List: codelists.Country, ES: "País de retorno", EN: "Country of return", Daily: true},
	{ID: "mode", List: codelists.Mode, ES: "Vía", EN: "Mode", Daily: true},
	{ID: "return_type", List: codelists.ReturnType, ES: "Tipo de retorno", EN: "Type of return"},
	{ID: "entry_point", List: codelists.BorderPoint, ES: "Punto de entrada", EN: "Entry point"},
	{ID: "exit_point", List: codelists.BorderPoint, ES: "Punto por donde dice que salió", EN: "Point where the person says they left"},
	{ID: "centre", List: codelists.Centre, ES: "Centro que lo registró", EN: "Centre that registered it"},
	{ID: "sex", List: codelists.Sex, ES: "Sexo", EN: "Sex"},
	{ID: "age_group", List: codelists.AgeGroup, ES: "Grupo de edad", EN: "Age group"},
}

// Dimensions lists what `by` may name, in the order of columns. The slice is the caller's.
func Dimensions() []Dimension { return append([]Dimension(nil), dimensions...) }

// Series is which sources a count rests on. Its id is also a column of ceniss.return_counts.
type Series struct {
	ID     string
	ES, EN string // its definition
}

var series = []Series{
	{"registered", "Retornos registrados en un centro de recepción: lo que CENISS publica", "Returns registered at a reception centre: what CENISS publishes"},
	{"checkpoint", "Retornos vistos entrar en un puesto fronterizo", "Returns seen entering at a border post"},
	{"reconciled", "Retornos conocidos por registro, por cruce o por ambos", "Returns known from a registration, a crossing or both"},
}

// AllSeries lists what `series` may name; the first is the default. The slice is the caller's.
func AllSeries() []Series { return append([]Series(nil), series...) }

// label is the name of a code in a language, and the code itself where the list has no other.
func (d Dimension) label(code, lang string) string {
	if d.List == "" {
		return code
	}
	list, ok := codelists.Get(d.List)
	if !ok {
		return code
	}
	c, ok := list.Lookup(code)
	switch {
	case !ok:
		return code
	case lang == "en" && c.LabelEN != "":
		return c.LabelEN
	case lang == "es" && c.LabelES != "":
		return c.LabelES
	}
	return code
}
