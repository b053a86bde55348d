package processor

import (
	"encoding/binary"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/dictionary"
)

// held is one fact as it is kept: 56 bytes without a pointer, so that ten million cost 560 MB and the garbage collector
// nothing. Each kind of record has its own codes in the same bytes.
type held struct {
	record         reconcile.ID
	version        uint64
	next           uint32 // the person's next fact, as a place plus 1; 0 at the end
	arrival, event [6]byte
	reasons        uint16
	codes          [dictionary.PackedCodes]uint8 // see layout
	age            int8
	flags          uint8 // the kind and the flags below
}

const (
	kindBits    = 3
	flagVoid    = 1 << 2
	flagFuture  = 1 << 3
	flagReturns = 1 << 4
	flagChanged = 1 << 5 // of a person's first fact: the person has changed since the last flush
	flagHot     = 1 << 6 // of a person's first fact: the person is hot
	flagNoted   = 1 << 7 // of a hot person's fact: it has changed since the last flush
)

// layout is where the codes of a kind of record stand in held.codes.
var layout = func() (all [reconcile.Assistance + 1][]dictionary.Packed) {
	for _, kind := range dictionary.Kinds() {
		places, bytes := dictionary.Layout(kind)
		if bytes > dictionary.PackedCodes {
			panic("returns: a code list has outgrown the bytes that its codes are kept in: run make generate")
		}
		all[kind] = places
	}
	return all
}()

func pack(f *reconcile.Fact) held {
	h := held{record: f.RecordID, version: f.Version, arrival: packTime(f.Arrival), event: packTime(f.Event), reasons: f.Reasons,
		age: int8(f.Age), flags: uint8(f.Kind)}
	for _, place := range layout[f.Kind] {
		code := f.Codes[place.Code]
		h.codes[place.At] = uint8(code)
		if place.Wide {
			h.codes[place.At+1] = uint8(code >> 8)
		}
	}
	if f.Void {
		h.flags |= flagVoid
	}
	if f.Future {
		h.flags |= flagFuture
	}
	if f.Returned {
		h.flags |= flagReturns
	}
	return h
}

// unpack is the inverse of pack.
func (h *held) unpack() reconcile.Fact {
	f := reconcile.Fact{
		RecordID: h.record, Version: h.version, Arrival: unpackTime(h.arrival), Event: unpackTime(h.event), Reasons: h.reasons,
		Age: int16(h.age), Kind: reconcile.Kind(h.flags & kindBits),
		Void: h.flags&flagVoid != 0, Future: h.flags&flagFuture != 0, Returned: h.flags&flagReturns != 0,
	}
	for _, place := range layout[f.Kind] {
		code := reconcile.Code(h.codes[place.At])
		if place.Wide {
			code |= reconcile.Code(h.codes[place.At+1]) << 8
		}
		f.Codes[place.Code] = code
	}
	return f
}

// packTime keeps milliseconds since 1970 in 48 bits: until the year 10889.
func packTime(ms int64) (b [6]byte) {
	binary.LittleEndian.PutUint32(b[:], uint32(ms))
	binary.LittleEndian.PutUint16(b[4:], uint16(ms>>32))
	return b
}

func unpackTime(b [6]byte) int64 {
	return int64(binary.LittleEndian.Uint16(b[4:]))<<32 | int64(binary.LittleEndian.Uint32(b[:]))
}

const chunk = 1 << 12 // facts that are allocated at once

// changed reports whether the person whose first fact this is has been marked so.
func (h *held) changed() bool { return h.flags&flagChanged != 0 }

func (h *held) mark(changed bool) {
	h.flags &^= flagChanged
	if changed {
		h.flags |= flagChanged
	}
}

// facts are every person's facts. The first that came of a person's stays the first of the chain.
type facts struct {
	first  map[reconcile.ID]uint32 // by person: the place of the first fact, plus 1
	chunks [][]held
	n      uint32

	hot     map[uint32]*hot  // by the place of the first fact
	largest int              // facts of the hot person who has the most; 0: no person is hot
	own     []reconcile.Fact // of the block at hand
	keyed   []keyed          // likewise
}

func newFacts() *facts { return &facts{first: map[reconcile.ID]uint32{}, hot: map[uint32]*hot{}} }

func (s *facts) at(place uint32) *held { return &s.chunks[(place-1)/chunk][(place-1)%chunk] }

// add keeps one more fact of a person whose first one is there, or 0 for none; it returns where the first one is.
func (s *facts) add(person reconcile.ID, first uint32, f *reconcile.Fact) uint32 {
	if s.n%chunk == 0 {
		s.chunks = append(s.chunks, make([]held, chunk))
	}
	s.n++
	h := s.at(s.n)
	*h = pack(f)
	if first == 0 {
		s.first[person] = s.n
		return s.n
	}
	head := s.at(first)
	h.next, head.next = head.next, s.n
	if person := s.hotAt(first); person != nil {
		s.enter(person, s.n)
	}
	return first
}

// find is the fact of that record of the person whose first fact is at first; nil when there is none. first may be 0.
func (s *facts) find(first uint32, record reconcile.ID) *held {
	if first == 0 {
		return nil
	}
	if person := s.hotAt(first); person != nil {
		if place := person.places[record]; place != 0 {
			return s.at(place)
		}
		return nil
	}
	n := 0
	for place := first; place != 0; n++ {
		h := s.at(place)
		if h.record == record {
			return h
		}
		place = h.next
	}
	if n >= chainLimit {
		s.makeHot(first)
	}
	return nil
}

// replace puts a fact in the place of an earlier revision of it, of the person whose first fact is at first.
func (s *facts) replace(first uint32, h *held, f *reconcile.Fact) {
	revision := pack(f)
	revision.next, revision.flags = h.next, revision.flags|h.flags&(flagChanged|flagHot|flagNoted)
	if person := s.hotAt(first); person != nil {
		s.revise(person, h, &revision)
	}
	*h = revision
}

// of appends the facts of the chain from first on to all.
func (s *facts) of(first uint32, all []reconcile.Fact) []reconcile.Fact {
	for place := first; place != 0; {
		h := s.at(place)
		all = append(all, h.unpack())
		place = h.next
	}
	return all
}
