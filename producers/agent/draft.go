package agent

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"retorno/producers/form"
	"retorno/producers/spool"
)

// draftText is what is kept of a form that is not saved, and of an arrival. A draft is a set of named answers: names that a later
// program does not know are shown with the form and not dropped.
type draftText struct {
	Page    form.Page     `json:"page"`
	Fields  url.Values    `json:"fields,omitempty"`
	Arrival *form.Arrival `json:"arrival,omitempty"`
}

// arrivalVersion is the UUID version of the place where an arrival is kept: that of a form is 7.
const arrivalVersion = 8

// arrivalPlace is where an arrival is kept among the drafts: its own id, as a UUID of version 8 (RFC 9562), so that the counts of drafts leave it out.
func arrivalPlace(id string) string {
	u, err := uuid.Parse(id)
	if err != nil || u.Version() != 7 || u.String() != id {
		return ""
	}
	u[6] = u[6]&0x0f | arrivalVersion<<4
	return u.String()
}

func isArrivalPlace(id string) bool {
	u, err := uuid.Parse(id)
	return err == nil && u.Version() == arrivalVersion
}

// draft keeps what was typed so far.
func (a *Agent) draft(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID      string     `json:"id"`
		Version uint64     `json:"version"`
		Page    form.Page  `json:"page"`
		Fields  url.Values `json:"fields"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || isArrivalPlace(in.ID) {
		refuse(w, r, http.StatusBadRequest, "body", text{"el borrador no se puede leer", "the draft cannot be read"})
		return
	}
	a.saving.Lock()
	defer a.saving.Unlock()
	if a.isSaved(in.ID, in.Fields.Get("revision")) {
		writeJSON(w, http.StatusOK, map[string]any{"version": 0, "saved": true})
		return
	}
	held, err := json.Marshal(draftText{Page: in.Page, Fields: in.Fields})
	version := uint64(0)
	if err == nil {
		version, err = a.cfg.Spool.PutDraft(in.ID, in.Version, held)
	}
	if err != nil {
		status, code, why := a.refusal(r, err)
		writeJSON(w, status, map[string]any{"error": code, "text": why.in(english(r)), "version": version})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"version": version})
}

// isSaved reports whether a revision stands in the store: a draft of it that comes late is none.
func (a *Agent) isSaved(id, revision string) bool {
	all, err := a.cfg.Spool.Record(id)
	return err == nil && len(all) > 0 && uint64(all[len(all)-1].Record.GetRevision()) >= max(atoi(revision), 1)
}

// discard drops a draft: a named act, which the page asks about.
func (a *Agent) discard(w http.ResponseWriter, r *http.Request) {
	fields, err := fieldsOf(r)
	if err == nil && !isArrivalPlace(fields.Get("record_id")) {
		err = a.cfg.Spool.DropDraft(fields.Get("record_id"))
	}
	if err != nil {
		status, code, why := a.refusal(r, err)
		refuse(w, r, status, code, why)
		return
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, map[string]any{"discarded": true})
		return
	}
	http.Redirect(w, r, local(fields.Get("to"), "/list"), http.StatusSeeOther)
}

// drafted returns a draft of a form by its id.
func (a *Agent) drafted(id string) (text draftText, version uint64, ok bool) {
	d, err := a.cfg.Spool.Draft(id)
	if err != nil {
		return draftText{}, 0, false
	}
	if json.Unmarshal(d.Fields, &text) != nil || text.Fields == nil {
		return draftText{}, 0, false
	}
	return text, d.Version, true
}

// drafts are those of forms, the one that was changed last first.
func (a *Agent) drafts() (ids []string) {
	for _, id := range a.cfg.Spool.Drafts() {
		if !isArrivalPlace(id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// putArrival keeps an arrival, and drops the draft of its form.
func (a *Agent) putArrival(arrival *form.Arrival) error {
	place := arrivalPlace(arrival.ID)
	if place == "" {
		return spool.ErrNotFound
	}
	held, err := json.Marshal(draftText{Page: form.ArrivalPage, Arrival: arrival})
	if err != nil {
		return err
	}
	version := uint64(0)
	switch d, err := a.cfg.Spool.Draft(place); {
	case err == nil:
		version = d.Version
	case !errors.Is(err, spool.ErrNotFound):
		return err
	}
	if _, err := a.cfg.Spool.PutDraft(place, version, held); err != nil {
		return err
	}
	return a.cfg.Spool.DropDraft(arrival.ID)
}
