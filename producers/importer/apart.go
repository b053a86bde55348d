package importer

import (
	"hash/maphash"

	"retorno/schemas/codelists"
)

// A long form writes one person in several rows that differ in one column only: one row a reason, or one a child. Each row
// would count. Such rows are found among those that follow each other under one document, and anywhere in the file where they
// differ in their reasons and state one time of day.

// apart finds rows that are equal but for one column.
type apart struct {
	seed    maphash.Seed
	compare []bool            // columns that tell rows from each other: running numbers do not
	before  []string          // the cells of the row before
	reasons map[uint64]uint64 // hash of all other cells -> hash of the reasons
	dated   []int             // columns of dates and times, in which two events differ
	papers  []int             // columns of documents
	clock   int               // column of the time, -1 without one
}

// mostApart bounds the rows that are held against all others.
const mostApart = 1_000_000

// runningNumbers are columns that number rows, folded.
var runningNumbers = wordSet("", "no", "n", "num", "numero", "correlativo", "folio", "id", "item", "index", "uuid", "retornoline", "retornorow")

func newApart(h *header) *apart {
	if _, help := h.at["assistance_kind"]; help {
		return nil // one help a row is how help is written
	}
	a := &apart{seed: maphash.MakeSeed(), compare: make([]bool, len(h.cells)), reasons: map[uint64]uint64{}, clock: -1}
	for i, field := range h.fields {
		a.compare[i] = !runningNumbers[codelists.Fold(h.cells[i])]
		switch field {
		case "time", "arrival_time":
			a.clock = i
			a.dated = append(a.dated, i)
		case "date", "arrival_date", "recorded_date":
			a.dated = append(a.dated, i)
		case "dni", "passport", "document_number":
			a.papers = append(a.papers, i)
		}
	}
	return a
}

// look returns the column in which r differs from a row before it, and no other does.
func (a *apart) look(h *header, r row) (column int, found bool) {
	if a == nil || len(r.cells) < len(h.cells) {
		return 0, false
	}
	cells := r.cells[:len(h.cells)]
	defer func() { a.before = cells }()
	if column, found = a.fromLast(cells); found {
		return column, true
	}
	i, ok := h.at["reasons"]
	if !ok || a.clock < 0 || trimmed(cells[a.clock]) == "" || trimmed(cells[i]) == "" || len(a.reasons) >= mostApart {
		return 0, false
	}
	var all maphash.Hash
	all.SetSeed(a.seed)
	for j, cell := range cells {
		if j != i && a.compare[j] {
			_, _ = all.WriteString(cell)
			_ = all.WriteByte(0)
		}
	}
	key, reason := all.Sum64(), maphash.String(a.seed, cells[i])
	there, known := a.reasons[key]
	a.reasons[key] = reason
	return i, known && there != reason
}

// fromLast compares a row with the one before it, when both have one document.
func (a *apart) fromLast(cells []string) (column int, found bool) {
	same := false
	for _, i := range a.papers {
		same = same || a.before != nil && trimmed(cells[i]) != "" && cells[i] == a.before[i]
	}
	if !same {
		return 0, false
	}
	differ := 0
	for i, cell := range cells {
		if a.compare[i] && cell != a.before[i] {
			differ++
			column = i
		}
	}
	if differ != 1 {
		return 0, false
	}
	for _, i := range a.dated {
		if i == column {
			return 0, false
		}
	}
	return column, true
}
