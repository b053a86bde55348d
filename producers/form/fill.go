package form

import (
	"net/url"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

// FieldsOf are the fields of the form that makes the next revision of a record: what it states, and what of the person stays in the office.
func FieldsOf(record *events.Record, identity Identity) url.Values {
	out := url.Values{"record_id": {record.GetRecordId()}, "revision": {strconv.Itoa(int(record.GetRevision()) + 1)}}
	set := func(name, value string) {
		if value != "" {
			out.Set(name, value)
		}
	}
	kind, body := dictionary.Assistance, record.GetAssistance().ProtoReflect()
	switch {
	case record.GetCrossing() != nil:
		kind, body = dictionary.Crossing, record.GetCrossing().ProtoReflect()
	case record.GetRegistration() != nil:
		kind, body = dictionary.Registration, record.GetRegistration().ProtoReflect()
	}
	for _, a := range dictionary.Of(kind) {
		field := body.Descriptor().Fields().ByNumber(protoreflect.FieldNumber(a.Numbers[kind]))
		if !body.Has(field) {
			continue
		}
		switch value := body.Get(field); a.Type {
		case dictionary.Codes:
			for i := range value.List().Len() {
				out.Add(a.Field, value.List().Get(i).String())
			}
		case dictionary.Flag:
			set(a.Field, "yes")
		case dictionary.Age:
			set(a.Field, strconv.FormatUint(value.Uint(), 10))
		case dictionary.Time:
			set(a.Field, strconv.FormatInt(value.Int(), 10))
		default:
			set(a.Field, value.String())
		}
	}
	set("arrival_id", identity.Arrival)
	if record.GetRegistration() != nil {
		set("crossing_id", identity.Crossing)
	}
	set("names", identity.Names)
	set("surnames", identity.Surnames)
	set("form_number", identity.Form)
	set("birth_date", identity.Birth)
	set("folio", identity.Folio)
	if identity.Folio == "" {
		set("document_number", identity.Number)
		set("document_type", identity.Type)
		set("document_country", identity.Country)
	}
	return out
}

// ArrivalFields are the fields of the form that changes an arrival.
func ArrivalFields(a *Arrival) url.Values {
	out := url.Values{"record_id": {a.ID}, "revision": {strconv.Itoa(int(a.Revision) + 1)}}
	for name, value := range map[string]string{"means": a.Means, "country": a.Country, "mode": a.Mode, "return_type": a.ReturnType, "programme": a.Programme,
		"border_point": a.BorderPoint, "plate": a.Plate, "sent_to": a.SentTo} {
		if value != "" {
			out.Set(name, value)
		}
	}
	if a.Expected > 0 {
		out.Set("expected", strconv.Itoa(a.Expected))
	}
	if a.Closed {
		out.Set("closed", "yes")
	}
	return out
}
