package spool

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"retorno/producers/disk"
	"retorno/producers/disk/disktest"
	"retorno/schemas/events"
)

const powerSeed = 20161128

// promises are what a session was told is saved.
type promises struct {
	records map[uint64]string // number: record and revision
	drafts  map[string]uint64 // id: version
	begun   bool              // the vault was there once
}

func name(id string, revision uint32) string { return fmt.Sprintf("%s/%d", id, revision) }

// session is a clerk's hour: records, a batch, a correction, drafts, acknowledgements, an end and another beginning, and
// the erasure of identities.
func session(t *testing.T, d *disktest.Disk, p *promises) {
	now := testDay
	var s *Spool
	start := func() {
		s = open(t, Config{Dir: "d", Disk: d, Now: func() time.Time { return now }})
		p.begun = true
		if err := s.Unlock(clerk, passphrase); err != nil {
			t.Fatal(err)
		}
	}
	keep := func(entries ...Entry) {
		for _, a := range save(t, s, entries...) {
			p.records[a.SourceSeq] = name(a.RecordID, a.Revision)
		}
	}
	draft := func(n int, text string) {
		v, err := s.PutDraft(newID(n), p.drafts[newID(n)], []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p.drafts[newID(n)] = v
	}
	drop := func(n int) { delete(p.drafts, newID(n)) } // before the save: from then on it may be gone
	start()
	keep(form(1))
	draft(2, "two")
	draft(2, strings.Repeat("two again ", 100))
	drop(2)
	keep(form(2))
	keep(form(3), form(4), form(5))
	if err := errors.Join(s.Acked(2), s.Acked(4)); err != nil {
		t.Fatal(err)
	}
	correction := form(3)
	correction.Record.Revision, correction.Form = 2, []byte("corrected")
	keep(correction)
	draft(9, "nine")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	start()
	now = now.Add(31 * 24 * time.Hour)
	if err := s.Acked(6); err != nil {
		t.Fatal(err)
	}
	later := form(6)
	later.At = now
	keep(later)
	if err := errors.Join(s.Erase(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

// check opens what a power cut left, and compares it with what was promised before.
func check(cut *disktest.Disk, p *promises, login bool) error {
	keys := testKeys
	s, err := Open(Config{Dir: "d", Source: "L-COR-1", Keys: keys, Disk: cut, Now: func() time.Time { return testDay }})
	if err != nil {
		return fmt.Errorf("it does not start: %w", err)
	}
	defer s.Close()
	if login {
		if err := s.Unlock(clerk, passphrase); err != nil {
			return fmt.Errorf("login: %w", err)
		}
	}
	seen := map[string]bool{}
	for seq := uint64(1); seq <= s.LastSeq(); seq++ {
		r, err := s.BySeq(seq)
		if err != nil {
			return fmt.Errorf("number %d: %w", seq, err)
		}
		is := name(r.Record.GetRecordId(), r.Record.GetRevision())
		if want := p.records[seq]; want != "" && want != is || seen[is] || r.Record.GetSourceSeq() != seq {
			return fmt.Errorf("number %d is %s, promised %s", seq, is, want)
		}
		seen[is] = true
	}
	if n := uint64(len(p.records)); s.LastSeq() < n {
		return fmt.Errorf("the last number is %d, and %d were promised", s.LastSeq(), n)
	}
	for id, version := range p.drafts {
		s.mu.RLock()
		have := s.drafts[id].Version
		s.mu.RUnlock()
		if have < version {
			return fmt.Errorf("draft %s: version %d, promised %d", id, have, version)
		}
	}
	return nil
}

// TestPowerCutLosesNothingPromised: at every change of a session's disk the power goes, with only what was synced left,
// or that and any subset of the sectors and names of the rest; what was called saved is there, once, with its number.
func TestPowerCutLosesNothingPromised(t *testing.T) {
	r := rand.New(rand.NewPCG(powerSeed, 1))
	t.Logf("seed %d", powerSeed)
	d := disktest.New()
	p := &promises{records: map[uint64]string{}, drafts: map[string]uint64{}}
	states, changes := 0, 0
	var failed []string
	d.Changed = func() {
		changes++
		for i := range 9 {
			source := r
			if i == 0 {
				source = nil
			}
			states++
			if err := check(d.Cut(source), p, states%200 == 0 && p.begun); err != nil && len(failed) < 5 {
				failed = append(failed, fmt.Sprintf("change %d, cut %d: %v", changes, i, err))
			}
		}
	}
	session(t, d, p)
	if len(failed) > 0 {
		t.Fatalf("of %d disks after %d changes:\n%s", states, changes, strings.Join(failed, "\n"))
	}
	t.Logf("%d changes, %d disks", changes, states)
}

// TestSyncIsWhatKeepsThePromise: a journal whose syncs do nothing loses what it promised, so the test above can see it.
func TestSyncIsWhatKeepsThePromise(t *testing.T) {
	lazy := disktest.New()
	s := open(t, Config{Dir: "d", Disk: lazy})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	save(t, s, form(1))
	lazy.Fail = func(op, name string) error {
		if op == "sync" && strings.HasSuffix(name, journalFile) {
			return syscall.EIO
		}
		return nil
	}
	if _, err := s.Save([]Entry{form(2)}); !errors.Is(err, disk.ErrSync) {
		t.Fatalf("%v", err)
	}
	if err := check(lazy.Cut(nil), &promises{records: map[uint64]string{1: name(newID(1), 1), 2: name(newID(2), 1)}}, false); err == nil {
		t.Fatal("a record that was never synced is there")
	}
}

// TestFailedSyncEndsTheSpool (F24): nothing more is taken, and the next start finds what is there.
func TestFailedSyncEndsTheSpool(t *testing.T) {
	d := disktest.New()
	s := open(t, Config{Dir: "d", Disk: d})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	save(t, s, form(1))
	d.Fail = func(op, _ string) error {
		if op == "sync" {
			return syscall.EIO
		}
		return nil
	}
	for range 2 {
		if _, err := s.Save([]Entry{form(2)}); !errors.Is(err, disk.ErrSync) || errors.Is(err, ErrDisk) {
			t.Fatalf("%v, want ErrSync", err)
		}
		d.Fail = nil // the disk is well again, and what it dropped is not
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, source := range []*rand.Rand{nil, rand.New(rand.NewPCG(powerSeed, 2))} {
		if err := check(d.Cut(source), &promises{records: map[uint64]string{1: name(newID(1), 1)}}, false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFullDiskRefusesAndGoesOn (F24): full, read-only and broken disks keep nothing of a save, and the same form is saved
// when there is room; no number is left out.
func TestFullDiskRefusesAndGoesOn(t *testing.T) {
	for _, fault := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		d := disktest.New()
		s := open(t, Config{Dir: "d", Disk: d})
		if err := s.Unlock(clerk, passphrase); err != nil {
			t.Fatal(err)
		}
		save(t, s, form(1))
		d.Fail = func(op, _ string) error {
			if op == "write" || op == "truncate" {
				return fault
			}
			return nil
		}
		for range 2 {
			if _, err := s.Save([]Entry{form(2), form(3)}); !errors.Is(err, ErrDisk) || !errors.Is(err, fault) {
				t.Fatalf("%v, want ErrDisk of %v", err, fault)
			}
			if _, err := s.PutDraft(newID(5), 0, []byte("x")); !errors.Is(err, ErrDisk) {
				t.Fatalf("%v, want ErrDisk", err)
			}
		}
		if copies, err := s.Unsent(0, 10); err != nil || len(copies) != 1 {
			t.Fatalf("%v %v", copies, err)
		}
		d.Fail = nil
		if got := save(t, s, form(3)); got[0].SourceSeq != 2 {
			t.Fatalf("%+v", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := check(d, &promises{records: map[uint64]string{1: name(newID(1), 1), 2: name(newID(3), 1)}}, false); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStartOnAFullDiskIsNoCopy: records are sent, and the run goes under a name that the folder knows.
func TestStartOnAFullDiskIsNoCopy(t *testing.T) {
	d := disktest.New()
	s := open(t, Config{Dir: "d", Disk: d})
	known := s.Run()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	d.Fail = func(op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	}
	s = open(t, Config{Dir: "d", Disk: d})
	defer s.Close()
	if s.Run() != known || !slices.Contains(s.Runs(), s.Run()) {
		t.Fatalf("run %s, known %v", s.Run(), s.Runs())
	}
}

// TestFlippedBitCostsNoOtherRecord (F26): wherever a bit flips in the folder, the agent starts, sends every record as it
// was saved or sets it aside by name, and numbers on.
func TestFlippedBitCostsNoOtherRecord(t *testing.T) {
	const records = 12
	d := disktest.New()
	s := open(t, Config{Dir: "d", Disk: d})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= records; n += 3 {
		save(t, s, form(n), form(n+1), form(n+2))
	}
	if _, err := s.PutDraft(newID(50), 0, []byte("draft")); err != nil {
		t.Fatal(err)
	}
	want, err := s.Unsent(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(powerSeed, 3))
	t.Logf("seed %d", powerSeed)
	for _, file := range []string{"d/" + journalFile, "d/keys", "d/keys.copy", "d/" + draftPrefix + newID(50)} {
		for range 150 {
			hurt := d.Copy()
			bit := r.IntN(8 * hurt.Size(file))
			hurt.Flip(file, bit)
			s := open(t, Config{Dir: "d", Disk: hurt})
			got, err := s.Unsent(0, 100)
			if err != nil {
				t.Fatal(err)
			}
			same := slices.EqualFunc(got, want, func(a, b Copy) bool {
				return a.Seq == b.Seq && a.Key == b.Key && a.Topic == b.Topic && bytes.Equal(a.Record, b.Record)
			})
			if !same || s.LastSeq() != records {
				t.Fatalf("%s, bit %d: %d of %d records, last number %d", file, bit, len(got), len(want), s.LastSeq())
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if file == "d/"+journalFile {
				whole(t, hurt)
			}
		}
	}
}

// whole opens a folder once more: the start before has healed it.
func whole(t *testing.T, d *disktest.Disk) {
	t.Helper()
	s := open(t, Config{Dir: "d", Disk: d})
	defer s.Close()
	for _, a := range s.journal.Damage() {
		if a.Entry != 0 {
			t.Fatal(a)
		}
	}
}

// TestBothCopiesDamagedIsSetAside: that one record is named and not sent, and all others are.
func TestBothCopiesDamagedIsSetAside(t *testing.T) {
	d := disktest.New()
	s := open(t, Config{Dir: "d", Disk: d})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		save(t, s, form(n))
	}
	at := s.index.slots[1]
	entry, err := s.journal.Read(at.number, at.at)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 2 {
		d.Flip("d/"+journalFile, 8*(int(at.at)+c*(len(entry)+32)+40))
	}
	look := func() {
		t.Helper()
		got, err := s.Unsent(0, 10)
		if err != nil || len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 3 {
			t.Fatalf("%v %v", got, err)
		}
		if st, err := s.State(); err != nil || len(st.Aside) == 0 || st.Records != 2 || st.LastSeq != 3 {
			t.Fatalf("%+v %v", st, err)
		}
	}
	look() // while it runs
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{Dir: "d", Disk: d})
	defer s.Close()
	look() // and after a start
	if _, err := events.Open(events.SealBytes(entry, 1, 0)); err == nil {
		t.Fatal("an entry of the journal is no record")
	}
}
