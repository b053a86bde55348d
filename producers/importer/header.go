package importer

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// columns.csv names the columns that state no attribute: dates, documents, one column for each reason, and what is dropped.
//
//go:embed columns.csv
var columnNames []byte

const (
	// ignored is the field of a column that is known and dropped: names, addresses, running numbers.
	ignored = "-"
	// anyKind stands in columns.csv, and before headings in the data dictionary, for both kinds.
	anyKind = "both"
	// reasonPrefix begins the field of a yes/no column for one reason.
	reasonPrefix = "reason:"
)

// names maps, for each kind, the folded name of a column to its field.
var names = loadColumnNames()

func loadColumnNames() map[string]map[string]string {
	rows, err := csv.NewReader(bytes.NewReader(columnNames)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("importer: columns.csv: %v", err))
	}
	out := map[string]map[string]string{KindCheckpoint: {}, KindCentre: {}}
	add := func(kind, field, text string) {
		for k, m := range out {
			if kind != k && kind != anyKind {
				continue
			}
			if there, twice := m[codelists.Fold(text)]; twice && there != field {
				panic(fmt.Sprintf("importer: a column %q means %s and %s", text, there, field))
			}
			m[codelists.Fold(text)] = field
		}
	}
	for _, row := range rows[1:] {
		add(row[0], row[1], row[2])
	}
	for _, a := range dictionary.Attributes() {
		for _, heading := range a.Headings {
			add(heading.Files, a.Name, heading.Text)
		}
	}
	for _, m := range out {
		for _, field := range m {
			if field != ignored { // a field's own name finds it too
				m[codelists.Fold(field)] = field
			}
		}
	}
	return out
}

// fieldsOf returns the fields of a kind.
func fieldsOf(kind string) map[string]bool {
	out := map[string]bool{}
	for _, field := range names[kind] {
		if field != ignored {
			out[field] = true
		}
	}
	return out
}

func fieldNames(kind string) string {
	var out []string
	for field := range fieldsOf(kind) {
		out = append(out, field)
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

// header is the row of column names, understood.
type header struct {
	line   int
	cells  []string       // as in the file
	folded []string       // to know it again
	fields []string       // field of each column, "" unknown, "-" dropped
	at     map[string]int // column of each field
	prints []bool         // columns whose cells make the print of a row
	parts  []bool         // columns that are one answer of a question: motivos/salud
	form   bool           // of a program for forms, whose names of groups and answers hold no blanks
}

// fieldOf finds the field of a column by its name: what Config.Columns says, the name, the name without what stands
// in brackets.
func fieldOf(cfg Config, column string) string {
	known := names[cfg.Kind]
	if field, ok := known[codelists.Fold(column)]; ok {
		return field
	}
	if bare, _, ok := strings.Cut(column, "("); ok {
		return known[codelists.Fold(bare)]
	}
	if isTag(column) {
		return taggedField(known, column)
	}
	if order, bare := dateHint(column); order != "" {
		return known[codelists.Fold(bare)]
	}
	return ""
}

// taggedField finds the field of an HXL tag: #date by its name, #meta+sex by its attribute.
func taggedField(known map[string]string, tag string) string {
	parts := strings.Split(tag, "+")
	for _, part := range parts {
		if field := known[codelists.Fold(part)]; field != "" && field != ignored {
			return field
		}
	}
	return ""
}

// newHeader reads a row as column names; matched is how many of them are known fields.
func newHeader(cfg Config, r row) (h *header, matched int) {
	h = &header{line: r.line, at: map[string]int{}, form: fromForm(r)}
	for _, cell := range r.cells {
		cell = mended(trimmed(cell))
		h.cells = append(h.cells, cell)
		h.folded = append(h.folded, codelists.Fold(cell))
		h.prints = append(h.prints, slices.Contains(printed, fieldOf(Config{Kind: cfg.Kind}, cell)))
	}
	h.fields, h.parts = make([]string, len(h.cells)), make([]bool, len(h.cells))
	for i, cell := range h.cells {
		field, set := h.setField(cfg, i)
		if !set {
			field = fieldOf(cfg, cell)
		}
		h.fields[i] = field
	}
	h.followPaths(cfg)
	h.pairTimes()
	for i, field := range h.fields {
		if field == "" || field == ignored {
			continue
		}
		if _, twice := h.at[field]; !twice {
			h.at[field] = i
			matched++
		}
	}
	if h.rejected() {
		for i, cell := range h.cells {
			h.cells[i] = asItCame(cell)
		}
	}
	return h, matched
}

// pairTimes takes the only column of times for that of the only column of dates: beside "Fecha de llegada", "Hora" is that of the arrival.
func (h *header) pairTimes() {
	has := func(field string) bool { return slices.Contains(h.fields, field) }
	pairs := [2][2]string{{"date", "time"}, {"arrival_date", "arrival_time"}}
	for i, own := range pairs {
		other := pairs[1-i]
		at := slices.Index(h.fields, other[1])
		if at >= 0 && has(own[0]) && !has(other[0]) && !has(own[1]) {
			h.fields[at] = own[1]
			return
		}
	}
}

// rejected reports whether the file is one of rejected rows.
func (h *header) rejected() bool {
	_, ok := h.at["origin_row"]
	return ok
}

// same reports whether a row repeats the header.
func (h *header) same(r row) bool {
	if len(r.cells) < len(h.folded) {
		return false
	}
	for i, cell := range r.cells {
		want := ""
		if i < len(h.folded) {
			want = h.folded[i]
		}
		if codelists.Fold(mended(cell)) != want {
			return false
		}
	}
	return true
}

// column returns the name in the file of the column of a field; for a field that is assumed, the field's own.
func (h *header) column(field string) string {
	if i, ok := h.at[field]; ok {
		return h.cells[i]
	}
	return field
}

// taken names the columns that are read and the field that each becomes.
func (h *header) taken() map[string]string {
	out := map[string]string{}
	for field, i := range h.at {
		out[h.cells[i]] = field
	}
	return out
}

// check refuses a header that lacks what a record needs, or in which two columns claim one field.
func (h *header) check(cfg Config) error {
	if err := h.checkNames(cfg); err != nil {
		return err
	}
	has := func(field string) bool {
		_, ok := h.at[field]
		return ok || cfg.Assume[field] != ""
	}
	var missing []string
	need := func(fields ...string) {
		for _, f := range fields {
			if has(f) {
				return
			}
		}
		missing = append(missing, strings.Join(fields, "|"))
	}
	if cfg.Kind == KindCheckpoint {
		need("date")
		need("border_point")
		need("direction")
	} else {
		need("date", "arrival_date")
		need("centre")
	}
	if len(missing) > 0 {
		return fileError("missing_columns", strings.Join(missing, ", "), h.shown())
	}
	for _, field := range []string{"dni", "passport", "document_number"} {
		if i, ok := h.at[field]; ok && cfg.Secret.IsZero() && !cfg.WithoutDocuments {
			return fileError("no_secret", h.cells[i])
		}
	}
	return nil
}

// shown quotes the names of the columns. A row with long numbers or dates is one of data, and may be about a person.
func (h *header) shown() string {
	const most = 3 // digits, in the names of columns
	for _, cell := range h.cells {
		if len(strings.Map(onlyDigits, cell)) > most {
			return fmt.Sprintf("… × %d", len(h.cells))
		}
	}
	return fmt.Sprintf("%q", strings.Join(h.cells, ", "))
}

func onlyDigits(r rune) rune {
	if unicode.IsDigit(r) {
		return r
	}
	return -1
}

// warnings names the columns that were left out because they are unknown.
func (h *header) warnings(cfg Config) []Warning {
	var out []Warning
	for i, field := range h.fields {
		if field == "" && h.folded[i] != "" {
			out = append(out, Warning{Code: "column_ignored", Column: h.cells[i], Line: h.line})
		}
	}
	if _, help := h.at["assistance_kind"]; help {
		for _, field := range []string{"exit_point", "entry_point", "country", "reasons"} {
			if i, ok := h.at[field]; ok {
				out = append(out, Warning{Code: "help_only", Column: h.cells[i], Line: h.line})
			}
		}
	}
	return out
}
