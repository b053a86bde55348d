package spool

import (
	"bytes"
	"encoding/json"
	"testing"

	"google.golang.org/protobuf/proto"
)

// TestBytesOfARecordAreMadeOnce: copies sent later are those saved, whatever a later program makes of the record.
func TestBytesOfARecordAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	s := unlocked(t, dir)
	defer s.Close()
	e := form(1)
	save(t, s, e)
	want, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.Record)
	if err != nil {
		t.Fatal(err)
	}
	copies, err := s.Unsent(0, 1)
	if err != nil || !bytes.Equal(copies[0].Record, want) {
		t.Fatalf("%x %v, want %x", copies, err, want)
	}
	again, err := json.Marshal(copies[0])
	if err != nil || bytes.Contains(again, []byte("Maria")) {
		t.Fatalf("%s %v", again, err)
	}
}
