package release

import (
	"testing"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
)

// TestCoverage: it is of published counts, and there is none where one of them is withheld, kept or rounded to too little.
func TestCoverage(t *testing.T) {
	sources := func(known, registered published.Cell) []published.Table {
		known.Codes, registered.Codes = []string{"2016-S1", "_T"}, []string{"2016-S1", "registered"}
		return []published.Table{{ID: "T10", Measure: "returns", Columns: []string{"time_period", "source"}, Cells: []published.Cell{known, registered}}}
	}
	none := -1.0
	for name, c := range map[string]struct {
		known, registered published.Cell
		rounded           int64
		coverage, late    float64
	}{
		"exact":             {published.Cell{Value: 33860}, published.Cell{Value: 27086}, 0, 80, 2.4},
		"rounded":           {published.Cell{Value: 157}, published.Cell{Value: 154}, 10, 93.8, 100},
		"known withheld":    {published.Cell{Withheld: true}, published.Cell{Value: 100}, 0, none, none},
		"known kept":        {published.Cell{Value: 33860, Kept: true}, published.Cell{Value: 27086}, 0, none, none},
		"registered hidden": {published.Cell{Value: 33860}, published.Cell{Withheld: true}, 0, none, none},
		"too few":           {published.Cell{Value: 94}, published.Cell{Value: 90}, 10, none, none},
	} {
		p := Publication{Period: "2016-S1", Late: 814}
		content := &bundle.Content{Manifest: bundle.Manifest{Rounded: c.rounded}}
		p.cover(content, sources(c.known, c.registered))
		coverage, late := none, none
		if v := content.Manifest.Coverage; v != nil {
			coverage = *v
		}
		if v := content.Manifest.Late; v != nil {
			late = *v
		}
		if coverage != c.coverage || late != c.late {
			t.Errorf("%s: coverage %v, late %v; want %v, %v", name, coverage, late, c.coverage, c.late)
		}
	}
	p := Publication{Period: "2016-S1"}
	content := &bundle.Content{}
	if p.cover(content, nil); content.Manifest.Coverage != nil || content.Manifest.Late != nil {
		t.Error("there is coverage without a table of it")
	}
}
