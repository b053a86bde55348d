package importer

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxUnpacked is how much the text inside a .gz may be; a workbook, which is held in memory, may have maxWorkbook.
const (
	maxUnpacked = 8 << 30
	maxWorkbook = 256 << 20
)

// unpacked finds the rows in what a file is: text as it is, text in .gz, or a sheet of an XLSX workbook, which becomes text.
// What else has a name is refused by it.
func unpacked(cfg Config, file io.ReadSeeker) (text io.ReadSeeker, book *workbook, err error) {
	head, err := headOf(file)
	if err != nil {
		return nil, nil, err
	}
	if bytes.HasPrefix(head, []byte{0x1F, 0x8B}) {
		file = &gunzipped{file: file, limit: cfg.maxUnpacked()}
		if head, err = headOf(file); err != nil {
			return nil, nil, err
		}
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		book, err := openWorkbook(cfg, file)
		if err != nil {
			return nil, nil, err
		}
		return bytes.NewReader(book.text), book, nil
	}
	if form := formOf(head); form != nil {
		return nil, nil, fileError("other_form", form.es, form.en)
	}
	return file, nil, nil
}

// headOf reads the first bytes of a file and goes back.
func headOf(file io.ReadSeeker) ([]byte, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	head := make([]byte, 1024)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	_, err = file.Seek(0, io.SeekStart)
	return head[:n], err
}

// form is a kind of file that is not read, by how it begins.
type form struct {
	begins string // pattern of its first bytes
	es, en string
	exp    *regexp.Regexp
}

// Patterns see bytes as Latin-1 characters. Texts may begin with a byte order mark and blanks.
var forms = compiled([]form{
	{begins: `^\xD0\xCF\x11\xE0`, es: "un libro de Excel 97-2003 (.xls), o uno con contraseña", en: "a workbook of Excel 97-2003 (.xls), or one with a password"},
	{begins: `^%PDF-`, es: "un PDF", en: "a PDF"},
	{begins: `^PAR1`, es: "Parquet", en: "Parquet"},
	{begins: `^SQLite format 3`, es: "una base de datos SQLite", en: "an SQLite database"},
	{begins: `^\x00\x01\x00\x00Standard (Jet|ACE) DB`, es: "una base de datos de Access", en: "an Access database"},
	{begins: `^\{\\rtf`, es: "un documento RTF", en: "an RTF document"},
	{begins: `^7z\xBC\xAF\x27\x1C`, es: "un archivo 7z", en: "a 7z archive"},
	{begins: `^Rar!`, es: "un archivo RAR", en: "a RAR archive"},
	{begins: `^BZh[1-9]1AY`, es: "un archivo bzip2", en: "a bzip2 file"},
	{begins: `^\xFD7zXZ`, es: "un archivo xz", en: "an xz file"},
	{begins: `^\x28\xB5\x2F\xFD`, es: "un archivo zstd", en: "a zstd file"},
	{begins: `^\x1F\x8B`, es: "un .gz dentro de otro", en: "a .gz inside another"},
	{begins: `^(\x89PNG|\xFF\xD8\xFF|GIF8|II\*\x00|MM\x00\*|(?s:BM....)\x00\x00\x00\x00|(?s:RIFF....)WEBP|(?s:....)ftyphei)`, es: "una imagen", en: "an image"},
	{begins: `^(\x7FELF|(?s:MZ.\x00.\x00)|\xCF\xFA\xED\xFE)`, es: "un programa", en: "a program"},
	{begins: `^(ARROW1|FEA1)`, es: "un archivo de Arrow o Feather", en: "an Arrow or Feather file"},
	{begins: `^(RD[AX][23]\n|X\n\x00\x00\x00[\x02\x03]|A\n[23]\n)`, es: "un archivo de R (.rds o .RData)", en: "an R file (.rds or .RData)"},
	{begins: `^\x00{12}\xC2\xEA\x81\x60`, es: "un archivo de SAS (.sas7bdat)", en: "a SAS file (.sas7bdat)"},
	{begins: `^\$FL[23]`, es: "un archivo de SPSS (.sav)", en: "an SPSS file (.sav)"},
	{begins: `^(<stata_dta>|[\x71-\x73][\x01\x02]\x01\x00)`, es: "un archivo de Stata (.dta)", en: "a Stata file (.dta)"},
	{begins: `^[\x03\x04\x30\x31\x83\x8B\xF5][\x00-\x99][\x01-\x0C][\x01-\x1F][\x00-\xFF]{4}[\x00-\xFF]\x00|^[\x03\x30\x83\x8B\xF5][\x00-\x99][\x01-\x0C][\x01-\x1F][\x00-\xFF]{3}\x00`, es: "una tabla dBase (.dbf)", en: "a dBase table (.dbf)"},
	{begins: `^(\xEF\xBB\xBF)?\s*<\?xml[^>]*>\s*(<\?mso|<Workbook)`, es: "una hoja de cálculo XML de Excel 2003", en: "an XML spreadsheet of Excel 2003"},
	{begins: `(?i)^(\xEF\xBB\xBF)?\s*<(!doctype html|html|head|meta|table|body|style|div|center)\b`, es: "una página HTML, aunque se llame .xls", en: "an HTML page, though it may be called .xls"},
	{begins: `^(\xEF\xBB\xBF)?\s*<(\?xml|[A-Za-z][\w:.-]*(\s[^<>]*)?>\s*<)`, es: "XML", en: "XML"},
	{begins: `^(\xEF\xBB\xBF)?\s*(\{\s*"[^"]*"\s*:|\[\s*[\[{]|\[\s*\]|\{\s*\})`, es: "JSON", en: "JSON"},
})

func compiled(all []form) []form {
	for i := range all {
		all[i].exp = regexp.MustCompile(all[i].begins)
	}
	return all
}

// formOf names what a file is by how it begins; nil for text.
func formOf(head []byte) *form {
	latin := make([]rune, len(head))
	for i, b := range head {
		latin[i] = rune(b)
	}
	for i := range forms {
		if forms[i].exp.MatchString(string(latin)) {
			return &forms[i]
		}
	}
	return nil
}

// archiveForm names what a zip archive is, by the names in it; workbook is true for XLSX.
func archiveForm(archive *zip.Reader) (es, en string, workbook bool) {
	has := func(name string) bool {
		for _, f := range archive.File {
			if strings.EqualFold(strings.ReplaceAll(f.Name, `\`, "/"), name) {
				return true
			}
		}
		return false
	}
	switch {
	case has("xl/workbook.xml"):
		return "", "", true
	case has("xl/workbook.bin"):
		return "un libro binario de Excel (.xlsb)", "a binary workbook of Excel (.xlsb)", false
	case has("word/document.xml"):
		return "un documento de Word (.docx)", "a Word document (.docx)", false
	case has("content.xml") && has("mimetype"), strings.HasPrefix(mimetype(archive), "application/vnd.oasis.opendocument."):
		return "un documento de LibreOffice (.ods u otro)", "a LibreOffice document (.ods or another)", false
	}
	return "un archivo ZIP", "a ZIP archive", false
}

// gunzipped reads the text inside a .gz, from its start as often as wanted.
type gunzipped struct {
	file  io.ReadSeeker
	text  *gzip.Reader
	read  int64
	limit int64
}

func (g *gunzipped) Read(b []byte) (int, error) {
	if g.text == nil {
		if _, err := g.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
	}
	n, err := g.text.Read(b)
	if g.read += int64(n); g.read > g.limit {
		return 0, fileError("too_large_unpacked", g.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fileError("damaged", "gzip")
	}
	return n, err
}

// Seek goes to a place counted from the start; the importer knows no other.
func (g *gunzipped) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, fmt.Errorf("seek in a .gz: only from its start")
	}
	if _, err := g.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	text, err := gzip.NewReader(g.file)
	if err != nil {
		return 0, fileError("damaged", "gzip")
	}
	g.text, g.read = text, 0
	if _, err := io.CopyN(io.Discard, g, offset); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	return offset, nil
}

// mimetype is what an archive says of itself in its first entry, as documents of LibreOffice do.
func mimetype(archive *zip.Reader) string {
	if len(archive.File) == 0 || archive.File[0].Name != "mimetype" {
		return ""
	}
	entry, err := archive.File[0].Open()
	if err != nil {
		return ""
	}
	defer entry.Close()
	const longest = 100
	text, err := io.ReadAll(io.LimitReader(entry, longest))
	if err != nil {
		return ""
	}
	return string(text)
}
