package agents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

const (
	// FindingsKept is how long a finding holds after its day, and how long the topic keeps it: two years.
	FindingsKept = 730 * 24 * time.Hour
	// MaxFindingBytes is the largest finding that is read.
	MaxFindingBytes = 1 << 10
)

// What is said of a document. The first two are codes of the list document_check.
const (
	ConfirmedFalse = "confirmed_false"
	SuspectedFalse = "suspected_false"
	ReportedStolen = "reported_stolen"
)

// Finding is a message on TopicDocuments, as JSON; the key is ID. It says of one document, of which it holds a keyed hash only,
// that it was found false or reported stolen, or that this holds no longer (Void; without the hash then).
type Finding struct {
	// ID is the same for every revision of one finding: a keyed hash of the record's id, or of the document on a list.
	ID       string `json:"document_id"`
	Revision uint64 `json:"revision"`
	Void     bool   `json:"void,omitempty"`
	// Hash is the keyed hash of the normalised document (identity.Secret.DocumentHash); it is no person key.
	Hash   string `json:"hash,omitempty"`
	Result string `json:"result,omitempty"` // one of the constants above
	Region string `json:"region,omitempty"` // department of the post; "" of a list
	Day    string `json:"day,omitempty"`    // Honduran, ISO 8601
}

// Bytes are the message's value.
func (f Finding) Bytes() ([]byte, error) { return json.Marshal(f) }

// ParseFinding reads a finding. Fields of a later version are passed over; whatever else is not as it must be is an error that names
// the field.
func ParseFinding(key, value []byte) (Finding, error) {
	var f Finding
	if len(value) > MaxFindingBytes {
		return f, fmt.Errorf("finding of %d bytes: at most %d are read", len(value), MaxFindingBytes)
	}
	if err := json.Unmarshal(value, &f); err != nil {
		return Finding{}, fmt.Errorf("finding: %w", err)
	}
	if field := f.fault(string(key)); field != "" {
		return Finding{}, fmt.Errorf("finding: %s is not as it must be", field)
	}
	return f, nil
}

// fault names the first field that is wrong; "" is none.
func (f Finding) fault(key string) string {
	hash := func(text string) bool { return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == "" }
	departments, _ := codelists.Get(codelists.Department)
	switch {
	case f.ID != key || !hash(f.ID):
		return "document_id"
	case f.Revision == 0:
		return "revision"
	case f.Void:
		if f.Hash != "" {
			return "hash"
		}
		return ""
	case !hash(f.Hash):
		return "hash"
	case !slices.Contains([]string{ConfirmedFalse, SuspectedFalse, ReportedStolen}, f.Result):
		return "result"
	case f.Region != "" && !departments.Has(f.Region):
		return "region"
	}
	if _, err := calendar.ParseDay(f.Day); err != nil {
		return "day"
	}
	return ""
}

// Message is one message to other offices.
type Message struct {
	Topic      string
	Key, Value []byte
}

// Messages are those that a record's news hold, as a spool keeps them: of the exchange under the record's id, and findings, one a line.
func Messages(record string, news []byte) (all []Message) {
	for line := range bytes.Lines(news) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		var f Finding
		if json.Unmarshal(line, &f) == nil && f.ID != "" {
			all = append(all, Message{TopicDocuments, []byte(f.ID), line})
			continue
		}
		all = append(all, Message{TopicExchange, []byte(record), line})
	}
	return all
}
