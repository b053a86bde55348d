package suppress

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Rounded returns the tables with what is not withheld rounded to the nearest multiple of a base, halves up: it hides how little a later
// vintage differs.
func Rounded(tables []published.Table, base int64) (all []published.Table) {
	for _, t := range tables {
		t.Base, t.Cells = base, slices.Clone(t.Cells)
		for i, c := range t.Cells {
			t.Cells[i].Value = (c.Value + base/2) / base * base
		}
		all = append(all, t)
	}
	return all
}
