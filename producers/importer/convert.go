package importer

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/producers/reading"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// convert makes a record of the row, without its ids; nil when the row has a fault.
func (c *conversion) convert() *events.Record {
	if c.row.fault != "" {
		c.fault("", c.row.fault, "")
		return nil
	}
	if !c.rightWidth() {
		return nil
	}
	c.alone()
	var r *events.Record
	switch {
	case c.cfg.Kind == KindCheckpoint:
		r = c.crossing()
	case c.has("assistance_kind"):
		r = c.assistance()
	default:
		r = c.registration()
	}
	if len(c.faults) == 0 && c.misplaced() {
		c.fault("", "short_row", "")
	}
	if len(c.faults) > 0 {
		return nil
	}
	return r
}

// rightWidth fills up rows that end early, and refuses others with too few cells and those with too many that are not empty.
func (c *conversion) rightWidth() bool {
	want := len(c.dialect.header.cells)
	if len(c.row.cells) < want {
		if !c.dialect.endsEarly(c.row) {
			c.fault("", "short_row", "")
			return false
		}
		c.omitted, c.row.cells = want-len(c.row.cells), c.dialect.filled(c.row.cells)
		c.warn("", "row_filled_up")
		return true
	}
	for _, extra := range c.row.cells[want:] {
		if trimmed(extra) != "" {
			c.fault("", "long_row", "")
			return false
		}
	}
	return true
}

// alone refuses a row that stands for several: three meals in one row are three records, and so are three people.
func (c *conversion) alone() {
	text := c.text("quantity")
	if text != "" && plainNumber(text) != "1" {
		c.fault("quantity", "several_in_one_row", text)
	}
}

// moment reads a date column and its time column; false when no date is stated or one of them is a fault.
func (c *conversion) moment(dateField, timeField string) (moment, bool) {
	text := c.text(dateField)
	if text == "" {
		return moment{}, false
	}
	t, ok := c.date(dateField, text, reading.ThisCentury)
	if !ok {
		c.fault(dateField, "bad_date", text)
		return moment{}, false
	}
	// A time column is more precise than the midnight that a date column of type date-and-time shows.
	clock := c.text(timeField)
	if clock == "" || t.clock && (t.h != 0 || t.m != 0 || t.s != 0) {
		return t, true
	}
	h, m, s, code := c.clockCell(timeField, clock)
	if code != "" {
		c.fault(timeField, code, clock)
		return moment{}, false
	}
	t.instant = time.Time{}
	return t.at(h, m, s), true
}

// times fills the record's times from the event and the column that says when it was typed in.
func (c *conversion) times(r *events.Record, event moment) {
	r.EventTimeMs = event.ms()
	r.RecordedTimeMs = r.EventTimeMs
	now := c.cfg.Now
	if now.IsZero() {
		now = time.Now()
	}
	if event.day > calendar.DayOfTime(now)+1 { // a clock may be ahead
		c.warn(c.eventField(), "in_the_future")
	}
	if recorded, ok := c.moment("recorded_date", ""); ok && recorded.ms() > r.EventTimeMs {
		r.RecordedTimeMs = recorded.ms()
	}
}

// eventField is the column that says when the event was.
func (c *conversion) eventField() string {
	if c.text("date") == "" {
		return "arrival_date"
	}
	return "date"
}

func (c *conversion) crossing() *events.Record {
	event, ok := c.moment("date", "time")
	if !ok && len(c.faults) == 0 {
		c.fault("date", "required", "")
	}
	mode := c.coded("mode", codelists.Mode)
	x := &events.Crossing{BorderPoint: c.point("border_point", mode), Sex: c.sex()}
	c.codes(dictionary.Crossing, x)
	if ok {
		x.Age = c.age(event.day)
	}
	if x.Direction == "" && len(c.faults) == 0 {
		c.fault("direction", "required", "")
	}
	if x.BorderPoint == "" && len(c.faults) == 0 {
		c.warn("border_point", "place_not_stated")
		x.BorderPoint = unknownCode(codelists.BorderPoint)
	}
	c.returned(x, mode)
	r := &events.Record{Body: &events.Record_Crossing{Crossing: x}}
	c.times(r, event)
	r.PersonKey = c.personKey(x.Nationality)
	return r
}

// returnWords are categories of travellers by which exports mark a returned person.
var returnWords = map[string]bool{
	"retornado": true, "retornada": true, "migranteretornado": true, "migranteretornada": true, "deportado": true, "deportada": true,
	"deportadoa": true, "retornadoa": true, "hondurenoretornado": true, "returnee": true, "returned": true, "nacionalretornado": true,
}

// returned decides whether the crossing is a return and, if so, states of which kind. A column that says so decides;
// else a category such as "Retornado"; else a stated type of return or country of return on an entry.
func (c *conversion) returned(x *events.Crossing, mode string) {
	country, returnType := x.Country, x.ReturnType
	x.Country, x.ReturnType = "", ""
	category := c.text("category")
	marked := returnWords[codelists.Fold(category)]
	if !marked {
		x.Category = c.coded("category", codelists.CrossingCategory)
	}
	if x.Category == "traveller" {
		x.Category = ""
	}
	switch {
	case c.text("returned") != "":
		x.Returned = returnWords[codelists.Fold(c.text("returned"))] || c.coded("returned", codelists.Answer) == "yes"
	case marked:
		x.Returned = true
	default:
		x.Returned = x.Direction == "entry" && x.Category == "" && (returnType != "" || country != "")
	}
	if !x.Returned {
		return
	}
	if country == "" {
		country = c.coded("provenance", codelists.Country)
	}
	x.Country, x.Mode, x.ReturnType = country, mode, returnType
	c.plausible(country, mode)
}

func (c *conversion) registration() *events.Record {
	event, hasEvent := c.moment("date", "time")
	arrival, hasArrival := c.moment("arrival_date", "arrival_time")
	if !hasEvent {
		event = arrival
	}
	if !hasEvent && !hasArrival && len(c.faults) == 0 {
		c.fault("date", "required", "")
	}
	mode := c.coded("mode", codelists.Mode)
	x := &events.Registration{
		Centre:      c.centre(event),
		EntryPoint:  c.point("entry_point", mode),
		ExitPoint:   c.point("exit_point", ""),
		Mode:        mode,
		Sex:         c.sex(),
		Accompanied: c.accompanied(),
		Reasons:     c.reasons(),
	}
	c.codes(dictionary.Registration, x)
	x.Department, x.Municipality = c.place("department", "municipality")
	x.DestinationDepartment, x.DestinationMunicipality = c.place("destination_department", "destination_municipality")
	on := event.day
	if hasEvent && hasArrival && arrival.day > event.day {
		c.fault("arrival_date", "contradiction", c.text("arrival_date"))
	}
	if hasArrival {
		if hasEvent && !arrival.clock && arrival.day == event.day && arrival.ms() > event.ms() {
			arrival = event // no person is registered before arriving; noon was only our assumption
		}
		x.ArrivalTimeMs = arrival.ms()
		on = arrival.day
	}
	if hasEvent || hasArrival {
		x.Age = c.age(on)
	}
	c.plausible(x.Country, mode)
	r := &events.Record{Body: &events.Record_Registration{Registration: x}}
	c.times(r, event)
	r.PersonKey = c.personKey(x.Nationality)
	return r
}

// attributes are those of each kind of record.
var attributes = map[dictionary.Kind][]*dictionary.Attribute{
	dictionary.Crossing: dictionary.Of(dictionary.Crossing), dictionary.Registration: dictionary.Of(dictionary.Registration),
	dictionary.Assistance: dictionary.Of(dictionary.Assistance),
}

// codes reads every attribute that has no rule of its own here.
func (c *conversion) codes(kind dictionary.Kind, body proto.Message) {
	message := body.ProtoReflect()
	for _, a := range attributes[kind] {
		read := c.coded
		switch a.Import {
		case dictionary.ImportOwn:
			continue
		case dictionary.ImportText:
			read = c.soft
		}
		if code := read(a.Name, a.List); code != "" {
			message.Set(message.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(a.Numbers[kind])), protoreflect.ValueOfString(code))
		}
	}
}

// accompanied reads "acompañado", "no acompañado", and yes and no.
func (c *conversion) accompanied() string {
	text := c.text("accompanied")
	if c.refused("accompanied", codelists.Answer, text) {
		return ""
	}
	if code, ok := codelists.Resolve(codelists.Answer, text); ok {
		return map[string]string{"yes": "accompanied", "no": "unaccompanied"}[code]
	}
	return c.coded("accompanied", codelists.Accompaniment)
}

// centre reads the centre. Centres for foreigners in transit are out of scope, whatever a file calls them.
func (c *conversion) centre(event moment) string {
	text := c.text("centre")
	if strings.HasPrefix(codelists.Fold(text), "cami") {
		c.fault("centre", "out_of_scope", text)
		return ""
	}
	code := c.coded("centre", codelists.Centre)
	if code == "" {
		if text == "" || len(c.faults) == 0 {
			c.warn("centre", "place_not_stated")
		}
		return unknownCode(codelists.Centre)
	}
	if l, _ := codelists.Get(codelists.Centre); !l.ValidAt(code, event.day.String()) {
		c.warn("centre", "not_valid_then")
	}
	return code
}

func (c *conversion) assistance() *events.Record {
	event, ok := c.moment("date", "time")
	if !ok && len(c.faults) == 0 {
		if event, ok = c.moment("arrival_date", "arrival_time"); !ok && len(c.faults) == 0 {
			c.fault("date", "required", "")
		}
	}
	if !event.clock {
		event.clock, event.h, event.m, event.s = true, 23, 59, 59 // help follows arrival
	}
	x := &events.Assistance{Centre: c.centre(event)}
	c.codes(dictionary.Assistance, x)
	if x.Kind == "" && len(c.faults) == 0 {
		c.fault("assistance_kind", "required", "")
	}
	r := &events.Record{Body: &events.Record_Assistance{Assistance: x}}
	c.times(r, event)
	r.PersonKey = c.personKey(c.coded("nationality", codelists.Country))
	return r
}

// plausible warns of ways by which no person is returned: neighbours in a drop-down list of countries look like that.
func (c *conversion) plausible(country, mode string) {
	if !codelists.PlausibleRoute(country, mode) {
		c.warn("country", "implausible_route")
	}
}

// check asks the schema itself, which knows rules that no single column shows.
func (c *conversion) check(r *events.Record) {
	faults := events.Validate(r)
	for _, f := range faults {
		if f.Field == "record_id" && len(faults) > 1 {
			continue // made of the event's time, which is the fault
		}
		field := f.Field[strings.LastIndexByte(f.Field, '.')+1:]
		switch field {
		case "event_time_ms":
			field = c.eventField()
		case "arrival_time_ms":
			field = "arrival_date"
		case "recorded_time_ms":
			field = "recorded_date"
		}
		detail := f.Detail
		if isDateField(field) {
			if detail = c.text(field); detail == "" && len(faults) > 1 {
				continue // made of another date, which is the fault
			}
		}
		c.fault(field, f.Code, detail)
	}
}

// mended reports whether the row comes from a file of rejected rows.
func (c *conversion) mended() bool { return c.dialect.header.rejected() }

// origin returns the source and number that a row of a file of rejected rows had at first.
func (c *conversion) origin() (source string, seq uint64) {
	source = c.text("origin_source")
	n, ok := reading.Digits(c.text("origin_row"), 1, 9)
	if !ok || n == 0 {
		c.fault("origin_row", "bad_row_number", c.text("origin_row"))
	}
	if !sourcePattern.MatchString(source) {
		c.fault("origin_source", "bad_row_number", source)
	}
	return source, uint64(max(n, 0))
}
