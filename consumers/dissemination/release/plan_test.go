package release

import (
	"slices"
	"testing"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// posts is a table of one column, of which the total and forced codes are published whatever they are.
func posts(id, measure string, counts map[string]int64, forced ...string) suppress.Table {
	t := suppress.Table{ID: id, Measure: measure, Columns: []string{"post"}}
	for code, n := range counts {
		c := suppress.Count{Codes: []string{code}, Value: n, Persons: n, Threshold: 5}
		if code == published.Total || slices.Contains(forced, code) {
			c.Threshold, c.State = 1, suppress.Forced
		}
		t.Counts = append(t.Counts, c)
	}
	return t
}

// TestOneTableIsEnough: where one table cannot be protected, it alone is left out, and no table of another measure.
func TestOneTableIsEnough(t *testing.T) {
	in := func() *suppress.Input {
		return &suppress.Input{
			Hierarchies: map[string]published.Hierarchy{"post": {"COR": "_T", "AGC": "_T", "FLO": "_T"}, "centre": {"A": "_T", "B": "_T"}},
			Tables: []suppress.Table{
				posts("T1", "returns", map[string]int64{"_T": 100, "COR": 97, "AGC": 2, "FLO": 1}, "COR"), // 3 persons, whatever is withheld
				{ID: "T2", Measure: "returns", Columns: []string{"centre"}, Counts: []suppress.Count{
					{Codes: []string{"_T"}, Value: 100, Persons: 100, Threshold: 1, State: suppress.Forced},
					{Codes: []string{"A"}, Value: 60, Persons: 60, Threshold: 5}, {Codes: []string{"B"}, Value: 40, Persons: 40, Threshold: 5}}},
				posts("T3", "helps", map[string]int64{"_T": 30, "COR": 10, "AGC": 12, "FLO": 8}),
			},
		}
	}
	r, left, err := plan(in())
	if err != nil || !slices.Equal(left, []string{"T1"}) || len(r.Tables) != 2 || r.Withheld != 0 {
		t.Errorf("left out %v, %v: %+v", left, err, r)
	}
	two := in()
	two.Tables[1] = posts("T2", "returns", map[string]int64{"_T": 100, "COR": 97, "AGC": 2, "FLO": 1}, "COR")
	if r, left, err = plan(two); err != nil || len(left) != 2 || len(r.Tables) != 1 || r.Tables[0].ID != "T3" {
		t.Errorf("left out %v, %v: %+v", left, err, r)
	}
}

// TestRoundedCountsStayApart: of 10,129 by 30 and 10,094, rounded, the smaller part would be 31 to 34 for certain. It is withheld; where rounding
// adds up nothing is.
func TestRoundedCountsStayApart(t *testing.T) {
	l, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	h := map[string]published.Hierarchy{"route": {"MX-AIR": "_T", "MX-LAND": "_T"}}
	for _, c := range []struct {
		air, land int64
		withheld  []string
	}{{34, 10_094, []string{"MX-AIR"}}, {33, 10_091, nil}, {36, 10_086, nil}, {0, 10_086, nil}} {
		table := published.Table{ID: "X", Measure: "returns", Columns: []string{"route"}, Cells: []published.Cell{
			{Codes: []string{"_T"}, Value: c.air + c.land}, {Codes: []string{"MX-AIR"}, Value: c.air}, {Codes: []string{"MX-LAND"}, Value: c.land}}}
		tables, err := rounded([]published.Table{table}, h, l, 10)
		if err != nil {
			t.Fatal(err)
		}
		var withheld []string
		for _, cell := range tables[0].Cells {
			if cell.Withheld {
				withheld = append(withheld, cell.Codes[0])
			}
		}
		if !slices.Equal(withheld, c.withheld) {
			t.Errorf("of %d and %d, %v is withheld, want %v", c.air, c.land, withheld, c.withheld)
		}
	}
}
