package sheets

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"text/template"
)

// mediaType is that of a spreadsheet (OpenDocument 1.3, part 3, appendix C).
const mediaType = "application/vnd.oasis.opendocument.spreadsheet"

//go:embed templates/*.xml
var templateFiles embed.FS

// parts are the files of a package (OpenDocument 1.3, part 2, §3), as templates: x writes a text so that it is one.
var parts = template.Must(template.New("").Funcs(template.FuncMap{"x": escaped, "mm": func(characters int) int { return 2 * characters }}).ParseFS(templateFiles, "templates/*.xml"))

func escaped(text string) (string, error) {
	var out strings.Builder
	err := xml.EscapeText(&out, []byte(text))
	return out.String(), err
}

// ODS is the workbook in OpenDocument 1.3 (OASIS, 2021).
func (b *Book) ODS() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	// The media type comes first and uncompressed, so that programs find it at its place (part 2, §3.3).
	w, err := z.CreateRaw(&zip.FileHeader{Name: "mimetype", Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(mediaType)),
		CompressedSize64: uint64(len(mediaType)), UncompressedSize64: uint64(len(mediaType))})
	if err == nil {
		_, err = w.Write([]byte(mediaType))
	}
	if err != nil {
		return nil, err
	}
	document := b.document()
	for _, t := range []struct{ template, path string }{{"manifest.xml", "META-INF/manifest.xml"}, {"meta.xml", "meta.xml"}, {"settings.xml", "settings.xml"},
		{"styles.xml", "styles.xml"}, {"content.xml", "content.xml"}} {
		w, err := z.Create(t.path) // without a time: equal workbooks are equal bytes
		if err == nil {
			err = parts.ExecuteTemplate(w, t.template, document)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
	}
	err = z.Close()
	return out.Bytes(), err
}

// document is a workbook as the templates write it.
type document struct {
	Title, Lang, Made string
	Widths            []int // each once
	Sheets            []table
}

// table is a sheet. Seen and Hidden are its columns; Frozen is how many rows stay in view.
type table struct {
	Name   string
	Seen   []int // widths in characters
	Hidden int
	Frozen int
	Rows   [][]cell
}

// cell is one of a sheet.
type cell struct {
	Style  string // of content.xml; "" of a plain text
	Number string // "" of a text
	Text   string
	Sheet  string // that it leads to
}

// plain is the width of columns of which none is told, in characters.
const plain = 11

func (b *Book) document() document {
	d := document{Title: b.Title, Lang: b.Lang, Made: b.Made.UTC().Format("2006-01-02T15:04:05Z")}
	seen := map[int]bool{}
	for i := range b.Sheets {
		t := b.Sheets[i].table()
		for _, width := range t.Seen {
			if !seen[width] {
				seen[width] = true
				d.Widths = append(d.Widths, width)
			}
		}
		d.Sheets = append(d.Sheets, t)
	}
	return d
}

func (s *Sheet) table() table {
	t := table{Name: s.Name, Frozen: s.Header}
	n := s.columns()
	if s.Hidden > 0 && s.Hidden <= n {
		t.Hidden = n - s.Hidden + 1
	}
	for c := range n - t.Hidden {
		width := plain
		if c < len(s.Widths) {
			width = s.Widths[c]
		}
		t.Seen = append(t.Seen, width)
	}
	for r, row := range s.Rows {
		var cells []cell
		for _, value := range row {
			c := cellOf(value)
			switch r + 1 {
			case 1:
				c.Style = "title"
			case s.Header:
				c.Style = "head"
			}
			cells = append(cells, c)
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func cellOf(value any) cell {
	switch v := value.(type) {
	case int64:
		return cell{Style: "count", Number: strconv.FormatInt(v, 10), Text: grouped(v)}
	case float64:
		text := strconv.FormatFloat(v, 'f', 1, 64)
		return cell{Style: "tenth", Number: text, Text: text}
	case Link:
		return cell{Text: v.Text, Sheet: v.Sheet}
	case string:
		return cell{Text: v}
	}
	return cell{}
}

// grouped is a count as it is shown until a program shows it by itself.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
