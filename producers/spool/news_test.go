package spool

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
)

// TestNewsWaitsForTheAckAndARestart: what other offices are told leaves once its record is acknowledged, once, in order and with
// the bytes that were saved, also after a restart.
func TestNewsWaitsForTheAckAndARestart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	for n := range 6 {
		e := form(n)
		if n%2 == 0 {
			e.News = fmt.Appendf(nil, `{"n":%d}`, n)
		}
		save(t, s, e)
	}
	want := func(through uint64, values ...string) {
		t.Helper()
		all, upTo, err := s.Untold(4)
		if err != nil || upTo != through || len(all) != len(values) {
			t.Fatalf("%d up to %d, %v; want %d up to %d", len(all), upTo, err, len(values), through)
		}
		for i, v := range values {
			if string(all[i].Value) != v || all[i].RecordID == "" {
				t.Errorf("%s, want %s", all[i].Value, v)
			}
		}
	}
	want(0)
	if err := s.Acked(5); err != nil {
		t.Fatal(err)
	}
	want(4, `{"n":0}`, `{"n":2}`)
	if err := s.Told(4); err != nil {
		t.Fatal(err)
	}
	want(5, `{"n":4}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: dir})
	want(5, `{"n":4}`)
	if err := s.Told(5); err != nil {
		t.Fatal(err)
	}
	want(0)
}

// What Tell kept waits until other offices were told of it, over restarts, in order, and needs neither a login nor an acknowledged
// record; the numbers of records do not count it.
func TestNotesWaitUntilTold(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{Dir: dir})
	ids := []string{uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()}
	for _, id := range ids {
		if err := s.Tell(id, []byte("sent on "+id), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for _, left := range [][]string{ids, ids[1:], nil} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, Config{Dir: dir})
		all, through, err := s.Notes(1)
		if err != nil || len(all) != min(len(left), 1) || s.LastSeq() != 0 {
			t.Fatalf("%v %v, %d records", all, err, s.LastSeq())
		}
		if len(left) == 0 {
			break
		}
		if all[0].RecordID != left[0] || string(all[0].Value) != "sent on "+left[0] {
			t.Errorf("%+v", all[0])
		}
		if err := s.Heard(through); err != nil {
			t.Fatal(err)
		}
	}
}
