package events

import (
	"bytes"
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
)

// MarshalJSONLine writes an envelope as one line of JSON, without the line's end: the names of events.proto in
// snake case, times as decimal strings of milliseconds (the JSON form of protobuf's 64-bit integers).
func MarshalJSONLine(e *Envelope) ([]byte, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("event as JSON: %w", err)
	}
	// protojson varies its white space from build to build; one form is wanted, byte for byte.
	var line bytes.Buffer
	if err := json.Compact(&line, b); err != nil {
		return nil, fmt.Errorf("event as JSON: %w", err)
	}
	return line.Bytes(), nil
}

// UnmarshalJSONLine reads one line of JSON. A name that the schema does not have is an error that names it.
// sent_at_ms, clock_offset_ms and checksum may be missing.
func UnmarshalJSONLine(line []byte) (*Envelope, error) {
	e := new(Envelope)
	if err := protojson.Unmarshal(line, e); err != nil {
		return nil, fmt.Errorf("not an event: %w", err)
	}
	if e.GetRecord() == nil {
		return nil, fmt.Errorf(`not an event: the field "record" is missing`)
	}
	return e, nil
}
