package agent

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"retorno/producers/form"
	"retorno/schemas/codelists"
)

// optionView is one choice of a short list.
type optionView struct {
	Code, Label, Keys string
	Chosen, Likely    bool
}

// fieldView is a field of a form on the page.
type fieldView struct {
	form.Field
	Label, Value, Fault, Or string
	Options                 []optionView
	Hint                    string // what an empty field means
	Known                   string // who is on the way
}

type recentView struct {
	ID, Page, At, Text string
	Revision           uint32 // of the next one
	Void               bool
	Reasons            []optionView
}

type revisionView struct {
	Revision  uint32
	At, Clerk string
	Void      string
}

type formView struct {
	frame
	Page           form.Page
	Hidden         []fieldView
	Fields, More   []fieldView
	Unknown        []fieldView // of a draft that an earlier or later program made
	Arrival        string
	Arrivals       []optionView
	NoArrival      bool // may be typed without one
	Faults, Doubts []finding
	Confirm        string
	LooksUp        bool // by document or slip
	Version        uint64
	Spares         string
	Saved          string
	Correcting     bool
	Revisions      []revisionView
	Recent         []recentView
	RecordID       string
	Reasons        []optionView // of a void
}

func (a *Agent) showForm(w http.ResponseWriter, r *http.Request, page form.Page, s shown) {
	m, err := a.remembered()
	if err != nil {
		refuse(w, r, http.StatusUnauthorized, "login", text{"la sesión se cerró", "the session ended"})
		return
	}
	title := titles[page]
	v := formView{frame: a.frame(r, title.es, title.en), Page: page, Version: s.version, Saved: s.saved, RecordID: s.fields.Get("record_id"), NoArrival: page == form.CrossingPage}
	if r.Method != http.MethodGet {
		v.Here = "/" + string(page)
	}
	use := m.use()
	arrival := a.arrival(m, s.fields.Get("arrival_id"))
	if arrival != nil {
		v.Arrival, use.Mode = arrival.ID, arrival.Mode
	}
	v.LooksUp = page == form.RegistrationPage
	v.Correcting = s.fields.Get("revision") != "" && s.fields.Get("revision") != "1"
	for _, f := range form.Fields(page) {
		a.addField(&v, f, s, use)
	}
	for name, values := range s.fields {
		if !slices.Contains(form.Names(page), name) {
			v.Unknown = append(v.Unknown, fieldView{Field: form.Field{Name: name}, Label: name, Value: strings.Join(values, ", ")})
		}
	}
	if page != form.ArrivalPage {
		for _, open := range a.openArrivals(m, page) {
			v.Arrivals = append(v.Arrivals, optionView{Code: open.ID, Label: arrivalText(open, v.English), Chosen: open.ID == v.Arrival})
		}
	}
	v.Faults, v.Doubts = findings(s.faults, v.English, 0), findings(s.doubts, v.English, 0)
	for _, d := range v.Doubts {
		v.Confirm = strings.TrimSpace(v.Confirm + " " + d.Code)
	}
	a.addSpares(r, &v)
	v.Recent, v.Reasons = a.recent(m, v.English), reasons(v.English)
	if v.Correcting {
		v.Revisions = a.revisions(v.RecordID, v.English)
	}
	render(w, s.status, "form.html", v)
}

var titles = map[form.Page]text{
	form.ArrivalPage: {"Llegada", "Arrival"}, form.CrossingPage: {"Cruce", "Crossing"},
	form.RegistrationPage: {"Registro de llegada", "Registration"}, form.AssistancePage: {"Ayuda", "Help"},
}

// addField adds a field where it stands.
func (a *Agent) addField(v *formView, f form.Field, s shown, use form.Use) {
	out := fieldView{Field: f, Label: f.Label(v.English), Value: s.fields.Get(f.Name), Or: f.Or}
	for _, fault := range slices.Concat(s.faults, s.doubts) {
		if fault.Field == f.Name {
			out.Fault = pick(v.English, fault.ES, fault.EN)
		}
	}
	ordinary := v.Page == form.CrossingPage && v.Arrival == ""
	switch {
	case f.Input == form.Hidden && f.Name == "returned":
		out.Input, out.List, out.More, out.Label = form.One, codelists.Answer, true, pick(v.English, "Retornado", "Returned")
	case f.Input == form.Hidden:
		v.Hidden = append(v.Hidden, out)
		return
	case f.Return && ordinary && out.Value == "" && s.fields.Get("returned") == "":
		return // stated only of a returned person
	case ordinary && slices.Contains([]string{"direction", "category", "nationality"}, f.Name):
		out.More = false
	}
	if f.Name == "document_number" && s.fields.Get("folio") != "" {
		out.Hint = pick(v.English, "vacío: no porta; boleta ", "empty: none carried; slip ") + s.fields.Get("folio")
	}
	if out.List == form.CrossingList {
		out.Known = s.known
	}
	if out.Input == form.One || out.Input == form.Many {
		chosen := s.fields[f.Name]
		for _, c := range form.Choices(out.List, use) {
			if l, ok := codelists.Get(out.List); ok && c.Code == l.Unknown {
				continue // an empty answer
			}
			out.Options = append(out.Options, optionView{Code: c.Code, Label: c.Label(v.English), Keys: strings.Join(c.Keys, " "),
				Likely: c.Likely, Chosen: slices.Contains(chosen, c.Code)})
		}
	}
	if out.Input == form.Find {
		if code, _, ok := form.Resolve(out.List, out.Value, use); ok && code != "" {
			for _, c := range form.Choices(out.List, use) {
				if c.Code == code {
					out.Value = c.Label(v.English)
				}
			}
		}
	}
	if out.More && out.Fault == "" {
		v.More = append(v.More, out)
		return
	}
	v.Fields = append(v.Fields, out)
}

func (a *Agent) addSpares(r *http.Request, v *formView) {
	var all []*spare
	for range spares {
		if s := a.spare(r, v.Page); s != nil {
			all = append(all, s)
		}
	}
	b, _ := json.Marshal(all) // strings always marshal
	v.Spares = string(b)
}

// recent are the last ten records of the office.
func (a *Agent) recent(m *memory, english bool) []recentView {
	const beside = 10
	var out []recentView
	for _, k := range m.last(beside) {
		view := recentView{ID: k.record.GetRecordId(), Page: string(pageOf(k.record)), At: clock(k.at), Text: brief(k, english),
			Revision: k.record.GetRevision() + 1, Void: k.void()}
		view.Reasons = reasons(english)
		out = append(out, view)
	}
	return out
}

// recentPart is the list of the last ten alone, for a page that saved a record.
func (a *Agent) recentPart(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err != nil {
		refuse(w, r, http.StatusUnauthorized, "login", text{"la sesión se cerró", "the session ended"})
		return
	}
	f := frame{English: english(r)}
	render(w, http.StatusOK, "recent", formView{frame: f, Recent: a.recent(m, f.English)})
}

// reasons are those of a void.
func reasons(english bool) []optionView {
	var out []optionView
	for _, c := range form.Choices(codelists.VoidReason, form.Use{}) {
		if c.Code != "unknown" {
			out = append(out, optionView{Code: c.Code, Label: c.Label(english)})
		}
	}
	return out
}

// revisions are those of a record, each with its clerk and time.
func (a *Agent) revisions(id string, english bool) []revisionView {
	all, err := a.cfg.Spool.Record(id)
	if err != nil {
		return nil
	}
	var out []revisionView
	for _, r := range all {
		clerk, _, _ := a.cfg.Spool.Identity(id, r.Record.GetRevision()) // gone after the retention
		out = append(out, revisionView{Revision: r.Record.GetRevision(), At: dayText(r.At, english), Clerk: clerk, Void: r.Record.GetVoidReason()})
	}
	return out
}

// arrivalText says in a line which arrival it is.
func arrivalText(a form.Arrival, english bool) string {
	parts := []string{}
	for _, c := range form.Means {
		if c.Code == a.Means {
			parts = append(parts, c.Label(english))
		}
	}
	for _, c := range form.Choices(codelists.Country, form.Use{}) {
		if c.Code == a.Country {
			parts = append(parts, c.Label(english))
		}
	}
	return strings.Join(append(parts, a.Plate, clockMs(a.AtMs)), " · ")
}
