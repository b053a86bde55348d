package lattice_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/deploy/lab/register"
	"retorno/schemas/calendar"
	"retorno/schemas/tables"
)

var halfYear = calendar.Date(2016, 1, 1).Period(calendar.KindHalfYear)

func shipped(t testing.TB) *lattice.Lattice {
	t.Helper()
	l, err := lattice.Parse(lattice.Shipped)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// demo are the returns of the made register of the demo's table.
func demo(t testing.TB, l *lattice.Lattice, seed uint64) []lattice.Fact {
	t.Helper()
	table, err := tables.Read(bytes.NewReader(tables.Dev()), tables.DemoTable)
	if err != nil {
		t.Fatal(err)
	}
	made, err := register.Make(context.Background(), table, register.Settings{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	var facts []lattice.Fact
	for r := range made.Truth().Returns() {
		if !r.National {
			continue
		}
		facts = append(facts, factOf(l, r))
	}
	return facts
}

func factOf(l *lattice.Lattice, r register.Return) lattice.Fact {
	source := "both"
	if !r.Checkpoint {
		source = "registered"
	} else if !r.Registered {
		source = "checkpoint"
	}
	codes := map[string]string{"source": source, "route": r.Route, "return_type": r.ReturnType, "entry_point": r.EntryPoint, "exit_point": r.ExitPoint, "centre": r.Centre,
		"department": r.Department, "municipality": r.Municipality, "sex": r.Sex, "age_group": r.AgeGroup, "accompanied": r.Accompaniment}
	f := lattice.Fact{Person: r.Person, Day: r.Day}
	for _, name := range l.Attributes() {
		f.Codes = append(f.Codes, codes[name])
	}
	return f
}

// TestTheDemoIsPublished: the totals of the seed come out exactly, few cells are withheld, and the order of the facts changes
// nothing.
func TestTheDemoIsPublished(t *testing.T) {
	l := shipped(t)
	facts := demo(t, l, 1)
	began := time.Now()
	in, err := l.Tabulate(halfYear, facts, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("tabulated in %s", time.Since(began))
	began = time.Now()
	release, err := suppress.Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("planned in %s: %d cells, %d withheld, %+v", time.Since(began), release.Cells, release.Withheld, release.Audit.LPs)
	for id, want := range map[string]int64{"T1 2016-S1 REG _T": 27086, "T2 2016-S1 REG L-COR": 17064, "T5 2016-S1 REG L-COR _T _T": 17064, "T10 2016-S1 REG": 27086} {
		if got := value(t, release, id); got != want {
			t.Errorf("%s is %d, want %d", id, got, want)
		}
	}
	var cells, withheld, small, smallWithheld int
	for _, table := range release.Tables {
		here := 0
		for _, c := range table.Cells {
			if c.Withheld {
				here++
			}
		}
		t.Logf("%s: %d of %d", table.ID, here, len(table.Cells))
		if table.ID == "T8" {
			small, smallWithheld = len(table.Cells), here
			continue
		}
		cells, withheld = cells+len(table.Cells), withheld+here
	}
	if withheld*100 > 2*cells || smallWithheld*100 > 15*small {
		t.Errorf("withheld are %d of %d cells, and %d of %d of T8", withheld, cells, smallWithheld, small)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
	again, err := l.Tabulate(halfYear, facts, false)
	if err != nil || !reflect.DeepEqual(in, again) {
		t.Errorf("another order of the facts gives other tables, %v", err)
	}
}

func value(t *testing.T, r *suppress.Release, id string) int64 {
	t.Helper()
	for _, table := range r.Tables {
		for _, c := range table.Cells {
			if table.ID+" "+strings.Join(c.Codes, " ") == id {
				return c.Value
			}
		}
	}
	t.Fatalf("there is no cell %s", id)
	return 0
}
