package agent

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/producers/paper"
	"retorno/producers/spool"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// saved is the answer to a form that is on the disk.
type saved struct {
	Done bool `json:"saved"`
	spool.Saved
	Records []spool.Saved `json:"records,omitempty"` // of a form that makes several
	Next    *spare        `json:"next,omitempty"`    // what a page needs for one more form
}

// read makes records of a form. earlier are records of the same call that are not saved yet.
func (a *Agent) read(m *memory, use form.Use, page form.Page, fields url.Values, earlier map[string]*events.Record) form.Result {
	id := fields.Get("record_id")
	now := a.clock(m)
	around := form.Around{Office: a.office(m), Now: now.At, Use: use, Arrival: a.arrival(m, fields.Get("arrival_id")), ClockInDoubt: now.Ask}
	if crossing := fields.Get("crossing_id"); crossing != "" && page == form.RegistrationPage {
		if p, ok := a.cfg.Exchange.Person(crossing); ok {
			around.Crossing, around.Taken = &p.Crossing, a.cfg.Exchange.Registered(crossing, id)
		}
	}
	if page == form.ArrivalPage {
		around.Arrival = m.arrival(id)
	}
	if around.Arrival != nil {
		around.Use.Mode = around.Arrival.Mode
	}
	around.Before = a.before(fields, earlier)
	today := calendar.DayOfTime(around.Now)
	around.Today = func(key string) bool {
		return m.seen(key, id, func(k *kept) bool {
			return pageOf(k.record) == page && calendar.DayOf(k.record.GetEventTimeMs()) == today
		})
	}
	around.Returned = func(key string) bool {
		return m.seen(key, id, func(k *kept) bool { return k.record.GetCrossing().GetReturned() })
	}
	around.Found = func(d identity.Document) (code, found string) { return a.foundBefore(m, d, id) }
	around.Paper = func(number string) (code, found string) { return a.paperFault(m, number, id) }
	if page == form.AssistancePage {
		around.Registered = a.helped(m, fields, earlier)
	}
	result := form.Read(page, fields, around)
	if missing := fields.Get("arrival_id"); missing != "" && around.Arrival == nil && page != form.ArrivalPage {
		result.Records = nil
		result.Faults = append(result.Faults, form.Finding{Field: "arrival_id", Code: "unknown_arrival",
			ES: "esa llegada no está en esta oficina; elija otra", EN: "that arrival is not in this office; choose another"})
	}
	return result
}

// before is the revision before the one that a form states; nil when there is none.
func (a *Agent) before(fields url.Values, earlier map[string]*events.Record) *events.Record {
	id, revision := fields.Get("record_id"), fields.Get("revision")
	if revision == "" || revision == "1" {
		return nil
	}
	if r := earlier[id]; r != nil {
		return r
	}
	all, err := a.cfg.Spool.Record(id)
	if err != nil {
		return nil
	}
	for _, r := range slices.Backward(all) {
		if revision != "" && uint64(r.Record.GetRevision()) < atoi(revision) {
			return r.Record
		}
	}
	return nil
}

func atoi(s string) uint64 {
	n := uint64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1<<32 {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// helped are those to whom a form of help goes: the registration that it names, else those of the arrival who are not left out.
func (a *Agent) helped(m *memory, fields url.Values, earlier map[string]*events.Record) []form.Registered {
	if id := fields.Get("registration_id"); id != "" {
		if r := earlier[id]; r != nil {
			return []form.Registered{{RecordID: id, PersonKey: r.GetPersonKey()}}
		}
		if all, err := a.cfg.Spool.Record(id); err == nil && len(all) > 0 {
			return []form.Registered{{RecordID: id, PersonKey: all[len(all)-1].Record.GetPersonKey()}}
		}
		return nil
	}
	if fields.Get("arrival_id") == "" {
		return nil
	}
	people := m.registered(fields.Get("arrival_id"))
	// A form that is sent once more is what it was, also when more people were registered since.
	if all, err := a.cfg.Spool.Record(fields.Get("record_id")); err == nil && len(all) > 0 {
		people = slices.DeleteFunc(people, func(p form.Registered) bool { return !a.wasHelped(fields, p, all[0].Record) })
	}
	left := fields["left_out"]
	return slices.DeleteFunc(people, func(p form.Registered) bool { return slices.Contains(left, p.RecordID) })
}

// wasHelped reports whether a form of help that is saved already went to a person.
func (a *Agent) wasHelped(fields url.Values, p form.Registered, first *events.Record) bool {
	if first.GetAssistance().GetRegistrationId() == p.RecordID {
		return true
	}
	_, err := a.cfg.Spool.Record(form.DerivedID(fields.Get("record_id"), p.RecordID, first.GetAssistance().GetKind()))
	return err == nil
}

// entries are what the spool saves of a form.
func (a *Agent) entries(m *memory, result form.Result, happened, clerk string) ([]spool.Entry, error) {
	out := make([]spool.Entry, len(result.Records))
	for i, record := range result.Records {
		result.Identity.Clock = a.mark(m, record, happened)
		sealed, err := json.Marshal(result.Identity)
		if err != nil {
			return nil, err
		}
		news, err := a.news(m, record, result.Identity)
		if err != nil {
			return nil, err
		}
		finding, err := a.finding(m, record, result.Identity)
		if err != nil {
			return nil, err
		}
		if len(news) > 0 && len(finding) > 0 {
			news = append(news, '\n')
		}
		news = append(news, finding...)
		out[i] = spool.Entry{Record: record, Form: result.Canonical, Identity: sealed, News: news, Clerk: clerk, At: a.cfg.Now()}
	}
	return out, nil
}

// keep saves what forms made, and remembers it.
func (a *Agent) keep(m *memory, entries []spool.Entry) ([]spool.Saved, error) {
	done, err := a.cfg.Spool.Save(entries)
	if err != nil {
		return nil, err
	}
	a.kept(m, entries, done)
	return done, nil
}

// kept remembers what was saved.
func (a *Agent) kept(m *memory, entries []spool.Entry, done []spool.Saved) {
	forms := map[paper.Number]bool{}
	for i, e := range entries {
		if !done[i].Again {
			m.formOf(e.Record.GetRecordId(), forms)
			m.add(e.Record, e.At, e.Identity)
			a.told(m, e.Record.GetRecordId(), e.News)
			m.formOf(e.Record.GetRecordId(), forms)
		}
	}
	a.markForms(m.held(forms))
}

// refusal says how an error of the spool is answered.
func (a *Agent) refusal(r *http.Request, err error) (status int, code string, why text) {
	switch {
	case errors.Is(err, spool.ErrOtherContent):
		return http.StatusConflict, "other_content", text{"ya se guardó otro contenido con este número de registro; abra el registro y corríjalo", "another content was saved under this record id; open the record and correct it"}
	case errors.Is(err, spool.ErrOrder):
		return http.StatusConflict, "revision_gap", text{"falta la versión anterior de este registro; ábralo otra vez", "the revision before this one is not here; open the record once more"}
	case errors.Is(err, spool.ErrDraftVersion):
		return http.StatusConflict, "draft_changed", text{"este formulario se cambió en otra pestaña", "this form was changed in another tab"}
	case errors.Is(err, spool.ErrDisk):
		return http.StatusInsufficientStorage, "disk", text{"NO se guardó: el disco no recibe nada; lo escrito queda en pantalla, libere espacio y guarde de nuevo", "NOT saved: the disk takes nothing; what you typed stays on the screen, make room and save once more"}
	case errors.Is(err, spool.ErrLocked):
		return http.StatusUnauthorized, "login", text{"la sesión se cerró; inicie sesión, lo escrito queda", "the session ended; log in, what you typed stays"}
	}
	a.failed(r.Context(), "save", err)
	return http.StatusInsufficientStorage, "disk", text{"NO se guardó: el disco falló; avise al administrador", "NOT saved: the disk failed; tell the administrator"}
}

// post saves one form.
func (a *Agent) post(w http.ResponseWriter, r *http.Request, page form.Page) {
	fields, err := fieldsOf(r)
	if err != nil {
		status := http.StatusBadRequest
		if errors.Is(err, errMediaType) {
			status = http.StatusUnsupportedMediaType
		} else if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, r, status, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	m, err := a.remembered()
	if err != nil {
		a.refuseForm(w, r, page, fields, err)
		return
	}
	a.saving.Lock()
	defer a.saving.Unlock()
	if err := a.mend(m, clerkOf(r)); err != nil {
		a.refuseForm(w, r, page, fields, err)
		return
	}
	result := a.read(m, m.use(), page, fields, nil)
	if len(result.Faults)+len(result.Doubts) == 0 && slices.Contains(result.Identity.Confirmed, "clock") {
		a.watch.confirm()
	}
	switch {
	case len(result.Faults) > 0:
		a.answerForm(w, r, page, fields, http.StatusBadRequest, result)
	case len(result.Doubts) > 0:
		a.answerForm(w, r, page, fields, http.StatusUnprocessableEntity, result)
	case page == form.ArrivalPage:
		a.keepArrival(w, r, m, fields, result)
	default:
		a.save(w, r, m, page, fields, result)
	}
}

// save saves the records of a form and answers.
func (a *Agent) save(w http.ResponseWriter, r *http.Request, m *memory, page form.Page, fields url.Values, result form.Result) {
	if fields.Get("void_reason") != "" {
		result.Identity = m.identity(fields.Get("record_id"))
		result.Identity.Confirmed = nil
	}
	entries, err := a.entries(m, result, fields.Get("happened"), clerkOf(r))
	var done []spool.Saved
	if err == nil {
		done, err = a.keep(m, entries)
	}
	if err != nil {
		a.refuseForm(w, r, page, fields, err)
		return
	}
	if !wantsJSON(r) {
		a.after(w, r, page, fields, done[0])
		return
	}
	out := saved{Done: true, Saved: done[0]}
	if len(done) > 1 {
		out.Records = done
	}
	if r.Header.Get("X-Next") != "" {
		out.Next = a.spare(r, page)
	}
	status := http.StatusCreated
	if !slices.ContainsFunc(done, func(d spool.Saved) bool { return !d.Again }) {
		status = http.StatusOK
	}
	writeJSON(w, status, out)
}

// refuseForm answers an error of the spool; the page keeps what was typed.
func (a *Agent) refuseForm(w http.ResponseWriter, r *http.Request, page form.Page, fields url.Values, err error) {
	status, code, why := a.refusal(r, err)
	if wantsJSON(r) {
		refuse(w, r, status, code, why)
		return
	}
	a.answerForm(w, r, page, fields, status, form.Result{Faults: []form.Finding{{Code: code, ES: why.es, EN: why.en}}})
}

// answerForm answers faults and doubts: to a program by name, to a browser with the form and all that was typed.
func (a *Agent) answerForm(w http.ResponseWriter, r *http.Request, page form.Page, fields url.Values, status int, result form.Result) {
	if wantsJSON(r) {
		if len(result.Faults) > 0 {
			writeJSON(w, status, map[string]any{"faults": findings(result.Faults, english(r), 0)})
			return
		}
		writeJSON(w, status, map[string]any{"doubts": findings(result.Doubts, english(r), 0)})
		return
	}
	a.showForm(w, r, page, shown{fields: fields, status: status, faults: result.Faults, doubts: result.Doubts})
}

// keepArrival saves an arrival. The same form once more changes nothing.
func (a *Agent) keepArrival(w http.ResponseWriter, r *http.Request, m *memory, fields url.Values, result form.Result) {
	arrival := result.Arrival
	err := a.tellArrival(m, arrival)
	if err == nil {
		err = a.putArrival(arrival)
	}
	if errors.Is(err, spool.ErrNotFound) {
		a.answerForm(w, r, form.ArrivalPage, fields, http.StatusBadRequest, form.Result{Faults: []form.Finding{{Field: "record_id", Code: "invalid_id",
			ES: "identificador inválido; abra un formulario nuevo", EN: "an invalid id; open a new form"}}})
		return
	}
	if err != nil {
		a.refuseForm(w, r, form.ArrivalPage, fields, err)
		return
	}
	status := http.StatusCreated
	if m.arrival(arrival.ID) != nil {
		status = http.StatusOK
	}
	m.put(arrival)
	if wantsJSON(r) {
		out := map[string]any{"saved": true, "record_id": arrival.ID, "revision": arrival.Revision}
		if r.Header.Get("X-Next") != "" {
			out["go"] = "/crossing?arrival_id=" + arrival.ID
			if a.centre() {
				out["go"] = "/registration?arrival_id=" + arrival.ID
			}
		}
		writeJSON(w, status, out)
		return
	}
	a.after(w, r, form.ArrivalPage, fields, spool.Saved{RecordID: arrival.ID, Revision: arrival.Revision})
}
