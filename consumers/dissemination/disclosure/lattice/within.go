package lattice

import (
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// Within leaves lines out of the tables that count the persons of another table's events. An event has a person, so that persons are as many as
// the events, or fewer: what the other table withholds, or has only joined with others, this one would bound. And where the two differ by
// fewer than the threshold, so few had a second event. Such lines are left out, not withheld, with one more where there are any of the
// second kind, so that a line that is not there does not tell why.
func (l *Lattice) Within(tables []published.Table) []published.Table {
	out := slices.Clone(tables)
	for i, t := range out {
		at := slices.IndexFunc(l.Tables, func(o Table) bool { return o.ID == t.ID && o.Within != "" })
		if at < 0 {
			continue
		}
		events := slices.IndexFunc(tables, func(o published.Table) bool { return o.ID == l.Tables[at].Within })
		if events < 0 {
			out[i].Cells = nil
			continue
		}
		out[i].Cells = withinOf(t, &tables[events], l.Tables[at].Threshold)
	}
	return slices.DeleteFunc(out, func(t published.Table) bool { return len(t.Cells) == 0 })
}

// Persons are the measures of persons of which a table is within one of their events, with the measure of these.
func (l *Lattice) Persons() map[string]string {
	all := map[string]string{}
	for _, t := range l.Tables {
		if i := slices.IndexFunc(l.Tables, func(o Table) bool { return t.Within != "" && o.ID == t.Within }); i >= 0 {
			all[t.Measure] = l.Tables[i].Measure
		}
	}
	return all
}

func withinOf(t published.Table, events *published.Table, threshold int64) (shown []published.Cell) {
	few, hidden := false, int64(0)
	for _, c := range t.Cells {
		key := published.Key(events.Measure, t.Columns, c.Codes)
		at := slices.IndexFunc(events.Cells, func(e published.Cell) bool { return published.Key(events.Measure, events.Columns, e.Codes) == key })
		switch {
		case at < 0 || events.Cells[at].Withheld || c.Withheld:
			hidden += c.Value
		case c.Value != events.Cells[at].Value && events.Cells[at].Value-c.Value < threshold:
			few = true
			hidden += c.Value
		default:
			shown = append(shown, c)
		}
	}
	if few && len(shown) > 0 { // which one depends on counts that are not shown
		one := int(hidden % int64(len(shown)))
		shown = slices.Delete(shown, one, one+1)
	}
	return shown
}
