package torture

import (
	"maps"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/dissemination/release"
)

// TestTheWitnessNotices: the oracle of the vintages agrees with one that two publishers at once have made, and names each thing
// that is changed in it afterwards.
func TestTheWitnessNotices(t *testing.T) {
	a := newAlone(t)
	if err := a.send(t.Context(), 0, a.made.Counts().Events); err != nil {
		t.Fatal(err)
	}
	if err := a.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var err error
	if a.press, err = a.startPress(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer a.press.end()
	if err := a.press.finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.press.end()
	a.isTrue(t)
	s, err := a.machine.store()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, change := range []struct{ statement, noticed string }{
		{"ALTER TABLE retorno.released_files UPDATE body = concat(body, ' ') WHERE path = 'codes.csv'", "the files of vintage"},
		{"DELETE FROM retorno.published_counts WHERE sex = 'F'", "the counts of vintage"},
		{"ALTER TABLE retorno.publications UPDATE accepted = 'another reason' WHERE 1", "the row of vintage"},
		{"DELETE FROM retorno.publications WHERE 1", " is gone"},
	} {
		if err := s.Conn().Exec(t.Context(), change.statement+" SETTINGS mutations_sync = 2"); err != nil {
			t.Fatalf("%s: %v", change.statement, err)
		}
		o, err := a.askVintages(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(o.Faults, func(fault string) bool { return strings.Contains(fault, change.noticed) }) {
			t.Errorf("%s: %q is not among %q", change.statement, change.noticed, o.Faults)
		}
	}
	// Numbers that are not what its positions come to, and a row that says another sum than its counts and files.
	for _, v := range a.machine.witness.seen {
		var o Oracle
		wrong := maps.Clone(v.counts)
		for c := range wrong {
			delete(wrong, c)
			break
		}
		if v.askCounts(v.counts, "", &o); len(o.Faults) > 0 {
			t.Error(o.Faults)
		}
		if v.askCounts(wrong, "", &o); len(o.Faults) != 1 {
			t.Errorf("a cell too many: %q", o.Faults)
		}
		v.sums.reconciled++
		if faults := v.incomplete(t.Context(), a.machine.witness.key); len(faults) < 2 {
			t.Errorf("a row that says one return too many: %q", faults)
		}
	}
}

// TestAttemptsAreDrawn: a seed repeats its attempts; publishers are killed and stopped between all statements, but never with the
// number of the period that ends the run.
func TestAttemptsAreDrawn(t *testing.T) {
	periods := []string{"2016-S1", "2015-S2", "2016-S2", "2016-Q1", "2016-01"}
	draw := func() (all []attempt) {
		rnd := rand.New(rand.NewPCG(7, 7))
		for range 2000 {
			all = append(all, drawAttempt(periods, rnd))
		}
		return all
	}
	all := draw()
	if !reflect.DeepEqual(all, draw()) {
		t.Error("a seed does not repeat its attempts")
	}
	drawn := map[string]int{}
	for _, a := range all {
		drawn[a.period]++
		drawn[strings.Repeat("one of ", len(a.fates))]++
		for _, f := range a.fates {
			drawn[f.action+"@"+f.table]++
			if a.period == periods[0] && (f.table == "retorno.vintages" || f.table == "retorno.released_files" || f.action == "" && f.after > 0) {
				t.Fatalf("%+v", a)
			}
		}
	}
	want := append(slices.Clone(periods), "one of ", "one of one of ", "@")
	for _, table := range publishTables {
		want = append(want, "kill@"+table, "stop@"+table)
	}
	for _, what := range want {
		if drawn[what] < 50 {
			t.Errorf("%s was drawn %d times", what, drawn[what])
		}
	}
}

// TestOutcomesAreNamed: what came of a publisher is named by what it wrote and how it ended.
func TestOutcomesAreNamed(t *testing.T) {
	ended := func(script string) error { return exec.CommandContext(t.Context(), "sh", "-c", script).Run() }
	for want, x := range map[string]struct {
		refused []release.Reason
		said    string
		err     error
	}{
		"published":             {},
		"killed after vintages": {err: ended("kill -KILL $$")},
		"behind,differs":        {refused: []release.Reason{{Code: "behind"}, {Code: "differs"}, {Code: "differs"}}, err: ended("exit 1")},
		"moving":                {said: "retorno publish: " + release.ErrMoving.Error(), err: ended("exit 1")},
		"concurrent":            {said: release.ErrConcurrent.Error(), err: ended("exit 1")},
		"not reached":           {said: "connection refused", err: ended("exit 3")},
		"failed":                {said: "code: 242", err: ended("exit 1")},
	} {
		if got := strings.Join(outcomesOf(x.refused, x.said, fate{action: "kill", table: "retorno.vintages"}.killed(), x.err), ","); got != want {
			t.Errorf("%s, wanted %s", got, want)
		}
	}
}
