package reconcile

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestTraceExplainsWhatReconcileDoes holds the explanation against the method: the same returns of the same facts, every
// attribute, every help, and each fact in one step.
func TestTraceExplainsWhatReconcileDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := someFacts().Draw(t, "person")
		before := slices.Clone(facts)
		traced := Trace(facts)
		if !slices.Equal(before, facts) {
			t.Fatal("the facts were moved")
		}
		p := Reconcile(facts)
		if len(traced.Steps) != len(facts) || len(traced.Returns) != len(p.Returns) {
			t.Fatalf("%d steps of %d facts, %d returns of %d", len(traced.Steps), len(facts), len(traced.Returns), len(p.Returns))
		}
		members := map[ID][]ID{}
		helps := map[ID]ID{}
		for i, s := range traced.Steps {
			if s.Fact != facts[i] { // Reconcile has sorted them
				t.Fatalf("step %d is of %+v, the method's order has %+v", i, s.Fact, facts[i])
			}
			switch s.Verdict {
			case Opens, Joins:
				members[s.Return] = append(members[s.Return], s.Fact.RecordID)
			case HelpOf, Unattached:
				helps[s.Fact.RecordID] = s.Return
			}
		}
		for i := range p.Returns {
			want, got := &p.Returns[i], traced.Returns[i]
			if got.ID != want.ID || !slices.Equal(members[want.ID], got.Facts) {
				t.Fatalf("return %d: %v of %v, want %v", i, got.ID, got.Facts, want.ID)
			}
			for j, a := range want.Attributes() {
				if r := got.Reasons[j]; r.Attribute != a {
					t.Fatalf("return %v: %s is %q by the rules, %q by the method: %+v", want.ID, a.Name, r.Value, a.Value, r)
				} else if r.Fact != (ID{}) && !slices.Contains(got.Facts, r.Fact) {
					t.Fatalf("%s comes from %v, which is none of the return's facts", a.Name, r.Fact)
				}
			}
		}
		if len(helps) != len(p.Helps) {
			t.Fatalf("%d helps, want %d", len(helps), len(p.Helps))
		}
		for _, h := range p.Helps {
			if helps[h.RecordID] != h.Return {
				t.Fatalf("help %v belongs to %v, want %v", h.RecordID, helps[h.RecordID], h.Return)
			}
		}
	})
}
