package reconcile

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"retorno/schemas/dictionary"
)

// someFacts draws the facts of one person: few places and hours, so that neighbours, ties and gaps of exactly 48
// hours happen all the time.
func someFacts() *rapid.Generator[[]Fact] {
	base := time.Date(2016, 6, 29, 12, 0, 0, 0, time.UTC).UnixMilli()
	step := (6 * time.Hour).Milliseconds()
	return rapid.Custom(func(t *rapid.T) []Fact {
		n := rapid.IntRange(0, 12).Draw(t, "facts")
		facts := make([]Fact, n)
		for i := range facts {
			code := func(name string, most int) Code { return Code(rapid.IntRange(0, most).Draw(t, name)) }
			event := base + step*int64(rapid.IntRange(0, 40).Draw(t, "hour")) + int64(rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(t, "ms"))
			f := Fact{Event: event, Arrival: event, Kind: Kind(rapid.IntRange(1, 3).Draw(t, "kind")), Age: int16(rapid.IntRange(-1, 90).Draw(t, "age")),
				Void: rapid.IntRange(0, 9).Draw(t, "void") == 0, Future: rapid.IntRange(0, 9).Draw(t, "future") == 0,
				Codes: FactCodes{dictionary.Country: code("country", 3), dictionary.Mode: code("mode", 3), dictionary.ReturnType: code("type", 3),
					dictionary.Sex: code("sex", 2), dictionary.Nationality: code("nationality", 40)}}
			f.RecordID = ID{15: byte(i), 0: byte(rapid.IntRange(0, 3).Draw(t, "id"))}
			f.Version = uint64(rapid.IntRange(1, 3).Draw(t, "version"))
			switch f.Kind {
			case Crossing:
				f.Codes[dictionary.Direction] = code("direction", 2)
				f.Returned = lists[dictionary.Direction].At(f.Codes[dictionary.Direction]) == "entry" && rapid.Bool().Draw(t, "returned")
				f.Codes[dictionary.BorderPoint], f.Codes[dictionary.DocumentCheck] = code("point", 4), code("check", 4)
			case Registration:
				f.Codes[dictionary.Centre], f.Codes[dictionary.EntryPoint], f.Codes[dictionary.ExitPoint] = code("centre", 4), code("entry", 4), code("exit", 4)
				f.Codes[dictionary.Department], f.Codes[dictionary.Municipality], f.Codes[dictionary.Accompanied] = code("department", 3), code("municipality", 3), code("accompanied", 2)
				f.Reasons = uint16(rapid.IntRange(0, 7).Draw(t, "reasons")) << 1
				if rapid.Bool().Draw(t, "stated arrival") {
					f.Arrival -= step * int64(rapid.IntRange(0, 4).Draw(t, "earlier"))
				}
			case Assistance:
				f.Codes[dictionary.Centre], f.Codes[dictionary.AssistanceKind] = code("centre", 4), code("help", 4)
			}
			facts[i] = f
		}
		return facts
	})
}

func TestAgreesWithTheMethodsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts().Draw(t, "person")
		want := slow(facts)
		got := Reconcile(slices.Clone(facts))
		if !slices.Equal(got.Returns, want) {
			t.Fatalf("returns:\n%+v\nthe text says:\n%+v\nof %+v", got.Returns, want, facts)
		}
		if helps := slowHelps(facts, want); !slices.Equal(got.Helps, helps) {
			t.Fatalf("helps:\n%+v\nthe text says:\n%+v\nof %+v", got.Helps, helps, facts)
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts().Draw(t, "person")
		want := Reconcile(slices.Clone(facts))
		got := Reconcile(rapid.Permutation(facts).Draw(t, "order"))
		slices.SortFunc(want.Crossings, compareCrossings)
		slices.SortFunc(got.Crossings, compareCrossings)
		if !slices.Equal(got.Returns, want.Returns) || !slices.Equal(got.Helps, want.Helps) || !slices.Equal(got.Crossings, want.Crossings) {
			t.Fatalf("another order gives another answer:\n%+v\n%+v", got, want)
		}
	})
}

// TestStretchesJoin divides a person's facts anywhere: the stretches joined come to what all facts come to.
func TestStretchesJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts().Draw(t, "person")
		want := Reconcile(facts)
		var stretches []*Stretch
		for rest := facts; len(rest) > 0; {
			n := rapid.IntRange(0, len(rest)).Draw(t, "stretch")
			s := &Stretch{}
			s.Of(rest[:n])
			stretches, rest = append(stretches, s), rest[n:]
		}
		got := Join(nil, slices.Values(stretches))
		if !slices.Equal(got, want.Returns) {
			t.Fatalf("%d stretches join to\n%+v\nall facts come to\n%+v", len(stretches), got, want.Returns)
		}
	})
}

func compareCrossings(a, b CrossingCell) int {
	for _, d := range []int{int(a.Day) - int(b.Day), int(a.BorderPoint) - int(b.BorderPoint), int(a.Direction) - int(b.Direction), int(a.DocumentCheck) - int(b.DocumentCheck)} {
		if d != 0 {
			return d
		}
	}
	return 0
}

// TestPartsSumToTotals holds for every breakdown, because each return of a national is in exactly one cell.
func TestPartsSumToTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := NewCells()
		var nationals, registered, checkpoint, helps, crossings int64
		for range rapid.IntRange(1, 5).Draw(t, "persons") {
			p := Reconcile(someFacts().Draw(t, "person"))
			cells.Add(&p, 1)
			for i := range p.Returns {
				if p.Returns[i].National() {
					nationals++
					registered += one(p.Returns[i].Registered)
					checkpoint += one(p.Returns[i].Checkpoint)
				}
			}
			helps += int64(len(p.Helps))
			crossings += int64(len(p.Crossings))
		}
		var sum ReturnCount
		for _, n := range cells.Returns {
			sum.Registered += n.Registered
			sum.Checkpoint += n.Checkpoint
			sum.Reconciled += n.Reconciled
			if n.Registered > n.Reconciled || n.Checkpoint > n.Reconciled || n.Registered+n.Checkpoint < n.Reconciled {
				t.Fatalf("a cell of %+v: every return is registered or seen at a checkpoint", n)
			}
		}
		if want := (ReturnCount{Registered: registered, Checkpoint: checkpoint, Reconciled: nationals}); sum != want {
			t.Fatalf("cells sum to %+v, returns to %+v", sum, want)
		}
		if total(cells.Helps) != helps || total(cells.Crossings) != crossings {
			t.Fatalf("helps %d of %d, crossings %d of %d", total(cells.Helps), helps, total(cells.Crossings), crossings)
		}
	})
}

// TestTakingAwayUndoesAdding is what lets a cell be kept by differences and still be absolute.
func TestTakingAwayUndoesAdding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := Reconcile(someFacts().Draw(t, "a")), Reconcile(someFacts().Draw(t, "b"))
		cells := NewCells()
		cells.Add(&a, 1)
		cells.Add(&b, 1)
		cells.Add(&a, -1)
		cells.Add(&b, -1)
		for cell, n := range cells.Returns {
			if n != (ReturnCount{}) {
				t.Fatalf("%+v keeps %+v", cell, n)
			}
		}
		if total(cells.Helps) != 0 || total(cells.Crossings) != 0 {
			t.Fatal("helps or crossings are left")
		}
	})
}

func total[C comparable](cells map[C]int64) int64 {
	var n int64
	for _, v := range cells {
		n += v
	}
	return n
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// TestHelpsBelongToTheLatestReturnBefore says it for one person: two returns, help before, between and after them.
func TestHelpsBelongToTheLatestReturnBefore(t *testing.T) {
	hour := time.Hour.Milliseconds()
	sex := lists[dictionary.Sex].code("F")
	registered := func(id byte, at int64) Fact {
		return Fact{RecordID: ID{id}, Kind: Registration, Arrival: at, Event: at, Age: 30,
			Codes: FactCodes{dictionary.Sex: sex, dictionary.Centre: 2}}
	}
	help := func(id byte, at int64) Fact {
		return Fact{RecordID: ID{id}, Kind: Assistance, Arrival: at, Event: at, Age: -1, Codes: FactCodes{dictionary.Centre: 2, dictionary.AssistanceKind: 1}}
	}
	p := Reconcile([]Fact{help(1, 99*hour), registered(2, 100*hour), help(3, 100*hour), help(4, 150*hour), registered(5, 200*hour), help(6, 201*hour)})
	if len(p.Returns) != 2 || len(p.Helps) != 4 {
		t.Fatalf("%d returns, %d helps", len(p.Returns), len(p.Helps))
	}
	for i, want := range []ID{{}, {2}, {2}, {5}} {
		if p.Helps[i].Return != want {
			t.Errorf("help %d belongs to %v, want %v", i, p.Helps[i].Return, want)
		}
	}
	if p.Helps[0].Sex != 0 || p.Helps[1].Sex != sex {
		t.Error("a help has the sex of the return that it belongs to, and none without")
	}
}

// TestVersionOrdersRevisionsThenContentThenSettled holds for every pair of copies.
func TestVersionOrdersRevisionsThenContentThenSettled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		revision := rapid.Uint32Range(1, 1<<24-1)
		r1, r2 := revision.Draw(t, "r1"), revision.Draw(t, "r2")
		h1, h2 := rapid.Uint64().Draw(t, "h1"), rapid.Uint64().Draw(t, "h2")
		f1, f2 := rapid.Bool().Draw(t, "f1"), rapid.Bool().Draw(t, "f2")
		a, b := Version(r1, h1, f1), Version(r2, h2, f2)
		switch {
		case r1 != r2:
			if (a < b) != (r1 < r2) || SameRevision(a, b) {
				t.Fatal("the revision decides first")
			}
		case h1>>25 != h2>>25:
			if (a < b) != (h1 < h2) || !SameRevision(a, b) || SameContent(a, b) {
				t.Fatal("then the content")
			}
		case f1 != f2:
			if (a < b) != f1 || !SameContent(a, b) {
				t.Fatal("then whether it is settled")
			}
		default:
			if a != b {
				t.Fatal("copies have one version")
			}
		}
	})
}

func BenchmarkReconcile(b *testing.B) {
	base := time.Date(2016, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()
	facts := []Fact{
		{RecordID: ID{1}, Kind: Crossing, Returned: true, Arrival: base, Event: base, Age: 20,
			Codes: FactCodes{dictionary.Direction: 1, dictionary.BorderPoint: 1}},
		{RecordID: ID{2}, Kind: Registration, Arrival: base + 3600_000, Event: base + 3600_000, Age: 20, Codes: FactCodes{dictionary.Centre: 3}},
		{RecordID: ID{3}, Kind: Assistance, Arrival: base + 7200_000, Event: base + 7200_000, Age: -1, Codes: FactCodes{dictionary.Centre: 3, dictionary.AssistanceKind: 1}},
	}
	var p Person
	b.ReportAllocs()
	for b.Loop() {
		p.Reconcile(facts)
	}
}
