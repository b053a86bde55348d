package fit

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"
	"retorno/schemas/tables"
)

// tinyRows are the rows that tables of tiny populations are drawn from.
var tinyRows = [][2]string{
	{"sex", "M"}, {"sex", "F"}, {"US_sex", "M"}, {"US_sex", "F"}, {"sex_age", "men"}, {"sex_age", "girls"},
	{"sex_age", "minors"}, {"minors_sex", "boys"}, {"adults_sex", "women"}, {"minors", "TOTAL"}, {"adults", "TOTAL"},
	{"country", "US"}, {"country", "MX"}, {"country", "OTHER"}, {"minors_country", "US"}, {"minors_country", "OTHER"},
	{"age", "0-10"}, {"age", "11-17"}, {"age", "18+"}, {"US_age", "adult"}, {"sex_pct", "M"}, {"sex_pct", "F"},
	{"US_sex_pct", "M"}, {"country_pct", "US"}, {"minors_pct", "TOTAL"}, {"adults_country_pct", "MX"},
	{"assisted_people", "TOTAL"}, {"minors_assisted_people", "TOTAL"},
}

// tinyKinds are all returns that those rows can tell apart.
func tinyKinds() (out []tables.Attributes) {
	for _, c := range []string{"", "US", "MX", "GT"} {
		for _, a := range []int{-1, 5, 15, 30} {
			for _, s := range []string{"", "M", "F"} {
				out = append(out, tables.Attributes{Country: c, Age: a, Sex: s, Month: "2020-01"})
			}
		}
	}
	return out
}

// TestRefusesExactlyWhatCannotBe compares the fit with trying every population of up to three returns.
func TestRefusesExactlyWhatCannotBe(t *testing.T) {
	kinds := tinyKinds()
	met, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3).Draw(t, "returns")
		rows := [][2]string{{"total", "TOTAL"}}
		values := []string{fmt.Sprint(n)}
		for _, r := range tinyRows {
			if rapid.IntRange(0, 4).Draw(t, r[0]+" "+r[1]) > 0 {
				continue
			}
			value := rapid.IntRange(0, n).Draw(t, "value")
			rows = append(rows, r)
			if len(r[0]) > 4 && r[0][len(r[0])-4:] == "_pct" {
				value = rapid.SampledFrom([]int{0, 33, 50, 67, 100}).Draw(t, "percent")
			}
			values = append(values, fmt.Sprint(value))
		}
		table, err := tableOf(rows, values)
		if err != nil {
			t.Fatal(err)
		}
		want := somePopulation(table, kinds, n)
		p, err := Fit(table, 7)
		var contradiction *Contradiction
		switch {
		case err == nil && !want:
			t.Fatalf("met, though no population can:\n%s", text(table))
		case err != nil && !errors.As(err, &contradiction):
			t.Fatal(err)
		case err != nil && want:
			t.Fatalf("refused, though some population can: %v\n%s", err, text(table))
		case err == nil:
			met++
			if d := count(table, p).Differences(); len(d) > 0 {
				t.Fatalf("line %d is %s in\n%s", d[0].Cell.Line, d[0].Counted, text(table))
			}
		default:
			refused++
		}
	})
	t.Logf("%d met, %d refused", met, refused)
	if met == 0 || refused == 0 {
		t.Error("the drawn tables decide nothing")
	}
}

// somePopulation tries every multiset of n kinds, each helped or not.
func somePopulation(table *tables.Table, kinds []tables.Attributes, n int) bool {
	cells := table.Cells()
	// in[k][i] reports whether kind k is in cell i, base[k][i] whether in its base; the second half of kinds is helped.
	in, base := make([][]int64, 2*len(kinds)), make([][]int64, 2*len(kinds))
	reach := make([]bool, 2*len(kinds))
	for k := range 2 * len(kinds) {
		a := kinds[k%len(kinds)]
		reach[k] = true
		for i := range table.Blocks {
			b := &table.Blocks[i]
			reach[k] = reach[k] && (!b.Complete || reaches(b, &truth{returns: []tables.Attributes{a}}))
		}
		for _, c := range cells {
			one := map[bool]int64{true: 1}
			in[k] = append(in[k], one[c.Where.Matches(&a) && (!c.Measure.Assisted() || k >= len(kinds))])
			base[k] = append(base[k], one[c.Base.Matches(&a)])
		}
	}
	nums, bases := make([]int64, len(cells)), make([]int64, len(cells))
	var try func(from, left int) bool
	try = func(from, left int) bool {
		if left == 0 {
			for i, c := range cells {
				if !tables.Agrees(c, nums[i], bases[i]) {
					return false
				}
			}
			return true
		}
		for k := from; k < len(in); k++ {
			if !reach[k] {
				continue
			}
			for i := range cells {
				nums[i] += in[k][i]
				bases[i] += base[k][i]
			}
			ok := true
			for i, c := range cells { // counts only grow
				ok = ok && (c.Measure.Share() || nums[i] <= c.Units)
			}
			found := ok && try(k, left-1)
			for i := range cells {
				nums[i] -= in[k][i]
				bases[i] -= base[k][i]
			}
			if found {
				return true
			}
		}
		return false
	}
	return try(0, n)
}
