package suppress

import (
	"errors"
	"slices"
)

// named are the reasons that lines name: those of the totals, and those of all lines.
type named struct{ ofTotals, ofAll []Change }

// name finds the reasons of changes since a vintage that can be named. Those of the fewest persons join the others until the rest can be told.
func (r *reviser) name(s *step) (n named, err error) {
	for _, c := range s.Changes {
		if c.Reason != "" && r.most(c) > 0 {
			n.ofTotals = append(n.ofTotals, c)
		}
	}
	slices.SortStableFunc(n.ofTotals, func(a, b Change) int { return int(r.most(b) - r.most(a)) })
	for len(n.ofTotals) > 0 && !r.enough(n.ofTotals, s.Changes, func(key string) bool { return r.totals[key] }) {
		n.ofTotals = n.ofTotals[:len(n.ofTotals)-1]
	}
	for n.ofAll = n.ofTotals; len(n.ofAll) > 0 && !r.totalsOnly; n.ofAll = n.ofAll[:len(n.ofAll)-1] {
		if !r.enough(n.ofAll, s.Changes, func(key string) bool { return r.shown[key] && !r.hidden[key] && !r.stale[key] && !s.Kept[key] }) {
			continue
		}
		if ok, err := r.nameable(s, n.ofAll); ok || err != nil {
			return n, err
		}
	}
	return n, nil
}

// most is by how many persons a cell changed for a reason, where most did.
func (r *reviser) most(c Change) (n int64) {
	for key, persons := range c.Persons {
		if r.totals[key] || r.shown[key] {
			n = max(n, persons)
		}
	}
	return n
}

// enough reports whether in each of some cells none changed for a reason, or enough persons; so for what is not named, which the amounts
// of the others give away.
func (r *reviser) enough(names, all []Change, in func(key string) bool) bool {
	ok := func(c Change) bool {
		for key, n := range c.Persons {
			if n > 0 && n < r.least && in(key) {
				return false
			}
		}
		return true
	}
	for _, c := range append(slices.Clone(names), sumOf(rest(names, all))) {
		if !ok(c) {
			return false
		}
	}
	return true
}

// rest are the changes that are not named.
func rest(names, all []Change) (out []Change) {
	for _, c := range all {
		if !slices.ContainsFunc(names, func(n Change) bool { return n.Reason == c.Reason }) {
			out = append(out, c)
		}
	}
	return out
}

// nameable reports whether the cells that are hidden protect what each of these reasons, and the rest together, gained and lost.
func (r *reviser) nameable(s *step, names []Change) (bool, error) {
	systems := slices.Clone(names)
	if others := rest(names, s.Changes); len(others) > 0 {
		systems = append(systems, sumOf(others))
	}
	for _, c := range systems {
		for _, in := range []*Input{c.Added, c.Removed} {
			hidden, err := r.unsafe(s, in)
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
