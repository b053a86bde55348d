package spool

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"

	"retorno/schemas/calendar"
)

const journalFile = "journal"

// Fields of an entry of the journal, in protobuf's wire format. Entries of all kinds are told apart by what they hold.
const (
	fieldID       = 1 // of a record: its id, 16 bytes
	fieldRevision = 2
	fieldSeq      = 3
	fieldAt       = 4 // milliseconds since 1970-01-01 UTC
	fieldRecord   = 5 // bytes of the record, those of every copy
	fieldMAC      = 6 // of the form, under the key of the day
	fieldSealed   = 7 // clerk and identity, under the key of the day
	fieldAcked    = 8 // of an acknowledgement: all numbers up to this one
	fieldRun      = 9 // of a start: id of the run
	fieldSource   = 10
	fieldNews     = 11 // of a record, or of an entry without a number: what other offices are told
	fieldTold     = 12 // of a note: other offices were told of all numbers up to this one
	fieldHeard    = 13 // of a note: other offices were told of all entries without a number up to this one of the journal
)

// entry is an entry of the journal, read.
type entry struct {
	id       uuid.UUID
	revision uint32
	seq      uint64
	at       int64
	record   []byte
	mac      []byte
	sealed   []byte
	acked    uint64
	run      string
	source   string
	news     []byte
	written  []byte // all of it, of one that is being saved
	told     uint64
	heard    uint64
}

func (e *entry) time() time.Time { return time.UnixMilli(e.at) }

// day is that of the data key.
func (e *entry) day() calendar.Day { return calendar.DayOf(e.at) }

// name binds what is sealed to its record.
func (e *entry) name() string { return sealName(e.id.String(), e.revision) }

func sealName(id string, revision uint32) string { return fmt.Sprintf("%s/%d", id, revision) }

func (e *entry) bytes() []byte {
	var b []byte
	number := func(field protowire.Number, v uint64) {
		b = protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
	}
	text := func(field protowire.Number, v []byte) {
		b = protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
	}
	text(fieldID, e.id[:])
	number(fieldRevision, uint64(e.revision))
	number(fieldSeq, e.seq)
	number(fieldAt, uint64(e.at))
	text(fieldRecord, e.record)
	text(fieldMAC, e.mac)
	text(fieldSealed, e.sealed)
	if len(e.news) > 0 {
		text(fieldNews, e.news)
	}
	return b
}

// noteBytes are those of an entry that is no record.
func (e *entry) noteBytes() []byte {
	b := protowire.AppendBytes(protowire.AppendTag(nil, fieldID, protowire.BytesType), e.id[:])
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldAt, protowire.VarintType), uint64(e.at))
	return protowire.AppendBytes(protowire.AppendTag(b, fieldNews, protowire.BytesType), e.news)
}

func ackEntry(through uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, fieldAcked, protowire.VarintType), through)
}

func toldEntry(through uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, fieldTold, protowire.VarintType), through)
}

func heardEntry(through uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, fieldHeard, protowire.VarintType), through)
}

func runEntry(source, run string) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, fieldRun, protowire.BytesType), run)
	return protowire.AppendString(protowire.AppendTag(b, fieldSource, protowire.BytesType), source)
}

var errEntry = errors.New("an entry of the journal is not what this program writes")

// parseEntry reads an entry. Its bytes stay those of b. A field that it does not know is passed over.
func parseEntry(b []byte) (e entry, err error) {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return e, errEntry
		}
		b = b[n:]
		var v uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return e, errEntry
		}
		b = b[n:]
		if !e.set(field, v, text) {
			return e, errEntry
		}
	}
	return e, nil
}

func (e *entry) set(field protowire.Number, v uint64, text []byte) bool {
	switch field {
	case fieldID:
		return copy(e.id[:], text) == len(e.id)
	case fieldRevision:
		e.revision = uint32(v)
	case fieldSeq:
		e.seq = v
	case fieldAt:
		e.at = int64(v)
	case fieldRecord:
		e.record = text
	case fieldMAC:
		e.mac = text
	case fieldSealed:
		e.sealed = text
	case fieldAcked:
		e.acked = v
	case fieldRun:
		e.run = string(text)
	case fieldSource:
		e.source = string(text)
	case fieldNews:
		e.news = text
	case fieldTold:
		e.told = v
	case fieldHeard:
		e.heard = v
	}
	return true
}
