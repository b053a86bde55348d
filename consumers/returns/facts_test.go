package returns

import (
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"retorno/consumers/reconcile"
	"retorno/schemas/codelists"
)

// TestHeldFacts keeps facts and takes them out again.
func TestHeldFacts(t *testing.T) {
	if size := unsafe.Sizeof(held{}); size != 64 {
		t.Errorf("a fact takes %d bytes", size)
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
	code := func(list string) reconcile.Code {
		l, _ := codelists.Get(list)
		return reconcile.Code(rapid.IntRange(0, l.Len()-1).Draw(t, list))
	}
	f := reconcile.Fact{
		RecordID: reconcile.ID{1: byte(rapid.IntRange(0, 9).Draw(t, "record"))}, Version: rapid.Uint64().Draw(t, "version"),
		Arrival: rapid.Int64Range(0, 1<<42).Draw(t, "arrival"), Event: rapid.Int64Range(0, 1<<42).Draw(t, "event"),
		Age: int16(rapid.IntRange(-1, codelists.MaxAge).Draw(t, "age")), Kind: reconcile.Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Void: rapid.Bool().Draw(t, "void"), Future: rapid.Bool().Draw(t, "future"),
	}
	if f.Kind == reconcile.Assistance {
		f.Centre, f.HelpKind = code(codelists.Centre), code(codelists.AssistanceKind)
		return f
	}
	f.Country, f.Mode, f.ReturnType = code(codelists.Country), code(codelists.Mode), code(codelists.ReturnType)
	f.Sex, f.Nationality = code(codelists.Sex), code(codelists.Country)
	if f.Kind == reconcile.Crossing {
		f.Returned = rapid.Bool().Draw(t, "returned")
		f.Direction, f.BorderPoint, f.DocumentCheck = code(codelists.Direction), code(codelists.BorderPoint), code(codelists.DocumentCheck)
		return f
	}
	f.Reasons = rapid.Uint16().Draw(t, "reasons")
	f.Centre, f.EntryPoint, f.ExitPoint = code(codelists.Centre), code(codelists.BorderPoint), code(codelists.BorderPoint)
	f.Department, f.Municipality, f.Accompanied = code(codelists.Department), code(codelists.Municipality), code(codelists.Accompaniment)
	return f
}
