package offices

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"retorno/deploy/lab/register"
	"retorno/producers/spool"
	"retorno/schemas/events"
	"retorno/schemas/tables"
)

// made is a register of the half-year of the demo, or of a table of so many events.
func made(t *testing.T, events int, seed uint64, mess register.Level) *register.Register {
	t.Helper()
	table, err := register.LoadTable(events)
	if err == nil && events == 0 {
		table, err = tables.Read(bytes.NewReader(tables.Dev()), "A14")
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Make(t.Context(), table, register.Settings{Seed: seed, Mess: mess})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// formsOf are the forms of each computer.
func formsOf(t *testing.T, r *register.Register) map[string][]register.Form {
	t.Helper()
	all := map[string][]register.Form{}
	if err := r.Forms(func(f register.Form) error {
		all[f.Source] = append(all[f.Source], f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// said tells a revision by everything that the issue of it states: source, number, record, revision and content.
func said(o events.Opened) string {
	return fmt.Sprintf("%s %d %s/%d %x %s", o.Record.GetSourceId(), o.Record.GetSourceSeq(), o.Record.GetRecordId(), o.Record.GetRevision(), o.ContentHash, o.Record)
}

// Agents that have typed the forms of a register have, record for record, what the register sends: source, number, revision, content.
func TestAgentsSendWhatTheRegisterPrints(t *testing.T) {
	for _, mess := range []register.Level{register.None, register.Hard} {
		t.Run(string(mess), func(t *testing.T) {
			r := made(t, 6000, 11, mess)
			want := map[string]bool{}
			beside := 0
			if err := r.Events(func(e register.Event) error {
				if e.Beside {
					beside++
					return nil
				}
				o, err := events.Open(e.Value)
				want[said(o)] = true
				return err
			}); err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			dir := t.TempDir()
			typeAll(t, dir, r, func(c spool.Copy) error {
				o, err := events.Open(events.SealBytes(c.Record, c.At.UnixMilli(), 0))
				got[said(o)] = true
				return err
			})
			differ(t, got, want)
			t.Logf("%d records of %d computers; %d messages beside them", len(got), len(r.Computers()), beside)
			if (beside > 0) != (mess == register.Hard) {
				t.Errorf("%d messages that no agent sends", beside)
			}
		})
	}
}

// typeAll types the forms of a register at each of its computers, and gives what they then hold to each.
func typeAll(t *testing.T, dir string, r *register.Register, each func(spool.Copy) error) {
	t.Helper()
	keys, err := Keys()
	if err != nil {
		t.Fatal(err)
	}
	forms := formsOf(t, r)
	for _, c := range r.Computers() {
		o, err := Open(Config{Computer: c, Dir: dir, Keys: keys, Disk: &Disk{Unsynced: true}})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Type(context.Background(), forms[c.Source]); err != nil {
			t.Fatal(err)
		}
		copies, err := o.Unsent()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range copies {
			if err := each(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// differ reports the first few that only one of them has.
func differ(t *testing.T, got, want map[string]bool) {
	t.Helper()
	wrong := 0
	for _, s := range slices.Sorted(maps.Keys(want)) {
		if !got[s] {
			if wrong++; wrong <= 5 {
				t.Errorf("missing: %s", s)
			}
		}
	}
	extra := 0
	for _, s := range slices.Sorted(maps.Keys(got)) {
		if !want[s] {
			if extra++; extra <= 5 {
				t.Errorf("not printed: %s", s)
			}
		}
	}
	if wrong+extra > 0 || len(want) == 0 {
		t.Errorf("of %d records %d are missing, %d are too many", len(want), wrong, extra)
	}
}
