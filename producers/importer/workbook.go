package importer

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// workbook is the sheet of an XLSX workbook that holds the rows, as text: one line for each row of the sheet, so that lines and
// rows have the same numbers. Dates are written as ISO dates, whatever the cells show of them.
type workbook struct {
	sheet    string
	text     []byte
	warnings []Warning
}

// note adds what was found in the workbook to what is known of the file.
func (d *dialect) note(book *workbook) {
	if book == nil {
		return
	}
	d.form = "XLSX, " + book.sheet
	d.warnings = append(book.warnings, d.warnings...)
}

// sheetDelimiter stands between cells in the text of a sheet.
const sheetDelimiter = ','

// openWorkbook finds the sheet and reads it. The workbook is unzipped in memory, as far as maxWorkbook.
func openWorkbook(cfg Config, file io.Reader) (book *workbook, err error) {
	packed, err := io.ReadAll(io.LimitReader(file, cfg.maxBuffer()+1))
	if err != nil {
		return nil, err
	}
	if int64(len(packed)) > cfg.maxBuffer() {
		return nil, fileError("too_large_unpacked", cfg.maxBuffer())
	}
	if err := checkArchive(packed, cfg.maxWorkbook()); err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil { // the library trusts what a workbook says of itself
			book, err = nil, fileError("damaged", "XLSX")
		}
	}()
	f, err := excelize.OpenReader(bytes.NewReader(packed), excelize.Options{UnzipSizeLimit: cfg.maxWorkbook(), UnzipXMLSizeLimit: cfg.maxWorkbook()})
	if err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	defer func() { _ = f.Close() }()
	if err := plainFormats(f); err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	name, header, err := chooseSheet(cfg, f)
	if err != nil {
		return nil, err
	}
	return readSheet(f, name, header, cfg.maxWorkbook())
}

// checkArchive refuses what is no workbook, and what holds more than the limit, whatever its directory says.
func checkArchive(packed []byte, limit int64) error {
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return fileError("damaged", "ZIP")
	}
	if es, en, workbook := archiveForm(archive); !workbook {
		return fileError("other_form", es, en)
	}
	var total int64
	for _, part := range archive.File {
		r, err := part.Open()
		if err != nil {
			return fileError("damaged", "XLSX")
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, limit-total+1))
		_ = r.Close()
		if total += n; total > limit {
			return fileError("too_large_unpacked", limit)
		}
		if err != nil {
			return fileError("damaged", "XLSX")
		}
	}
	return nil
}

// sheetHeader is the row of a sheet that names columns.
type sheetHeader struct {
	row, width, matched int
	whole               bool // nothing that a record needs is missing
}

// chooseSheet finds the one sheet with a header that will do. Hidden sheets are read only when they are named.
func chooseSheet(cfg Config, f *excelize.File) (string, sheetHeader, error) {
	if cfg.Sheet != "" {
		if !slices.Contains(f.GetSheetList(), cfg.Sheet) {
			return "", sheetHeader{}, fileError("no_such_sheet", cfg.Sheet, strings.Join(f.GetSheetList(), ", "))
		}
		h, err := headerOfSheet(cfg, f, cfg.Sheet)
		return cfg.Sheet, h, err
	}
	var best string
	var found sheetHeader
	var whole []string
	for _, name := range f.GetSheetList() {
		if visible, err := f.GetSheetVisible(name); err != nil || !visible {
			continue
		}
		h, err := headerOfSheet(cfg, f, name)
		if err != nil {
			return "", h, err
		}
		if h.whole {
			whole = append(whole, name)
		}
		if best == "" || h.whole && !found.whole || h.whole == found.whole && h.matched > found.matched {
			best, found = name, h
		}
	}
	if best == "" {
		return "", found, fileError("empty")
	}
	if len(whole) > 1 {
		return "", found, fileError("several_sheets", strings.Join(whole, ", "))
	}
	return best, found, nil
}

func headerOfSheet(cfg Config, f *excelize.File, name string) (best sheetHeader, err error) {
	rows, err := f.Rows(name)
	if err != nil {
		return best, fileError("damaged", "XLSX")
	}
	defer func() { _ = rows.Close() }()
	for n := 1; n <= headerWithin && rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return best, fileError("damaged", "XLSX")
		}
		if h, matched := newHeader(cfg, row{line: n, cells: cells}); matched > best.matched {
			var refusal *FileError
			err := h.check(cfg)
			best = sheetHeader{row: n, width: len(cells), matched: matched, whole: err == nil || errors.As(err, &refusal) && refusal.Code != "missing_columns"}
		}
	}
	return best, nil
}

// readSheet writes the rows of a sheet as text.
func readSheet(f *excelize.File, name string, header sheetHeader, limit int64) (*workbook, error) {
	part := sheetPart(f, name)
	if ref := mergedBelow(part, header.row); ref != "" {
		return nil, fileError("merged_cells", name, ref)
	}
	book := &workbook{sheet: name}
	props, err := f.GetWorkbookProps()
	if err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	date1904 := props.Date1904 != nil && *props.Date1904
	rows, err := f.Rows(name)
	if err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	defer func() { _ = rows.Close() }()
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	hidden := tally{}
	for n := 1; rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, fileError("damaged", "XLSX")
		}
		if rows.GetRowOpts().Hidden && len(cells) > 0 {
			hidden = hidden.plus(n)
		}
		for i := range cells {
			cells[i] = shownTime(oneLine.Replace(cells[i]), date1904)
		}
		for len(cells) < max(header.width, 1) {
			cells = append(cells, "")
		}
		if err := out.Write(cells); err != nil {
			return nil, err
		}
		if out.Flush(); int64(text.Len()) > limit {
			return nil, fileError("too_large_unpacked", limit)
		}
	}
	if err := rows.Error(); err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	book.text = text.Bytes()
	if hidden.rows > 0 {
		book.warnings = append(book.warnings, Warning{Code: "hidden_rows", Line: hidden.line, Count: hidden.rows})
	}
	if n := bytes.Count(part, []byte("</f></c>")); n > 0 {
		book.warnings = append(book.warnings, Warning{Code: "formula_without_value", Line: 1, Count: n})
	}
	return book, nil
}

// oneLine keeps a row of the sheet on one line of the text.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// sheetPart returns the XML of a sheet.
func sheetPart(f *excelize.File, name string) []byte {
	id := ""
	for _, sheet := range f.WorkBook.Sheets.Sheet {
		if sheet.Name == name {
			id = sheet.ID
		}
	}
	rels, _ := f.Pkg.Load("xl/_rels/workbook.xml.rels")
	text, _ := rels.([]byte)
	for _, tag := range relationship.FindAll(text, -1) {
		if !bytes.Contains(tag, []byte(`Id="`+id+`"`)) {
			continue
		}
		if target := relationTarget.FindSubmatch(tag); target != nil {
			path := string(target[1])
			if !strings.HasPrefix(path, "/") {
				path = "xl/" + path
			}
			part, _ := f.Pkg.Load(strings.TrimPrefix(path, "/"))
			out, _ := part.([]byte)
			return out
		}
	}
	return nil
}

var (
	relationship   = regexp.MustCompile(`<[^<>]*Relationship\s[^<>]*>`)
	relationTarget = regexp.MustCompile(`Target="([^"]*)"`)
	mergedCells    = regexp.MustCompile(`mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"`)
)

// mergedBelow finds merged cells that run over several rows of data: only the first of these rows has their value.
func mergedBelow(part []byte, header int) string {
	for _, m := range mergedCells.FindAllSubmatch(part, -1) {
		from, _ := strconv.Atoi(string(m[2]))
		to, _ := strconv.Atoi(string(m[4]))
		if from > header && to > from {
			return string(m[1]) + string(m[2]) + ":" + string(m[3]) + string(m[4])
		}
	}
	return ""
}
