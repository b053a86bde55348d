package events

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func lineRecord() *Record {
	age := uint32(0)
	return &Record{RecordId: "01536b2e-5c00-7abc-8def-0123456789ab", Revision: 2, SourceId: "L-COR-1", SourceSeq: 1<<33 + 1, SchemaVersion: 1,
		PersonKey: "00112233445566778899aabbccddeeff", EventTimeMs: 1467266340000, RecordedTimeMs: 1467266400000,
		Body: &Record_Crossing{Crossing: &Crossing{Direction: "entry", BorderPoint: "L-COR", Returned: true, Age: &age, Country: "MX"}}}
}

func sealed(t *testing.T, r *Record, sentAt, offset int64) Message {
	t.Helper()
	value, err := Seal(r, sentAt, offset)
	if err != nil {
		t.Fatal(err)
	}
	return Message{Topic: Topic(r), Key: []byte(Key(r)), Value: value}
}

// lineMessages are messages that must survive a line of JSON byte for byte; the bool: as an event.
func lineMessages(t *testing.T) map[string]struct {
	message Message
	event   bool
} {
	good := sealed(t, lineRecord(), 1467266460000, -1500)
	with := func(change func(*Message)) Message {
		m := Message{good.Topic, bytes.Clone(good.Key), bytes.Clone(good.Value)}
		change(&m)
		return m
	}
	newer := lineRecord()
	newer.GetCrossing().ProtoReflect().SetUnknown([]byte{0xa0, 0x06, 0x01})
	return map[string]struct {
		message Message
		event   bool
	}{
		"event":                       {good, true},
		"event without offset":        {sealed(t, lineRecord(), 1467266460000, 0), true},
		"sent at no time":             {sealed(t, lineRecord(), 0, 0), false},
		"unknown field inside":        {sealed(t, newer, 1467266460000, 0), false},
		"invalid record":              {sealed(t, &Record{RecordId: "x"}, 1467266460000, 0), false},
		"tombstone":                   {with(func(m *Message) { m.Value = nil }), false},
		"empty value":                 {with(func(m *Message) { m.Value = []byte{} }), false},
		"wrong checksum":              {with(func(m *Message) { m.Value[12] ^= 1 }), false},
		"cut short":                   {with(func(m *Message) { m.Value = m.Value[:20] }), false},
		"other topic":                 {with(func(m *Message) { m.Topic = TopicCentre }), false},
		"other key":                   {with(func(m *Message) { m.Key = []byte("x") }), false},
		"no key":                      {with(func(m *Message) { m.Key = nil }), false},
		"something after the records": {with(func(m *Message) { m.Value = append(m.Value, 0x28, 0x01) }), false},
	}
}

func TestLinesLoseNothing(t *testing.T) {
	for name, c := range lineMessages(t) {
		line, err := AppendLine([]byte("before"), c.message)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		line = bytes.TrimPrefix(line, []byte("before"))
		if bytes.ContainsAny(line, "\n\r") || !json.Valid(line) {
			t.Errorf("%s: not one line of JSON: %s", name, line)
		}
		parsed, err := ParseLine(line)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, line)
		}
		if got := parsed.Envelope != nil; got != c.event {
			t.Errorf("%s: written as an event: %v; expected %v", name, got, c.event)
		}
		again, err := parsed.Message(99, 99)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Topic != c.message.Topic || !bytes.Equal(again.Key, c.message.Key) || !bytes.Equal(again.Value, c.message.Value) ||
			(again.Value == nil) != (c.message.Value == nil) {
			t.Errorf("%s: comes back as another message\nwas %q\nis  %q", name, c.message, again)
		}
	}
}

func TestLineFillsInWhatIsMissing(t *testing.T) {
	line := `{"record":{"record_id":"01536b2e-5c00-7abc-8def-0123456789ab","crossing":{"border_point":"L-COR"}}}`
	parsed, err := ParseLine([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parsed.Message(1467266460000, 7)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Open(m.Value)
	if err != nil {
		t.Fatal(err)
	}
	if o.SentAtMs != 1467266460000 || o.ClockOffsetMs != 7 || m.Topic != TopicCheckpoint || string(m.Key) != o.Record.RecordId {
		t.Errorf("sent as %+v, opened as %+v", m, o)
	}
}

func TestLinesThatAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		``:                                      "not a JSON object",
		`[]`:                                    "not a JSON object",
		`{}`:                                    `"record" is missing`,
		`{"recrod":{}}`:                         "recrod",
		`{"record":{"ages":[]}}`:                "ages",
		`{"topic":"","raw":null}`:               `"topic" is empty`,
		`{"topic":"t","key":"eA=="}`:            `"raw" is missing`,
		`{"topic":"t","raw":"eA==","value":""}`: "value",
		`{"topic":"t","raw":"not base64!"}`:     "raw message",
		`{"record":{},"sent_at_ms":"1"} {"record":{}}`: "not a JSON object",
		`{"topic":"t","raw":null} {"topic":"t"}`:       "not a JSON object",
	} {
		if _, err := ParseLine([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error that names %s; got %v", line, want, err)
		}
	}
	parsed, err := ParseLine([]byte(`{"record":{"record_id":"x"},"checksum":5}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.Message(1, 0); err == nil || !strings.Contains(err.Error(), "checksum 5") {
		t.Errorf("a wrong checksum: %v", err)
	}
}
