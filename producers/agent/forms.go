package agent

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"retorno/producers/form"
	"retorno/producers/paper"
	"retorno/producers/spool"
	"retorno/schemas/events"
)

// mostForms is how many forms one call may bring.
const mostForms = 20_000

// forms saves many forms, one object of JSON a line, with one sync: all of them or none.
func (a *Agent) forms(w http.ResponseWriter, r *http.Request) {
	m, err := a.remembered()
	if err != nil {
		status, code, why := a.refusal(r, err)
		refuse(w, r, status, code, why)
		return
	}
	a.saving.Lock()
	defer a.saving.Unlock()
	if err := a.mend(m, clerkOf(r)); err != nil {
		status, code, why := a.refusal(r, err)
		refuse(w, r, status, code, why)
		return
	}
	b := bulk{agent: a, m: m, use: m.use(), clerk: clerkOf(r), english: english(r), earlier: map[string]*events.Record{}, numbers: map[paper.Number]string{}, batch: a.cfg.Spool.Begin()}
	defer b.batch.End()
	err = b.readAll(r)
	refused := new(spool.EntryError)
	switch {
	case errors.As(err, &refused) || errors.Is(err, spool.ErrLocked):
		b.refuse(w, r, err)
		return
	case err != nil:
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		refuse(w, r, status, "body", text{"no se puede leer: " + err.Error(), "cannot be read: " + err.Error()})
		return
	}
	switch {
	case len(b.faults) > 0:
		writeJSON(w, http.StatusBadRequest, map[string]any{"faults": b.faults})
		return
	case len(b.doubts) > 0:
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"doubts": b.doubts})
		return
	}
	done, err := b.batch.Save()
	if err != nil {
		b.refuse(w, r, err)
		return
	}
	a.kept(m, b.entries, done)
	status := http.StatusCreated
	if !slices.ContainsFunc(done, func(d spool.Saved) bool { return !d.Again }) {
		status = http.StatusOK
	}
	writeJSON(w, status, map[string]any{"saved": true, "records": done})
}

// bulk reads the lines of one call.
type bulk struct {
	agent   *Agent
	m       *memory
	use     form.Use
	clerk   string
	english bool

	batch          *spool.Batch
	entries        []spool.Entry // what the pages remember of them
	line           int           // that is being read
	earlier        map[string]*events.Record
	numbers        map[paper.Number]string // record of this call that has the paper form
	faults, doubts []finding
}

func (b *bulk) readAll(r *http.Request) error {
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(make([]byte, 0, 4096), maxBody)
	n := 0
	for lines.Scan() {
		n++
		b.line = n
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if len(b.entries) >= mostForms {
			return fmt.Errorf("more than %d forms", mostForms)
		}
		if err := b.read(n, line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if n == 0 {
		return errors.New("no line")
	}
	return nil
}

func (b *bulk) read(n int, line []byte) error {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return errors.New("not an object of JSON")
	}
	fields, err := valuesOf(object)
	if err != nil {
		return err
	}
	page, ok := pageFor(fields)
	if !ok {
		b.faults = append(b.faults, finding{n, "page", "unknown_page", pick(b.english, "diga de qué página es: crossing, registration o assistance", "state its page: crossing, registration or assistance")})
		return nil
	}
	result := b.agent.read(b.m, b.use, page, fields, b.earlier)
	if number, ok := paper.Parse(result.Identity.Form); ok && fields.Get("void_reason") == "" {
		id := fields.Get("record_id")
		if other := b.numbers[number]; other != "" && other != id {
			result.Faults = append(result.Faults, form.Fault("form_number", "form_used", other))
		}
		b.numbers[number] = id
	}
	b.faults = append(b.faults, findings(result.Faults, b.english, n)...)
	b.doubts = append(b.doubts, findings(result.Doubts, b.english, n)...)
	if len(result.Faults)+len(result.Doubts) > 0 {
		return nil
	}
	if slices.Contains(result.Identity.Confirmed, "clock") {
		b.agent.watch.confirm()
	}
	entries, err := b.agent.entries(b.m, result, fields.Get("happened"), b.clerk)
	if err != nil {
		return err
	}
	if len(b.faults)+len(b.doubts) > 0 {
		return nil // nothing of the call is saved
	}
	for i := range entries {
		e := &entries[i]
		if err := b.batch.Add(e); err != nil {
			return err
		}
		b.earlier[e.Record.GetRecordId()] = e.Record
		e.Form = nil // is in the batch
	}
	b.entries = append(b.entries, entries...)
	return nil
}

// refuse answers an error of the spool, with the line that it is about.
func (b *bulk) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, code, why := b.agent.refusal(r, err)
	answer := map[string]any{"error": code, "text": why.in(b.english)}
	if errors.As(err, new(*spool.EntryError)) {
		answer["line"] = b.line
	}
	writeJSON(w, status, answer)
}

// pageFor takes the page out of the fields of a line; a line that does not state it is known by what it states.
func pageFor(fields url.Values) (form.Page, bool) {
	stated := strings.TrimPrefix(fields.Get("page"), "/")
	fields.Del("page")
	if stated != "" {
		page := form.Page(stated)
		return page, page != form.ArrivalPage && slices.Contains(form.Pages(), page)
	}
	for name, page := range map[string]form.Page{"kind": form.AssistancePage, "direction": form.CrossingPage, "border_point": form.CrossingPage, "returned": form.CrossingPage} {
		if fields.Has(name) {
			return page, true
		}
	}
	return form.RegistrationPage, fields.Has("centre") || fields.Has("exit_point") || fields.Has("municipality")
}
