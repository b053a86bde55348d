package bulletin

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"retorno/consumers/dissemination/wording"
)

// Workbook is the bulletin as an Excel workbook: a cover, contents, notes, and one table on each sheet, without merged cells. Behind
// the columns of a table that are seen stand hidden ones with the keys of its counts, in the same order.
func (b *Bulletin) Workbook() ([]byte, error) {
	f := excelize.NewFile()
	w := &workbook{f: f, lang: b.Lang}
	w.cover(b)
	w.contents(b)
	w.notes()
	for _, t := range b.Tables {
		w.table(b, t)
	}
	made := time.Time(b.published).UTC().Format(time.RFC3339)
	w.keep(f.SetDocProps(&excelize.DocProperties{Title: w.in("Boletín de migrantes retornados, ", "Bulletin of returned migrants, ") + b.Name, Creator: "Retorno", Language: b.Lang, Created: made, Modified: made}))
	var out bytes.Buffer
	w.keep(f.Write(&out))
	w.keep(f.Close())
	return out.Bytes(), errors.Join(w.failed...)
}

// workbook collects what fails while a workbook is written.
type workbook struct {
	f      *excelize.File
	lang   string
	failed []error
}

func (w *workbook) keep(err error) {
	if err != nil {
		w.failed = append(w.failed, err)
	}
}

func (w *workbook) in(es, en string) string { return wording.In(w.lang, es, en) }

// sheet adds one, with a title in its first cell.
func (w *workbook) sheet(name, title string) {
	if w.f.SheetCount == 1 && w.f.GetSheetName(0) == "Sheet1" {
		w.keep(w.f.SetSheetName("Sheet1", name))
	} else {
		_, err := w.f.NewSheet(name)
		w.keep(err)
	}
	w.set(name, 1, 1, title)
	bold, err := w.f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	w.keep(err)
	w.keep(w.f.SetCellStyle(name, "A1", "A1", bold))
}

func (w *workbook) set(sheet string, column, row int, value any) {
	at, err := excelize.CoordinatesToCellName(column, row)
	w.keep(err)
	w.keep(w.f.SetCellValue(sheet, at, value))
}

// pairs writes names and values below each other.
func (w *workbook) pairs(sheet string, from int, pairs [][2]string) {
	for i, p := range pairs {
		w.set(sheet, 1, from+i, p[0])
		w.set(sheet, 2, from+i, p[1])
	}
	w.keep(w.f.SetColWidth(sheet, "A", "A", 34))
	w.keep(w.f.SetColWidth(sheet, "B", "B", 80))
}

func (w *workbook) cover(b *Bulletin) {
	sheet := w.in("Portada", "Cover")
	w.sheet(sheet, w.in("Migrantes retornados, ", "Returned migrants, ")+b.Name)
	pairs := [][2]string{{w.in("Semestre", "Half-year"), b.Period}, {w.in("Edición", "Vintage"), b.Vintage + " (" + b.Status + ")"},
		{w.in("Publicada el", "Published on"), b.Published}, {w.in("Contada el", "Counted on"), b.AsOf}}
	for _, one := range b.Figures {
		text := one.Value + " · " + one.Note
		if one.Change != "" {
			text += " · " + one.Change + w.in(" frente al mismo semestre del año anterior", " against the same half-year a year before")
		}
		pairs = append(pairs, [2]string{one.Name, text})
	}
	for _, one := range [][2]string{{w.in("Cobertura", "Coverage"), b.Coverage}, {w.in("Tardíos", "Late"), b.Late}} {
		if one[1] == "" {
			one[1] = "[x]"
		}
		pairs = append(pairs, one)
	}
	w.pairs(sheet, 3, pairs)
}

func (w *workbook) contents(b *Bulletin) {
	sheet := w.in("Índice", "Contents")
	w.sheet(sheet, w.in("Índice", "Contents"))
	var pairs [][2]string
	for _, t := range b.Tables {
		pairs = append(pairs, [2]string{t.ID, fmt.Sprintf("%s %d. %s", w.in("Cuadro", "Table"), t.Number, t.Title)})
	}
	w.pairs(sheet, 3, pairs)
	for i, t := range b.Tables {
		w.keep(w.f.SetCellHyperLink(sheet, fmt.Sprintf("A%d", 3+i), "'"+t.ID+"'!A1", "Location"))
	}
}

func (w *workbook) notes() {
	sheet := w.in("Notas", "Notes")
	w.sheet(sheet, w.in("Notas", "Notes"))
	w.pairs(sheet, 3, [][2]string{
		{"[c]", w.in("confidencial: es de muy pocas personas, o permitiría calcular otro conteo de muy pocas personas", "confidential: it is of very few persons, or another count of very few persons could be computed from it")},
		{"[p]", w.in("provisional", "provisional")},
		{"[r]", w.in("revisado: la edición anterior daba otro conteo", "revised: the vintage before gave another count")},
		{"[x]", w.in("no disponible en esta edición", "not available in this vintage")},
		{"⟨1⟩", w.in("conteo de esa edición anterior", "count of that earlier vintage")},
		{w.in("Retorno", "Return"), w.in("Una llegada a Honduras de una persona hondureña, o de nacionalidad no declarada. Se cuentan llegadas, no personas.", "One arrival in Honduras of a Honduran national, or of unstated nationality. Arrivals are counted, not people.")},
		{w.in("Columnas ocultas", "Hidden columns"), w.in("Tienen la clave de cada conteo: cuadro y códigos, como en los archivos de la edición.", "They have the key of each count: table and codes, as in the files of the vintage.")},
	})
}

// table writes a table on a sheet of its own. A plain count is a number; one with a symbol is a text.
func (w *workbook) table(b *Bulletin, t Table) {
	w.sheet(t.ID, fmt.Sprintf("%s %d. %s, %s", w.in("Cuadro", "Table"), t.Number, t.Title, b.Name))
	w.set(t.ID, 1, 2, t.Unit+" · "+w.in("edición ", "vintage ")+b.Vintage)
	const header = 4
	for i, head := range append(append([]string{}, t.Heads...), t.Values...) {
		w.set(t.ID, 1+i, header, head)
	}
	width := len(t.Heads) + len(t.Values)
	for i, r := range t.Rows {
		row := header + 1 + i
		for j, name := range r.Names {
			w.set(t.ID, 1+j, row, name)
		}
		for j, c := range r.Cells {
			w.set(t.ID, 1+len(t.Heads)+j, row, c.cellValue())
			if c.Key != "" {
				w.set(t.ID, 1+width+j, row, c.Key)
			}
		}
	}
	first, err := excelize.ColumnNumberToName(width + 1)
	w.keep(err)
	last, err := excelize.ColumnNumberToName(width + len(t.Values))
	w.keep(err)
	w.keep(w.f.SetColVisible(t.ID, first+":"+last, false))
	w.keep(w.f.SetColWidth(t.ID, "A", "A", 36))
	w.keep(w.f.SetPanes(t.ID, &excelize.Panes{Freeze: true, YSplit: header, TopLeftCell: fmt.Sprintf("A%d", header+1), ActivePane: "bottomLeft"}))
}

// cellValue is what a spreadsheet is given.
func (c Cell) cellValue() any {
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
