package documents

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retorno/producers/identity"
	"retorno/schemas/agents"
	"retorno/schemas/calendar"
)

const hash = "0123456789abcdef0123456789abcdef"

func id(n int) string { return fmt.Sprintf("%032x", n) }

func today() string { return calendar.DayOfTime(time.Now()).String() }

func finding(n int, revision uint64, result string) agents.Finding {
	return agents.Finding{ID: id(n), Revision: revision, Hash: hash, Result: result, Region: "HN-CR", Day: today()}
}

func take(t *testing.T, b *Board, f agents.Finding) {
	t.Helper()
	value, err := f.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b.Take([]byte(f.ID), value)
}

// The newest revision of each finding counts, in any order; the more certain of two holds until it is withdrawn.
func TestNewestFindingCounts(t *testing.T) {
	b := New(Config{})
	take(t, b, finding(1, 2, agents.ConfirmedFalse))
	take(t, b, agents.Finding{ID: id(1), Revision: 1, Void: true})
	take(t, b, finding(2, 1, agents.SuspectedFalse))
	if f, ok := b.Find(hash, ""); !ok || f.Result != agents.ConfirmedFalse {
		t.Errorf("%v %v", f, ok)
	}
	if f, ok := b.Find(hash, id(1)); !ok || f.ID != id(2) {
		t.Errorf("beside its own: %v %v", f, ok)
	}
	take(t, b, agents.Finding{ID: id(1), Revision: 3, Void: true})
	take(t, b, finding(1, 2, agents.ConfirmedFalse))
	if f, ok := b.Find(hash, ""); !ok || f.ID != id(2) {
		t.Errorf("after it was withdrawn: %v %v", f, ok)
	}
}

// What cannot be read is counted and changes nothing.
func TestWrongFindingsAreCounted(t *testing.T) {
	b := New(Config{})
	good, err := finding(1, 1, agents.ConfirmedFalse).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	wrong := [][]byte{nil, []byte("{"), []byte(strings.Repeat(" ", agents.MaxFindingBytes) + string(good))}
	for field, value := range map[string]any{"document_id": id(2), "hash": "0801198500123", "result": "genuine", "region": "X", "day": "2016-13-01", "revision": 0, "void": true} {
		var f map[string]any
		if err := json.Unmarshal(good, &f); err != nil {
			t.Fatal(err)
		}
		f[field] = value
		text, _ := json.Marshal(f)
		wrong = append(wrong, text)
	}
	for _, value := range wrong {
		b.Take([]byte(id(1)), value)
	}
	if holding, unreadable := b.Known(); holding != 0 || unreadable != len(wrong) {
		t.Errorf("%d hold, %d of %d are counted", holding, unreadable, len(wrong))
	}
}

// What came is there after a start without a line, for the time that is stated; a damaged file is no error; MaxFindings is the bound.
func TestFindingsAreKeptAndBounded(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	b := New(cfg)
	take(t, b, finding(1, 1, agents.ConfirmedFalse))
	if err := b.keep(); err != nil {
		t.Fatal(err)
	}
	if _, ok := New(cfg).Find(hash, ""); !ok {
		t.Error("gone after a start")
	}
	later := cfg
	later.Now = func() time.Time { return time.Now().Add(agents.FindingsKept + 48*time.Hour) }
	if _, ok := New(later).Find(hash, ""); ok {
		t.Error("known after its time")
	}
	if err := os.WriteFile(filepath.Join(cfg.Dir, fileName), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if holding, _ := New(cfg).Known(); holding != 0 {
		t.Errorf("%d of a damaged file", holding)
	}
	for n := range 2 * MaxFindings {
		f := finding(n, 1, agents.ReportedStolen)
		f.Hash = id(n)
		take(t, b, f)
	}
	if holding, _ := b.Known(); holding > MaxFindings+MaxFindings/4 || holding < MaxFindings {
		t.Errorf("%d are known", holding)
	}
}

// A list becomes findings that hold no number; a wrong line is named and nothing comes of the file; a later list takes back.
func TestListOfStolenDocuments(t *testing.T) {
	secret, err := identity.NewSecret("0123456789abcdef0123456789abcdef-test")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	const list = "document_number,document_type,document_country,day\n0801-1985-00123,,,3/5/2024\nE1234567,pasaporte,HN,\n"
	all, err := ReadList(strings.NewReader(list), secret, now, false)
	if err != nil || len(all) != 2 || all[0].Day != "2024-05-03" {
		t.Fatalf("%v %v", all, err)
	}
	want, err := secret.DocumentHash(identity.Document{Number: "0801198500123"})
	if err != nil || all[0].Hash != want {
		t.Errorf("%v, %v", all[0], err)
	}
	b := New(Config{Now: func() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }})
	take(t, b, all[0])
	if _, ok := b.Find(want, ""); !ok {
		t.Error("not known")
	}
	back, err := ReadList(strings.NewReader(list), secret, now.Add(time.Minute), true)
	if err != nil {
		t.Fatal(err)
	}
	take(t, b, back[0])
	if _, ok := b.Find(want, ""); ok {
		t.Error("known after it was taken back")
	}
	for text, says := range map[string]string{
		"": "line 1", "number\n1\n": "column 1", "document_type\ndni\n": "document_number", "document_number\n0801198500123\n123\n": "line 3", "document_number,day\n0801198500123,tomorrow\n": "line 2: day",
		"document_number,document_type\n0801198500123,card\n": "line 2: document_type", "document_number\nCOR1-000123-Z\n\"\n": "line",
	} {
		if all, err := ReadList(strings.NewReader(text), secret, now, false); err == nil || all != nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "0801198500123") {
			t.Errorf("%q: %v %v", text, all, err)
		}
	}
}
