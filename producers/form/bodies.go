package form

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// own are the attributes that have a rule of their own here.
var own = map[string]bool{
	"mode": true, "country": true, "return_type": true, "sex": true, "department": true, "municipality": true,
	"destination_department": true, "destination_municipality": true, "border_point": true, "centre": true, "entry_point": true,
}

// codes reads every attribute of one code that has no rule of its own.
func (r *reader) codes(kind dictionary.Kind, body proto.Message) {
	message := body.ProtoReflect()
	for _, a := range dictionary.Of(kind) {
		if a.Type != dictionary.Code || own[a.Name] || a.Field == "kind" {
			continue
		}
		if code := r.code(a.Field, a.List); code != "" {
			message.Set(message.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(a.Numbers[kind])), protoreflect.ValueOfString(code))
		}
	}
}

// elsewhere is the place that a form states, or the office's own.
func (r *reader) elsewhere(field, list string) string {
	if code := r.code(field, list); code != "" || r.text(field) != "" {
		return code
	}
	if l, _ := codelists.Get(list); l.Has(r.around.Office.Place) {
		return r.around.Office.Place
	}
	if before := r.around.Before; before != nil {
		if field == "border_point" {
			return before.GetCrossing().GetBorderPoint()
		}
		if x := before.GetRegistration(); x != nil {
			return x.GetCentre()
		}
		return before.GetAssistance().GetCentre()
	}
	return ""
}

// way reads how a person came back: as the form states it, else as the arrival does.
func (r *reader) way() (country, mode, returnType string) {
	country, mode, returnType = r.code("country", codelists.Country), r.code("mode", codelists.Mode), r.code("return_type", codelists.ReturnType)
	if a := r.arrived(); a != nil {
		if r.text("country") == "" {
			country = a.Country
		}
		if r.text("mode") == "" {
			mode = a.Mode
		}
		if r.text("return_type") == "" {
			returnType = a.ReturnType
		}
	}
	if r.text("country") != "" {
		r.rare("country", country)
	}
	if !codelists.PlausibleRoute(country, mode) {
		r.doubt("country", "implausible_route", "")
	}
	return country, mode, returnType
}

func (r *reader) crossing() {
	x := &events.Crossing{BorderPoint: r.elsewhere("border_point", codelists.BorderPoint), Sex: r.sex()}
	event := r.when()
	r.since(event)
	x.Age = r.age()
	r.codes(dictionary.Crossing, x)
	if x.Category == "traveller" {
		x.Category = ""
	}
	x.Returned = r.affirmative("returned") || r.text("returned") == "" && r.text("arrival_id") != "" && x.Category == "" && x.Direction != "exit"
	if x.Returned {
		if x.Direction == "" {
			x.Direction = "entry"
		}
		x.Country, x.Mode, x.ReturnType = r.way()
		r.rare("nationality", x.Nationality)
	} else {
		for _, field := range []string{"country", "mode", "return_type"} {
			if r.text(field) != "" {
				r.fault(field, "only_of_a_return", "")
			}
		}
	}
	record := &events.Record{Body: &events.Record_Crossing{Crossing: x}, PersonKey: r.person(x.Nationality)}
	if x.Direction == "exit" && record.PersonKey != "" && r.around.Returned != nil && r.around.Returned(record.PersonKey) {
		r.doubt("direction", "exit_after_return", "")
	}
	r.finish(record, event)
}

// since sets the day on which ages and the identity secret are taken: that of the arrival where it is known.
func (r *reader) since(event time.Time) {
	r.on = calendar.DayOfTime(event)
	if a := r.arrived(); a != nil {
		r.on = calendar.DayOf(a.AtMs)
	}
}

func (r *reader) registration() {
	x := &events.Registration{Centre: r.elsewhere("centre", codelists.Centre), Sex: r.sex()}
	event := r.when()
	r.ofCrossing()
	x.ArrivalTimeMs = r.arrivalTime(event)
	r.since(event)
	if x.ArrivalTimeMs != 0 {
		r.on = calendar.DayOf(x.ArrivalTimeMs)
	}
	x.Age = r.age()
	r.codes(dictionary.Registration, x)
	x.Country, x.Mode, x.ReturnType = r.way()
	x.EntryPoint = r.code("entry_point", codelists.BorderPoint)
	if a := r.arrived(); a != nil {
		if r.text("entry_point") == "" {
			x.EntryPoint = a.BorderPoint
		}
		if r.text("programme") == "" {
			x.Programme = a.Programme
		}
	}
	x.Department, x.Municipality = r.place("department", "municipality")
	x.DestinationDepartment, x.DestinationMunicipality = r.place("destination_department", "destination_municipality")
	for _, text := range r.all("reasons") {
		if code := r.coded("reasons", codelists.Reason, text); code != "" {
			x.Reasons = append(x.Reasons, code)
		}
	}
	r.known(x)
	r.rare("nationality", x.Nationality)
	r.rare("intended_country", x.IntendedCountry)
	r.finish(&events.Record{Body: &events.Record_Registration{Registration: x}, PersonKey: r.keyOf(r.person(x.Nationality))}, event)
}

// arrivalTime is the arrival that a registration states: a day as people type it, milliseconds since 1970, or that of the open arrival.
func (r *reader) arrivalTime(event time.Time) int64 {
	text := r.text("arrival_time_ms")
	if text == "" {
		if a := r.arrived(); a != nil {
			return min(a.AtMs, event.UnixMilli()) // the clocks of two offices may differ by a little
		}
		return 0
	}
	t, ok := time.Time{}, false
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > 10 {
		t, ok = time.UnixMilli(ms), true
	} else {
		t, ok = ReadMoment(text, r.around.Now)
	}
	switch {
	case !ok:
		r.fault("arrival_time_ms", "bad_date", text)
		return 0
	case calendar.DayOfTime(t) > calendar.DayOfTime(event):
		r.fault("arrival_time_ms", "contradiction", text)
		return 0
	case t.After(event):
		return event.UnixMilli() // no person is registered before arriving; noon was only our assumption
	}
	return t.UnixMilli()
}

// place reads a department and a municipality, which gives its department.
func (r *reader) place(departmentField, municipalityField string) (department, municipality string) {
	department = r.code(departmentField, codelists.Department)
	text := r.text(municipalityField)
	if department != "" && text != "" {
		if code, ok := codelists.ResolveMunicipality(department, text); ok {
			municipality = code
			if unstated(codelists.Municipality, code) {
				municipality = ""
			}
			return department, municipality
		}
	}
	municipality = r.code(municipalityField, codelists.Municipality)
	if municipality != "" && department == "" {
		department = codelists.DepartmentOf(municipality)
	}
	return department, municipality
}

// assistance makes a record for each kind: to the registration named, else to each registered person of the arrival that is not left out.
func (r *reader) assistance() {
	centre, event := r.elsewhere("centre", codelists.Centre), r.when()
	r.since(event)
	var kinds []string
	for _, text := range r.all("kind") {
		if code := r.coded("kind", codelists.AssistanceKind, text); code != "" {
			kinds = append(kinds, code)
		}
	}
	to := r.around.Registered
	if len(kinds) == 0 && len(r.out.Faults) == 0 {
		r.fault("kind", "required", "")
	}
	if len(to) == 0 {
		if r.text("arrival_id") != "" {
			r.fault("arrival_id", "no_person_registered", "")
			return
		}
		to = []Registered{{RecordID: r.text("registration_id"), PersonKey: r.person("")}}
	}
	for i, kind := range kinds {
		for j, person := range to {
			x := &events.Assistance{Centre: centre, Kind: kind, RegistrationId: person.RecordID}
			record := &events.Record{Body: &events.Record_Assistance{Assistance: x}, PersonKey: person.PersonKey}
			r.finish(record, event)
			if i+j > 0 {
				record.RecordId = DerivedID(r.text("record_id"), person.RecordID, kind)
			}
		}
	}
	r.out.Identity.Arrival = r.text("arrival_id")
}

// DerivedID is the id of one of the records that a form of help to several people or of several kinds makes: a UUIDv7 of the time of the form's own id,
// the same for the same form, person and kind.
func DerivedID(form, registration, kind string) string {
	id, err := uuid.Parse(form)
	if err != nil {
		return "" // the fault is that of the form's own id
	}
	sum := sha256.Sum256([]byte(form + "\x00" + registration + "\x00" + kind))
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

// void takes a record out of every count: what it said stays, with the reason.
func (r *reader) void() {
	if r.around.Before == nil {
		r.fault("void_reason", "nothing_to_void", "")
		return
	}
	record := proto.CloneOf(r.around.Before)
	record.VoidReason = r.code("void_reason", codelists.VoidReason)
	if record.VoidReason == "" && len(r.out.Faults) == 0 {
		r.fault("void_reason", "required", "")
	}
	r.revise(record)
}

// finish fills what every record has.
func (r *reader) finish(record *events.Record, event time.Time) {
	record.EventTimeMs = event.UnixMilli()
	record.SchemaVersion = events.SchemaVersion
	if r.out.Identity.Arrival == "" {
		r.out.Identity.Arrival = r.text("arrival_id")
	}
	if before := r.around.Before; before != nil {
		ofCrossing := before.GetRegistration() != nil && r.out.Identity.Crossing != ""
		stated := r.text("document_number") != "" || r.text("folio") != "" && r.out.Identity.Folio != ""
		switch {
		case before.GetAssistance() != nil, !stated, ofCrossing:
			record.PersonKey = before.GetPersonKey()
		case record.PersonKey != before.GetPersonKey() && len(r.out.Faults) == 0:
			r.fault("document_number", "another_person", "")
		}
	}
	r.revise(record)
}

// revise gives a record its id, revision and the time at which it was recorded.
func (r *reader) revise(record *events.Record) {
	record.RecordId, record.Revision = r.text("record_id"), 1
	if text := r.text("revision"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n == 0 {
			r.fault("revision", "out_of_range", text)
		}
		record.Revision = uint32(n)
	}
	if before := r.around.Before.GetRevision(); len(r.out.Faults) == 0 && record.Revision > before+1 {
		r.fault("revision", "revision_gap", strconv.Itoa(int(before)))
	}
	record.SourceId = r.around.Office.Source
	record.SourceSeq = 0
	record.RecordedTimeMs = max(r.around.Now.UnixMilli(), record.EventTimeMs)
	r.out.Records = append(r.out.Records, record)
}
