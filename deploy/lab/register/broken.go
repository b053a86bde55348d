package register

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"retorno/schemas/events"
)

// breakage is a message that cannot be understood, made from a sound revision.
type breakage struct {
	way uint8 // place in ways
	rev int32
}

// way is one way in which a message goes wrong.
type way struct {
	// code is the reason code with which it is rejected.
	code string
	// everyday: it happens in ordinary weeks too.
	everyday bool
	// record breaks the record before it is sealed, where the record is what is wrong; bytes breaks the sealed value.
	record func(*events.Record)
	bytes  func([]byte) []byte
}

// code is the reason code with which the message is rejected.
func (b *breakage) code() string { return ways[b.way].code }

// ways are what goes wrong. A record that is wrong in a field has an id of its own, so that taking it for good would
// change a count; it repeats the number of a sound record, so that nothing is missing from its computer.
var ways = []way{
	{code: events.CodeChecksum, everyday: true, bytes: flipInRecord},
	{code: events.CodeMalformed, everyday: true, bytes: func(b []byte) []byte { return b[:len(b)/2] }},
	{code: events.CodeUnknownCode, everyday: true, record: func(r *events.Record) { setCentreOrPost(r, "L-XXX") }},
	{code: events.CodeRequired, everyday: true, record: func(r *events.Record) { setCentreOrPost(r, "") }},
	{code: events.CodeEmpty, bytes: func([]byte) []byte { return nil }},
	{code: events.CodeEmpty, bytes: func([]byte) []byte { return []byte{} }},
	{code: events.CodeMalformed, bytes: func([]byte) []byte { return []byte("{\"record\": \"this is JSON\"}") }},
	{code: events.CodeMalformed, bytes: func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 40) }},
	{code: events.CodeMalformed, bytes: reseal(func(raw []byte) []byte { return append(raw, 0x07) })},
	{code: events.CodeChecksum, bytes: withoutChecksum},
	{code: events.CodeInvalidUTF8, bytes: reseal(badText)},
	{code: events.CodeTooLarge, bytes: tooLarge},
	{code: events.CodeSchemaVersion, record: func(r *events.Record) { r.SchemaVersion = events.SchemaVersion + 1 }},
	{code: events.CodeRequired, record: func(r *events.Record) { r.SchemaVersion = 0 }},
	{code: events.CodeRequired, record: func(r *events.Record) { r.Body = nil }},
	{code: events.CodeRequired, record: func(r *events.Record) { r.RecordId = "" }},
	{code: events.CodeRequired, record: func(r *events.Record) { r.SourceId = "" }},
	{code: events.CodeInvalidID, record: func(r *events.Record) { r.RecordId = "f47ac10b-58cc-4372-a567-0e02b2c3d479" }},
	{code: events.CodeInvalidKey, record: func(r *events.Record) { r.PersonKey = "0801-1990-00001" }},
	{code: events.CodeOutOfRange, record: func(r *events.Record) { r.Revision = 0 }},
	{code: events.CodeOutOfRange, record: func(r *events.Record) { r.Revision = 1<<32 - 1 }},
	{code: events.CodeOutOfRange, record: func(r *events.Record) { r.EventTimeMs = 0 }},
	{code: events.CodeOutOfRange, record: func(r *events.Record) { r.EventTimeMs *= 1000 }},
	{code: events.CodeOutOfRange, record: func(r *events.Record) { r.SourceSeq = 1<<64 - 1 }},
	{code: events.CodeOutOfRange, everyday: true, record: oldAsMethuselah},
	{code: events.CodeContradiction, record: contradict},
	{code: events.CodeNotAllowed, record: notAllowed},
	{code: events.CodeOutOfRange, record: sound, bytes: stating(fieldSentAt, 4204483200_000)}, // in 2103
	{code: events.CodeOutOfRange, record: sound, bytes: stating(fieldSentAt, 0)},
	{code: events.CodeOutOfRange, record: sound, bytes: stating(fieldClockOffset, 1<<62)},
}

// sound leaves a record as it is: what is wrong is its envelope.
func sound(*events.Record) {}

// breakMessages draws which messages are broken, of each way that happens at least one.
func (g *generator) breakMessages() {
	g.reseed(purposeBroken, 0)
	n := g.number(g.rates.Broken * float64(len(g.facts)))
	if n == 0 {
		return
	}
	var happen []uint8
	for i, w := range ways {
		if w.everyday || g.settings.Mess == Hard {
			happen = append(happen, uint8(i))
		}
	}
	for i := range max(n, len(happen)) {
		b := breakage{way: happen[i%len(happen)], rev: int32(g.rng.IntN(len(g.revs)))}
		for g.revs[b.rev].marks&markLost != 0 { // its number must not arrive
			b.rev = (b.rev + 1) % int32(len(g.revs))
		}
		if ways[b.way].code == events.CodeTooLarge && i >= len(happen)*8 {
			b.way = happen[0]
		}
		g.sends = append(g.sends, send{at: g.revs[b.rev].recorded + latency + g.between(0, day), rev: -1 - int32(len(g.broken))})
		g.broken = append(g.broken, b)
	}
}

// brokenEvent is a broken message: on the topic and under the key of the sound one.
func (e *encoder) brokenEvent(s send) (Event, error) {
	n := -1 - s.rev
	b := &e.r.broken[n]
	w := &ways[b.way]
	record := e.recordOf(b.rev)
	message := events.Message{Topic: events.Topic(record), Key: []byte(events.Key(record))}
	if w.record != nil {
		record.RecordId = recordID(e.r.settings.Seed, -2-n, record.RecordedTimeMs).String()
		record.Revision, record.VoidReason = 1, ""
		w.record(record)
	}
	value, err := events.Seal(record, s.at, e.offset(e.r.sources.ids[e.r.revs[b.rev].source], 0))
	if err != nil {
		return Event{}, fmt.Errorf("register: %w", err)
	}
	if w.bytes != nil {
		value = w.bytes(value)
	}
	message.Value = value
	return Event{Message: message, SentAtMs: s.at, Broken: w.code}, nil
}

// setCentreOrPost writes a code into the field that every body must have.
func setCentreOrPost(r *events.Record, code string) {
	switch body := r.Body.(type) {
	case *events.Record_Crossing:
		body.Crossing.BorderPoint = code
	case *events.Record_Registration:
		body.Registration.Centre = code
	case *events.Record_Assistance:
		body.Assistance.Centre = code
	}
}

// oldAsMethuselah states an age of 400; help, which states no age, a time in the year 2200.
func oldAsMethuselah(r *events.Record) {
	age := uint32(400)
	switch body := r.Body.(type) {
	case *events.Record_Crossing:
		body.Crossing.Age = &age
	case *events.Record_Registration:
		body.Registration.Age = &age
	default:
		r.RecordedTimeMs = 7258118400_000
	}
}

// contradict states two things that exclude each other.
func contradict(r *events.Record) {
	r.Body = &events.Record_Crossing{Crossing: &events.Crossing{Direction: "exit", BorderPoint: "L-COR", Returned: true}}
}

// notAllowed puts a code where it has no meaning.
func notAllowed(r *events.Record) {
	r.Body = &events.Record_Registration{Registration: &events.Registration{Centre: "X-NON"}}
}

// flipInRecord flips a bit of the record inside a sealed value, which stands in front.
func flipInRecord(value []byte) []byte {
	_, _, tag := protowire.ConsumeTag(value)
	_, length := protowire.ConsumeVarint(value[tag:])
	value[tag+length+8] ^= 0x04
	return value
}

// withoutChecksum takes the checksum out of a sealed value.
func withoutChecksum(value []byte) []byte {
	var out []byte
	for b := value; len(b) > 0; {
		number, kind, tag := protowire.ConsumeTag(b)
		n := tag + protowire.ConsumeFieldValue(number, kind, b[tag:])
		if kind != protowire.Fixed32Type {
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// Field numbers of the envelope, as in events.proto.
const (
	fieldSentAt      = 3
	fieldClockOffset = 4
)

// stating makes a field of a sealed value say a number instead of what it says.
func stating(field protowire.Number, n uint64) func([]byte) []byte {
	return func(value []byte) []byte {
		var out []byte
		for b := value; len(b) > 0; {
			number, kind, tag := protowire.ConsumeTag(b)
			n := tag + protowire.ConsumeFieldValue(number, kind, b[tag:])
			if number != field {
				out = append(out, b[:n]...)
			}
			b = b[n:]
		}
		return protowire.AppendVarint(protowire.AppendTag(out, field, protowire.VarintType), n)
	}
}

// badText makes the source's name bytes that are no UTF-8.
func badText(raw []byte) []byte {
	const fieldSource = 4
	raw = protowire.AppendTag(raw, fieldSource, protowire.BytesType)
	return protowire.AppendBytes(raw, []byte("L-COR-\xc3\x28"))
}

// tooLarge is a value beyond what is read, mostly of one letter: small while it is compressed.
func tooLarge(value []byte) []byte {
	const fieldUnknown = 1000
	value = protowire.AppendTag(slices.Clone(value), fieldUnknown, protowire.BytesType)
	return protowire.AppendBytes(value, bytes.Repeat([]byte{'A'}, events.MaxValueBytes))
}

// reseal changes the record's bytes and gives them the right checksum.
func reseal(change func([]byte) []byte) func([]byte) []byte {
	return func(value []byte) []byte {
		_, _, tag := protowire.ConsumeTag(value)
		raw, n := protowire.ConsumeBytes(value[tag:])
		return sealBytes(change(slices.Clone(raw)), value[tag+n:])
	}
}

// sealBytes is an envelope of these record bytes with their right checksum and the other fields of rest.
func sealBytes(raw, rest []byte) []byte {
	const fieldRecord, fieldChecksum = 1, 2
	out := protowire.AppendTag(nil, fieldRecord, protowire.BytesType)
	out = protowire.AppendBytes(out, raw)
	out = protowire.AppendTag(out, fieldChecksum, protowire.Fixed32Type)
	out = protowire.AppendFixed32(out, crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli)))
	return append(out, withoutChecksum(rest)...)
}
