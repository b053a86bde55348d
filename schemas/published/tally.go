package published

// Tally counts returns the way a table prints them: the plain meaning of a table, against which a fitted population,
// a register's truth or a database can be compared.
type Tally struct {
	cells []*Cell
	// populations are the distinct populations, so that each is judged once for a return.
	populations []*Filter
	population  []int // of each cell
	in          []bool
	numerators  []int64
	bases       []int64
}

// NewTally returns a tally of nothing yet.
func NewTally(t *Table) *Tally {
	cells := t.Cells()
	out := &Tally{cells: cells, numerators: make([]int64, len(cells)), bases: make([]int64, len(cells))}
	byKey := map[string]int{}
	for _, c := range cells {
		key := c.Base.Key()
		i, ok := byKey[key]
		if !ok {
			i = len(out.populations)
			byKey[key] = i
			out.populations = append(out.populations, &c.Base)
		}
		out.population = append(out.population, i)
	}
	out.in = make([]bool, len(out.populations))
	return out
}

// Add counts one return. firstHelp says that it is the return under which a helped person is counted; each distinct
// person has one at most.
func (t *Tally) Add(a *Attributes, firstHelp bool) { t.AddMany(a, 1, firstHelp) }

// AddMany counts n equal returns, with as many distinct helped people when firstHelp is set.
func (t *Tally) AddMany(a *Attributes, n int64, firstHelp bool) {
	for i, p := range t.populations {
		t.in[i] = p.Matches(a)
	}
	for i, c := range t.cells {
		if !t.in[t.population[i]] {
			continue
		}
		if c.Measure.Share() {
			t.bases[i] += n
		}
		if (firstHelp || !c.Measure.Assisted()) && c.Where.Matches(a) {
			t.numerators[i] += n
		}
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
