package events

import (
	"encoding/hex"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

	"retorno/schemas/codelists"
)

// Kind says what a record is about.
type Kind uint8

// The kinds of records.
const (
	KindCrossing Kind = 1 + iota
	KindRegistration
	KindAssistance
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

	ContentHash               uint64 // see Opened
	SentAtMs, ClockOffsetMs   int64  // see Opened
	SourceSeq                 uint64
	EventMs, RecordedMs       int64
	ArrivalMs                 int64 // of a registration; 0 when not stated
	Revision                  uint32
	Kind                      Kind
	Returned                  bool
	Age                       int16 // completed years; -1 when not stated
	ReasonCount               uint8
	Reasons                   [MaxReasons]Stated // in the order in which they were given
	VoidReason                Stated
	Direction, BorderPoint    Stated
	Category, DocumentCheck   Stated
	Sex, Nationality          Stated
	Country, Mode, ReturnType Stated
	Centre                    Stated // of a registration or of help
	EntryPoint, ExitPoint     Stated
	Programme                 Stated
	Department, Municipality  Stated
	DestinationDepartment     Stated
	DestinationMunicipality   Stated
	Accompanied               Stated
	TravelCompany             Stated
	IntendedCountry           Stated
	DisplacedByViolence       Stated
	IntendsToMigrateAgain     Stated
	Education, Occupation     Stated
	AssistanceKind            Stated
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
		Key: []byte(Key(r)), PersonKnown: r.GetPersonKey() != "", VoidReason: lists.voidReason.text(r.GetVoidReason()),
	}
	switch body := r.GetBody().(type) {
	case *Record_Crossing:
		f.ofCrossing(body.Crossing)
	case *Record_Registration:
		f.ofRegistration(body.Registration)
	case *Record_Assistance:
		a := body.Assistance
		f.Kind, f.Centre, f.AssistanceKind = KindAssistance, lists.centre.text(a.GetCentre()), lists.assistanceKind.text(a.GetKind())
		if a.GetRegistrationId() != "" {
			f.RegistrationID = uuid.MustParse(a.GetRegistrationId())
		}
	}
	return f, f.name()
}

func (f *Fields) ofCrossing(x *Crossing) {
	f.Kind, f.Returned = KindCrossing, x.GetReturned()
	f.Direction, f.BorderPoint = lists.direction.text(x.GetDirection()), lists.borderPoint.text(x.GetBorderPoint())
	f.Category, f.DocumentCheck = lists.category.text(x.GetCategory()), lists.documentCheck.text(x.GetDocumentCheck())
	f.Country, f.Mode, f.ReturnType = lists.country.text(x.GetCountry()), lists.mode.text(x.GetMode()), lists.returnType.text(x.GetReturnType())
	f.ofPerson(x.GetSex(), x.Age, x.GetNationality())
}

func (f *Fields) ofRegistration(x *Registration) {
	f.Kind, f.ArrivalMs = KindRegistration, x.GetArrivalTimeMs()
	f.Centre, f.Programme = lists.centre.text(x.GetCentre()), lists.programme.text(x.GetProgramme())
	f.EntryPoint, f.ExitPoint = lists.borderPoint.text(x.GetEntryPoint()), lists.borderPoint.text(x.GetExitPoint())
	f.Country, f.Mode, f.ReturnType = lists.country.text(x.GetCountry()), lists.mode.text(x.GetMode()), lists.returnType.text(x.GetReturnType())
	f.ofPerson(x.GetSex(), x.Age, x.GetNationality())
	f.Department, f.Municipality = lists.department.text(x.GetDepartment()), lists.municipality.text(x.GetMunicipality())
	f.DestinationDepartment = lists.department.text(x.GetDestinationDepartment())
	f.DestinationMunicipality = lists.municipality.text(x.GetDestinationMunicipality())
	f.Accompanied, f.TravelCompany = lists.accompanied.text(x.GetAccompanied()), lists.travelCompany.text(x.GetTravelCompany())
	for _, reason := range x.GetReasons() {
		f.Reasons[f.ReasonCount] = lists.reason.text(reason)
		f.ReasonCount++
	}
	f.IntendedCountry = lists.country.text(x.GetIntendedCountry())
	f.DisplacedByViolence, f.IntendsToMigrateAgain = lists.answer.text(x.GetDisplacedByViolence()), lists.answer.text(x.GetIntendsToMigrateAgain())
	f.Education, f.Occupation = lists.education.text(x.GetEducation()), lists.occupation.text(x.GetOccupation())
}

func (f *Fields) ofPerson(sex string, age *uint32, nationality string) {
	f.Sex, f.Nationality = lists.sex.text(sex), lists.country.text(nationality)
	if age != nil {
		f.Age = int16(*age)
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

var lists = struct {
	voidReason, direction, borderPoint, category, documentCheck, sex, country, mode, returnType, centre, programme list
	department, municipality, accompanied, travelCompany, reason, answer, education, occupation, assistanceKind    list
}{
	listOf(codelists.VoidReason), listOf(codelists.Direction), listOf(codelists.BorderPoint), listOf(codelists.CrossingCategory),
	listOf(codelists.DocumentCheck), listOf(codelists.Sex), listOf(codelists.Country), listOf(codelists.Mode), listOf(codelists.ReturnType),
	listOf(codelists.Centre), listOf(codelists.Programme), listOf(codelists.Department), listOf(codelists.Municipality),
	listOf(codelists.Accompaniment), listOf(codelists.TravelCompany), listOf(codelists.Reason), listOf(codelists.Answer),
	listOf(codelists.Education), listOf(codelists.Occupation), listOf(codelists.AssistanceKind),
}

// hashOf is the content hash of a record's bytes.
func hashOf(raw []byte) uint64 { return xxhash.Sum64(raw) }
