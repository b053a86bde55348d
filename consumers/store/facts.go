package store

import (
	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"retorno/consumers/reconcile"
	"retorno/schemas/events"
)

// Origin is the place in Kafka where a record was read.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
}

// FactRow is what retorno.facts keeps of one record.
type FactRow struct {
	Person reconcile.ID
	Fact   *reconcile.Fact
	Opened *events.Opened
	Origin Origin
}

// facts are rows of retorno.facts.
type facts struct {
	block
	person, recordID, registrationID                       ids
	version, contentHash, sourceSeq, offset                numbers
	revision                                               *proto.ColUInt32
	future, personKnown, returned                          flags
	event, recorded, sent, arrival                         times
	age                                                    *proto.ColNullable[uint8]
	partition                                              *proto.ColUInt16
	reasons                                                *proto.ColArr[string]
	voidReason, kind, source, topic                        texts
	direction, borderPoint, category, check                texts
	sex, nationality, country, mode, returnType            texts
	centre, entryPoint, exitPoint, programme               texts
	department, municipality, toDepartment, toMunicipality texts
	accompanied, company, intended, displaced, again       texts
	education, occupation, helpKind                        texts
}

func newFacts() *facts {
	f := &facts{}
	b := &f.block
	f.person, f.recordID, f.registrationID = col(b, "person", newIDs()), col(b, "record_id", newIDs()), col(b, "registration_id", newIDs())
	f.version, f.contentHash = col(b, "version", newNumbers()), col(b, "content_hash", newNumbers())
	f.sourceSeq, f.offset = col(b, "source_seq", newNumbers()), col(b, "kafka_offset", newNumbers())
	f.revision = col(b, "revision", new(proto.ColUInt32))
	f.future, f.personKnown, f.returned = col(b, "future", newFlags()), col(b, "person_known", newFlags()), col(b, "returned", newFlags())
	f.event, f.recorded = col(b, "event_time", newTimes()), col(b, "recorded_time", newTimes())
	f.sent, f.arrival = col(b, "sent_at", newTimes()), col(b, "arrival", newTimes())
	f.age = col(b, "age", new(proto.ColUInt8).Nullable())
	f.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	f.reasons = col(b, "reasons", new(proto.ColStr).LowCardinality().Array())
	for name, c := range map[string]*texts{
		"void_reason": &f.voidReason, "kind": &f.kind, "source_id": &f.source, "topic": &f.topic,
		"direction": &f.direction, "border_point": &f.borderPoint, "category": &f.category, "document_check": &f.check,
		"sex": &f.sex, "nationality": &f.nationality, "country": &f.country, "mode": &f.mode, "return_type": &f.returnType,
		"centre": &f.centre, "entry_point": &f.entryPoint, "exit_point": &f.exitPoint, "programme": &f.programme,
		"department": &f.department, "municipality": &f.municipality, "destination_department": &f.toDepartment,
		"destination_municipality": &f.toMunicipality, "accompanied": &f.accompanied, "travel_company": &f.company,
		"intended_country": &f.intended, "displaced_by_violence": &f.displaced, "intends_to_migrate_again": &f.again,
		"education": &f.education, "occupation": &f.occupation, "assistance_kind": &f.helpKind,
	} {
		*c = col(b, name, newTexts())
	}
	return f
}

// add appends one row. The columns that a kind of record does not have stay empty.
func (f *facts) add(row FactRow) {
	r, fact := row.Opened.Record, row.Fact
	f.person.Append(row.Person)
	f.recordID.Append(fact.RecordID)
	f.version.Append(fact.Version)
	f.contentHash.Append(row.Opened.ContentHash)
	f.sourceSeq.Append(r.GetSourceSeq())
	f.offset.Append(uint64(row.Origin.Offset))
	f.revision.Append(r.GetRevision())
	f.future.Append(flag(fact.Future))
	f.personKnown.Append(flag(r.GetPersonKey() != ""))
	f.event.AppendRaw(proto.DateTime64(fact.Event))
	f.recorded.AppendRaw(proto.DateTime64(r.GetRecordedTimeMs()))
	f.sent.AppendRaw(proto.DateTime64(row.Opened.SentAtMs))
	f.arrival.AppendRaw(proto.DateTime64(fact.Arrival))
	f.partition.Append(uint16(row.Origin.Partition))
	f.topic.Append(row.Origin.Topic)
	f.voidReason.Append(r.GetVoidReason())
	f.kind.Append(fact.Kind.String())
	f.source.Append(r.GetSourceId())
	f.crossing(r.GetCrossing())
	f.registration(r.GetRegistration())
	f.either(r)
}

// crossing appends what only a crossing has; all empty for nil.
func (f *facts) crossing(x *events.Crossing) {
	f.direction.Append(x.GetDirection())
	f.borderPoint.Append(x.GetBorderPoint())
	f.returned.Append(flag(x.GetReturned()))
	f.category.Append(x.GetCategory())
	f.check.Append(x.GetDocumentCheck())
}

// registration appends what only a registration has; all empty for nil.
func (f *facts) registration(x *events.Registration) {
	f.entryPoint.Append(x.GetEntryPoint())
	f.exitPoint.Append(x.GetExitPoint())
	f.programme.Append(x.GetProgramme())
	f.department.Append(x.GetDepartment())
	f.municipality.Append(x.GetMunicipality())
	f.toDepartment.Append(x.GetDestinationDepartment())
	f.toMunicipality.Append(x.GetDestinationMunicipality())
	f.accompanied.Append(x.GetAccompanied())
	f.company.Append(x.GetTravelCompany())
	f.reasons.Append(x.GetReasons())
	f.intended.Append(x.GetIntendedCountry())
	f.displaced.Append(x.GetDisplacedByViolence())
	f.again.Append(x.GetIntendsToMigrateAgain())
	f.education.Append(x.GetEducation())
	f.occupation.Append(x.GetOccupation())
}

// either appends what more than one kind of record can have.
func (f *facts) either(r *events.Record) {
	x, g, a := r.GetCrossing(), r.GetRegistration(), r.GetAssistance()
	f.sex.Append(x.GetSex() + g.GetSex())
	f.nationality.Append(x.GetNationality() + g.GetNationality())
	f.country.Append(x.GetCountry() + g.GetCountry())
	f.mode.Append(x.GetMode() + g.GetMode())
	f.returnType.Append(x.GetReturnType() + g.GetReturnType())
	f.centre.Append(g.GetCentre() + a.GetCentre())
	f.helpKind.Append(a.GetKind())
	age := proto.Null[uint8]()
	switch {
	case x != nil && x.Age != nil:
		age = proto.NewNullable(uint8(*x.Age))
	case g != nil && g.Age != nil:
		age = proto.NewNullable(uint8(*g.Age))
	}
	f.age.Append(age)
	registration, err := uuid.Parse(a.GetRegistrationId())
	if err != nil {
		registration = uuid.Nil // none was named: validation refuses what is not an id
	}
	f.registrationID.Append(registration)
}
