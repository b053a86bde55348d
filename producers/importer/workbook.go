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
	header, hidden, err := chooseSheet(cfg, f)
	if err != nil {
		return nil, err
	}
	if book, err = readSheet(f, header, cfg.maxWorkbook()); err != nil {
		return nil, err
	}
	for _, h := range hidden {
		book.warnings = append(book.warnings, Warning{Code: "hidden_sheet", Found: h.sheet, Line: h.row, Count: 1})
	}
	return book, nil
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
	sheet               string
	row, width, matched int
	whole               bool // nothing that a record needs is missing
	filled              bool // something stands below it
}

// chooseSheet finds the one sheet with a header that will do, and the hidden ones that hold data too. Those are read only when
// they are named.
func chooseSheet(cfg Config, f *excelize.File) (best sheetHeader, hidden []sheetHeader, err error) {
	if cfg.Sheet != "" {
		if !slices.Contains(f.GetSheetList(), cfg.Sheet) {
			return best, nil, fileError("no_such_sheet", cfg.Sheet, strings.Join(f.GetSheetList(), ", "))
		}
		best, err = headerOfSheet(cfg, f, cfg.Sheet)
		return best, nil, err
	}
	var whole, unseen []string
	for _, name := range f.GetSheetList() {
		visible, err := f.GetSheetVisible(name)
		if err != nil {
			continue
		}
		h, err := headerOfSheet(cfg, f, name)
		switch {
		case !visible:
			if err == nil && h.whole && h.filled {
				hidden, unseen = append(hidden, h), append(unseen, name)
			}
			continue
		case err != nil:
			return best, nil, err
		case h.whole:
			whole = append(whole, name)
		}
		if best.sheet == "" || h.whole && !best.whole || h.whole == best.whole && h.matched > best.matched {
			best = h
		}
	}
	switch {
	case len(whole) > 1:
		return best, nil, fileError("several_sheets", strings.Join(whole, ", "))
	case len(whole) == 0 && len(hidden) > 0:
		return best, nil, fileError("hidden_sheets", strings.Join(unseen, ", "))
	case best.sheet == "":
		return best, nil, fileError("empty")
	}
	return best, hidden, nil
}

func headerOfSheet(cfg Config, f *excelize.File, name string) (best sheetHeader, err error) {
	best.sheet = name
	rows, err := f.Rows(name)
	if err != nil {
		return best, fileError("damaged", "XLSX")
	}
	defer func() { _ = rows.Close() }()
	for n := 1; (n <= headerWithin || best.matched > 0 && !best.filled) && rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return best, fileError("damaged", "XLSX")
		}
		r := row{line: n, cells: cells}
		best.filled = best.filled || best.matched > 0 && !r.blank()
		if n > headerWithin {
			continue
		}
		if h, matched := newHeader(cfg, r); matched > best.matched {
			var refusal *FileError
			err := h.check(cfg)
			best = sheetHeader{sheet: name, row: n, width: len(cells), matched: matched, whole: err == nil || errors.As(err, &refusal) && refusal.Code != "missing_columns"}
		}
	}
	return best, nil
}

// readSheet writes the rows of a sheet as text.
func readSheet(f *excelize.File, header sheetHeader, limit int64) (*workbook, error) {
	path, part := sheetPart(f, header.sheet)
	if ref := mergedBelow(part, header.row); ref != "" {
		return nil, fileError("merged_cells", header.sheet, ref)
	}
	book := &workbook{sheet: header.sheet}
	props, err := f.GetWorkbookProps()
	if err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	date1904 := props.Date1904 != nil && *props.Date1904
	calculation, err := f.GetCalcProps()
	if err != nil {
		return nil, fileError("damaged", "XLSX")
	}
	part, unknown := withoutGuesses(part, calculation.FullCalcOnLoad != nil && *calculation.FullCalcOnLoad)
	if unknown.rows > 0 {
		f.Pkg.Store(path, part)
		book.warnings = append(book.warnings, Warning{Code: "formula_without_value", Line: unknown.line, Count: unknown.rows})
	}
	rows, err := f.Rows(header.sheet)
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
	return book, nil
}

// formulaCell is a cell with a formula: its attributes, and its value, which may not be there.
var formulaCell = regexp.MustCompile(`<(?:\w+:)?c(\s[^<>]*)?>\s*<(?:\w+:)?f\b[^<>]*(?:/>|>[^<>]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\b[^<>]*/>|<(?:\w+:)?v\b[^<>]*>([^<>]*)</(?:\w+:)?v>)?\s*</(?:\w+:)?c>`)

var (
	cellPlace = regexp.MustCompile(`\sr="[A-Z]+(\d+)"`)
	cellType  = regexp.MustCompile(`\st="(\w+)"`)
)

// withoutGuesses takes the values of formulas that nothing has calculated out of a sheet, and counts these cells. A program that
// cannot calculate writes no value, or 0, and leaves word in the workbook to calculate when it is opened.
func withoutGuesses(part []byte, calculateOnLoad bool) ([]byte, tally) {
	var unknown tally
	if !bytes.Contains(part, []byte("<f")) && !bytes.Contains(part, []byte(":f")) {
		return part, unknown
	}
	out := formulaCell.ReplaceAllFunc(part, func(cell []byte) []byte {
		found := formulaCell.FindSubmatch(cell)
		sort, value := "", strings.TrimSpace(string(found[2]))
		if is := cellType.FindSubmatch(found[1]); is != nil {
			sort = string(is[1])
		}
		n, err := strconv.ParseFloat(value, 64)
		zero := err == nil && n == 0 && sort != "b" && sort != "str"
		if !(value == "" && sort != "str" || calculateOnLoad && (value == "" || zero)) {
			return cell
		}
		line, at := 1, ""
		if ref := cellPlace.FindSubmatch(found[1]); ref != nil {
			at = string(ref[0])
			line, _ = strconv.Atoi(string(ref[1]))
		}
		unknown = unknown.plus(line)
		return []byte("<c" + at + "/>")
	})
	return out, unknown
}

// oneLine keeps a row of the sheet on one line of the text.
var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

// sheetPart returns the XML of a sheet and where it stands.
func sheetPart(f *excelize.File, name string) (path string, text []byte) {
	id := ""
	for _, sheet := range f.WorkBook.Sheets.Sheet {
		if sheet.Name == name {
			id = sheet.ID
		}
	}
	rels, _ := f.Pkg.Load("xl/_rels/workbook.xml.rels")
	relations, _ := rels.([]byte)
	for _, tag := range relationship.FindAll(relations, -1) {
		if !bytes.Contains(tag, []byte(`Id="`+id+`"`)) {
			continue
		}
		if target := relationTarget.FindSubmatch(tag); target != nil {
			path = string(target[1])
			if !strings.HasPrefix(path, "/") {
				path = "xl/" + path
			}
			path = strings.TrimPrefix(path, "/")
			part, _ := f.Pkg.Load(path)
			text, _ = part.([]byte)
			return path, text
		}
	}
	return "", nil
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
