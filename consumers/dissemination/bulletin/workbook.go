package bulletin

import (
	"fmt"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/sheets"
	"retorno/consumers/dissemination/wording"
)

// Workbook is the bulletin as a workbook: a cover, contents, notes, and one table on each sheet. Behind the columns of a sheet that are seen
// stand hidden ones with the keys of its counts, in the same order.
func (b *Bulletin) Workbook() *sheets.Book {
	book := &sheets.Book{Title: b.in("Boletín de migrantes retornados, ", "Bulletin of returned migrants, ") + b.Name, Lang: b.Lang, Made: b.published}
	book.Sheets = append(book.Sheets, b.cover(), b.contents(), b.notes())
	for i := range b.Tables {
		book.Sheets = append(book.Sheets, b.sheet(&b.Tables[i]))
	}
	return book
}

func (b *Bulletin) in(es, en string) string { return wording.In(b.Lang, es, en) }

func (b *Bulletin) cover() sheets.Sheet {
	s := sheets.Sheet{Name: b.in("Portada", "Cover"), Widths: []int{40, 30, 34, 34}, Hidden: 5, Rows: [][]any{
		{b.in("Migrantes retornados, ", "Returned migrants, ") + b.Name}, nil,
		{b.in("Semestre", "Half-year"), b.Period}, {b.in("Edición", "Vintage"), b.Vintage + " (" + b.Status + ")"},
		{b.in("Publicada el", "Published on"), b.Published}, {b.in("Contada el", "Counted on"), b.AsOf}}}
	for _, one := range [][2]string{{b.in("Cobertura", "Coverage"), b.Coverage}, {b.in("Tardíos", "Late"), b.Late}} {
		if one[1] == "" {
			one[1] = "[x]"
		}
		s.Rows = append(s.Rows, []any{one[0], one[1]})
	}
	s.Rows = append(s.Rows, nil, []any{b.in("Cifras principales", "Key figures"), b.in("Retornos", "Returns"), b.in("Base", "Base"), b.in("Frente al mismo semestre del año anterior", "Against the same half-year a year before")})
	s.Header = len(s.Rows)
	for _, one := range b.Figures {
		s.Rows = append(s.Rows, []any{one.Name, one.Count, one.Note, one.Change, one.Key.Series})
	}
	return s
}

func (b *Bulletin) contents() sheets.Sheet {
	s := sheets.Sheet{Name: b.in("Índice", "Contents"), Widths: []int{10, 90}, Rows: [][]any{{b.in("Índice", "Contents")}, nil}}
	for _, t := range b.Tables {
		s.Rows = append(s.Rows, []any{sheets.Link{Text: t.ID, Sheet: t.ID}, fmt.Sprintf("%s %d. %s", b.in("Cuadro", "Table"), t.Number, t.Title)})
	}
	return s
}

func (b *Bulletin) notes() sheets.Sheet {
	s := sheets.Sheet{Name: b.in("Notas", "Notes"), Widths: []int{20, 110}, Rows: [][]any{{b.in("Notas", "Notes")}, nil}}
	for _, one := range b.Symbols() {
		s.Rows = append(s.Rows, []any{"[" + one.Mark + "]", one.Meaning})
	}
	s.Rows = append(s.Rows, []any{"⟨1⟩", b.in("conteo de esa edición anterior", "count of that earlier vintage")},
		[]any{b.in("Retorno", "Return"), b.in("Una llegada a Honduras de una persona hondureña, o de nacionalidad no declarada. Se cuentan llegadas, no personas.", "One arrival in Honduras of a Honduran national, or of unstated nationality. Arrivals are counted, not people.")},
		[]any{b.in("Fuentes", "Sources"), b.in("Cruces, registros y ayudas que anotan las computadoras de puestos y centros, conciliados en un retorno por llegada. Método, versión ", "Crossings, registrations and help recorded by the computers of posts and centres, reconciled into one return for each arrival. Method, version ") + strconv.Itoa(b.MethodVersion) + "."},
		[]any{b.in("Confidencialidad", "Disclosure control"), b.Text("disclosure")},
		[]any{b.in("Próximo boletín", "Next bulletin"), b.Next},
		[]any{b.in("Columnas ocultas", "Hidden columns"), b.in("Tienen la clave SDMX de cada conteo del semestre: cuadro y códigos, como las toma /sdmx/3.0/data/.", "They have the SDMX key of each count of the half-year: table and codes, as /sdmx/3.0/data/ takes them.")})
	if b.Reason != "" {
		s.Rows = append(s.Rows, []any{b.in("Revisión", "Revision"), strings.TrimSpace(b.Reason + ". " + b.Changed)})
	}
	return s
}

// sheet writes a table on a sheet of its own. A plain count is a number; one with a symbol is a text.
func (b *Bulletin) sheet(t *Table) sheets.Sheet {
	width := len(t.Heads) + len(t.Values)
	s := sheets.Sheet{Name: t.ID, Widths: []int{36}, Hidden: width + 1, Header: 4, Rows: [][]any{
		{fmt.Sprintf("%s %d. %s, %s", b.in("Cuadro", "Table"), t.Number, t.Title, b.Name)},
		{t.Unit + " · " + b.Period + " · " + b.in("edición ", "vintage ") + b.Vintage}, nil, nil}}
	for _, head := range append(append([]string{}, t.Heads...), t.Values...) {
		s.Rows[3] = append(s.Rows[3], head)
	}
	for _, r := range t.Rows {
		var row, keys []any
		for _, name := range r.Names {
			row = append(row, name)
		}
		for _, c := range r.Cells {
			row, keys = append(row, c.value()), append(keys, c.Key.Series)
		}
		s.Rows = append(s.Rows, append(row, keys...))
	}
	return s
}

// value is what a spreadsheet is given.
func (c Cell) value() any {
	if share, err := strconv.ParseFloat(c.Share, 64); err == nil {
		return share
	}
	if c.Given() && c.Symbol == "" && c.Of == 0 {
		return c.Value
	}
	text := c.Text()
	if c.Of > 0 {
		text += fmt.Sprintf(" ⟨%d⟩", c.Of)
	}
	return text
}
