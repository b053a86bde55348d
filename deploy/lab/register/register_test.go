package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retorno/schemas/events"
	"retorno/schemas/tables"
)

func devTable(t testing.TB, id string) *tables.Table {
	t.Helper()
	table, err := tables.Read(bytes.NewReader(tables.Dev()), id)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func tableOf(t testing.TB, id string, rows ...string) *tables.Table {
	t.Helper()
	csv := "table_id,system,period_start,period_end,as_of,block,category,value,status,source\n"
	for _, r := range rows {
		csv += id + ",made,2014-01-01,2021-12-31,2022," + r + ",published,\n"
	}
	table, err := tables.Read(strings.NewReader(csv), id)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func makeAll(t testing.TB, table *tables.Table, settings Settings) (*Register, []events.Message) {
	t.Helper()
	r, err := Make(context.Background(), table, settings)
	if err != nil {
		t.Fatal(err)
	}
	messages := make([]events.Message, 0, r.Counts().Events)
	last := int64(0)
	err = r.Events(func(e Event) error {
		if e.SentAtMs < last {
			t.Fatalf("an event is sent at %d, after one of %d", e.SentAtMs, last)
		}
		last = e.SentAtMs
		messages = append(messages, e.Message)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, messages
}

// TestEveryTableComesOut makes registers of the published tables, reads their events as a consumer would, and compares
// with the table and with the truth.
func TestEveryTableComesOut(t *testing.T) {
	for _, id := range []string{"A02", "A04", "A14", "S01"} {
		for _, mess := range []Level{None, Everyday, Hard} {
			for _, seed := range []uint64{1, 0xfedcba9876543210} {
				t.Run(fmt.Sprintf("%s/%s/%d", id, mess, seed), func(t *testing.T) {
					t.Parallel()
					table := devTable(t, id)
					r, messages := makeAll(t, table, Settings{Seed: seed, Mess: mess})
					compare(t, table, r.Truth(), messages)
				})
			}
		}
	}
}

// compare reads the messages and reports every difference from the table and from the truth.
func compare(t *testing.T, table *tables.Table, truth *Truth, messages []events.Message) {
	t.Helper()
	c := read(t, messages)
	c.reckon(table.First, table.Last)
	for _, d := range c.printed(table) {
		t.Errorf("%s %s is printed %s and counted %s", d.Cell.Block, d.Cell.Category, d.Cell.Printed, d.Counted)
	}
	for _, n := range []struct {
		what      string
		got, want int
	}{{"messages", c.messages, truth.Events}, {"records", len(c.records), truth.Records}, {"held", c.held, truth.Held},
		{"helped people", c.helped, truth.AssistedInPeriod}} {
		if n.got != n.want {
			t.Errorf("%s: %d come out, %d are meant", n.what, n.got, n.want)
		}
	}
	if !maps.Equal(c.rejected, truth.Rejected) {
		t.Errorf("rejected: %v come out, %v are meant", c.rejected, truth.Rejected)
	}
	meant := map[string]Return{}
	for r := range truth.Returns() {
		meant[r.ReturnID.String()] = r
	}
	got := map[string]Return{}
	for id, r := range c.returns {
		got[id.String()] = r
	}
	differ(t, "returns", got, meant)
	differ(t, "cells of returns", c.cells(), truth.ReturnCells())
	differ(t, "cells of help", c.helps, truth.HelpCells())
	differ(t, "cells of crossings", c.crossings, truth.CrossingCells())
	sequences(t, c, truth)
}

// differ reports the first few keys whose values are not the same.
func differ[K comparable, V any](t *testing.T, what string, got, want map[K]V) {
	t.Helper()
	wrong := 0
	for k, w := range want {
		if g, ok := got[k]; !ok || !reflect.DeepEqual(g, w) {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %v\ncomes out as %+v\nis meant as  %+v", what, k, g, w)
			}
		}
	}
	for k, g := range got {
		if _, ok := want[k]; !ok {
			if wrong++; wrong <= 3 {
				t.Errorf("%s: %v comes out as %+v and is not meant", what, k, g)
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%s: %d differences in all", what, wrong)
	}
}

// sequences checks that each computer's numbers have no gap but those that the truth knows.
func sequences(t *testing.T, c *counted, truth *Truth) {
	t.Helper()
	for _, s := range truth.Sources {
		var highest, contiguous uint64
		for seq := range c.seqs[s.ID] {
			highest = max(highest, seq)
		}
		for c.seqs[s.ID][contiguous+1] {
			contiguous++
		}
		got := Source{ID: s.ID, HighestContiguousSeq: contiguous, HighestSeq: highest, Missing: highest - uint64(len(c.seqs[s.ID]))}
		if got != s {
			t.Errorf("source: %+v comes out, %+v is meant", got, s)
		}
		if truth.Mess != Hard && s.Missing != 0 {
			t.Errorf("source %s has sent up to %d with %d missing; everyday mess loses nothing", s.ID, s.HighestSeq, s.Missing)
		}
		if border := s.ID[1] == '-'; border && s.HighestSeq == 0 && truth.RegisteredInPeriod > 2000 {
			t.Errorf("source %s is silent", s.ID)
		}
	}
	border := slices.DeleteFunc(slices.Clone(truth.Sources), func(s Source) bool { return s.ID[1] != '-' })
	if len(border) != 19 {
		t.Errorf("%d border computers; there are 19", len(border))
	}
	for id := range c.seqs {
		if !slices.ContainsFunc(truth.Sources, func(s Source) bool { return s.ID == id }) {
			t.Errorf("source %s sends and is not in the truth", id)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	digest := func(seed uint64, mess Level) [32]byte {
		r, messages := makeAll(t, devTable(t, "A04"), Settings{Seed: seed, Mess: mess})
		h := sha256.New()
		for _, m := range messages {
			fmt.Fprintf(h, "%s %q %q\n", m.Topic, m.Key, m.Value)
		}
		if err := r.Truth().WriteJSON(h); err != nil {
			t.Fatal(err)
		}
		return [32]byte(h.Sum(nil))
	}
	for _, mess := range []Level{None, Everyday, Hard} {
		if digest(7, mess) != digest(7, mess) {
			t.Errorf("mess %s: the same seed gives other bytes", mess)
		}
		if digest(7, mess) == digest(8, mess) {
			t.Errorf("mess %s: another seed gives the same bytes", mess)
		}
	}
}

// TestUnknownStaysUnknown makes a register of a table that leaves much unsaid: what its blocks do not reach must not be
// stated by anything, so that no post may have seen those whose post of entry is unknown.
func TestUnknownStaysUnknown(t *testing.T) {
	table := tableOf(t, "PARTS", "total,TOTAL,2500", "entry_point,L-COR,900", "entry_point,A-XPL,120", "entry_point,S-OMO,15", "entry_point,L-TRO,9",
		"centre,CAMR-SPS,800", "centre,CANFM-BEL,200", "department,HN-CR,400", "department,HN-GD,2", "country,US,1000", "country,GT,40",
		"mode,air,1100", "sex,F,300", "return_type,deported,2000", "age,0-17,250", "exit_point,X-BLD,100", "minors_accompaniment,accompanied,100",
		"month,2014-02,10", "month,2021-12,700", "assisted_people,TOTAL,700", "US_assisted_people,TOTAL,300", "reason_pct_multi,economic,91.5")
	for seed := range uint64(3) {
		for _, mess := range []Level{None, Hard} {
			r, messages := makeAll(t, table, Settings{Seed: seed, Mess: mess})
			compare(t, table, r.Truth(), messages)
			for _, post := range []string{"A-XPL-1", "S-OMO-1", "L-TRO-1"} {
				if !slices.Contains(r.Sources(), post) {
					t.Errorf("a post that the table names has no computer %s", post)
				}
			}
		}
	}
}

func TestSmallTables(t *testing.T) {
	for _, rows := range [][]string{{"total,TOTAL,1"}, {"total,TOTAL,0"}, {"total,TOTAL,2", "assisted_people,TOTAL,2"}, {"assisted_people,TOTAL,3"}} {
		table := tableOf(t, "SMALL", rows...)
		for seed := range uint64(20) {
			for _, mess := range []Level{None, Everyday, Hard} {
				r, messages := makeAll(t, table, Settings{Seed: seed, Mess: mess})
				compare(t, table, r.Truth(), messages)
			}
		}
	}
}

// TestOrderDoesNotMatter shuffles the messages: what comes out is a function of the set.
func TestOrderDoesNotMatter(t *testing.T) {
	table := devTable(t, "A04")
	r, messages := makeAll(t, table, Settings{Seed: 3, Mess: Hard})
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		compare(t, table, r.Truth(), messages)
	}
}

// TestEventsAsLines writes a hard register as JSON Lines and reads it back: the same messages, byte for byte.
func TestEventsAsLines(t *testing.T) {
	_, messages := makeAll(t, devTable(t, "A04"), Settings{Seed: 9, Mess: Hard})
	raw := 0
	for _, m := range messages {
		line, err := events.AppendLine(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := events.ParseLine(line)
		if err != nil {
			t.Fatalf("%v\n%.300s", err, line)
		}
		if parsed.Envelope == nil {
			raw++
		}
		again, err := parsed.Message(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if again.Topic != m.Topic || !bytes.Equal(again.Key, m.Key) || !bytes.Equal(again.Value, m.Value) || (again.Value == nil) != (m.Value == nil) {
			t.Fatalf("comes back as another message: %.300s", line)
		}
	}
	if raw == 0 || raw > len(messages)/20 {
		t.Errorf("%d of %d messages are raw", raw, len(messages))
	}
}
