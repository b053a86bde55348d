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

func TestFormatsOfNumbers(t *testing.T) {
	for code, want := range map[string]string{
		"dd/mm/yyyy": dateFormat, "d-mmm-yy": dateFormat, "mmm-yy": dateFormat, `d "de" mmmm "de" yyyy;@`: dateFormat, "yyyy-mm-dd hh:mm": momentFormat, "m/d/yy h:mm": momentFormat,
		"h:mm AM/PM": clockFormat, "[h]:mm:ss": elapsedFormat, "[hh]:mm": elapsedFormat, "mm:ss.0": clockFormat, "[$-C0A]dddd, d": dateFormat, "mmmm": dateFormat,
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

// A cell gives the number that is stored, however wide its column is and whatever its style shows of it.
func TestNumbersAreReadAsTheyAreStored(t *testing.T) {
	at := time.Date(2015, 6, 30, 14, 20, 0, 0, time.UTC)
	for _, c := range []struct {
		format string
		value  any
		want   string
	}{
		{"", 501199012345, "501199012345"},
		{"General", 501199012345, "501199012345"},
		{"General", 1001199112345, "1001199112345"},
		{"General", 20150630143000, "20150630143000"},
		{"General", 42185.604166667, "42185.604166667"},
		{"General", 0.00001, "0.00001"},
		{"0", 501199012345, "501199012345"},
		{"#,##0", 501199012345, "501199012345"},
		{"0.00E+00", 501199012345, "501199012345"},
		{"@", 501199012345, "501199012345"},
		{"[Red]0", 24.6, "24.6"},
		{"d/m/yyyy", 501199012345, "501199012345"},
		{"0000000000000", 501199012345, "0501199012345"},
		{"d/m/yyyy", -5, "-5"},
		{"d/m/yyyy", "30/06/2015", "30/06/2015"},
		{"d/m/yyyy", at, "2015-06-30 14:20:00"},
		{"mmm-yy", 42185, "2015-06-30"},
		{"h:mm", at, "2015-06-30 14:20:00"},
		{"yyyy-mm-dd hh:mm", 42185, "2015-06-30 00:00:00"},
		{"yyyy-mm-dd hh:mm", 42185.99999998842, "2015-06-30 23:59:59"},
		{"d/m/yyyy", 42185.999999, "2015-06-30 23:59:59"},
		{"d/m/yyyy", 42185.99999999999, "2015-07-01"},
		{"h:mm", 0.999999988, "23:59:59"},
		{"h:mm", 0, "00:00:00"},
		{"h:mm", 1, "1"},
		{"h:mm", 1.5, "12:00:00"},
		{"[h]:mm:ss", 1, "24:00:00"},
		{"[hh]:mm:ss", 1.5, "36:00:00"},
		{"[h]:mm", 0.5972222222, "14:20:00"},
	} {
		bold := func(f *excelize.File) {
			style := &excelize.Style{Font: &excelize.Font{Bold: true}}
			if c.format != "" {
				style.CustomNumFmt = &c.format
			}
			id, err := f.NewStyle(style)
			if err == nil {
				err = f.SetCellStyle("Datos", "A2", "A2", id)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := openWorkbook(Config{Kind: KindCentre}, strings.NewReader(book(t, bold, "Datos", []cells{{"Identidad"}, {c.value}})))
		if err != nil || string(got.text) != "Identidad\n"+c.want+"\n" {
			t.Errorf("%v under %s: %v, %v, want %s", c.value, c.format, got, err, c.want)
		}
	}
	late := cells{"Omoa", styled{42185, "d/m/yyyy"}, styled{1, "[hh]:mm:ss"}, "Hombre", 25}
	cfg := Config{Kind: KindCentre}
	want := mustImport(t, cfg, "Centro;Fecha de registro;Hora;Sexo;Edad\nOmoa;30/06/2015;24:00;Hombre;25\n")
	if got := mustImport(t, cfg, book(t, nil, "Datos", []cells{bookHead[:5:5], late})); lines(t, got.records) != lines(t, want.records) {
		t.Errorf("24:00 of a workbook: %s", lines(t, got.records))
	}
	late[2] = styled{1, "h:mm"} // shown as 0:00
	if got := mustImport(t, cfg, book(t, nil, "Datos", []cells{bookHead[:5:5], late})); account(got) != "0, 2 bad_time" {
		t.Errorf("a day under a format of times: %s", account(got))
	}
}

// rewritten changes a part of a workbook as its program might have written it.
func rewritten(t testing.TB, book, part string, change *strings.Replacer) string {
	t.Helper()
	archive, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file.Name, part) {
			text = []byte(change.Replace(string(text)))
		}
		parts = append(parts, file.Name, string(text))
	}
	return zipOf(t, parts...)
}

func TestDataInHiddenSheetsAreSaid(t *testing.T) {
	cfg := Config{Kind: KindCentre}
	june := []cells{bookHead[:5:5], {"Omoa", "30/06/2015", "9:20", "Hombre", 25}}
	july := []cells{{"Julio"}, {}, bookHead[:5:5], {}, {"Omoa", "31/07/2015", "9:20", "Hombre", 25}}
	hide := func(names ...string) func(*excelize.File) {
		return func(f *excelize.File) {
			for _, name := range names {
				_ = f.SetSheetVisible(name, false, true)
			}
		}
	}
	for name, c := range map[string]struct{ text, sheet, said string }{
		"data":          {book(t, hide("Julio"), "Junio", june, "Julio", july), "", "hidden_sheet  Julio 1"},
		"named":         {book(t, hide("Julio"), "Junio", june, "Julio", july), "Julio", "note_skipped   1"},
		"two":           {book(t, hide("Julio", "Otra"), "Junio", june, "Julio", july, "Otra", june), "", "hidden_sheet  Julio 1; hidden_sheet  Otra 1"},
		"no rows":       {book(t, hide("Julio"), "Junio", june, "Julio", july[:4]), "", ""},
		"other columns": {book(t, hide("Lista"), "Junio", june, "Lista", []cells{{"Departamento", "Municipio"}, {"Cortés", "Omoa"}}), "", ""},
	} {
		cfg.Sheet = c.sheet
		if got := mustImport(t, cfg, c.text); warnings(got.sum) != c.said || got.sum.Accepted != 1 {
			t.Errorf("%s: %q, %+v", name, warnings(got.sum), got.sum)
		}
	}
	cfg.Sheet = ""
	var file *FileError
	if _, err := importText(t, cfg, book(t, hide("Julio"), "Portada", []cells{{"Informe"}}, "Julio", july)); !errors.As(err, &file) || file.Code != "hidden_sheets" || !strings.Contains(file.ES, "Julio") {
		t.Errorf("nothing but a hidden sheet: %v", err)
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
