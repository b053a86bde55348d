package register

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/schemas/events"
)

// Form is what a clerk types at one computer: one revision of one record.
type Form struct {
	// Source is the computer, At its clock then; the zero time is now.
	Source string
	At     time.Time
	Page   form.Page
	Fields url.Values // as the page's form bears them, with document or slip where the person has one
}

// Computer is one at which forms are typed.
type Computer struct {
	Source string
	Place  string // border point or centre
}

// Computers are those of posts and centres, in the order of Sources.
func (r *Register) Computers() []Computer {
	out := make([]Computer, r.sources.beside)
	for i := range out {
		id := r.sources.ids[i]
		out[i] = Computer{Source: id, Place: id[:strings.LastIndexByte(id, '-')]}
	}
	return out
}

// confirmed are the doubts that a made clerk confirms: whatever the register says is meant.
var confirmed = []string{"rare_country", "implausible_route", "exit_after_return", "age_against_birth", "same_document_today"}

// Forms gives what is typed at the computers to yield, each computer's forms in the order of its numbers: an agent that has typed
// them all has the records that Events sends, but for those of Beside. It stops at the first error of yield and returns it.
func (r *Register) Forms(yield func(Form) error) error {
	order := make([]int32, 0, len(r.revs))
	for i := range r.revs {
		if r.revs[i].source != r.sources.beside {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &r.revs[i], &r.revs[j]
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.seq, b.seq))
	})
	e := newEncoder(r)
	for _, i := range order {
		if err := yield(e.form(i)); err != nil {
			return err
		}
	}
	return nil
}

// form is a revision as it is typed.
func (e *encoder) form(rev int32) Form {
	record := e.recordOf(rev)
	f := Form{Source: record.GetSourceId(), At: time.UnixMilli(record.GetRecordedTimeMs()), Page: form.AssistancePage}
	switch record.GetBody().(type) {
	case *events.Record_Crossing:
		f.Page = form.CrossingPage
	case *events.Record_Registration:
		f.Page = form.RegistrationPage
	}
	revision := strconv.FormatUint(uint64(record.GetRevision()), 10)
	if reason := record.GetVoidReason(); reason != "" {
		f.Fields = url.Values{"record_id": {record.GetRecordId()}, "revision": {revision}, "void_reason": {reason}}
		return f
	}
	f.Fields = form.FieldsOf(record, e.identity(e.r.facts[e.r.revs[rev].fact].person))
	f.Fields.Set("revision", revision)
	f.Fields.Set("happened", time.UnixMilli(record.GetEventTimeMs()).UTC().Format(time.RFC3339Nano))
	f.Fields.Set("confirm", strings.Join(confirmed, " "))
	if id := record.GetAssistance().GetRegistrationId(); id != "" {
		f.Fields.Set("registration_id", id)
	}
	return f
}

// identity is what the person shows.
func (e *encoder) identity(who int32) form.Identity {
	if who == none {
		return form.Identity{}
	}
	d := e.r.people.document(who)
	if d.Type == identity.Folio {
		return form.Identity{Folio: d.Number}
	}
	return form.Identity{Country: d.Country, Type: d.Type, Number: d.Number}
}

// AppendLine appends the form as a line of POST /forms, without an end of line.
func (f Form) AppendLine(b []byte) ([]byte, error) {
	said := make(map[string]any, len(f.Fields)+1)
	said["page"] = f.Page
	for name, values := range f.Fields {
		if len(values) == 1 {
			said[name] = values[0]
		} else {
			said[name] = values
		}
	}
	line, err := json.Marshal(said)
	return append(b, line...), err
}
