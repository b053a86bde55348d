package importer

import (
	"strconv"
	"strings"
	"unicode"

	"retorno/producers/reading"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Around the data stand titles, totals and sources. A row counts as one of them only when it cannot be a record: what would
// make it one (a date, codes in their columns) is not there. All else is data, and rejected where it cannot be read.

// noteWords open rows of totals and sources.
var noteWords = wordSet("total", "totales", "subtotal", "subtotales", "grantotal", "suma", "sumas", "sumatoria", "fuente", "fuentes", "nota", "notas", "elaborado", "generado",
	"source", "sources", "note", "notes", "impreso", "pagina", "page", "preparado", "revisado", "autorizado", "promedio")

// labelWords stand in rows of sums beside numbers: "Hombres: 15", "Menores;3".
var labelWords = wordSet("hombres", "mujeres", "ninos", "ninas", "menores", "adultos", "adultas", "adolescentes", "nna", "masculino", "femenino", "registros", "casos", "personas",
	"total", "totales", "subtotal", "suma", "promedio", "conteo", "cantidad", "y", "de", "no")

// isNote reports whether a row is a total or a source.
func (d *dialect) isNote(r row) bool {
	first := -1
	for i, cell := range r.cells {
		if trimmed(cell) != "" {
			first = i
			break
		}
	}
	if first < 0 {
		return false
	}
	words := wordsOf(r.cells[first])
	switch {
	case len(words) == 0:
		return false
	case !noteWords[words[0]] && (len(words) < 2 || !noteWords[words[0]+words[1]]):
		return d.isLabelled(r)
	case !d.strict(first):
		return d.evidence(r, first) == 0
	case d.reads(first, r.cells[first]):
		return false
	}
	const some = 2 // a subtotal names what it sums up
	return !d.dated(r) || d.evidence(r, first) <= some
}

// isLabelled reports whether a row has nothing but numbers and words that name them.
func (d *dialect) isLabelled(r row) bool {
	labels := 0
	for i, cell := range r.cells {
		switch cell = trimmed(cell); {
		case cell == "" || isFigure(cell):
		case !isLabel(cell) || d.reads(i, cell):
			return false
		default:
			labels++
		}
	}
	return labels > 0 && !d.dated(r)
}

func isLabel(cell string) bool {
	words := wordsOf(cell)
	for _, w := range words {
		if !labelWords[w] {
			return false
		}
	}
	return len(words) > 0
}

// wordsOf returns the words of a text, folded, without its numbers.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(mended(text), func(r rune) bool { return !unicode.IsLetter(r) })
	for i := range words {
		words[i] = codelists.Fold(words[i])
	}
	return words
}

// isFigure reports whether a cell holds a number: 1,234 and 63 % too.
func isFigure(cell string) bool {
	return strings.ContainsAny(cell, "0123456789") && strings.Trim(cell, "0123456789.,% \u00a0") == ""
}

// strict reports whether a column takes dates or codes only.
func (d *dialect) strict(i int) bool {
	if i >= len(d.header.fields) {
		return false
	}
	field := d.header.fields[i]
	if a := dictionary.Get(field); a != nil && a.Import == dictionary.ImportText {
		return false
	}
	return field == "age" || isDateField(field) || fieldList(field) != ""
}

func isDateField(field string) bool {
	for _, f := range dateFields {
		if f == field {
			return true
		}
	}
	return false
}

// dated reports whether the row has a date in one of the columns for them.
func (d *dialect) dated(r row) bool {
	for _, field := range dateFields {
		if i, ok := d.header.at[field]; ok && i < len(r.cells) && looksLikeDate(r.cells[i]) {
			return true
		}
	}
	return false
}

// looksLikeDate reports whether a cell is written as a date, though it may be none: 31/02/2016.
func looksLikeDate(cell string) bool {
	cell = trimmed(cell)
	if _, ok := parseMoment(cell, DayFirst, reading.ThisCentury); ok {
		return true
	}
	_, _, _, _, ok := reading.Parts(cell)
	return ok && strings.ContainsAny(cell, "0123456789")
}

// evidence counts the cells, but for one, that read in their columns. Bare numbers read in too many to tell.
func (d *dialect) evidence(r row, but int) (n int) {
	for i, cell := range r.cells {
		if i != but && trimmed(cell) != "" && d.reads(i, cell) {
			n++
		}
	}
	return n
}

// reads reports whether a cell says something in its column.
func (d *dialect) reads(i int, cell string) bool {
	if i >= len(d.header.fields) {
		return false
	}
	field, text := d.header.fields[i], mended(trimmed(cell))
	const document = 9 // digits that no sum has
	switch {
	case isDateField(field):
		return looksLikeDate(text)
	case field == "dni" || field == "passport" || field == "document_number":
		return strings.ContainsAny(text, "0123456789") && len(text) >= document
	case field == "time" || field == "arrival_time":
		_, _, _, ok := reading.Clock(text)
		return ok
	case isFigure(text) || !d.strict(i) || field == "age" || d.notStated(field, text):
		return false
	case field == "border_point" || field == "entry_point" || field == "exit_point":
		return doubtlessPoint(text)
	}
	code, ok := codelists.Resolve(fieldList(field), text)
	return ok && code != unknownCode(fieldList(field))
}

func doubtlessPoint(text string) bool {
	for _, mode := range []string{"", "air", "sea", "land"} {
		if code, ok := codelists.ResolvePoint(text, mode); ok && code != unknownCode(codelists.BorderPoint) {
			return true
		}
	}
	return false
}

// sums proves that a row of nothing but numbers is a row of sums: each number is that of the rows above, of their filled cells
// in its column, or the sum of the column, since the top or since the sums before.
type sums struct {
	all, since columnSums
}

type columnSums struct {
	rows   int
	filled []int
	total  []float64
}

func (s *columnSums) add(i int, n float64) {
	for len(s.filled) <= i {
		s.filled, s.total = append(s.filled, 0), append(s.total, 0)
	}
	s.filled[i]++
	s.total[i] += n
}

func (s *columnSums) proves(i int, n float64) bool {
	return s.rows > 0 && (n == float64(s.rows) || i < len(s.filled) && s.filled[i] > 0 && (n == float64(s.filled[i]) || n == s.total[i]))
}

// data takes a row of data into account.
func (s *sums) data(r row) {
	s.all.rows++
	s.since.rows++
	for i, cell := range r.cells {
		if cell == "" {
			continue
		}
		n, _ := number(strings.Replace(cell, ",", ".", 1))
		s.all.add(i, n)
		s.since.add(i, n)
	}
}

// number is the number that a cell holds, 0 and false for any other text.
func number(cell string) (float64, bool) {
	if strings.Trim(cell, "0123456789.") != "" {
		return 0, false // most cells are no numbers, and an error costs memory
	}
	n, err := strconv.ParseFloat(cell, 64)
	return n, err == nil
}

// are reports whether a row is one of sums.
func (s *sums) are(d *dialect, r row) bool {
	some := false
	for i, cell := range r.cells {
		if cell = trimmed(cell); cell == "" {
			continue
		}
		n, ok := number(cell)
		if !ok || !s.all.proves(i, n) && !s.since.proves(i, n) {
			return false
		}
		some = true
	}
	return some && !d.dated(r)
}

// after begins the next group of rows.
func (s *sums) after() { s.since = columnSums{} }

// isTagRow reports whether a row is one of HXL tags, such as #date;#adm1+name, which repeats the header in another language.
func isTagRow(r row) bool {
	some := false
	for _, cell := range r.cells {
		switch cell = trimmed(cell); {
		case cell == "":
		case !isTag(cell):
			return false
		default:
			some = true
		}
	}
	return some
}

func isTag(cell string) bool {
	name, ok := strings.CutPrefix(cell, "#")
	if !ok || name == "" || !unicode.IsLetter(rune(name[0])) {
		return false
	}
	return strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789_+ ") == ""
}
