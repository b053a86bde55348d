package imports

import (
	"cmp"
	"slices"
)

// matching finds for each row of a file the record that says the same, in the import to which the row goes or in another one. Each record
// is that of one row: rows that are alike in everything need as many records.
type matching struct {
	rows  rows
	own   func(row int) *history // the import to which a row goes
	found []*state               // for each row; nil: none

	left map[traits][]int // rows that the records of their own ids do not match
}

// match looks first for the record that the row's own id names, as long as it says what the row says; then for any that counts; then for
// one that was taken back and said it at the end; then for the one of the row's own id that said something else before it was taken
// back. Each time, the row's own import comes before the others.
func match(rows rows, to *history, before map[string]*history) *matching {
	return matchEach(rows, func(int) *history { return to }, before)
}

func matchEach(rows rows, own func(int) *history, before map[string]*history) *matching {
	m := &matching{rows: rows, own: own, found: make([]*state, len(rows))}
	for _, h := range before {
		for _, s := range h.records {
			s.inFile = false
		}
	}
	sources := sorted(before)
	for _, step := range []func(*history, bool){m.exact, m.counting, m.void, m.back} {
		for _, mine := range []bool{true, false} {
			for _, source := range sources {
				step(before[source], mine)
			}
		}
	}
	return m
}

func (m *matching) exact(h *history, mine bool) {
	m.byID(h, mine, func(i int, s *state) bool { return !s.void && s.traits == m.rows[i].traits })
}

func (m *matching) back(h *history, mine bool) {
	m.byID(h, mine, func(_ int, s *state) bool { return s.takenBack() })
}

// takenBack reports whether a record counted and is void: one that is void from the first closes a number.
func (s *state) takenBack() bool { return s.void && s.revision > 1 }

func (m *matching) byID(h *history, mine bool, fits func(int, *state) bool) {
	for i := range m.rows {
		if m.found[i] != nil || mine != (m.own(i) == h) {
			continue
		}
		if s := h.records[m.rows[i].id]; s != nil && !s.moved && !s.inFile && fits(i, s) {
			s.inFile, m.found[i] = true, s
		}
	}
}

func (m *matching) counting(h *history, mine bool) {
	m.byContent(h, mine, func(s *state) bool { return !s.void })
}

func (m *matching) void(h *history, mine bool) { m.byContent(h, mine, (*state).takenBack) }

func (m *matching) byContent(h *history, mine bool, fits func(*state) bool) {
	if m.left == nil {
		m.left = map[traits][]int{}
		for i, s := range m.found {
			if s == nil {
				t := m.rows[i].traits
				m.left[t] = append(m.left[t], i)
			}
		}
	}
	var candidates []*state
	for _, s := range h.records {
		if !s.moved && !s.inFile && fits(s) && len(m.left[s.traits]) > 0 {
			candidates = append(candidates, s)
		}
	}
	slices.SortFunc(candidates, byPlace)
	for _, s := range candidates {
		alike := m.left[s.traits]
		at := slices.IndexFunc(alike, func(i int) bool { return mine == (m.own(i) == h) })
		if at < 0 {
			continue
		}
		s.inFile, m.found[alike[at]] = true, s
		alike[at] = alike[0]
		m.left[s.traits] = alike[1:]
	}
}

// byPlace is the order in which the records of an import came first.
func byPlace(a, b *state) int {
	return cmp.Or(cmp.Compare(a.place, b.place), slices.Compare(a.id[:], b.id[:]))
}
