package spool

import (
	"fmt"
	"testing"
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
