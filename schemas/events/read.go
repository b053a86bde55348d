package events

import (
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"retorno/schemas/codelists"
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
			return x.code(lists.voidReason, &f.VoidReason)
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
	if f.Kind != 0 {
		return false
	}
	switch x.number {
	case 10:
		f.Kind = KindCrossing
		return fields(x.b, f.crossing)
	case 11:
		f.Kind = KindRegistration
		return fields(x.b, f.registration)
	case 12:
		f.Kind = KindAssistance
		return fields(x.b, func(x field) bool {
			switch x.number {
			case 1:
				return x.code(lists.centre, &f.Centre)
			case 2:
				return x.code(lists.assistanceKind, &f.AssistanceKind)
			case 3:
				*registration = x.b
				return x.id((*[16]byte)(&f.RegistrationID))
			}
			return false
		})
	}
	return false
}

func (f *Fields) crossing(x field) bool {
	switch x.number {
	case 1:
		return x.code(lists.direction, &f.Direction)
	case 2:
		return x.code(lists.borderPoint, &f.BorderPoint)
	case 3:
		f.Returned = x.n != 0
		return x.kind == protowire.VarintType
	case 4:
		return x.code(lists.category, &f.Category)
	case 5:
		return x.code(lists.documentCheck, &f.DocumentCheck)
	case 6:
		return x.code(lists.sex, &f.Sex)
	case 7:
		return x.age(&f.Age)
	case 8:
		return x.code(lists.country, &f.Nationality)
	case 9:
		return x.code(lists.country, &f.Country)
	case 10:
		return x.code(lists.mode, &f.Mode)
	case 11:
		return x.code(lists.returnType, &f.ReturnType)
	}
	return false
}

func (f *Fields) registration(x field) bool {
	switch x.number {
	case 1:
		return x.code(lists.centre, &f.Centre)
	case 2:
		return x.time(&f.ArrivalMs)
	case 3:
		return x.code(lists.borderPoint, &f.EntryPoint)
	case 4:
		return x.code(lists.borderPoint, &f.ExitPoint)
	case 5:
		return x.code(lists.country, &f.Country)
	case 6:
		return x.code(lists.mode, &f.Mode)
	case 7:
		return x.code(lists.returnType, &f.ReturnType)
	case 8:
		return x.code(lists.programme, &f.Programme)
	case 9:
		return x.code(lists.sex, &f.Sex)
	case 10:
		return x.age(&f.Age)
	case 11:
		return x.code(lists.country, &f.Nationality)
	case 18:
		return f.reason(&x)
	}
	return f.origin(&x)
}

// origin reads where the person comes from and goes to, and what they answered.
func (f *Fields) origin(x *field) bool {
	switch x.number {
	case 12:
		return x.code(lists.department, &f.Department)
	case 13:
		return x.code(lists.municipality, &f.Municipality)
	case 14:
		return x.code(lists.department, &f.DestinationDepartment)
	case 15:
		return x.code(lists.municipality, &f.DestinationMunicipality)
	case 16:
		return x.code(lists.accompanied, &f.Accompanied)
	case 17:
		return x.code(lists.travelCompany, &f.TravelCompany)
	case 19:
		return x.code(lists.country, &f.IntendedCountry)
	case 20:
		return x.code(lists.answer, &f.DisplacedByViolence)
	case 21:
		return x.code(lists.answer, &f.IntendsToMigrateAgain)
	case 22:
		return x.code(lists.education, &f.Education)
	case 23:
		return x.code(lists.occupation, &f.Occupation)
	}
	return false
}

// reason adds a reason that was not given before.
func (f *Fields) reason(x *field) bool {
	var reason Stated
	if !x.code(lists.reason, &reason) || reason == 0 || f.ReasonCount == MaxReasons {
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

// envelopeHolds says whether Validate finds no fault with what every record has; ids and codes are checked already.
func (f *Fields) envelopeHolds() bool {
	return f.Revision >= 1 && f.Revision <= MaxRevision &&
		len(f.Source) > 0 && len(f.Source) <= maxSourceID &&
		f.SourceSeq >= 1 && f.SourceSeq <= maxSeq && timeHolds(f.EventMs) && timeHolds(f.RecordedMs)
}

func timeHolds(ms int64) bool { return ms >= minTimeMs && ms < maxTimeMs }

// bodyHolds says whether Validate finds no fault with the body; its codes are checked already.
func (f *Fields) bodyHolds() bool {
	switch f.Kind {
	case KindCrossing:
		if f.Direction == 0 || f.BorderPoint == 0 || f.BorderPoint == known.blind {
			return false
		}
		if !f.Returned {
			return f.Country == 0 && f.Mode == 0 && f.ReturnType == 0
		}
		return f.Direction == known.entry && (f.Category == 0 || f.Category == known.traveller)
	case KindRegistration:
		return f.Centre != 0 && f.Centre != known.notRegistered && f.EntryPoint != known.blind &&
			(f.ArrivalMs == 0 || timeHolds(f.ArrivalMs)) && liesIn(f.Municipality, f.Department) &&
			liesIn(f.DestinationMunicipality, f.DestinationDepartment)
	case KindAssistance:
		return f.Centre != 0 && f.AssistanceKind != 0
	}
	return false
}

// liesIn says whether a municipality may stand beside a department.
func liesIn(municipality, department Stated) bool {
	in := departmentOf[municipality]
	return department == 0 || in == 0 || department == known.noDepartment || in == known.noDepartment || in == department
}

// departmentOf is the department of a municipality; 0 where the list names none.
var departmentOf = func() []Stated {
	all := make([]Stated, lists.municipality.Len()+1)
	for i, c := range lists.municipality.Codes() {
		all[i+1] = lists.department.text(codelists.DepartmentOf(c.Code))
	}
	return all
}()

var known = struct{ blind, entry, traveller, notRegistered, noDepartment Stated }{
	lists.borderPoint.text(blindCrossing), lists.direction.text("entry"), lists.category.text("traveller"),
	lists.centre.text(notRegistered), lists.department.text(unknownDepartment),
}

// readID reads a UUIDv7 in canonical lower-case text, made between 2000 and 2100.
func readID(text []byte, id *[16]byte) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	n := readHex(id[:4], text[:8]) | readHex(id[4:6], text[9:13]) | readHex(id[6:8], text[14:18]) | readHex(id[8:10], text[19:23]) | readHex(id[10:], text[24:])
	return n <= 0xf && id[6]>>4 == 7 && id[8]>>6 == 2 && timeHolds(idTimeMs(*id))
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
