package importer

import (
	"slices"
	"strings"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Spreadsheets leave out the empty cells at the end of a row. A row is also short when a quote, a delimiter or a line end has
// gone astray, and then its cells stand in the wrong columns. The first is filled up, with a warning; the second is refused.

// shape sorts a row, as the last reading will, and notes of it what only the rows around it show.
func (h *habits) shape(r row) rowSort {
	sort := h.d.sort(r)
	if sort == rowData && r.fault == "" && h.sums.are(h.d, r) {
		h.d.sums[r.line] = true
		sort = rowNote
	}
	short := r.fault == "" && len(r.cells) < len(h.d.header.cells)
	if h.short.line != 0 && sort != rowBlank {
		if short && sort != rowHeader && h.otherHalf(r, sort) {
			h.d.halves[h.short.line] = true
		}
		h.short = row{}
	}
	switch sort {
	case rowNote:
		h.sums.after()
	case rowData:
		if short {
			h.short = r
			if r.last {
				h.d.halves[r.line] = true // the file may have been cut off
			}
		}
		if r.fault == "" {
			h.sums.data(r)
		}
	}
	return sort
}

// otherHalf reports whether r completes the short row before it, which a line end inside a cell has cut in two.
func (h *habits) otherHalf(r row, sort rowSort) bool {
	width := len(h.short.cells) + len(r.cells) - 1
	if sort == rowNote {
		return width == len(h.d.header.cells)
	}
	return width <= len(h.d.header.cells) && !h.d.dated(r)
}

// needed are the fields without which there is no record.
var needed = []string{"date", "border_point", "direction", "centre", "assistance_kind"}

// endsEarly reports whether a short row lacks nothing but empty cells at its end.
func (d *dialect) endsEarly(r row) bool {
	if d.halves[r.line] || !d.dated(r) {
		return false
	}
	for _, field := range needed {
		if i, ok := d.header.at[field]; ok && i >= len(r.cells) {
			return false
		}
	}
	for _, cell := range r.cells {
		if strings.ContainsAny(cell, "\n"+string(d.delimiter)) {
			return false // a quoted cell has swallowed others
		}
	}
	return true
}

// filled adds the empty cells that a short row has left out.
func (d *dialect) filled(cells []string) []string {
	out := make([]string, len(d.header.cells))
	copy(out, cells)
	return out
}

// misplaced reports whether the cells of a row that was filled up have moved: free text that no list of its own column knows,
// and that of the column does which it would stand in. Columns of codes make a fault of it by themselves.
func (c *conversion) misplaced() bool {
	if c.omitted == 0 {
		return false
	}
	h := c.dialect.header
	for i := range c.row.cells[:len(c.row.cells)-c.omitted] {
		text := mended(trimmed(c.row.cells[i]))
		a := dictionary.Get(h.fields[i])
		if text == "" || a == nil || a.Import != dictionary.ImportText || codeOf(h.fields[i], text) != "" {
			continue
		}
		for j := i + 1; j <= i+c.omitted && j < len(h.fields); j++ {
			if codeOf(h.fields[j], text) != "" {
				return true
			}
		}
	}
	return slices.ContainsFunc(c.warnings, func(w Warning) bool { return w.Code == "document_unreadable" })
}

// codeOf is the code that a text has in the list of a field, "" without one.
func codeOf(field, text string) string {
	code, ok := codelists.Resolve(fieldList(field), text)
	if !ok {
		return ""
	}
	return stated(fieldList(field), code)
}
