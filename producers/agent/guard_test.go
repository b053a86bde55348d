package agent

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestForeignRequestsAreRefused(t *testing.T) {
	d := post(t)
	address := strings.TrimPrefix(d.server.URL, "http://")
	port := address[strings.LastIndexByte(address, ':')+1:]
	for _, host := range []string{"evil.example", "evil.example:" + port, "127.0.0.1", "localhost", "127.0.0.1:1", "127.0.0.1." + port, "127.0.0.1.evil.example:" + port, "localhost.evil.example:" + port, "0.0.0.0:" + port, "127.0.0.2:" + port, "[::ffff:127.0.0.1]:" + port, "LOCALHOST." + ":" + port} {
		r, _ := http.NewRequest(http.MethodGet, d.server.URL+"/state", nil)
		r.Host = host
		if status, _ := d.do(r); status != 403 {
			t.Errorf("Host %s: %d", host, status)
		}
	}
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port} {
		r, _ := http.NewRequest(http.MethodGet, d.server.URL+"/state", nil)
		r.Host = host
		if status, _ := d.do(r); status != 200 {
			t.Errorf("Host %s: %d", host, status)
		}
	}
	for name, headers := range map[string]map[string]string{
		"another site": {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, "another port": {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
		"an old browser": {"Origin": "http://evil.example"}, "no origin that is named": {"Origin": "null"},
	} {
		r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/crossing", strings.NewReader("direction=entry&record_id="+newID()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for k, v := range headers {
			r.Header.Set(k, v)
		}
		if status, _ := d.do(r); status != 403 {
			t.Errorf("%s: %d", name, status)
		}
	}
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/crossing", strings.NewReader("direction=entry"))
	r.Header.Set("Content-Type", "text/plain")
	if status, _ := d.do(r); status != 415 {
		t.Errorf("text/plain: %d", status)
	}
	if d.spool.LastSeq() != 0 {
		t.Error("a foreign request saved a record")
	}
	for _, path := range []string{"/crossing", "/login", "/state", "/assets/agent.js"} {
		response, err := d.client.Get(d.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if h := response.Header; h.Get("Cache-Control") != "no-store" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// Reading pages changes nothing in the store, and bodies have a bound.
func TestReadingChangesNothing(t *testing.T) {
	d := post(t)
	bus := d.bus()
	d.save("/crossing", "arrival_id="+bus+"&sex=f&age=20")
	before, _ := d.spool.State()
	for _, path := range []string{"/crossing", "/crossing?void_reason=wrong_person&record_id=x", "/arrival", "/registration", "/assistance", "/list", "/day", "/paper", "/state", "/choices/country", "/recent", "/lock", "/discard", "/forms"} {
		d.get(path)
	}
	if after, _ := d.spool.State(); after.LastSeq != before.LastSeq || after.Drafts != before.Drafts || after.Locked {
		t.Errorf("%+v, %+v", before, after)
	}
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/crossing", strings.NewReader("names="+strings.Repeat("x", 1<<20)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, _ := d.do(r); status != 413 {
		t.Errorf("a body of a megabyte: %d", status)
	}
}

func TestLockedAfterIdle(t *testing.T) {
	d := post(t, func(c *Config) { c.Idle = 300 * time.Millisecond })
	d.save("/crossing", "direction=entry&names=Juana")
	until := time.Now().Add(10 * time.Second)
	for d.spool.Clerk() != "" && time.Now().Before(until) {
		runtime.Gosched()
	}
	if d.spool.Clerk() != "" {
		t.Fatal("a clerk who went away is still logged in")
	}
	if status, page := d.get("/crossing"); status != 303 || strings.Contains(page, "Juana") {
		t.Errorf("%d %s", status, page)
	}
	if status, answer := d.send("/login", url.Values{"clerk": {clerk}, "passphrase": {"something else"}}, "application/json"); status != 401 || answer["error"] != "passphrase" {
		t.Errorf("%d %v", status, answer)
	}
	d.login()
	if status, _ := d.get("/crossing"); status != 200 {
		t.Errorf("%d after a new login", status)
	}
}

// Nothing that was typed is on a page without a login, in any of its encodings.
func TestPagesWithoutLoginShowNothingTyped(t *testing.T) {
	d := post(t)
	typed := []string{"Xiomara", "Zelaya", "0503198100123", "AAB 1234", "17/09/1981", "1981-09-17", "COR1-000123-Z"}
	bus := d.bus()
	d.save("/crossing", "arrival_id="+bus+"&document_number=0503198100123&names=Xiomara&surnames=Zelaya&birth_date=17/09/1981&sex=f")
	d.save("/crossing", "arrival_id="+bus+"&folio=COR1-000123-Z&sex=f")
	d.agent.Close()
	for _, path := range []string{"/", "/login", "/state", "/crossing", "/list", "/day", "/paper", "/recent", "/day?names=1", "/choices/country", "/assets/agent.js", "/crossing?record_id=" + bus} {
		_, page := d.get(path)
		for _, text := range typed {
			if strings.Contains(page, text) || strings.Contains(page, url.QueryEscape(text)) {
				t.Errorf("%s shows %q", path, text)
			}
		}
		if strings.Contains(page, clerk) {
			t.Errorf("%s names a clerk", path)
		}
	}
}

func TestDaySheet(t *testing.T) {
	d := post(t)
	bus, id := d.bus(), newID()
	d.save("/crossing", "record_id="+id+"&arrival_id="+bus+"&document_number=0503198100123&names=Xiomara&sex=f&document_check=genuine")
	d.save("/crossing", "arrival_id="+bus+"&document_number=0503198100124&sex=f&document_check=confirmed_false")
	d.save("/crossing", "arrival_id="+bus+"&sex=f&country=guam&mode=air&confirm=rare_country")
	d.save("/crossing", "revision=2&record_id="+id+"&arrival_id="+bus+"&document_number=0503198100123&names=Xiomara&sex=h&document_check=genuine")
	wrong := newID()
	d.save("/crossing", "record_id="+wrong+"&arrival_id="+bus+"&sex=f")
	d.save("/crossing", "revision=2&void_reason=wrong_person&record_id="+wrong)
	_, page := d.get("/day")
	for label, n := range map[string]int{"Llegadas": 1, "Personas": 3, "Documentos revisados": 2, "Falsos confirmados": 1, "Dudas confirmadas": 1, "Correcciones": 1, "Anulaciones": 1, "Sin enviar": 6} {
		if !strings.Contains(page, fmt.Sprintf(`<th scope="row">%s</th><td>%d</td>`, label, n)) {
			t.Errorf("%s is not %d in\n%s", label, n, page)
		}
	}
	if strings.Contains(page, "Xiomara") {
		t.Error("a name on the day sheet that no one asked for")
	}
	if _, page := d.get("/day?names=1"); !strings.Contains(page, "Xiomara") {
		t.Error("no name on the day sheet with names")
	}
}

// Pages are small, and each is there in both languages.
func TestPagesAreSmall(t *testing.T) {
	d := post(t)
	bus := d.bus()
	for i := range 12 {
		d.save("/crossing", fmt.Sprintf("arrival_id=%s&document_number=0503-1981-%05d&names=Xiomara&sex=f", bus, 400+i))
	}
	for _, lang := range []string{"es", "en"} {
		d.send("/language", url.Values{"lang": {lang}}, "text/html")
		for _, path := range []string{"/arrival", "/crossing", "/crossing?arrival_id=none", "/registration", "/assistance", "/waiting", "/paper", "/list", "/day"} {
			status, page := d.get(path)
			if status != 200 || len(page) > 60_000 || !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s %s: status %d, %d bytes", lang, path, status, len(page))
			}
		}
	}
}
