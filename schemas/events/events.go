// Package events is the language in which border posts and reception centres report facts: the protobuf messages,
// the envelope around them, what makes a record valid, and which topic and key carry it.
//
// It promises that a value alone can be re-read: the checksum covers the record's exact bytes, and the content hash
// that orders two contents of one revision is computed from the same bytes. It does no I/O and knows no clock.
// What cannot be opened comes back as a *Rejection with a stable code; what can be opened but is wrong comes back
// from Validate as a list of every fault.
package events

import (
	"fmt"
	"hash/crc32"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	// TopicCheckpoint carries crossings.
	TopicCheckpoint = "retorno.checkpoint.v1"
	// TopicCentre carries registrations and assistance. It has as many partitions as TopicCheckpoint and the same keys.
	TopicCentre = "retorno.centre.v1"
	// TopicDeadLetter carries what could not be understood, as it came, with its cause and origin.
	TopicDeadLetter = "retorno.deadletter.v1"

	// SchemaVersion is the version that this code writes and the highest that it reads.
	SchemaVersion = 1
	// MaxValueBytes is the largest value that is read as an envelope; an honest one has a few hundred bytes.
	MaxValueBytes = 64 << 10
)

// Field numbers of Envelope, as in events.proto.
const (
	fieldRecord      = 1
	fieldChecksum    = 2
	fieldSentAt      = 3
	fieldClockOffset = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Opened is one message value, taken apart and checked against its checksum.
type Opened struct {
	Record *Record
	// ContentHash is xxHash64 (seed 0) of the record's bytes as they stand on the wire. Of two contents of one
	// revision the larger hash wins, everywhere.
	ContentHash uint64
	// SentAtMs is when this copy was sent, in broker time; milliseconds since 1970-01-01 UTC.
	SentAtMs int64
	// ClockOffsetMs is how far the source's clock was ahead of the broker's; milliseconds.
	ClockOffsetMs int64
}

// Rejection says why a value cannot be understood. It is final: reading the same value again gives the same answer.
type Rejection struct {
	Code   string // stable reason code
	Field  string // field of the record, where one is to blame
	Detail string
}

// Reason codes of Rejection that concern the value as a whole. Those of single fields are the codes of Fault.
const (
	CodeEmpty         = "empty"          // no bytes at all: a tombstone, or a lost value
	CodeTooLarge      = "too_large"      // more than MaxValueBytes
	CodeMalformed     = "malformed"      // not the protobuf message of events.proto
	CodeInvalidUTF8   = "invalid_utf8"   // a text field holds bytes that are not UTF-8
	CodeChecksum      = "checksum"       // the record's bytes are not the ones that were sent
	CodeSchemaVersion = "schema_version" // written by a newer schema than this code knows
	CodeUnreadable    = "unreadable"     // in a batch that is whole by its checksum and still cannot be taken apart
	CodeMisfiled      = "misfiled"       // sent to another topic or under another key than the record's own
)

func (r *Rejection) Error() string {
	if r.Field != "" {
		return fmt.Sprintf("%s: field %s: %s", r.Code, r.Field, r.Detail)
	}
	return r.Code + ": " + r.Detail
}

func reject(code, format string, args ...any) *Rejection {
	return &Rejection{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Seal makes the value of a Kafka message: the envelope of one copy of r. Sealing one record twice gives the same
// record bytes. sentAtMs and clockOffsetMs are in milliseconds, as in the schema.
func Seal(r *Record, sentAtMs, clockOffsetMs int64) ([]byte, error) {
	if r == nil {
		return nil, fmt.Errorf("seal: no record")
	}
	raw, err := Bytes(r)
	if err != nil {
		return nil, fmt.Errorf("seal record %s: %w", r.GetRecordId(), err)
	}
	return SealBytes(raw, sentAtMs, clockOffsetMs), nil
}

// Bytes are those of a record on the wire. Protobuf promises the same ones for the same record within one build only:
// who sends copies over a longer time keeps them.
func Bytes(r *Record) ([]byte, error) { return proto.MarshalOptions{Deterministic: true}.Marshal(r) }

// SealBytes is Seal for a record whose bytes were made before.
func SealBytes(raw []byte, sentAtMs, clockOffsetMs int64) []byte {
	b := make([]byte, 0, len(raw)+32)
	b = protowire.AppendTag(b, fieldRecord, protowire.BytesType)
	b = protowire.AppendBytes(b, raw)
	b = protowire.AppendTag(b, fieldChecksum, protowire.Fixed32Type)
	b = protowire.AppendFixed32(b, crc32.Checksum(raw, castagnoli))
	b = protowire.AppendTag(b, fieldSentAt, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(sentAtMs))
	if clockOffsetMs != 0 {
		b = protowire.AppendTag(b, fieldClockOffset, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(clockOffsetMs))
	}
	return b
}

// Open takes a message value apart and checks it against its checksum and schema version. The error, when there is
// one, is a *Rejection. Fields that this version does not know are kept in the record as unknown fields.
func Open(value []byte) (Opened, error) {
	frame, raw, rejection := unwrap(value)
	if rejection != nil {
		return Opened{}, rejection
	}
	r := new(Record)
	if err := proto.Unmarshal(raw, r); err != nil {
		if strings.Contains(err.Error(), "invalid UTF-8") {
			return Opened{}, reject(CodeInvalidUTF8, "a text field of the record is not UTF-8")
		}
		return Opened{}, reject(CodeMalformed, "the record is not a message of schema version %d", SchemaVersion)
	}
	if r.SchemaVersion > SchemaVersion {
		return Opened{}, &Rejection{Code: CodeSchemaVersion, Field: "schema_version",
			Detail: fmt.Sprintf("version %d; this program reads up to %d", r.SchemaVersion, SchemaVersion)}
	}
	if rejection := frame.bounds(); rejection != nil {
		return Opened{}, rejection
	}
	return Opened{Record: r, ContentHash: hashOf(raw), SentAtMs: frame.sentAt, ClockOffsetMs: frame.offset}, nil
}

type frame struct {
	checksum       uint32
	hasChecksum    bool
	sentAt, offset int64
}

// bounds refuses times and clocks that cannot be: every other computer would be measured against them.
func (f frame) bounds() *Rejection {
	switch {
	case !TimeCanBe(f.sentAt):
		return &Rejection{Code: CodeOutOfRange, Field: "sent_at_ms", Detail: fmt.Sprintf("%d; the time of sending lies between 2000 and 2100, in milliseconds since 1970", f.sentAt)}
	case f.offset < -maxClockOffsetMs || f.offset > maxClockOffsetMs:
		return &Rejection{Code: CodeOutOfRange, Field: "clock_offset_ms", Detail: fmt.Sprintf("%d; a clock is at most 130 years off, %d ms", f.offset, int64(maxClockOffsetMs))}
	}
	return nil
}

// unwrap reads the envelope and hands out the record's bytes after checking them. A field of the envelope that
// comes twice is refused rather than merged: the checksum covers one record.
func unwrap(value []byte) (f frame, raw []byte, _ *Rejection) {
	switch {
	case len(value) == 0:
		return f, nil, reject(CodeEmpty, "the message has no value")
	case len(value) > MaxValueBytes:
		return f, nil, reject(CodeTooLarge, "%d bytes; at most %d are read", len(value), MaxValueBytes)
	}
	for b := value; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return f, nil, reject(CodeMalformed, "the value is not an envelope")
		}
		b = b[n:]
		switch {
		case number == fieldRecord && kind == protowire.BytesType:
			if raw != nil {
				return f, nil, reject(CodeMalformed, "the envelope holds more than one record")
			}
			raw, n = protowire.ConsumeBytes(b)
		case number == fieldChecksum && kind == protowire.Fixed32Type:
			f.checksum, n = protowire.ConsumeFixed32(b)
			f.hasChecksum = true
		case number == fieldSentAt && kind == protowire.VarintType:
			f.sentAt, n = consumeInt64(b)
		case number == fieldClockOffset && kind == protowire.VarintType:
			f.offset, n = consumeInt64(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return f, nil, reject(CodeMalformed, "the value is not an envelope")
		}
		b = b[n:]
	}
	switch {
	case raw == nil:
		return f, nil, reject(CodeMalformed, "the envelope holds no record")
	case !f.hasChecksum:
		return f, nil, reject(CodeChecksum, "the envelope carries no checksum")
	case f.checksum != crc32.Checksum(raw, castagnoli):
		return f, nil, reject(CodeChecksum, "the record's bytes do not match their checksum")
	}
	return f, raw, nil
}

func consumeInt64(b []byte) (int64, int) {
	v, n := protowire.ConsumeVarint(b)
	return int64(v), n
}

// Topic is the Kafka topic that carries r.
func Topic(r *Record) string {
	if r.GetCrossing() != nil {
		return TopicCheckpoint
	}
	return TopicCentre
}

// Key is the Kafka key of r, and the name under which its facts meet: the person key; else, for help, the id of the
// registration under which it was given; else the record's own id.
func Key(r *Record) string {
	if r.GetPersonKey() != "" {
		return r.GetPersonKey()
	}
	if id := r.GetAssistance().GetRegistrationId(); id != "" {
		return id
	}
	return r.GetRecordId()
}
