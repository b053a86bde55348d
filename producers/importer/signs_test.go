package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"retorno/schemas/events"
)

// cellCase is what the cells of one column come to, one row each.
type cellCase struct {
	column      string
	cells, want []string
}

func (c cellCase) check(t *testing.T, cfg Config, value func(*events.Record) string) {
	t.Helper()
	if got := column(t, cfg, c.column, value, c.cells...); !slices.Equal(got, c.want) {
		t.Errorf("%s: %q is %q, want %q", c.column, c.cells, got, c.want)
	}
}

// Letters with dots are no code, a number that is dialled is no country, and a code between names asks.
func TestCodesOfCountriesThatAreLettersOfSomethingElse(t *testing.T) {
	const doubt = "doubtful_code"
	for name, value := range map[string]func(*events.Record) string{
		"País de retorno": func(r *events.Record) string { return r.GetRegistration().GetCountry() },
		"Nacionalidad":    func(r *events.Record) string { return r.GetRegistration().GetNationality() },
		"País de destino": func(r *events.Record) string { return r.GetRegistration().GetIntendedCountry() },
	} {
		for _, c := range []struct{ cells, want []string }{
			{[]string{"C.A.", "C. A.", "c/a", "(CA)", "C.H.", "México"}, []string{doubt, doubt, doubt, doubt, doubt, "MX"}},
			{[]string{"C.A.", "CA", "US", "MX", "HN"}, []string{doubt, "CA", "US", "MX", "HN"}},
			{[]string{"L.A.", "T.G.", "R.U.", "S.A.", "N.L.", "US"}, []string{doubt, doubt, doubt, doubt, doubt, "US"}},
			{[]string{"U.S.", "U.S.A.", "EE.UU.", "EE. UU.", "C.R.", "P.R.", "G.B."}, []string{"US", "US", "US", "US", "CR", "PR", "GB"}},
			{[]string{"LA", "TG", "EE", "México", "Guatemala"}, []string{doubt, doubt, doubt, "MX", "GT"}},
			{[]string{"LA", "TG", "EE", "US", "MX", "GT"}, []string{"LA", "TG", "EE", "US", "MX", "GT"}},
			{[]string{"AZ", "GA", "LA"}, []string{doubt, doubt, doubt}},
			{[]string{"TX", "CO", "PA", "GA", "US", "HN"}, []string{"unknown_code", doubt, doubt, doubt, "US", "HN"}},
			{[]string{"CO", "PA", "GA", "US", "HN"}, []string{"CO", "PA", "GA", "US", "HN"}},
			{[]string{"504", "+504", "(504)", "508", "591", "1", "México"}, []string{doubt, doubt, doubt, doubt, doubt, doubt, "MX"}},
			{[]string{"340", "840", "504", "484", "+504"}, []string{"HN", "US", "MA", "MX", doubt}},
		} {
			cellCase{name, c.cells, c.want}.check(t, Config{Kind: KindCentre}, value)
		}
		set := Config{Kind: KindCentre, Values: map[string]string{name + ":504": "HN", name + ":C.A.": "SV"}, Missing: []string{"L.A."}}
		cellCase{name, []string{"504", "C.A.", "L.A."}, []string{"HN", "SV", ""}}.check(t, set, value)
	}
}

// A sign is read where it has one meaning and is a fault elsewhere; only dashes, dots and empty masks state nothing.
func TestSignsAreReadOrRefused(t *testing.T) {
	centre, post := Config{Kind: KindCentre}, Config{Kind: KindCheckpoint}
	registration := (*events.Record).GetRegistration
	const unknown, doubt = "unknown_code", "doubtful_code"
	answers := []string{"✓", "✔", "☑", "√", "✔\uFE0F", "✅", "✗", "☒", "☐", "*", "+", "¡", "\"\"\"\"", "***", "—", "//", "…", "✓ no"}
	for name, value := range map[string]func(*events.Record) string{
		"Desplazado por violencia": func(r *events.Record) string { return registration(r).GetDisplacedByViolence() },
		"Motivo violencia": func(r *events.Record) string {
			return map[string]string{"violence": "yes", "": ""}[strings.Join(registration(r).GetReasons(), "+")]
		},
		"Acompañado": func(r *events.Record) string {
			return map[string]string{"accompanied": "yes", "unaccompanied": "no"}[registration(r).GetAccompanied()]
		},
	} {
		want := []string{"yes", "yes", "yes", "yes", "yes", "yes", doubt, doubt, doubt, doubt, unknown, unknown, unknown, doubt, "", "", "", "no"}
		if name == "Motivo violencia" {
			want[len(want)-1] = ""
		}
		cellCase{name, answers, want}.check(t, centre, value)
	}
	returned := func(r *events.Record) string { return fmt.Sprint(r.GetCrossing().GetReturned()) }
	cellCase{"Retornado", []string{"✓", "✗", "+", "-", "√"}, []string{"true", doubt, unknown, "false", "true"}}.check(t, post, returned)
	sex := func(r *events.Record) string { return registration(r).GetSex() }
	cellCase{"Sexo", []string{"♂", "♀", "♀\uFE0F", "⚥", "✓", "*", "–"}, []string{"M", "F", "F", unknown, unknown, unknown, ""}}.check(t, centre, sex)
	signs := []string{"✓", "+", "/", "¡", "***", "###", "=", "México?", "__/__/____", "-.-", "Σ"}
	for name, value := range map[string]func(*events.Record) string{
		"País de retorno":  func(r *events.Record) string { return registration(r).GetCountry() },
		"Punto de entrada": func(r *events.Record) string { return registration(r).GetEntryPoint() },
		"Departamento":     func(r *events.Record) string { return registration(r).GetDepartment() },
		"Motivos":          func(r *events.Record) string { return strings.Join(registration(r).GetReasons(), "+") },
		"Vía":              func(r *events.Record) string { return registration(r).GetMode() },
	} {
		want := []string{unknown, unknown, "", unknown, unknown, unknown, unknown, unknown, "", "", unknown}
		if name == "País de retorno" {
			want[7] = doubt
		}
		cells := signs
		if name == "Motivos" { // + divides answers
			cells, want = slices.Delete(slices.Clone(signs), 1, 2), slices.Delete(want, 1, 2)
		}
		cellCase{name, cells, want}.check(t, centre, value)
	}
	cellCase{"Municipio", []string{"0501", "✓", "0501?", "***", "-"}, []string{"0501", "municipality_without_department", "municipality_without_department", "municipality_without_department", ""}}.
		check(t, centre, func(r *events.Record) string { return registration(r).GetMunicipality() })
	cellCase{"Edad", []string{"✓", "***", "–", "//", "30"}, []string{"bad_age", "bad_age", "", "", "30"}}.check(t, centre, ageOf)
	for _, c := range []cellCase{
		{"País de retorno", []string{"México*", "¿México?", "~México", "México", "*México*"}, []string{doubt, doubt, doubt, "MX", doubt}},
		{"País de retorno", []string{"Guatemala ?", "✗ Guatemala", "✓ Guatemala"}, []string{doubt, doubt, "GT"}},
	} {
		c.check(t, centre, func(r *events.Record) string { return registration(r).GetCountry() })
	}
	cellCase{"Punto de entrada", []string{"Corinto", "Corinto?", "Corinto *"}, []string{"L-COR", doubt, doubt}}.check(t, centre, func(r *events.Record) string { return registration(r).GetEntryPoint() })
	got := mustImport(t, centre, "Centro;Fecha;Ocupación\nOmoa;16/02/2015;✓\nOmoa;17/02/2015;Agricultor?\n")
	if w := warnings(got.sum); w != "free_text Ocupación  2" || got.records[0].GetRegistration().GetOccupation() != "" {
		t.Errorf("free text: %s", w)
	}
}
