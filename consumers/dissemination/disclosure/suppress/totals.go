package suppress

import (
	"cmp"
	"maps"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// findTotals finds the totals that are always corrected: the one that most tables have, and those wider ones that differ from it by
// nothing or by enough persons, since each vintage.
func (r *reviser) findTotals() {
	r.totals, r.stale = map[string]bool{}, map[string]bool{}
	type total struct {
		key     string
		tables  int
		changes []int64 // gained and lost since each vintage
	}
	found := map[string]*total{}
	for i := range r.before {
		t := tableOf(r.since[0].all.Added, &r.before[i])
		if t == nil || !r.revised[t.ID] {
			continue
		}
		for n, c := range t.Counts {
			if c.State != Forced || !t.whole(c) {
				continue
			}
			key := published.Key(t.Measure, t.Columns, c.Codes)
			if found[key] == nil {
				found[key] = &total{key: key}
				for _, s := range r.since {
					for _, in := range []*Input{s.all.Added, s.all.Removed} {
						found[key].changes = append(found[key].changes, tableOf(in, &r.before[i]).Counts[n].Value)
					}
				}
			}
			found[key].tables++
		}
	}
	order := slices.SortedFunc(maps.Values(found), func(a, b *total) int {
		return cmp.Or(cmp.Compare(b.tables, a.tables), cmp.Compare(len(b.key), len(a.key)), cmp.Compare(a.key, b.key))
	})
	few := func(a, b int64) bool { return a != b && max(a-b, b-a) < r.least }
	for i, t := range order {
		if slices.ContainsFunc(order[:i], func(o *total) bool {
			for n := range t.changes {
				if few(t.changes[n], o.changes[n]) {
					return r.totals[o.key]
				}
			}
			return false
		}) {
			r.stale[t.key] = true
		} else {
			r.totals[t.key] = true
		}
	}
	r.addRests()
}

// addRests makes totals of what others give away: a part of a total of which all other parts are totals.
func (r *reviser) addRests() {
	for i := range r.before {
		t := &r.before[i]
		if !r.revised[t.ID] {
			continue
		}
		for _, whole := range t.Cells {
			if !r.totals[published.Key(t.Measure, t.Columns, whole.Codes)] {
				continue
			}
			for j, column := range t.Columns {
				var open []string
				parts := Families(r.hierarchies[column], codesOf(t, j))[whole.Codes[j]]
				for _, part := range parts {
					codes := slices.Clone(whole.Codes)
					codes[j] = part
					if key := published.Key(t.Measure, t.Columns, codes); !r.totals[key] {
						open = append(open, key)
					}
				}
				if len(open) == 1 && len(parts) > 1 {
					r.totals[open[0]] = true
				}
			}
		}
	}
}
