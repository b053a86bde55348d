package importer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"retorno/schemas/events"
)

// Exports of the kinds that offices have sent, each with what is right of it in testdata/exports/README.md. The golden file beside it
// says what becomes of it: refused by which code, or the account, the warnings, the rejected rows, and each record.
func TestExportsOfManyPrograms(t *testing.T) {
	files, err := filepath.Glob("testdata/exports/*.csv")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d exports in testdata/exports (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".csv"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg := Config{Kind: KindCentre, Secret: testSecret(t)}
			if strings.HasPrefix(filepath.Base(file), "checkpoint-") {
				cfg.Kind = KindCheckpoint
			}
			got := outcome(t, cfg, string(b))
			golden := file + ".golden"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the outcome changed (UPDATE_GOLDEN=1 rewrites the golden file):\n%s\nbefore:\n%s", got, want)
			}
		})
	}
}

// outcome says in lines what becomes of an export. A person is a letter, in the order of the rows.
func outcome(t *testing.T, cfg Config, text string) string {
	var b strings.Builder
	got, err := importText(t, cfg, text)
	if refused := (*FileError)(nil); errors.As(err, &refused) {
		return fmt.Sprintf("refused %s: %s\n", refused.Code, refused.EN)
	} else if err != nil {
		t.Fatal(err)
	}
	s := got.sum
	fmt.Fprintf(&b, "read %d: accepted %d, rejected %d, blank %d, headers %d, notes %d\n", s.Read, s.Accepted, s.Rejected, s.Blank, s.Headers, s.Notes)
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "warning %s %q %q, line %d, %d rows\n", w.Code, w.Column, w.Found, w.Line, w.Count)
	}
	for _, row := range got.rejected {
		fmt.Fprintf(&b, "rejected %s\n", strings.Join(row[:5], " | "))
	}
	persons, last := map[string]string{"": "-"}, ""
	for _, r := range got.records {
		if persons[r.GetPersonKey()] == "" {
			persons[r.GetPersonKey()] = string(rune('A' + len(persons) - 1))
		}
		says := said(t, r)
		if says == last {
			says = "the same"
		} else {
			last = says
		}
		fmt.Fprintf(&b, "%s %s %s\n", local(t, r.GetEventTimeMs()), persons[r.GetPersonKey()], says)
	}
	return b.String()
}

// said is what a record says of its person, without its ids, its person and its time.
func said(t *testing.T, r *events.Record) string {
	bare := proto.CloneOf(r)
	bare.RecordId, bare.SourceId, bare.PersonKey, bare.SourceSeq, bare.SchemaVersion, bare.Revision = "", "", "", 0, 0, 0
	bare.EventTimeMs, bare.RecordedTimeMs = 0, 0
	j, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("\": ", "\":", ", \"", ",\"").Replace(string(j))
}
