package explain

import (
	"slices"

	"retorno/consumers/counting/reconcile"
)

// Account is what becomes of a copy, as the ledger counts it.
type Account string

// The accounts of the ledger.
const (
	Accepted   Account = "accepted"
	Duplicate  Account = "duplicate"
	Superseded Account = "superseded"
)

// Nature says what a copy is to its fact when it comes.
type Nature string

// What a copy can be to its fact.
const (
	First        Nature = "first"         // the fact's first record
	Correction   Nature = "correction"    // a higher revision with other content
	Void         Nature = "void"          // a higher revision that takes the fact out
	VoidLifted   Nature = "void_lifted"   // a higher revision that brings a void fact back
	ConflictWon  Nature = "conflict_won"  // the same revision with another content, whose hash is the larger one
	ConflictLost Nature = "conflict_lost" // the same revision with another content, whose hash is the smaller one
	Released     Nature = "released"      // a later copy of a fact that was held as future
	Copy         Nature = "copy"          // a copy of what holds already
	Overtaken    Nature = "overtaken"     // a lower revision that comes after a higher one
)

// outcome is what one copy did.
type outcome struct {
	account Account
	nature  Nature
	// held is the fact as it stood before; nil: there was none.
	held *reconcile.Fact
	// late says that a fact of which this is the first record happened before one that is counted already.
	late bool
	// facts and person before the copy; the person is also set when nothing changed.
	factsBefore []reconcile.Fact
	before      reconcile.Person
	after       reconcile.Person
}

// changed reports whether the copy changed the person's returns, helps or crossings.
func (o *outcome) changed() bool {
	return o.account == Accepted && !(slices.Equal(o.before.Returns, o.after.Returns) && slices.Equal(o.before.Helps, o.after.Helps) &&
		slices.Equal(o.before.Crossings, o.after.Crossings))
}

// mostFollowed is how many copies of one person's records are followed one by one: following costs the square of their
// number. Of a person with more, the end of the history is explained, and not the way to it.
const mostFollowed = 1000

// history replays one person's copies, one after the other.
type history struct {
	facts  []reconcile.Fact
	places map[ID]int // of the facts, by record
	// person is what the facts come to; set by settle, and by each take.
	person  reconcile.Person
	settled bool
}

// begin takes a revision that stands before the first copy. Revisions come in no order; it reports whether this one holds.
func (h *history) begin(f *reconcile.Fact) bool {
	if place, ok := h.places[f.RecordID]; ok && h.facts[place].Version >= f.Version {
		return false
	}
	h.put(f)
	return true
}

// put makes a fact the one that holds of its record.
func (h *history) put(f *reconcile.Fact) {
	if place, ok := h.places[f.RecordID]; ok {
		h.facts[place] = *f
	} else {
		if h.places == nil {
			h.places = map[ID]int{}
		}
		h.places[f.RecordID] = len(h.facts)
		h.facts = append(h.facts, *f)
	}
	h.settled = false
}

// settle works out what the facts come to.
func (h *history) settle() {
	if !h.settled {
		h.person, h.settled = reconcile.Reconcile(slices.Clone(h.facts)), true
	}
}

// merge merges one copy: the largest version holds, as reconcile.Version orders them. The outcome does not say what the
// person's facts came to before and after.
func (h *history) merge(f *reconcile.Fact) outcome {
	var o outcome
	if place, ok := h.places[f.RecordID]; ok {
		held := h.facts[place]
		o.held = &held
	}
	if o.account, o.nature = merge(o.held, f); o.account == Accepted {
		h.put(f)
	}
	return o
}

// apply merges one copy, and says what the person's facts came to before and after.
func (h *history) apply(f *reconcile.Fact) outcome {
	h.settle()
	before, person := slices.Clone(h.facts), h.person
	o := h.merge(f)
	h.settle()
	o.before, o.after = person, h.person
	if o.account == Accepted {
		o.factsBefore = before
		o.late = o.held == nil && f.Counts() && slices.ContainsFunc(before, func(g reconcile.Fact) bool { return g.Counts() && g.Event > f.Event })
	}
	return o
}

// merge says what a copy is to the fact that holds (nil: none), and which account it ends in.
func merge(held, f *reconcile.Fact) (Account, Nature) {
	switch {
	case held == nil:
		return Accepted, First
	case f.Version == held.Version, f.Version < held.Version && reconcile.SameContent(f.Version, held.Version):
		return Duplicate, Copy
	case f.Version < held.Version && reconcile.SameRevision(f.Version, held.Version):
		return Superseded, ConflictLost
	case f.Version < held.Version:
		return Superseded, Overtaken
	case reconcile.SameContent(f.Version, held.Version):
		return Accepted, Released
	case reconcile.SameRevision(f.Version, held.Version):
		return Accepted, ConflictWon
	case f.Void && !held.Void:
		return Accepted, Void
	case held.Void && !f.Void:
		return Accepted, VoidLifted
	}
	return Accepted, Correction
}

// Effect is what a copy did to a return.
type Effect string

// What a copy can do to a return.
const (
	Appears  Effect = "appears"
	Vanishes Effect = "vanishes"
	Changes  Effect = "changes"
	Renamed  Effect = "renamed" // its first fact is another one, and so is its id
	Merged   Effect = "merged"  // its facts are now part of another return
	Split    Effect = "split"   // its facts were part of another return
)

// move is one return before and after a copy; nil: it was not, or no longer exists.
type move struct {
	effect        Effect
	before, after *reconcile.Return
	other         ID // the return that it was merged into or split from
}

// moves compares the returns before and after a copy.
func (o *outcome) moves(factsAfter []reconcile.Fact) []move {
	if slices.Equal(o.before.Returns, o.after.Returns) {
		return nil
	}
	was, is := membership(o.factsBefore), membership(factsAfter)
	gone, new := map[ID]*reconcile.Return{}, map[ID]*reconcile.Return{}
	for i := range o.before.Returns {
		gone[o.before.Returns[i].ID] = &o.before.Returns[i]
	}
	var all []move
	for i := range o.after.Returns {
		a := &o.after.Returns[i]
		b := gone[a.ID]
		delete(gone, a.ID)
		if b == nil {
			new[a.ID] = a
		} else if *b != *a {
			all = append(all, move{effect: Changes, before: b, after: a})
		}
	}
	for i := range o.before.Returns {
		b := &o.before.Returns[i]
		if gone[b.ID] == nil {
			continue
		}
		m := move{effect: Vanishes, before: b}
		if into := heir(was, is, b.ID); new[into] != nil {
			m.effect, m.after = Renamed, new[into]
			delete(new, into)
		} else if into != (ID{}) {
			m.effect, m.other = Merged, into
		}
		all = append(all, m)
	}
	for i := range o.after.Returns {
		if a := &o.after.Returns[i]; new[a.ID] != nil {
			m := move{effect: Appears, after: a}
			if from := heir(is, was, a.ID); from != (ID{}) {
				m.effect, m.other = Split, from
			}
			all = append(all, m)
		}
	}
	return all
}

// membership names the return of each fact that is in one.
func membership(facts []reconcile.Fact) map[ID]ID {
	in := map[ID]ID{}
	for _, s := range reconcile.Steps(facts) {
		if s.Verdict == reconcile.Opens || s.Verdict == reconcile.Joins {
			in[s.Fact.RecordID] = s.Return
		}
	}
	return in
}

// heir is the return in to that holds a fact of return id in from; of several, the one of the smallest fact.
func heir(from, to map[ID]ID, id ID) ID {
	var first, found ID
	for fact, r := range from {
		if r != id || to[fact] == (ID{}) {
			continue
		}
		if found == (ID{}) || slices.Compare(fact[:], first[:]) < 0 {
			first, found = fact, to[fact]
		}
	}
	return found
}
