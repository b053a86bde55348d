package spool

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// slot is what is known in memory of one number of the source.
type slot struct {
	number   uint64 // of the journal's entry; 0: the number cannot be read and is set aside
	at       int64  // where the journal's entry is
	before   uint32 // the number of the record's revision before this one; 0: none
	revision uint32
}

// place is where an entry of the journal is.
type place struct {
	number uint64
	at     int64
}

// index finds records. It has 24 bytes for each number and as many for each record, so that 200,000 take 12 MB.
type index struct {
	slots  []slot // slots[seq-1]
	latest map[uuid.UUID]uint32
	acked  uint64
	told   uint64  // other offices were told of all numbers up to this one
	notes  []place // what other offices are to be told beside the records
	runs   []string
	source string
}

// take takes an entry of the journal.
func (x *index) take(number uint64, at int64, b []byte) error {
	e, err := parseEntry(b)
	if err != nil {
		return fmt.Errorf("entry %d: %w", number, err)
	}
	switch {
	case e.seq > 0:
		x.put(e.id, e.revision, e.seq, number, at)
	case e.run != "":
		x.runs, x.source = append(x.runs, e.run), e.source
	case len(e.news) > 0:
		x.notes = append(x.notes, place{number, at})
	default:
		x.heard(e.heard)
		x.acked, x.told = max(x.acked, e.acked), max(x.told, e.told)
	}
	return nil
}

// put puts a record in its place. Records come in the order of their numbers, but for those that a damaged place made
// the journal append once more.
func (x *index) put(id uuid.UUID, revision uint32, seq, number uint64, at int64) {
	if x.latest == nil {
		x.latest = make(map[uuid.UUID]uint32)
	}
	for uint64(len(x.slots)) < seq {
		x.slots = append(x.slots, slot{})
	}
	s := &x.slots[seq-1]
	*s = slot{number: number, at: at, before: x.latest[id], revision: revision}
	if uint64(s.before) < seq {
		x.latest[id] = uint32(seq)
		return
	}
	later := s.before
	for next := x.slots[later-1].before; uint64(next) > seq; next = x.slots[later-1].before {
		later = next
	}
	s.before, x.slots[later-1].before = x.slots[later-1].before, uint32(seq)
}

// find returns the number of a revision, 0 when it is not there, and that of the latest revision.
func (x *index) find(id uuid.UUID, revision uint32) (seq, latest uint32) {
	latest = x.latest[id]
	for seq = latest; seq != 0 && x.slots[seq-1].revision != revision; {
		seq = x.slots[seq-1].before
	}
	return seq, latest
}

// heard forgets the notes up to an entry of the journal: other offices were told of them.
func (x *index) heard(through uint64) {
	x.notes = slices.DeleteFunc(x.notes, func(p place) bool { return p.number <= through })
}

func (x *index) last() uint64 { return uint64(len(x.slots)) }

// readable is how many numbers can be read.
func (x *index) readable() (n uint64) {
	for i := range x.slots {
		if x.slots[i].number != 0 {
			n++
		}
	}
	return n
}
