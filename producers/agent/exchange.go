package agent

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"retorno/producers/exchange"
	"retorno/producers/form"
	"retorno/producers/identity"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
	"retorno/schemas/events"
)

// news is what other offices are told of a record: a returned crossing, that one holds no longer, or that a crossing was registered. nil
// is nothing.
func (a *Agent) news(m *memory, record *events.Record, id form.Identity) ([]byte, error) {
	n := agents.News{Record: record.GetRecordId(), Revision: record.GetRevision(), Void: record.GetVoidReason() != ""}
	x := record.GetCrossing()
	switch {
	case record.GetRegistration() != nil && id.Crossing != "":
		n.Registered = id.Crossing
	case x == nil:
		return nil, nil
	case n.Void && x.GetReturned():
	case x.GetReturned():
		n.Crossing = &agents.Crossing{Post: x.GetBorderPoint(), AtMs: record.GetEventTimeMs(), ArrivedMs: record.GetEventTimeMs(), Key: record.GetPersonKey(),
			Sex: x.GetSex(), Age: x.Age, Nationality: x.GetNationality(), Country: x.GetCountry(), Mode: x.GetMode(), ReturnType: x.GetReturnType()}
		if arrival := m.arrival(id.Arrival); arrival != nil {
			n.Crossing.Arrival, n.Crossing.ArrivedMs = arrival.ID, arrival.AtMs
		}
		if id.Folio != "" {
			var err error
			if n.Crossing.Slip, err = a.sealSlip(m, n.Crossing.ArrivedMs, id.Folio, n.Record); err != nil {
				return nil, err
			}
		}
	case n.Revision > 1: // told of before, and returned no longer
		n.Void = true
	default:
		return nil, nil
	}
	return n.Bytes()
}

// tellArrival tells other offices to which centre the people of an arrival were sent on, when that changed. It comes before the arrival is
// kept: a form that is sent once more, because the keeping failed, tells the same once more.
func (a *Agent) tellArrival(m *memory, arrival *form.Arrival) error {
	told := ""
	if before := m.arrival(arrival.ID); before != nil {
		told = before.SentTo
	}
	if told == arrival.SentTo || arrivalPlace(arrival.ID) == "" || a.centre() {
		return nil
	}
	n := agents.News{Record: arrival.ID, Revision: arrival.Revision, Void: arrival.SentTo == ""}
	if !n.Void {
		n.Arrival = &agents.Arrival{Post: arrival.BorderPoint, Centre: arrival.SentTo, Expected: arrival.Expected}
		if n.Arrival.Post == "" {
			n.Arrival.Post = a.cfg.Place
		}
	}
	value, err := n.Bytes()
	if err != nil {
		return err
	}
	if err := a.cfg.Spool.Tell(arrival.ID, value, a.cfg.Now()); err != nil {
		return err
	}
	a.cfg.Exchange.Take([]byte(arrival.ID), value, a.cfg.Now())
	return nil
}

func (a *Agent) sealSlip(m *memory, arrivedMs int64, slip, record string) (string, error) {
	secret, ok := m.secret(a.cfg.Spool, calendar.DayOf(arrivedMs))
	if !ok {
		return "", identity.ErrNoSecret
	}
	return secret.SealSlip(slip, record)
}

// slipOf opens the slip of a person on the way; "" without one, or under a secret that this office has not.
func (a *Agent) slipOf(m *memory, p exchange.Person) string {
	if p.Slip == "" {
		return ""
	}
	secret, ok := m.secret(a.cfg.Spool, calendar.DayOf(p.ArrivedMs))
	if !ok {
		return ""
	}
	slip, err := secret.OpenSlip(p.Slip, p.ID)
	if err != nil {
		return ""
	}
	return slip
}

// arrival is one of this office, or one of which a post told.
func (a *Agent) arrival(m *memory, id string) *form.Arrival {
	if own := m.arrival(id); own != nil || id == "" || !a.centre() {
		return own
	}
	for _, told := range a.cfg.Exchange.Arrivals() {
		if told.ID == id {
			return arrivalOf(told)
		}
	}
	return nil
}

func arrivalOf(a exchange.Arrival) *form.Arrival {
	return &form.Arrival{ID: a.ID, AtMs: a.ArrivedMs, Country: a.Country, Mode: a.Mode, ReturnType: a.ReturnType, BorderPoint: a.Post}
}

// openArrivals are those that a form can be of: the office's own, and for help those of which this office registered people.
func (a *Agent) openArrivals(m *memory, page form.Page) []form.Arrival {
	out := m.open(false)
	if !a.centre() || page != form.AssistancePage {
		return out
	}
	for _, told := range a.cfg.Exchange.Arrivals() {
		if told.ID != "" && len(m.registered(told.ID)) > 0 {
			out = append(out, *arrivalOf(told))
		}
	}
	return out
}

// found looks a person up by document or slip: by the key under each secret that was in force on a day on which people arrived.
func (a *Agent) found(m *memory, d identity.Document) (exchange.Person, bool) {
	var found exchange.Person
	var tried []string
	for _, day := range a.cfg.Exchange.Days() {
		secret, ok := m.secret(a.cfg.Spool, day)
		if !ok {
			continue
		}
		key, err := secret.Key(d)
		if err != nil || key == "" || slices.Contains(tried, key) {
			continue
		}
		tried = append(tried, key)
		if p, ok := a.cfg.Exchange.ByKey(key); ok && p.AtMs > found.AtMs {
			found = p
		}
	}
	return found, found.ID != ""
}

// knownJSON is the answer to a look-up.
type knownJSON struct {
	Found  bool              `json:"found"`
	Fields map[string]string `json:"fields,omitempty"` // of the registration, as the crossing states them
	Text   string            `json:"text"`
}

// known answers whether a person is on the way: by document or slip, or by the crossing that was picked.
func (a *Agent) known(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	m, err := a.remembered()
	if err != nil {
		refuse(w, r, http.StatusUnauthorized, "login", text{"la sesión se cerró", "the session ended"})
		return
	}
	p, ok := a.cfg.Exchange.Person(fields.Get("crossing_id"))
	if d, isDocument := form.DocumentOf(fields); !ok && isDocument {
		p, ok = a.found(m, d)
	}
	out := knownJSON{Found: ok, Text: pick(english(r), "no está entre las personas en camino", "not among the people on the way")}
	if ok {
		out.Fields, out.Text = a.answers(p), personText(p, a.slipOf(m, p), english(r))
		if p.Registered {
			out.Text += " · " + pick(english(r), "ya registrada", "registered already")
		}
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, out)
		return
	}
	// A browser without script: the registration with what was typed, and with what the crossing answers beside it.
	for name, value := range out.Fields {
		if fields.Get(name) == "" || name == "crossing_id" {
			fields.Set(name, value)
		}
	}
	a.showForm(w, r, form.RegistrationPage, shown{fields: fields, status: http.StatusOK, known: out.Text})
}

// answers are the fields of a registration that a crossing answers.
func (a *Agent) answers(p exchange.Person) map[string]string {
	out := map[string]string{"crossing_id": p.ID}
	for name, value := range map[string]string{"sex": p.Sex, "nationality": p.Nationality} {
		if value != "" {
			out[name] = value
		}
	}
	if p.Age != nil {
		out["age"] = strconv.FormatUint(uint64(*p.Age), 10)
	}
	return out
}

func labelOf(list, code string, english bool) string {
	l, _ := codelists.Get(list)
	c, ok := l.Lookup(code)
	if !ok {
		return ""
	}
	return pick(english, c.LabelES, c.LabelEN)
}

// personText says in a line who is on the way: time, sex, age and slip.
func personText(p exchange.Person, slip string, english bool) string {
	parts := []string{labelOf(codelists.Sex, p.Sex, english)}
	if p.Age != nil {
		parts = append(parts, fmt.Sprint(*p.Age))
	}
	parts = append(parts, slip, clockMs(p.AtMs), labelOf(codelists.BorderPoint, p.Post, english))
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// people are those on the way as choices: the latest arrival first, each found by sex and age (mujer34), slip, or time (0512).
func (a *Agent) people(m *memory) []form.Choice {
	var out []form.Choice
	for _, arrival := range a.cfg.Exchange.Arrivals() {
		for _, p := range arrival.Waiting {
			slip := a.slipOf(m, p)
			c := form.Choice{Code: p.ID, ES: personText(p, slip, false), EN: personText(p, slip, true)}
			age := ""
			if p.Age != nil {
				age = fmt.Sprint(*p.Age)
			}
			c.Keys = []string{codelists.Fold(c.ES), codelists.Fold(c.EN), age, codelists.Fold(clockMs(p.AtMs))}
			if slip != "" {
				c.Keys = append(c.Keys, codelists.Fold(slip), strings.Split(slip, "-")[1])
			}
			out = append(out, c)
		}
	}
	return out
}

type waitingView struct {
	frame
	Arrivals []waitingArrival
	Heard    string // when the exchange was last read, as people read it
	Skipped  int
}

type waitingArrival struct {
	Text       string
	Waiting    []recentView
	People     int
	Registered int    // whom a centre has registered
	To         string // the centre to which it was sent on; "" while the post told of none
	Here       bool   // that is this office
	Expected   int    // people in it, as the post said; 0 is not stated
}

// waiting shows who is on the way.
func (a *Agent) waiting(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	v := waitingView{frame: a.frame(r, "En camino", "On the way"), Skipped: a.cfg.Exchange.Unreadable()}
	if heard := a.cfg.Exchange.Heard(); !heard.IsZero() {
		v.Heard = dayText(heard, v.English)
	}
	for _, told := range a.cfg.Exchange.Arrivals() {
		if len(told.Waiting) == 0 {
			continue
		}
		view := waitingArrival{People: told.People, Registered: told.People - len(told.Waiting)}
		view.Here, view.To = told.Centre == a.cfg.Place, labelOf(codelists.Centre, told.Centre, v.English)
		view.Expected = told.Expected
		view.Text = strings.Join([]string{labelOf(codelists.BorderPoint, told.Post, v.English), labelOf(codelists.Country, told.Country, v.English),
			form.Spoken(calendar.DayOf(told.ArrivedMs), v.English), clockMs(told.ArrivedMs)}, " · ")
		for _, p := range told.Waiting {
			view.Waiting = append(view.Waiting, recentView{ID: p.ID, Text: personText(p, a.slipOf(m, p), v.English)})
		}
		v.Arrivals = append(v.Arrivals, view)
	}
	// Those that were sent on to this office come first.
	slices.SortStableFunc(v.Arrivals, func(x, y waitingArrival) int { return rank(x) - rank(y) })
	render(w, http.StatusOK, "waiting.html", v)
}

// rank orders arrivals: sent on to this office, to no office that is known, to another one.
func rank(a waitingArrival) int {
	switch {
	case a.Here:
		return 0
	case a.To == "":
		return 1
	}
	return 2
}

// received counts the people of an arrival of this post whom a centre has registered.
func (a *Agent) received(m *memory, arrival string) (n int) {
	for _, id := range m.crossings(arrival) {
		if a.cfg.Exchange.Registered(id, "") {
			n++
		}
	}
	return n
}
