package lattice

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

// changed makes so many events late, correct and void of a population, and returns what it then is, and the changes.
func changed(t testing.TB, l *Lattice, r0 *suppress.Release, data []Data, seed uint64, late, corrected, void int) []suppress.Change {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 41))
	parts := map[string][2][]Data{}
	more := population(seed+1000, "2016-S1", late+corrected)
	for i := range data {
		for reason := range 3 {
			name := []string{"late", "correction", "void"}[reason]
			p := parts[name]
			for j := range p {
				p[j] = append(p[j], Data{Measure: data[i].Measure, Columns: data[i].Columns})
			}
			parts[name] = p
		}
		add := func(name string, j int, row Row) { parts[name][j][i].Rows = append(parts[name][j][i].Rows, row) }
		rows := data[i].Rows
		r.Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		for n, row := range more[i].Rows {
			if row.Person += " new"; n >= corrected {
				add("late", 0, row)
				continue
			}
			old := rows[n]
			add("correction", 1, old)
			row.Person = old.Person
			add("correction", 0, row)
			rows[n] = row
		}
		for n := range min(void, len(rows)/2) {
			add("void", 1, rows[len(rows)-1-n])
		}
		data[i].Rows = append(rows[:len(rows)-min(void, len(rows)/2)], parts["late"][0][i].Rows...)
	}
	var all []suppress.Change
	for _, name := range []string{"late", "correction", "void"} {
		gained, err := l.Tabulate("2016-S1", parts[name][0]...)
		if err != nil {
			t.Fatal(err)
		}
		lost, err := l.Tabulate("2016-S1", parts[name][1]...)
		if err != nil {
			t.Fatal(err)
		}
		persons := map[string]int64{}
		for i := range data {
			one, err := l.Changed(r0.Tables, r0.Hierarchies, parts[name][0][i], parts[name][1][i])
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(persons, one)
		}
		all = append(all, suppress.Change{Reason: name, Added: gained, Removed: lost, Persons: persons})
	}
	return all
}

// TestARevisedHalfYear: what a revision shows are the new counts, and an attacker who has the final vintage too finds nothing.
func TestARevisedHalfYear(t *testing.T) {
	l := shippedOrFail(t)
	class, ok := l.Class("revision")
	if !ok {
		t.Fatal("the lattice has no revisions")
	}
	for seed, n := range [][3]int{{3, 0, 0}, {60, 0, 0}, {60, 20, 5}, {900, 0, 0}, {900, 300, 60}} {
		data := population(uint64(seed), "2016-S1", 27086)
		r := release(t, l, "2016-S1", data)
		changes := changed(t, l, r, data, uint64(seed), n[0], n[1], n[2])
		for i := range r.Tables {
			for j := range r.Tables[i].Cells {
				r.Tables[i].Cells[j].Of = 1
			}
		}
		got, err := suppress.Revise(r.Tables, r.Hierarchies, []suppress.Since{{Vintage: 1, Changes: changes}}, class.Shows("2016-S1"), l.Least())
		if err != nil {
			t.Fatal(err)
		}
		now, err := l.Tabulate("2016-S1", data...)
		if err != nil {
			t.Fatal(err)
		}
		is := map[string]int64{}
		for _, table := range now.Tables {
			for _, c := range table.Counts {
				is[published.Key(table.Measure, table.Columns, c.Codes)] = c.Value
			}
		}
		named := 0
		for _, d := range got.Differences {
			if is[d.Key] != d.After {
				t.Errorf("%v: %s is shown as %d and is %d", n, d.Key, d.After, is[d.Key])
			}
			if len(d.By) > 0 {
				named++
			}
		}
		t.Logf("%d late, %d corrected, %d void: %d counts are shown as changed, %d of them with reasons; %d are kept", n[0], n[1], n[2], len(got.Differences), named, got.Kept)
		if n[0] >= 60 && (len(got.Differences) < 8 || named == 0) {
			t.Errorf("%v: %d counts are shown as changed, %d with reasons", n, len(got.Differences), named)
		}
		found, err := attack.Run(&attack.Input{Hierarchies: r.Hierarchies, Threshold: 5,
			Vintages: []published.Vintage{{ID: "A", Tables: r.Tables}, {ID: "R", Revision: true, Tables: got.Tables}}})
		if err != nil || len(found) > 0 {
			t.Errorf("%v: the attack finds %d cells, %v: %v", n, len(found), err, fmt.Sprint(found)[:min(500, len(fmt.Sprint(found)))])
		}
	}
}
