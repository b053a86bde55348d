package register

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// encoder turns sendings into messages. It is used by one goroutine.
type encoder struct {
	r            *Register
	record       events.Record
	crossing     events.Record_Crossing
	registration events.Record_Registration
	help         events.Record_Assistance
	age          uint32
}

func newEncoder(r *Register) *encoder {
	e := &encoder{r: r}
	e.crossing.Crossing = new(events.Crossing)
	e.registration.Registration = new(events.Registration)
	e.help.Assistance = new(events.Assistance)
	return e
}

// event is the message of one sending.
func (e *encoder) event(s send) (Event, error) {
	if s.rev < 0 {
		return e.brokenEvent(s)
	}
	record := e.recordOf(s.rev)
	offset := e.offset(record.SourceId, s.ahead)
	value, err := events.Seal(record, s.at, offset)
	if err != nil {
		return Event{}, fmt.Errorf("register: %w", err)
	}
	return Event{Message: events.Message{Topic: events.Topic(record), Key: []byte(events.Key(record)), Value: value}, SentAtMs: s.at}, nil
}

// offset is how far a computer's clock is ahead, in milliseconds: what the sending says, and always a little.
func (e *encoder) offset(source string, ahead int32) int64 {
	little := int64(mix(e.r.settings.Seed, purposeOutages, xxhash.Sum64String(source))%240_000) - 120_000
	return int64(ahead)*second + little
}

// recordOf is a revision as a message. It is overwritten by the next call.
func (e *encoder) recordOf(rev int32) *events.Record {
	r := &e.r.revs[rev]
	e.fill(r)
	if r.marks&markTwin != 0 {
		e.lose(rev)
	}
	return &e.record
}

// lose makes the record in hand, a twin of the revision after it, the one that does not hold: of two contents of one
// revision the one with the larger hash does. The store compares the upper 39 bits.
func (e *encoder) lose(rev int32) {
	const compared = 64 - 39
	e.fill(&e.r.revs[rev+1])
	winner := e.hash() >> compared
	twin := e.r.revs[rev]
	for {
		e.fill(&twin)
		if e.hash()>>compared < winner {
			return
		}
		twin.recorded++
	}
}

func (e *encoder) hash() uint64 {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(&e.record)
	if err != nil {
		panic(fmt.Sprintf("register: a made record cannot be written: %v", err))
	}
	return xxhash.Sum64(raw)
}

// fill writes a revision into the record in hand.
func (e *encoder) fill(r *revision) {
	f := &e.r.facts[r.fact]
	seed := e.r.settings.Seed
	m := &e.record
	m.Reset()
	m.RecordId = f.id(seed).String()
	m.Revision = uint32(r.number)
	if r.void != 0 {
		m.VoidReason = voidList.At(uint16(r.void))
	}
	m.SourceId = e.r.sources.ids[r.source]
	m.SourceSeq = uint64(r.seq)
	if f.person != none {
		key := personKey(seed, f.person)
		m.PersonKey = hex.EncodeToString(key[:])
	}
	m.EventTimeMs, m.RecordedTimeMs, m.SchemaVersion = r.event, r.recorded, events.SchemaVersion
	switch f.kind {
	case kindCrossing:
		e.fillCrossing(r)
		m.Body = &e.crossing
	case kindRegistration:
		e.fillRegistration(r)
		m.Body = &e.registration
	default:
		x := e.help.Assistance
		x.Reset()
		x.Centre, x.Kind = r.said.code(dimCentre), kindList.At(uint16(r.detail))
		if f.under != none {
			x.RegistrationId = e.r.facts[f.under].id(seed).String()
		}
		m.Body = &e.help
	}
}

// spoken is what a record says of an attribute: nothing, where nothing is stated, or "unknown" written out.
func (r *revision) spoken(d dim) string {
	// No clerk writes that the department is unknown beside a municipality of it.
	if r.said[d] == 0 && r.marks&markSpelled != 0 && !(d == dimDepartment && r.said[dimMunicipality] != 0) {
		return lists[d].Unknown
	}
	return r.said.stated(d)
}

func (e *encoder) ageOf(r *revision) *uint32 {
	if r.said[dimAge] == 0 {
		return nil
	}
	e.age = uint32(r.said.age())
	return &e.age
}

func (e *encoder) fillCrossing(r *revision) {
	x := e.crossing.Crossing
	x.Reset()
	x.Direction = "entry"
	if r.marks&markExit != 0 {
		x.Direction = "exit"
	}
	x.BorderPoint = r.said.code(dimEntry)
	x.Returned = r.marks&markReturned != 0
	if r.category != 0 {
		x.Category = categoryList.At(uint16(r.category))
	}
	if r.detail != 0 {
		x.DocumentCheck = checkList.At(uint16(r.detail))
	}
	x.Sex, x.Age, x.Nationality = r.spoken(dimSex), e.ageOf(r), r.spoken(dimNationality)
	if x.Returned {
		x.Country, x.Mode, x.ReturnType = r.spoken(dimCountry), r.spoken(dimMode), r.spoken(dimReturnType)
	}
}

func (e *encoder) fillRegistration(r *revision) {
	x := e.registration.Registration
	x.Reset()
	x.Centre = r.said.code(dimCentre)
	x.ArrivalTimeMs = r.arrival
	x.EntryPoint, x.ExitPoint = r.spoken(dimEntry), r.spoken(dimExit)
	x.Country, x.Mode, x.ReturnType = r.spoken(dimCountry), r.spoken(dimMode), r.spoken(dimReturnType)
	x.Sex, x.Age, x.Nationality = r.spoken(dimSex), e.ageOf(r), r.spoken(dimNationality)
	x.Department, x.Municipality = r.spoken(dimDepartment), r.spoken(dimMunicipality)
	x.Accompanied = r.spoken(dimAccompanied)
	x.Reasons = r.said.reasons()
	if x.Reasons == nil && r.marks&markSpelled != 0 {
		x.Reasons = []string{reasonList.Unknown}
	}
	e.aside(x, r)
}

// ruled are the attributes of a registration that the register makes by rules of its own.
var ruled = []string{"centre", "entry_point", "exit_point", "country", "mode", "return_type", "sex", "nationality", "department", "municipality",
	"accompanied", "programme", "travel_company", "intended_country", "displaced_by_violence", "intends_to_migrate_again", "education", "occupation",
	"destination_department", "destination_municipality"}

// others are those for which it has no rule: any code of their list, or none.
var others = func() (all []struct {
	number int
	codes  []string
}) {
	for _, a := range dictionary.Of(dictionary.Registration) {
		if a.Type != dictionary.Code || slices.Contains(ruled, a.Name) {
			continue
		}
		codes := []string{""}
		for _, code := range a.Codes.Codes() {
			codes = append(codes, code.Code)
		}
		all = append(all, struct {
			number int
			codes  []string
		}{a.Numbers[dictionary.Registration], codes})
	}
	return all
}()

// aside fills what no count asks for: answers that follow from the record's number alone.
func (e *encoder) aside(x *events.Registration, r *revision) {
	h := mix(e.r.settings.Seed, purposePerson, 1<<50|uint64(r.fact))
	pick := func(of ...string) string {
		s := of[h%uint64(len(of))]
		h = splitmix(h)
		return s
	}
	x.Programme = pick("", "", "", "", "", "", "", "other", "caravan")
	x.TravelCompany = pick("alone", "alone", "family", "others", "")
	x.IntendedCountry = pick("US", "US", "US", "US", "MX", "ES", "")
	x.DisplacedByViolence = pick("no", "no", "no", "no", "no", "no", "no", "yes", "")
	x.IntendsToMigrateAgain = pick("no", "no", "no", "no", "yes", "")
	x.Education = pick("0", "1", "1", "1", "2", "2", "3", "3", "6", "")
	x.Occupation = pick("5", "6", "6", "7", "8", "9", "9", "none", "")
	x.DestinationDepartment = r.said.stated(dimDepartment)
	for _, a := range others {
		message := x.ProtoReflect()
		message.Set(message.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(a.number)), protoreflect.ValueOfString(pick(a.codes...)))
	}
}
