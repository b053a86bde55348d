package importer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"retorno/schemas/events"
)

// column imports one column of a centre's file, one cell a row, and gives what each row came to: a code, "" or the fault.
func column(t *testing.T, cfg Config, name string, value func(*events.Record) string, cells ...string) []string {
	t.Helper()
	text := "Centro;Fecha;Hora;" + name + "\n"
	if cfg.Kind == KindCheckpoint {
		text = "Puesto;Fecha;Hora;Movimiento;" + name + "\n"
	}
	for i, cell := range cells {
		row := fmt.Sprintf("Omoa;16/02/2015;%d:%02d;", 9+i/60, i%60)
		if cfg.Kind == KindCheckpoint {
			row = fmt.Sprintf("Corinto;16/02/2015;%d:%02d;Entrada;", 9+i/60, i%60)
		}
		text += row + cell + "\n"
	}
	got := mustImport(t, cfg, text)
	out := make([]string, len(cells))
	for _, r := range got.records {
		out[r.SourceSeq-1] = value(r)
	}
	for _, r := range got.rejected {
		var line int
		if _, err := fmt.Sscan(r[2], &line); err != nil {
			t.Fatal(err)
		}
		out[line-2] = r[4]
	}
	return out
}

func sameInAll(t *testing.T, what string, got []string, cells []string, want string) {
	t.Helper()
	for i, v := range got {
		if v != want {
			t.Errorf("%s: %q is %q, want %q", what, cells[i], v, want)
		}
	}
}

var usualNothing = []string{"S/I", "S.I.", "s/i", "S. I.", "S-I", "N/I", "N.I.", "N/C", "n/c.", "N/E", "S/E", "S/R", "N/S", "N/R", "NS/NR", "N/S-N/R", "NS/NC", "N/P",
	"S/D", "s.d.", "N/D", "n.d.", "N/A", "N.A.", "NA", "(null)", "<NULL>", "[null]", "<NA>", "(N/A)", `\N`, "NaT", "None", "nan", "NULL", "nil", "#N/A", "#N/D", "-", ".",
	"Sin información", "S/Info", "Sin respuesta", "No contestó", "se ignora", "No disponible", "no respondió", "Rehúsa", "SIN INF.", "Si/I", "#REF!", "#¡REF!", "#¡VALOR!", "#NAME?", "#¿NOMBRE?", "#DIV/0!", "(en blanco)", "no aplica", "-9", "-99", "-999"}

func TestWaysToSayNothingAreNoCodes(t *testing.T) {
	centre, post := Config{Kind: KindCentre}, Config{Kind: KindCheckpoint}
	registration := (*events.Record).GetRegistration
	for name, value := range map[string]func(*events.Record) string{
		"Nacionalidad":             func(r *events.Record) string { return registration(r).GetNationality() },
		"País de retorno":          func(r *events.Record) string { return registration(r).GetCountry() },
		"Desplazado por violencia": func(r *events.Record) string { return registration(r).GetDisplacedByViolence() },
		"Volvería a migrar":        func(r *events.Record) string { return registration(r).GetIntendsToMigrateAgain() },
		"Acompañado":               func(r *events.Record) string { return registration(r).GetAccompanied() },
		"Motivo violencia":         func(r *events.Record) string { return strings.Join(registration(r).GetReasons(), "+") },
		"Motivos":                  func(r *events.Record) string { return strings.Join(registration(r).GetReasons(), "+") },
		"Sexo":                     func(r *events.Record) string { return registration(r).GetSex() },
		"Departamento":             func(r *events.Record) string { return registration(r).GetDepartment() },
		"Municipio":                func(r *events.Record) string { return registration(r).GetMunicipality() },
		"Escolaridad":              func(r *events.Record) string { return registration(r).GetEducation() },
		"Ocupación":                func(r *events.Record) string { return registration(r).GetOccupation() },
		"Edad":                     func(r *events.Record) string { return ageOf(r) },
		"Fecha de nacimiento":      func(r *events.Record) string { return ageOf(r) },
	} {
		cells := usualNothing
		if strings.HasPrefix(name, "Fecha") {
			cells = cells[:len(cells)-3]
		}
		sameInAll(t, name, column(t, centre, name, value, cells...), cells, "")
	}
	returned := func(r *events.Record) string { return fmt.Sprint(r.GetCrossing().GetReturned()) }
	sameInAll(t, "Retornado", column(t, post, "Retornado", returned, usualNothing...), usualNothing, "false")
}

func ageOf(r *events.Record) string {
	if x := r.GetRegistration(); x != nil && x.Age != nil {
		return fmt.Sprint(x.GetAge())
	}
	return ""
}

func TestAnswersThatAreAnswersStay(t *testing.T) {
	cells := []string{"SI", "Sí", "si", "NO", "No", "x", "1", "0", "Verdadero", "-1", "-1,0", "NS", "9"}
	want := []string{"yes", "yes", "yes", "no", "no", "yes", "yes", "no", "yes", "doubtful_code", "doubtful_code", "", "unknown_code"}
	value := func(r *events.Record) string { return r.GetRegistration().GetDisplacedByViolence() }
	if got := column(t, Config{Kind: KindCentre}, "Desplazado", value, cells...); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range []string{"Acompañado", "Motivo económico"} {
		if got := column(t, Config{Kind: KindCentre}, name, value, "-1"); got[0] != "doubtful_code" {
			t.Errorf("%s: -1 is %q", name, got[0])
		}
	}
	returned := func(r *events.Record) string { return fmt.Sprint(r.GetCrossing().GetReturned()) }
	if got := column(t, Config{Kind: KindCheckpoint}, "Retornado", returned, "SI", "S/I", "-1", "No", "x"); !slices.Equal(got, []string{"true", "false", "doubtful_code", "false", "true"}) {
		t.Errorf("returned: %q", got)
	}
	for setting, want := range map[string]string{"yes": "yes", "no": "no"} {
		if got := column(t, Config{Kind: KindCentre, Values: map[string]string{"Desplazado:-1": setting}}, "Desplazado", value, "-1", "-1.0"); got[0] != want || got[1] != want {
			t.Errorf("a value of %s: %q", setting, got)
		}
	}
	if got := column(t, Config{Kind: KindCentre, Missing: []string{"displaced_by_violence=-1", "9"}}, "Desplazado", value, "-1", "9", "SI"); !slices.Equal(got, []string{"", "", "yes"}) {
		t.Errorf("missing: %q", got)
	}
}

func TestCountriesThatMayMeanTwoThings(t *testing.T) {
	value := func(r *events.Record) string { return r.GetRegistration().GetCountry() }
	for _, c := range []struct{ cells, want string }{
		{"E.S. ES es SAL GUA GUATE El_Salv. Salv. NIC", "doubtful_code doubtful_code doubtful_code SV GT GT SV SV NI"},
		{"ES SV US España", "ES SV US ES"},
		{"ES El_Salvador México", "doubtful_code SV MX"},
		{"NI NE SE US MX GT", "NI NE SE US MX GT"},
		{"NI NE CA CH SI México", "doubtful_code doubtful_code doubtful_code doubtful_code doubtful_code MX"},
		{"NI US México Guatemala", "doubtful_code US MX GT"},
		{"C.A. C._A. c.a Ch. E._S. México", "doubtful_code doubtful_code doubtful_code doubtful_code doubtful_code MX"},
		{"C.A. CA US HN MX", "doubtful_code CA US HN MX"}, // codes have no points
		{"Nicaragua Níger Suecia Canadá", "NI NE SE CA"},
	} {
		cells := strings.Fields(c.cells)
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "_", " ")
		}
		if got := strings.Join(column(t, Config{Kind: KindCentre}, "País de retorno", value, cells...), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.cells, got, c.want)
		}
	}
	set := Config{Kind: KindCentre, Values: map[string]string{"country:ES": "SV", "country:E.S.": "SV"}, Missing: []string{"NI"}}
	if got := column(t, set, "País de retorno", value, "ES", "E.S.", "NI", "NE"); !slices.Equal(got, []string{"SV", "SV", "", "doubtful_code"}) {
		t.Errorf("settled: %q", got)
	}
	assumed := Config{Kind: KindCentre, Assume: map[string]string{"country": "ES"}}
	if got := mustImport(t, assumed, "centro;fecha\nOmoa;16/02/2015\n"); got.records[0].GetRegistration().GetCountry() != "ES" {
		t.Errorf("an assumed code: %v", got.records)
	}
	for _, name := range []string{"Centro", "Revisión de documento"} {
		text := "Centro;Fecha\nNone;16/02/2015\n"
		cfg := Config{Kind: KindCentre}
		if name != "Centro" {
			cfg.Kind, text = KindCheckpoint, "Puesto;Fecha;Movimiento;Revisión de documento\nCorinto;16/02/2015;Entrada;None\n"
		}
		if got := mustImport(t, cfg, text); len(got.rejected) != 1 || got.rejected[0][4] != "doubtful_code" {
			t.Errorf("%s: None is %v", name, got.rejected)
		}
	}
}

func TestAgesAndBirthsThatStandForNothing(t *testing.T) {
	cells := []string{"999", "-1", "-99", "888", "9999", "999,0", "99", "98", "88", "18-30", "121", "-3", "Menor", "0", "25.0"}
	want := []string{"", "", "", "", "", "", "99", "98", "88", "bad_age", "bad_age", "bad_age", "bad_age", "0", "25"}
	if got := column(t, Config{Kind: KindCentre}, "Edad", ageOf, cells...); !slices.Equal(got, want) {
		t.Errorf("ages: %q, want %q", got, want)
	}
	for _, setting := range [][]string{{"99", "98", "88"}, {"age=99", "age=98", "Edad=88"}} {
		got := column(t, Config{Kind: KindCentre, Missing: setting}, "Edad", ageOf, "99", "98", "88", "99.0", "25")
		if !slices.Equal(got, []string{"", "", "", "", "25"}) {
			t.Errorf("%q: %q", setting, got)
		}
	}
	births := []string{"01/01/1900", "1/1/1900", "30/12/1899", "31-12-1899", "1899-12-30", "1899-12-30 00:00:00", "0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "01/01/1901",
		"11/11/1911", "00/01/1900", "1/0/1900", "0001-01-01", "0001-01-01T00:00:00", "01/01/1753", "31/12/9999", "99/99/9999", "19000101", "00000000", "30-dic-1899", "01-ene-1900", "0"}
	sameInAll(t, "births", column(t, Config{Kind: KindCentre}, "Fecha de nacimiento", ageOf, births...), births, "")
	real := []string{"01/01/1990", "11/11/2011", "12/12/1934", "00/00/1985", "31/02/1985"}
	if got := column(t, Config{Kind: KindCentre}, "F. Nac.", ageOf, real...); !slices.Equal(got, []string{"25", "3", "80", "bad_date", "bad_date"}) {
		t.Errorf("births: %q", got)
	}
	arrivals := []string{"0000-00-00 00:00:00", "00/01/1900", "30/12/1899", "1/0/1900"}
	arrival := func(r *events.Record) string { return fmt.Sprint(r.GetRegistration().GetArrivalTimeMs()) }
	sameInAll(t, "arrivals", column(t, Config{Kind: KindCentre}, "Fecha de llegada", arrival, arrivals...), arrivals, "0")
}

func warnings(s Summary) string {
	var out []string
	for _, w := range s.Warnings {
		out = append(out, fmt.Sprintf("%s %s %s %d", w.Code, w.Column, w.Found, w.Count))
	}
	return strings.Join(out, "; ")
}

func TestValuesThatPileUpAreNamed(t *testing.T) {
	file := func(name string, cells ...string) string {
		text := "Centro;Fecha;Hora;" + name + "\n"
		for i, cell := range cells {
			text += fmt.Sprintf("Omoa;16/02/2015;%d:%02d;%s\n", i/60%24, i%60, cell)
		}
		return text
	}
	ordinary := func(n int, cell func(i int) string) (out []string) {
		for i := range n {
			out = append(out, cell(i))
		}
		return out
	}
	ages := ordinary(200, func(i int) string { return fmt.Sprint(15 + i%40) })
	births := ordinary(200, func(i int) string { return fmt.Sprintf("%02d/%02d/%d", 1+i%28, 1+i%12, 1970+i%25) })
	repeated := slices.Repeat([]string{"15/05/1985"}, 9)
	for _, c := range []struct{ text, want string }{
		{file("Edad", ages...), ""},
		{file("Edad", append(ages, "99", "99")...), "piled_up Edad 99 2"},
		{file("Edad", append(ages, "98", "88", "88", "88")...), "piled_up Edad 98 1; piled_up Edad 88 3"},
		{file("Edad", append(ages, "88", "86", "87", "89")...), ""},
		{file("Edad", append(ages, "999", "-1", "999")...), "missing_code Edad  3"},
		{file("Fecha de nacimiento", births...), ""},
		{file("Fecha de nacimiento", append(births, repeated...)...), "piled_up_births Fecha de nacimiento  9"},
		{file("Fecha de nacimiento", append(births, "01/01/1900", "30/12/1899")...), "placeholder_date Fecha de nacimiento  2"},
		{file("País de retorno", slices.Repeat([]string{"México", "Estados Unidos", "España", "Haití"}, 20)...), ""},
		{file("País de retorno", append(slices.Repeat([]string{"México"}, 50), slices.Repeat([]string{"Afganistán"}, 6)...)...), "piled_up País de retorno AF 6"},
		{file("Nacionalidad", append(slices.Repeat([]string{"Hondureña"}, 50), slices.Repeat([]string{"Albania"}, 7)...)...), "piled_up Nacionalidad AL 7"},
		{file("País del documento", append(slices.Repeat([]string{"HN"}, 50), slices.Repeat([]string{"AD"}, 8)...)...), "piled_up País del documento AD 8"},
	} {
		got := mustImport(t, Config{Kind: KindCentre}, c.text)
		var kept []Warning
		for _, w := range got.sum.Warnings {
			if w.Code != "implausible_route" {
				kept = append(kept, w)
			}
		}
		if s := warnings(Summary{Warnings: kept}); s != c.want {
			t.Errorf("%q, want %q", s, c.want)
		}
		for _, w := range kept {
			if es, en := w.Text(); strings.Contains(es+en, "1985") || strings.Contains(es+en, "1900") || es == en {
				t.Errorf("%s / %s", es, en)
			}
		}
	}
	if got := mustImport(t, Config{Kind: KindCentre, Missing: []string{"Edad=99", "birth_date=15/05/1985"}}, file("Edad;Fecha de nacimiento", "99;15/05/1985", "25;15/05/1990")); warnings(got.sum) != "" || ageOf(got.records[0]) != "" {
		t.Errorf("what was settled is warned of: %s", warnings(got.sum))
	}
}

func TestSettingsForColumnsThatAreNotThere(t *testing.T) {
	for _, cfg := range []Config{{Missing: []string{"edat=99"}}, {Values: map[string]string{"pais:ES": "SV"}}, {Columns: map[string]string{"Foo": "age"}}, {Columns: map[string]string{"edad#2": "-"}}} {
		cfg.Kind = KindCentre
		var file *FileError
		if _, err := importText(t, cfg, "centro,fecha,edad\nOmoa,16/02/2015,25\n"); !errors.As(err, &file) || file.Code != "no_such_column" || !strings.Contains(file.ES, "edad") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	for _, cfg := range []Config{{Missing: []string{"age="}}, {Missing: []string{" "}}, {Values: map[string]string{"country": "SV"}}} {
		cfg.Kind = KindCentre
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "setting") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
