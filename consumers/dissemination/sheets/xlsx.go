package sheets

import (
	"bytes"
	"errors"
	"time"

	"github.com/xuri/excelize/v2"
)

// XLSX is the workbook in Office Open XML (ISO/IEC 29500).
func (b *Book) XLSX() ([]byte, error) {
	w := &xlsx{f: excelize.NewFile()}
	w.title = w.style(&excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}})
	w.head = w.style(&excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}})
	w.count = w.style(&excelize.Style{NumFmt: 3}) // #,##0 (ISO/IEC 29500-1 §18.8.30)
	tenths := "0.0"
	w.tenth = w.style(&excelize.Style{CustomNumFmt: &tenths})
	for i := range b.Sheets {
		w.sheet(i, &b.Sheets[i])
	}
	made := b.Made.UTC().Format(time.RFC3339)
	w.keep(w.f.SetDocProps(&excelize.DocProperties{Title: b.Title, Creator: "Retorno", Language: b.Lang, Created: made, Modified: made}))
	var out bytes.Buffer
	w.keep(w.f.Write(&out))
	w.keep(w.f.Close())
	return out.Bytes(), errors.Join(w.failed...)
}

// xlsx collects what fails while a workbook is written.
type xlsx struct {
	f                         *excelize.File
	title, head, count, tenth int // styles
	failed                    []error
}

func (w *xlsx) keep(err error) {
	if err != nil {
		w.failed = append(w.failed, err)
	}
}

func (w *xlsx) style(s *excelize.Style) int {
	id, err := w.f.NewStyle(s)
	w.keep(err)
	return id
}

func (w *xlsx) sheet(i int, s *Sheet) {
	if i == 0 {
		w.keep(w.f.SetSheetName(w.f.GetSheetName(0), s.Name))
	} else {
		_, err := w.f.NewSheet(s.Name)
		w.keep(err)
	}
	for r, row := range s.Rows {
		for c, value := range row {
			if value != nil {
				w.cell(s, c+1, r+1, value)
			}
		}
	}
	for c, width := range s.Widths {
		w.keep(w.f.SetColWidth(s.Name, w.column(c+1), w.column(c+1), float64(width)))
	}
	if s.Hidden > 0 && s.columns() >= s.Hidden {
		w.keep(w.f.SetColVisible(s.Name, w.column(s.Hidden)+":"+w.column(s.columns()), false))
	}
	if s.Header > 0 {
		w.keep(w.f.SetPanes(s.Name, &excelize.Panes{Freeze: true, YSplit: s.Header, TopLeftCell: w.at(1, s.Header+1), ActivePane: "bottomLeft"}))
	}
}

func (w *xlsx) cell(s *Sheet, column, row int, value any) {
	at, style := w.at(column, row), 0
	switch v := value.(type) {
	case Link:
		w.keep(w.f.SetCellHyperLink(s.Name, at, "'"+v.Sheet+"'!A1", "Location"))
		value = v.Text
	case int64:
		style = w.count
	case float64:
		style = w.tenth
	}
	switch row {
	case 1:
		style = w.title
	case s.Header:
		style = w.head
	}
	w.keep(w.f.SetCellValue(s.Name, at, value))
	if style > 0 {
		w.keep(w.f.SetCellStyle(s.Name, at, at, style))
	}
}

func (w *xlsx) column(n int) string {
	name, err := excelize.ColumnNumberToName(n)
	w.keep(err)
	return name
}

func (w *xlsx) at(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row)
	w.keep(err)
	return name
}
