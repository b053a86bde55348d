package imports

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// part is a part of what a record says.
type part int

const (
	partClock part = iota
	partKey
	partPlace
	partSex
	partAge
	partRest // all else but the day
	parts
)

// partNames are the parts as the question names them, in Spanish and English.
var partNames = [parts][2]string{
	partClock: {"la hora", "the time of day"}, partKey: {"el documento", "the document"}, partPlace: {"el lugar", "the place"},
	partSex: {"el sexo", "sex"}, partAge: {"la edad", "age"}, partRest: {"otras columnas", "other columns"},
}

// group is what a second export of the same rows may have otherwise in every one of them: columns that were added, filled in
// wrongly, or moved in time.
type group struct {
	name [2]string // Spanish, English
	out  []part    // what is left out
	when when
}

// when says how far the times of two exports of the same rows lie apart.
type when int

const (
	sameDay   when = iota
	oneShift       // by as much in every row
	someShift      // by more in some rows than in others
)

// groups are one part, the time, and two parts, in this sequence: of two that explain as much, the first is named, and two parts
// are looked at where nothing else explains the file.
var groups = allGroups()

func allGroups() (out []group) {
	for p := range parts {
		out = append(out, group{partNames[p], []part{p}, sameDay})
	}
	out = append(out,
		group{[2]string{"la fecha o la hora", "date or time"}, []part{partClock}, oneShift},
		group{[2]string{"la fecha", "the date"}, nil, someShift})
	for p := range parts {
		for q := p + 1; q < parts; q++ {
			out = append(out, group{[2]string{partNames[p][0] + " y " + partNames[q][0], partNames[p][1] + " and " + partNames[q][1]}, []part{p, q}, sameDay})
		}
	}
	return out
}

// traits are what makes two records alike. Two records with the same traits say the same, but for when they were recorded.
type traits struct {
	day     calendar.Day
	clock   int64 // milliseconds since that day began
	arrival int64 // milliseconds since 1970, where a registration states it
	said    [parts]uint64
	kind    byte // crossing, registration or assistance
	// linked reports whether there is a person key.
	linked bool
}

func traitsOf(r *events.Record) traits {
	t := traits{day: calendar.DayOf(r.GetEventTimeMs()), arrival: r.GetRegistration().GetArrivalTimeMs(), kind: kindOf(r), linked: r.GetPersonKey() != ""}
	t.clock = r.GetEventTimeMs() - t.day.Start().UnixMilli()
	for i, text := range partsOf(r, t.clock) {
		t.said[i] = (xxhash.Sum64String(text) + uint64(i)) * spread // so that equal texts of two parts do not cancel out
	}
	return t
}

// kindOf tells the bodies of records apart.
func kindOf(r *events.Record) byte {
	switch {
	case r.GetCrossing() != nil:
		return 1
	case r.GetRegistration() != nil:
		return 2
	}
	return 3
}

// spread is an odd number that spreads small differences over 64 bits.
const spread = 0x9E3779B97F4A7C15

// without is equal for two records that differ in nothing but these parts and the day.
func (t *traits) without(out ...part) (mark uint64) {
	for i, said := range t.said {
		if !slices.Contains(out, part(i)) {
			mark ^= said
		}
	}
	return mark
}

// like is equal for two records that may be one before and after a correction of some cell: those of one moment, place,
// person key, sex and age.
func (t *traits) like() dated { return dated{day: t.day, mark: t.without(partRest)} }

// dated is a mark on a day, at a time where the mark leaves out the time of day.
type dated struct {
	day   calendar.Day
	clock int64
	mark  uint64
}

// partsOf are the parts of what a record says. A time of arrival is left out: it mostly follows the other.
func partsOf(r *events.Record, clock int64) (said [parts]string) {
	var number [8]byte
	binary.LittleEndian.PutUint64(number[:], uint64(clock))
	said[partClock], said[partKey] = string(number[:]), r.GetPersonKey()
	var rest proto.Message
	age := func(years *uint32) string {
		if years == nil {
			return ""
		}
		return string(rune('0' + *years))
	}
	switch {
	case r.GetCrossing() != nil:
		b := proto.CloneOf(r.GetCrossing())
		said[partPlace], said[partSex], said[partAge] = b.BorderPoint, b.Sex, age(b.Age)
		b.BorderPoint, b.Sex, b.Age = "", "", nil
		rest = b
	case r.GetRegistration() != nil:
		b := proto.CloneOf(r.GetRegistration())
		said[partPlace], said[partSex], said[partAge] = b.Centre, b.Sex, age(b.Age)
		b.Centre, b.Sex, b.Age, b.ArrivalTimeMs = "", "", nil, 0
		rest = b
	default:
		b := proto.CloneOf(r.GetAssistance())
		said[partPlace] = b.GetCentre()
		if b != nil {
			b.Centre = ""
		}
		rest = b
	}
	bytes, _ := proto.MarshalOptions{Deterministic: true}.Marshal(rest) // it was a message before
	said[partRest] = string(bytes)
	return said
}
