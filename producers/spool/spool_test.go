package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/producers/vault"
	"retorno/schemas/events"
)

const (
	clerk      = "ana"
	passphrase = "tres tristes tigres"
	secretText = "0123456789abcdef0123456789abcdef0123456789abcdef"
)

var (
	testKeys *vault.Keyring
	testDay  = time.Date(2016, 5, 3, 12, 0, 0, 0, time.UTC)
	recovery vault.RecoverySecret
)

func TestMain(m *testing.M) {
	var err error
	if recovery, err = vault.NewRecoverySecret(); err == nil {
		testKeys = vault.NewKeyring(recovery.Public())
		if err = testKeys.AddClerk(clerk, passphrase, nil); err == nil {
			err = testKeys.AddSecret("", secretText)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func open(t testing.TB, cfg Config) *Spool {
	t.Helper()
	cfg.Source, cfg.Keys = "L-COR-1", testKeys
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return testDay }
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unlocked(t testing.TB, dir string) *Spool {
	t.Helper()
	s := open(t, Config{Dir: dir})
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	return s
}

// newID is a record id of the test's day.
func newID(n int) string {
	ms := testDay.UnixMilli()
	var u uuid.UUID
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6], u[8] = 0x70, 0x80
	u[12], u[13], u[14], u[15] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return u.String()
}

func form(n int) Entry {
	at := testDay.Add(time.Duration(n) * time.Second)
	return Entry{
		Record: &events.Record{
			RecordId: newID(n), Revision: 1, SchemaVersion: 1, PersonKey: strings.Repeat("0f", 16),
			EventTimeMs: at.UnixMilli(), RecordedTimeMs: at.UnixMilli(),
			Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", BorderPoint: "L-COR", Returned: true, Country: "MX", Mode: "land", ReturnType: "deported", Sex: "F", DocumentCheck: "genuine"}},
		},
		Form:     fmt.Appendf(nil, "names=Maria%d&document_number=0801-1985-%05d", n, n),
		Identity: fmt.Appendf(nil, `{"names":"Maria%d","document_number":"08011985%05d"}`, n, n),
		Clerk:    clerk, At: at,
	}
}

func save(t testing.TB, s *Spool, entries ...Entry) []Saved {
	t.Helper()
	saved, err := s.Save(entries)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// TestNumbersRunWithoutGapOverRestarts: 1, 2, 3 …, whether the process ends in order or not.
func TestNumbersRunWithoutGapOverRestarts(t *testing.T) {
	dir := t.TempDir()
	next := uint64(1)
	for run := range 4 {
		s := unlocked(t, dir)
		for range 3 {
			got := save(t, s, form(int(next)))
			if got[0].SourceSeq != next || got[0].Again {
				t.Fatalf("run %d: %+v, want number %d", run, got[0], next)
			}
			next++
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Config{Dir: dir})
	defer s.Close()
	copies, err := s.Unsent(0, 100)
	if err != nil || len(copies) != 12 {
		t.Fatalf("%d copies, %v; want 12", len(copies), err)
	}
	for i, c := range copies {
		o, err := events.Open(events.SealBytes(c.Record, 1467000000000, 0))
		if err != nil || o.Record.GetSourceSeq() != uint64(i+1) || c.Topic != events.TopicCheckpoint || c.Key != events.Key(o.Record) {
			t.Fatalf("copy %d: %v %v", i, o.Record, err)
		}
	}
}

// TestSameFormIsOneRecord: sent again it has the number it has, with other content it is refused, and nothing of a batch
// with a refused form is kept.
func TestSameFormIsOneRecord(t *testing.T) {
	dir := t.TempDir()
	s := unlocked(t, dir)
	first := save(t, s, form(1), form(2))
	for range 2 {
		again := save(t, s, form(2), form(1))
		if !again[0].Again || again[0].SourceSeq != first[1].SourceSeq || again[1].SourceSeq != first[0].SourceSeq {
			t.Fatalf("%+v", again)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = unlocked(t, dir)
	}
	other := form(2)
	other.Form = []byte("names=Otra")
	_, err := s.Save([]Entry{form(3), other})
	var at *EntryError
	if !errors.Is(err, ErrOtherContent) || !errors.As(err, &at) || at.Index != 1 {
		t.Fatalf("%v", err)
	}
	left := form(3)
	left.Record.Revision = 2
	if _, err := s.Save([]Entry{left}); !errors.Is(err, ErrOrder) {
		t.Fatalf("%v, want ErrOrder", err)
	}
	correction := form(2)
	correction.Record.Revision, correction.Form = 2, []byte("corrected")
	twice := save(t, s, form(3), form(3), correction)
	if twice[0].SourceSeq != 3 || !twice[1].Again || twice[1].SourceSeq != 3 || twice[2].SourceSeq != 4 {
		t.Fatalf("%+v", twice)
	}
	all, err := s.Record(newID(2))
	if err != nil || len(all) != 2 || all[1].Record.GetRevision() != 2 {
		t.Fatalf("%v %v", all, err)
	}
	recent, err := s.Recent(2)
	if err != nil || len(recent) != 2 || recent[0].Record.GetRecordId() != newID(2) || recent[1].Record.GetRecordId() != newID(3) {
		t.Fatalf("%v %v", recent, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLockedSpoolSendsAndShowsNoIdentity: without a login there is an outbox and no identity; nothing typed stands in a
// file of the folder.
func TestLockedSpoolSendsAndShowsNoIdentity(t *testing.T) {
	dir := t.TempDir()
	s := unlocked(t, dir)
	save(t, s, form(1))
	if _, err := s.PutDraft(newID(7), 0, []byte(`{"names":"Maria7"}`)); err != nil {
		t.Fatal(err)
	}
	who, identity, err := s.Identity(newID(1), 1)
	if err != nil || who != clerk || !bytes.Contains(identity, []byte("Maria1")) {
		t.Fatalf("%s %s %v", who, identity, err)
	}
	s.Lock()
	if _, _, err := s.Identity(newID(1), 1); !errors.Is(err, ErrLocked) {
		t.Fatalf("%v", err)
	}
	if _, err := s.Save([]Entry{form(2)}); !errors.Is(err, ErrLocked) {
		t.Fatalf("%v", err)
	}
	if copies, err := s.Unsent(0, 10); err != nil || len(copies) != 1 {
		t.Fatalf("%v %v", copies, err)
	}
	st, err := s.State()
	if err != nil || !st.Locked || st.Records != 1 || st.Unsent != 1 || st.Drafts != 1 || !st.OldestUnsent.Equal(testDay.Add(time.Second)) || st.DiskFree == 0 {
		t.Fatalf("%+v %v", st, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []string{"Maria", "08011985", clerk + `"`, passphrase, secretText} {
			if bytes.Contains(data, []byte(typed)) {
				t.Errorf("%s holds %q", name, typed)
			}
		}
	}
}

// TestDraftsAreKeptAndTheOlderTabIsTold.
func TestDraftsAreKeptAndTheOlderTabIsTold(t *testing.T) {
	dir := t.TempDir()
	s := unlocked(t, dir)
	v, err := s.PutDraft(newID(1), 0, []byte("a"))
	if err != nil || v != 1 {
		t.Fatal(v, err)
	}
	if v, err = s.PutDraft(newID(1), 1, []byte("b")); err != nil || v != 2 {
		t.Fatal(v, err)
	}
	if v, err = s.PutDraft(newID(1), 1, []byte("c")); !errors.Is(err, ErrDraftVersion) || v != 2 {
		t.Fatal(v, err)
	}
	if _, err := s.PutDraft("../x", 0, nil); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = unlocked(t, dir)
	defer s.Close()
	d, err := s.Draft(newID(1))
	if err != nil || string(d.Fields) != "b" || d.Version != 2 {
		t.Fatalf("%+v %v", d, err)
	}
	save(t, s, form(1))
	if _, err := s.Draft(newID(1)); !errors.Is(err, ErrNotFound) {
		t.Fatalf("a saved form leaves its draft: %v", err)
	}
}

// TestErasedIdentitiesAreGone: after the retention neither passphrase nor recovery key opens one, but not before the
// record is acknowledged; the record can still be corrected.
func TestErasedIdentitiesAreGone(t *testing.T) {
	dir := t.TempDir()
	now := testDay
	s := open(t, Config{Dir: dir, Now: func() time.Time { return now }})
	defer s.Close()
	if err := s.Unlock(clerk, passphrase); err != nil {
		t.Fatal(err)
	}
	save(t, s, form(1))
	now = testDay.Add(31 * 24 * time.Hour)
	later := form(2)
	later.At = now
	save(t, s, later)
	erase := func() {
		t.Helper()
		if err := s.Erase(); err != nil {
			t.Fatal(err)
		}
	}
	erase()
	if _, _, err := s.Identity(newID(1), 1); err != nil {
		t.Fatalf("erased before it was acknowledged: %v", err)
	}
	known := func() (all []Known, erased int) {
		t.Helper()
		v, err := OpenView(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Close()
		opener, err := s.vault.Recovery(recovery)
		if err != nil {
			t.Fatal(err)
		}
		erased, err = v.Identities(opener, func(k Known) error { all = append(all, k); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return all, erased
	}
	if all, erased := known(); len(all) != 2 || erased != 0 || all[0].Clerk != clerk {
		t.Fatalf("the recovery key opens %v, %d erased", all, erased)
	}
	if err := s.Acked(2); err != nil {
		t.Fatal(err)
	}
	erase()
	if _, _, err := s.Identity(newID(1), 1); !errors.Is(err, ErrErased) {
		t.Fatalf("%v, want ErrErased", err)
	}
	if all, erased := known(); len(all) != 1 || erased != 1 || all[0].RecordID != newID(2) {
		t.Fatalf("the recovery key opens %v, %d erased", all, erased)
	}
	void := form(1)
	void.Record.Revision, void.Record.VoidReason, void.At = 2, "duplicate_entry", now
	if got := save(t, s, void); got[0].SourceSeq != 3 {
		t.Fatalf("%+v", got)
	}
	if _, err := s.Save([]Entry{form(1)}); !errors.Is(err, ErrOtherContent) {
		t.Fatalf("a form that cannot be compared any more: %v", err)
	}
}

// TestWrongPassphrasesWaitLongerEachTime.
func TestWrongPassphrasesWaitLongerEachTime(t *testing.T) {
	now := testDay
	s := open(t, Config{Dir: t.TempDir(), Now: func() time.Time { return now }})
	defer s.Close()
	for range 5 {
		if err := s.Unlock(clerk, "wrong"); !errors.Is(err, vault.ErrPassphrase) {
			t.Fatalf("%v", err)
		}
	}
	last := time.Duration(0)
	for range 3 {
		var wait *vault.WaitError
		if err := s.Unlock(clerk, passphrase); !errors.As(err, &wait) || wait.Until.Sub(now) <= last {
			t.Fatalf("%v after %s", err, last)
		}
		last = wait.Until.Sub(now)
		now = wait.Until
		if err := s.Unlock(clerk, "wrong"); !errors.Is(err, vault.ErrPassphrase) {
			t.Fatalf("%v", err)
		}
	}
	now = now.Add(time.Hour)
	if err := s.Unlock(clerk, passphrase); err != nil || s.Clerk() != clerk {
		t.Fatal(err)
	}
}

// TestExportReadsBesideARunningAgent, in the order of numbers, as `retorno send` reads it.
func TestExportReadsBesideARunningAgent(t *testing.T) {
	dir := t.TempDir()
	s := unlocked(t, dir)
	defer s.Close()
	save(t, s, form(1), form(2), form(3))
	if err := s.Acked(2); err != nil {
		t.Fatal(err)
	}
	for unsent, want := range map[bool][]uint64{false: {1, 2, 3}, true: {3}} {
		v, err := OpenView(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		err = v.Each(unsent, func(c Copy) error {
			text, err := c.Line(nil)
			if err != nil {
				return err
			}
			line, err := events.ParseLine(text)
			if err != nil {
				return err
			}
			again, err := events.Bytes(line.Envelope.GetRecord())
			if err == nil && !bytes.Equal(again, c.Record) {
				err = errors.New("the line holds another record")
			}
			got = append(got, line.Envelope.GetRecord().GetSourceSeq())
			return err
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("unsent %v: %v %v", unsent, got, err)
		}
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
