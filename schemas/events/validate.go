package events

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Fault is one thing wrong with one field of a record.
type Fault struct {
	Field  string // as in events.proto, with the body's name before it: registration.exit_point
	Code   string // stable reason code, one of the Code constants below
	Detail string // what was found and what is expected
}

func (f Fault) String() string { return f.Field + ": " + f.Code + ": " + f.Detail }

// Reason codes of faults. They are part of the published interface: dead letters and rejected rows carry them.
const (
	CodeRequired      = "required"      // the field must be stated
	CodeInvalidID     = "invalid_id"    // not a UUID version 7 in canonical lower-case text, or not made between 2000 and 2100
	CodeInvalidKey    = "invalid_key"   // not 32 lower-case hexadecimal digits
	CodeOutOfRange    = "out_of_range"  // a number or time outside what can be true
	CodeUnknownCode   = "unknown_code"  // not in the code list
	CodeNotAllowed    = "not_allowed"   // a code of the list that has no meaning in this field
	CodeContradiction = "contradiction" // two fields that cannot both be true
	CodeRepeated      = "repeated"      // an answer given twice
)

// Codes are all reason codes, of values and of their fields.
func Codes() []string {
	return []string{CodeEmpty, CodeTooLarge, CodeMalformed, CodeInvalidUTF8, CodeChecksum, CodeSchemaVersion, CodeUnreadable, CodeMisfiled,
		CodeRequired, CodeInvalidID, CodeInvalidKey, CodeOutOfRange, CodeUnknownCode, CodeNotAllowed, CodeContradiction, CodeRepeated}
}

const (
	// MaxRevision is the largest revision of a record; versions in the store keep 24 bits for it.
	MaxRevision = 1<<24 - 1
	// MaxAge is the largest age in completed years that is believed.
	MaxAge = 120
	// minTimeMs and maxTimeMs bound every time: 2000-01-01 and 2100-01-01 UTC, in milliseconds since 1970.
	minTimeMs = 946684800_000
	maxTimeMs = 4102444800_000
	// MaxSeq is the largest number of a source that is believed: at one record a second it is reached after 300 years.
	MaxSeq = 10_000_000_000
	// maxClockOffsetMs is how far a source's clock may be off, ahead or behind, to be believed: 130 years, as from 1970 to
	// maxTimeMs. A clock whose battery is dead begins again in 1970.
	maxClockOffsetMs = maxTimeMs
	// MaxSourceID is the longest source id in bytes.
	MaxSourceID = 64

	// blindCrossing is where people leave without a post; no person is seen there.
	blindCrossing = "X-BLD"
	// unknownDepartment states no department, so that any municipality may stand beside it.
	unknownDepartment = "XX"
	// notRegistered is the centre of a return without a registration.
	notRegistered = "X-NON"
)

// Validate names every fault of r, in the order of the fields; none means that r may be counted.
func Validate(r *Record) []Fault {
	c := checker{}
	c.envelope(r)
	kind, body := bodyOf(r)
	if body == nil {
		c.add("body", CodeRequired, "a record is a crossing, a registration or an assistance")
	}
	for _, s := range slots[kind] {
		c.attribute(kind, s, body)
	}
	if kind == KindCrossing {
		c.returned(r.GetCrossing())
	}
	return c.faults
}

// AsRejection folds the faults of one record into the single answer that a dead letter carries: the first fault's
// code and field, and every fault in the detail. It returns nil when there are none.
func AsRejection(faults []Fault) *Rejection {
	if len(faults) == 0 {
		return nil
	}
	all := make([]string, len(faults))
	for i, f := range faults {
		all[i] = f.String()
	}
	return &Rejection{Code: faults[0].Code, Field: faults[0].Field, Detail: strings.Join(all, "; ")}
}

type checker struct{ faults []Fault }

func (c *checker) add(field, code, format string, args ...any) {
	c.faults = append(c.faults, Fault{Field: field, Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (c *checker) envelope(r *Record) {
	c.id("record_id", r.GetRecordId())
	if r.GetRevision() < 1 || r.GetRevision() > MaxRevision {
		c.add("revision", CodeOutOfRange, "%d; revisions count from 1 to %d", r.GetRevision(), MaxRevision)
	}
	c.code("void_reason", codelists.VoidReason, r.GetVoidReason())
	switch source := r.GetSourceId(); {
	case source == "":
		c.add("source_id", CodeRequired, "which computer made the record")
	case len(source) > MaxSourceID:
		c.add("source_id", CodeOutOfRange, "%d bytes; at most %d", len(source), MaxSourceID)
	}
	if r.GetSourceSeq() < 1 || r.GetSourceSeq() > MaxSeq {
		c.add("source_seq", CodeOutOfRange, "%d; a source counts its records from 1, and makes fewer than %d", r.GetSourceSeq(), int64(MaxSeq))
	}
	if key := r.GetPersonKey(); key != "" && !isHexKey(key) {
		c.add("person_key", CodeInvalidKey, "expected 32 lower-case hexadecimal digits or nothing")
	}
	c.time("event_time_ms", r.GetEventTimeMs())
	c.time("recorded_time_ms", r.GetRecordedTimeMs())
	if r.GetSchemaVersion() == 0 {
		c.add("schema_version", CodeRequired, "the version of the schema the source writes")
	}
}

// attribute checks what can be wrong with an attribute of a kind of record by itself, and beside those before it.
func (c *checker) attribute(kind Kind, s *slot, body protoreflect.Message) {
	field, value := s.path, body.Get(s.field)
	switch s.Type {
	case dictionary.Code:
		text := value.String()
		if slices.Contains(s.Required, kind) {
			c.required(field, s.List, text)
		} else {
			c.code(field, s.List, text)
		}
		c.allowed(kind, s.Coded, field, text, body)
	case dictionary.Codes:
		c.several(field, s.List, value.List())
	case dictionary.Age:
		if value.Uint() > MaxAge {
			c.add(field, CodeOutOfRange, "%d; ages are 0 to %d completed years", value.Uint(), MaxAge)
		}
	case dictionary.Time:
		if value.Int() != 0 {
			c.time(field, value.Int())
		}
	case dictionary.ID:
		if value.String() != "" {
			c.id(field, value.String())
		}
	}
}

// allowed refuses codes of the list that have no meaning in the field, and municipalities of another department.
func (c *checker) allowed(kind Kind, coded dictionary.Coded, field, code string, body protoreflect.Message) {
	switch {
	case kind == KindCrossing && coded == dictionary.BorderPoint && code == blindCrossing:
		c.add(field, CodeNotAllowed, "no post stands at %s", blindCrossing)
	case kind == KindRegistration && coded == dictionary.Centre && code == notRegistered:
		c.add(field, CodeNotAllowed, "a registration has a centre; %s is for returns without one", notRegistered)
	case coded == dictionary.EntryPoint && code == blindCrossing:
		c.add(field, CodeNotAllowed, "%s is an answer to where a person left only", blindCrossing)
	case coded == dictionary.Municipality:
		c.place(field, code, textOf(kind, dictionary.Department, body))
	case coded == dictionary.DestinationMunicipality:
		c.place(field, code, textOf(kind, dictionary.DestinationDepartment, body))
	}
}

// textOf is the code of an attribute in a body.
func textOf(kind Kind, coded dictionary.Coded, body protoreflect.Message) string {
	return body.Get(numbered[kind][coded.Attribute().Numbers[kind]].field).String()
}

// returned checks what only a return may state, and what a return must be.
func (c *checker) returned(x *Crossing) {
	if !x.GetReturned() {
		if x.GetCountry() != "" || x.GetMode() != "" || x.GetReturnType() != "" {
			c.add("crossing.returned", CodeContradiction, "country, mode and return_type are stated only of a return")
		}
		return
	}
	if x.GetDirection() != "entry" {
		c.add("crossing.returned", CodeContradiction, "only an entry can be a return; direction is %s", strconv.Quote(x.GetDirection()))
	}
	if category := x.GetCategory(); category != "" && category != "traveller" {
		c.add("crossing.returned", CodeContradiction, "category %s is never a return", strconv.Quote(category))
	}
}

func (c *checker) place(field, municipality, department string) {
	if department == "" || department == unknownDepartment {
		return
	}
	if in := codelists.DepartmentOf(municipality); in != "" && in != unknownDepartment && in != department {
		c.add(field, CodeContradiction, "municipality %s lies in %s, not in %s", municipality, in, clip(department))
	}
}

func (c *checker) several(field, list string, codes protoreflect.List) {
	for i := range codes.Len() {
		code := codes.Get(i).String()
		c.required(field, list, code)
		for earlier := range i {
			if codes.Get(earlier).String() == code {
				c.add(field, CodeRepeated, "%s is given twice", strconv.Quote(code))
			}
		}
	}
}

// code accepts an empty value: not stated.
func (c *checker) code(field, list, value string) {
	if value == "" {
		return
	}
	if l, ok := codelists.Get(list); !ok || !l.Has(value) {
		c.add(field, CodeUnknownCode, "%s is not in the list %s", clip(value), list)
	}
}

func (c *checker) required(field, list, value string) {
	if value == "" {
		c.add(field, CodeRequired, "a code of the list %s", list)
		return
	}
	c.code(field, list, value)
}

func (c *checker) time(field string, ms int64) {
	if ms < minTimeMs || ms >= maxTimeMs {
		c.add(field, CodeOutOfRange, "%d; milliseconds since 1970 between the years 2000 and 2100", ms)
	}
}

func (c *checker) id(field, text string) {
	id, err := uuid.Parse(text)
	switch {
	case text == "":
		c.add(field, CodeRequired, "a UUID version 7")
	case err != nil || id.String() != text:
		c.add(field, CodeInvalidID, "%s is not a UUID in canonical lower-case text", clip(text))
	case id.Version() != 7 || id.Variant() != uuid.RFC4122:
		c.add(field, CodeInvalidID, "%s is not of version 7", text)
	default:
		if ms := idTimeMs(id); ms < minTimeMs || ms >= maxTimeMs {
			c.add(field, CodeInvalidID, "%s was not made between the years 2000 and 2100", text)
		}
	}
}

// idTimeMs is the time in the first 48 bits of a UUIDv7 (RFC 9562, 5.7); milliseconds since 1970-01-01 UTC.
func idTimeMs(id uuid.UUID) int64 {
	var ms int64
	for _, b := range id[:6] {
		ms = ms<<8 | int64(b)
	}
	return ms
}

func isHexKey(s string) bool {
	if len(s) != 32 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

// clip keeps a message readable, and nothing long that a clerk mistyped out of it.
func clip(s string) string {
	const most = 48
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(s)
}
