package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"

	"google.golang.org/protobuf/proto"
)

// Message is what Kafka carries: a topic, a key and a value. A nil Value is a tombstone; an empty one has no bytes.
type Message struct {
	Topic      string
	Key, Value []byte
}

// Line is one line of JSON Lines: an event, or a message that is none.
//
// An event is the JSON form of Envelope. A message that no envelope describes (broken bytes, a wrong checksum, a
// foreign key) is {"topic": …, "key": base64, "raw": base64}, with "raw": null for a tombstone, and is sent as it is.
// A line of the second form is known by its "topic".
type Line struct {
	// Envelope is the event; nil when the line holds a raw message.
	Envelope *Envelope
	// Raw is the message to send as it is, when Envelope is nil.
	Raw Message
}

// rawLine is the JSON form of a raw message. Bytes are base64, as everywhere in JSON.
type rawLine struct {
	Topic *string `json:"topic"`
	Key   []byte  `json:"key"`
	Raw   []byte  `json:"raw"`
}

// AppendLine appends the JSON line of a message to b, without the line's end: as an event when it is a valid one and
// that says all there is to the message, else raw. What ParseLine reads back is the same message, byte for byte. An
// invalid record goes raw because who sends an event line is told of its faults, and who sends a raw one means it.
func AppendLine(b []byte, m Message) ([]byte, error) {
	if e, ok := asEnvelope(m); ok {
		line, err := MarshalJSONLine(e)
		return append(b, line...), err
	}
	line, err := json.Marshal(rawLine{Topic: &m.Topic, Key: m.Key, Raw: m.Value})
	if err != nil {
		return b, fmt.Errorf("message as JSON: %w", err)
	}
	return append(b, line...), nil
}

// asEnvelope reports whether sealing the message's record again gives the very same message.
func asEnvelope(m Message) (*Envelope, bool) {
	o, err := Open(m.Value)
	if err != nil || hasUnknown(o.Record) || len(Validate(o.Record)) > 0 || m.Topic != Topic(o.Record) || string(m.Key) != Key(o.Record) {
		return nil, false
	}
	again, err := Seal(o.Record, o.SentAtMs, o.ClockOffsetMs)
	if err != nil || !bytes.Equal(again, m.Value) {
		return nil, false
	}
	return &Envelope{Record: o.Record, SentAtMs: o.SentAtMs, ClockOffsetMs: o.ClockOffsetMs}, true
}

// hasUnknown reports whether r has fields that this version does not know, which JSON would lose.
func hasUnknown(r *Record) bool {
	bodies := []proto.Message{r, r.GetCrossing(), r.GetRegistration(), r.GetAssistance()}
	return slices.ContainsFunc(bodies, func(m proto.Message) bool { return len(m.ProtoReflect().GetUnknown()) > 0 })
}

// checksumOf is the checksum that Seal gives an envelope of r.
func checksumOf(r *Record) (uint32, error) {
	raw, err := Bytes(r)
	if err != nil {
		return 0, fmt.Errorf("checksum of record %s: %w", r.GetRecordId(), err)
	}
	return crc32.Checksum(raw, castagnoli), nil
}

// ParseLine reads one line of JSON. A field that neither form has is an error that names it. The checksum of an event,
// where it is given, must be that of its record.
func ParseLine(line []byte) (Line, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return Line{}, fmt.Errorf("not an event: not a JSON object: %w", err)
	}
	if _, raw := fields["topic"]; !raw {
		e, err := UnmarshalJSONLine(line)
		return Line{Envelope: e}, err
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	var r rawLine
	if err := d.Decode(&r); err != nil {
		return Line{}, fmt.Errorf(`not a raw message ("topic", "key", "raw" as base64): %w`, err)
	}
	if r.Topic == nil || *r.Topic == "" {
		return Line{}, fmt.Errorf(`not a raw message: the field "topic" is empty`)
	}
	if _, ok := fields["raw"]; !ok {
		return Line{}, fmt.Errorf(`not a raw message: the field "raw" is missing (null is a tombstone)`)
	}
	return Line{Raw: Message{Topic: *r.Topic, Key: r.Key, Value: r.Raw}}, nil
}

// Message is what to send for the line. An event that does not say when it was sent gets sentAtMs and clockOffsetMs,
// both in milliseconds as in the schema. The record is not validated.
func (l Line) Message(sentAtMs, clockOffsetMs int64) (Message, error) {
	if l.Envelope == nil {
		return l.Raw, nil
	}
	e := l.Envelope
	if e.GetSentAtMs() != 0 {
		sentAtMs, clockOffsetMs = e.GetSentAtMs(), e.GetClockOffsetMs()
	}
	value, err := Seal(e.GetRecord(), sentAtMs, clockOffsetMs)
	if err != nil {
		return Message{}, err
	}
	if sum := e.GetChecksum(); sum != 0 {
		again, err := checksumOf(e.GetRecord())
		if err != nil {
			return Message{}, err
		}
		if again != sum {
			return Message{}, fmt.Errorf("the checksum %d is not that of the record, %d; leave it out to have it filled in", sum, again)
		}
	}
	return Message{Topic: Topic(e.GetRecord()), Key: []byte(Key(e.GetRecord())), Value: value}, nil
}
