package importer

import (
	"fmt"
	"strings"
	"testing"
)

// registered is a file of registrations with one more column of documents.
func registered(column string, rows ...string) string {
	return "centro;fecha;sexo;edad;" + column + "\nOmoa;2015-02-" + strings.Join(rows, "\nOmoa;2015-02-") + "\n"
}

// keyed imports and writes the people of the rows as letters: one letter for each key, - for a row without one.
func keyed(t *testing.T, cfg Config, text string) (string, result) {
	t.Helper()
	cfg.Secret = testSecret(t)
	got := mustImport(t, cfg, text)
	letters, out := map[string]string{"": "-"}, ""
	for _, r := range got.records {
		if letters[r.PersonKey] == "" {
			letters[r.PersonKey] = string(rune('A' + len(letters) - 1))
		}
		out += letters[r.PersonKey]
	}
	if len(got.rejected) > 0 {
		t.Errorf("rejected: %v", got.rejected)
	}
	return out, got
}

// A document under which rows show several people links none of them.
func TestOneDocumentOfSeveralPeopleLinksNone(t *testing.T) {
	const dni = "0501-1985-00321"
	for name, c := range map[string]struct{ text, want string }{
		"a family of one day": {registered("Identidad", "26;Hombre;25;"+dni, "26;Mujer;31;"+dni, "26;Hombre;44;"+dni, "26;Mujer;8;"+dni), "----"},
		"another sex":         {registered("Identidad", "01;Hombre;25;"+dni, "20;Mujer;25;"+dni), "--"},
		"father and son":      {registered("Identidad", "01;Hombre;45;"+dni, "01;Hombre;19;"+dni, "02;Mujer;19;0501198500999"), "--A"},
		"a passport":          {registered("Pasaporte", "01;Mujer;45;E123456", "01;Mujer;9;E123456"), "--"},
		"written in two ways": {registered("Documento", "01;Mujer;45;0501198500321", "01;Hombre;45;501198500321"), "--"},
		"in two columns":      {registered("Identidad;Documento", "01;Mujer;45;"+dni+";", "01;Hombre;45;;"+dni), "--"},
		"by birth":            {strings.ReplaceAll(registered("Identidad", "01;M;1985-02-01;"+dni, "01;M;2006-03-01;"+dni, "01;F;1990-01-01;"), "edad", "fecha de nacimiento"), "---"},
		"one person twice":    {registered("Identidad", "01;Hombre;25;"+dni, "20;Hombre;26;"+dni), "AA"},
		"an age told wrong":   {registered("Identidad", "01;Hombre;25;"+dni, "20;Hombre;27;"+dni), "AA"},
		"nothing stated":      {registered("Identidad", "01;Hombre;;"+dni, "20;;25;"+dni, "21;;;"+dni), "AAA"},
		"years between":       {strings.Replace(registered("Identidad", "01;Hombre;25;"+dni, "20;Hombre;35;"+dni), "2015-02-20", "2025-02-20", 1), "AA"},
		"too young for years": {strings.Replace(registered("Identidad", "01;Hombre;25;"+dni, "20;Hombre;25;"+dni), "2015-02-20", "2025-02-20", 1), "--"},
		"crossings":           {"puesto;movimiento;fecha;sexo;edad;DNI\nCorinto;entrada;2015-02-01;Hombre;25;" + dni + "\nCorinto;entrada;2015-02-01;Mujer;3;" + dni + "\n", "--"},
		"help":                {"centro;fecha;tipo de ayuda;sexo;DNI\nOmoa;2015-02-01;Alimentación;Hombre;" + dni + "\nOmoa;2015-02-01;Alimentación;Mujer;" + dni + "\n", "--"},
	} {
		cfg := Config{Kind: KindCentre}
		if name == "crossings" {
			cfg.Kind = KindCheckpoint
		}
		got, out := keyed(t, cfg, c.text)
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if warned(out, "document_shared") != strings.Contains(c.want, "--") || strings.Contains(fmt.Sprintf("%+v", out.sum), "0501") || strings.Contains(fmt.Sprintf("%+v", out.sum), "E123") {
			t.Errorf("%s: %+v", name, out.sum.Warnings)
		}
	}
	_, out := keyed(t, Config{Kind: KindCentre}, registered("Identidad", "25;Hombre;25;", "26;Hombre;25;"+dni, "26;Mujer;31;"+dni, "26;Mujer;31;"+dni))
	if w := out.sum.Warnings; len(w) != 1 || w[0].Code != "document_shared" || w[0].Line != 3 || w[0].Count != 3 || out.sum.WithoutPerson != 4 {
		t.Errorf("%+v", out.sum)
	}
}

// Under a column of documents of any sort, a number that tells no people apart links none, and a DNI is the DNI.
func TestNumbersUnderDocumento(t *testing.T) {
	for _, number := range []string{"5.01199E+11", "5,01199E+11", "501199000000", "1801199000000", "1111111111111", "1234567890123", "0000000000000", "9999", "0000", "0000-0000-00001", "0101010101010", "1E+12"} {
		for _, column := range []string{"Documento", "Identidad", "Pasaporte"} {
			got, out := keyed(t, Config{Kind: KindCentre}, registered(column, "23;Hombre;25;"+number, "24;Hombre;25;"+number))
			if got != "--" || !warned(out, "document_unreadable") {
				t.Errorf("%s under %s: %s, %+v", number, column, got, out.sum.Warnings)
			}
		}
	}
	key := func(column, number string) string {
		_, out := keyed(t, Config{Kind: KindCentre}, registered(column, "23;Hombre;25;"+number))
		return out.records[0].PersonKey
	}
	want := key("Identidad", "0501-1985-06321")
	for column, numbers := range map[string][]string{
		"Documento":                   {"501198506321", "0501198506321", "501198506321.0", "501-1985-06321", "'0501198506321"},
		"Identidad":                   {"501198506321", "501198506321.0", "0501 1985 06321"},
		"Documento;Tipo de documento": {"501198506321;DNI", "501198506321;", "0501198506321;Partida de nacimiento"},
		"Documento;Nacionalidad":      {"501198506321;Hondureña", "0501198506321;Estadounidense"},
		"No. de documento":            {"501198506321"},
	} {
		for _, number := range numbers {
			if got := key(column, number); got != want || got == "" {
				t.Errorf("%s under %s has another key", number, column)
			}
		}
	}
	for column, number := range map[string]string{
		"Documento": "501198506322", "Documento;Nacionalidad": "501198506321;Guatemalteca", "Documento;Tipo de documento": "C501985;Pasaporte", "Pasaporte;País del documento": "501198506321;Guatemala",
	} {
		if got := key(column, number); got == want || got == "" {
			t.Errorf("%s under %s has the key %q", number, column, got)
		}
	}
}

// A DNI is the same person under whatever heading and label it stands; what is written as a DNI and is none is no other document.
func TestADNIUnderAnyHeading(t *testing.T) {
	key := func(column, number string) string {
		_, out := keyed(t, Config{Kind: KindCentre}, registered(column, "23;Hombre;25;"+number))
		if out.records[0].PersonKey == "" && !warned(out, "document_unreadable") {
			t.Errorf("%s under %s is not linked, and nothing says so", number, column)
		}
		return out.records[0].PersonKey
	}
	want := key("Identidad", "0801-1990-12345")
	for column, numbers := range map[string][]string{
		"Pasaporte":                    {"0801-1990-12345", "0801199012345", "801199012345", "DNI 0801199012345"},
		"Pasaporte;Nacionalidad":       {"0801-1990-12345;Hondureña", "0801199012345;Estadounidense"},
		"Documento":                    {"DNI 0801199012345", "id: 0801-1990-12345.", "No. 0801199012345", "801-1990-12345"},
		"Identidad":                    {"DNI 0801199012345", "id: 0801-1990-12345."},
		"Documento;Tipo de documento":  {"0801199012345;Pasaporte", "0801199012345;Otro", "DNI: 0801199012345;"},
		"No. de documento":             {"Identidad: 0801199012345"},
		"Documento;País del documento": {"0801199012345;Honduras"},
	} {
		for _, number := range numbers {
			if got := key(column, number); got != want {
				t.Errorf("%s under %s has another key, or none", number, column)
			}
		}
	}
	for _, column := range []string{"Documento", "No. de documento", "Pasaporte", "Identidad"} {
		for _, number := range []string{"0801-9999-99999", "0801-1234-56789", "801-1234-56789", "A000000", "0801", "2016", "30/06/2016", "501199E11", "ver acta 123", "hijo de 0801199012345", "30-jun-2016"} {
			if key(column, number) != "" {
				t.Errorf("%s under %s has a key", number, column)
			}
		}
	}
	if key("Pasaporte;País del documento", "0801199012345;Guatemala") == want {
		t.Error("a passport that Guatemala issued has the key of a DNI")
	}
}

// A Honduran passport is the same person under whatever heading and label it stands.
func TestAPassportUnderAnyHeading(t *testing.T) {
	key := func(column, number string) string {
		_, out := keyed(t, Config{Kind: KindCentre}, registered(column, "23;Hombre;25;"+number))
		return out.records[0].PersonKey
	}
	want := key("Pasaporte", "E123456")
	for column, numbers := range map[string][]string{
		"Documento":                   {"E123456", "e-123456", "Pasaporte E123456", "PASAPORTE No. E 123456", "No. E123456"},
		"Documento;Nacionalidad":      {"E123456;Hondureña", "E123456;"},
		"Documento;Tipo de documento": {"E123456;Pasaporte", "E123456;", "E123456;S/I"},
		"Pasaporte":                   {"e 123456", "Pas. E123456"},
	} {
		for _, number := range numbers {
			if got := key(column, number); got != want || got == "" {
				t.Errorf("%s under %s has another key", number, column)
			}
		}
	}
	for column, number := range map[string]string{
		"Documento": "E1234567", "Documento;Tipo de documento": "E123456;Salvoconducto", "Documento;Nacionalidad": "E123456;Guatemalteca", "Pasaporte": "E123457", "No. de documento": "EE123456",
	} {
		if got := key(column, number); got == want || got == "" {
			t.Errorf("%s under %s has the key %q", number, column, got)
		}
	}
	if key("Documento;Nacionalidad", "Pasaporte AB1234567;Guatemalteca") != key("Pasaporte;Nacionalidad", "AB1234567;Guatemalteca") {
		t.Error("what is called a passport is none")
	}
}

// What stands where there is no identity card hides no other document, and a document's country is judged like any other.
func TestTheNextDocumentCountsWhereOneIsNone(t *testing.T) {
	for _, none := range []string{"NO TIENE", "no porta", "0000000000000", "9999-9999-99999", "12", "ver pasaporte", "✓", "0801-1990-00000"} {
		for _, columns := range []string{"Identidad;Pasaporte", "Identidad;Documento", "Documento;Pasaporte", "Documento;Tipo de documento;Pasaporte"} {
			mark := strings.Repeat(";", strings.Count(columns, ";"))
			text := registered(columns, "01;Hombre;25;"+none+mark+"E123456", "20;Hombre;25;"+none+mark+"E123456", "21;Hombre;25;"+none+mark+"E765432", "22;Hombre;25;"+none+mark)
			got, out := keyed(t, Config{Kind: KindCentre}, text)
			if got != "AAB-" || !warned(out, "document_next") || !warned(out, "document_unreadable") || out.sum.WithoutPerson != 1 {
				t.Errorf("%q under %s: %s, %+v", none, columns, got, out.sum.Warnings)
			}
		}
	}
	const dni = "0501-1985-06321"
	got, out := keyed(t, Config{Kind: KindCentre}, registered("Identidad;Pasaporte", "01;Hombre;25;"+dni+";E123456", "02;Hombre;25;"+dni+";NO", "03;Hombre;25;;E123456", "04;Hombre;25;501198506321;"))
	if got != "AABA" || warned(out, "document_next") || warned(out, "document_unreadable") {
		t.Errorf("the national id first: %s, %+v", got, out.sum.Warnings)
	}
	for cell, want := range map[string]string{"ES": "doubtful_code", "E.S.": "doubtful_code", "C.A.": "doubtful_code", "504": "doubtful_code", "Narnia": "unknown_code", "SV": "", "S/I": ""} {
		cfg := Config{Kind: KindCentre, Secret: testSecret(t)}
		out := mustImport(t, cfg, registered("Pasaporte;País del documento", "01;Hombre;25;E123456;"+cell, "01;Hombre;25;;"+cell))
		if want == "" && len(out.rejected) == 0 {
			continue
		}
		if len(out.rejected) != 1 || out.rejected[0][4] != want {
			t.Errorf("%s: %v", cell, out.rejected)
		}
	}
}
