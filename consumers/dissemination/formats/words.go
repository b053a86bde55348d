package formats

import (
	"fmt"

	"retorno/consumers/dissemination/disclosure/published"
)

// column is what is said of a column of the tables.
type column struct {
	text
	tag string // its HXL hashtag; of periods none, since they are three columns there
	geo bool   // it names places
}

// columns are those of every table that can be published.
var columns = map[string]column{
	timeColumn:    {text{"Periodo", "Period"}, "", false},
	"source":      {text{"Fuente del retorno", "Source of the return"}, "#meta+source", false},
	"route":       {text{"País de retorno y vía", "Country of return and mode"}, "#country+origin+route", true},
	"exit_point":  {text{"Punto por donde dice que salió", "Point where the person says they left"}, "#loc+border+exit", true},
	"entry_point": {text{"Punto de entrada", "Entry point"}, "#loc+border+entry", true},
	"residence":   {text{"Departamento o municipio de origen", "Department or municipality of origin"}, "#loc+residence", true},
	"centre":      {text{"Centro de recepción", "Reception centre"}, "#loc+centre", true},
	"post":        {text{"Puesto fronterizo", "Border post"}, "#loc+border+post", true},
	"sex":         {text{"Sexo", "Sex"}, "#group+sex", false},
	"age":         {text{"Grupo de edad", "Age group"}, "#group+age", false},
	"accompanied": {text{"Acompañamiento", "Accompaniment"}, "#group+accompaniment", false},
	"return_type": {text{"Tipo de retorno", "Type of return"}, "#event+return+type", false},
	"kind":        {text{"Tipo de ayuda", "Kind of help"}, "#service+kind", false},
	"result":      {text{"Resultado del control de documento", "Result of the document check"}, "#event+check+result", false},
}

// measure is what is said of what tables count.
type measure struct {
	text
	tag string // HXL
}

// measures are those of every table that can be published. Only persons are #affected or #reached.
var measures = map[string]measure{
	"returns":        {text{"Retornos", "Returns"}, "#affected+returnees"},
	"helps":          {text{"Ayudas dadas", "Helps given"}, "#output+helps"},
	"people":         {text{"Personas asistidas", "People helped"}, "#reached+people"},
	"people_by_kind": {text{"Personas asistidas por tipo de ayuda", "People helped by kind of help"}, "#reached+people"},
	"crossings":      {text{"Cruces con control de documentos", "Crossings with a document check"}, "#indicator+crossings+num"},
}

// statuses are those of cells, by SDMX's CL_OBS_STATUS.
var statuses = map[string]text{
	"A": {"exacto", "exact"},
	"P": {"provisional y redondeado", "provisional and rounded"},
	"Q": {"no se da, porque es de muy pocas personas o porque permitiría calcular otro conteo de muy pocas personas",
		"withheld, because it is of very few persons or would let another such count be computed"},
}

var source = text{
	"Retorno: registros de los centros de recepción y cruces en los puestos fronterizos de Honduras, conciliados",
	"Retorno: registrations at reception centres and crossings at border posts of Honduras, reconciled",
}

// notes are the sentences that travel with a slice, so that it is read as what it is.
func (s Slice) notes() []text {
	all := []text{{
		"Una celda sin valor y con estado Q no se da. No es cero.",
		"A cell without a value and with status Q is withheld. It is not zero.",
	}}
	if s.Table.Measure == "returns" {
		all = append(all, text{
			"Se cuentan llegadas, no personas: quien vuelve dos veces cuenta dos veces.",
			"Arrivals are counted, not persons: who returns twice counts twice.",
		})
	}
	if base := s.Table.Base; base > 1 {
		all = append(all, text{
			fmt.Sprintf("Cada conteo y cada total se redondea por separado al múltiplo de %d más cercano. Por eso las partes pueden no sumar el total.", base),
			fmt.Sprintf("Each count and each total is rounded by itself to the nearest multiple of %d. Parts may therefore not add up to the total.", base),
		})
	}
	if s.From.Manifest.Revises > 0 {
		all = append(all, text{
			"Un conteo que nombra una edición anterior puede haber cambiado desde entonces por muy pocas personas. No sume conteos de ediciones distintas.",
			"A count that names an earlier vintage may have changed since by too few persons to say. Do not add counts of different vintages.",
		})
	}
	return all
}

// about is what travels with a slice.
type about struct {
	Vintage   string   `json:"vintage"`        // 2016-S1/1
	Status    string   `json:"vintage_status"` // provisional, final, revision
	Table     string   `json:"table"`
	Measure   string   `json:"measure"`
	AsOf      string   `json:"as_of"`
	Published string   `json:"published_at"`
	Reason    string   `json:"reason,omitempty"`
	Method    int      `json:"method_version"`
	Rounded   int64    `json:"rounded_to,omitempty"`
	Coverage  *float64 `json:"coverage_percent"`
	Late      *float64 `json:"late_percent"`
	Base      base     `json:"base"`
	Statuses  any      `json:"obs_status"`
}

// base has the counts that the coverage is of, null where they are not published.
type base struct {
	Registered *int64 `json:"registered"`
	Reconciled *int64 `json:"reconciled"`
}

func (s Slice) about() about {
	m := s.From.Manifest
	return about{Vintage: s.From.Name(), Status: m.Status, Table: s.Table.ID, Measure: s.Table.Measure, AsOf: moment(m.AsOf), Published: moment(s.From.Published), Reason: m.Reason,
		Method: m.MethodVersion, Rounded: m.Rounded, Coverage: m.Coverage, Late: m.Late, Statuses: statuses,
		Base: base{s.total([]string{timeColumn, "source"}, []string{s.From.Period, "registered"}), s.total([]string{timeColumn}, []string{s.From.Period})}}
}

// total is the count of returns that the vintage publishes under these codes, or nil.
func (s Slice) total(columns, codes []string) *int64 {
	key := published.Key("returns", columns, codes)
	for _, t := range s.From.Tables {
		for _, c := range t.Cells {
			if !c.Withheld && published.Key(t.Measure, t.Columns, c.Codes) == key {
				return &c.Value
			}
		}
	}
	return nil
}
