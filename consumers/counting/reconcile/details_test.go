package reconcile

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"retorno/schemas/codelists"
	"retorno/schemas/dictionary"
	"retorno/schemas/events"
)

func TestNationalsAreHonduransAndThoseNotStated(t *testing.T) {
	other := lists[dictionary.Country].code("GT")
	for nationality, want := range map[Code]bool{0: true, honduras: true, other: false} {
		if got := (&Return{Codes: ReturnCodes{dictionary.Nationality: nationality}}).National(); got != want {
			t.Errorf("nationality %q: national %v, want %v", lists[dictionary.Country].At(nationality), got, want)
		}
	}
}

// The index of an age's group is the list's for each age that can be stated, the first and the last included.
func TestEachAgeHasTheGroupOfTheList(t *testing.T) {
	for age := -2; age <= codelists.MaxAge+2; age++ {
		stated := age
		if age < 0 || age > codelists.MaxAge {
			stated = codelists.MaxAge + 1
		}
		if got, want := ageGroupList.At((&Return{Age: int16(age)}).AgeGroup()), codelists.AgeGroupOf(stated); got != want {
			t.Errorf("age %d is in group %q, want %q", age, got, want)
		}
	}
}

// Each reason of a record is a bit of its fact, at the reason's index; unknown, the index 0, is none.
func TestReasonsBecomeBits(t *testing.T) {
	f := events.Fields{ReasonCount: 3}
	for i, index := range []events.Stated{3, 0, 1} {
		f.Reasons[i] = index + 1
	}
	f.Reasons[3] = 6 + 1 // beyond those that were given
	if got, want := FactFrom(&f).Reasons, uint16(1<<3|1<<1); got != want {
		t.Errorf("got %b, want %b", got, want)
	}
}

// A fact arrives when its record says the person arrived, else when what it tells of happened.
func TestArrivalIsTheRecordsOrTheEvents(t *testing.T) {
	for arrival, want := range map[int64]int64{0: 2_000, 1_000: 1_000} {
		if got := FactFrom(&events.Fields{EventMs: 2_000, ArrivalMs: arrival}).Arrival; got != want {
			t.Errorf("arrival %d of a record of 2000: %d, want %d", arrival, got, want)
		}
	}
}

func TestWhatValidateRefusesIsNoFact(t *testing.T) {
	if f, err := FactOf(&events.Opened{Record: &events.Record{}}); err == nil || f != (Fact{}) {
		t.Errorf("an empty record is the fact %+v, %v", f, err)
	}
}

// Nothing of the person before is left in the space that is used again.
func TestASpaceUsedAgainHoldsTheNewPersonAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Person
		p.Reconcile(someFacts().Draw(t, "before"))
		facts := someFacts().Draw(t, "person")
		want := Reconcile(slices.Clone(facts))
		p.Reconcile(facts)
		if !slices.Equal(p.Returns, want.Returns) || !slices.Equal(p.Helps, want.Helps) || !slices.Equal(p.Crossings, want.Crossings) {
			t.Fatalf("got %+v, want %+v", p, want)
		}
	})
}

// An exit names the return that it closes: the last one that was opened.
func TestAnExitNamesTheReturnItCloses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var open ID
		for i, s := range Trace(someFacts().Draw(t, "person")).Steps {
			switch s.Verdict {
			case Opens:
				open = s.Return
			case Closes:
				if s.Return != open {
					t.Fatalf("step %d closes %v, open is %v", i, s.Return, open)
				}
			}
		}
	})
}
