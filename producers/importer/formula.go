package importer

import "strings"

// A spreadsheet runs a cell that begins like a formula, also when another system's user has typed it. In a file of rejected
// rows an apostrophe stands before such cells, one more than the cell had, and is taken away when the file is imported.

// inert is the cell as it stands in a file of rejected rows.
func inert(cell string) string {
	if likeFormula(cell) {
		return "'" + cell
	}
	return cell
}

// asItCame is the cell that inert was given.
func asItCame(cell string) string {
	if rest, marked := strings.CutPrefix(cell, "'"); marked && likeFormula(rest) {
		return rest
	}
	return cell
}

// likeFormula reports whether a spreadsheet would run the cell, or would if apostrophes before it were not there.
func likeFormula(cell string) bool {
	cell = strings.TrimLeft(cell, "'")
	if cell == "" {
		return false
	}
	if cell[0] == '\t' || cell[0] == '\r' || cell[0] == '\n' {
		return true
	}
	for _, c := range strings.TrimLeft(cell, " \t\r\n\u00a0") {
		return strings.ContainsRune("=+-@＝＋－＠", c)
	}
	return false
}
