package portal

import (
	"strings"
	"testing"
)

// What the picture shows of each vintage: the counts of the first, changes of those that the vintages have themselves, and words where there is none.
func TestTheRevisionTriangle(t *testing.T) {
	n := func(n int64) triangleCount { return counted(&n) }
	got := newTriangle([]string{"1", "2", "3", "4"}, []string{"Enero", "Total"}, [][]triangleCount{
		{n(100), n(140), n(120), {"120 [3]", nil}},
		{counted(nil), n(27_086), n(27_086), n(27_186)},
	})
	var texts, bars []string
	for _, r := range got.Rows {
		for _, c := range r.Cells {
			texts, bars = append(texts, c.Text), append(bars, c.Class)
			if c.BarX < triangleNames && c.Class != "" || c.BarX+c.Bar > 100.01 || c.Bar < 0 {
				t.Errorf("the bar of %s lies outside: %+v", c.Words, c)
			}
		}
	}
	if s := strings.Join(texts, "|"); s != "100|+40|−20|120 [3]|–|27,086|0|+100" {
		t.Error(s)
	}
	if s := strings.Join(bars, "|"); s != "track|bar|bar-down|||"+"|bar|bar" {
		t.Error(s)
	}
	if got.Rows[0].Cells[1].Words != "2 140 (+40)" || got.Width == "100%" {
		t.Errorf("%+v", got)
	}
}
