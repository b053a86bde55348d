package attack

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// within narrows counts of persons by those of the events that they had: a person has at least one. Where codes of the events were
// joined, the persons of one code are as many at most as the events that those of the others leave.
func (v *view) within(in *Input) {
	for i := range v.vintage.Tables {
		t := &v.vintage.Tables[i]
		events, ok := in.Within[t.Measure]
		if !ok {
			continue
		}
		for _, c := range t.Cells {
			n := v.index[published.Key(t.Measure, t.Columns, c.Codes)]
			if of, ok := v.index[published.Key(events, t.Columns, c.Codes)]; ok {
				v.high[n], v.low[of] = min(v.high[n], v.high[of]), max(v.low[of], v.low[n])
				continue
			}
			for j, column := range t.Columns {
				v.withinJoined(t, events, c, n, j, v.hierarchies[column].Parent(c.Codes[j]))
			}
		}
	}
}

// withinJoined narrows cell n of a table of persons by the events of the code above its own in column j.
func (v *view) withinJoined(t *published.Table, events string, c published.Cell, n, j int, above string) {
	codes := slices.Clone(c.Codes)
	codes[j] = above
	of, ok := v.index[published.Key(events, t.Columns, codes)]
	if !ok || above == published.Total || v.high[of] == unlimited {
		return
	}
	most := v.high[of]
	for _, beside := range v.hierarchies[t.Columns[j]].Parts(above) {
		codes[j] = beside
		if o, ok := v.index[published.Key(t.Measure, t.Columns, codes)]; ok && beside != c.Codes[j] {
			most -= v.low[o]
		}
	}
	v.high[n] = min(v.high[n], most)
}

// seconds finds counts of persons that are so little below those of their events that few had a second one.
func (v *view) seconds(in *Input) (out []Finding) {
	for i := range v.vintage.Tables {
		t := &v.vintage.Tables[i]
		for _, c := range t.Cells {
			k := published.Key(t.Measure, t.Columns, c.Codes)
			n := v.index[k]
			of, ok := v.index[published.Key(in.Within[t.Measure], t.Columns, c.Codes)]
			if !ok || c.Kept || v.low[n] != v.high[n] || v.low[of] != v.high[of] {
				continue
			}
			if more := v.low[of] - v.low[n]; more > 0 && more < in.threshold(k) {
				out = append(out, Finding{Vintage: v.id, Key: k, Low: more, High: more, How: Second})
			}
		}
	}
	return out
}
