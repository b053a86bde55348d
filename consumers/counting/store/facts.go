package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store/column"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// FactRow is what retorno.facts keeps of one record.
type FactRow struct {
	Fields *events.Fields
	Fact   *reconcile.Fact
	Origin ledger.Origin
}

// facts are rows of retorno.facts.
type facts struct {
	block
	person, recordID, registrationID               ids
	version, contentHash, sourceSeq, offset, place numbers
	revision                                       *proto.ColUInt32
	future, personKnown, returned                  flags
	event, recorded, sent, arrival                 times
	age                                            *proto.ColNullable[uint8]
	partition                                      *proto.ColUInt16
	reasons                                        *column.CodeLists
	source, topic                                  *column.Names
	voidReason, kind                               *column.Codes
	attributes                                     [dictionary.AllCodes]*column.Codes // by place in the dictionary
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
	f.source, f.topic = col(b, "source_id", column.NewNames()), col(b, "topic", column.NewNames())
	f.reasons = col(b, "reasons", column.NewCodeLists(reasonWords))
	f.voidReason, f.kind = col(b, "void_reason", column.NewCodes(column.WordsOf(codelists.VoidReason))), col(b, "kind", column.NewCodes(kinds))
	for i := range f.attributes {
		f.attributes[i] = attributeOf(b, dictionary.Coded(i))
	}
	return f
}

// add appends one row, and returns what it adds to the checksum of its flush. The columns that a kind of record does not
// have stay empty.
func (f *facts) add(row FactRow) uint64 {
	x, fact, place := row.Fields, row.Fact, row.Origin.Place()
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
	return ledger.FactSum(x.Person, x.RecordID, fact.Version, place)
}

// answers appends what the record states.
func (f *facts) answers(x *events.Fields) {
	f.kind.State(events.Stated(x.Kind))
	f.voidReason.State(x.VoidReason)
	for i, column := range f.attributes {
		column.State(x.Codes[i])
	}
	for _, reason := range x.Reasons[:x.ReasonCount] {
		f.reasons.State(reason)
	}
	f.reasons.End()
}
