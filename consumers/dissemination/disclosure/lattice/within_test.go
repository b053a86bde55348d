package lattice

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/dissemination/disclosure/published"
)

// TestPersonsAreShownWithinTheirEvents: of kinds of help that are withheld or joined, or of which few persons had a second help, the persons are
// not shown; with the latter one more is left out.
func TestPersonsAreShownWithinTheirEvents(t *testing.T) {
	l := shippedOrFail(t)
	columns := []string{"kind", "time_period"}
	kinds := func(id, measure string, of map[string]int64) published.Table {
		table := published.Table{ID: id, Measure: measure, Columns: columns}
		for kind, n := range of {
			table.Cells = append(table.Cells, published.Cell{Codes: []string{kind, "2016-S1"}, Value: max(n, 0), Withheld: n < 0})
		}
		slices.SortFunc(table.Cells, func(a, b published.Cell) int { return strings.Compare(a.Codes[0], b.Codes[0]) })
		return table
	}
	shown := func(tables []published.Table) (all []string) {
		for _, table := range tables {
			for _, c := range table.Cells {
				if table.ID == "T12p" {
					all = append(all, fmt.Sprintf("%s %d", c.Codes[0], c.Value))
				}
			}
		}
		return all
	}
	helps := map[string]int64{"cash+food_voucher": 23, "food": 900, "information": 459, "lodging": -1, "transport": 300, "medical": 0}
	persons := map[string]int64{"cash": -1, "food_voucher": 20, "food": 700, "information": 454, "lodging": 20, "transport": 300, "medical": 0}
	tables := []published.Table{kinds("T12k", "helps", helps), kinds("T12p", "people_by_kind", persons)}
	if got, want := shown(l.Within(tables)), []string{"food 700", "information 454", "medical 0", "transport 300"}; !slices.Equal(got, want) {
		t.Errorf("shown are %v, want %v", got, want)
	}
	persons["information"] = 458 // one had a second
	tables[1] = kinds("T12p", "people_by_kind", persons)
	got := shown(l.Within(tables))
	if len(got) != 2 || slices.Contains(got, "information 458") {
		t.Errorf("shown are %v", got)
	}
	if again := shown(l.Within(tables)); !slices.Equal(again, got) {
		t.Errorf("shown are %v, and then %v", got, again)
	}
	if got := shown(l.Within(tables[1:])); len(got) != 0 {
		t.Errorf("without the table of helps, shown are %v", got)
	}
}
