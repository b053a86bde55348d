package lattice

import (
	"slices"

	"retorno/schemas/codelists"
)

// CodeWithin returns the code by which a person is counted in a column whose codes stand within others: the finer code, or, where
// that is not stated, the one of those in the coarser one who did not say.
func (l *Lattice) CodeWithin(column, code, coarser string) string {
	c, ok := l.Column(column)
	if !ok {
		return code
	}
	if list, ok := codelists.Get(c.List); ok && list.Has(code) && code != list.At(0) {
		return code
	}
	for _, g := range c.Groups {
		if slices.Contains(g.Has, coarser) {
			coarser = g.Code
		}
	}
	if _, ok := c.Leaf[coarser+"-XX"]; ok {
		return coarser + "-XX"
	}
	return code
}
