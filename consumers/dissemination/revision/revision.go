// Package revision says why counts differ between two vintages: it finds the events that came and those that went, and gives each
// person's the reason that the facts show.
//
// It promises that the amounts of the reasons of a cell add up to its change, that a reason is named only where at least as many persons
// changed for it as the cell's table asks for, and that nothing depends on an order. It has no clock, no I/O and no randomness.
package revision

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// Reason is why a person's events changed. A person whose records changed in several ways has the first that holds of Void, Correction and
// Late; one whose records did not change has Method or CodeList, if these changed.
type Reason string

// The reasons, as columns of revision.csv and of ceniss.revisions are named.
const (
	Late       Reason = "late"       // a record that had not been read
	Correction Reason = "correction" // a higher revision of a record
	Void       Reason = "void"       // a revision that voids a record
	Method     Reason = "method"     // another version of the method
	CodeList   Reason = "code_list"  // other code lists
	Other      Reason = "other"      // none of these, or too few to be named
)

// named are the reasons that can be named, in the order in which they are given.
var named = []Reason{Late, Correction, Void, Method, CodeList}

// Diff is what one measure gained and lost.
type Diff struct {
	Measure        string
	Columns        []string
	Added, Removed []lattice.Row
}

// Compare finds the events that two vintages do not share. Both have the same measures in the same order. An event of which a code, the
// month or the person changed is lost and gained.
func Compare(before, after []lattice.Data) (all []Diff) {
	for i, d := range after {
		left := map[string][]lattice.Row{}
		for _, r := range before[i].Rows {
			left[sameEvent(r)] = append(left[sameEvent(r)], r)
		}
		diff := Diff{Measure: d.Measure, Columns: d.Columns}
		for _, r := range d.Rows {
			if same := left[sameEvent(r)]; len(same) > 0 {
				left[sameEvent(r)] = same[1:]
			} else {
				diff.Added = append(diff.Added, r)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(left)) {
			diff.Removed = append(diff.Removed, left[k]...)
		}
		all = append(all, diff)
	}
	return all
}

// sameEvent is equal for events that count alike.
func sameEvent(r lattice.Row) string {
	return r.Person + "\x00" + r.Month + "\x00" + strings.Join(r.Codes, "\x00")
}

// Persons are those of whom something changed, and the records of their events, sorted.
func Persons(all []Diff) (persons, records []string) {
	p, r := map[string]bool{}, map[string]bool{}
	for _, d := range all {
		for _, row := range slices.Concat(d.Added, d.Removed) {
			p[row.Person] = true
			if row.Record != "" {
				r[row.Record] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(p)), slices.Sorted(maps.Keys(r))
}

// Explain divides the differences by their reasons, those of Other last.
func Explain(all []Diff, reason func(person string) Reason) map[Reason][]Diff {
	out := map[Reason][]Diff{}
	for _, r := range append(slices.Clone(named), Other) {
		of := func(rows []lattice.Row) (mine []lattice.Row) {
			for _, row := range rows {
				if reason(row.Person) == r {
					mine = append(mine, row)
				}
			}
			return mine
		}
		for _, d := range all {
			out[r] = append(out[r], Diff{d.Measure, d.Columns, of(d.Added), of(d.Removed)})
		}
	}
	return out
}

// Changes are the differences as the disclosure control of published tables takes them, a reason each. Hierarchies are those of lattice.Joined.
func Changes(l *lattice.Lattice, period string, tables []published.Table, hierarchies map[string]published.Hierarchy, explained map[Reason][]Diff) (all []suppress.Change, err error) {
	for _, reason := range append(slices.Clone(named), Other) {
		c := suppress.Change{Reason: string(reason)}
		if reason == Other {
			c.Reason = "" // never named
		}
		var added, removed []lattice.Data
		for _, d := range explained[reason] {
			added = append(added, lattice.Data{Measure: d.Measure, Columns: d.Columns, Rows: d.Added})
			removed = append(removed, lattice.Data{Measure: d.Measure, Columns: d.Columns, Rows: d.Removed})
		}
		if c.Added, err = l.Tabulate(period, added...); err != nil {
			return nil, err
		}
		if c.Removed, err = l.Tabulate(period, removed...); err != nil {
			return nil, err
		}
		c.Persons = map[string]int64{}
		for i := range added {
			persons, err := l.Changed(tables, hierarchies, added[i], removed[i])
			if err != nil {
				return nil, err
			}
			maps.Copy(c.Persons, persons)
		}
		all = append(all, c)
	}
	return all, nil
}

// Differences are the cells of all tables that changed, by key: what the statistics office sees. Before has the events of the earlier vintage.
func Differences(l *lattice.Lattice, period string, before []lattice.Data, explained map[Reason][]Diff) ([]published.Difference, error) {
	counts, err := l.Tabulate(period, before...)
	if err != nil {
		return nil, err
	}
	was := map[string]int64{}
	for _, t := range counts.Tables {
		for _, c := range t.Counts {
			was[published.Key(t.Measure, t.Columns, c.Codes)] = c.Value
		}
	}
	found := map[string]*published.Difference{}
	for reason, diffs := range explained {
		for _, d := range diffs {
			shifts, err := l.Shifts(period, lattice.Data{Measure: d.Measure, Columns: d.Columns, Rows: d.Added}, lattice.Data{Measure: d.Measure, Columns: d.Columns, Rows: d.Removed})
			if err != nil {
				return nil, err
			}
			for key, s := range shifts {
				one := found[key]
				if one == nil {
					one = &published.Difference{Key: key, Before: was[key], After: was[key], By: map[string]int64{}}
					found[key] = one
				}
				if one.After += s.Amount; reason != Other && s.Persons >= s.Threshold {
					one.By[string(reason)] = s.Amount
				} else {
					one.Other += s.Amount
				}
			}
		}
	}
	var all []published.Difference
	for _, one := range found {
		if one.After != one.Before {
			all = append(all, *one)
		}
	}
	slices.SortFunc(all, func(a, b published.Difference) int { return cmp.Compare(a.Key, b.Key) })
	return all, nil
}
