package bundle

import (
	"fmt"
	"math"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/schemas/calendar"
)

// Name is what the vintage is called: 2016-S1/1.
func (b *Bundle) Name() string { return fmt.Sprintf("%s/%d", b.Manifest.Period, b.Manifest.Vintage) }

// Next is the day that was announced for the next publication; false where none was.
func (m Manifest) Next() (calendar.Day, bool) {
	p, err := calendar.ParsePeriod(m.NextRelease)
	return p.First, err == nil && p.Kind == calendar.KindDay
}

// Vintage is what the bundle publishes, in the form in which tables are attacked and compared.
func (b *Bundle) Vintage() published.Vintage {
	v := published.Vintage{ID: b.Name(), Provisional: b.Manifest.Rounded > 1, Revision: b.Manifest.Revises > 0, Hierarchies: b.Hierarchies()}
	for _, t := range b.Tables {
		v.Tables = append(v.Tables, t.Table)
	}
	if b.Manifest.Coverage != nil && !v.Provisional { // of rounded counts it is no share of any count
		v.Shares = append(v.Shares, published.Share{Measure: "returns", Columns: []string{"time_period", "source"}, Codes: []string{b.Manifest.Period, "registered"},
			Base: []string{b.Manifest.Period, published.Total}, Value: int64(math.Round(*b.Manifest.Coverage * 10)), Scale: 10})
	}
	return v
}

// Hierarchies are those of its codes, by column.
func (b *Bundle) Hierarchies() map[string]published.Hierarchy {
	all := map[string]published.Hierarchy{}
	for _, c := range b.Codes {
		if all[c.Column] == nil {
			all[c.Column] = published.Hierarchy{}
		}
		if c.Parent != "" {
			all[c.Column][c.Code] = c.Parent
		}
	}
	return all
}

// CodesOf are the codes that stand in tables, and those above them, each once.
func CodesOf(tables []published.Table, hierarchies map[string]published.Hierarchy, label func(column, code string) (es, en string)) (all []Code) {
	seen := map[[2]string]bool{}
	for _, t := range tables {
		for _, c := range t.Cells {
			for i, column := range t.Columns {
				for code := c.Codes[i]; code != "" && !seen[[2]string{column, code}]; code = hierarchies[column].Parent(code) {
					seen[[2]string{column, code}] = true
					es, en := label(column, code)
					all = append(all, Code{Column: column, Code: code, Parent: hierarchies[column].Parent(code), LabelES: es, LabelEN: en})
				}
			}
		}
	}
	return all
}
