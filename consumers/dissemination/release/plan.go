package release

import (
	"cmp"
	"errors"
	"slices"

	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/audit"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// plan chooses what is withheld. Where no choice protects everybody, one table of the measure is left out if one is enough, of the finest;
// else the last ones, as many as it takes. So few may have returned that no table is left.
func plan(in *suppress.Input) (r *suppress.Release, leftOut []string, err error) {
	tried := map[string]bool{} // measures of which leaving one table out was not enough
	for len(in.Tables) > 0 {
		var unsafe *suppress.UnsafeError
		if r, err = suppress.Plan(in); !errors.As(err, &unsafe) {
			return r, leftOut, err
		}
		out := finestFirst(in.Tables, unsafe.Measure())
		gone := slices.Max(out)
		if !tried[unsafe.Measure()] {
			tried[unsafe.Measure()] = true
			enough := slices.IndexFunc(out, func(i int) bool {
				var still *suppress.UnsafeError
				_, err := suppress.Plan(without(in, i))
				return !errors.As(err, &still) || still.Measure() != unsafe.Measure()
			})
			if enough >= 0 {
				gone = out[enough]
			}
		}
		leftOut = append(leftOut, in.Tables[gone].ID)
		in = without(in, gone)
	}
	return &suppress.Release{Audit: &audit.Report{}, Hierarchies: in.Hierarchies}, leftOut, nil
}

// finestFirst are the tables of a measure, by their number of columns and of cells; the last ones first where these are equal.
func finestFirst(tables []suppress.Table, measure string) (order []int) {
	for i, t := range slices.Backward(tables) {
		if t.Measure == measure {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(tables[b].Columns), len(tables[a].Columns)), cmp.Compare(len(tables[b].Counts), len(tables[a].Counts)))
	})
	return order
}

func without(in *suppress.Input, i int) *suppress.Input {
	out := *in
	out.Tables = slices.Delete(slices.Clone(in.Tables), i, i+1)
	return &out
}

// rounded rounds tables, and withholds of them what would bring others too close to their counts: 10,130 by 10 is at least 10,125, so that of
// two parts of 10,090 and 30 the smaller one is 31 at least. A count that is known so well tells later who came.
func rounded(tables []published.Table, hierarchies map[string]published.Hierarchy, l *lattice.Lattice, base int64) ([]published.Table, error) {
	tables = suppress.Rounded(tables, base)
	in := &attack.Input{Threshold: l.Least(), Thresholds: l.Thresholds(tables, hierarchies),
		Vintages: []published.Vintage{{Provisional: true, Tables: tables, Hierarchies: hierarchies}}}
	for {
		found, err := attack.Run(in)
		if err != nil {
			return nil, err
		}
		narrow := map[string]bool{}
		for _, f := range found {
			if f.How == attack.Narrow {
				narrow[f.Key] = true
			}
		}
		least := smallest(tables, narrow)
		if least == "" {
			return tables, nil // what else is found is no matter of rounding
		}
		for _, t := range tables {
			for i, c := range t.Cells {
				if published.Key(t.Measure, t.Columns, c.Codes) == least {
					t.Cells[i].Withheld, t.Cells[i].Value = true, 0
				}
			}
		}
	}
}

// smallest is the key of the cell with the smallest count among those of keys.
func smallest(tables []published.Table, keys map[string]bool) (least string) {
	var value int64
	for _, t := range tables {
		for _, c := range t.Cells {
			if k := published.Key(t.Measure, t.Columns, c.Codes); keys[k] && (least == "" || c.Value < value || c.Value == value && k < least) {
				least, value = k, c.Value
			}
		}
	}
	return least
}
