package audit

import (
	"errors"
	"math/big"
	"slices"
)

// A question for a table of whole numbers may take so many linear programs; it is not asked of systems of more columns, for which they
// are too slow.
const (
	nodes = 300
	wide  = 150
)

// walks is how many basic solutions with the same bound are looked at for one of whole numbers.
const walks = 40

// demand is a further condition on a column: at most, or at least, value.
type demand struct {
	column  int
	atLeast bool
	value   int64
}

// whole looks for a table of whole numbers that solves rows and meets the demands. It returns nil if there is none, and false if
// that is not known after budget linear programs.
func whole(rows [][]int64, columns int, demands []demand, budget *int) ([]int64, bool, error) {
	if *budget--; *budget < 0 {
		return nil, false, nil
	}
	t, err := newTableau[*big.Int, large](extended(rows, columns, demands), columns+len(demands))
	if errors.Is(err, errInfeasible) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	counts := make([]int64, columns)
	split := -1
	for j := range counts {
		v, isWhole := t.value(j)
		counts[j] = v
		if !isWhole && split < 0 {
			split = j
		}
	}
	if split < 0 {
		return counts, true, nil
	}
	decided := true
	for _, d := range []demand{{split, false, counts[split]}, {split, true, counts[split] + 1}} {
		found, known, err := whole(rows, columns, append(slices.Clone(demands), d), budget)
		if err != nil || found != nil {
			return found, known, err
		}
		decided = decided && known
	}
	return nil, decided, nil
}

// extended returns rows with one more row and one more column (what is over or under) for each demand.
func extended(rows [][]int64, columns int, demands []demand) [][]int64 {
	width := columns + len(demands)
	var out [][]int64
	for _, r := range rows {
		line := make([]int64, width+1)
		copy(line, r[:columns])
		line[width] = r[columns]
		out = append(out, line)
	}
	for i, d := range demands {
		line := make([]int64, width+1)
		line[d.column], line[columns+i], line[width] = 1, 1, d.value
		if d.atLeast {
			line[columns+i] = -1
		}
		out = append(out, line)
	}
	return out
}

// ask looks for a table that meets the demands and writes it down. It reports whether the answer is known.
func (s *search[T, N]) ask(demands ...demand) (bool, error) {
	if len(s.c.cells) > wide {
		return false, nil
	}
	budget := nodes
	counts, known, err := whole(s.rows, len(s.c.cells), demands, &budget)
	s.out.lps += nodes - max(budget, 0)
	if counts == nil || err != nil {
		return known, err
	}
	picked := make([]int64, len(s.column))
	for i, col := range s.column {
		picked[i] = counts[col]
	}
	s.saw(picked)
	return true, nil
}

// walk moves, while column c keeps its count, among basic solutions in which other columns are small, until done reports true. Each is looked
// at, and one of them is often of whole numbers where the first is not.
func (s *search[T, N]) walk(c int, done func() bool) error {
	s.tab.fixed = c
	defer func() { s.tab.fixed = -1 }()
	for range walks {
		split := -1
		for j := range s.c.cells {
			if _, whole := s.tab.value(j); !whole && j != c {
				split = j
				break
			}
		}
		if split < 0 || done() {
			return nil
		}
		s.out.lps++
		if err := s.tab.minimise(split); err != nil {
			return err
		}
	}
	return nil
}
