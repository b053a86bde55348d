package lattice

import (
	"strings"
	"testing"
)

func shippedOrFail(t testing.TB) *Lattice {
	t.Helper()
	l, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTheShippedLattice(t *testing.T) {
	l := shippedOrFail(t)
	have := map[string]bool{}
	for _, table := range l.Tables {
		have[strings.TrimRight(table.ID, "abcdefghijklmnopqrstuvwxyz")] = true
	}
	for _, id := range strings.Fields("T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13") {
		if !have[id] {
			t.Errorf("there is no table %s", id)
		}
	}
	size := 0
	for _, k := range l.Cores {
		t.Logf("core of %s: %v, only %v, %d cells", k.Measure, k.Columns, k.Only, k.size())
		size += k.size()
	}
	if size == 0 || size > l.CoreLimit {
		t.Errorf("the cores have %d cells", size)
	}
}

// wrong is the shipped lattice with one thing changed, and what the refusal must name.
func TestWrongLatticesAreRefused(t *testing.T) {
	text := string(shipped)
	for _, c := range []struct {
		name, old, new string
		say            []string
	}{
		{"a code with two parents", "of: [L-POY, L-MAP, L-CON]", "of: [L-POY, L-MAP, L-CON, L-AMA]", []string{"line", "column exit", "L-AMA", "AMA", "SLV"}},
		{"a code in no group", ", of: [X-UNK]}", ", of: [L-COR]}", []string{"column exit", "X-UNK", "in no group"}},
		{"a code that does not exist", "of: [L-AGC]}", "of: [L-AGC, L-NIX]}", []string{"column exit", "L-NIX", "border_point"}},
		{"a group with two parents", "      - {code: adult, es: De 18 y más, en: 18 and over}\n", "      - {code: adult, es: De 18 y más, en: 18 and over}\n      - {code: adult, in: minor, es: x, en: x}\n", []string{"column age", "adult", "twice"}},
		{"a parent that is no group", "{code: 0-5, in: minor", "{code: 0-5, in: child", []string{"column age", "0-5", "child"}},
		{"no English label", "es: Mujeres, en: Women", "es: Mujeres", []string{"column sex", "group F", "English"}},
		{"a level that leaves codes out", "geo3: [US, MX, OTHER]", "geo3: [US, MX]", []string{"column route", "level geo3", "0 of its codes"}},
		{"a level that has codes twice", "geo3: [US, MX, OTHER]", "geo3: [US, MX, OTHER, GT]", []string{"column route", "level geo3", "GT", "2 of its codes"}},
		{"a threshold of 2", "time: [M, Q, S, A], threshold: 5}\n  - {id: T2", "time: [M, Q, S, A], threshold: 2}\n  - {id: T2", []string{"table T1", "3 persons"}},
		{"two tables of one id", "id: T9", "id: T8", []string{"tables", "T8", "twice"}},
		{"a level that is not there", "levels: [route.geo3, sex.sex", "levels: [route.geo4, sex.sex", []string{"table T4", "route.geo4"}},
		{"a table without its half-year", "time: [Q, S, A], threshold: 5, always", "time: [Q, A], threshold: 5, always", []string{"table T2", "half-year"}},
		{"provisional figures that are not rounded", "base: 10", "base: 1", []string{"class P", "rounded"}},
		{"a key that is not known", "core_limit:", "core_size:", []string{"core_size", "line 3"}},
		{"a partner that is elsewhere", "joins: {unknown: adult}", "joins: {unknown: 18-20}", []string{"column age", "unknown", "18-20"}},
		{"a core that is too large", "core_limit: 20000", "core_limit: 700", []string{"T3", "T4", "T5", "age x exit_point x sex x time_period", "792 cells", "700"}},
		{"a cycle through municipalities", "levels: [residence.municipality]", "levels: [residence.municipality, exit_point.exit, route.route]", []string{"T8", "residence", "over the limit"}},
	} {
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("%s: the shipped lattice does not have %q", c.name, c.old)
		}
		_, err := Parse("test.yaml", []byte(changed))
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		for _, word := range append(c.say, "test.yaml") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the refusal does not name %q: %v", c.name, word, err)
			}
		}
	}
	if _, err := Load("nowhere.yaml"); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

func TestReduction(t *testing.T) {
	for _, c := range []struct {
		family string
		core   int
	}{{"ab bc cd", 0}, {"ab bc ca", 3}, {"ab bc ca abc", 0}, {"ab bc cd da", 4}, {"abc bcd cde", 0}, {"ab cd", 0}, {"a a b", 0}} {
		var edges [][]string
		for _, e := range strings.Fields(c.family) {
			edges = append(edges, strings.Split(e, ""))
		}
		if core := reduce(edges); len(core) != c.core {
			t.Errorf("%s reduces to %v, want %d edges", c.family, core, c.core)
		}
	}
}

func TestMicrodataThatTheLatticeDoesNotKnow(t *testing.T) {
	l := shippedOrFail(t)
	data := population(1, "2016-S1", 100)
	data[0].Rows[0].Codes[1] = "XY-AIR"
	if _, err := l.Tabulate("2016-S1", data...); err == nil || !strings.Contains(err.Error(), "XY-AIR") {
		t.Errorf("a route that does not exist: %v", err)
	}
	data = population(1, "2016-S1", 100)
	data[0].Rows[0].Month = "2016-07"
	if _, err := l.Tabulate("2016-S1", data...); err == nil || !strings.Contains(err.Error(), "2016-07") {
		t.Errorf("a month of another half-year: %v", err)
	}
	if _, err := l.Tabulate("2016", data...); err == nil {
		t.Error("a year was taken for a half-year")
	}
	data[0].Columns[1] = "way"
	if _, err := l.Tabulate("2016-S1", data...); err == nil || !strings.Contains(err.Error(), "route") {
		t.Errorf("microdata without routes: %v", err)
	}
}
