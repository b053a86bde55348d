package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store/column"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// returns are rows of retorno.returns.
type returns struct {
	block
	id, person                                        ids
	version                                           numbers
	deleted, method, national, registered, checkpoint flags
	day                                               days
	arrival                                           times
	age                                               *proto.ColNullable[uint8]
	reasons                                           *column.CodeLists
	partition                                         *proto.ColUInt16
	route, ageGroup                                   *column.Codes
	attributes                                        [dictionary.ReturnCodes]*column.Codes // by place in the dictionary
}

func newReturns() *returns {
	r := &returns{}
	b := &r.block
	r.id, r.person, r.version = col(b, "return_id", newIDs()), col(b, "person", newIDs()), col(b, "version", newNumbers())
	r.day, r.arrival = col(b, "day", newDays()), col(b, "arrival", newTimes())
	r.age = col(b, "age", new(proto.ColUInt8).Nullable())
	r.reasons = col(b, "reasons", column.NewCodeLists(reasonWords))
	r.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	r.deleted, r.method, r.national = col(b, "is_deleted", newFlags()), col(b, "method_version", newFlags()), col(b, "national", newFlags())
	r.registered, r.checkpoint = col(b, "registered", newFlags()), col(b, "checkpoint", newFlags())
	r.route, r.ageGroup = col(b, "route", column.NewCodes(routes)), col(b, "age_group", column.NewCodes(ageGroups))
	for i := range r.attributes {
		r.attributes[i] = attributeOf(b, dictionary.Coded(i))
	}
	return r
}

func (r *returns) add(person reconcile.ID, x *reconcile.Return, partition int, version uint64, deleted bool) {
	r.id.Append(x.ID)
	r.person.Append(person)
	r.version.Append(version)
	r.deleted.Append(flag(deleted))
	r.method.Append(reconcile.MethodVersion)
	appendDay(r.day, x.Day)
	r.arrival.AppendRaw(proto.DateTime64(x.Arrival))
	r.route.Append(routeOf[x.Codes[dictionary.Country]][x.Codes[dictionary.Mode]])
	for i, code := range x.Codes {
		r.attributes[i].Append(code)
	}
	age := proto.Null[uint8]()
	if x.Age >= 0 {
		age = proto.NewNullable(uint8(x.Age))
	}
	r.age.Append(age)
	r.ageGroup.Append(x.AgeGroup())
	r.reasons.AppendSet(x.Reasons)
	r.national.Append(flag(x.National()))
	r.registered.Append(flag(x.Registered))
	r.checkpoint.Append(flag(x.Checkpoint))
	r.partition.Append(uint16(partition))
}

// helps are rows of retorno.assistance.
type helps struct {
	block
	recordID, person, returnID  ids
	version                     numbers
	deleted                     flags
	day                         days
	partition                   *proto.ColUInt16
	centre, kind, sex, ageGroup *column.Codes
}

func newHelps() *helps {
	h := &helps{}
	b := &h.block
	h.recordID, h.person, h.returnID = col(b, "record_id", newIDs()), col(b, "person", newIDs()), col(b, "return_id", newIDs())
	h.version, h.deleted, h.day = col(b, "version", newNumbers()), col(b, "is_deleted", newFlags()), col(b, "day", newDays())
	h.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	h.centre, h.kind = attributeOf(b, dictionary.Centre), kindOfHelp(b)
	h.sex, h.ageGroup = attributeOf(b, dictionary.Sex), col(b, "age_group", column.NewCodes(ageGroups))
	return h
}

func (h *helps) add(person reconcile.ID, x *reconcile.Help, partition int, version uint64, deleted bool) {
	h.recordID.Append(x.RecordID)
	h.person.Append(person)
	h.returnID.Append(x.Return)
	h.version.Append(version)
	h.deleted.Append(flag(deleted))
	appendDay(h.day, x.Day)
	h.partition.Append(uint16(partition))
	h.centre.Append(x.Centre)
	h.kind.Append(x.Kind)
	h.sex.Append(x.Sex)
	h.ageGroup.Append(x.AgeGroup)
}

// kindOfHelp is the column of the kind of help, which the tables of helps call kind.
func kindOfHelp(b *block) *column.Codes {
	return col(b, "kind", column.NewCodes(attributeWords[dictionary.AssistanceKind]))
}

// cells holds the columns that every table of counts has.
type cells struct {
	block
	day       days
	partition *proto.ColUInt16
	version   numbers
	deleted   flags
}

func (c *cells) declare() {
	c.day, c.partition = col(&c.block, "day", newDays()), col(&c.block, "kafka_partition", new(proto.ColUInt16))
	c.version, c.deleted = col(&c.block, "version", newNumbers()), col(&c.block, "is_deleted", newFlags())
}

func (c *cells) add(day calendar.Day, partition int, version uint64, empty bool) {
	appendDay(c.day, day)
	c.partition.Append(uint16(partition))
	c.version.Append(version)
	c.deleted.Append(flag(empty))
}

// returnCounts are rows of retorno.return_counts.
type returnCounts struct {
	cells
	registered, checkpoint, reconciled numbers
	route, ageGroup                    *column.Codes
	dimensions                         [dictionary.ReturnDimensions]*column.Codes // by place in the dictionary
}

func newReturnCounts() *returnCounts {
	c := &returnCounts{}
	c.declare()
	b := &c.block
	c.registered, c.checkpoint, c.reconciled = col(b, "registered", newNumbers()), col(b, "checkpoint", newNumbers()), col(b, "reconciled", newNumbers())
	c.route, c.ageGroup = col(b, "route", column.NewCodes(routes)), col(b, "age_group", column.NewCodes(ageGroups))
	for i := range c.dimensions {
		c.dimensions[i] = attributeOf(b, dictionary.Coded(i))
	}
	return c
}

func (c *returnCounts) count(x reconcile.ReturnCell, n reconcile.ReturnCount, partition int, version uint64) {
	c.add(x.Day, partition, version, n.Reconciled == 0)
	c.registered.Append(uint64(n.Registered))
	c.checkpoint.Append(uint64(n.Checkpoint))
	c.reconciled.Append(uint64(n.Reconciled))
	c.route.Append(routeOf[x.Codes[dictionary.Country]][x.Codes[dictionary.Mode]])
	for i, code := range x.Codes {
		c.dimensions[i].Append(code)
	}
	c.ageGroup.Append(x.AgeGroup)
}

// helpCounts are rows of retorno.assistance_counts.
type helpCounts struct {
	cells
	helps                       numbers
	centre, kind, sex, ageGroup *column.Codes
}

func newHelpCounts() *helpCounts {
	c := &helpCounts{}
	c.declare()
	b := &c.block
	c.helps = col(b, "helps", newNumbers())
	c.centre, c.kind = attributeOf(b, dictionary.Centre), kindOfHelp(b)
	c.sex, c.ageGroup = attributeOf(b, dictionary.Sex), col(b, "age_group", column.NewCodes(ageGroups))
	return c
}

func (c *helpCounts) count(x reconcile.HelpCell, n int64, partition int, version uint64) {
	c.add(x.Day, partition, version, n == 0)
	c.helps.Append(uint64(n))
	c.centre.Append(x.Centre)
	c.kind.Append(x.Kind)
	c.sex.Append(x.Sex)
	c.ageGroup.Append(x.AgeGroup)
}

// crossingCounts are rows of retorno.crossing_counts.
type crossingCounts struct {
	cells
	crossings                     numbers
	borderPoint, direction, check *column.Codes
}

func newCrossingCounts() *crossingCounts {
	c := &crossingCounts{}
	c.declare()
	b := &c.block
	c.crossings = col(b, "crossings", newNumbers())
	c.borderPoint, c.direction = attributeOf(b, dictionary.BorderPoint), attributeOf(b, dictionary.Direction)
	c.check = attributeOf(b, dictionary.DocumentCheck)
	return c
}

func (c *crossingCounts) count(x reconcile.CrossingCell, n int64, partition int, version uint64) {
	c.add(x.Day, partition, version, n == 0)
	c.crossings.Append(uint64(n))
	c.borderPoint.Append(x.BorderPoint)
	c.direction.Append(x.Direction)
	c.check.Append(x.DocumentCheck)
}
