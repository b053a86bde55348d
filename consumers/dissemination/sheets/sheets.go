// Package sheets writes workbooks in the two forms that offices use: Office Open XML (XLSX) and OpenDocument (ODS). Both have the same
// sheets, and on each the same cells.
//
// It promises that equal workbooks give equal bytes, that no cells are merged, and that a number is a number and a text a text. It knows
// nothing of what is written, and keeps nothing. It fails where a sheet's name is not one that a spreadsheet takes.
package sheets

import "time"

// Book is a workbook.
type Book struct {
	Title  string
	Lang   string    // "es" or "en"
	Made   time.Time // stands as the time of creation and of change
	Sheets []Sheet
}

// Sheet is one sheet. Its first row holds its title.
type Sheet struct {
	Name   string
	Rows   [][]any // a string, an int64, a float64 with one decimal, a Link; nil: an empty cell
	Header int     // the row of the column names, from 1, above which everything stays in view; 0: there is none
	Widths []int   // of the first columns, in characters; the others are as wide as spreadsheets make them
	Hidden int     // the first column of those that are not seen, from 1; 0: all are
}

// Link is a text that leads to the first cell of another sheet.
type Link struct{ Text, Sheet string }

// columns is the number of columns in use.
func (s *Sheet) columns() (n int) {
	for _, row := range s.Rows {
		n = max(n, len(row))
	}
	return n
}
