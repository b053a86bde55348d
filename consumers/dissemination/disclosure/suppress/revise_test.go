package suppress_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/published"
	. "retorno/consumers/dissemination/disclosure/suppress"
)

// one is a table of the places a to e and their total.
func one(counts map[string]int64) *Input {
	t := Table{ID: "places", Measure: "returns", Columns: []string{"place"}}
	total := Count{Codes: []string{"_T"}, State: Forced, Threshold: 5}
	h := published.Hierarchy{}
	for _, code := range []string{"a", "b", "c", "d", "e"} {
		n := counts[code]
		t.Counts = append(t.Counts, Count{Codes: []string{code}, Value: n, Persons: n, Threshold: 5})
		total.Value, total.Persons = total.Value+n, total.Persons+n
		h[code] = published.Total
	}
	t.Counts = append(t.Counts, total)
	return &Input{Tables: []Table{t}, Hierarchies: map[string]published.Hierarchy{"place": h}}
}

func all(string, []string, []string) bool { return true }

// of notes which vintage counts are of that stand for the first time.
func of(tables []published.Table, vintage uint64) []published.Table {
	for i := range tables {
		for j := range tables[i].Cells {
			if tables[i].Cells[j].Of == 0 {
				tables[i].Cells[j].Of = vintage
			}
		}
	}
	return tables
}

// keptIn are the cells of which a vintage shows the count of an earlier one.
func keptIn(tables []published.Table, vintage uint64) map[string]bool {
	kept := map[string]bool{}
	for _, t := range tables {
		for _, c := range t.Cells {
			if c.Of < vintage {
				kept[published.Key(t.Measure, t.Columns, c.Codes)] = true
			}
		}
	}
	return kept
}

type reason struct {
	name           string
	added, removed map[string]int64
}

// revised publishes 2, 9, 50, 80 and 90, changes them, and returns the cells and lines that are published then.
func revised(t *testing.T, reasons ...reason) (map[string]published.Cell, map[string]published.Difference) {
	t.Helper()
	before, err := Plan(one(map[string]int64{"a": 2, "b": 9, "c": 50, "d": 80, "e": 90}))
	if err != nil {
		t.Fatal(err)
	}
	var changes []Change
	for _, r := range reasons {
		persons := map[string]int64{} // each event is of another person
		for _, part := range []map[string]int64{r.added, r.removed} {
			for code, n := range part {
				persons["returns|place="+code] += n
				persons["returns|"] += n
			}
		}
		if r.name == "correction" {
			delete(persons, "returns|") // who was lost at one place was gained at another
		}
		changes = append(changes, Change{r.name, one(r.added), one(r.removed), persons})
	}
	r, err := Revise(of(before.Tables, 1), before.Hierarchies, []Since{{Vintage: 1, Changes: changes}}, all, 5)
	if err != nil {
		t.Fatal(err)
	}
	cells, lines := map[string]published.Cell{}, map[string]published.Difference{}
	for _, c := range r.Tables[0].Cells {
		cells[c.Codes[0]] = c
	}
	for _, l := range r.Differences {
		lines[l.Key] = l
	}
	return cells, lines
}

func TestRevisions(t *testing.T) {
	got, lines := revised(t, reason{name: "late", added: map[string]int64{"a": 20, "d": 7, "e": 2, "c": 6}})
	if !got["a"].Withheld || !got["b"].Withheld {
		t.Errorf("what was withheld is published: %v", got)
	}
	if !got["e"].Kept || got["e"].Value != 90 {
		t.Errorf("a change by 2 persons is shown: %v", got)
	}
	if got["d"].Kept || got["d"].Value != 87 || got["_T"].Value != 231+35 {
		t.Errorf("a change by 7 persons, or that of the total, is not shown: %v", got)
	}
	if l := lines["returns|"]; l.Before != 231 || l.After != 266 || l.By["late"] != 35 || l.Other != 0 || len(lines) < 2 {
		t.Errorf("the lines are %+v", lines)
	}

	got, lines = revised(t, reason{name: "late", added: map[string]int64{"d": 2}})
	if got["_T"].Value != 233 || got["d"].Value != 80 || !got["c"].Kept || !got["d"].Kept {
		t.Errorf("2 more persons: the total is corrected, and nothing says where: %v", got)
	}
	if l := lines["returns|"]; len(lines) != 1 || l.Other != 2 || len(l.By) > 0 {
		t.Errorf("the reason of 2 persons is named: %+v", lines)
	}

	// 30 that came late at e, and 12 voided at d: each place says its own.
	got, lines = revised(t, reason{name: "late", added: map[string]int64{"e": 30}}, reason{name: "void", removed: map[string]int64{"d": 12}})
	if got["_T"].Value != 231+18 || got["e"].Value != 120 || got["d"].Value != 68 || got["c"].Kept {
		t.Errorf("late and voided returns are not shown: %v", got)
	}
	if l := lines["returns|"]; l.By["late"] != 30 || l.By["void"] != -12 || lines["returns|place=d"].By["void"] != -12 || lines["returns|place=e"].By["late"] != 30 {
		t.Errorf("the lines are %+v", lines)
	}

	// 2 voided among 30: were those named that came late, the rest would tell of the 2.
	got, lines = revised(t, reason{name: "late", added: map[string]int64{"e": 30}}, reason{name: "void", removed: map[string]int64{"d": 2}})
	if got["_T"].Value != 231+28 || !got["d"].Kept {
		t.Errorf("2 voided returns are shown: %v", got)
	}
	if l := lines["returns|"]; l.Other != 28 || len(l.By) != 0 {
		t.Errorf("what is not named is of 2 persons, and told by the rest: %+v", l)
	}

	// Corrected from e to d: the total did not change, and is no line.
	got, lines = revised(t, reason{"correction", map[string]int64{"d": 15}, map[string]int64{"e": 15}})
	if got["_T"].Value != 231 || got["d"].Value != 95 || got["e"].Value != 75 || lines["returns|place=d"].By["correction"] != 15 || len(lines) != 2 {
		t.Errorf("corrected returns are not shown: %v, %+v", got, lines)
	}

	got, lines = revised(t, reason{name: "late"})
	if got["c"].Kept || got["_T"].Value != 231 || len(lines) > 0 {
		t.Errorf("nothing has changed: %v", got)
	}
}

// TestRevisionsUnderAttack: made releases are revised three times, for made reasons. What is shown are the new counts, the reasons add up, and
// an attacker who has all vintages finds nothing.
func TestRevisionsUnderAttack(t *testing.T) {
	shown, stale, again := 0, 0, 0
	for seed := range uint64(16) {
		w := newWorld(seed, 150+int(seed)*40)
		first := w.input()
		release, err := Plan(first)
		if err != nil {
			continue // too few to publish anything
		}
		vintages := []published.Vintage{{ID: "1", Tables: release.Tables}}
		tables := of(release.Tables, 1)
		kept := []map[string]bool{nil}
		worlds := [][]Event{slices.Clone(w.events)}
		for n := uint64(2); n <= 4; n++ {
			w.change()
			var since []Since
			for i, events := range worlds {
				since = append(since, Since{Vintage: uint64(i) + 1, Kept: kept[i], Changes: w.since(events)})
			}
			r, err := Revise(tables, release.Hierarchies, since, all, 5)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			tables = of(r.Tables, n)
			kept, worlds = append(kept, keptIn(tables, n)), append(worlds, slices.Clone(w.events))
			vintages = append(vintages, published.Vintage{ID: fmt.Sprint(n), Revision: true, Tables: tables})
			for _, table := range r.Tables {
				for _, c := range table.Cells {
					if key := published.Key(table.Measure, table.Columns, c.Codes); n > 2 && kept[n-2][key] && !c.Withheld && !c.Kept {
						again++
					}
				}
			}
			if why := w.wrong(r, release.Hierarchies); why != "" {
				t.Fatalf("seed %d, vintage %d: %s", seed, n, why)
			}
			shown, stale = shown+len(r.Differences), stale+r.Kept
		}
		found, err := attack.Run(&attack.Input{Hierarchies: release.Hierarchies, Vintages: vintages, Threshold: 5})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, f := range found {
			t.Errorf("seed %d: %s", seed, f)
		}
	}
	t.Logf("%d counts shown as changed, %d kept, %d shown after they had been kept", shown, stale, again)
	if shown < 100 || stale < 100 || again < 20 {
		t.Errorf("%d counts changed, %d were kept, %d came back: too few to show anything", shown, stale, again)
	}
}

// world is made microdata that change.
type world struct {
	*rand.Rand
	events []Event
	next   int
	reason map[int]string // of each person who changed
}

func newWorld(seed uint64, events int) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 4)), reason: map[int]string{}}
	for range events {
		w.events = append(w.events, w.one())
	}
	return w
}

func (w *world) one() Event {
	pick := func(codes ...string) string { return codes[min(w.IntN(len(codes)), w.IntN(len(codes)))] }
	w.next++
	return Event{w.next, map[string]string{"place": pick("a1", "a2", "b1", "a3", "b2"), "sex": pick("M", "F"), "age": pick("18-30", "31+", "6-17", "0-5")}}
}

func (w *world) input() *Input { return TablesOf(w.events) }

// change makes some events late, some void, some corrected.
func (w *world) change() {
	var late, void []Event
	scale := 1 + w.IntN(10)
	for range w.IntN(60 * scale) {
		late = append(late, w.one())
	}
	w.Shuffle(len(w.events), func(i, j int) { w.events[i], w.events[j] = w.events[j], w.events[i] })
	n := w.IntN(12*scale) * w.IntN(2)
	void, w.events = w.events[:n], w.events[n:]
	for i := range w.IntN(20*scale) * w.IntN(2) {
		w.events[i] = Event{w.events[i].Person, w.one().Codes}
		w.reason[w.events[i].Person] = "correction"
	}
	w.events = append(slices.Clone(w.events), late...)
	for i, part := range [][]Event{late, void} {
		for _, e := range part {
			w.reason[e.Person] = []string{"late", "void"}[i]
		}
	}
}

// since is what changed since a world was as it was.
func (w *world) since(events []Event) (all []Change) {
	key := func(e Event) string { return fmt.Sprint(e.Person, e.Codes) }
	is, was := map[string]bool{}, map[string]bool{}
	for _, e := range w.events {
		is[key(e)] = true
	}
	for _, e := range events {
		was[key(e)] = true
	}
	for _, reason := range []string{"late", "correction", "void"} {
		other := func(in map[string]bool) func(Event) bool {
			return func(e Event) bool { return in[key(e)] || w.reason[e.Person] != reason }
		}
		all = append(all, ChangeOf(reason, slices.DeleteFunc(slices.Clone(w.events), other(was)), slices.DeleteFunc(slices.Clone(events), other(is))))
	}
	return all
}

// wrong says what of a revision is not so.
func (w *world) wrong(r *Revision, h map[string]published.Hierarchy) string {
	for _, l := range r.Differences {
		sum := l.Other
		for _, n := range l.By {
			sum += n
		}
		if sum != l.After-l.Before {
			return fmt.Sprintf("the reasons of %+v do not add up", l)
		}
	}
	now := w.input()
	for i, t := range r.Tables {
		for _, c := range t.Cells {
			n, ok := now.Tables[i].Find(c.Codes, h)
			if !ok || !c.Withheld && !c.Kept && c.Value != n.Value {
				return fmt.Sprintf("%v of %s is published as %d and is %d", c.Codes, t.ID, c.Value, n.Value)
			}
		}
		if total := t.Cells[slices.IndexFunc(t.Cells, func(c published.Cell) bool {
			return !slices.ContainsFunc(c.Codes, func(code string) bool { return code != published.Total })
		})]; total.Kept || total.Value != int64(len(w.events)) {
			return fmt.Sprintf("the total is %+v, and there are %d", total, len(w.events))
		}
	}
	return ""
}

// TestAChangeByOnePerson: twelve events of one person change a place, and beside them fourteen persons are corrected in it who do not change it.
// They do not hide the one.
func TestAChangeByOnePerson(t *testing.T) {
	before, err := Plan(one(map[string]int64{"a": 30, "b": 40, "c": 50, "d": 80, "e": 90}))
	if err != nil {
		t.Fatal(err)
	}
	c := Change{Reason: "late", Added: one(map[string]int64{"e": 26, "d": 50, "c": 40}), Removed: one(map[string]int64{"e": 14}),
		Persons: map[string]int64{"returns|": 91, "returns|place=e": 1, "returns|place=d": 50, "returns|place=c": 40}}
	r, err := Revise(of(before.Tables, 1), before.Hierarchies, []Since{{Vintage: 1, Changes: []Change{c}}}, all, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range r.Tables[0].Cells {
		if cell.Codes[0] == "e" && !cell.Kept {
			t.Errorf("a change by one person is shown: %+v", cell)
		}
	}
	if len(r.Differences) < 2 {
		t.Errorf("the changes of others are not shown: %v", r.Differences)
	}
}
