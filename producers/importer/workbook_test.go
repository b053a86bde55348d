package importer

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

type cells = []any

// styled is a value under a number format.
type styled struct {
	value  any
	format string
}

// book makes a workbook of named sheets.
func book(t testing.TB, change func(*excelize.File), sheets ...any) string {
	t.Helper()
	f := excelize.NewFile()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(sheets); i += 2 {
		name := sheets[i].(string)
		if i == 0 {
			must(f.SetSheetName("Sheet1", name))
		} else if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for r, row := range sheets[i+1].([]cells) {
			for c, value := range row {
				at, err := excelize.CoordinatesToCellName(c+1, r+1)
				must(err)
				if s, ok := value.(styled); ok {
					style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &s.format})
					must(err)
					must(f.SetCellStyle(name, at, at, style))
					value = s.value
				}
				must(f.SetCellValue(name, at, value))
			}
		}
	}
	if change != nil {
		change(f)
	}
	var out bytes.Buffer
	must(f.Write(&out))
	return out.String()
}

var bookHead = cells{"Centro", "Fecha de registro", "Hora", "Sexo", "Edad", "País de retorno", "Identidad", "Desplazado por violencia", "Escolaridad"}

func TestWorkbooksGiveTheEventsOfTheirText(t *testing.T) {
	cfg := Config{Kind: KindCentre, System: "siamir", Secret: testSecret(t)}
	want := mustImport(t, cfg, "Centro;Fecha de registro;Hora;Sexo;Edad;País de retorno;Identidad;Desplazado por violencia;Escolaridad\n"+
		"Omoa;30/06/2015;23:45;Hombre;25;México;0501-1985-08321;Sí;Primaria\nOmoa;01/07/2015;14:30;Mujer;30;Guatemala;;No;\nOmoa;02/07/2015;;Mujer;31;Guatemala;;;\n")
	day := time.Date(2015, 6, 30, 0, 0, 0, 0, time.UTC)
	rows := func(date, clock string) []cells {
		return []cells{
			{"Registro de personas retornadas"}, {}, bookHead,
			{"Omoa", styled{day, date}, styled{0.98958333333, clock}, "Hombre", 25, "México", styled{501198508321, `0000\-0000\-00000`}, true, "Primaria"},
			{"Omoa", styled{day.AddDate(0, 0, 1), date}, styled{0.60416666667, clock}, "Mujer", 30.0, "Guatemala", nil, false},
			{"Omoa", styled{day.AddDate(0, 0, 2), date}, nil, "Mujer", 31, "Guatemala"},
		}
	}
	for name, text := range map[string]string{
		"day first":       book(t, nil, "Datos", rows("dd/mm/yyyy", "hh:mm")),
		"month first":     book(t, nil, "Datos", rows("mm-dd-yy", "h:mm AM/PM")),
		"month and year":  book(t, nil, "Datos", rows("mmm-yy;@", "[h]:mm:ss")),
		"words":           book(t, nil, "Datos", rows(`[$-480A]dddd d "de" mmmm "de" yyyy`, "h:mm")),
		"hidden sheet":    book(t, func(f *excelize.File) { _ = f.SetSheetVisible("Otros", false) }, "Datos", rows("d/m/yy", "h:mm"), "Otros", rows("d/m/yy", "h:mm")),
		"list of codes":   book(t, nil, "Códigos", []cells{{"Departamento", "Municipio"}, {"Cortés", "Omoa"}}, "Datos", rows("d/m/yy", "h:mm")),
		"merged title":    book(t, func(f *excelize.File) { _ = f.MergeCell("Datos", "A1", "I2") }, "Datos", rows("d/m/yy", "h:mm")),
		"1904":            book(t, in1904, "Datos", rows1904(rows("d/m/yy", "h:mm"))),
		"compressed text": packed(t, string(bomUTF8)+"Centro;Fecha;Hora;Sexo;Edad;País de retorno;DNI;Desplazado;Escolaridad\nOmoa;30/06/2015;23:45;H;25;México;0501198508321;Sí;Primaria\nOmoa;01/07/2015;14:30;Mujer;30;Guatemala;;No;\nOmoa;02/07/2015;;Mujer;31;Guatemala;;;\n"),
	} {
		got, err := importText(t, cfg, text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if lines(t, got.records) != lines(t, want.records) {
			t.Errorf("%s:\n%s%s", name, lines(t, got.records), got.raw)
		}
	}
	hidden := mustImport(t, cfg, book(t, func(f *excelize.File) { _ = f.SetRowVisible("Datos", 5, false) }, "Datos", rows("d/m/yy", "h:mm")))
	if hidden.sum.Accepted != 3 || warnings(hidden.sum) != "hidden_rows   1; note_skipped   1" || hidden.sum.Charset != "XLSX, Datos" {
		t.Errorf("a hidden row: %s, %+v", warnings(hidden.sum), hidden.sum)
	}
	broken := rows("d/m/yy", "h:mm")
	broken[4][5] = "Atlantis\nperdida"
	if got := mustImport(t, cfg, book(t, nil, "Datos", broken)); account(got) != "2, 5 unknown_code, 1 notes" {
		t.Errorf("rows and lines: %s", account(got))
	}
}

func in1904(f *excelize.File) {
	yes := true
	_ = f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes})
}

// rows1904 gives dates as the numbers that they are in a workbook of the 1904 system.
func rows1904(rows []cells) []cells {
	for _, row := range rows {
		for i, value := range row {
			if s, ok := value.(styled); ok {
				if day, ok := s.value.(time.Time); ok {
					row[i] = styled{int(day.Sub(time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)).Hours() / 24), s.format}
				}
			}
		}
	}
	return rows
}

func packed(t testing.TB, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zipOf(t testing.TB, parts ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.Create(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// lying makes a workbook whose directory says that its sheet has ten bytes.
func lying(t testing.TB, size int) string {
	t.Helper()
	var out, deflated bytes.Buffer
	w, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte{'0'}, size)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&out)
	if _, err := z.Create("xl/workbook.xml"); err != nil {
		t.Fatal(err)
	}
	raw, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CompressedSize64: uint64(deflated.Len()), UncompressedSize64: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Write(deflated.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFilesOfOtherFormsAreNamed(t *testing.T) {
	data := []cells{{"Centro", "Fecha", "Sexo"}, {"Omoa", "30/06/2015", "Hombre"}, {"Omoa", "30/06/2015", "Mujer"}}
	zeros := strings.Repeat("0", 8<<20)
	for _, c := range []struct{ name, text, code, says string }{
		{"xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600), "other_form", ".xls"},
		{"ods", zipOf(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", "<x/>"), "other_form", ".ods"},
		{"ods by its type", zipOf(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet"), "other_form", ".ods"},
		{"docx", zipOf(t, "word/document.xml", "<x/>"), "other_form", ".docx"},
		{"xlsb", zipOf(t, "xl/workbook.bin", "x"), "other_form", ".xlsb"},
		{"zip", zipOf(t, "export.csv", "Centro;Fecha\n"), "other_form", "ZIP"},
		{"pdf", "%PDF-1.7\n", "other_form", "PDF"},
		{"html", "\xEF\xBB\xBF \r\n<html><body><table><tr><td>Centro</td></tr></table>", "other_form", "HTML"},
		{"table", "<TABLE border=1><tr><td>Centro", "other_form", "HTML"},
		{"xml", "<?xml version=\"1.0\"?>\n<registros><r/></registros>", "other_form", "XML"},
		{"xml of Excel", "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook/>", "other_form", "2003"},
		{"json", "[{\"centro\": \"Omoa\"}]", "other_form", "JSON"},
		{"json lines", "{\"centro\": \"Omoa\"}\n{\"centro\": \"Omoa\"}\n", "other_form", "JSON"},
		{"parquet", "PAR1\x15\x04", "other_form", "Parquet"},
		{"photo of a list", "\xFF\xD8\xFF\xE0\x00\x10JFIF\x00" + strings.Repeat("\x80", 100), "other_form", "image"},
		{"screenshot", "\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR", "other_form", "image"},
		{"program", "\x7FELF\x02\x01\x01\x00" + strings.Repeat("\xC3\x00", 300), "other_form", "program"},
		{"program of Windows", "MZ\x90\x00\x03\x00" + strings.Repeat("\x00", 60) + "PE", "other_form", "program"},
		{"feather", "ARROW1\x00\x00\xFF\xFF\xFF\xFF", "other_form", "Feather"},
		{"R", "RDX3\nX\n\x00\x00\x00\x03", "other_form", ".RData"},
		{"SAS", strings.Repeat("\x00", 12) + "\xC2\xEA\x81\x60\xB3\x14\x11\xCF", "other_form", "sas7bdat"},
		{"dbf", "\x03\x73\x06\x1E\x05\x00\x00\x00\xC1\x00\x36\x00" + strings.Repeat("\x00", 20), "other_form", ".dbf"},
		{"access", "\x00\x01\x00\x00Standard ACE DB\x00", "other_form", "Access"},
		{"gz in gz", packed(t, packed(t, "x")), "other_form", ".gz"},
		{"json in gz", packed(t, "[{\"a\": 1}]"), "other_form", "JSON"},
		{"cut gz", packed(t, strings.Repeat("Centro;Fecha\n", 900))[:40], "damaged", "gzip"},
		{"cut xlsx", book(t, nil, "A", data)[:900], "damaged", "ZIP"},
		{"no parts", zipOf(t, "xl/workbook.xml", "<workbook/>"), "damaged", "XLSX"},
		{"large gz", packed(t, zeros), "too_large_unpacked", "1048576"},
		{"large xlsx", zipOf(t, "xl/workbook.xml", "", "xl/worksheets/sheet1.xml", zeros), "too_large_unpacked", "1048576"},
		{"xlsx that lies", lying(t, 8<<20), "", ""},
		{"two sheets", book(t, nil, "2015-S1", data, "2015-S2", data), "several_sheets", "2015-S1, 2015-S2"},
		{"merged data", book(t, func(f *excelize.File) { _ = f.MergeCell("A", "A2", "A3") }, "A", data), "merged_cells", "A2:A3"},
		{"empty book", book(t, nil, "A", []cells{}), "empty", ""},
		{"no header", book(t, nil, "A", []cells{{"x", "y"}, {1, 2}}), "no_header", ""},
	} {
		_, err := importText(t, Config{Kind: KindCentre, unpackedLimit: 1 << 20}, c.text)
		var file *FileError
		if !errors.As(err, &file) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.code != "" && (file.Code != c.code || !strings.Contains(file.ES, c.says) || !strings.Contains(file.EN, c.says)) {
			t.Errorf("%s: %s %s / %s", c.name, file.Code, file.ES, file.EN)
		}
		if c.code == "" && file.Code != "damaged" && file.Code != "too_large_unpacked" {
			t.Errorf("%s: %s", c.name, file.Code)
		}
	}
	named := Config{Kind: KindCentre, Sheet: "2015-S2"}
	if got := mustImport(t, named, book(t, nil, "2015-S1", data[:2], "2015-S2", data)); got.sum.Accepted != 2 {
		t.Errorf("a named sheet: %+v", got.sum)
	}
	named.Sheet = "2016"
	var file *FileError
	if _, err := importText(t, named, book(t, nil, "2015-S1", data)); !errors.As(err, &file) || file.Code != "no_such_sheet" {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

// Text that merely begins like another form is text.
func TestTextIsNotTakenForAnotherForm(t *testing.T) {
	for _, first := range []string{"[Datos]", "{centro}", "<Centro>", "0001", "#Centro", "PK;x", "%;x"} {
		got := mustImport(t, Config{Kind: KindCentre}, first+"\nCentro;Fecha\nOmoa;30/06/2015\n")
		if got.sum.Accepted != 1 {
			t.Errorf("%s: %+v", first, got.sum)
		}
	}
}

func TestFormatsOfNumbers(t *testing.T) {
	for code, want := range map[string]string{
		"dd/mm/yyyy": dateFormat, "d-mmm-yy": dateFormat, "mmm-yy": dateFormat, `d "de" mmmm "de" yyyy;@`: dateFormat, "yyyy-mm-dd hh:mm": momentFormat, "m/d/yy h:mm": momentFormat,
		"h:mm AM/PM": clockFormat, "[h]:mm:ss": clockFormat, "mm:ss.0": clockFormat, "[$-C0A]dddd, d": dateFormat, "mmmm": dateFormat,
		"General": "", "0.00": "", "#,##0": "", `0 "días"`: "", `[$L.-480A] #,##0.00`: "", "0.00E+00": "", `0000\-0000\-00000`: "", "@": "", `[Red]0`: "", "# ?/?": "", "0%": "",
	} {
		if got := timeFormat(code); got != want {
			t.Errorf("%s: %q, want %q", code, got, want)
		}
	}
	for code, want := range map[string]bool{`0000\-0000\-00000`: true, "0000000000000": true, "00": true, "0": false, "0.00": false, "#,##0": false, "0.00E+00": false, "000-000": true} {
		if leadingZeros.MatchString(code) != want {
			t.Errorf("%s: %v", code, !want)
		}
	}
}

// Whatever byte of a workbook is damaged: the rows are read, or the file is refused; nothing panics.
func TestDamagedWorkbooksAreReadOrRefused(t *testing.T) {
	whole := book(t, nil, "Datos", []cells{bookHead[:5:5], {"Omoa", "30/06/2015", "9:20", "Hombre", 25}, {"Omoa", "30/06/2015", "9:30", "Mujer", 26}})
	for at := 0; at < len(whole); at += 37 {
		damaged := []byte(whole)
		damaged[at] ^= 0xFF
		got, err := importText(t, Config{Kind: KindCentre}, string(damaged))
		var file *FileError
		if err != nil && !errors.As(err, &file) {
			t.Errorf("byte %d: %v", at, err)
		}
		if err == nil && got.sum.Accepted+got.sum.Rejected > 2 {
			t.Errorf("byte %d: %+v", at, got.sum)
		}
	}
}
