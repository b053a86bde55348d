package agent

import (
	"net/http"
	"time"
)

// stateJSON is what everyone on this computer may know: counts.
type stateJSON struct {
	Source       string  `json:"source"`
	Records      uint64  `json:"records"`
	LastSeq      uint64  `json:"last_seq"`
	Unsent       uint64  `json:"unsent"`
	OldestUnsent *string `json:"oldest_unsent"` // RFC 3339; null when all is sent
	Drafts       int     `json:"drafts"`
	Locked       bool    `json:"locked"`
	DiskFree     uint64  `json:"disk_free"` // bytes
	DiskLow      bool    `json:"disk_low"`
	ClockOffset  *int64  `json:"clock_offset_ms"` // null while the broker's time is not known
	Stopped      string  `json:"stopped"`
	FormsMissing int     `json:"forms_missing"` // paper forms that are neither captured nor void
	Exchange     string  `json:"exchange_stopped"`
}

func (a *Agent) stateNow() (stateJSON, error) {
	s, err := a.cfg.Spool.State()
	if err != nil {
		return stateJSON{}, err
	}
	out := stateJSON{Source: s.Source, Records: s.Records, LastSeq: s.LastSeq, Unsent: s.Unsent, Drafts: len(a.drafts()), Locked: s.Locked,
		DiskFree: s.DiskFree, DiskLow: s.DiskLow, FormsMissing: a.cfg.Paper.Missing()}
	if !s.OldestUnsent.IsZero() {
		text := s.OldestUnsent.UTC().Format(time.RFC3339)
		out.OldestUnsent = &text
	}
	if a.cfg.Stopped != nil {
		out.Stopped = a.cfg.Stopped()
	}
	if a.cfg.ExchangeStopped != nil {
		out.Exchange = a.cfg.ExchangeStopped()
	}
	if a.cfg.ClockOffset != nil {
		if offset, ok := a.cfg.ClockOffset(); ok {
			ms := offset.Milliseconds()
			out.ClockOffset = &ms
		}
	}
	return out, nil
}

// state answers GET /state, without a login.
func (a *Agent) state(w http.ResponseWriter, r *http.Request) {
	s, err := a.stateNow()
	if err != nil {
		a.failed(r.Context(), "state", err)
		writeJSON(w, http.StatusInternalServerError, map[string]any{"error": "disk", "text": "the folder cannot be read"})
		return
	}
	writeJSON(w, http.StatusOK, s)
}
