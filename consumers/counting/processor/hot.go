package processor

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sort"

	"retorno/consumers/counting/reconcile"
)

// A hot person has very many facts: a default that was typed as a document number at a busy post, say. Their facts are
// found by an index, and stand in blocks in the method's order, so that a new fact costs the blocks that it falls into and
// not all facts of the person.
const (
	chainLimit = 64 // facts of a person that are looked through one by one
	blockFacts = 64 // of a block when it is made; it is divided when it holds more than twice as many
)

// hot is the index and the order of one hot person's facts.
type hot struct {
	places  map[reconcile.ID]uint32 // by record
	blocks  []*block                // nil until the first flush, or until the end of a takeover
	changed []changedFact           // since the last flush
	returns []reconcile.Return      // what the blocks came to at the last flush
}

// changedFact is a fact that has changed since the last flush, and what it was then; of kind 0: there was none.
type changedFact struct {
	place  uint32
	before reconcile.Fact
}

// block is some facts that follow each other in the method's order: those from a key on, up to the next block's.
type block struct {
	from key
	// places of the facts. Of a changed block they are in no order, and some may have moved to another block.
	places  []uint32
	changed bool
	stretch reconcile.Stretch
}

// key is a fact's place in the method's order.
type key struct {
	arrival int64
	record  reconcile.ID
}

type keyed struct {
	key   key
	place uint32
}

func (h *held) key() key { return key{unpackTime(h.arrival), h.record} }

func (k key) compare(o key) int {
	if c := cmp.Compare(k.arrival, o.arrival); c != 0 {
		return c
	}
	return bytes.Compare(k.record[:], o.record[:])
}

// makeHot makes the person hot whose first fact is at that place.
func (s *facts) makeHot(first uint32) {
	h := &hot{places: make(map[reconcile.ID]uint32, 2*chainLimit)}
	for place := first; place != 0; place = s.at(place).next {
		h.places[s.at(place).record] = place
	}
	s.at(first).flags |= flagHot
	s.hot[first] = h
	s.largest = max(s.largest, len(h.places))
}

// hotAt is the hot person whose first fact is at that place; nil for any other person.
func (s *facts) hotAt(first uint32) *hot {
	if s.at(first).flags&flagHot == 0 {
		return nil
	}
	return s.hot[first]
}

// blockOf is the block that a fact with that key falls into.
func (h *hot) blockOf(k key) *block {
	later := sort.Search(len(h.blocks), func(i int) bool { return k.compare(h.blocks[i].from) < 0 })
	return h.blocks[max(0, later-1)]
}

// enter notes that the fact at a place is new.
func (s *facts) enter(h *hot, place uint32) {
	f := s.at(place)
	h.places[f.record] = place
	s.largest = max(s.largest, len(h.places))
	if h.blocks != nil {
		h.note(f, changedFact{place: place})
		h.blockOf(f.key()).add(place)
	}
}

// revise notes that a fact is going to be replaced by another revision of it.
func (s *facts) revise(h *hot, old, revision *held) {
	if h.blocks == nil {
		return
	}
	place := h.places[old.record]
	if old.flags&flagNoted == 0 {
		h.note(revision, changedFact{place, old.unpack()})
	}
	from, to := h.blockOf(old.key()), h.blockOf(revision.key())
	from.changed = true
	if to.changed = true; from != to {
		to.add(place)
	}
}

// note notes what a fact was before its first change since the last flush.
func (h *hot) note(f *held, c changedFact) {
	f.flags |= flagNoted
	h.changed = append(h.changed, c)
}

func (b *block) add(place uint32) {
	b.places, b.changed = append(b.places, place), true
}

// in are the facts of a block, until the next call.
func (s *facts) in(b *block) []reconcile.Fact {
	s.own = s.own[:0]
	for _, place := range b.places {
		s.own = append(s.own, s.at(place).unpack())
	}
	return s.own
}

// arrange makes the blocks of a person, if it is a hot one, from the facts in the method's order and their returns.
func (s *facts) arrange(first uint32, ordered []reconcile.Fact, returns []reconcile.Return) {
	h := s.hotAt(first)
	if h == nil {
		return
	}
	all := &block{places: make([]uint32, len(ordered))}
	for i := range ordered {
		all.places[i] = h.places[ordered[i].RecordID]
	}
	h.blocks, h.returns = []*block{all}, slices.Clone(returns)
	all.stretch.Of(ordered)
	s.divide(h)
}

// order brings a changed block into order again: places that moved away go, and the stretch is that of what is there.
func (s *facts) order(h *hot, i int) {
	b, next := h.blocks[i], key{arrival: math.MaxInt64}
	if i+1 < len(h.blocks) {
		next = h.blocks[i+1].from
	}
	s.keyed = s.keyed[:0]
	for _, place := range b.places {
		if k := s.at(place).key(); k.compare(b.from) >= 0 && k.compare(next) < 0 {
			s.keyed = append(s.keyed, keyed{k, place})
		}
	}
	slices.SortFunc(s.keyed, func(p, q keyed) int { return p.key.compare(q.key) })
	s.keyed = slices.Compact(s.keyed) // one that moved away and came back
	b.places, b.changed = b.places[:0], false
	for i := range s.keyed {
		b.places = append(b.places, s.keyed[i].place)
	}
	b.stretch.Of(s.in(b))
}

// divide divides the blocks that have grown too large. None may have changed since it was ordered.
func (s *facts) divide(h *hot) {
	large := func(b *block) bool { return len(b.places) > 2*blockFacts }
	if !slices.ContainsFunc(h.blocks, large) {
		return
	}
	blocks := make([]*block, 0, len(h.blocks)+8)
	for _, b := range h.blocks {
		if !large(b) {
			blocks = append(blocks, b)
			continue
		}
		from := b.from
		for start := 0; start < len(b.places); start += blockFacts {
			part := &block{from: from, places: slices.Clone(b.places[start:min(start+blockFacts, len(b.places))])}
			part.stretch.Of(s.in(part))
			blocks = append(blocks, part)
			if next := start + blockFacts; next < len(b.places) {
				from = s.at(b.places[next]).key()
			}
		}
	}
	h.blocks = blocks
}

// stretches are those of all blocks, in order.
func (h *hot) stretches(yield func(*reconcile.Stretch) bool) {
	for _, b := range h.blocks {
		if !yield(&b.stretch) {
			return
		}
	}
}

// hotChanges writes what has changed of a hot person since the last flush.
func (t *tally) hotChanges(f sink, person reconcile.ID, h *hot) {
	for i, b := range h.blocks {
		if b.changed {
			t.facts.order(h, i)
			t.alive()
		}
	}
	t.after.Returns = reconcile.Join(t.after.Returns[:0], h.stretches)
	t.returnsDiffer(f, person, h.returns, t.after.Returns)
	// Helps that are the same may belong to a return that is not.
	from, until := reach(h.returns, t.after.Returns)
	for i, b := range h.blocks {
		if b.from.arrival > until || i+1 < len(h.blocks) && h.blocks[i+1].from.arrival < from {
			continue
		}
		t.own = t.own[:0]
		for _, place := range b.places {
			if now := t.facts.at(place); now.flags&flagNoted == 0 {
				t.own = append(t.own, now.unpack())
			}
		}
		t.factsDiffer(f, person, t.own, t.own, h.returns)
		t.alive()
	}
	for _, c := range h.changed {
		now := t.facts.at(c.place)
		now.flags &^= flagNoted
		t.factsDiffer(f, person, []reconcile.Fact{c.before}, []reconcile.Fact{now.unpack()}, h.returns)
	}
	h.changed = h.changed[:0]
	h.returns, t.after.Returns = t.after.Returns, h.returns
	t.facts.divide(h)
}

// factsDiffer writes what has changed of the helps and crossings that these facts are now, and were when the person's
// returns were others.
func (t *tally) factsDiffer(f sink, person reconcile.ID, before, now []reconcile.Fact, returns []reconcile.Return) {
	t.was.Apart(before, returns)
	t.after.Apart(now, t.after.Returns)
	t.apartDiffers(f, person, &t.was, &t.after)
}

// reach is from when until when helps may belong to other returns than before, or to the same but changed ones.
func reach(before, after []reconcile.Return) (from, until int64) {
	prefix, suffix := common(before, after)
	from, until = math.MaxInt64, math.MaxInt64
	for _, returns := range [][]reconcile.Return{before, after} {
		if prefix < len(returns)-suffix {
			from = min(from, returns[prefix].Arrival)
		}
	}
	if suffix > 0 {
		until = after[len(after)-suffix].Arrival
	}
	return from, until
}
