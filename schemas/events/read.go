package events

import (
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Read takes a message value apart in one pass over its bytes and without an allocation, when it is a valid record of
// the usual form: then f is what FieldsOf gives for it. False means that Open and Validate are to be asked, which know
// every form that a record may have on the wire, and why one is refused.
func Read(value []byte, f *Fields) bool {
	frame, raw, rejection := unwrap(value)
	if rejection != nil {
		return false
	}
	*f = Fields{SentAtMs: frame.sentAt, ClockOffsetMs: frame.offset, ContentHash: hashOf(raw), Age: -1}
	return frame.bounds() == nil && f.record(raw) && f.envelopeHolds() && f.bodyHolds() && f.name() == nil
}

// field is one field of a message on the wire: a number, or bytes.
type field struct {
	number protowire.Number
	kind   protowire.Type
	n      uint64
	b      []byte
}

// fields walks a message; false when it is not one, or take does not know a field.
func fields(message []byte, take func(field) bool) bool {
	for b := message; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		x := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			x.n, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			x.b, n = protowire.ConsumeBytes(b)
		default:
			return false
		}
		if n < 0 || !take(x) {
			return false
		}
		b = b[n:]
	}
	return true
}

// The ways to take a field's content; each is false when the field is of another kind or cannot be so.
func (x *field) code(l list, to *Stated) (ok bool) {
	*to, ok = l.read(x.b)
	return ok && x.kind == protowire.BytesType
}

func (x *field) time(to *int64) bool {
	*to = int64(x.n)
	return x.kind == protowire.VarintType
}

func (x *field) small(to *uint32) bool {
	*to = uint32(x.n)
	return x.kind == protowire.VarintType && x.n <= math.MaxUint32
}

func (x *field) age(to *int16) bool {
	*to = int16(min(x.n, MaxAge))
	return x.kind == protowire.VarintType && x.n <= MaxAge
}

func (x *field) id(to *[16]byte) bool { return x.kind == protowire.BytesType && readID(x.b, to) }

// record reads the fields that every record has, and its body.
func (f *Fields) record(raw []byte) bool {
	var id, personKey, registration []byte
	var version uint32
	ok := fields(raw, func(x field) bool {
		switch x.number {
		case 1:
			id = x.b
			return x.id((*[16]byte)(&f.RecordID))
		case 2:
			return x.small(&f.Revision)
		case 3:
			return x.code(voidReasons, &f.VoidReason)
		case 4:
			f.Source = x.b
			return x.kind == protowire.BytesType && utf8.Valid(x.b)
		case 5:
			f.SourceSeq = x.n
			return x.kind == protowire.VarintType
		case 6:
			personKey = x.b
			return x.kind == protowire.BytesType && (len(x.b) == 0 || isHexBytes(x.b))
		case 7:
			return x.time(&f.EventMs)
		case 8:
			return x.time(&f.RecordedMs)
		case 9:
			return x.small(&version)
		}
		return x.kind == protowire.BytesType && f.body(&x, &registration)
	})
	f.Key = id
	switch {
	case len(personKey) > 0:
		f.Key, f.PersonKnown = personKey, true
	case len(registration) > 0:
		f.Key = registration
	}
	return ok && len(id) > 0 && version >= 1 && version <= SchemaVersion
}

// body reads one of the three bodies; a second one is left to Open.
func (f *Fields) body(x *field, registration *[]byte) bool {
	const first = 10 // the number of the first body in Record
	if f.Kind != 0 || x.number < first || x.number > first+protowire.Number(KindAssistance-KindCrossing) {
		return false
	}
	f.Kind = KindCrossing + Kind(x.number-first)
	attributes := numbered[f.Kind]
	return fields(x.b, func(x field) bool {
		if int(x.number) >= len(attributes) || attributes[x.number] == nil {
			return false
		}
		return f.attribute(attributes[x.number], &x, registration)
	})
}

// attribute reads one attribute of the body.
func (f *Fields) attribute(s *slot, x *field, registration *[]byte) bool {
	switch s.Type {
	case dictionary.Code:
		return x.code(s.list, &f.Codes[s.Coded])
	case dictionary.Codes:
		return f.reason(s.list, x)
	case dictionary.Age:
		return x.age(&f.Age)
	case dictionary.Flag:
		f.Returned = x.n != 0
		return x.kind == protowire.VarintType
	case dictionary.Time:
		return x.time(&f.ArrivalMs)
	case dictionary.ID:
		*registration = x.b
		return x.id((*[16]byte)(&f.RegistrationID))
	}
	return false
}

// reason adds a reason that was not given before.
func (f *Fields) reason(l list, x *field) bool {
	var reason Stated
	if !x.code(l, &reason) || reason == 0 || f.ReasonCount == MaxReasons {
		return false
	}
	for _, earlier := range f.Reasons[:f.ReasonCount] {
		if earlier == reason {
			return false
		}
	}
	f.Reasons[f.ReasonCount] = reason
	f.ReasonCount++
	return true
}

// envelopeHolds reports whether Validate finds no fault with what every record has; ids and codes are checked already.
func (f *Fields) envelopeHolds() bool {
	return f.Revision >= 1 && f.Revision <= MaxRevision &&
		len(f.Source) > 0 && len(f.Source) <= MaxSourceID &&
		f.SourceSeq >= 1 && f.SourceSeq <= MaxSeq && TimeCanBe(f.EventMs) && TimeCanBe(f.RecordedMs)
}

// TimeCanBe reports whether a time lies between 2000-01-01 and 2100-01-01 UTC; milliseconds since 1970.
func TimeCanBe(ms int64) bool { return ms >= minTimeMs && ms < maxTimeMs }

// bodyHolds reports whether Validate finds no fault with the body; its codes are checked already.
func (f *Fields) bodyHolds() bool {
	c := &f.Codes
	for _, required := range required[f.Kind] {
		if c[required] == 0 {
			return false
		}
	}
	switch f.Kind {
	case KindCrossing:
		if c[dictionary.BorderPoint] == known.blind {
			return false
		}
		if !f.Returned {
			return c[dictionary.Country] == 0 && c[dictionary.Mode] == 0 && c[dictionary.ReturnType] == 0
		}
		return c[dictionary.Direction] == known.entry && (c[dictionary.Category] == 0 || c[dictionary.Category] == known.traveller)
	case KindRegistration:
		return c[dictionary.Centre] != known.notRegistered && c[dictionary.EntryPoint] != known.blind &&
			(f.ArrivalMs == 0 || TimeCanBe(f.ArrivalMs)) && liesIn(c[dictionary.Municipality], c[dictionary.Department]) &&
			liesIn(c[dictionary.DestinationMunicipality], c[dictionary.DestinationDepartment])
	}
	return f.Kind == KindAssistance
}

// required are the codes that a kind of record must state.
var required = func() (all [KindAssistance + 1][]dictionary.Coded) {
	for _, kind := range dictionary.Kinds() {
		for _, s := range slots[kind] {
			if slices.Contains(s.Required, kind) {
				all[kind] = append(all[kind], s.Coded)
			}
		}
	}
	return all
}()

// liesIn reports whether a municipality may stand beside a department.
func liesIn(municipality, department Stated) bool {
	in := departmentOf[municipality]
	return department == 0 || in == 0 || department == known.noDepartment || in == known.noDepartment || in == department
}

// departmentOf is the department of a municipality; 0 where the list names none.
var departmentOf = func() []Stated {
	municipalities, departments := listOf(codelists.Municipality), listOf(codelists.Department)
	all := make([]Stated, municipalities.Len()+1)
	for i, c := range municipalities.Codes() {
		all[i+1] = departments.text(codelists.DepartmentOf(c.Code))
	}
	return all
}()

var known = struct{ blind, entry, traveller, notRegistered, noDepartment Stated }{
	listOf(codelists.BorderPoint).text(blindCrossing), listOf(codelists.Direction).text("entry"), listOf(codelists.CrossingCategory).text("traveller"),
	listOf(codelists.Centre).text(notRegistered), listOf(codelists.Department).text(unknownDepartment),
}

// readID reads a UUIDv7 in canonical lower-case text, made between 2000 and 2100.
func readID(text []byte, id *[16]byte) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	n := readHex(id[:4], text[:8]) | readHex(id[4:6], text[9:13]) | readHex(id[6:8], text[14:18]) | readHex(id[8:10], text[19:23]) | readHex(id[10:], text[24:])
	return n <= 0xf && id[6]>>4 == 7 && id[8]>>6 == 2 && TimeCanBe(idTimeMs(*id))
}

// digits are the values of lower-case hexadecimal digits; of all else 0xff.
var digits = func() (all [256]byte) {
	for i := range all {
		all[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		all[c] = byte(i)
	}
	return all
}()

// readHex reads lower-case hexadecimal text, two digits for each byte of b. It returns more than 0xf when any is none.
func readHex(b, text []byte) (seen byte) {
	for i := range b {
		high, low := digits[text[2*i]], digits[text[2*i+1]]
		seen |= high | low
		b[i] = high<<4 | low
	}
	return seen
}

func isHexBytes(b []byte) bool {
	var key [16]byte
	return len(b) == 2*len(key) && readHex(key[:], b) <= 0xf
}
