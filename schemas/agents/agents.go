// Package agents is what the computers at posts and centres say of themselves and to each other, beside the events: the
// topics, the heartbeat, and the messages of the exchange.
//
// It promises that a heartbeat is counts, states and fingerprints only: nothing of a person; and that a message of the
// exchange holds pseudonyms and codes, never a document, a name or a birth date. It does no I/O. What is not a
// heartbeat, or no message of the exchange, comes back from ParseBeat and ParseNews as an error that names the field.
package agents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// TopicAgents carries the heartbeats, compacted by source, in one partition.
	TopicAgents = "retorno.agents.v1"
	// TopicExchange carries what a post tells the centres of people on their way, kept for seven days.
	TopicExchange = "retorno.exchange.v1"
	// TopicDocuments carries keyed hashes of documents that were found false, compacted.
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
	// Stopped is the reason why it does not send, as a code; "": it does.
	Stopped string `json:"stopped,omitempty"`
}

// Bytes are the message's value.
func (b Beat) Bytes() ([]byte, error) { return json.Marshal(b) }

// ParseBeat reads a heartbeat. Fields of a later version are passed over.
func ParseBeat(key, value []byte) (Beat, error) {
	var b Beat
	if len(value) > MaxBeatBytes {
		return b, fmt.Errorf("heartbeat of %d bytes: at most %d are read", len(value), MaxBeatBytes)
	}
	if err := json.NewDecoder(bytes.NewReader(value)).Decode(&b); err != nil {
		return Beat{}, fmt.Errorf("heartbeat: %w", err)
	}
	switch {
	case b.Source == "" || b.Source != string(key):
		return Beat{}, fmt.Errorf("heartbeat: source %q under the key %q", b.Source, key)
	case b.Run == "":
		return Beat{}, errors.New("heartbeat: run is empty")
	case b.Unsent > b.LastSeq:
		return Beat{}, fmt.Errorf("heartbeat: %d unsent of %d", b.Unsent, b.LastSeq)
	}
	return b, nil
}
