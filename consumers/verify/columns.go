package verify

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

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

func crossing(name string, of func(*events.Crossing) string) column {
	return text(name, func(r *events.Record) string { return of(r.GetCrossing()) })
}

func registration(name string, of func(*events.Registration) string) column {
	return text(name, func(r *events.Record) string { return of(r.GetRegistration()) })
}

// both is a column of crossings and registrations.
func both(name string, x func(*events.Crossing) string, g func(*events.Registration) string) column {
	return text(name, func(r *events.Record) string {
		if c := r.GetCrossing(); c != nil {
			return x(c)
		}
		return g(r.GetRegistration())
	})
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
var contentColumns = []column{
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
	crossing("direction", (*events.Crossing).GetDirection),
	crossing("border_point", (*events.Crossing).GetBorderPoint),
	number("returned", func(s *sent) uint64 { return bit(s.record.GetCrossing().GetReturned()) }),
	crossing("category", (*events.Crossing).GetCategory),
	crossing("document_check", (*events.Crossing).GetDocumentCheck),
	both("sex", (*events.Crossing).GetSex, (*events.Registration).GetSex),
	{"age", "ifNull(toString(age), '')", ageOf},
	both("nationality", (*events.Crossing).GetNationality, (*events.Registration).GetNationality),
	both("country", (*events.Crossing).GetCountry, (*events.Registration).GetCountry),
	both("mode", (*events.Crossing).GetMode, (*events.Registration).GetMode),
	both("return_type", (*events.Crossing).GetReturnType, (*events.Registration).GetReturnType),
	text("centre", centreOf),
	registration("entry_point", (*events.Registration).GetEntryPoint),
	registration("exit_point", (*events.Registration).GetExitPoint),
	registration("programme", (*events.Registration).GetProgramme),
	registration("department", (*events.Registration).GetDepartment),
	registration("municipality", (*events.Registration).GetMunicipality),
	registration("destination_department", (*events.Registration).GetDestinationDepartment),
	registration("destination_municipality", (*events.Registration).GetDestinationMunicipality),
	registration("accompanied", (*events.Registration).GetAccompanied),
	registration("travel_company", (*events.Registration).GetTravelCompany),
	{"reasons", "arrayStringConcat(reasons, ',')", reasonsOf},
	registration("intended_country", (*events.Registration).GetIntendedCountry),
	registration("displaced_by_violence", (*events.Registration).GetDisplacedByViolence),
	registration("intends_to_migrate_again", (*events.Registration).GetIntendsToMigrateAgain),
	registration("education", (*events.Registration).GetEducation),
	registration("occupation", (*events.Registration).GetOccupation),
	text("assistance_kind", func(r *events.Record) string { return r.GetAssistance().GetKind() }),
	id("registration_id", registrationOf),
}

// copyColumns differ between copies: the first copy with the largest version is the one that is stored.
var copyColumns = []column{
	moment("sent_at", func(s *sent) int64 { return s.sentAt }),
	{"topic", "topic", func(b []byte, s *sent) []byte { return append(b, s.place.topic...) }},
	number("kafka_partition", func(s *sent) uint64 { return uint64(s.place.partition) }),
	number("kafka_offset", func(s *sent) uint64 { return uint64(s.offset) }),
	// Rows from before migration 0005 have no place. Which log of the topic it is, the log itself does not tell.
	{"place", "toString(if(place = 0, kafka_offset + " + centreBit + ", bitAnd(place, 0x1ffffffffffff)))", placeOf},
}

// centreBit tells the places of the topic of centres from those of the other.
const centreBit = "bitShiftLeft(toUInt64(topic = '" + events.TopicCentre + "'), 48)"

func placeOf(b []byte, s *sent) []byte {
	at := uint64(s.offset)
	if s.place.topic == events.TopicCentre {
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

func ageOf(b []byte, s *sent) []byte {
	var age *uint32
	if c := s.record.GetCrossing(); c != nil {
		age = c.Age
	}
	if g := s.record.GetRegistration(); g != nil {
		age = g.Age
	}
	if age == nil {
		return b
	}
	return strconv.AppendUint(b, uint64(*age), 10)
}

func reasonsOf(b []byte, s *sent) []byte {
	for i, reason := range s.record.GetRegistration().GetReasons() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, reason...)
	}
	return b
}

func centreOf(r *events.Record) string {
	if help := r.GetAssistance(); help != nil {
		return help.GetCentre()
	}
	return r.GetRegistration().GetCentre()
}

func registrationOf(s *sent) uuid.UUID {
	named, err := uuid.Parse(s.record.GetAssistance().GetRegistrationId())
	if err != nil {
		return uuid.Nil // none: what is valid names one or none
	}
	return named
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
