package processor

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
)

// TestHeldFacts keeps facts and takes them out again.
func TestHeldFacts(t *testing.T) {
	if size := unsafe.Sizeof(held{}); size > 64 {
		t.Errorf("a fact takes %d bytes, at most 64 are wanted", size)
	}
	rapid.Check(t, func(t *rapid.T) {
		s, want := newFacts(), map[reconcile.ID]map[reconcile.ID]reconcile.Fact{}
		for range rapid.IntRange(1, 60).Draw(t, "facts") {
			person, f := reconcile.ID{byte(rapid.IntRange(0, 5).Draw(t, "person"))}, drawnFact(t)
			if h := s.find(s.first[person], f.RecordID); h == nil {
				s.add(person, s.first[person], &f)
			} else {
				s.replace(s.first[person], h, &f)
			}
			if want[person] == nil {
				want[person] = map[reconcile.ID]reconcile.Fact{}
			}
			want[person][f.RecordID] = f
		}
		for person, facts := range want {
			got := s.of(s.first[person], nil)
			if len(got) != len(facts) {
				t.Fatalf("%d facts of a person with %d", len(got), len(facts))
			}
			for _, f := range got {
				if f != facts[f.RecordID] {
					t.Fatalf("kept %+v\ntook %+v", facts[f.RecordID], f)
				}
			}
		}
	})
}

func drawnFact(t *rapid.T) reconcile.Fact {
	f := reconcile.Fact{
		RecordID: reconcile.ID{1: byte(rapid.IntRange(0, 9).Draw(t, "record"))}, Version: rapid.Uint64().Draw(t, "version"),
		Arrival: rapid.Int64Range(0, 1<<42).Draw(t, "arrival"), Event: rapid.Int64Range(0, 1<<42).Draw(t, "event"),
		Age: int16(rapid.IntRange(-1, codelists.MaxAge).Draw(t, "age")), Kind: reconcile.Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Void: rapid.Bool().Draw(t, "void"), Future: rapid.Bool().Draw(t, "future"),
	}
	for _, a := range dictionary.Of(f.Kind) {
		if a.Type == dictionary.Code && a.Coded < dictionary.FactCodes {
			l, _ := codelists.Get(a.List)
			f.Codes[a.Coded] = reconcile.Code(rapid.IntRange(0, l.Len()-1).Draw(t, a.Name))
		}
	}
	f.Returned = f.Kind == reconcile.Crossing && rapid.Bool().Draw(t, "returned")
	if f.Kind == reconcile.Registration {
		f.Reasons = rapid.Uint16().Draw(t, "reasons")
	}
	return f
}
