package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"retorno/schemas/events"
)

func sexes(records []*events.Record) string {
	var out []string
	for _, r := range records {
		out = append(out, r.GetCrossing().GetSex()+r.GetRegistration().GetSex())
	}
	return strings.Join(out, ",")
}

func TestABareMNeedsProof(t *testing.T) {
	file := func(letters string) string {
		text := "fecha,puesto,movimiento,sexo\n"
		for _, s := range strings.Fields(letters) {
			text += "30/06/2016,Corinto,entrada," + s + "\n"
		}
		return text
	}
	for _, c := range []struct{ letters, setting, want string }{
		{"M F M", "", "M,F,M"},
		{"M H M", "", "F,M,F"},
		{"m h", "", "F,M"},
		{"M M", "", ""},
		{"M H F", "", "M,F"},
		{"M H F", "F", "F,M,F"},
		{"M M", "M", "M,M"},
		{"M Mujer", "", "F"},
		{"Hombre Mujer Masculino FEMENINO", "", "M,F,M,F"},
		{"- N/A U F", "", ",,,F"},
	} {
		got := mustImport(t, Config{Kind: KindCheckpoint, SexM: c.setting}, file(c.letters))
		if sexes(got.records) != c.want {
			t.Errorf("%s with setting %q: %s, want %s", c.letters, c.setting, sexes(got.records), c.want)
		}
		for _, r := range got.rejected {
			if r[4] != "ambiguous_sex" {
				t.Errorf("%s: rejected for %s", c.letters, r[4])
			}
		}
	}
}

// 05 is Cortés for INE and Copán in alphabetical lists: the municipalities prove which, or nothing does.
func TestDepartmentNumbersNeedProof(t *testing.T) {
	file := func(places ...string) string {
		return "fecha,centro,departamento,municipio\n30/06/2016,Omoa," + strings.Join(places, "\n30/06/2016,Omoa,") + "\n"
	}
	departments := func(records []*events.Record) string {
		var out []string
		for _, r := range records {
			out = append(out, r.GetRegistration().GetDepartment())
		}
		return strings.Join(out, ",")
	}
	for _, c := range []struct {
		text, setting, want string
	}{
		{file("05,San Pedro Sula", "02,", "06,Choluteca"), "", "HN-CR,HN-CL,HN-CH"},
		{file("6,San Pedro Sula", "2,", "5,Copán Ruinas"), "", "HN-CR,HN-CH,HN-CP"},
		{file("05,0501", "06,"), "", "HN-CR,HN-CH"},
		{file("05,", "08,", "18,"), "", "HN-FM,HN-YO"},
		{file("05,", "08,"), NumbersINE, "HN-CR,HN-FM"},
		{file("05,", "08,"), NumbersAlphabetical, "HN-CP,HN-FM"},
		{file("05,San Pedro Sula", "06,San Pedro Sula", "08,"), "", "HN-FM"},
		{file("Cortés,", "HN-CH,", "05 - Cortés,"), "", "HN-CR,HN-CH,HN-CR"},
		{file(",0801", ",San José", ",Distrito Central"), "", "HN-FM"},
		{file("HN-FM,0501", "HN-CR,0501"), "", "HN-CR"},
	} {
		got := mustImport(t, Config{Kind: KindCentre, DepartmentNumbers: c.setting}, c.text)
		if departments(got.records) != c.want {
			t.Errorf("%q with setting %q: %s, want %s\n%s", c.text, c.setting, departments(got.records), c.want, got.raw)
		}
	}
}

func TestDateOrderNeedsProof(t *testing.T) {
	file := func(dates ...string) string {
		return "fecha,puesto,movimiento\n" + strings.Join(dates, ",Corinto,entrada\n") + ",Corinto,entrada\n"
	}
	day := func(got result) (out []string) {
		for _, r := range got.records {
			out = append(out, local(t, r.EventTimeMs)[:10])
		}
		return out
	}
	cfg := Config{Kind: KindCheckpoint}
	if got := day(mustImport(t, cfg, file("03/04/2016", "13/04/2016"))); fmt.Sprint(got) != "[2016-04-03 2016-04-13]" {
		t.Errorf("day first: %v", got)
	}
	_, err := importText(t, cfg, file("03/04/2016", "06/30/2016"))
	var file1 *FileError
	if !errors.As(err, &file1) || file1.Code != "month_first" || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a file with the month first: %v", err)
	}
	cfg.DateOrder = MonthFirst
	if got := day(mustImport(t, cfg, file("03/04/2016", "06/30/2016"))); fmt.Sprint(got) != "[2016-03-04 2016-06-30]" {
		t.Errorf("month first: %v", got)
	}
	cfg.DateOrder = DayFirst
	if got := mustImport(t, cfg, file("03/04/2016", "06/30/2016")); got.sum.Rejected != 1 || got.rejected[0][4] != "bad_date" {
		t.Errorf("day first by setting: %+v", got.sum)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		code, text string
		cfg        Config
	}{
		{"empty", "", Config{}},
		{"empty", "\n\n;;;\n", Config{}},
		{"no_header", "1,2,3\n4,5,6\n", Config{}},
		{"no_header", "fecha,puesto,movimiento\n", Config{Delimiter: ';'}},
		{"missing_columns", "fecha,sexo\n30/06/2016,F\n", Config{}},
		{"two_columns", "fecha,fecha de ingreso,puesto,movimiento\n", Config{}},
		{"no_secret", "fecha,puesto,movimiento,DNI\n", Config{}},
	} {
		c.cfg.Kind = KindCheckpoint
		_, err := importText(t, c.cfg, c.text)
		var file *FileError
		if !errors.As(err, &file) || file.Code != c.code || file.ES == "" || strings.Contains(err.Error()+file.ES, "%!") {
			t.Errorf("%q: %v, want %s", c.text, err, c.code)
		}
	}
	for _, cfg := range []Config{{}, {Kind: "both"}, {Kind: KindCentre, System: "INM!"}, {Kind: KindCentre, Source: strings.Repeat("x", 60)}, {Kind: KindCentre, DateOrder: "ydm"}, {Kind: KindCentre, DayNumbers: "1970"},
		{Kind: KindCentre, SexM: "m"}, {Kind: KindCentre, DepartmentNumbers: "ISO"}, {Kind: KindCentre, Delimiter: ':'},
		{Kind: KindCentre, Columns: map[string]string{"x": "border_point"}}, {Kind: KindCheckpoint, Assume: map[string]string{"exit_point": "L-COR"}}} {
		if _, err := importText(t, cfg, "fecha,centro\n"); err == nil || !strings.Contains(err.Error(), "setting") {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}

func TestColumnsAndAssumptions(t *testing.T) {
	cfg := Config{Kind: KindCheckpoint, System: "inm", Source: "inm-corinto",
		Columns: map[string]string{"Cuándo": "date", "sexo biológico": "sex", "Sexo": "-"},
		Assume:  map[string]string{"border_point": "Corinto", "direction": "entrada", "returned": "sí", "country": "MX"}}
	got := mustImport(t, cfg, "CUANDO;Sexo biologico;Sexo;Signo zodiacal;Nombre\n30/06/2016;Mujer;x;Leo;Ana\n")
	x := got.records[0].GetCrossing()
	if x.GetBorderPoint() != "L-COR" || !x.GetReturned() || x.GetCountry() != "MX" || x.GetSex() != "F" || got.records[0].SourceId != "import-inm-corinto" {
		t.Errorf("%v", got.records[0])
	}
	if len(got.sum.Warnings) != 1 || got.sum.Warnings[0].Code != "column_ignored" || got.sum.Warnings[0].Column != "Signo zodiacal" {
		t.Errorf("warnings: %+v", got.sum.Warnings)
	}
	es, en := got.sum.Warnings[0].Text()
	if !strings.Contains(es, "Signo zodiacal: columna desconocida") || !strings.Contains(en, "unknown column") {
		t.Errorf("%s / %s", es, en)
	}
	without := mustImport(t, Config{Kind: KindCheckpoint, WithoutDocuments: true}, "fecha,puesto,movimiento,DNI\n30/06/2016,Corinto,E,0503199100123\n")
	if without.records[0].PersonKey != "" || without.sum.WithoutPerson != 1 {
		t.Errorf("documents were used: %v", without.records[0])
	}
}

func TestRowsAreRejectedForTheirReason(t *testing.T) {
	const head = "fecha,hora,centro,punto de entrada,punto de salida,edad,fecha de nacimiento,motivos,acompañado,ocupación,país de retorno,vía\n"
	for row, want := range map[string]string{
		"30/06/2016,,Omoa,,,,,,,,,":                                "",
		"30/06/2016,,Omoa,Corinto,punto ciego,25,,,,,MX,terrestre": "",
		"30/06/2016,25:00,Omoa,,,,,,,,,":                           "bad_time",
		",,Omoa,,,,,,,,,":                                          "required",
		"30/06/1999,,Omoa,,,,,,,,,":                                "out_of_range",
		"30/06/2016,,Shangri-La,,,,,,,,,":                          "unknown_code",
		"30/06/2016,,Toncontín,,,,,,,,,":                           "unknown_code",
		"30/06/2016,,Omoa,punto ciego,,,,,,,,":                     "not_allowed",
		"30/06/2016,,Omoa,,Roatán,,,,,,,":                          "unknown_code",
		"30/06/2016,,Omoa,,,121,,,,,,":                             "bad_age",
		"30/06/2016,,Omoa,,,-3,,,,,,":                              "bad_age",
		"30/06/2016,,Omoa,,,23.5,,,,,,":                            "bad_age",
		"30/06/2016,,Omoa,,,18 meses,,,,,,":                        "",
		"30/06/2016,,Omoa,,,3 años y 4 meses,,,,,,":                "",
		"30/06/2016,,Omoa,,,3 años 14 meses,,,,,,":                 "bad_age",
		"30/06/2016,,Omoa,,,25,30/06/1991,,,,,":                    "",
		"30/06/2016,,Omoa,,,25,30/06/1981,,,,,":                    "age_contradicts_birth",
		"30/06/2016,,Omoa,,,,01/07/2016,,,,,":                      "born_after_event",
		"30/06/2016,,Omoa,,,,1895-01-01,,,,,":                      "bad_age",
		"30/06/2016,,Omoa,,,,no sé,,,,,":                           "bad_date",
		"30/06/2016,,Omoa,,,,,económico; brujería,,,,":             "unknown_code",
		"30/06/2016,,Omoa,,,,,,No,astronauta,,":                    "",
		"30/06/2016,,Omoa,,,,,,,,Estonia,terrestre":                "",
	} {
		got := mustImport(t, Config{Kind: KindCentre}, head+row+"\n")
		code := ""
		if len(got.rejected) > 0 {
			code = got.rejected[0][4]
		}
		if code != want {
			t.Errorf("%s: %q, want %q", row, code, want)
		}
	}
	got := mustImport(t, Config{Kind: KindCentre}, head+"30/06/2016,,MOD-COR,,,,,,No,astronauta,Estonia,terrestre\n")
	warned := map[string]bool{}
	for _, w := range got.sum.Warnings {
		warned[w.Code] = true
	}
	if !warned["free_text"] || !warned["implausible_route"] || !warned["not_valid_then"] || got.records[0].GetRegistration().GetAccompanied() != "unaccompanied" {
		t.Errorf("%+v\n%v", got.sum.Warnings, got.records)
	}
}

// Every reason and warning that the code can give has its words in both languages.
func TestEveryReasonHasWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{".fault(", ".warn(", "Warning{Code: ", "out.fault = ", "return \""} {
			for _, part := range strings.Split(string(text), call)[1:] {
				line, _, _ := strings.Cut(part, "\n")
				words := strings.Split(line, `"`)
				var code string
				switch {
				case call == ".fault(" && len(words) > 3:
					code = words[3]
					if strings.Contains(words[0], ",") || words[0] != "" { // the field is a variable
						code = words[1]
					}
				case call == ".warn(" && strings.Contains(line, ", \"") && len(words) > 3:
					code = words[3]
				case (call == "Warning{Code: " || call == "out.fault = ") && len(words) > 1:
					code = words[1]
				}
				if code == "" {
					continue
				}
				if w, ok := texts[code]; !ok || w[0] == "" || w[1] == "" {
					t.Errorf("%s: no words for %q in %s", file, code, line)
				}
			}
		}
	}
}

func TestRejectedFile(t *testing.T) {
	dir := t.TempDir()
	export := filepath.Join(dir, "export.csv")
	path := export + ".rejected.csv"
	write := func(text, want string) {
		t.Helper()
		f := NewRejectedFile(export)
		if text != "" {
			if _, err := f.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if f.Path() != export+want {
			t.Errorf("path %s, want %s", f.Path(), want)
		}
		if held, err := os.ReadFile(f.Path()); text != "" && (err != nil || string(held) != text) {
			t.Errorf("%q, %v", held, err)
		}
	}
	write("rows", ".rejected.csv")
	write("rows", ".rejected.csv")
	write("other rows", ".rejected-2.csv")
	write("other rows", ".rejected-2.csv")
	write("rows", ".rejected.csv")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	abandoned := NewRejectedFile(export)
	if _, err := abandoned.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	abandoned.Discard()
	if text, _ := os.ReadFile(path); string(text) != "rows" {
		t.Errorf("a failed import changed the file: %q", text)
	}
	write("", ".rejected.csv")
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 2 {
		t.Errorf("not two files of rejected rows: %v", left)
	}
	if _, err := NewRejectedFile(filepath.Join(dir, "none", "x.csv")).Write([]byte("x")); err == nil {
		t.Error("a folder that is not there")
	}
}

func TestPlacesByTheirEverydayNames(t *testing.T) {
	got := mustImport(t, Config{Kind: KindCentre}, "Centro;Fecha;Departamento;Municipio\nOmoa;02/03/2015;Fco. Morazán;Comayagüela M.D.C.\nOmoa;02/03/2015;Cortés;S.P.S.\nOmoa;02/03/2015;Ocotepeque;Nueva Ocotepeque\n"+
		"Omoa;02/03/2015;Gracias a Dios;Pto. Lempira\nOmoa;02/03/2015;;San Pedro Sula\nOmoa;02/03/2015;Atlántida;San Pedro Sula\n")
	var places []string
	for _, r := range got.records {
		places = append(places, r.GetRegistration().GetMunicipality())
	}
	if strings.Join(places, ",") != "0801,0501,1401,0901" || account(got) != "4, 6 municipality_without_department, 7 unknown_municipality" {
		t.Errorf("%v, %s", places, account(got))
	}
}
