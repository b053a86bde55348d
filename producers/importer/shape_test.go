package importer

import (
	"fmt"
	"strings"
	"testing"
)

const shapeHead = "Centro;Fecha de registro;Sexo;Edad;País de retorno;Vía;Motivos;Ocupación;Escolaridad\n"

// account tells what became of the rows of a file: accepted, and the code of each that was rejected by its line.
func account(got result) string {
	out := []string{fmt.Sprintf("%d", got.sum.Accepted)}
	for _, r := range got.rejected {
		out = append(out, r[2]+" "+r[4])
	}
	if n := got.sum.Notes; n > 0 {
		out = append(out, fmt.Sprintf("%d notes", n))
	}
	return strings.Join(out, ", ")
}

// Excel leaves the empty cells at the end out, for sixteen rows at a time; other programs for each row.
func TestCellsLeftOutAtTheEndAreEmpty(t *testing.T) {
	full := "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas;Albañil;Primaria\n"
	short := "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas\n"
	text := shapeHead + strings.Repeat(full, 15) + strings.Repeat(short, 16) + strings.Repeat(strings.Replace(full, "Albañil", "", 1), 8)
	got := mustImport(t, Config{Kind: KindCentre}, text)
	if account(got) != "39" || !strings.Contains(warnings(got.sum), "row_filled_up   16") {
		t.Errorf("%s; %s", account(got), warnings(got.sum))
	}
	if x := got.records[20].GetRegistration(); x.GetReasons()[0] != "economic" || x.GetEducation() != "" {
		t.Errorf("a row that ends early: %v", x)
	}
	for _, c := range []struct{ rows, want string }{
		{full + "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas;\n" + short, "3"},
		{"CAMR Omoa;11/01/2015\n" + full, "2"},
		{short + ";;;;;;;;\n\n" + full, "2"},
		{short + short + "Fuente: CENISS\n", "2, 1 notes"},
		// What is missing is not the end.
		{"CAMR Omoa\n" + full, "1, 2 short_row"},
		{full + "CAMR Omoa;11/01/2015;\"Hombre;25;México\";Terrestre;Económicas\n" + full, "2, 3 short_row"},
		{full + "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;\"Económicas;Albañil;Primaria\"\n" + full, "2, 3 short_row"},
		{full + "CAMR Omoa;11/01/2015;Hombre 25;México;Terrestre;Económicas;Albañil;Primaria\n" + full, "2, 3 unknown_code"},
		{full + "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas;Primaria\n" + full, "2, 3 short_row"},
		{full + "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Econó\nmicas;Albañil;Primaria\n" + full, "2, 3 short_row, 4 short_row"},
		{full + "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas\n;Albañil;Primaria\n" + full, "2, 3 short_row, 4 short_row"},
		{full + "CAMR Omoa;11/01/2015;Hombre;2", "1, 3 short_row"},
	} {
		if got := mustImport(t, Config{Kind: KindCentre}, shapeHead+c.rows); account(got) != c.want {
			t.Errorf("%q: %s, want %s", c.rows, account(got), c.want)
		}
	}
	post := mustImport(t, Config{Kind: KindCheckpoint}, "Puesto,Fecha,Movimiento,Sexo,Retornado\nCorinto,11/01/2015,Entrada\nCorinto,11/01/2015\n")
	if account(post) != "1, 3 short_row" {
		t.Errorf("a post: %s", account(post))
	}
}

func TestTotalsAreNotes(t *testing.T) {
	const row = "CAMR Omoa;11/01/2015;Hombre;25;México;Terrestre;Económicas;Albañil;Primaria\n"
	for _, note := range []string{
		"TOTAL;2;;2;50;2;2;;", "Total general;;;;;;;;2", "Hombres;2;;;;;;;", "Hombres: 2;Mujeres: 0;;;;;;;", "Subtotal CAMR Omoa;2;;;;;;;", "Sub total;2;2;2;2;2;2;2;2",
		"Elaborado por: UMED;;;;;;;;", "Fuente: CENISS;con datos del INM;2015;;;;;;", ";;;;;;;;2", ";;;50;;;;;", ";2;;50;;;;;2", "Suma;;;50;;;;;", "Menores;0;;;;;;;",
		"Total;;Hombre;2;;;;;", "TOTAL HOMBRES;2;;;;;;;", "Nota: datos preliminares",
	} {
		got := mustImport(t, Config{Kind: KindCentre}, shapeHead+row+row+note+"\n")
		if account(got) != "2, 1 notes" {
			t.Errorf("%s: %s", note, account(got))
		}
		if got := mustImport(t, Config{Kind: KindCentre}, shapeHead+row+row+note+"\n"+row); account(got) != "3, 1 notes" || got.records[2].SourceSeq != 3 {
			t.Errorf("%s in the middle: %s", note, account(got))
		}
	}
	numbered := mustImport(t, Config{Kind: KindCentre}, "No.;Centro;Fecha;Sexo;Edad\n1;Omoa;14/01/2015;Hombre;25\nTOTAL;;;;\n;;;1;\nSubtotal enero;;;1;\n;;;;25\n")
	if account(numbered) != "1, 4 notes" {
		t.Errorf("beside a running number: %s", account(numbered))
	}
}

// A row that may be the record of a person is never passed over, however much it looks like a total.
func TestDataAreNeverTakenForNotes(t *testing.T) {
	const head = "Observaciones;Centro;Fecha;Sexo;Edad;Departamento\n"
	for _, c := range []struct{ row, want string }{
		{"Nota: viaja con su hijo;Omoa;11/01/2015;Hombre;25;Cortés", "2"},
		{"Total pérdida de documentos;Omoa;31/02/2015;Hombre;25;", "1, 2 bad_date"},
		{"Total desconocimiento;Omoa;;Mujer;25;", "1, 2 required"},
		{"Total;;11/01/2015;;;", "1, 2 place_not_stated"},
		{";;;;31;", "1, 2 required"},
		{";;;Hombres;25;", "1, 2 required"},
		{"Hombres;Omoa;;;2;", "1, 2 required"},
		{"Fuente;Shangri-La;11/01/2015;Hombre;25;", "1, 2 unknown_code"},
		{"1;1;11/01/2015;1;1;1", "1, 2 unknown_code"},
	} {
		got := mustImport(t, Config{Kind: KindCentre}, head+c.row+"\n;Omoa;11/01/2015;Hombre;25;\n")
		want := c.want
		if strings.HasSuffix(want, "place_not_stated") {
			want = "2" // a registration at an unknown centre counts
		}
		if account(got) != want {
			t.Errorf("%s: %s, want %s", c.row, account(got), want)
		}
	}
}

func TestRowsOfTagsAreHeaders(t *testing.T) {
	const names = "Centro;Fecha;Sexo;Edad;Departamento\n"
	const tags = "#loc+name;#date+start;#sex;;#adm1 +name\n"
	const row = "Omoa;11/01/2015;Hombre;25;Cortés\n"
	for _, text := range []string{names + tags + row, tags + names + row, "Registro de retornados\n" + names + tags + row + tags + row} {
		got := mustImport(t, Config{Kind: KindCentre}, text)
		if got.sum.Rejected != 0 || got.sum.Headers < 2 || got.records[0].GetRegistration().GetSex() != "M" {
			t.Errorf("%q: %+v", text, got.sum)
		}
	}
	alone := Config{Kind: KindCentre, Columns: map[string]string{"#loc+name": "centre"}}
	got := mustImport(t, alone, "#loc+name,#date,#meta+sex,#indicator+age+num,#adm1+name,#country+name\nOmoa,21/01/2015,Hombre,25,Cortés,México\n")
	x := got.records[0].GetRegistration()
	if got.sum.Rejected != 0 || x.GetSex() != "M" || x.GetAge() != 25 || x.GetDepartment() != "HN-CR" {
		t.Errorf("tags alone: %v %+v", x, got.sum)
	}
	if got := mustImport(t, Config{Kind: KindCentre}, names+"#1;11/01/2015;Hombre;25;Cortés\n"); got.sum.Rejected != 1 {
		t.Errorf("a number sign makes no tag: %+v", got.sum)
	}
}

func TestEndsOfFilesAndEscapes(t *testing.T) {
	const head = "Centro;Fecha;Sexo;Observaciones\n"
	for _, c := range []struct{ text, want string }{
		{head + "Omoa;11/01/2015;Hombre;x\n\x1a", "1"},
		{head + "Omoa;11/01/2015;Hombre;x\r\n\x1a\r\n", "1"},
		{head + "Omoa;11/01/2015;Hombre;x\x1a", "1"},
		{head + "Omoa;11/01/2015;Hombre;x\n\x1a\x1a\x1a", "1"},
		{head + "Omoa;11/01/2015;Hombre;a\x1ab\nOmoa;11/01/2015;Hombre;x\n", "1, 2 control_character"},
		{head + "Omoa;11/01/2015;Hombre;vive en\vLa Lima\nOmoa;11/01/2015;Hom\vbre;\n", "2"},
		{head + `Omoa;11/01/2015;Hombre;Col. "La Paz" casa 4` + "\n" + `Omoa;11/01/2015;Hombre;5"` + "\n", "2"},
		{head + `Omoa;11/01/2015;Hombre;Col. "La Paz; casa 4"` + "\nOmoa;11/01/2015;Hombre;\n", "1, 2 long_row"},
		{head + `"Omoa";"11/01/2015";"Hombre";"dice \"nada\" y ya"` + "\n" + `"Omoa";"11/01/2015";"Mujer";\N` + "\n" + `"Omoa";"11/01/2015";\N;"a \""` + "\n", "3"},
		{head + `"Omoa";"11/01/2015";"Hombre";"C:\"` + "\n" + `"Omoa";"11/01/2015";"Mujer";"C:\\"` + "\n", "2"},
		{head + `"Omoa";"11/01/2015";"Hombre";"dice ""sí""` + "\n" + `y no"` + "\n" + `Omoa;11/01/2015;Mujer;x` + "\n", "2"},
	} {
		if got := mustImport(t, Config{Kind: KindCentre}, c.text); account(got) != c.want {
			t.Errorf("%q: %s, want %s", c.text, account(got), c.want)
		}
	}
}
