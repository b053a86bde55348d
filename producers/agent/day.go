package agent

import (
	"net/http"
	"slices"
	"time"

	"retorno/producers/form"
	"retorno/schemas/calendar"
)

// sheet is the day sheet: counts of one Honduran day. It names no person unless asked.
type sheet struct {
	Arrivals, People, Checked, Suspected, False, Registrations, Helps, Helped, Met, Doubts, Corrections, Voids, InDoubt int
}

// sheetOf counts what an office did on a day.
func sheetOf(records []kept, arrivals []form.Arrival, day calendar.Day) sheet {
	var s sheet
	helped := map[string]bool{}
	for _, a := range arrivals {
		if calendar.DayOf(a.AtMs) == day {
			s.Arrivals++
		}
	}
	for _, k := range records {
		if calendar.DayOfTime(k.at) == day {
			switch {
			case k.void():
				s.Voids++
			case k.record.GetRevision() > 1:
				s.Corrections++
			}
			s.Doubts += len(k.doubts)
			if met(k.doubts) {
				s.Met++
			}
		}
		if k.void() || calendar.DayOf(k.record.GetEventTimeMs()) != day {
			continue
		}
		if k.identity.Clock != nil {
			s.InDoubt++
		}
		switch {
		case k.record.GetCrossing() != nil:
			s.People++
			switch k.record.GetCrossing().GetDocumentCheck() {
			case "suspected_false":
				s.Checked++
				s.Suspected++
			case "confirmed_false":
				s.Checked++
				s.False++
			case "genuine":
				s.Checked++
			}
		case k.record.GetRegistration() != nil:
			s.Registrations++
		default:
			s.Helps++
			helped[k.record.GetAssistance().GetRegistrationId()] = true
		}
	}
	s.Helped = len(helped)
	return s
}

type line struct {
	Label string
	N     int
}

type dayView struct {
	frame
	Day    string // as people read it
	Lines  []line
	Names  bool
	Asked  string // the day as it was asked for
	People []recentView
}

// day shows the day sheet of ?day=, today's without it; ?names=1 lists the people too.
func (a *Agent) day(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	asked := r.URL.Query().Get("day")
	day := calendar.DayOfTime(a.cfg.Now())
	if asked != "" {
		t, ok := form.ReadMoment(asked, a.cfg.Now())
		if !ok {
			refuse(w, r, http.StatusBadRequest, "bad_date", text{"no es una fecha; escríbala día, mes, año", "not a date; type it day, month, year"})
			return
		}
		day = calendar.DayOfTime(t)
	}
	if err := a.mendIfKnown(m, clerkOf(r)); err != nil {
		a.failed(r.Context(), "mend times", err)
	}
	records := m.of(day)
	v := dayView{frame: a.frame(r, "Parte diario", "Day sheet"), Asked: asked, Names: r.URL.Query().Get("names") != ""}
	v.Day = form.Spoken(day, v.English)
	s := sheetOf(records, m.open(true), day)
	for _, l := range []struct {
		es, en string
		n      int
	}{
		{"Llegadas", "Arrivals", s.Arrivals}, {"Personas", "People", s.People}, {"Documentos revisados", "Documents checked", s.Checked},
		{"Con sospecha de falsedad", "Suspected false", s.Suspected}, {"Falsos confirmados", "Confirmed false", s.False},
		{"Documentos ya hallados falsos o reportados robados", "Documents found false before or reported stolen", s.Met},
		{"Registros", "Registrations", s.Registrations}, {"Ayudas", "Helps", s.Helps}, {"Personas ayudadas", "People helped", s.Helped},
		{"Dudas confirmadas", "Doubts confirmed", s.Doubts}, {"Correcciones", "Corrections", s.Corrections}, {"Anulaciones", "Voids", s.Voids},
		{"Con hora en duda", "With a time in doubt", s.InDoubt},
		{"Formularios de papel que faltan", "Paper forms that are missing", v.State.FormsMissing}, {"Sin enviar", "Not sent", int(v.State.Unsent)},
	} {
		v.Lines = append(v.Lines, line{pick(v.English, l.es, l.en), l.n})
	}
	if v.Names {
		for _, k := range slices.Backward(records) {
			v.People = append(v.People, recentView{ID: k.record.GetRecordId(), Page: string(pageOf(k.record)), At: clock(k.at), Text: brief(k, v.English), Void: k.void()})
		}
	}
	render(w, http.StatusOK, "day.html", v)
}

type arrivalView struct {
	ID, Text, SentTo    string
	Crossed, Registered int
	Received, Expected  int // whom a centre has registered; who was expected
	Closed              bool
	Fields              map[string]string
}

type draftView struct{ ID, Page, Title string }

type listView struct {
	frame
	Arrivals []arrivalView
	Drafts   []draftView
	Recent   []recentView
	Saved    string
}

// list shows arrivals, drafts and the latest records.
func (a *Agent) list(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	if err := a.mendIfKnown(m, clerkOf(r)); err != nil {
		a.failed(r.Context(), "mend times", err)
	}
	v := listView{frame: a.frame(r, "Lista", "List"), Saved: r.URL.Query().Get("saved"), Recent: a.recent(m, english(r))}
	recently := a.cfg.Now().Add(-3 * 24 * time.Hour).UnixMilli()
	for _, arrival := range m.open(true) {
		if arrival.Closed && arrival.AtMs < recently {
			continue
		}
		view := arrivalView{ID: arrival.ID, Text: arrivalText(arrival, v.English), SentTo: arrival.SentTo, Expected: arrival.Expected, Closed: arrival.Closed, Fields: map[string]string{}}
		view.Crossed, view.Registered = m.people(arrival.ID)
		view.Received = a.received(m, arrival.ID)
		for name, values := range form.ArrivalFields(&arrival) {
			view.Fields[name] = values[0]
		}
		v.Arrivals = append(v.Arrivals, view)
	}
	for _, id := range a.drafts() {
		if d, _, ok := a.drafted(id); ok {
			v.Drafts = append(v.Drafts, draftView{ID: id, Page: string(d.Page), Title: titles[d.Page].in(v.English)})
		}
	}
	render(w, http.StatusOK, "list.html", v)
}
