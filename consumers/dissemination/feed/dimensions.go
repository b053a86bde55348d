package feed

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/schemas/calendar"
)

// DocumentationPath is where the feed is described for people; problems point into it.
const DocumentationPath = "/feed/"

// MaxDimensions is how many columns one table may be broken down by.
const MaxDimensions = 3

// Dimension is a column that counts can be broken down by.
type Dimension struct {
	ID     string
	Kind   string // of a period, which is its own label; else ""
	Column string // of the vintages' tables; "" for periods, and for what no table has
	ES, EN string // what it is
}

// dimensions stand in the order in which they become columns of a table.
var dimensions = []Dimension{
	{ID: "half_year", Kind: calendar.KindHalfYear, ES: "Semestre", EN: "Half-year"},
	{ID: "quarter", Kind: calendar.KindQuarter, ES: "Trimestre", EN: "Quarter"},
	{ID: "month", Kind: calendar.KindMonth, ES: "Mes", EN: "Month"},
	{ID: "route", Column: "route", ES: "Ruta: país de retorno y vía", EN: "Route: country of return and mode"},
	{ID: "country", ES: "País de retorno: está en route", EN: "Country of return: it is in route"},
	{ID: "mode", ES: "Vía: está en route", EN: "Mode: it is in route"},
	{ID: "return_type", Column: "return_type", ES: "Tipo de retorno", EN: "Type of return"},
	{ID: "entry_point", Column: "entry_point", ES: "Punto de entrada", EN: "Entry point"},
	{ID: "exit_point", Column: "exit_point", ES: "Punto por donde dice que salió", EN: "Point where the person says they left"},
	{ID: "centre", Column: "centre", ES: "Centro que lo registró", EN: "Centre that registered it"},
	{ID: "sex", Column: "sex", ES: "Sexo", EN: "Sex"},
	{ID: "age_group", Column: "age", ES: "Grupo de edad", EN: "Age group"},
}

// Dimensions lists what `by` may name, in the order of columns, without what no table has: that is understood, and answered with the nearest
// tables. The slice is the caller's.
func Dimensions() []Dimension {
	return slices.DeleteFunc(slices.Clone(dimensions), func(d Dimension) bool { return d.Column == "" && d.Kind == "" })
}

// Breakdown is the question by one dimension, in the place of those that it names.
func (q Query) Breakdown(id string) Query {
	i := slices.IndexFunc(dimensions, func(d Dimension) bool { return d.ID == id })
	q.By = dimensions[i : i+1]
	return q
}

// Series is which sources a count rests on.
type Series struct {
	ID      string
	ES, EN  string   // its definition
	sources []string // codes of the vintages' sources that make it up
}

// The series that there are. Registered is the default.
var (
	Registered = Series{"registered", "Retornos registrados en un centro de recepción: lo que CENISS publica", "Returns registered at a reception centre: what CENISS publishes", []string{"registered"}}
	Checkpoint = Series{"checkpoint", "Retornos vistos entrar en un puesto fronterizo", "Returns seen entering at a border post", []string{"both", "post_only"}}
	Reconciled = Series{"reconciled", "Retornos conocidos por registro, por cruce o por ambos", "Returns known from a registration, a crossing or both", []string{published.Total}}
)

var series = []Series{Registered, Checkpoint, Reconciled}

// AllSeries lists what `series` may name; the first is the default. The slice is the caller's.
func AllSeries() []Series { return append([]Series(nil), series...) }
