package release

import (
	"slices"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/disclosure/published"
)

// cover says what share of the known returns is registered, and what share was written down late. There is no such share unless the tables, as
// they are without rounding, publish both the known and the registered returns of the period as they are now: else it would tell of what is withheld.
func (p *Publication) cover(c *bundle.Content, tables []published.Table) {
	registered, ok := publishedCount(tables, []string{"time_period", "source"}, []string{p.Period, "registered"})
	known, both := publishedCount(tables, []string{"time_period"}, []string{p.Period})
	if !ok || !both {
		return
	}
	base := uint64(max(c.Manifest.Rounded, 1))
	if share, ok := disclosure.Share(disclosure.Round(registered, base), disclosure.Round(known, base)); ok {
		percent := share.Percent()
		c.Manifest.Coverage = &percent
	}
	if share, ok := disclosure.Share(disclosure.Round(p.Late, disclosure.Base), disclosure.Round(known, base)); ok {
		percent := share.Percent()
		c.Manifest.Late = &percent
	}
}

// publishedCount is the count of returns that tables publish for a cell, and false if none does.
func publishedCount(tables []published.Table, columns, codes []string) (uint64, bool) {
	key := published.Key("returns", columns, codes)
	for _, t := range tables {
		i := slices.IndexFunc(t.Cells, func(c published.Cell) bool { return published.Key(t.Measure, t.Columns, c.Codes) == key })
		if i >= 0 && !t.Cells[i].Withheld && !t.Cells[i].Kept {
			return uint64(t.Cells[i].Value), true
		}
	}
	return 0, false
}
