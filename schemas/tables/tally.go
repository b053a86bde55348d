package tables

import "slices"

// Tally counts returns the way a table prints them: the plain meaning of a table, against which a fitted population,
// a register's truth or a database can be compared.
type Tally struct {
	cells       []*Cell
	numerators  []int64
	bases       []int64
	populations []population
}

// population is the cells that share one base filter, so that it is judged once for a return.
type population struct {
	base  *Filter
	cells []int
	// single are the cells that ask for one code of one attribute and nothing else, by attribute and code; rest are the
	// others, which are judged by their filters.
	single map[int]map[string][]int
	rest   []int
}

// NewTally returns a tally of nothing yet.
func NewTally(t *Table) *Tally {
	cells := t.Cells()
	out := &Tally{cells: cells, numerators: make([]int64, len(cells)), bases: make([]int64, len(cells))}
	byKey := map[string]int{}
	for i, c := range cells {
		key := c.Base.Key()
		k, ok := byKey[key]
		if !ok {
			k = len(out.populations)
			byKey[key] = k
			out.populations = append(out.populations, population{base: &c.Base, single: map[int]map[string][]int{}})
		}
		p := &out.populations[k]
		p.cells = append(p.cells, i)
		d, code, ok := singleCondition(c)
		if !ok {
			p.rest = append(p.rest, i)
			continue
		}
		if p.single[d] == nil {
			p.single[d] = map[string][]int{}
		}
		p.single[d][code] = append(p.single[d][code], i)
	}
	return out
}

// singleCondition is the one code of one attribute that the cell asks for beyond its population, if that is all.
func singleCondition(c *Cell) (d int, code string, ok bool) {
	w, b := &c.Where, &c.Base
	sameAges := w.Ages == nil || b.Ages != nil && *w.Ages == *b.Ages
	if w.Reason != "" || len(w.Except) > 0 || !sameAges {
		return 0, "", false
	}
	for i := range dimensions {
		mine, base := *dimensions[i].set(w), *dimensions[i].set(b)
		switch {
		case slices.Equal(mine, base):
		case base == nil && len(mine) == 1 && !ok:
			d, code, ok = i, mine[0], true
		default:
			return 0, "", false
		}
	}
	return d, code, ok
}

// Add counts one return. firstHelp says that it is the return under which a helped person is counted; each distinct
// person has one at most.
func (t *Tally) Add(a *Attributes, firstHelp bool) { t.AddMany(a, 1, firstHelp) }

// AddMany counts n equal returns, with as many distinct helped people when firstHelp is set.
func (t *Tally) AddMany(a *Attributes, n int64, firstHelp bool) {
	for i := range t.populations {
		p := &t.populations[i]
		if !p.base.Matches(a) {
			continue
		}
		for _, c := range p.cells {
			if t.cells[c].Measure.Share() {
				t.bases[c] += n
			}
		}
		for d, byCode := range p.single {
			for _, c := range byCode[dimensions[d].code(a)] {
				t.count(c, n, firstHelp)
			}
		}
		for _, c := range p.rest {
			if t.cells[c].Where.Matches(a) {
				t.count(c, n, firstHelp)
			}
		}
	}
}

func (t *Tally) count(cell int, n int64, firstHelp bool) {
	if firstHelp || !t.cells[cell].Measure.Assisted() {
		t.numerators[cell] += n
	}
}

// Count returns numerator and base of the i-th cell of Table.Cells; the base is 0 for what is no share.
func (t *Tally) Count(i int) (numerator, base int64) { return t.numerators[i], t.bases[i] }

// Values returns the counted numbers in printed form, in the order of Table.Cells, as Write takes them.
func (t *Tally) Values() []string {
	out := make([]string, len(t.cells))
	for i, c := range t.cells {
		out[i] = Format(c, t.numerators[i], t.bases[i])
	}
	return out
}

// Differences returns the cells whose counted number is not the printed one.
func (t *Tally) Differences() []Difference {
	var out []Difference
	for i, c := range t.cells {
		if !Agrees(c, t.numerators[i], t.bases[i]) {
			out = append(out, Difference{Cell: c, Counted: Format(c, t.numerators[i], t.bases[i])})
		}
	}
	return out
}

// Difference is a cell that was counted otherwise than it was printed.
type Difference struct {
	Cell    *Cell
	Counted string
}
