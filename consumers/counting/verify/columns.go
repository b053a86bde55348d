package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/events"
)

// column is one column of retorno.facts as text, once by SQL from what is stored, once from the record as it was sent:
// sent appends it.
type column struct {
	name string
	sql  string // over the columns of retorno.facts
	sent func([]byte, *sent) []byte
}

func text(name string, of func(*events.Record) string) column {
	return column{name, name, func(b []byte, s *sent) []byte { return append(b, of(s.record)...) }}
}

func number(name string, of func(*sent) uint64) column {
	return column{name, "toString(" + name + ")", func(b []byte, s *sent) []byte { return strconv.AppendUint(b, of(s), 10) }}
}

func moment(name string, of func(*sent) int64) column {
	return column{name, "toString(toUnixTimestamp64Milli(" + name + "))", func(b []byte, s *sent) []byte { return strconv.AppendInt(b, of(s), 10) }}
}

// id is written without dashes.
func id(name string, of func(*sent) uuid.UUID) column {
	return column{name, "lower(hex(UUIDToNum(" + name + ")))", func(b []byte, s *sent) []byte {
		id := of(s)
		return hex.AppendEncode(b, id[:])
	}}
}

func bit(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}

// contentColumns are the same in every copy of one revision with one content.
var contentColumns = append([]column{
	id("person", func(s *sent) uuid.UUID { return s.person }),
	id("record_id", func(s *sent) uuid.UUID { return s.id }),
	number("version", (*sent).version),
	number("revision", func(s *sent) uint64 { return uint64(s.record.GetRevision()) }),
	number("content_hash", func(s *sent) uint64 { return s.contentHash }),
	text("void_reason", (*events.Record).GetVoidReason),
	number("future", func(s *sent) uint64 { return bit(s.future()) }),
	text("kind", kindOf),
	number("person_known", func(s *sent) uint64 { return bit(s.record.GetPersonKey() != "") }),
	text("source_id", (*events.Record).GetSourceId),
	number("source_seq", func(s *sent) uint64 { return s.record.GetSourceSeq() }),
	moment("event_time", func(s *sent) int64 { return s.record.GetEventTimeMs() }),
	moment("recorded_time", func(s *sent) int64 { return s.record.GetRecordedTimeMs() }),
	moment("arrival", arrivalOf),
}, statedColumns()...)

// statedColumns are what the three kinds of records state: one column for each field of their messages, whatever fields
// there are. It bears the field's name but where the store has another one.
func statedColumns() []column {
	bodies := bodies.Fields()
	fields := map[string][]protoreflect.FieldDescriptor{} // by column, of each kind of record
	var names []string
	for i := range bodies.Len() {
		for body, j := bodies.Get(i).Message().Fields(), 0; j < body.Len(); j++ {
			name := string(body.Get(j).Name())
			switch name {
			case "arrival_time_ms":
				continue // see arrivalOf
			case "kind":
				name = "assistance_kind"
			}
			if fields[name] == nil {
				fields[name] = make([]protoreflect.FieldDescriptor, bodies.Len())
				names = append(names, name)
			}
			fields[name][i] = body.Get(j)
		}
	}
	first := bodies.Get(0).Number()
	all := make([]column, len(names))
	for i, name := range names {
		of := fields[name]
		all[i] = column{name, statedSQL(name, of), func(b []byte, s *sent) []byte {
			field := of[s.bodyField-first]
			if field == nil {
				return appendNothing(b, of)
			}
			return appendStated(b, s.body, field)
		}}
	}
	return all
}

// statedSQL is the text of a column of a field's type.
func statedSQL(name string, fields []protoreflect.FieldDescriptor) string {
	switch field := one(fields); {
	case field.IsList():
		return "arrayStringConcat(" + name + ", ',')"
	case field.Kind() == protoreflect.Uint32Kind:
		return "ifNull(toString(" + name + "), '')"
	case field.Kind() == protoreflect.BoolKind:
		return "toString(" + name + ")"
	case strings.HasSuffix(string(field.Name()), "_id"):
		return "if(" + name + " = toUUID('" + uuid.Nil.String() + "'), '', toString(" + name + "))"
	}
	return name
}

// appendStated appends what a body states in a field.
func appendStated(b []byte, body protoreflect.Message, field protoreflect.FieldDescriptor) []byte {
	value := body.Get(field)
	switch {
	case field.IsList():
		for i := range value.List().Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, value.List().Get(i).String()...)
		}
		return b
	case field.Kind() == protoreflect.Uint32Kind:
		if !body.Has(field) {
			return b
		}
		return strconv.AppendUint(b, value.Uint(), 10)
	case field.Kind() == protoreflect.BoolKind:
		return strconv.AppendUint(b, bit(value.Bool()), 10)
	}
	return append(b, value.String()...)
}

// appendNothing appends what the column of a field holds of a record of a kind that does not have it.
func appendNothing(b []byte, fields []protoreflect.FieldDescriptor) []byte {
	if one(fields).Kind() == protoreflect.BoolKind {
		return append(b, '0')
	}
	return b
}

// one is the field in any kind of record that has it: they are of one type.
func one(fields []protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	return fields[slices.IndexFunc(fields, func(f protoreflect.FieldDescriptor) bool { return f != nil })]
}

// copyColumns differ between copies: the first copy with the largest version is the one that is stored.
var copyColumns = []column{
	moment("sent_at", func(s *sent) int64 { return s.sentAt }),
	{"topic", "topic", func(b []byte, s *sent) []byte { return append(b, s.place.Topic...) }},
	number("kafka_partition", func(s *sent) uint64 { return uint64(s.place.Partition) }),
	number("kafka_offset", func(s *sent) uint64 { return uint64(s.offset) }),
	// Rows from before migration 0005 have no place. Which log of the topic it is, the log itself does not tell.
	{"place", "toString(if(place = 0, kafka_offset + " + centreBit + ", bitAnd(place, 0x1ffffffffffff)))", placeOf},
}

// centreBit tells the places of the topic of centres from those of the other.
const centreBit = "bitShiftLeft(toUInt64(topic = '" + events.TopicCentre + "'), 48)"

func placeOf(b []byte, s *sent) []byte {
	at := uint64(s.offset)
	if s.place.Topic == events.TopicCentre {
		at += 1 << 48
	}
	return strconv.AppendUint(b, at, 10)
}

func kindOf(r *events.Record) string {
	switch {
	case r.GetCrossing() != nil:
		return "crossing"
	case r.GetRegistration() != nil:
		return "registration"
	}
	return "assistance"
}

func arrivalOf(s *sent) int64 {
	if stated := s.record.GetRegistration().GetArrivalTimeMs(); stated != 0 {
		return stated
	}
	return s.record.GetEventTimeMs()
}

// factor is what the hash of a column is multiplied with, so that two columns cannot change places.
func factor(i int) uint64 { return uint64(2*i+1) * 0x9e3779b97f4a7c15 }

// Hashes of a stored fact, in SQL; hasher computes the same of what was sent. The sum of the columns' hashes is mixed once
// more, so that the sum over many facts tells what stands beside what.
var (
	contentSQL = hashSQL(contentColumns)
	copySQL    = hashSQL(copyColumns)
)

func hashSQL(columns []column) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = fmt.Sprintf("xxHash64(%s) * %d", c.sql, factor(i))
	}
	return "intHash64(" + strings.Join(all, " + ") + ")"
}

// hasher hashes records as contentSQL and copySQL hash rows.
type hasher struct{ text []byte }

func (h *hasher) hash(columns []column, s *sent) uint64 {
	var sum uint64
	for i, c := range columns {
		h.text = c.sent(h.text[:0], s)
		sum += xxhash.Sum64(h.text) * factor(i)
	}
	return mix(sum)
}

// mix is ClickHouse's intHash64: the finalizer of MurmurHash3, of a number that a constant was laid over.
func mix(x uint64) uint64 {
	x ^= 0x4cf2d2baae6da887
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
