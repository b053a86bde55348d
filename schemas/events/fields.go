package events

import (
	"encoding/hex"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// Kind says what a record is about.
type Kind = dictionary.Kind

// The kinds of records.
const (
	KindCrossing     = dictionary.Crossing
	KindRegistration = dictionary.Registration
	KindAssistance   = dictionary.Assistance
)

// Stated is an answer out of a code list: 0 when nothing was stated, else one more than the code's index. Not to answer
// and to answer "unknown" are two things to a record, and one to the method.
type Stated uint16

// Index is the answer's place in its list; 0, the unknown code, when nothing was stated.
func (s Stated) Index() uint16 {
	if s == 0 {
		return 0
	}
	return uint16(s) - 1
}

// MaxReasons is how many reasons a record can state: no reason comes twice.
const MaxReasons = 16

// Fields is a valid record with its answers as numbers: what Open and Validate accept, in a form that costs no
// allocation. Times are in milliseconds since 1970-01-01 UTC. Source and Key are bytes of the value it was read from.
type Fields struct {
	RecordID       uuid.UUID
	RegistrationID uuid.UUID // of help: the registration under which it was given; zero when none is named
	Person         uuid.UUID // the key under which the record's facts meet, as 16 bytes
	Key            []byte    // the same as text, as the Kafka key bears it: see Key
	PersonKnown    bool      // the key is a person's
	Source         []byte

	ContentHash             uint64 // see Opened
	SentAtMs, ClockOffsetMs int64  // see Opened
	SourceSeq               uint64
	EventMs, RecordedMs     int64
	ArrivalMs               int64 // of a registration; 0 when not stated
	Revision                uint32
	Kind                    Kind
	Returned                bool
	Age                     int16 // completed years; -1 when not stated
	ReasonCount             uint8
	Reasons                 [MaxReasons]Stated // in the order in which they were given
	VoidReason              Stated
	// Codes are the record's attributes of type Code by their place in the dictionary.
	Codes [dictionary.AllCodes]Stated
}

// Topic is the Kafka topic that carries the record.
func (f *Fields) Topic() string {
	if f.Kind == KindCrossing {
		return TopicCheckpoint
	}
	return TopicCentre
}

// FieldsOf takes an opened record apart that Validate finds no fault with; the error is for one that it would refuse.
func FieldsOf(o *Opened) (Fields, error) {
	if faults := Validate(o.Record); len(faults) > 0 {
		return Fields{}, fmt.Errorf("record %s: %w", o.Record.GetRecordId(), AsRejection(faults))
	}
	r := o.Record
	f := Fields{
		RecordID: uuid.MustParse(r.GetRecordId()), Source: []byte(r.GetSourceId()), ContentHash: o.ContentHash,
		SentAtMs: o.SentAtMs, ClockOffsetMs: o.ClockOffsetMs, SourceSeq: r.GetSourceSeq(), EventMs: r.GetEventTimeMs(),
		RecordedMs: r.GetRecordedTimeMs(), Revision: r.GetRevision(), Age: -1,
		Key: []byte(Key(r)), PersonKnown: r.GetPersonKey() != "", VoidReason: voidReasons.text(r.GetVoidReason()),
	}
	kind, body := bodyOf(r)
	f.Kind = kind
	for _, slot := range slots[kind] {
		f.read(slot, body)
	}
	return f, f.name()
}

// bodyOf is what a record is about, and its body; zero and nil when it has none.
func bodyOf(r *Record) (Kind, protoreflect.Message) {
	switch body := r.GetBody().(type) {
	case *Record_Crossing:
		return KindCrossing, body.Crossing.ProtoReflect()
	case *Record_Registration:
		return KindRegistration, body.Registration.ProtoReflect()
	case *Record_Assistance:
		return KindAssistance, body.Assistance.ProtoReflect()
	}
	return 0, nil
}

// read takes an attribute out of a body that has no fault.
func (f *Fields) read(s *slot, body protoreflect.Message) {
	switch value := body.Get(s.field); s.Type {
	case dictionary.Code:
		f.Codes[s.Coded] = s.list.text(value.String())
	case dictionary.Codes:
		for i := range value.List().Len() {
			f.Reasons[f.ReasonCount] = s.list.text(value.List().Get(i).String())
			f.ReasonCount++
		}
	case dictionary.Age:
		if body.Has(s.field) {
			f.Age = int16(value.Uint())
		}
	case dictionary.Flag:
		f.Returned = value.Bool()
	case dictionary.Time:
		f.ArrivalMs = value.Int()
	case dictionary.ID:
		if text := value.String(); text != "" {
			f.RegistrationID = uuid.MustParse(text)
		}
	}
}

// name turns the key into 16 bytes.
func (f *Fields) name() error {
	if !f.PersonKnown {
		f.Person = f.RecordID
		if f.RegistrationID != uuid.Nil {
			f.Person = f.RegistrationID
		}
		return nil
	}
	_, err := hex.Decode(f.Person[:], f.Key)
	return err
}

// list is a code list that numbers its codes.
type list struct{ *codelists.List }

func (l list) text(code string) Stated {
	if code == "" {
		return 0
	}
	i, _ := l.Index(code)
	return Stated(i) + 1
}

// read is text for bytes; false when the list does not have them.
func (l list) read(code []byte) (Stated, bool) {
	if len(code) == 0 {
		return 0, true
	}
	i, ok := l.IndexBytes(code)
	return Stated(i) + 1, ok
}

func listOf(name string) list {
	l, ok := codelists.Get(name)
	if !ok {
		panic("events: no code list " + name)
	}
	return list{l}
}

var voidReasons = listOf(codelists.VoidReason)

// slot is an attribute of one kind of record, as it is read.
type slot struct {
	*dictionary.Attribute
	path  string // as faults name it: registration.exit_point
	list  list   // of its codes
	field protoreflect.FieldDescriptor
}

// slots are the attributes by kind of record, in the order of their numbers on the wire; numbered finds them by those.
var slots, numbered = func() (ordered [KindAssistance + 1][]*slot, byNumber [KindAssistance + 1][]*slot) {
	file_schemas_events_events_proto_init() // generated; else it would run after this
	bodies := map[Kind]protoreflect.MessageDescriptor{
		KindCrossing: new(Crossing).ProtoReflect().Descriptor(), KindRegistration: new(Registration).ProtoReflect().Descriptor(),
		KindAssistance: new(Assistance).ProtoReflect().Descriptor(),
	}
	if !dictionary.Current() {
		panic("events: attributes were added or dropped: run make generate")
	}
	for _, kind := range dictionary.Kinds() {
		for _, a := range dictionary.Of(kind) {
			s := &slot{Attribute: a, list: list{a.Codes}, path: kind.String() + "." + a.Field, field: bodies[kind].Fields().ByNumber(protoreflect.FieldNumber(a.Numbers[kind]))}
			if s.field == nil {
				panic(fmt.Sprintf("events: events.proto lacks %s.%s: run make generate", kind, a.Field))
			}
			ordered[kind] = append(ordered[kind], s)
			for n := a.Numbers[kind]; len(byNumber[kind]) <= n; {
				byNumber[kind] = append(byNumber[kind], nil)
			}
			byNumber[kind][a.Numbers[kind]] = s
		}
	}
	return ordered, byNumber
}()

// hashOf is the content hash of a record's bytes.
func hashOf(raw []byte) uint64 { return xxhash.Sum64(raw) }
