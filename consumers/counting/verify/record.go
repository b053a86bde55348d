package verify

import (
	"encoding/hex"
	"fmt"
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/consumers/counting/verify/wire"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// sent is one record as its source sent it, and where the log holds it.
type sent struct {
	record      *events.Record
	body        protoreflect.Message
	bodyField   protoreflect.FieldNumber // of the body in Record
	person, id  uuid.UUID
	contentHash uint64
	sentAt      int64 // milliseconds since 1970
	place       kafka.TopicPartition
	offset      int64
}

// bodies are the fields of Record that hold its body, one of them.
var bodies = new(events.Record).ProtoReflect().Descriptor().Oneofs().ByName("body")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// refused says why a message is no fact. Which of several reasons comes first does not matter here: it is counted.
type refused string

func (r refused) Error() string { return string(r) }

// open reads a message by the schema's text: the envelope, its checksum, its version, what makes a record valid, and
// where it belongs. The error is refused for what belongs among the dead letters.
func open(m *wire.Message, at kafka.TopicPartition, partitions int) (*sent, error) {
	switch {
	case m.Unreadable != "":
		return nil, refused(m.Unreadable)
	case len(m.Value) == 0 || len(m.Value) > events.MaxValueBytes:
		return nil, refused(fmt.Sprintf("a value of %d bytes", len(m.Value)))
	}
	var envelope events.Envelope
	if err := proto.Unmarshal(m.Value, &envelope); err != nil {
		return nil, refused(err.Error())
	}
	raw, err := rawRecord(m.Value)
	if err != nil {
		return nil, err
	}
	r := envelope.GetRecord()
	if sum := crc32.Checksum(raw, castagnoli); sum != envelope.GetChecksum() {
		return nil, refused(fmt.Sprintf("checksum %08x, computed %08x", envelope.GetChecksum(), sum))
	}
	if r.GetSchemaVersion() > events.SchemaVersion {
		return nil, refused(fmt.Sprintf("schema version %d", r.GetSchemaVersion()))
	}
	if faults := events.Validate(r); len(faults) > 0 {
		return nil, refused(faults[0].String())
	}
	if at, offset := envelope.GetSentAtMs(), envelope.GetClockOffsetMs(); at < year2000 || at >= year2100 || offset < -year2100 || offset > year2100 {
		return nil, refused(fmt.Sprintf("sent at %d by a clock that is %d off", at, offset))
	}
	of := r.ProtoReflect().WhichOneof(bodies)
	s := &sent{record: r, body: r.ProtoReflect().Get(of).Message(), bodyField: of.Number(), contentHash: xxhash.Sum64(raw), sentAt: envelope.GetSentAtMs(), place: at, offset: m.Offset}
	key := s.key()
	switch {
	case string(m.Key) != key:
		return nil, refused("another key than the record's")
	case partitionOf(m.Key, partitions) != at.Partition:
		return nil, refused("another partition than the key's")
	case (r.GetCrossing() != nil) != (at.Topic == events.TopicCheckpoint):
		return nil, refused("another topic than the record's")
	}
	if s.id, err = uuid.Parse(r.GetRecordId()); err != nil {
		return nil, refused(err.Error())
	}
	s.person, err = personOf(key, r.GetPersonKey() != "")
	return s, err
}

// What METHOD.md says of the numbers of an envelope, in milliseconds.
const (
	year2000 = 946_684_800_000
	year2100 = 4_102_444_800_000
)

// rawRecord finds the record's bytes in an envelope, which must hold one record and a checksum.
func rawRecord(value []byte) (raw []byte, err error) {
	records, checksums := 0, 0
	for b := value; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, refused("no envelope")
		}
		b = b[n:]
		switch {
		case number == 1 && kind == protowire.BytesType:
			raw, n = protowire.ConsumeBytes(b)
			records++
		case number == 2 && kind == protowire.Fixed32Type:
			checksums++
			fallthrough
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return nil, refused("no envelope")
		}
		b = b[n:]
	}
	if records != 1 || checksums == 0 {
		return nil, refused(fmt.Sprintf("an envelope with %d records and %d checksums", records, checksums))
	}
	return raw, nil
}

// key is the name under which a record's facts meet: the person key, else the registration under which help was given,
// else the record's own id.
func (s *sent) key() string {
	r := s.record
	switch {
	case r.GetPersonKey() != "":
		return r.GetPersonKey()
	case r.GetAssistance().GetRegistrationId() != "":
		return r.GetAssistance().GetRegistrationId()
	}
	return r.GetRecordId()
}

func personOf(key string, known bool) (id uuid.UUID, err error) {
	if !known {
		if id, err = uuid.Parse(key); err != nil {
			return id, refused(err.Error())
		}
		return id, nil
	}
	if n, err := hex.Decode(id[:], []byte(key)); err != nil || n != len(id) {
		return id, refused("a person key that is not 32 hexadecimal digits")
	}
	return id, nil
}

// future reports whether the event lies more than an hour after the moment when this copy was sent.
func (s *sent) future() bool {
	const hour = 3_600_000
	return s.record.GetEventTimeMs()-hour > s.sentAt
}

// version is what orders copies and revisions: revision, 39 bits of the content's hash, and whether it is not future.
func (s *sent) version() uint64 {
	v := uint64(s.record.GetRevision())<<40 | s.contentHash>>25<<1
	if s.future() {
		return v
	}
	return v | 1
}

// partitionOf is where Java clients put a key: MurmurHash2 with the seed of org.apache.kafka.common.utils.Utils, the
// sign bit dropped, modulo the number of partitions.
func partitionOf(key []byte, partitions int) int {
	const m = 0x5bd1e995
	h := uint32(0x9747b28c) ^ uint32(len(key))
	b := key
	for ; len(b) >= 4; b = b[4:] {
		k := (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24) * m
		h = h*m ^ (k^k>>24)*m
	}
	for i := len(b) - 1; i >= 0; i-- {
		h ^= uint32(b[i]) << (8 * i)
	}
	if len(b) > 0 {
		h *= m
	}
	h = (h ^ h>>13) * m
	return int((h^h>>15)&0x7fffffff) % partitions
}
