package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/reconcile"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// returns are rows of retorno.returns.
type returns struct {
	block
	id, person                                                        ids
	version                                                           numbers
	deleted, method, national, registered, checkpoint                 flags
	day                                                               days
	arrival                                                           times
	age                                                               *proto.ColNullable[uint8]
	reasons                                                           *proto.ColArr[string]
	partition                                                         *proto.ColUInt16
	route, country, mode, returnType, entryPoint, exitPoint, centre   texts
	department, municipality, sex, ageGroup, accompanied, nationality texts
}

func newReturns() *returns {
	r := &returns{}
	b := &r.block
	r.id, r.person, r.version = col(b, "return_id", newIDs()), col(b, "person", newIDs()), col(b, "version", newNumbers())
	r.day, r.arrival = col(b, "day", newDays()), col(b, "arrival", newTimes())
	r.age = col(b, "age", new(proto.ColUInt8).Nullable())
	r.reasons = col(b, "reasons", new(proto.ColStr).LowCardinality().Array())
	r.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	for name, c := range map[string]*flags{"is_deleted": &r.deleted, "method_version": &r.method, "national": &r.national,
		"registered": &r.registered, "checkpoint": &r.checkpoint} {
		*c = col(b, name, newFlags())
	}
	for name, c := range map[string]*texts{"route": &r.route, "country": &r.country, "mode": &r.mode, "return_type": &r.returnType,
		"entry_point": &r.entryPoint, "exit_point": &r.exitPoint, "centre": &r.centre, "department": &r.department,
		"municipality": &r.municipality, "sex": &r.sex, "age_group": &r.ageGroup, "accompanied": &r.accompanied, "nationality": &r.nationality} {
		*c = col(b, name, newTexts())
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
	r.route.Append(codelists.RouteOf(countries.of(x.Country), modes.of(x.Mode)))
	r.country.Append(countries.of(x.Country))
	r.mode.Append(modes.of(x.Mode))
	r.returnType.Append(returnTypes.of(x.ReturnType))
	r.entryPoint.Append(points.of(x.EntryPoint))
	r.exitPoint.Append(points.of(x.ExitPoint))
	r.centre.Append(centres.of(x.Centre))
	r.department.Append(departments.of(x.Department))
	r.municipality.Append(towns.of(x.Municipality))
	r.sex.Append(sexes.of(x.Sex))
	age := proto.Null[uint8]()
	if x.Age >= 0 {
		age = proto.NewNullable(uint8(x.Age))
	}
	r.age.Append(age)
	r.ageGroup.Append(ageGroups.of(x.AgeGroup()))
	r.accompanied.Append(companions.of(x.Accompanied))
	r.reasons.Append(reasonNames(x.Reasons))
	r.nationality.Append(countries.of(x.Nationality))
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
	centre, kind, sex, ageGroup texts
}

func newHelps() *helps {
	h := &helps{}
	b := &h.block
	h.recordID, h.person, h.returnID = col(b, "record_id", newIDs()), col(b, "person", newIDs()), col(b, "return_id", newIDs())
	h.version, h.deleted, h.day = col(b, "version", newNumbers()), col(b, "is_deleted", newFlags()), col(b, "day", newDays())
	h.partition = col(b, "kafka_partition", new(proto.ColUInt16))
	h.centre, h.kind = col(b, "centre", newTexts()), col(b, "kind", newTexts())
	h.sex, h.ageGroup = col(b, "sex", newTexts()), col(b, "age_group", newTexts())
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
	h.centre.Append(centres.of(x.Centre))
	h.kind.Append(helpKinds.of(x.Kind))
	h.sex.Append(sexes.of(x.Sex))
	h.ageGroup.Append(ageGroups.of(x.AgeGroup))
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
	registered, checkpoint, reconciled                                             numbers
	route, returnType, entryPoint, exitPoint, centre, sex, ageGroup, country, mode texts
}

func newReturnCounts() *returnCounts {
	c := &returnCounts{}
	c.declare()
	b := &c.block
	c.registered, c.checkpoint, c.reconciled = col(b, "registered", newNumbers()), col(b, "checkpoint", newNumbers()), col(b, "reconciled", newNumbers())
	for name, t := range map[string]*texts{"route": &c.route, "return_type": &c.returnType, "entry_point": &c.entryPoint, "exit_point": &c.exitPoint,
		"centre": &c.centre, "sex": &c.sex, "age_group": &c.ageGroup, "country": &c.country, "mode": &c.mode} {
		*t = col(b, name, newTexts())
	}
	return c
}

func (c *returnCounts) count(x reconcile.ReturnCell, n reconcile.ReturnCount, partition int, version uint64) {
	c.add(x.Day, partition, version, n.Reconciled == 0)
	c.registered.Append(uint64(n.Registered))
	c.checkpoint.Append(uint64(n.Checkpoint))
	c.reconciled.Append(uint64(n.Reconciled))
	c.route.Append(codelists.RouteOf(countries.of(x.Country), modes.of(x.Mode)))
	c.country.Append(countries.of(x.Country))
	c.mode.Append(modes.of(x.Mode))
	c.returnType.Append(returnTypes.of(x.ReturnType))
	c.entryPoint.Append(points.of(x.EntryPoint))
	c.exitPoint.Append(points.of(x.ExitPoint))
	c.centre.Append(centres.of(x.Centre))
	c.sex.Append(sexes.of(x.Sex))
	c.ageGroup.Append(ageGroups.of(x.AgeGroup))
}

// helpCounts are rows of retorno.assistance_counts.
type helpCounts struct {
	cells
	helps                       numbers
	centre, kind, sex, ageGroup texts
}

func newHelpCounts() *helpCounts {
	c := &helpCounts{}
	c.declare()
	b := &c.block
	c.helps = col(b, "helps", newNumbers())
	c.centre, c.kind = col(b, "centre", newTexts()), col(b, "kind", newTexts())
	c.sex, c.ageGroup = col(b, "sex", newTexts()), col(b, "age_group", newTexts())
	return c
}

func (c *helpCounts) count(x reconcile.HelpCell, n int64, partition int, version uint64) {
	c.add(x.Day, partition, version, n == 0)
	c.helps.Append(uint64(n))
	c.centre.Append(centres.of(x.Centre))
	c.kind.Append(helpKinds.of(x.Kind))
	c.sex.Append(sexes.of(x.Sex))
	c.ageGroup.Append(ageGroups.of(x.AgeGroup))
}

// crossingCounts are rows of retorno.crossing_counts.
type crossingCounts struct {
	cells
	crossings                     numbers
	borderPoint, direction, check texts
}

func newCrossingCounts() *crossingCounts {
	c := &crossingCounts{}
	c.declare()
	b := &c.block
	c.crossings = col(b, "crossings", newNumbers())
	c.borderPoint, c.direction = col(b, "border_point", newTexts()), col(b, "direction", newTexts())
	c.check = col(b, "document_check", newTexts())
	return c
}

func (c *crossingCounts) count(x reconcile.CrossingCell, n int64, partition int, version uint64) {
	c.add(x.Day, partition, version, n == 0)
	c.crossings.Append(uint64(n))
	c.borderPoint.Append(points.of(x.BorderPoint))
	c.direction.Append(directions.of(x.Direction))
	c.check.Append(checks.of(x.DocumentCheck))
}
