package agent

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// paperForm saves a crossing with a paper form, and returns status, code of what is wrong, its text, and the record's id.
func (d *desk) paperForm(id, fields string) (status int, code, said string) {
	d.t.Helper()
	status, answer := d.save("/crossing", "record_id="+id+"&direction=entry&sex=f&age=31&"+fields)
	for _, kind := range []string{"faults", "doubts"} {
		if all, ok := answer[kind].([]any); ok {
			first := all[0].(map[string]any)
			return status, first["code"].(string), first["text"].(string)
		}
	}
	return status, "", ""
}

func (d *desk) formsMissing() string {
	d.t.Helper()
	_, state := d.get("/state")
	_, rest, _ := strings.Cut(state, "forms_missing\":")
	missing, _, _ := strings.Cut(strings.TrimRight(rest, "}\n"), ",")
	return missing
}

// Each paper form is captured by one record, void with a reason, or missing: also after a correction, a void and a restart.
func TestPaperForms(t *testing.T) {
	d := post(t)
	enter := func(text string, want int, code string) {
		t.Helper()
		fields, _ := url.ParseQuery(text)
		if status, answer := d.send("/paper", fields, "application/json"); status != want || code != "" && !strings.HasSuffix(codeOf(answer, "faults"), code) {
			t.Errorf("%s: %d %v", text, status, answer)
		}
	}
	enter("first=COR-0101&last=cor-0110", 201, "")
	enter("first=COR-110&last=COR-120", 400, "repeated")
	enter("number=COR-102&reason=spoiled", 201, "")
	one, two := newID(), newID()
	steps := []struct {
		id, fields string
		status     int
		code, says string
	}{
		{one, "form_number=COR-101", 201, "", ""},
		{one, "form_number=COR-101", 200, "", ""},
		{two, "form_number=cor 0101", 400, "form_used", one},
		{two, "form_number=COR-102", 400, "form_void", "dañado"},
		{two, "form_number=COR-999", 422, "form_not_received", ""},
		{two, "form_number=COR-103", 201, "", ""},
		{one, "form_number=COR-104&revision=2", 201, "", ""},
		{two, "form_number=COR-101&revision=2", 201, "", ""},
		{one, "void_reason=duplicate&revision=3", 201, "", ""},
		{newID(), "form_number=COR-999&confirm=form_not_received", 201, "", ""},
		{newID(), "form_number=COR-999&confirm=form_not_received", 400, "form_used", ""},
	}
	for i, s := range steps {
		if status, code, said := d.paperForm(s.id, s.fields); status != s.status || code != s.code || !strings.Contains(said, s.says) {
			t.Errorf("step %d: %d %s %s", i, status, code, said)
		}
	}
	enter("number=COR-101&reason=lost", 400, "form_used")
	lines := ""
	for range 2 {
		lines += fmt.Sprintf("{\"page\":\"crossing\",\"record_id\":%q,\"direction\":\"entry\",\"sex\":\"f\",\"form_number\":\"COR-105\"}\n", newID())
	}
	r, _ := http.NewRequest(http.MethodPost, d.server.URL+"/forms", strings.NewReader(lines))
	r.Header.Set("Content-Type", "application/jsonl")
	if status, answer := d.do(r); status != 400 || codeOf(answer, "faults") != "form_number:form_used" {
		t.Errorf("two lines with one form: %d %v", status, answer)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			d.stop()
			d = newDesk(t, d.dir, d.source, d.place)
		}
		if got := d.formsMissing(); got != "8" {
			t.Errorf("restarted %v: %s are missing", restarted, got)
		}
	}
	d.login()
	if status, code, _ := d.paperForm(newID(), "form_number=COR-101"); status != 400 || code != "form_used" {
		t.Errorf("after a restart: %d %s", status, code)
	}
	if _, page := d.get("/paper"); !strings.Contains(page, "COR-103–COR-110") {
		t.Error("the page does not list what is missing")
	}
}
