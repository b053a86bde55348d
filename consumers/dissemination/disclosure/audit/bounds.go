package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// attempts is how many counts above the bound of the linear program are tried for a table of whole numbers.
const attempts = 8

// outcome is what the audit of a component found.
type outcome struct {
	bounds []Bound
	faults []Fault
	lps    int
}

// bounds audits a component, in 64 bits if they suffice.
func (c *component) bounds(o Options) (*outcome, error) {
	key := c.key(o.Exact)
	if o.Memo != nil {
		if out := o.Memo.seen[key]; out != nil {
			return out, nil
		}
	}
	out, err := audited[int64, small](c, o)
	if errors.Is(err, errTooLarge) {
		out, err = audited[*big.Int, large](c, o)
	}
	if errors.Is(err, errInfeasible) {
		return nil, fmt.Errorf("%w: no counts fit the withheld cells %v", ErrContradiction, c.cells)
	}
	if err == nil && o.Memo != nil {
		if o.Memo.seen == nil {
			o.Memo.seen = map[string]*outcome{}
		}
		o.Memo.seen[key] = out
	}
	return out, err
}

// key names a component among those of systems that differ only in what is withheld.
func (c *component) key(exact bool) string {
	b := []byte{0}
	if exact {
		b[0] = 1
	}
	for _, i := range c.cells {
		b = binary.AppendUvarint(b, uint64(i))
	}
	return string(b)
}

// vectors returns the rows of the component as coefficients of its cells, with the right-hand side last.
func (c *component) vectors() [][]int64 {
	column := make(map[int]int, len(c.cells))
	for j, cell := range c.cells {
		column[cell] = j
	}
	out := make([][]int64, len(c.rows))
	for i, r := range c.rows {
		out[i] = make([]int64, len(c.cells)+1)
		for _, cell := range r.plus {
			out[i][column[cell]]++
		}
		for _, cell := range r.minus {
			out[i][column[cell]]--
		}
		out[i][len(c.cells)] = r.rhs
	}
	return out
}

// search looks for the bounds of the audited cells of a component, and collects the tables of whole numbers that it meets:
// only they are proof that a cell can have a count.
type search[T any, N number[T]] struct {
	c     *component
	exact bool
	tab   *tableau[T, N]
	rows  [][]int64
	// column, limit and contains are of the audited cells, in order: their columns, their thresholds, and whether cell j contains cell i.
	column   []int
	limit    []int64
	contains [][]bool
	// low and high are the extremes seen in tables of whole numbers.
	low, high []int64
	// zero[i][j] and reach[i][j] report whether a table was seen in which a person is in cell i and the others in
	// cell j are 0, or as many as its threshold.
	zero, reach [][]bool
	// self is the audited cell whose column the tableau has shifted by one person, or -1.
	self int
	// unlimited reports whether a column can grow without limit.
	unlimited []bool
	out       *outcome
}

// audited audits a component in one arithmetic.
func audited[T any, N number[T]](c *component, o Options) (*outcome, error) {
	s := &search[T, N]{c: c, exact: o.Exact, rows: c.vectors(), self: -1, out: &outcome{}}
	k := len(c.targets)
	s.unlimited = make([]bool, k)
	for i, cell := range c.targets {
		at, _ := slices.BinarySearch(c.cells, cell)
		s.column = append(s.column, at)
		s.limit = append(s.limit, c.system.Cells[cell].Threshold)
		s.low, s.high = append(s.low, Unlimited), append(s.high, -1)
		s.zero, s.reach = append(s.zero, make([]bool, k)), append(s.reach, make([]bool, k))
		s.contains = append(s.contains, make([]bool, k))
		for j, other := range c.targets {
			s.contains[i][j] = slices.Contains(c.above[cell], other)
		}
	}
	if err := s.restart(); err != nil {
		return nil, err
	}
	for i := range c.targets {
		b, err := s.bound(i)
		if err != nil {
			return nil, err
		}
		s.out.bounds = append(s.out.bounds, b)
	}
	for i, b := range s.out.bounds {
		if !b.wide(s.limit[i]) {
			return s.out, nil // what others know adds nothing to a cell that is not protected anyway
		}
	}
	for i := range c.targets {
		if o.Strangers {
			break
		}
		if err := s.knowing(i); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// restart makes a new tableau.
func (s *search[T, N]) restart() (err error) {
	if s.tab, err = newTableau[T, N](s.rows, len(s.c.cells)); err != nil {
		return err
	}
	s.self = -1
	s.tab.visit = s.look
	s.look()
	return nil
}

// look writes down the basic solution if it is a table of whole numbers.
func (s *search[T, N]) look() {
	for r := range s.tab.rows {
		if _, whole := s.tab.num.floor(s.tab.rows[r][len(s.tab.at)], s.tab.det); !whole {
			return
		}
	}
	counts := make([]int64, len(s.column))
	for i, col := range s.column {
		counts[i], _ = s.tab.value(col)
	}
	if s.self >= 0 {
		counts[s.self]++
	}
	s.saw(counts)
}

// saw writes down the counts that the audited cells have in a table of whole numbers.
func (s *search[T, N]) saw(counts []int64) {
	for i, v := range counts {
		s.low[i], s.high[i] = min(s.low[i], v), max(s.high[i], v)
		if v < 1 {
			continue
		}
		for j, w := range counts {
			if s.contains[i][j] {
				w--
			}
			s.zero[i][j] = s.zero[i][j] || w == 0
			s.reach[i][j] = s.reach[i][j] || w >= s.limit[j]
		}
	}
}

// bound returns what can be known of audited cell i.
func (s *search[T, N]) bound(i int) (b Bound, err error) {
	b.Cell = s.c.targets[i]
	var low, high bool
	if b.Low, low, err = s.lower(i); err != nil {
		return b, err
	}
	if b.High, high, err = s.upper(i); err != nil {
		return b, err
	}
	b.Proven = low && high
	return b, nil
}

// lower returns the smallest count of audited cell i, or a number below it and false.
func (s *search[T, N]) lower(i int) (int64, bool, error) {
	if s.low[i] == 0 {
		return 0, true, nil
	}
	s.out.lps++
	if err := s.tab.minimise(s.column[i]); err != nil {
		return 0, false, err
	}
	floor, exact := s.tab.value(s.column[i])
	if !exact {
		floor++
	}
	if floor == 0 && s.low[i] > 0 {
		if err := s.walk(s.column[i], func() bool { return s.low[i] == 0 }); err != nil {
			return 0, false, err
		}
	}
	for v := floor; v < s.low[i]; v++ {
		known, err := s.ask(demand{s.column[i], false, v})
		if err != nil || !known || v-floor > attempts {
			return v, false, err
		}
	}
	return s.low[i], true, nil
}

// upper returns the largest count of audited cell i, or a number above it and false. Without exact it ends at the threshold.
func (s *search[T, N]) upper(i int) (int64, bool, error) {
	enough := s.limit[i]
	if s.exact {
		enough = -1
	} else if s.high[i] >= enough {
		return s.high[i], true, nil
	}
	s.out.lps++
	limited, err := s.tab.maximise(s.column[i], enough)
	if err != nil {
		return 0, false, err
	}
	if !limited {
		s.unlimited[i] = true
		return Unlimited, true, nil
	}
	ceiling, _ := s.tab.value(s.column[i])
	if s.high[i] < min(ceiling, s.limit[i]) {
		if err := s.walk(s.column[i], func() bool { return s.high[i] >= s.limit[i] }); err != nil {
			return 0, false, err
		}
	}
	for v := ceiling; v > s.high[i] && (s.exact || s.high[i] < s.limit[i]); v-- {
		known, err := s.ask(demand{s.column[i], true, v})
		if err != nil || !known || ceiling-v > attempts {
			return v, false, err
		}
	}
	return s.high[i], true, nil
}

// knowing adds the faults of cells whose count can be known by a person who is in audited cell i.
func (s *search[T, N]) knowing(i int) error {
	if !slices.Contains(s.zero[i], false) && !slices.Contains(s.reach[i], false) {
		return nil
	}
	// One person is taken out of the cell: its column then counts the others.
	limited, err := s.tab.maximise(s.column[i], s.limit[i]+1)
	if err != nil {
		return err
	}
	if !limited {
		return s.knowingUnlimited(i)
	}
	if err := s.tab.shift(s.column[i], -1); err != nil {
		return err
	}
	s.self = i
	for j := range s.column {
		b, err := s.others(i, j)
		if err != nil {
			return err
		}
		if !b.wide(s.limit[j]) {
			s.out.faults = append(s.out.faults, Fault{b, s.c.targets[i]})
		}
	}
	s.self = -1
	if _, err := s.tab.bring(s.column[i]); err != nil {
		return err
	}
	return s.tab.shift(s.column[i], 1)
}

// knowingUnlimited is knowing for a cell that nothing limits, which has no row to take a person out of.
func (s *search[T, N]) knowingUnlimited(i int) error {
	for j := range s.column {
		if !s.zero[i][j] {
			if _, err := s.ask(demand{s.column[i], true, 1}, demand{s.column[j], false, s.count(i, j)}); err != nil {
				return err
			}
		}
		if !s.reach[i][j] && !s.unlimited[j] {
			if _, err := s.ask(demand{s.column[i], true, 1}, demand{s.column[j], true, s.limit[j] + s.count(i, j)}); err != nil {
				return err
			}
		}
		if !s.zero[i][j] || !s.reach[i][j] && !s.unlimited[j] {
			s.out.faults = append(s.out.faults, Fault{Bound{s.c.targets[j], 0, Unlimited, false}, s.c.targets[i]})
		}
	}
	return nil
}

// others returns what a person in audited cell i can know of the others in audited cell j.
func (s *search[T, N]) others(i, j int) (Bound, error) {
	b := Bound{Cell: s.c.targets[j], High: s.limit[j], Proven: true}
	self := int64(0) // the person, as the column of cell j still counts them
	if s.contains[i][j] && i != j {
		self = 1
	}
	within := demand{s.column[i], true, 1}
	if !s.zero[i][j] {
		s.out.lps++
		if err := s.tab.minimise(s.column[j]); err != nil {
			return b, err
		}
		v, exact := s.tab.value(s.column[j])
		if b.Low = v - self; !exact {
			b.Low++
		}
		if b.Low <= 0 && !s.zero[i][j] {
			if _, err := s.ask(within, demand{s.column[j], false, s.count(i, j)}); err != nil {
				return b, err
			}
			b.Proven = s.zero[i][j]
		}
	}
	if !s.reach[i][j] && !s.unlimited[j] {
		s.out.lps++
		limited, err := s.tab.maximise(s.column[j], s.limit[j]+self)
		if err != nil || !limited {
			return b, err
		}
		v, _ := s.tab.value(s.column[j])
		b.High = v - self
		if b.High >= s.limit[j] && !s.reach[i][j] {
			if _, err := s.ask(within, demand{s.column[j], true, s.limit[j] + s.count(i, j)}); err != nil {
				return b, err
			}
			b.Proven = b.Proven && s.reach[i][j]
		}
	}
	return b, nil
}

// count returns 1 if cell j contains cell i, so that a person in i is counted in j too.
func (s *search[T, N]) count(i, j int) int64 {
	if s.contains[i][j] {
		return 1
	}
	return 0
}
