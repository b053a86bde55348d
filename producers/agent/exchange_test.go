package agent

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retorno/producers/exchange"
)

// offices are a post and a centre that hear of each other at once.
func offices(t *testing.T) (p, c *desk) {
	board := exchange.New(exchange.Config{})
	with := func(cfg *Config) { cfg.Exchange = board }
	p = post(t, with)
	c = newDesk(t, t.TempDir(), "CAMR-OMO-1", "CAMR-OMO", with)
	c.login()
	return p, c
}

// crossed saves a crossing of a bus and returns its id.
func (d *desk) crossed(bus, fields string) string {
	d.t.Helper()
	status, answer := d.save("/crossing", "arrival_id="+bus+"&"+fields)
	if status != 201 {
		d.t.Fatalf("%d %v", status, answer)
	}
	return answer["record_id"].(string)
}

func (d *desk) lookUp(fields url.Values) knownJSON {
	d.t.Helper()
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/known", strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	status, answer := d.do(r)
	text, err := json.Marshal(answer)
	var out knownJSON
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if status != 200 || err != nil {
		d.t.Fatalf("%d %v %v", status, answer, err)
	}
	return out
}

// A person is found by document and by slip, or picked; a mistyped document is asked about, and the registration takes the crossing's key
// and arrival; the post sees who was received.
func TestRegistrationTakesTheCrossing(t *testing.T) {
	p, c := offices(t)
	bus := p.bus()
	byDocument := p.crossed(bus, "document_number=0503-1981-00123&sex=h&age=34")
	slip, err := p.agent.slips.give()
	if err != nil {
		t.Fatal(err)
	}
	bySlip := p.crossed(bus, "folio="+slip+"&sex=f&age=20")
	picked := p.crossed(bus, "document_number=0503-1981-00125&sex=f&age=41")
	for id, number := range map[string]string{byDocument: "0503198100123", bySlip: strings.ToLower(slip)} {
		found := c.lookUp(url.Values{"document_number": {number}})
		if !found.Found || found.Fields["crossing_id"] != id || found.Fields["sex"] == "" {
			t.Errorf("%s: %v", number, found)
		}
	}
	if found := c.lookUp(url.Values{"document_number": {"0503198100126"}}); found.Found {
		t.Errorf("a mistyped document finds %v", found)
	}
	if _, page := c.get("/waiting"); !strings.Contains(page, slip) || strings.Contains(page, "00123") {
		t.Error("the page of people on the way")
	}
	form := "crossing_id=" + picked + "&document_number=0503-1981-00126"
	if status, answer := c.save("/registration", form); status != 422 || codeOf(answer, "doubts") != "document_number:other_document" {
		t.Fatalf("another document: %d %v", status, answer)
	}
	for _, form := range []string{form + "&confirm=other_document", "crossing_id=" + bySlip, "crossing_id=" + byDocument + "&document_number=0503198100123"} {
		if status, answer := c.save("/registration", form); status != 201 {
			t.Fatalf("%s: %d %v", form, status, answer)
		}
	}
	for seq, id := range []string{picked, bySlip, byDocument} {
		r, err := c.spool.BySeq(uint64(seq) + 1)
		if err != nil {
			t.Fatal(err)
		}
		all, err := p.spool.Record(id)
		if err != nil {
			t.Fatal(err)
		}
		x, was := r.Record.GetRegistration(), all[0].Record
		if r.Record.PersonKey != was.PersonKey || x.EntryPoint != "L-COR" || x.Country != was.GetCrossing().Country || x.Sex != was.GetCrossing().Sex || x.GetAge() != was.GetCrossing().GetAge() || x.ArrivalTimeMs == 0 {
			t.Errorf("%v of %v", r.Record, was)
		}
	}
	if status, answer := c.save("/registration", "crossing_id="+picked+"&sex=f"); status != 422 || codeOf(answer, "doubts") != "crossing_id:registered_already" {
		t.Errorf("registered twice: %d %v", status, answer)
	}
	p.save("/arrival", "record_id="+bus+"&revision=2&means=bus&country=MX&sent_to=CAMR-OMO")
	if _, page := p.get("/list"); !strings.Contains(page, "recibidos 3 de 3") {
		t.Error("the post does not see who was received")
	}
	p.save("/crossing", "record_id="+picked+"&revision=2&void_reason=entered_in_error")
	if found := c.lookUp(url.Values{"document_number": {"0503198100125"}}); found.Found {
		t.Error("a crossing that was voided is found")
	}
}

// A correction of a registration stays that of its crossing, whatever the document.
func TestCorrectionKeepsTheCrossing(t *testing.T) {
	p, c := offices(t)
	id := p.crossed(p.bus(), "document_number=0503-1981-00123&sex=h&age=34")
	status, answer := c.save("/registration", "crossing_id="+id+"&document_number=0503-1981-00124&confirm=other_document")
	if status != 201 {
		t.Fatalf("%d %v", status, answer)
	}
	record := answer["record_id"].(string)
	m, err := c.agent.remembered()
	if err != nil {
		t.Fatal(err)
	}
	fields, _ := c.agent.begun(m, "registration", record)
	fields.Set("age", "35")
	if status, answer := c.save("/registration", fields.Encode()); status != 201 {
		t.Fatalf("%d %v", status, answer)
	}
	one, _ := c.spool.BySeq(1)
	two, err := c.spool.BySeq(2)
	if err != nil || one.Record.PersonKey != two.Record.PersonKey || two.Record.GetRegistration().GetAge() != 35 || one.Record.GetRegistration().ArrivalTimeMs != two.Record.GetRegistration().ArrivalTimeMs {
		t.Errorf("%v %v %v", one.Record, two.Record, err)
	}
}

// A registration whose crossing is known takes at most 45 keys with every question answered; one that is picked from the list is known, too.
func TestKeysOfARegistration(t *testing.T) {
	p, c := offices(t)
	bus := p.bus()
	p.crossed(bus, "document_number=0503-1981-00123&sex=h&age=34")
	p.crossed(bus, "document_number=0503-1981-00125&sex=f&age=41")
	k := sit(t, c)
	k.open("/registration?new=1")
	k.until(`document.activeElement.name === 'document_number'`)
	k.press("0503198100123")
	k.until(`document.getElementById('known').textContent.includes('Corinto')`)
	k.press("Enter")
	k.until(`document.activeElement.name === 'exit_point'`)
	for _, keys := range [][]string{{"c", "Enter"}, {"tela", "Enter"}, {"tela", "Enter"}, {"1", "Enter"}, {"1", "Enter"}, {"1", "Enter", "Enter"}, {"e", "Enter"}, {"s", "Enter"}, {"n", "Enter"}, {"2", "Enter"}, {"2", "Enter"}, {"1", "Enter"}} {
		k.press(keys...)
	}
	k.saved(1)
	n := k.counted()
	if t.Log(n, "keys"); n > 45 {
		t.Errorf("%d keys", n)
	}
	x := k.record(1).GetRegistration()
	if x.Sex != "M" || x.GetAge() != 34 || x.ExitPoint == "" || x.Municipality == "" || x.DestinationMunicipality == "" || x.Accompanied == "" || x.TravelCompany == "" || len(x.Reasons) != 1 || x.IntendedCountry == "" ||
		x.DisplacedByViolence == "" || x.IntendsToMigrateAgain == "" || x.Education == "" || x.Occupation == "" || x.Programme == "" || x.EntryPoint != "L-COR" {
		t.Errorf("%v", x)
	}
	// The document is mistyped: the person is picked from those on the way.
	k.until(`document.activeElement.name === 'document_number'`)
	k.press("0503198100126", "Enter")
	k.until(`document.activeElement.name === 'crossing_id' && document.getElementById('known').textContent`)
	k.press("muj", "Enter")
	k.until(`document.querySelector('[name=sex]').value === 'Mujer' && document.activeElement.name === 'exit_point'`)
	k.press("Ctrl+Enter")
	k.until(`document.getElementById('status').dataset.asked === 'other_document'`)
	k.press("Enter")
	k.saved(2)
	if r := k.record(2); r.GetRegistration().GetAge() != 41 || r.PersonKey == "" {
		t.Errorf("%v", r)
	}
}

// An arrival is sent on and closed by the forms of the list, without script; the centre to which it was sent sees it first, by its name.
func TestArrivalIsSentOnAndClosed(t *testing.T) {
	p, c := offices(t)
	bus, other := p.bus(), p.bus()
	p.crossed(other, "sex=f&age=20")
	p.crossed(bus, "document_number=0503-1981-00123&sex=h&age=34")
	html := func(path string, fields url.Values) (int, string) {
		status, answer := p.send(path, fields, "text/html")
		return status, fmt.Sprint(answer["location"])
	}
	revised := func(id string) url.Values {
		m, err := p.agent.remembered()
		if err != nil {
			t.Fatal(err)
		}
		fields, _ := p.agent.begun(m, "arrival", id)
		return fields
	}
	fields := revised(bus)
	fields.Set("sent_to", "CAMR-OMO")
	if status, _ := html("/arrival", fields); status != http.StatusSeeOther {
		t.Fatalf("sent on: %d", status)
	}
	if _, page := p.get("/list"); !strings.Contains(page, "enviado a CAMR-OMO · recibidos 0 de 1") {
		t.Error("the post does not see that it sent the bus on")
	}
	_, page := c.get("/waiting")
	here, elsewhere := strings.Index(page, "enviada a esta oficina"), strings.LastIndex(page, "<section>")
	if here < 0 || here > elsewhere || strings.Count(page, "<section>") != 2 || !strings.Contains(page, "esperadas: 40") {
		t.Errorf("the centre does not see what is sent on to it first:\n%s", page)
	}
	fields = revised(bus)
	fields.Set("closed", "yes")
	if status, to := html("/arrival", fields); status != http.StatusSeeOther || !strings.HasPrefix(to, "/list") {
		t.Fatalf("closed: %d %s", status, to)
	}
	if _, page := p.get("/list"); !strings.Contains(page, "(cerrada)") || strings.Count(page, "(cerrada)") != 1 {
		t.Error("the list does not show which arrival is closed")
	}
	if _, page := p.get("/crossing?new=1"); strings.Contains(page, bus) || !strings.Contains(page, other) {
		t.Error("a closed arrival is offered to the next person, or an open one is not")
	}
	all, _, err := p.spool.Notes(10)
	if err != nil || len(all) != 1 {
		t.Errorf("%d messages of one arrival that was sent on: %v", len(all), err)
	}
}

// Without script a person is looked up with a button; what was typed stays.
func TestLookUpWithoutScript(t *testing.T) {
	p, c := offices(t)
	id := p.crossed(p.bus(), "document_number=0503-1981-00123&sex=h&age=34")
	k := sit(t, c)
	if err := k.w.WithoutScript(); err != nil {
		t.Fatal(err)
	}
	k.open("/registration?new=1")
	look := func(number string) {
		t.Helper()
		k.until(`document.getElementById('lookup')`)
		if err := k.w.Eval(fmt.Sprintf(`document.querySelector('[name=names]').value = 'Juan'; document.querySelector('[name=document_number]').value = %q; document.getElementById('lookup').click()`, number), nil); err != nil {
			t.Fatal(err)
		}
		k.until(`location.pathname === '/known'`)
	}
	look("0503198100999")
	k.until(`document.getElementById('known').textContent.includes('no está entre las personas en camino') && document.querySelector('[name=names]').value === 'Juan'`)
	look("0503198100123")
	k.until(`document.getElementById('known').textContent.includes('Corinto') && document.querySelector('[name=age]').value === '34' && document.querySelector('[name=crossing_id]').value === '` + id + `'`)
	if err := k.w.Eval(`document.getElementById('save').click()`, nil); err != nil {
		t.Fatal(err)
	}
	k.saved(1)
	if r := k.record(1); r.GetRegistration().GetAge() != 34 || r.GetRegistration().EntryPoint != "L-COR" {
		t.Errorf("%v", r)
	}
}
