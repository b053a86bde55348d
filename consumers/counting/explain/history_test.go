package explain

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/dictionary"
)

// someCopies draws copies of a few facts of one person: revisions, contents and futures in any order.
func someCopies() *rapid.Generator[[]reconcile.Fact] {
	base := time.Date(2016, 6, 29, 12, 0, 0, 0, time.UTC).UnixMilli()
	return rapid.Custom(func(t *rapid.T) []reconcile.Fact {
		copies := make([]reconcile.Fact, rapid.IntRange(1, 14).Draw(t, "copies"))
		for i := range copies {
			// What a version says of a fact is a function of the version, as it is of the bytes it stands for.
			id, content := rapid.IntRange(0, 3).Draw(t, "record"), rapid.IntRange(0, 40).Draw(t, "content")
			future := rapid.IntRange(0, 5).Draw(t, "future") == 0
			f := reconcile.Fact{RecordID: ID{15: byte(id)}, Kind: reconcile.Kind(id%3 + 1), Age: int16(content%20) - 1, Future: future, Void: content%7 == 0,
				Version: reconcile.Version(uint32(content%3+1), uint64(content)<<25, future), Event: base + int64(content%11)*(12*time.Hour).Milliseconds()}
			f.Arrival = f.Event
			if f.Kind == reconcile.Crossing {
				f.Codes[dictionary.Direction], f.Codes[dictionary.BorderPoint] = reconcile.Code(content%3), reconcile.Code(content%4)
				f.Returned = f.Codes[dictionary.Direction] == 1
			} else {
				f.Codes[dictionary.Centre], f.Codes[dictionary.ExitPoint], f.Codes[dictionary.Sex] = reconcile.Code(content%4), reconcile.Code(content%5), reconcile.Code(content%3)
			}
			copies[i] = f
		}
		return copies
	})
}

// TestAHistoryEndsWithItsLargestVersions and every step of it leads from the returns and cells before to those after.
func TestAHistoryEndsWithItsLargestVersions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		copies := someCopies().Draw(t, "person")
		var h history
		largest := map[ID]reconcile.Fact{}
		shown := map[ID]reconcile.Return{}
		counted := map[string]Counts{}
		for i := range copies {
			f := &copies[i]
			if held, ok := largest[f.RecordID]; !ok || f.Version > held.Version {
				largest[f.RecordID] = *f
			}
			o := h.apply(f)
			for _, m := range o.moves(h.facts) {
				apply(t, shown, m)
			}
			for _, c := range cellsMoved(&o.before, &o.after) {
				count(counted, c, 1)
			}
			is := map[ID]reconcile.Return{}
			for _, r := range o.after.Returns {
				is[r.ID] = r
			}
			if !maps.Equal(shown, is) {
				t.Fatalf("after %d copies the moves lead to\n%+v\nthe facts to\n%+v", i+1, shown, is)
			}
		}
		var stored history // every revision that was accepted, in any order
		for _, f := range rapid.Permutation(copies).Draw(t, "rows") {
			stored.begin(&f)
		}
		if stored.settle(); !slices.Equal(stored.person.Returns, h.person.Returns) {
			t.Fatalf("as stored, the revisions come to\n%+v\nfollowed, to\n%+v", stored.person, h.person)
		}
		var merged history
		for i := range copies {
			merged.merge(&copies[i])
		}
		if merged.settle(); !slices.Equal(merged.person.Returns, h.person.Returns) {
			t.Fatalf("merged only, the copies come to\n%+v\nfollowed, to\n%+v", merged.person, h.person)
		}
		want := reconcile.Reconcile(slices.Collect(maps.Values(largest)))
		if !slices.Equal(want.Returns, h.person.Returns) || !slices.Equal(want.Helps, h.person.Helps) {
			t.Fatalf("the history ends with\n%+v\nits largest versions come to\n%+v", h.person, want)
		}
		for _, c := range cellsMoved(&reconcile.Person{}, &want) {
			count(counted, c, -1)
		}
		for cell, n := range counted {
			if n != (Counts{}) {
				t.Fatalf("cell %s is left with %+v", cell, n)
			}
		}
	})
}

// apply does to what is shown what a move says.
func apply(t *rapid.T, shown map[ID]reconcile.Return, m move) {
	if m.before != nil {
		if shown[m.before.ID] != *m.before {
			t.Fatalf("%s: the return before is %+v, and %+v was shown", m.effect, *m.before, shown[m.before.ID])
		}
		delete(shown, m.before.ID)
	}
	if m.after != nil {
		shown[m.after.ID] = *m.after
	}
	if (m.effect == Merged || m.effect == Split) != (m.other != ID{}) {
		t.Fatalf("%s with other return %s", m.effect, m.other)
	}
}

func count(cells map[string]Counts, c Cell, times int64) {
	key := c.Table + " " + codes(c.Codes)
	n := cells[key]
	n.Registered += times * c.By.Registered
	n.Checkpoint += times * c.By.Checkpoint
	n.Reconciled += times * c.By.Reconciled
	n.Helps += times * c.By.Helps
	n.Crossings += times * c.By.Crossings
	cells[key] = n
}
