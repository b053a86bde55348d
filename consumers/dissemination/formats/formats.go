// Package formats gives a table of a published vintage in the forms that other programs read:
//
//	GET /vintages/2016-S1/1/tables                       the tables, as a JSON-stat collection
//	GET /vintages/2016-S1/1/tables/T1?format=jsonstat    one table; format is csv, hxl, json, jsonstat or parquet
//
// It promises that every form has the same cells: the same counts, the same withheld ones, in the same order. A withheld count is
// empty or null with the status Q, never 0. Equal cells give equal bytes, always: no clock and no order of a map comes in. It counts
// and adds up nothing, and keeps no state.
//
// A form that does not exist, or a wrong parameter, is refused by its name with 400; a table or vintage that does not exist is 404.
// When the vintages cannot be read, the answer is 503 with Retry-After, and the cause is in the log.
package formats

import (
	"slices"
	"strconv"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/vintages"
)

// Slice is what is written: a table of an opened vintage. Its cells may be some of those of the vintage's table.
type Slice struct {
	From  *vintages.Opened
	Table bundle.Table
	Lang  string // of labels and notes, "es" or "en"
}

// Format is a form that a table can have.
type Format struct {
	ID     string // as format= names it
	Type   string // media type, with its parameters
	Suffix string // of a file's name
	Text   bool   // it is CSV, which a byte order mark may precede
	ES, EN string // what it is
	write  func(Slice) ([]byte, error)
}

var formats = []Format{
	{"csv", "text/csv; charset=utf-8; header=present", "csv", true, "CSV con códigos, como en la edición", "CSV with codes, as in the vintage", func(s Slice) ([]byte, error) { return s.Table.CSV(), nil }},
	{"hxl", "text/csv; charset=utf-8", // libhxl takes no further parameter
		"hxl.csv", true, "CSV con etiquetas HXL", "CSV with HXL hashtags", writeHXL},
	{"json", "application/json", "json", false, "JSON, un objeto por celda", "JSON, one object for each cell", writeJSON},
	{"jsonstat", "application/json", "jsonstat.json", false, "JSON-stat 2.0", "JSON-stat 2.0", writeJSONStat},
	{"parquet", "application/vnd.apache.parquet", "parquet", false, "Apache Parquet", "Apache Parquet", writeParquet},
}

// All are the formats, in the order of their ids. The slice is the caller's.
func All() []Format { return slices.Clone(formats) }

// IDs are those of the formats.
func IDs() (ids []string) {
	for _, f := range formats {
		ids = append(ids, f.ID)
	}
	return ids
}

// Find returns the format that is called so.
func Find(id string) (Format, bool) {
	i := slices.IndexFunc(formats, func(f Format) bool { return f.ID == id })
	if i < 0 {
		return Format{}, false
	}
	return formats[i], true
}

// Write writes a slice in the format.
func (f Format) Write(s Slice) ([]byte, error) { return f.write(s) }

// mark is the byte order mark, by which spreadsheets know UTF-8.
const mark = "\ufeff"

// row is a cell as the forms write it.
type row struct {
	codes, labels []string
	value         *int64 // nil: withheld
	status        string // A, P or Q, by CL_OBS_STATUS
	vintage       string // that the count is of: 2016-S1/1
}

// rows are the cells of a slice, in the order of the table.
func (s Slice) rows() []row {
	all := make([]row, 0, len(s.Table.Cells))
	for _, c := range s.Table.Cells {
		r := row{codes: c.Codes, status: s.Table.Status(c), vintage: s.From.Name()}
		if !c.Withheld {
			r.value = &c.Value
		}
		if of := s.Table.VintageOf(c); of > 0 {
			r.vintage = s.From.Period + "/" + strconv.FormatUint(of, 10)
		}
		for i, column := range s.Table.Columns {
			r.labels = append(r.labels, s.From.Label(column, c.Codes[i], s.Lang))
		}
		all = append(all, r)
	}
	return all
}

// labelled reports whether the codes of a column have labels. Periods are their own.
func labelled(column string) bool { return column != timeColumn }

// timeColumn is the column of periods, which every table has.
const timeColumn = "time_period"

// labelSuffix is what the name of a column of labels has behind that of its codes.
const labelSuffix = "_label"

// text is one sentence in both languages.
type text struct {
	ES string `json:"es"`
	EN string `json:"en"`
}

// in is the sentence in a language.
func (t text) in(lang string) string {
	if lang == "en" {
		return t.EN
	}
	return t.ES
}
