package agent

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"retorno/deploy/lab/browser"
)

// Lists: only what the page shows as chosen is taken, and leaving a field chooses nothing else.
func TestChoicesOnThePage(t *testing.T) {
	d := post(t)
	k := sit(t, d)
	value := func(name string) (text string) {
		t.Helper()
		if err := k.w.Eval(fmt.Sprintf(`document.querySelector('[name=%s]').value`, name), &text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	k.open("/arrival?new=1")
	k.until(`document.activeElement.name === 'means'`)
	for _, c := range [][2]string{{"est", "Estados Unidos"}, {"gua", "Guatemala"}, {"guam", "Guam"}, {"MÉXICO", "México"}, {"eeuu", "Estados Unidos"}, {"qqq", "qqq"}} {
		typed, want := c[0], c[1]
		if err := k.w.Eval(`(() => { const e = document.querySelector('[name=country]'); e.value = ''; e.focus(); })()`, nil); err != nil {
			t.Fatal(err)
		}
		k.press(typed, "Tab")
		k.until(fmt.Sprintf(`document.querySelector('[name=country]').value === %q`, want)) // the list may come after what was typed
	}
	k.press("Ctrl+Enter")
	k.until(`document.activeElement.name === 'country' && document.activeElement.getAttribute('aria-invalid')`)
	k.open("/crossing?new=1&arrival_id=none")
	if err := k.w.Eval(`document.querySelector('[name=sex]').focus()`, nil); err != nil {
		t.Fatal(err)
	}
	k.press("m", "Enter")
	if got := value("sex"); got != "m" {
		t.Errorf("m alone is %q", got)
	}
	k.press("Escape", "Backspace", "2", "Enter")
	if got := value("sex"); got != "Mujer" {
		t.Errorf("the second of the list is %q", got)
	}
}

// What was typed is a draft of the agent within a second: it is there after a reload and in another window; the later of two windows is told,
// and one record comes of both.
func TestDraftsOfTwoWindows(t *testing.T) {
	d := post(t)
	bus := d.bus()
	k := sit(t, d)
	k.open("/crossing?new=1&arrival_id=" + bus)
	k.press("0503198100777", "Enter", "h")
	until := time.Now().Add(20 * time.Second)
	for len(d.agent.drafts()) == 0 && time.Now().Before(until) {
		<-time.After(5 * time.Millisecond)
	}
	k.open("/crossing")
	k.until(`document.querySelector('[name=document_number]').value === '0503198100777'`)
	other := sit(t, d)
	other.open("/crossing")
	other.until(`document.querySelector('[name=document_number]').value === '0503198100777'`)
	k.press("Enter", "f", "Enter", "30")
	k.until(`document.querySelector('[name=age]').value === '30'`)
	_, version, _ := d.drafted(t)
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		if text, v, ok := d.drafted(t); ok && text.Fields.Get("age") == "30" {
			version = v
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	other.press("Enter", "Enter", "44")
	other.until(`document.getElementById('status').dataset.asked === 'draft_changed'`)
	if text, v, _ := d.drafted(t); text.Fields.Get("age") != "30" || v != version {
		t.Errorf("the later window changed the draft: %v", text.Fields)
	}
	k.press("Ctrl+Enter")
	k.saved(1)
	other.press("Ctrl+Enter")
	other.until(`document.getElementById('findings').textContent.length > 0 && document.querySelector('[name=document_number]').value === '0503198100777'`)
	if d.spool.LastSeq() != 1 {
		t.Errorf("%d records of one draft", d.spool.LastSeq())
	}
}

// drafted is the newest draft.
func (d *desk) drafted(t testing.TB) (draftText, uint64, bool) {
	t.Helper()
	ids := d.agent.drafts()
	if len(ids) == 0 {
		return draftText{}, 0, false
	}
	return d.agent.drafted(ids[0])
}

// The forms save without script, too: a fault comes back with what was typed, a doubt with a button.
func TestFormsWithoutScript(t *testing.T) {
	d := post(t)
	bus := d.bus()
	k := sit(t, d)
	if err := k.w.WithoutScript(); err != nil {
		t.Fatal(err)
	}
	set := func(name, value string) {
		t.Helper()
		if err := k.w.Eval(fmt.Sprintf(`document.querySelector('#form [name=%s]').value = %q`, name, value), nil); err != nil {
			t.Fatal(err)
		}
	}
	click := func(selector string) {
		t.Helper()
		k.until(fmt.Sprintf(`document.querySelector(%q)`, selector))
		if err := k.w.Eval(fmt.Sprintf(`document.querySelector(%q).click()`, selector), nil); err != nil {
			t.Fatal(err)
		}
	}
	k.open("/crossing?new=1&arrival_id=" + bus)
	set("document_number", "9999198100123")
	set("sex", "F")
	set("age", "300")
	click("#save")
	k.until(`document.querySelector('#findings .fault')`)
	set("age", "30")
	click("#save")
	k.until(`document.getElementById('confirm')`)
	if d.spool.LastSeq() != 0 {
		t.Fatal("saved before it was confirmed")
	}
	click("#confirm")
	k.until(`location.search.includes('saved=') && document.getElementById('status').dataset.saved`)
	if r := k.record(1).GetCrossing(); r.Sex != "F" || r.GetAge() != 30 || r.Country != "MX" {
		t.Errorf("%v", r)
	}
}

// loggedIn lets pages be looked at by a browser that has no session of its own.
func (d *desk) loggedIn(lang string) http.Handler {
	r, _ := http.NewRequest(http.MethodGet, d.server.URL, nil)
	session := d.client.Jar.Cookies(r.URL)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range session {
			r.AddCookie(c)
		}
		r.AddCookie(&http.Cookie{Name: "lang", Value: lang})
		d.agent.ServeHTTP(w, r)
	})
}

// axe-core finds nothing, and no page is wider than a screen of 1024 pixels, nor than half of it.
func TestPagesAreAccessible(t *testing.T) {
	d := post(t)
	bus := d.bus()
	d.save("/crossing", "arrival_id="+bus+"&document_number=0503198100123&names=Xiomara&sex=f")
	for lang, addresses := range map[string][]string{
		"es": {"/login", "/arrival", "/crossing", "/registration", "/assistance", "/list", "/paper", "/day?names=1"}, "en": {"/crossing?arrival_id=none"},
	} {
		found, err := browser.Findings(t.Context(), d.loggedIn(lang), addresses, 1024)
		if err == nil && lang == "en" {
			var half []string
			half, err = browser.Findings(t.Context(), d.loggedIn(lang), []string{"/crossing?arrival_id=none", "/registration"}, 512)
			found = append(found, half...)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range found {
			t.Error(one)
		}
	}
}
