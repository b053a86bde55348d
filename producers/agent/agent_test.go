package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/producers/spool"
	"retorno/producers/vault"
)

const (
	clerk      = "ana"
	passphrase = "tres tristes tigres"
)

var keys *vault.Keyring

func TestMain(m *testing.M) {
	recovery, err := vault.NewRecoverySecret()
	if err == nil {
		keys = vault.NewKeyring(recovery.Public())
		if err = keys.AddClerk(clerk, passphrase, nil); err == nil {
			err = keys.AddSecret("", "0123456789abcdef0123456789abcdef-test")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// desk is an agent with its store, a server and a client.
type desk struct {
	t      testing.TB
	dir    string
	source string
	place  string
	spool  *spool.Spool
	agent  *Agent
	server *httptest.Server
	client *http.Client
}

// newDesk starts an agent on a folder. change changes its configuration.
func newDesk(t testing.TB, dir, source, place string, change ...func(*Config)) *desk {
	t.Helper()
	cfg := Config{Dir: dir, Place: place}
	for _, c := range change {
		c(&cfg)
	}
	s, err := spool.Open(spool.Config{Dir: dir, Source: source, Keys: keys, Disk: cfg.Disk, Now: cfg.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Spool = s
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	d := &desk{t: t, dir: dir, source: source, place: place, spool: s, agent: a, server: httptest.NewServer(a),
		client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	t.Cleanup(d.stop)
	return d
}

// stop ends the agent; a second call does nothing.
func (d *desk) stop() {
	if d.server == nil {
		return
	}
	d.server.Close()
	d.agent.Close()
	_ = d.spool.Close()
	d.server = nil
}

// post is a post of Corinto with a clerk logged in.
func post(t testing.TB, change ...func(*Config)) *desk {
	d := newDesk(t, t.TempDir(), "L-COR-1", "L-COR", change...)
	d.login()
	return d
}

func (d *desk) login() {
	d.t.Helper()
	if status, body := d.send("/login", url.Values{"clerk": {clerk}, "passphrase": {passphrase}}, "application/json"); status != 200 {
		d.t.Fatalf("login: %d %v", status, body)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// send posts a form and returns the answer as JSON.
func (d *desk) send(path string, fields url.Values, accept string) (int, map[string]any) {
	d.t.Helper()
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+path, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", accept)
	return d.do(r)
}

func (d *desk) do(r *http.Request) (int, map[string]any) {
	d.t.Helper()
	response, err := d.client.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	var out map[string]any
	if json.Unmarshal(body, &out) != nil {
		out = map[string]any{"html": string(body), "location": response.Header.Get("Location")}
	}
	return response.StatusCode, out
}

func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	response, err := d.client.Get(d.server.URL + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// save posts fields, given as name=value&…, for a program.
func (d *desk) save(path, text string) (int, map[string]any) {
	d.t.Helper()
	fields, err := url.ParseQuery(strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		d.t.Fatal(err)
	}
	if !fields.Has("record_id") {
		fields.Set("record_id", newID())
	}
	return d.send(path, fields, "application/json")
}

// bus opens an arrival and returns its id.
func (d *desk) bus() string {
	d.t.Helper()
	status, answer := d.save("/arrival", "means=bus&country=mex&return_type=deported&plate=AAB 1234&expected=40")
	if status != 201 {
		d.t.Fatalf("arrival: %d %v", status, answer)
	}
	return answer["record_id"].(string)
}

func codeOf(answer map[string]any, kind string) string {
	all, _ := answer[kind].([]any)
	var out []string
	for _, f := range all {
		m := f.(map[string]any)
		out = append(out, m["field"].(string)+":"+m["code"].(string))
	}
	return strings.Join(out, " ")
}

func TestAnswersToAForm(t *testing.T) {
	d := post(t)
	bus, id := d.bus(), newID()
	form := "record_id=" + id + "&arrival_id=" + bus + "&document_number=0503-1981-00123&sex=h&age=34&document_check=genuine"
	status, answer := d.save("/crossing", form)
	if status != 201 || answer["saved"] != true || answer["record_id"] != id || answer["revision"] != 1. || answer["source_seq"] != 1. {
		t.Fatalf("%d %v", status, answer)
	}
	if status, again := d.save("/crossing", form); status != 200 || again["source_seq"] != 1. {
		t.Errorf("the same once more: %d %v", status, again)
	}
	if status, _ := d.save("/crossing", strings.Replace(form, "age=34", "age=35", 1)); status != 409 {
		t.Errorf("another content: %d", status)
	}
	if status, answer := d.save("/crossing", "direction=entry&age=200"); status != 400 || codeOf(answer, "faults") != "age:bad_age" {
		t.Errorf("a fault: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "arrival_id="+bus); status != 400 || codeOf(answer, "faults") != ":empty_form" {
		t.Errorf("an empty form: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "arrival_id="+newID()+"&sex=f"); status != 400 || codeOf(answer, "faults") != "arrival_id:unknown_arrival" {
		t.Errorf("no such arrival: %d %v", status, answer)
	}
	rare := "record_id=" + newID() + "&arrival_id=" + bus + "&sex=f&country=guam&mode=air"
	if status, answer := d.save("/crossing", rare); status != 422 || codeOf(answer, "doubts") != "country:rare_country" {
		t.Errorf("a doubt: %d %v", status, answer)
	}
	if status, _ := d.save("/crossing", rare+"&confirm=rare_country"); status != 201 {
		t.Errorf("a doubt that is confirmed: %d", status)
	}
	if d.spool.LastSeq() != 2 {
		t.Errorf("%d records", d.spool.LastSeq())
	}
	d.agent.Close()
	if status, answer := d.save("/crossing", rare); status != 401 || answer["error"] != "login" {
		t.Errorf("locked: %d %v", status, answer)
	}
}

func TestCorrectionVoidAndHistory(t *testing.T) {
	d := post(t)
	bus, id := d.bus(), newID()
	d.save("/crossing", "record_id="+id+"&arrival_id="+bus+"&document_number=0503198100123&sex=h&age=34&names=Juana")
	if status, page := d.get("/crossing?record_id=" + id); status != 200 || !strings.Contains(page, `value="0503198100123"`) || !strings.Contains(page, `name="revision" value="2"`) {
		t.Fatalf("%d: the form of the correction does not have what was typed:\n%s", status, page)
	}
	if status, answer := d.save("/crossing", "revision=2&record_id="+id+"&arrival_id="+bus+"&document_number=0503198100123&sex=f&age=34"); status != 201 || answer["revision"] != 2. {
		t.Fatalf("correction: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "revision=3&record_id="+id+"&document_number=0801199012345&arrival_id="+bus); status != 400 || codeOf(answer, "faults") != "document_number:another_person" {
		t.Errorf("another person: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "revision=3&record_id="+id+"&void_reason=wrong_person"); status != 201 || answer["source_seq"] != 3. {
		t.Fatalf("void: %d %v", status, answer)
	}
	_, page := d.get("/crossing?record_id=" + id)
	for _, want := range []string{"1 · ", "2 · ", "3 · ", clerk, "wrong_person"} {
		if !strings.Contains(page, want) {
			t.Errorf("the history has no %q", want)
		}
	}
}

func TestManyFormsAreSavedTogetherOrNot(t *testing.T) {
	d := post(t)
	var ids []string
	make := func(n int, more string) *http.Request {
		var b strings.Builder
		for i := range n {
			if i >= len(ids) {
				ids = append(ids, newID())
			}
			fmt.Fprintf(&b, `{"page":"crossing","record_id":%q,"direction":"entry","returned":true,"sex":"M","age":%d,"country":"MX","mode":"land","document_number":"0503-1981-%05d"}`+"\n", ids[i], 20+i, 100+i)
		}
		r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/forms", strings.NewReader(b.String()+more))
		r.Header.Set("Content-Type", "application/jsonl")
		return r
	}
	if status, answer := d.do(make(20, `{"page":"crossing","record_id":"x","direction":"entry","age":"300"}`)); status != 400 || answer["faults"].([]any)[0].(map[string]any)["line"] != 21. || d.spool.LastSeq() != 0 {
		t.Errorf("a fault: %d %v, %d records", status, answer, d.spool.LastSeq())
	}
	if status, answer := d.do(make(20, "")); status != 201 || len(answer["records"].([]any)) != 20 || d.spool.LastSeq() != 20 {
		t.Errorf("%d %v", status, answer)
	}
	if status, _ := d.do(make(20, "")); status != 200 || d.spool.LastSeq() != 20 {
		t.Errorf("the same once more: %d, %d records", status, d.spool.LastSeq())
	}
	if status, answer := d.do(make(20, fmt.Sprintf(`{"page":"crossing","record_id":%q,"direction":"exit"}`, ids[3]))); status != 409 || answer["line"] != 21. {
		t.Errorf("another content: %d %v", status, answer)
	}
	corrected := fmt.Sprintf(`{"page":"crossing","record_id":%[1]q,"revision":2,"direction":"entry","returned":true,"sex":"F"}`+"\n"+`{"page":"crossing","record_id":%[1]q,"revision":3,"void_reason":"entered_in_error"}`, ids[4])
	if status, answer := d.do(make(0, corrected)); status != 201 || d.spool.LastSeq() != 22 {
		t.Errorf("corrections of one record in one call: %d %v", status, answer)
	}
}

// Help to a bus is one form: each registered person gets a record for each kind, under the key of the registration.
func TestHelpToAnArrival(t *testing.T) {
	d := newDesk(t, t.TempDir(), "CAMR-OMO-1", "CAMR-OMO")
	d.login()
	bus := d.bus()
	for i := range 3 {
		if status, answer := d.save("/registration", fmt.Sprintf("arrival_id=%s&document_number=0503-1981-%05d&sex=f", bus, 200+i)); status != 201 {
			t.Fatalf("%d %v", status, answer)
		}
	}
	form := "record_id=" + newID() + "&arrival_id=" + bus + "&kind=food&kind=hygiene_kit"
	status, answer := d.save("/assistance", form)
	if status != 201 || len(answer["records"].([]any)) != 6 {
		t.Fatalf("%d %v", status, answer)
	}
	d.save("/registration", "arrival_id="+bus+"&document_number=0503-1981-00300&sex=f")
	if status, answer := d.save("/assistance", form); status != 200 || len(answer["records"].([]any)) != 6 {
		t.Errorf("the same form after another registration: %d %v", status, answer)
	}
	all, err := d.spool.Recent(20)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for _, r := range all {
		if r.Record.GetAssistance() != nil {
			keys[r.Record.PersonKey]++
		}
	}
	if len(keys) != 3 || keys[""] != 0 {
		t.Errorf("%v", keys)
	}
	if status, answer := d.save("/assistance", "arrival_id="+bus+"&kind=food&left_out="+all[0].Record.RecordId); status != 201 {
		t.Errorf("%d %v", status, answer)
	}
}

func TestDraftsSurviveTheAgent(t *testing.T) {
	dir := t.TempDir()
	d := newDesk(t, dir, "L-COR-1", "L-COR")
	d.login()
	id := newID()
	put := func(version int, age string) (int, map[string]any) {
		body := fmt.Sprintf(`{"id":%q,"version":%d,"page":"crossing","fields":{"record_id":[%[1]q],"age":[%[3]q],"no_longer_known":["x"]}}`, id, version, age)
		r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/draft", strings.NewReader(body))
		r.Header.Set("Accept", "application/json")
		return d.do(r)
	}
	if status, answer := put(0, "3"); status != 200 || answer["version"] != 1. {
		t.Fatalf("%d %v", status, answer)
	}
	if status, _ := put(1, "34"); status != 200 {
		t.Fatal(status)
	}
	if status, answer := put(1, "99"); status != 409 || answer["error"] != "draft_changed" {
		t.Errorf("the older tab: %d %v", status, answer)
	}
	d.stop()
	d = newDesk(t, dir, "L-COR-1", "L-COR")
	d.login()
	_, page := d.get("/crossing")
	for _, want := range []string{`value="34"`, `data-version="2"`, id, "no_longer_known"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form has no %s", want)
		}
	}
	if status, answer := d.save("/crossing", "record_id="+id+"&direction=entry&age=34"); status != 201 {
		t.Fatalf("%d %v", status, answer)
	}
	if status, answer := put(2, "35"); status != 200 || answer["saved"] != true || len(d.spool.Drafts()) != 0 {
		t.Errorf("a draft that comes late: %d %v", status, answer)
	}
}

// Two forms never show one slip, over restarts either.
func TestSlipsAreNeverGivenTwice(t *testing.T) {
	dir, seen := t.TempDir(), map[string]bool{}
	for range 3 {
		d := newDesk(t, dir, "L-COR-1", "L-COR")
		d.login()
		for range 20 {
			slip, err := d.agent.slips.give()
			if err != nil || seen[slip] || !strings.HasPrefix(slip, "COR1-") {
				t.Fatalf("%q %v", slip, err)
			}
			seen[slip] = true
		}
		d.stop()
	}
}

// The time of an event is the computer's, corrected as soon as the broker's is known; a clock that went back is asked about until then.
func TestTimeOfAnEvent(t *testing.T) {
	offset, known := 3*time.Hour, true
	clock := time.Now()
	d := post(t, func(c *Config) {
		c.Now = func() time.Time { return clock }
		c.ClockOffset = func() (time.Duration, bool) { return offset, known }
	})
	if status, answer := d.save("/crossing", "direction=entry&sex=f"); status != 201 {
		t.Fatalf("%d %v", status, answer)
	}
	r, err := d.spool.BySeq(1)
	if err != nil || r.Record.EventTimeMs != clock.Add(-offset).UnixMilli() {
		t.Errorf("%v %v", r.Record, err)
	}
	known, clock = false, clock.Add(-48*time.Hour)
	if status, answer := d.save("/crossing", "direction=entry&sex=f"); status != 422 || codeOf(answer, "doubts") != "happened:clock" {
		t.Errorf("a clock that went back: %d %v", status, answer)
	}
	if status, answer := d.save("/crossing", "direction=entry&sex=f&confirm=clock"); status != 201 {
		t.Errorf("confirmed: %d %v", status, answer)
	}
}
