package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/reconcile"
	"retorno/schemas/events"
)

// FactRow is what retorno.facts keeps of one record.
type FactRow struct {
	Fields *events.Fields
	Fact   *reconcile.Fact
	Origin Origin
}

// facts are rows of retorno.facts.
type facts struct {
	block
	person, recordID, registrationID                       ids
	version, contentHash, sourceSeq, offset, place         numbers
	revision                                               *proto.ColUInt32
	future, personKnown, returned                          flags
	event, recorded, sent, arrival                         times
	age                                                    *proto.ColNullable[uint8]
	partition                                              *proto.ColUInt16
	reasons                                                *codeLists
	source, topic                                          *names
	voidReason, kind                                       *codes
	direction, borderPoint, category, check                *codes
	sex, nationality, country, mode, returnType            *codes
	centre, entryPoint, exitPoint, programme               *codes
	department, municipality, toDepartment, toMunicipality *codes
	accompanied, company, intended, displaced, again       *codes
	education, occupation, helpKind                        *codes
}

func newFacts() *facts {
	f := &facts{}
	b := &f.block
	f.person, f.recordID, f.registrationID = col(b, "person", newIDs()), col(b, "record_id", newIDs()), col(b, "registration_id", newIDs())
	f.version, f.contentHash = col(b, "version", newNumbers()), col(b, "content_hash", newNumbers())
	f.sourceSeq, f.offset = col(b, "source_seq", newNumbers()), col(b, "kafka_offset", newNumbers())
	f.place = col(b, "place", newNumbers())
	f.revision = col(b, "revision", new(proto.ColUInt32))
	f.future, f.personKnown, f.returned = col(b, "future", newFlags()), col(b, "person_known", newFlags()), col(b, "returned", newFlags())
	f.event, f.recorded = col(b, "event_time", newTimes()), col(b, "recorded_time", newTimes())
	f.sent, f.arrival = col(b, "sent_at", newTimes()), col(b, "arrival", newTimes())
	f.age = col(b, "age", new(proto.ColUInt8).Nullable())
	f.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	f.source, f.topic = col(b, "source_id", newNames()), col(b, "topic", newNames())
	f.reasons = col(b, "reasons", newCodeLists(reasons))
	f.declareCodes(b)
	return f
}

func (f *facts) declareCodes(b *block) {
	for _, c := range []struct {
		name   string
		words  *words
		column **codes
	}{
		{"void_reason", voidReasons, &f.voidReason}, {"kind", kinds, &f.kind},
		{"direction", directions, &f.direction}, {"border_point", points, &f.borderPoint},
		{"category", categories, &f.category}, {"document_check", checks, &f.check},
		{"sex", sexes, &f.sex}, {"nationality", countries, &f.nationality}, {"country", countries, &f.country},
		{"mode", modes, &f.mode}, {"return_type", returnTypes, &f.returnType}, {"centre", centres, &f.centre},
		{"entry_point", points, &f.entryPoint}, {"exit_point", points, &f.exitPoint}, {"programme", programmes, &f.programme},
		{"department", departments, &f.department}, {"municipality", towns, &f.municipality},
		{"destination_department", departments, &f.toDepartment}, {"destination_municipality", towns, &f.toMunicipality},
		{"accompanied", companions, &f.accompanied}, {"travel_company", companies, &f.company},
		{"intended_country", countries, &f.intended}, {"displaced_by_violence", answers, &f.displaced},
		{"intends_to_migrate_again", answers, &f.again}, {"education", educations, &f.education},
		{"occupation", occupations, &f.occupation}, {"assistance_kind", helpKinds, &f.helpKind},
	} {
		*c.column = col(b, c.name, newCodes(c.words))
	}
}

// add appends one row, and returns what it adds to the checksum of its flush. The columns that a kind of record does not
// have stay empty.
func (f *facts) add(row FactRow) uint64 {
	x, fact, place := row.Fields, row.Fact, row.Origin.place()
	f.person.Append(x.Person)
	f.recordID.Append(x.RecordID)
	f.registrationID.Append(x.RegistrationID)
	f.version.Append(fact.Version)
	f.contentHash.Append(x.ContentHash)
	f.sourceSeq.Append(x.SourceSeq)
	f.offset.Append(uint64(row.Origin.Offset))
	f.place.Append(place)
	f.revision.Append(x.Revision)
	f.future.Append(flag(fact.Future))
	f.personKnown.Append(flag(x.PersonKnown))
	f.returned.Append(flag(x.Returned))
	f.event.AppendRaw(proto.DateTime64(x.EventMs))
	f.recorded.AppendRaw(proto.DateTime64(x.RecordedMs))
	f.sent.AppendRaw(proto.DateTime64(x.SentAtMs))
	f.arrival.AppendRaw(proto.DateTime64(fact.Arrival))
	f.partition.Append(uint16(row.Origin.Partition))
	f.topic.Append(row.Origin.Topic)
	f.source.AppendBytes(x.Source)
	age := proto.Null[uint8]()
	if x.Age >= 0 {
		age = proto.NewNullable(uint8(x.Age))
	}
	f.age.Append(age)
	f.answers(x)
	return factSum(x.Person, x.RecordID, fact.Version, place)
}

// answers appends what the record states.
func (f *facts) answers(x *events.Fields) {
	f.kind.State(events.Stated(x.Kind))
	f.voidReason.State(x.VoidReason)
	f.direction.State(x.Direction)
	f.borderPoint.State(x.BorderPoint)
	f.category.State(x.Category)
	f.check.State(x.DocumentCheck)
	f.sex.State(x.Sex)
	f.nationality.State(x.Nationality)
	f.country.State(x.Country)
	f.mode.State(x.Mode)
	f.returnType.State(x.ReturnType)
	f.centre.State(x.Centre)
	f.entryPoint.State(x.EntryPoint)
	f.exitPoint.State(x.ExitPoint)
	f.programme.State(x.Programme)
	f.department.State(x.Department)
	f.municipality.State(x.Municipality)
	f.toDepartment.State(x.DestinationDepartment)
	f.toMunicipality.State(x.DestinationMunicipality)
	f.accompanied.State(x.Accompanied)
	f.company.State(x.TravelCompany)
	for _, reason := range x.Reasons[:x.ReasonCount] {
		f.reasons.all.State(reason)
	}
	f.reasons.End()
	f.intended.State(x.IntendedCountry)
	f.displaced.State(x.DisplacedByViolence)
	f.again.State(x.IntendsToMigrateAgain)
	f.education.State(x.Education)
	f.occupation.State(x.Occupation)
	f.helpKind.State(x.AssistanceKind)
}
