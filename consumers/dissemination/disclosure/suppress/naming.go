package suppress

import (
	"errors"
	"slices"

	"retorno/consumers/dissemination/disclosure/published"
)

// named are the reasons that lines name: those of the totals, and those of all lines.
type named struct{ ofTotals, ofAll []Change }

// name finds the reasons that can be named. Those of the fewest persons join the others until the rest can stand in all lines.
func (r *reviser) name(changes []Change) (n named, err error) {
	for _, c := range changes {
		if persons, few := r.persons(c); c.Reason != "" && persons > 0 && !few {
			n.ofTotals = append(n.ofTotals, c)
		}
	}
	slices.SortStableFunc(n.ofTotals, func(a, b Change) int {
		x, _ := r.persons(a)
		y, _ := r.persons(b)
		return int(y - x)
	})
	for n.ofAll = n.ofTotals; len(n.ofAll) > 0 && !r.totalsOnly; n.ofAll = n.ofAll[:len(n.ofAll)-1] {
		if ok, err := r.nameable(n.ofAll, changes); ok || err != nil {
			return n, err
		}
	}
	return n, nil
}

// nameable reports whether the cells that are hidden protect what each of these reasons, and the rest together, gained and lost.
func (r *reviser) nameable(names, all []Change) (bool, error) {
	var rest []Change
	for _, c := range all {
		if !slices.ContainsFunc(names, func(n Change) bool { return n.Reason == c.Reason }) {
			rest = append(rest, c)
		}
	}
	systems := slices.Clone(names)
	if len(rest) > 0 {
		systems = append(systems, sumOf(rest))
	}
	for _, c := range systems {
		for _, in := range []*Input{c.Added, c.Removed} {
			hidden, err := r.unsafe(in)
			if errors.Is(err, ErrUnsafe) || slices.ContainsFunc(hidden, func(key string) bool { return !r.hidden[key] }) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// persons is by how many persons the totals changed for a reason, and whether those of one of them are too few
// to name it. A person who was lost with one code and gained with another counts once.
func (r *reviser) persons(c Change) (n int64, few bool) {
	for key := range r.totals {
		var most int64
		for _, in := range []*Input{c.Added, c.Removed} {
			for _, t := range in.Tables {
				for _, one := range t.Counts {
					if published.Key(t.Measure, t.Columns, one.Codes) == key {
						most = max(most, one.Persons)
					}
				}
			}
		}
		n += most
		few = few || most > 0 && most < r.least
	}
	return n, few
}
