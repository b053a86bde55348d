package revision

import "slices"

// Fact is one revision of a record as the pipeline keeps it.
type Fact struct {
	Person, Record string
	Version        uint64 // the revision with the largest is the one that holds
	Revision       uint32
	Void           bool
	Then, Now      bool // whether the earlier vintage had read it, and whether the later one has
}

// Facts are those of everyone of whom something changed.
type Facts struct {
	All             []Fact
	Method, CodeSet bool // whether the later vintage was counted by another method, or by other code lists
}

// holding is the revision of a record that each vintage counted.
type holding struct{ then, now *Fact }

// Reasons gives each person's reason.
func (f Facts) Reasons(all []Diff) func(person string) Reason {
	held := map[[2]string]*holding{} // by person and record
	of := map[string][]*holding{}    // by person
	named := map[string][]*holding{} // by record
	for i := range f.All {
		fact := &f.All[i]
		at := [2]string{fact.Person, fact.Record}
		h := held[at]
		if h == nil {
			h = &holding{}
			held[at] = h
			of[fact.Person] = append(of[fact.Person], h)
			named[fact.Record] = append(named[fact.Record], h)
		}
		if fact.Then && (h.then == nil || fact.Version > h.then.Version) {
			h.then = fact
		}
		if fact.Now && (h.now == nil || fact.Version > h.now.Version) {
			h.now = fact
		}
	}
	reasons := map[string]Reason{}
	for _, d := range all {
		for _, r := range slices.Concat(d.Added, d.Removed) {
			for _, h := range slices.Concat(named[r.Record], of[r.Person]) {
				reason := h.reason()
				if reason == Late && h.then == nil && slices.ContainsFunc(named[h.now.Record], func(other *holding) bool { return other.then != nil }) {
					reason = Correction // it was another person's
				}
				reasons[r.Person] = stronger(reasons[r.Person], reason)
			}
		}
	}
	return func(person string) Reason {
		switch reason := reasons[person]; {
		case reason != "":
			return reason
		case f.Method:
			return Method
		case f.CodeSet:
			return CodeList
		}
		return Other
	}
}

// reason is how a record changed; "" when it did not.
func (h *holding) reason() Reason {
	switch {
	case h.now == nil || h.now == h.then, h.then == nil && h.now.Void:
		return ""
	case h.then == nil:
		return Late
	case h.now.Void && !h.then.Void:
		return Void
	case h.now.Revision > h.then.Revision || h.now.Version>>1 != h.then.Version>>1:
		return Correction
	}
	return Late // a later copy has mended its times
}

// stronger returns the reason that comes first of Void, Correction and Late.
func stronger(a, b Reason) Reason {
	for _, r := range []Reason{Void, Correction, Late} {
		if a == r || b == r {
			return r
		}
	}
	return ""
}
