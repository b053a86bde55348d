package bulletin

import (
	"cmp"
	"slices"
	"strconv"

	"retorno/consumers/dissemination/disclosure/published"
)

// share gives each row of a table with one column of codes its percentage of the total. It reports false where there is no total to be a
// share of, or counts are of different vintages.
func (l *layout) share(t *Table) bool {
	var finest []int // rows
	var counts []int64
	total := -1
	for i, n := range l.codes[0] {
		c := t.Rows[i].Cells[0]
		if c.Of > 0 || c.Symbol == NotAvailable {
			return false
		}
		if n.code == published.Total {
			total = i
		}
		if l.from.Finest[l.columns[0]][n.code] {
			finest, counts = append(finest, i), append(counts, c.Value)
			t.Uneven = t.Uneven || c.Symbol == Confidential
		}
	}
	if total < 0 || !t.Rows[total].Cells[0].Given() || t.Rows[total].Cells[0].Value == 0 {
		return false
	}
	whole := t.Rows[total].Cells[0].Value
	tenths := make([]int64, len(t.Rows))
	for i := range t.Rows {
		tenths[i] = nearest(t.Rows[i].Cells[0].Value, whole)
	}
	var sum int64
	for _, n := range counts {
		sum += n
	}
	if t.Uneven = t.Uneven || sum != whole; !t.Uneven {
		for i, n := range apportion(counts, 1000) {
			tenths[finest[i]] = n
		}
		l.addUp(tenths)
	}
	for i := range t.Rows {
		c := Cell{Share: strconv.FormatFloat(float64(tenths[i])/10, 'f', 1, 64)}
		if !t.Rows[i].Cells[0].Given() {
			c = Cell{Symbol: Confidential}
		}
		t.Rows[i].Cells = append(t.Rows[i].Cells, c)
	}
	return true
}

// addUp makes the percentage of every code with parts the sum of its parts'.
func (l *layout) addUp(tenths []int64) {
	nodes := l.codes[0]
	for i := len(nodes) - 1; i >= 0; i-- {
		var sum int64
		parts := 0
		for k := i + 1; k < len(nodes) && nodes[k].depth > nodes[i].depth; k++ {
			if nodes[k].depth == nodes[i].depth+1 {
				sum, parts = sum+tenths[k], parts+1
			}
		}
		if parts > 0 {
			tenths[i] = sum
		}
	}
}

// nearest is part of whole in tenths of a percent, halves up.
func nearest(part, whole int64) int64 { return (part*2000 + whole) / (2 * whole) }

// apportion splits a whole into shares in proportion to counts that add up: each gets what it is worth rounded down, and what is left goes
// to the largest remainders (Hamilton's method). Of equal remainders the larger count comes first, then the earlier one.
func apportion(counts []int64, whole int64) []int64 {
	var sum int64
	for _, n := range counts {
		sum += n
	}
	shares, order := make([]int64, len(counts)), make([]int, len(counts))
	if sum == 0 {
		return shares
	}
	left := whole
	for i, n := range counts {
		shares[i], order[i] = n*whole/sum, i
		left -= shares[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(counts[b]*whole%sum, counts[a]*whole%sum), cmp.Compare(counts[b], counts[a]))
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}
