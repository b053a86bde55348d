package sheets_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
	"time"

	"retorno/consumers/dissemination/sheets"
)

var book = sheets.Book{Title: `Ñandú & "Co" <1>`, Lang: "es", Made: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC), Sheets: []sheets.Sheet{
	{Name: "Índice", Rows: [][]any{{"Índice"}, nil, {sheets.Link{Text: "T1", Sheet: "T1"}, "]]> & <b> \x01"}}},
	{Name: "T1", Header: 3, Hidden: 4, Widths: []int{30}, Rows: [][]any{{"Cuadro 1"}, {}, {"País", "Retornos", "%"}, {"Total", int64(1234567), 100.0, "T1:a"}, {nil, "[c]", nil, "T1:b"}}},
}}

func forms(t *testing.T) map[string][]byte {
	t.Helper()
	one, err := book.XLSX()
	other, wrong := book.ODS()
	if err = errors.Join(err, wrong); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"xlsx": one, "ods": other}
}

// Equal workbooks are equal bytes.
func TestTheSameBytes(t *testing.T) {
	first, second := forms(t), forms(t)
	for form, body := range first {
		if !bytes.Equal(body, second[form]) {
			t.Errorf("%s: two times, two files", form)
		}
	}
}

// Every part is XML that can be read, whatever texts hold, and programs find the media type where they look for it.
func TestPackages(t *testing.T) {
	all := forms(t)
	if head := all["ods"][:77]; string(head[30:38]) != "mimetype" || string(head[38:]) != "application/vnd.oasis.opendocument.spre" {
		t.Errorf("the package begins with %q", head)
	}
	for form, body := range all {
		z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			if f.Name == "mimetype" {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(r)
			for err == nil {
				_, err = d.Token()
			}
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %s: %v", form, f.Name, err)
			}
		}
	}
}

// A name that no spreadsheet takes is refused.
func TestASheetThatCannotBe(t *testing.T) {
	bad := sheets.Book{Sheets: []sheets.Sheet{{Name: "a:b", Rows: [][]any{{"x"}}}}}
	if _, err := bad.XLSX(); err == nil {
		t.Error("a sheet may be called a:b")
	}
}
