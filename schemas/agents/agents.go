// Package agents is what the computers at posts and centres say of themselves and to each other, beside the events: the
// topics, the heartbeat, and the messages of the exchange.
//
// It promises that a heartbeat is counts, states and fingerprints only: nothing of a person; and that a message of the
// exchange holds pseudonyms and codes, never a document, a name or a birth date. It does no I/O. What is not a
// heartbeat, or no message of the exchange, comes back from ParseBeat and ParseNews as an error that names the field.
package agents

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"retorno/schemas/events"
)

const (
	// TopicAgents carries the heartbeats, compacted by source, in one partition.
	TopicAgents = "retorno.agents.v1"
	// TopicExchange carries what a post tells the centres of people on their way, kept for seven days.
	TopicExchange = "retorno.exchange.v1"
	// TopicDocuments carries keyed hashes of documents that were found false, compacted, and kept for FindingsKept.
	TopicDocuments = "retorno.documents.v1"

	// BeatEvery is how often an agent sends a heartbeat.
	BeatEvery = time.Minute
	// ExchangeKept is how long messages of the exchange are kept.
	ExchangeKept = 7 * 24 * time.Hour
	// MaxBeatBytes is the largest heartbeat that is read.
	MaxBeatBytes = 16 << 10
)

// Beat is a heartbeat: the value of a message on TopicAgents, as JSON; the key is the source.
type Beat struct {
	Source string `json:"source"`
	// Run names the run of the agent; each start has another. A run that a folder does not know is that of a copy.
	Run string `json:"run"`
	// AtMs is when it was made, in broker time as the agent knows it; milliseconds since 1970-01-01 UTC.
	AtMs int64 `json:"at_ms"`
	// LastSeq is the last number that the source gave, Unsent how many no broker had acknowledged, and OldestUnsentMs when
	// the first of those was saved; 0: none.
	LastSeq        uint64 `json:"last_seq"`
	Unsent         uint64 `json:"unsent"`
	OldestUnsentMs int64  `json:"oldest_unsent_ms,omitempty"`
	// ClockOffsetMs is how far the agent's clock is ahead of the broker's; absent while it is not known.
	ClockOffsetMs *int64 `json:"clock_offset_ms,omitempty"`
	// DiskFree is in bytes; DiskLow reports that it is less than 50 MB or a tenth of the disk.
	DiskFree uint64 `json:"disk_free"`
	DiskLow  bool   `json:"disk_low,omitempty"`
	// Damaged is how many places of the folder do not hold what was written there.
	Damaged int    `json:"damaged,omitempty"`
	Version string `json:"version"`
	// Secrets are the fingerprints of the identity secrets, by the first day on which each holds ("" the beginning), and
	// Lists is that of the code lists.
	Secrets map[string]string `json:"secrets"`
	Lists   string            `json:"lists"`
	// FormsMissing is how many numbered paper forms are neither captured nor void.
	FormsMissing int `json:"forms_missing,omitempty"`
	// DocumentsMet is how many records of this run have a document that was known to be false or stolen.
	DocumentsMet int `json:"documents_met,omitempty"`
	// Stopped is the reason why it does not send, as a code; "": it does.
	Stopped string `json:"stopped,omitempty"`
}

// Bytes are the message's value.
func (b Beat) Bytes() ([]byte, error) { return json.Marshal(b) }

// BeatError says which field of a message makes it no heartbeat. Field is one of BeatFields.
type BeatError struct {
	Field string
	// Found is what is wrong with it.
	Found string
}

func (e *BeatError) Error() string { return "heartbeat: " + e.Field + ": " + e.Found }

// BeatFields are the fields that a BeatError can name: "bytes" is the message as a whole.
func BeatFields() []string {
	return []string{"bytes", "source", "run", "at_ms", "last_seq", "unsent", "oldest_unsent_ms", "clock_offset_ms", "damaged", "version", "secrets", "lists",
		"forms_missing", "documents_met", "stopped"}
}

// What a heartbeat may state at most. Numbers and times are those that are believed of a record.
const (
	maxName    = 64 // bytes of a run, a version, a fingerprint, a code
	maxSecrets = 32
	maxCount   = 1_000_000_000
)

// ParseBeat reads a heartbeat. Fields of a later version are passed over; whatever else is not as it must be is a *BeatError.
func ParseBeat(key, value []byte) (Beat, error) {
	var b Beat
	if len(value) > MaxBeatBytes {
		return b, &BeatError{"bytes", fmt.Sprintf("%d; at most %d are read", len(value), MaxBeatBytes)}
	}
	if err := json.Unmarshal(value, &b); err != nil {
		return Beat{}, &BeatError{"bytes", err.Error()}
	}
	if field, found := b.fault(string(key)); field != "" {
		return Beat{}, &BeatError{field, found}
	}
	return b, nil
}

// fault names the first field that is wrong, and what it holds; "" is none.
func (b Beat) fault(key string) (field, found string) {
	long := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return len(t) > maxName || !utf8.ValidString(t) })
	}
	switch {
	case b.Source == "" || b.Source != key || len(key) > events.MaxSourceID || !utf8.ValidString(key):
		return "source", fmt.Sprintf("%.80q under the key %.80q", b.Source, key)
	case b.Run == "" || long(b.Run):
		return "run", fmt.Sprintf("%.80q", b.Run)
	case !events.TimeCanBe(b.AtMs):
		return "at_ms", fmt.Sprint(b.AtMs)
	case b.LastSeq > events.MaxSeq:
		return "last_seq", fmt.Sprint(b.LastSeq)
	case b.Unsent > b.LastSeq:
		return "unsent", fmt.Sprintf("%d of %d", b.Unsent, b.LastSeq)
	case b.OldestUnsentMs != 0 && (b.Unsent == 0 || b.OldestUnsentMs < 0 || b.OldestUnsentMs > latest):
		return "oldest_unsent_ms", fmt.Sprint(b.OldestUnsentMs)
	case b.ClockOffsetMs != nil && (*b.ClockOffsetMs > latest || *b.ClockOffsetMs < -latest):
		return "clock_offset_ms", fmt.Sprint(*b.ClockOffsetMs)
	case b.Damaged < 0 || b.Damaged > maxCount:
		return "damaged", fmt.Sprint(b.Damaged)
	case long(b.Version):
		return "version", fmt.Sprintf("%.80q", b.Version)
	case len(b.Secrets) > maxSecrets || long(slices.Collect(maps.Keys(b.Secrets))...) || long(slices.Collect(maps.Values(b.Secrets))...):
		return "secrets", fmt.Sprintf("%d of them", len(b.Secrets))
	case long(b.Lists):
		return "lists", fmt.Sprintf("%.80q", b.Lists)
	case b.FormsMissing < 0 || b.FormsMissing > maxCount:
		return "forms_missing", fmt.Sprint(b.FormsMissing)
	case b.DocumentsMet < 0 || b.DocumentsMet > maxCount:
		return "documents_met", fmt.Sprint(b.DocumentsMet)
	case long(b.Stopped):
		return "stopped", fmt.Sprintf("%.80q", b.Stopped)
	}
	return "", ""
}

// Before reports whether another heartbeat of the same source is the later one: by time, then by number.
func (b Beat) Before(other Beat) bool {
	return cmp.Or(cmp.Compare(b.AtMs, other.AtMs), cmp.Compare(b.LastSeq, other.LastSeq)) < 0
}
