// Package form makes records of what a clerk types: the named text fields of a form, the office and the open arrival go in, a
// record, the part that stays in the office, faults and doubts come out.
//
// It promises: the same fields at the same time in the same office give the same record; nothing is guessed (what is
// ambiguous is a fault that names field and cure); every doubt is asked by a code of its own and kept when it is confirmed; names,
// documents, birth dates, slips and plates are in the Identity of what it returns and never in its Record. It has no clock and does no
// I/O. On failure: a form with a fault, or with a doubt that is not confirmed, gives no record.
package form

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"retorno/producers/identity"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// Page is what a form is about. Each is a page of the agent.
type Page string

// The pages with a form.
const (
	ArrivalPage      Page = "arrival"
	CrossingPage     Page = "crossing"
	RegistrationPage Page = "registration"
	AssistancePage   Page = "assistance"
)

// Pages are all pages with a form.
func Pages() []Page { return []Page{ArrivalPage, CrossingPage, RegistrationPage, AssistancePage} }

// Office is the computer at which people type.
type Office struct {
	// Source is its id, such as L-COR-1.
	Source string
	// Place is its border point or its centre: what a form means that does not state one.
	Place string
	// Secret is the identity secret in force on a day; false when there is none for that day.
	Secret func(calendar.Day) (identity.Secret, bool)
}

// Finding is one thing wrong with a field, or one thing to ask.
type Finding struct {
	Field string // name of the field
	Code  string // stable
	// ES and EN say in Spanish and English what is the matter and what to do. Neither holds a document, a name or a birth date.
	ES, EN string
}

// Around is what is known beside the form itself.
type Around struct {
	Office Office
	// Now is the time by the clock of the computer.
	Now time.Time
	// Use is what the office chose lately.
	Use Use
	// Arrival is the arrival that arrival_id names; nil without one.
	Arrival *Arrival
	// Before is the newest revision of the record, nil of a new one.
	Before *events.Record
	// Registered are those of the arrival, to whom one form of help goes.
	Registered []Registered
	// Returned and Today report whether a person key was seen here as returned, and in a record of the same page today. nil: neither.
	Returned, Today func(key string) bool
	// Crossing is the crossing that crossing_id names, as its post told of it; nil without one.
	Crossing *agents.Crossing
	// Taken reports whether another record than this one registers that crossing.
	Taken bool
	// Found says that a document was found false or reported stolen, as the code of a doubt with day and place; "" is nothing. nil: that is
	// not known.
	Found func(d identity.Document) (code, found string)
	// Paper says what is wrong with the number of a paper form, as a code and what was found; "" is nothing. nil: numbers are not asked about.
	Paper func(number string) (code, found string)
	// ClockInDoubt reports whether the clock may be wrong.
	ClockInDoubt bool
}

// Registered is a registration of this office.
type Registered struct{ RecordID, PersonKey string }

// Identity is what stays in the office.
type Identity struct {
	Country   string   `json:"document_country,omitempty"`
	Type      string   `json:"document_type,omitempty"`
	Number    string   `json:"document_number,omitempty"`
	Birth     string   `json:"birth_date,omitempty"` // ISO 8601
	Names     string   `json:"names,omitempty"`
	Surnames  string   `json:"surnames,omitempty"`
	Folio     string   `json:"folio,omitempty"`
	Form      string   `json:"form_number,omitempty"`
	Arrival   string   `json:"arrival_id,omitempty"`
	Crossing  string   `json:"crossing_id,omitempty"` // that a registration is of
	Confirmed []string `json:"confirmed,omitempty"`   // codes of doubts that the clerk confirmed
	Clock     *Clock   `json:"clock,omitempty"`       // of a record whose time is in doubt
}

// Clock says when a record was typed by a clock that is never set, while that of the computer was in doubt.
type Clock struct {
	Boot     string `json:"boot"`      // the start of the computer from which it counts
	PassedMs int64  `json:"passed_ms"` // since then
}

// Result is what a form says.
type Result struct {
	// Records are what to save: one, or of a help to an arrival one for each person and kind. Source and number of the record are not
	// in them yet. Empty when there are Faults, or Doubts to be confirmed.
	Records []*events.Record
	// Arrival is set of the page arrival.
	Arrival  *Arrival
	Identity Identity
	Faults   []Finding
	// Doubts are those that the form does not confirm.
	Doubts []Finding
	// Canonical are bytes that two forms share exactly when they say the same.
	Canonical []byte
}

// reader reads one form.
type reader struct {
	page   Page
	fields url.Values
	around Around
	out    Result
	on     calendar.Day // of the event, or of the arrival where it is known
	birth  calendar.Day // where Identity.Birth is stated
}

// Read reads a form. Fields that no form has are a fault: a misspelt name would lose an answer.
func Read(page Page, fields url.Values, around Around) Result {
	r := &reader{page: page, fields: fields, around: around}
	r.out.Canonical = canonical(page, fields)
	for name := range fields {
		if !slices.Contains(Names(page), name) {
			r.fault(name, "unknown_field", name)
		}
	}
	switch {
	case page == ArrivalPage:
		r.arrival()
	case Empty(page, fields):
		r.fault("", "empty_form", "")
	case r.text("void_reason") != "":
		r.void()
	case page == CrossingPage:
		r.crossing()
	case page == RegistrationPage:
		r.registration()
	case page == AssistancePage:
		r.assistance()
	}
	r.settle()
	return r.out
}

// settle keeps the doubts that are confirmed, checks the records by the schema, and drops everything when something is open.
func (r *reader) settle() {
	confirmed := strings.FieldsFunc(strings.Join(r.fields["confirm"], " "), func(c rune) bool { return c == ' ' || c == ',' || c == ';' })
	r.out.Doubts = slices.DeleteFunc(r.out.Doubts, func(d Finding) bool {
		known := slices.Contains(confirmed, d.Code)
		if known && !slices.Contains(r.out.Identity.Confirmed, d.Code) {
			r.out.Identity.Confirmed = append(r.out.Identity.Confirmed, d.Code)
		}
		return known
	})
	for _, record := range r.out.Records {
		if len(r.out.Faults) == 0 {
			r.check(record)
		}
	}
	if len(r.out.Faults) > 0 || len(r.out.Doubts) > 0 {
		r.out.Records, r.out.Arrival = nil, nil
	}
}

// check asks the schema itself. Number and source are given when the record is saved.
func (r *reader) check(record *events.Record) {
	for _, f := range events.Validate(record) {
		field := f.Field[strings.LastIndexByte(f.Field, '.')+1:]
		switch field {
		case "source_id", "source_seq":
			continue
		case "event_time_ms", "recorded_time_ms":
			field = "happened"
		}
		r.fault(field, f.Code, f.Detail)
	}
}

// Empty reports whether nothing was typed: what the form brings along by itself (ids, revision, arrival, slip) says nothing.
func Empty(page Page, fields url.Values) bool {
	for _, name := range Names(page) {
		if !slices.Contains(brought, name) && strings.TrimSpace(strings.Join(fields[name], "")) != "" {
			return false
		}
	}
	return true
}

// brought are the fields that a form brings along by itself, or that say nothing alone.
var brought = []string{"record_id", "revision", "arrival_id", "folio", "form_number", "confirm", "happened", "returned", "border_point", "centre",
	"document_check", "document_country", "document_type"}

// canonical writes the fields that say something, in the order of their names.
func canonical(page Page, fields url.Values) []byte {
	said := map[string][]string{"": {string(page)}}
	for name, values := range fields {
		kept := make([]string, 0, len(values))
		for _, v := range values {
			if v = strings.TrimSpace(v); v != "" {
				kept = append(kept, v)
			}
		}
		if len(kept) > 0 && name != "confirm" {
			said[name] = kept
		}
	}
	out, _ := json.Marshal(said) // strings always marshal; keys are sorted
	return out
}

// text is the first value of a field, without blanks around it.
func (r *reader) text(name string) string { return strings.TrimSpace(r.fields.Get(name)) }

// all are the values of a field that may come several times, each once.
func (r *reader) all(name string) []string {
	var out []string
	for _, v := range r.fields[name] {
		for v := range strings.SplitSeq(v, ",") {
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, v)
			}
		}
	}
	return out
}

// Fault is a finding by a code of this package, with what was found.
func Fault(field, code, found string) Finding {
	es, en := say(code, found)
	return Finding{field, code, es, en}
}

func (r *reader) fault(field, code, detail string) {
	r.out.Faults = append(r.out.Faults, Fault(field, code, detail))
}

func (r *reader) doubt(field, code, detail string) {
	if slices.ContainsFunc(r.out.Doubts, func(d Finding) bool { return d.Code == code }) {
		return
	}
	es, en := say(code, detail)
	r.out.Doubts = append(r.out.Doubts, Finding{field, code, es, en})
}

// code reads a field of a list; "" when nothing is stated or the text is a fault. "No declarado" is not stated.
func (r *reader) code(field, list string) string { return r.coded(field, list, r.text(field)) }

func (r *reader) coded(field, list, text string) string {
	code, near, ok := Resolve(list, text, r.around.Use)
	switch {
	case !ok && len(near) > 0:
		labels := make([]string, len(near))
		for i, c := range near {
			labels[i] = c.ES
		}
		r.fault(field, "several_codes", strings.Join(labels, ", "))
	case !ok:
		r.fault(field, "unknown_code", text)
	case code != "" && unstated(list, code):
		return ""
	}
	return code
}

// affirmative reads a field of yes and no.
func (r *reader) affirmative(field string) bool {
	switch text := strings.ToLower(r.text(field)); text {
	case "":
		return false
	case "true", "1", "on":
		return true
	case "false", "0", "off":
		return false
	default:
		return r.coded(field, codelists.Answer, text) == "yes"
	}
}
