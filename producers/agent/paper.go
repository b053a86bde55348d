package agent

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"retorno/producers/form"
	"retorno/producers/paper"
)

// paperFault says what is wrong with the number of a paper form that a record states.
func (a *Agent) paperFault(m *memory, text, record string) (code, found string) {
	n, ok := paper.Parse(text)
	if !ok {
		return "form_number", ""
	}
	received, used, void, any := a.cfg.Paper.State(n)
	has := m.hasForm(n)
	switch {
	case has == record && has != "":
	case has != "":
		return "form_used", has
	case used && !a.hadForm(record, n):
		return "form_used", ""
	}
	switch {
	case void != "":
		return "form_void", paperReasons[void].es
	case any && !received:
		return "form_not_received", ""
	}
	return "", ""
}

// hadForm reports whether a record of which the pages do not know any more has a paper form.
func (a *Agent) hadForm(record string, n paper.Number) bool {
	all, err := a.cfg.Spool.Record(record)
	if err != nil || len(all) == 0 {
		return false
	}
	var identity form.Identity
	_, sealed, err := a.cfg.Spool.Identity(record, all[len(all)-1].Record.GetRevision())
	if err != nil || json.Unmarshal(sealed, &identity) != nil {
		return false // gone after the retention
	}
	own, ok := paper.Parse(identity.Form)
	return ok && own == n
}

// hasForm is the record that has a paper form; "" is none that is remembered.
func (m *memory) hasForm(n paper.Number) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.byForm[n]
}

// formOf adds the paper form that a record states.
func (m *memory) formOf(record string, to map[paper.Number]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.byID[record]; k != nil {
		if n, ok := paper.Parse(k.identity.Form); ok {
			to[n] = false
		}
	}
}

// held says of paper forms whether a record has them.
func (m *memory) held(forms map[paper.Number]bool) map[paper.Number]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := range forms {
		_, forms[n] = m.byForm[n]
	}
	return forms
}

// forms are all paper forms that records have which are remembered.
func (m *memory) forms() map[paper.Number]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[paper.Number]bool{}
	for n := range m.byForm {
		all[n] = true
	}
	return all
}

// markForms keeps which paper forms are captured. Their records are saved already: a disk that takes nothing now takes it later.
func (a *Agent) markForms(forms map[paper.Number]bool) {
	if len(forms) == 0 {
		return
	}
	if err := a.cfg.Paper.Mark(forms); err != nil {
		a.failed(context.Background(), "paper forms", err)
	}
}

var paperReasons = map[string]text{
	paper.Spoiled: {"dañado", "spoiled"}, paper.Lost: {"perdido", "lost"}, paper.Returned: {"devuelto en blanco", "given back blank"},
}

// paperFaults are the errors of package paper by field and code, with what to do.
var paperFaults = []struct {
	err         error
	field, code string
	text
}{
	{paper.ErrNumber, "", "form_number", text{"no es un número de formulario; debe terminar en dígitos", "not the number of a form; it ends with digits"}},
	{paper.ErrRange, "last", "form_range", text{"el último número es menor que el primero, o empieza distinto", "the last number is below the first, or begins otherwise"}},
	{paper.ErrTooMany, "last", "out_of_range", text{"son demasiados números; revise el primero y el último", "too many numbers; look at the first and the last"}},
	{paper.ErrOverlap, "first", "repeated", text{"algunos de esos números ya se recibieron", "some of these numbers were received already"}},
	{paper.ErrUnknown, "number", "form_not_received", text{"ese número no está entre los recibidos", "that number is not among those received"}},
	{paper.ErrUsed, "number", "form_used", text{"ese formulario está digitado; anule primero su registro", "that form is captured; void its record first"}},
	{paper.ErrVoid, "number", "form_void", text{"ese formulario ya está anulado", "that form is void already"}},
	{paper.ErrReason, "reason", "unknown_code", text{"elija la razón de la lista", "choose the reason from the list"}},
}

type paperView struct {
	frame
	Saved, Fault                string
	Rows                        []paper.Row
	Missing                     []paper.Range
	More                        bool
	First, Last, Number, Reason string
	Reasons                     []optionView
}

// paperPage shows which paper forms were received and what became of them.
func (a *Agent) paperPage(w http.ResponseWriter, r *http.Request) {
	a.showPaper(w, r, http.StatusOK, paperView{Saved: r.URL.Query().Get("saved")})
}

func (a *Agent) showPaper(w http.ResponseWriter, r *http.Request, status int, v paperView) {
	const most = 1000 // numbers that are listed
	v.frame = a.frame(r, "Formularios de papel", "Paper forms")
	v.Here = "/paper"
	v.Rows, v.Missing, v.More = a.cfg.Paper.Rows(), a.cfg.Paper.MissingRanges(most), v.State.FormsMissing > most
	for _, code := range paper.Reasons() {
		v.Reasons = append(v.Reasons, optionView{Code: code, Label: paperReasons[code].in(v.English), Chosen: code == v.Reason})
	}
	render(w, status, "paper.html", v)
}

// paperEntered takes a range that was received (first, last), or a form that is void (number, reason).
func (a *Agent) paperEntered(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err != nil {
		refuse(w, r, http.StatusBadRequest, "body", text{"el formulario no se puede leer", "the form cannot be read"})
		return
	}
	done := fields.Get("number")
	a.saving.Lock()
	defer a.saving.Unlock()
	if fields.Has("first") {
		done = fields.Get("first")
		err = a.cfg.Paper.Receive(done, fields.Get("last"))
	} else {
		err = a.cfg.Paper.MakeVoid(done, fields.Get("reason"))
	}
	for _, f := range paperFaults {
		if !errors.Is(err, f.err) {
			continue
		}
		if wantsJSON(r) {
			writeJSON(w, http.StatusBadRequest, map[string]any{"faults": findings([]form.Finding{{Field: f.field, Code: f.code, ES: f.es, EN: f.en}}, english(r), 0)})
			return
		}
		a.showPaper(w, r, http.StatusBadRequest, paperView{Fault: f.in(english(r)), First: fields.Get("first"), Last: fields.Get("last"), Number: fields.Get("number"), Reason: fields.Get("reason")})
		return
	}
	switch {
	case err != nil:
		a.failed(r.Context(), "paper forms", err)
		refuse(w, r, http.StatusInsufficientStorage, "disk", text{"NO se guardó: el disco no recibe nada; libere espacio y guarde de nuevo", "NOT saved: the disk takes nothing; make room and save once more"})
	case wantsJSON(r):
		writeJSON(w, http.StatusCreated, map[string]any{"saved": true, "forms_missing": a.cfg.Paper.Missing()})
	default:
		http.Redirect(w, r, "/paper?saved=1", http.StatusSeeOther)
	}
}
