package formats

import (
	"testing"

	"retorno/consumers/dissemination/disclosure/lattice"
)

// TestEveryColumnAndMeasureHasWords: what the lattice publishes has a name in both languages and a hashtag.
func TestEveryColumnAndMeasureHasWords(t *testing.T) {
	l, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.Columns {
		if w := columns[c.ID]; w.ES == "" || w.EN == "" || w.tag == "" {
			t.Errorf("column %s: %+v", c.ID, w)
		}
	}
	for _, m := range l.Measures {
		if w := measures[m.ID]; w.ES != m.ES || w.EN != m.EN || w.tag == "" {
			t.Errorf("measure %s: %+v, in the lattice %s / %s", m.ID, w, m.ES, m.EN)
		}
	}
}
