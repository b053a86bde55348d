package suppress

import "retorno/consumers/dissemination/disclosure/published"

// Rounded returns the tables with nothing withheld and values rounded to the nearest multiple of a base, halves up: it hides how little
// a later vintage differs.
func (in *Input) Rounded(base int64) (all []published.Table) {
	for _, t := range in.Tables {
		out := published.Table{ID: t.ID, Measure: t.Measure, Columns: t.Columns, Base: base}
		for _, c := range t.Counts {
			out.Cells = append(out.Cells, published.Cell{Codes: c.Codes, Value: (c.Value + base/2) / base * base})
		}
		all = append(all, out)
	}
	return all
}
