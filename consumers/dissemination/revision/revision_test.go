package revision

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
)

// small is a lattice of exit points and sex.
const small = `version: "test"
core_limit: 100
measures: [{id: returns, es: Retornos, en: Returns}]
columns:
  - id: exit_point
    list: border_point
    groups: [{code: L-COR, es: Corinto, en: Corinto, of: [L-COR]}, {code: OTH, es: Otros, en: Other, others: true}]
    levels: {exit: [L-COR, OTH]}
  - id: sex
    list: sex
    groups: [{code: F, es: Mujeres, en: Women, of: [F]}, {code: M, es: Hombres, en: Men, of: [M, U]}]
    levels: {sex: [F, M]}
tables:
  - {id: T2, es: Salida, en: Exit, measure: returns, levels: [exit_point.exit, sex.sex], time: [M, S], threshold: 5}
classes:
  - {id: A, status: final, base: 1}
`

func smallLattice(t *testing.T) *lattice.Lattice {
	t.Helper()
	l, err := lattice.Parse("test", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func row(person, exit, sex string) lattice.Row {
	return lattice.Row{Person: person, Month: "2016-03", Codes: []string{exit, sex}, Record: "r-" + person}
}

func data(rows ...lattice.Row) []lattice.Data {
	return []lattice.Data{{Measure: "returns", Columns: []string{"exit_point", "sex"}, Rows: rows}}
}

// TestReasons: what the facts say of a person's records is the reason of everything of theirs that changed.
func TestReasons(t *testing.T) {
	name := func(person, record string) string { // records of several persons are not the same
		if len(record) == 1 {
			return person + "'s " + record
		}
		return record
	}
	first := func(person, record string, then bool) Fact {
		return Fact{Person: person, Record: name(person, record), Version: 1<<40 + 3, Revision: 1, Then: then, Now: true}
	}
	second := func(person, record string, void bool) Fact {
		return Fact{Person: person, Record: name(person, record), Version: 2<<40 + 7, Revision: 2, Void: void, Now: true}
	}
	conflict := first("conflict", "a", true)
	conflict.Version, conflict.Then = conflict.Version+8, false
	held := first("held", "a", true)
	held.Version--
	early := second("early", "a", false)
	early.Then = true
	later := first("later", "a", false)
	later.Now = false
	facts := Facts{All: []Fact{
		first("late", "a", false), first("late", "b", true),
		first("corrected", "a", true), second("corrected", "a", false), first("corrected", "b", false),
		first("voided", "a", true), second("voided", "a", true), first("voided", "b", true), second("voided", "b", false),
		first("conflict", "a", true), conflict,
		held, first("held", "a", false), // its clock was mended by a later copy
		early, first("early", "a", false), // the lower revision comes after the higher one
		first("whose it was", "moved record", true), second("moved", "moved record", false),
		later,                                                               // read after the later vintage
		first("helped's help", "r-helped", true),                            // the record of a help
		first("helped", "registration", false),                              // under a registration that came late
		first("void at once", "a", true), second("void at once", "b", true), // a voided record that had not been read
	}}
	var rows []lattice.Row
	want := map[string]Reason{"late": Late, "corrected": Correction, "voided": Void, "conflict": Correction, "moved": Correction, "held": Late, "early": Other, "later": Other,
		"helped": Late, "void at once": Other, "unknown": Other}
	for person := range want {
		rows = append(rows, row(person, "L-COR", "M"))
	}
	diffs := Compare(data(), data(rows...))
	for _, c := range []struct {
		method, codes bool
		otherwise     Reason
	}{{false, false, Other}, {true, true, Method}, {false, true, CodeList}} {
		facts.Method, facts.CodeSet = c.method, c.codes
		reason := facts.Reasons(diffs)
		for person, want := range want {
			if want == Other {
				want = c.otherwise
			}
			if got := reason(person); got != want {
				t.Errorf("%s: %q, want %q", person, got, want)
			}
		}
	}
}

// TestReasonsAddUp: random populations before and after, with random reasons. Whatever the order, the differences are those of the counts,
// and their reasons add up to them.
func TestReasonsAddUp(t *testing.T) {
	l := smallLattice(t)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 7))
		pick := func() lattice.Row {
			return row(fmt.Sprint(r.IntN(80)), []string{"L-COR", "L-AGC", "A-SAP"}[r.IntN(3)], []string{"F", "M"}[r.IntN(2)])
		}
		var before, after []lattice.Row
		for range 100 {
			one := pick()
			before = append(before, one)
			if r.IntN(3) > 0 {
				after = append(after, one)
			}
			if r.IntN(3) == 0 {
				after = append(after, pick())
			}
		}
		reasonOf := func(person string) Reason {
			return append([]Reason{Other}, named...)[len(person+fmt.Sprint(seed))*int(person[0])%6]
		}
		explained := Explain(Compare(data(before...), data(after...)), reasonOf)
		got, err := Differences(l, "2016-S1", data(before...), explained)
		if err != nil {
			t.Fatal(err)
		}
		r.Shuffle(len(before), func(i, j int) { before[i], before[j] = before[j], before[i] })
		r.Shuffle(len(after), func(i, j int) { after[i], after[j] = after[j], after[i] })
		again, err := Differences(l, "2016-S1", data(before...), Explain(Compare(data(before...), data(after...)), reasonOf))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(got) {
			t.Fatalf("seed %d: in another order %v, and was %v, %v", seed, again, got, err)
		}
		was, is := counts(t, l, before), counts(t, l, after)
		found := map[string]published.Difference{}
		for _, d := range got {
			found[d.Key] = d
			sum := d.Other
			for _, n := range d.By {
				sum += n
			}
			if sum != d.After-d.Before || d.Before != was[d.Key] || d.After != is[d.Key] {
				t.Errorf("seed %d: %+v, and counts are %d and %d", seed, d, was[d.Key], is[d.Key])
			}
		}
		for key := range was {
			if _, ok := found[key]; ok == (was[key] == is[key]) {
				t.Errorf("seed %d: %s went from %d to %d, and is said to have changed: %v", seed, key, was[key], is[key], ok)
			}
		}
	}
}

func counts(t *testing.T, l *lattice.Lattice, rows []lattice.Row) map[string]int64 {
	t.Helper()
	in, err := l.Tabulate("2016-S1", data(rows...)...)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, table := range in.Tables {
		for _, c := range table.Counts {
			out[published.Key(table.Measure, table.Columns, c.Codes)] = c.Value
		}
	}
	return out
}

// TestFewPersonsAreOther: six returns of two persons name no reason, five of five do.
func TestFewPersonsAreOther(t *testing.T) {
	l := smallLattice(t)
	for _, c := range []struct {
		returns, persons int
		named            bool
	}{{6, 2, false}, {5, 5, true}} {
		var rows []lattice.Row
		for i := range c.returns {
			rows = append(rows, row(fmt.Sprint(i%c.persons), "L-COR", "M"))
		}
		explained := Explain(Compare(data(), data(rows...)), func(string) Reason { return Late })
		got, err := Differences(l, "2016-S1", data(), explained)
		if err != nil || len(got) == 0 {
			t.Fatal(got, err)
		}
		if _, ok := got[0].By["late"]; ok != c.named {
			t.Errorf("%d returns of %d persons: %+v", c.returns, c.persons, got[0])
		}
	}
}

// TestTriangle: the revisions of months, without those that one of both vintages does not have.
func TestTriangle(t *testing.T) {
	n := func(i int64) *int64 { return &i }
	got := NewTriangle("2016-S1", []string{"2016-01", "2016-02", "2016-03"}, []Vintage{
		{Number: 1, Counts: []*int64{n(10), n(20), nil}, Total: n(60)},
		{Number: 3, Counts: []*int64{n(16), n(18), n(30)}, Total: n(64)},
		{Number: 4, Counts: []*int64{nil, nil, nil}},
	}, map[uint64][]Cell{3: {{Cell: "x", Change: 4}}})
	if s := got.Steps[0]; s.From != 1 || s.To != 3 || *s.Change != 4 || *s.Mean != 2 || *s.MeanAbsolute != 4 || len(s.Cells) != 1 {
		t.Errorf("%+v", s)
	}
	if s := got.Steps[1]; s.Change != nil || s.Mean != nil || s.MeanAbsolute != nil || s.Cells == nil {
		t.Errorf("%+v", s)
	}
}
