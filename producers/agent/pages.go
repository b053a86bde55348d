package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"retorno/producers/form"
	"retorno/producers/spool"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// frame is what every page has.
type frame struct {
	English bool
	Title   string
	Here    string // path of the page, to come back to after a change of language
	Clerk   string
	State   stateJSON
	// AtCentre reports whether the office is a centre: people are on their way to it.
	AtCentre bool
	Since    string // when the oldest record that is not sent was saved, as people read it
}

// In says in the language of the page.
func (f frame) In(es, en string) string { return pick(f.English, es, en) }

type message struct {
	frame
	Text string
}

func (a *Agent) frame(r *http.Request, es, en string) frame {
	f := frame{English: english(r), Title: pick(english(r), es, en), Here: r.URL.RequestURI(), Clerk: clerkOf(r), AtCentre: a.centre()}
	if state, err := a.stateNow(); err == nil {
		f.State = state
		if state.OldestUnsent != nil {
			at, _ := time.Parse(time.RFC3339, *state.OldestUnsent)
			f.Since = at.In(calendar.Zone()).Format("2006-01-02 15:04")
		}
	}
	return f
}

// centre reports whether the office is a centre.
func (a *Agent) centre() bool {
	l, _ := codelists.Get(codelists.Centre)
	return l.Has(a.cfg.Place)
}

// language keeps the language in a cookie.
func (a *Agent) language(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	lang := "es"
	if fields.Get("lang") == "en" {
		lang = "en"
	}
	http.SetCookie(w, &http.Cookie{Name: "lang", Value: lang, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 1 << 30})
	http.Redirect(w, r, local(fields.Get("to"), "/list"), http.StatusSeeOther)
}

type loginView struct {
	frame
	To    string
	Fault string
}

func (a *Agent) loginPage(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, "login.html", loginView{frame: a.frame(r, "Iniciar sesión", "Log in"), To: local(r.URL.Query().Get("to"), "/list")})
}

func (a *Agent) refuseLogin(w http.ResponseWriter, r *http.Request, status int, code string, why text) {
	if wantsJSON(r) {
		refuse(w, r, status, code, why)
		return
	}
	f := a.frame(r, "Iniciar sesión", "Log in")
	f.Here = "/login"
	render(w, status, "login.html", loginView{frame: f, To: local(r.PostForm.Get("to"), "/list"), Fault: why.in(f.English)})
}

// spare is what a page needs for one more form.
type spare struct {
	RecordID string `json:"record_id"`
	Folio    string `json:"folio"`
}

// spares is how many forms a page has ahead; when a clerk types more before the first one is answered, it mints their ids itself, and
// each gets its slip before it is sent.
const spares = 8

// spare mints a form.
func (a *Agent) spare(r *http.Request, page form.Page) *spare {
	id, err := uuid.NewV7()
	if err != nil {
		return nil
	}
	out := &spare{RecordID: id.String()}
	if page == form.CrossingPage {
		if out.Folio, err = a.slips.give(); err != nil {
			a.failed(r.Context(), "slips", err)
		}
	}
	return out
}

// shown is a form with what is to be said about it.
type shown struct {
	fields         url.Values
	version        uint64
	status         int
	faults, doubts []form.Finding
	saved          string
	known          string // what was found of a person on the way
}

// formPage shows a form: a record to correct, a draft, or a new one.
func (a *Agent) formPage(w http.ResponseWriter, r *http.Request, page form.Page) {
	m, err := a.remembered()
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	query := r.URL.Query()
	s := shown{status: http.StatusOK, saved: query.Get("saved")}
	if id := query.Get("record_id"); id != "" {
		if s.fields, s.version = a.begun(m, page, id); s.fields == nil {
			refuse(w, r, http.StatusNotFound, "not_found", text{"ese registro no está en esta oficina", "that record is not in this office"})
			return
		}
	}
	if s.fields == nil && query.Get("new") == "" {
		for _, id := range a.drafts() {
			if d, version, ok := a.drafted(id); ok && d.Page == page && d.Fields.Get("revision") == "" {
				s.fields, s.version = d.Fields, version
				break
			}
		}
	}
	if s.fields == nil {
		s.fields = a.fresh(r, m, page)
	}
	if stated := query.Get("arrival_id"); stated == "none" {
		s.fields.Del("arrival_id")
	} else if a.arrival(m, stated) != nil {
		s.fields.Set("arrival_id", stated)
	}
	if p, ok := a.cfg.Exchange.Person(query.Get("crossing_id")); ok && page == form.RegistrationPage && query.Get("record_id") == "" {
		for name, value := range a.answers(p) {
			s.fields.Set(name, value)
		}
	}
	a.showForm(w, r, page, s)
}

// fresh is a new form: of the arrival that is open.
func (a *Agent) fresh(r *http.Request, m *memory, page form.Page) url.Values {
	fields := url.Values{}
	if s := a.spare(r, page); s != nil {
		fields.Set("record_id", s.RecordID)
		if s.Folio != "" {
			fields.Set("folio", s.Folio)
		}
	}
	if open := m.open(false); len(open) > 0 && page != form.ArrivalPage {
		fields.Set("arrival_id", open[0].ID)
	}
	return fields
}

// begun are the fields of a draft, or of a record that is to be corrected.
func (a *Agent) begun(m *memory, page form.Page, id string) (url.Values, uint64) {
	if d, version, ok := a.drafted(id); ok && d.Page == page {
		return d.Fields, version
	}
	if page == form.ArrivalPage {
		if arrival := m.arrival(id); arrival != nil {
			return form.ArrivalFields(arrival), 0
		}
		return nil, 0
	}
	all, err := a.cfg.Spool.Record(id)
	if err != nil || len(all) == 0 || pageOf(all[len(all)-1].Record) != page {
		return nil, 0
	}
	last := all[len(all)-1].Record
	var kept form.Identity
	if _, sealed, err := a.cfg.Spool.Identity(id, last.GetRevision()); err == nil && len(sealed) > 0 {
		_ = json.Unmarshal(sealed, &kept) // an identity that a later program wrote otherwise is shown as empty
	}
	return form.FieldsOf(last, kept), 0
}

// after sends a browser without script on, to a new form or to the list.
func (a *Agent) after(w http.ResponseWriter, r *http.Request, page form.Page, fields url.Values, done spool.Saved) {
	to := url.Values{"saved": {done.RecordID}}
	if id := fields.Get("arrival_id"); id != "" {
		to.Set("arrival_id", id)
	}
	path := "/" + string(page)
	switch {
	case page == form.ArrivalPage && a.centre():
		path, to = "/registration", url.Values{"arrival_id": {done.RecordID}, "saved": {done.RecordID}}
	case page == form.ArrivalPage:
		path, to = "/crossing", url.Values{"arrival_id": {done.RecordID}, "saved": {done.RecordID}}
	}
	if fields.Get("closed") != "" || page == form.AssistancePage && fields.Get("arrival_id") != "" {
		path = "/list"
	}
	http.Redirect(w, r, path+"?"+to.Encode(), http.StatusSeeOther)
}

// choices answers with a list in the order of this office.
func (a *Agent) choices(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err == nil && r.PathValue("list") == form.CrossingList {
		writeJSON(w, http.StatusOK, a.people(m))
		return
	}
	list, ok := codelists.Get(r.PathValue("list"))
	if err != nil || !ok {
		refuse(w, r, http.StatusNotFound, "not_found", text{"no hay tal lista", "there is no such list"})
		return
	}
	use := m.use()
	if arrival := a.arrival(m, r.URL.Query().Get("arrival_id")); arrival != nil {
		use.Mode = arrival.Mode
	}
	writeJSON(w, http.StatusOK, form.Choices(list.Name, use))
}

// readBack says in words how a date is understood.
func (a *Agent) readBack(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	on := calendar.DayOfTime(a.cfg.Now())
	if m, err := a.remembered(); err == nil {
		if arrival := m.arrival(fields.Get("arrival_id")); arrival != nil {
			on = calendar.DayOf(arrival.AtMs)
		}
	}
	writeJSON(w, http.StatusOK, map[string]string{"text": form.ReadBack(fields.Get("birth_date"), on, english(r))})
}

// brief says in a line what a record is about, for those who are logged in.
func brief(k kept, english bool) string {
	label := func(list, code string) string {
		l, _ := codelists.Get(list)
		c, ok := l.Lookup(code)
		switch {
		case !ok:
			return ""
		case english:
			return c.LabelEN
		}
		return c.LabelES
	}
	var parts []string
	age := func(n *uint32) {
		if n != nil {
			parts = append(parts, strconv.Itoa(int(*n)))
		}
	}
	switch x := k.record.GetBody().(type) {
	case *events.Record_Crossing:
		parts = append(parts, pick(english, "Cruce", "Crossing"), label(codelists.Sex, x.Crossing.GetSex()))
		age(x.Crossing.Age)
	case *events.Record_Registration:
		parts = append(parts, pick(english, "Registro", "Registration"), label(codelists.Sex, x.Registration.GetSex()))
		age(x.Registration.Age)
	case *events.Record_Assistance:
		parts = append(parts, pick(english, "Ayuda", "Help"), label(codelists.AssistanceKind, x.Assistance.GetKind()))
	}
	id := k.identity
	parts = append(parts, id.Names, id.Surnames)
	if id.Number != "" {
		parts = append(parts, id.Number)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// clock is a time of day in Honduras.
func clock(t time.Time) string { return t.In(calendar.Zone()).Format("15:04") }

// dayText is a day as people read it, with how long ago it is left to the reader.
func dayText(t time.Time, english bool) string {
	return fmt.Sprintf("%s %s", form.Spoken(calendar.DayOfTime(t), english), clock(t))
}

// clockMs is clock of milliseconds since 1970-01-01 UTC.
func clockMs(ms int64) string { return clock(time.UnixMilli(ms)) }
