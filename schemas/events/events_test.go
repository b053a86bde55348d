package events

import (
	"bytes"
	"errors"
	"flag"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write golden messages that are not there yet")

const (
	sentAt = 1467345600_000
	offset = -1500
)

func age(n uint32) *uint32 { return &n }

// samples are one record of each kind with every field set, as the released schema has them.
func samples() map[string]*Record {
	base := func(body isRecord_Body) *Record {
		return &Record{RecordId: "01552000-0000-7000-8000-000000000001", Revision: 2, SourceId: "L-COR-1", SourceSeq: 7,
			PersonKey: "00112233445566778899aabbccddeeff", EventTimeMs: 1464760800_000, RecordedTimeMs: 1464760860_000, SchemaVersion: 1, Body: body}
	}
	void := base(&Record_Crossing{&Crossing{Direction: "exit", BorderPoint: "L-AGC"}})
	void.VoidReason = "entered_in_error"
	return map[string]*Record{
		"crossing": base(&Record_Crossing{&Crossing{Direction: "entry", BorderPoint: "L-COR", Returned: true, Category: "traveller", DocumentCheck: "suspected_false",
			Sex: "F", Age: age(0), Nationality: "HN", Country: "MX", Mode: "land", ReturnType: "deported"}}),
		"registration": base(&Record_Registration{&Registration{Centre: "CAMR-OMO", ArrivalTimeMs: 1464757200_000, EntryPoint: "L-COR", ExitPoint: "X-BLD", Country: "US",
			Mode: "air", ReturnType: "voluntary", Programme: "caravan", Sex: "M", Age: age(120), Nationality: "GT", Department: "HN-CR", Municipality: "0501",
			DestinationDepartment: "HN-YO", DestinationMunicipality: "1811", Accompanied: "unaccompanied", TravelCompany: "alone", Reasons: []string{"violence", "economic"},
			IntendedCountry: "US", DisplacedByViolence: "yes", IntendsToMigrateAgain: "no", Education: "3", Occupation: "9"}}),
		"assistance": base(&Record_Assistance{&Assistance{Centre: "CANFM-BEL", Kind: "food", RegistrationId: "01552000-0000-7000-8000-000000000002"}}),
		"void":       void,
	}
}

// TestGoldenMessages reads the messages of every released schema version, byte for byte as they were written then.
func TestGoldenMessages(t *testing.T) {
	for name, r := range samples() {
		path := filepath.Join("testdata", "v1", name+".bin")
		value, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) && *update {
			if value, err = Seal(r, sentAt, offset); err == nil {
				err = os.WriteFile(path, value, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		o, err := Open(value)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !proto.Equal(o.Record, r) || o.SentAtMs != sentAt || o.ClockOffsetMs != offset {
			t.Errorf("%s reads as\n%v", name, o.Record)
		}
		if faults := Validate(o.Record); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// TestUnknownFieldsAreKept is what lets an old consumer read what a new producer writes.
func TestUnknownFieldsAreKept(t *testing.T) {
	raw, err := proto.Marshal(samples()["crossing"])
	if err != nil {
		t.Fatal(err)
	}
	raw = protowire.AppendTag(raw, 900, protowire.BytesType)
	raw = protowire.AppendString(raw, "of the next version")
	r := new(Record)
	if err := proto.Unmarshal(raw, r); err != nil {
		t.Fatal(err)
	}
	value, err := Seal(r, sentAt, 0)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Open(value)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(o.Record.ProtoReflect().GetUnknown(), []byte("of the next version")) {
		t.Error("the unknown field is lost")
	}
}

// TestCopiesHaveOneContent: copies of one revision differ in when they were sent and in nothing else.
func TestCopiesHaveOneContent(t *testing.T) {
	r := samples()["registration"]
	hashes := map[uint64]bool{}
	for _, at := range []int64{sentAt, sentAt + 1} {
		value, err := Seal(r, at, at%7)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Open(value)
		if err != nil {
			t.Fatal(err)
		}
		hashes[o.ContentHash] = true
	}
	if len(hashes) != 1 {
		t.Error("two copies have two contents")
	}
}

func TestEveryFlippedByteOfTheRecordIsSeen(t *testing.T) {
	value, err := Seal(samples()["crossing"], sentAt, offset)
	if err != nil {
		t.Fatal(err)
	}
	_, raw, rejection := unwrap(value)
	if rejection != nil {
		t.Fatal(rejection)
	}
	start := bytes.Index(value, raw)
	for i := range raw {
		broken := bytes.Clone(value)
		broken[start+i] ^= 0x10
		_, err := Open(broken)
		if r := (*Rejection)(nil); !errors.As(err, &r) || r.Code != CodeChecksum {
			t.Fatalf("byte %d flipped: %v", i, err)
		}
	}
}

func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	sealed := func(r *Record) []byte {
		value, err := Seal(r, sentAt, 0)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	crossing := samples()["crossing"]
	at := func(sentAt, offset int64) []byte {
		value, err := Seal(crossing, sentAt, offset)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	newer := proto.Clone(crossing).(*Record)
	newer.SchemaVersion = SchemaVersion + 1
	good := sealed(crossing)
	for name, c := range map[string]struct {
		value []byte
		code  string
	}{
		"nothing":             {nil, CodeEmpty},
		"no message":          {[]byte{0xff, 0xff, 0xff}, CodeMalformed},
		"text":                {[]byte("hola"), CodeMalformed},
		"cut short":           {good[:len(good)/2], CodeMalformed},
		"two records":         {append(bytes.Clone(good), good...), CodeMalformed},
		"no record":           {protowire.AppendVarint(protowire.AppendTag(nil, fieldSentAt, protowire.VarintType), 1), CodeMalformed},
		"no checksum":         {protowire.AppendBytes(protowire.AppendTag(nil, fieldRecord, protowire.BytesType), nil), CodeChecksum},
		"too large":           {make([]byte, MaxValueBytes+1), CodeTooLarge},
		"a newer schema":      {sealed(newer), CodeSchemaVersion},
		"a record of rubbish": {sealRaw([]byte{0x0a, 0x05, 'x'}), CodeMalformed},
		"text not in UTF-8":   {sealRaw([]byte{0x0a, 0x01, 0xff}), CodeInvalidUTF8},
		"never sent":          {at(0, 0), CodeOutOfRange},
		"sent in 1999":        {at(minTimeMs-1, 0), CodeOutOfRange},
		"sent in 2103":        {at(4200000000_000, 0), CodeOutOfRange},
		"sent at no time":     {at(math.MinInt64, 0), CodeOutOfRange},
		"a clock of nowhere":  {at(sentAt, maxClockOffsetMs+1), CodeOutOfRange},
		"a clock of long ago": {at(sentAt, math.MinInt64), CodeOutOfRange},
	} {
		_, err := Open(c.value)
		if r := (*Rejection)(nil); !errors.As(err, &r) || r.Code != c.code {
			t.Errorf("%s: %v, want code %s", name, err, c.code)
		}
	}
}

// sealRaw is an envelope around bytes that need not be a record, with a checksum that fits.
func sealRaw(raw []byte) []byte {
	b := protowire.AppendBytes(protowire.AppendTag(nil, fieldRecord, protowire.BytesType), raw)
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldSentAt, protowire.VarintType), sentAt)
	return protowire.AppendFixed32(protowire.AppendTag(b, fieldChecksum, protowire.Fixed32Type), crc32.Checksum(raw, castagnoli))
}

// TestOpenNeverPanics on any bytes, and what it opens it can seal again.
func TestOpenNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "value")
		if rapid.Bool().Draw(t, "sealed") {
			value = sealRaw(value)
		}
		o, err := Open(value)
		if err != nil {
			return
		}
		Validate(o.Record)
		if _, err := Seal(o.Record, o.SentAtMs, o.ClockOffsetMs); err != nil {
			t.Fatal(err)
		}
	})
}

func TestEveryFaultOfARecordIsNamedByField(t *testing.T) {
	for _, c := range []struct {
		of    string
		spoil func(*Record)
		want  string // field: code, in order
	}{
		{"crossing", func(r *Record) { r.RecordId = "" }, "record_id: required"},
		{"crossing", func(r *Record) { r.RecordId = strings.ToUpper("01552000-0000-7000-8000-00000000000a") }, "record_id: invalid_id"},
		{"crossing", func(r *Record) { r.RecordId = "01552000-0000-4000-8000-000000000001" }, "record_id: invalid_id"},
		{"crossing", func(r *Record) { r.RecordId = "ffffffff-ffff-7000-8000-000000000001" }, "record_id: invalid_id"},
		{"crossing", func(r *Record) { r.Revision = 0 }, "revision: out_of_range"},
		{"crossing", func(r *Record) { r.Revision = MaxRevision + 1 }, "revision: out_of_range"},
		{"crossing", func(r *Record) { r.VoidReason = "whim" }, "void_reason: unknown_code"},
		{"crossing", func(r *Record) { r.SourceId, r.SourceSeq = "", 0 }, "source_id: required, source_seq: out_of_range"},
		{"crossing", func(r *Record) { r.PersonKey = "abc" }, "person_key: invalid_key"},
		{"crossing", func(r *Record) { r.PersonKey = strings.Repeat("A", 32) }, "person_key: invalid_key"},
		{"crossing", func(r *Record) { r.EventTimeMs, r.RecordedTimeMs = -1, 1<<62 }, "event_time_ms: out_of_range, recorded_time_ms: out_of_range"},
		{"crossing", func(r *Record) { r.SchemaVersion = 0 }, "schema_version: required"},
		{"crossing", func(r *Record) { r.Body = nil }, "body: required"},
		{"crossing", func(r *Record) { r.GetCrossing().Age = age(400) }, "crossing.age: out_of_range"},
		{"crossing", func(r *Record) { r.GetCrossing().BorderPoint = "L-XYZ" }, "crossing.border_point: unknown_code"},
		{"crossing", func(r *Record) { r.GetCrossing().BorderPoint = "X-BLD" }, "crossing.border_point: not_allowed"},
		{"crossing", func(r *Record) { r.GetCrossing().BorderPoint = "" }, "crossing.border_point: required"},
		{"crossing", func(r *Record) { r.GetCrossing().Direction = "exit" }, "crossing.returned: contradiction"},
		{"crossing", func(r *Record) { r.GetCrossing().Category = "deceased" }, "crossing.returned: contradiction"},
		{"crossing", func(r *Record) { r.GetCrossing().Returned = false }, "crossing.returned: contradiction"},
		{"registration", func(r *Record) { r.GetRegistration().Centre = "" }, "registration.centre: required"},
		{"registration", func(r *Record) { r.GetRegistration().Centre = "X-NON" }, "registration.centre: not_allowed"},
		{"registration", func(r *Record) { r.GetRegistration().EntryPoint = "X-BLD" }, "registration.entry_point: not_allowed"},
		{"registration", func(r *Record) { r.GetRegistration().Municipality = "0801" }, "registration.municipality: contradiction"},
		{"registration", func(r *Record) { r.GetRegistration().Department = "" }, ""},
		{"registration", func(r *Record) { r.GetRegistration().Department = "XX" }, ""},
		{"registration", func(r *Record) { r.GetRegistration().Reasons = []string{"family", "family", "boredom"} },
			"registration.reasons: repeated, registration.reasons: unknown_code"},
		{"registration", func(r *Record) { r.GetRegistration().ArrivalTimeMs = 5 }, "registration.arrival_time_ms: out_of_range"},
		{"registration", func(r *Record) { r.GetRegistration().Sex, r.GetRegistration().Nationality = "X", "ZZ" },
			"registration.sex: unknown_code, registration.nationality: unknown_code"},
		{"assistance", func(r *Record) { r.GetAssistance().Kind, r.GetAssistance().RegistrationId = "", "x" },
			"assistance.kind: required, assistance.registration_id: invalid_id"},
	} {
		r := samples()[c.of]
		c.spoil(r)
		var got []string
		for _, f := range Validate(r) {
			got = append(got, f.Field+": "+f.Code)
			if f.Detail == "" {
				t.Errorf("%s: the fault says nothing", f)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("faults %v, want %s", got, c.want)
		}
	}
}

func TestFactsOfOnePersonMeetUnderOneKey(t *testing.T) {
	all := samples()
	for name, r := range all {
		if Key(r) != r.PersonKey {
			t.Errorf("%s: key %s", name, Key(r))
		}
	}
	help, registration := all["assistance"], all["registration"]
	help.PersonKey, registration.PersonKey = "", ""
	registration.RecordId = help.GetAssistance().RegistrationId
	if Key(help) != Key(registration) {
		t.Error("help without a document does not meet the registration it names")
	}
	help.GetAssistance().RegistrationId = ""
	if Key(help) != help.RecordId {
		t.Error("help that names no person stands alone")
	}
	if Topic(all["crossing"]) != TopicCheckpoint || Topic(registration) != TopicCentre || Topic(help) != TopicCentre {
		t.Error("a record is on the wrong topic")
	}
}
