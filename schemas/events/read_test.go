package events

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"retorno/schemas/codelists"
)

// agrees fails when Read and the long way do not come to the same: what Read takes is valid, and the same record. It
// reports whether Read took the value.
func agrees(t rapid.TB, value []byte) bool {
	t.Helper()
	var short Fields
	took := Read(value, &short)
	opened, err := Open(value)
	if err != nil {
		if took {
			t.Fatalf("Read took what Open refuses: %v", err)
		}
		return false
	}
	long, err := FieldsOf(&opened)
	if took != (err == nil) && (took || usual(opened.Record)) {
		t.Fatalf("Read says %t, Validate says %v", took, err)
	}
	if took && !reflect.DeepEqual(short, long) {
		t.Fatalf("Read gives %+v\nthe long way %+v", short, long)
	}
	return took
}

// usual reports whether a record has nothing that Read leaves to Open.
func usual(r *Record) bool {
	return len(r.ProtoReflect().GetUnknown()) == 0 && len(r.GetCrossing().ProtoReflect().GetUnknown()) == 0 &&
		len(r.GetRegistration().ProtoReflect().GetUnknown()) == 0 && len(r.GetAssistance().ProtoReflect().GetUnknown()) == 0
}

// drawnRecord draws a record that is mostly valid: each answer is a code of its list, or left out, or now and then
// something else.
func drawnRecord(t *rapid.T) *Record {
	wrong := rapid.IntRange(0, 3).Draw(t, "wrong") == 0 // most records have no fault
	text := func(list string) string {
		l, _ := codelists.Get(list)
		switch n := rapid.IntRange(0, 40).Draw(t, list); {
		case n == 0 && wrong:
			return rapid.SampledFrom([]string{"nonsense", "\xff", "x-unk"}).Draw(t, "no code")
		case n < 14:
			return ""
		}
		return l.At(uint16(rapid.IntRange(0, l.Len()-1).Draw(t, "code")))
	}
	number := func(name string, low, high int64) int64 {
		if wrong && rapid.IntRange(0, 30).Draw(t, name+" wrong") == 0 {
			return rapid.SampledFrom([]int64{0, -1, low - 1, high + 1, 1 << 40}).Draw(t, name)
		}
		return rapid.Int64Range(low, high).Draw(t, name)
	}
	ms := func(name string) int64 { return number(name, minTimeMs, maxTimeMs-1) }
	id := func(name string) string {
		var b uuid.UUID
		binary.BigEndian.PutUint64(b[:], uint64(ms(name))<<16|7<<12)
		binary.BigEndian.PutUint64(b[8:], rapid.Uint64().Draw(t, name)&^(3<<62)|2<<62)
		if wrong && rapid.IntRange(0, 30).Draw(t, name+" wrong") == 0 {
			b[rapid.SampledFrom([]int{6, 8}).Draw(t, "byte")] = 0xff
		}
		return b.String()
	}
	age := func() *uint32 {
		if rapid.Bool().Draw(t, "age stated") {
			return proto.Uint32(uint32(number("age", 0, MaxAge)))
		}
		return nil
	}
	r := &Record{RecordId: id("record"), Revision: uint32(number("revision", 1, MaxRevision)), VoidReason: text(codelists.VoidReason),
		SourceId: rapid.SampledFrom([]string{"post-1", "centro-ñ"}).Draw(t, "source"), SourceSeq: uint64(number("seq", 1, MaxSeq)),
		EventTimeMs: ms("event"), RecordedTimeMs: ms("recorded"), SchemaVersion: 1}
	if wrong {
		r.SourceId = rapid.SampledFrom([]string{"post-1", "", "\xffpost", string(make([]byte, 65))}).Draw(t, "source")
		r.SchemaVersion = uint32(rapid.IntRange(0, 2).Draw(t, "schema"))
	}
	if rapid.Bool().Draw(t, "person") {
		r.PersonKey = fmt.Sprintf("%032x", rapid.Uint64().Draw(t, "key"))
	}
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0, 1, 2:
		x := &Crossing{Direction: rapid.SampledFrom([]string{"entry", "exit"}).Draw(t, "direction"), BorderPoint: "L-COR", Category: text(codelists.CrossingCategory),
			DocumentCheck: text(codelists.DocumentCheck), Sex: text(codelists.Sex), Age: age(), Nationality: text(codelists.Country)}
		if rapid.Bool().Draw(t, "elsewhere") {
			x.BorderPoint = text(codelists.BorderPoint)
		}
		if rapid.IntRange(0, 2).Draw(t, "returned") > 0 {
			x.Returned, x.Country, x.Mode, x.ReturnType = true, text(codelists.Country), text(codelists.Mode), text(codelists.ReturnType)
		}
		r.Body = &Record_Crossing{x}
	case 3, 4:
		g := &Registration{Centre: "CAMR-OMO", EntryPoint: text(codelists.BorderPoint), ExitPoint: text(codelists.BorderPoint), Country: text(codelists.Country),
			Mode: text(codelists.Mode), ReturnType: text(codelists.ReturnType), Programme: text(codelists.Programme), Sex: text(codelists.Sex), Age: age(),
			Nationality: text(codelists.Country), Municipality: text(codelists.Municipality), DestinationDepartment: text(codelists.Department),
			Accompanied: text(codelists.Accompaniment), TravelCompany: text(codelists.TravelCompany), IntendedCountry: text(codelists.Country),
			DisplacedByViolence: text(codelists.Answer), IntendsToMigrateAgain: text(codelists.Answer), Education: text(codelists.Education), Occupation: text(codelists.Occupation)}
		g.Department = codelists.DepartmentOf(g.Municipality)
		if rapid.IntRange(0, 3).Draw(t, "other department") == 0 {
			g.Department = text(codelists.Department)
		}
		for range rapid.IntRange(0, 3).Draw(t, "reasons") {
			g.Reasons = append(g.Reasons, text(codelists.Reason))
		}
		if rapid.Bool().Draw(t, "arrival stated") {
			g.ArrivalTimeMs = ms("arrival")
		}
		r.Body = &Record_Registration{g}
	case 5:
		a := &Assistance{Centre: "CAMR-OMO", Kind: text(codelists.AssistanceKind)}
		if rapid.Bool().Draw(t, "registration named") {
			a.RegistrationId = id("registration")
		}
		r.Body = &Record_Assistance{a}
	}
	return r
}

// sealDrawn seals a record; nothing comes of one whose text is not UTF-8.
func sealDrawn(t *rapid.T, r *Record) []byte {
	value, err := Seal(r, rapid.Int64Range(minTimeMs, maxTimeMs).Draw(t, "sent"), rapid.Int64Range(-1e7, 1e7).Draw(t, "offset"))
	if err != nil {
		return nil
	}
	return value
}

func TestReadAgreesWithTheLongWay(t *testing.T) {
	took, left := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		if agrees(t, sealDrawn(t, drawnRecord(t))) {
			took++
		} else {
			left++
		}
	})
	if took == 0 || left == 0 {
		t.Errorf("Read took %d records and left %d: one side was not tried", took, left)
	}
}

// TestReadAgreesOnBrokenBytes changes the bytes of a record, under a checksum that fits.
func TestReadAgreesOnBrokenBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := proto.Marshal(drawnRecord(t))
		if err != nil {
			return // text that is not UTF-8
		}
		for range rapid.IntRange(1, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(raw)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "change") {
			case 0:
				raw[at] = rapid.Byte().Draw(t, "byte")
			case 1:
				raw = append(raw[:at:at], raw[at+1:]...)
			case 2: // a field again, or an unknown one
				raw = protowire.AppendTag(raw, protowire.Number(rapid.IntRange(1, 14).Draw(t, "field")), protowire.VarintType)
				raw = protowire.AppendVarint(raw, rapid.Uint64().Draw(t, "number"))
			case 3:
				raw = protowire.AppendTag(raw, protowire.Number(rapid.IntRange(1, 14).Draw(t, "field")), protowire.BytesType)
				raw = protowire.AppendBytes(raw, raw[:at:at])
			}
			if len(raw) == 0 {
				return
			}
		}
		// What is wrong or unusual may be left to Open; only what Read takes is judged.
		value := sealRaw(raw)
		var short Fields
		if Read(value, &short) {
			agrees(t, value)
		}
	})
}

// BenchmarkDecode reads a registration in full: the short way, and the long one beside it.
func BenchmarkDecode(b *testing.B) {
	r := samples()["registration"]
	value, err := Seal(r, r.RecordedTimeMs, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		var f Fields
		for b.Loop() {
			if !Read(value, &f) {
				b.Fatal("not taken")
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			o, err := Open(value)
			if err != nil || len(Validate(o.Record)) > 0 {
				b.Fatal(err)
			}
		}
	})
}
