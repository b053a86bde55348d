package attack

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
)

var hierarchies = map[string]published.Hierarchy{
	"post":        {"COR": "_T", "AGC": "_T", "FLO": "_T", "POY": "_T"},
	"sex":         {"F": "_T", "M": "_T"},
	"age":         {"minor": "_T", "adult": "_T", "0-5": "minor", "6-17": "minor", "18+": "adult"},
	"accompanied": {"with": "_T", "alone": "_T", "unknown": "_T"},
	"place":       {"0501": "HN-CR", "0502": "HN-CR", "0503": "HN-CR", "0801": "HN-FM", "HN-CR": "_T", "HN-FM": "_T"},
	"time":        {"2016": "_T", "2016-S1": "2016", "2016-S2": "2016"},
}

// hidden stands for a withheld count.
const hidden = -1

// table makes a table from lines such as "F adult": 12.
func table(id, columns string, lines map[string]int64) published.Table {
	t := published.Table{ID: id, Measure: "returns", Columns: strings.Fields(columns)}
	for codes, v := range lines {
		c := published.Cell{Codes: strings.Fields(codes), Value: v}
		if v == hidden {
			c.Value, c.Withheld = 0, true
		}
		t.Cells = append(t.Cells, c)
	}
	return t
}

// safe is a row in which nothing is to be found: 12 in two withheld cells.
func safe() published.Table {
	return table("posts", "post", map[string]int64{"_T": 100, "COR": 68, "AGC": hidden, "FLO": hidden, "POY": 20})
}

func of(tables ...published.Table) []published.Vintage {
	return []published.Vintage{{ID: "1", Tables: tables}}
}

// leak is something that was published by mistake, and what the attack must find.
type leak struct {
	name     string
	vintages []published.Vintage
	known    []Known
	key      string
	how      How
	low      int64
	high     int64
}

func leaks() []leak {
	// The girls are 9: of 3 accompanied and 6 alone both are withheld, but a girl knows herself.
	return []leak{
		{name: "complement published", key: "returns|post=AGC", how: Linear, low: 3, high: 3,
			vintages: of(table("posts", "post", map[string]int64{"_T": 100, "COR": 77, "AGC": hidden, "FLO": 0, "POY": 20}))},
		{name: "another table reveals a complement", key: "returns|age=minor|sex=F", how: Linear, low: 4, high: 4,
			vintages: of(
				table("sexes", "sex age", map[string]int64{"_T _T": 100, "F _T": 30, "M _T": 70, "F minor": hidden, "F adult": hidden, "M minor": hidden, "M adult": hidden, "_T minor": 20, "_T adult": 80}),
				table("ages", "sex age", map[string]int64{"M 0-5": 7, "M 6-17": 9, "M minor": hidden}))},
		{name: "year minus half", key: "returns|post=AGC|time=2016-S1", how: Linear, low: 3, high: 3,
			vintages: of(table("years", "post time", map[string]int64{"AGC 2016": 40, "AGC 2016-S1": hidden, "AGC 2016-S2": 37}))},
		{name: "two vintages that differ by 2", key: "returns|post=COR", how: Change, low: 2, high: 2,
			vintages: []published.Vintage{{ID: "1", Tables: []published.Table{safe()}}, {ID: "2", Tables: []published.Table{
				table("posts", "post", map[string]int64{"_T": 102, "COR": 70, "AGC": hidden, "FLO": hidden, "POY": 20})}}}},
		{name: "provisional not rounded", key: "returns|post=COR", how: Rounding, low: 68, high: 68,
			vintages: []published.Vintage{{ID: "1", Provisional: true, Tables: []published.Table{safe()}}}},
		{name: "a percentage finer than its counts", key: "returns|post=AGC", how: Percent, low: 4, high: 4,
			vintages: []published.Vintage{{ID: "1", Tables: []published.Table{
				table("posts", "post", map[string]int64{"_T": 1000, "COR": 960, "AGC": hidden, "FLO": hidden, "POY": 28})},
				Shares: []published.Share{{Measure: "returns", Columns: []string{"post"}, Codes: []string{"AGC"}, Base: []string{"_T"}, Value: 4, Scale: 10}}}}},
		{name: "a zero pattern", key: "returns|accompanied=alone|age=minor", how: Group, low: 11, high: 11,
			vintages: of(table("minors", "age accompanied", map[string]int64{"minor _T": 11, "minor alone": 11, "minor with": 0, "minor unknown": 0}))},
		{name: "sum of children under a withheld parent", key: "returns|place=HN-CR", how: Linear, low: 31, high: 31,
			vintages: of(table("places", "place", map[string]int64{"_T": hidden, "HN-CR": hidden, "HN-FM": hidden, "0501": 9, "0502": 10, "0503": 12, "0801": hidden}))},
		{name: "partner table minus public", key: "returns|post=AGC", how: Linear, low: 5, high: 5,
			vintages: of(safe()), known: []Known{{Measure: "returns", Columns: []string{"post"}, Codes: []string{"FLO"}, Value: 7}}},
		{name: "a singleton's own knowledge", key: "returns|age=minor|sex=F", how: Self, low: 0, high: 4,
			vintages: of(table("minors", "sex age", map[string]int64{"_T minor": 5, "F minor": hidden, "M minor": hidden})),
			known:    []Known{{Measure: "returns", Columns: []string{"age"}, Codes: []string{"minor"}, Value: 5}}},
	}
}

func attackOn(t *testing.T, l leak) []Finding {
	t.Helper()
	found, err := Run(&Input{Hierarchies: hierarchies, Vintages: l.vintages, Known: l.known, Threshold: 5, Sensitive: map[string][]string{"accompanied": {"unknown"}}})
	if err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	return found
}

func TestTenLeaksAreFound(t *testing.T) {
	for _, l := range leaks() {
		found := attackOn(t, l)
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == l.key && f.How == l.how && f.Low == l.low && f.High == l.high }) {
			t.Errorf("%s: not found; found %v", l.name, found)
		}
	}
}

func TestASafeTableIsSafe(t *testing.T) {
	if found := attackOn(t, leak{name: "safe", vintages: of(safe())}); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	// The same again tells nothing new, nor does a change of the threshold or more.
	again := []published.Vintage{{ID: "1", Tables: []published.Table{safe()}}, {ID: "2", Tables: []published.Table{safe()}}}
	if found := attackOn(t, leak{name: "again", vintages: again}); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestAWithheldCellThatAppearsLater(t *testing.T) {
	second := table("posts", "post", map[string]int64{"_T": 100, "COR": 68, "AGC": 9, "FLO": hidden, "POY": 20})
	found := attackOn(t, leak{vintages: []published.Vintage{{ID: "1", Tables: []published.Table{safe()}}, {ID: "2", Tables: []published.Table{second}}}})
	if !slices.ContainsFunc(found, func(f Finding) bool {
		return f.Vintage == "1" && f.Key == "returns|post=AGC" && f.How == Later && f.Low == 9
	}) {
		t.Errorf("found %v", found)
	}
}

// Two triangles of cells, in each of which any two are at most 1: in rational numbers all six sum to 3, in whole numbers to 2.
func TestWholeNumbersTellMore(t *testing.T) {
	v := &view{id: "1", index: map[string]int{}, threshold: func(string) int64 { return 3 }}
	all := sum{whole: v.cell("all")}
	v.withheld[all.whole] = true
	for _, triangle := range []string{"abc", "def"} {
		for i := range 3 {
			x, y := triangle[i:i+1], triangle[(i+1)%3:(i+1)%3+1]
			one := v.cell(x + "+" + y)
			if err := v.learn(one, 1, 1); err != nil {
				t.Fatal(err)
			}
			v.sums = append(v.sums, sum{one, []int{v.cell(x), v.cell(y), v.cell("neither " + x + " nor " + y)}})
			all.parts = append(all.parts, v.cell(x))
		}
	}
	v.sums = append(v.sums, all)
	found, err := v.solve()
	if err != nil || len(found) != 1 || found[0] != (Finding{Vintage: "1", Key: "all", Low: 0, High: 2, How: Integers}) {
		t.Errorf("found %v, %v", found, err)
	}
}

// What others publish in more detail adds up to a withheld cell.
func TestOthersPublishMoreDetail(t *testing.T) {
	columns := []string{"post", "sex"}
	known := []Known{{"returns", columns, []string{"AGC", "F"}, 2}, {"returns", columns, []string{"AGC", "M"}, 3}}
	found := attackOn(t, leak{vintages: of(safe()), known: known})
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == "returns|post=AGC" && f.How == Linear && f.Low == 5 }) {
		t.Errorf("found %v", found)
	}
	if found := attackOn(t, leak{vintages: of(safe()), known: known[:1]}); len(found) > 0 {
		t.Errorf("of the women alone: found %v", found)
	}
	// A partner has all but one of three codes that were joined: the rest is of 2.
	joined := of(table("posts", "post", map[string]int64{"_T": 100, "COR": 77, "AGC+FLO+POY": 23}))
	joined[0].Hierarchies = map[string]published.Hierarchy{"post": {"COR": "_T", "AGC+FLO+POY": "_T", "AGC": "AGC+FLO+POY", "FLO": "AGC+FLO+POY", "POY": "AGC+FLO+POY"}}
	others := []Known{{"returns", []string{"post"}, []string{"AGC"}, 13}, {"returns", []string{"post"}, []string{"POY"}, 8}}
	found = attackOn(t, leak{vintages: joined, known: others})
	if !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == "returns|post=FLO" && f.How == Linear && f.Low == 2 }) {
		t.Errorf("of what was joined: found %v", found)
	}
	if others[0].Value = 5; len(attackOn(t, leak{vintages: joined, known: others})) > 0 {
		t.Error("a rest of 10 is found")
	}
	known = append(known, Known{"returns", []string{"post"}, []string{"XXX"}, 2}, Known{"returns", []string{"post"}, []string{"COR"}, 70}) // it is 68
	idle, err := Idle(&Input{Hierarchies: hierarchies, Vintages: of(safe()), Known: known, Threshold: 5})
	if err != nil || len(idle) != 2 || idle[0].Codes[0] != "XXX" || idle[1].Codes[0] != "COR" {
		t.Errorf("%v, %v tell nothing", idle, err)
	}
}

// Rounded to 10, a whole of 15 to 24 whose parts are at most 14, 4, 4 and 4 is not certain. One of 25 or more is, with all of its parts, once
// one of them is known to be 3.
func TestRoundingThatIsUndone(t *testing.T) {
	rounded := table("posts", "post", map[string]int64{"_T": 20, "COR": 10, "AGC": 0, "FLO": 0, "POY": 0})
	rounded.Base = 10
	provisional := func() []published.Vintage {
		return []published.Vintage{{ID: "1", Provisional: true, Tables: []published.Table{rounded}}}
	}
	if found := attackOn(t, leak{vintages: provisional()}); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	rounded.Cells = slices.Clone(rounded.Cells)
	for i, c := range rounded.Cells {
		switch c.Codes[0] {
		case published.Total:
			rounded.Cells[i].Value = 30 // 25 to 34
		case "POY":
			rounded.Cells[i].Withheld, rounded.Cells[i].Value = false, 0
		}
	}
	found := attackOn(t, leak{vintages: provisional(), known: []Known{{"returns", []string{"post"}, []string{"POY"}, 3}}})
	for _, key := range []string{"returns|", "returns|post=COR", "returns|post=AGC", "returns|post=FLO"} {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == key && f.How == Narrow && f.Low == f.High }) {
			t.Errorf("%s: not among %v", key, found)
		}
	}
}

// Of 100 registered returns and a coverage of 95.2 %, 105 are known: 5 were seen at posts only.
func TestCoverageTellsWhatIsKnown(t *testing.T) {
	v := of(table("sources", "source", map[string]int64{"_T": hidden, "registered": 100, "post_only": hidden}))
	v[0].Shares = []published.Share{{Measure: "returns", Columns: []string{"source"}, Codes: []string{"registered"}, Base: []string{"_T"}, Value: 952, Scale: 10}}
	found, err := Run(&Input{Hierarchies: map[string]published.Hierarchy{"source": {"registered": "_T", "post_only": "_T"}}, Vintages: v, Threshold: 5})
	if err != nil || !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == "returns|source=post_only" && f.Low == 5 && f.High == 5 }) {
		t.Errorf("found %v, %v", found, err)
	}
}

// Of 10,130 rounded, 30 by air and 10,090 by land are 31 to 34 and 10,091 to 10,094: with 35 by air later, 1 to 4 came.
func TestRoundingThatDoesNotAddUp(t *testing.T) {
	h := map[string]published.Hierarchy{"route": {"AIR": "_T", "LAND": "_T"}}
	first := table("routes", "route", map[string]int64{"_T": 10_130, "AIR": 30, "LAND": 10_090})
	first.Base = 10
	then := table("routes", "route", map[string]int64{"_T": 10_129, "AIR": 35, "LAND": 10_094})
	found, err := Run(&Input{Hierarchies: h, Threshold: 5, Vintages: []published.Vintage{{ID: "1", Provisional: true, Tables: []published.Table{first}}, {ID: "2", Tables: []published.Table{then}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Finding{{Vintage: "1", Key: "returns|route=AIR", Low: 31, High: 34, How: Narrow}, {Vintage: "2", Key: "returns|route=AIR", Low: 1, High: 4, How: Change, With: "1"}} {
		if !slices.Contains(found, want) {
			t.Errorf("%v is not among %v", want, found)
		}
	}
}

// 3 of the 23 helps of joined kinds are not explained by the 20 persons who got vouchers, so that 3 at most got cash; and of 459 helps for 458
// persons one is a second one.
func TestPersonsAreWithinTheirEvents(t *testing.T) {
	helps := table("T12k", "kind", map[string]int64{"_T": 482, "information": 459, "cash+voucher": 23})
	helps.Measure = "helps"
	persons := table("T12p", "kind", map[string]int64{"information": 458, "cash": hidden, "voucher": 20})
	persons.Measure = "people_by_kind"
	v := of(helps, persons)
	v[0].Hierarchies = map[string]published.Hierarchy{"kind": {"information": "_T", "cash+voucher": "_T", "cash": "cash+voucher", "voucher": "cash+voucher"}}
	found, err := Run(&Input{Vintages: v, Threshold: 5, Within: map[string]string{"people_by_kind": "helps"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].Key != "people_by_kind|kind=cash" || found[0].High != 3 || found[1].Key != "people_by_kind|kind=information" || found[1].How != Second || found[1].Low != 1 {
		t.Errorf("found %v", found)
	}
}

// A cell that asks for 10 persons is given away by bounds of 0 to 7, and one that asks for 5 is not.
func TestCellsHaveTheirThresholds(t *testing.T) {
	in := &Input{Hierarchies: hierarchies, Threshold: 5,
		Vintages: of(table("sexes", "sex", map[string]int64{"_T": 7, "F": hidden, "M": hidden}))}
	found, err := Run(in)
	if err != nil || slices.ContainsFunc(found, func(f Finding) bool { return f.How == Bounds }) {
		t.Errorf("found %v, %v", found, err)
	}
	in.Thresholds = map[string]int64{"returns|sex=F": 10}
	found, err = Run(in)
	if err != nil || !slices.ContainsFunc(found, func(f Finding) bool { return f.Key == "returns|sex=F" && f.How == Bounds && f.High == 7 }) {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestContradictionsAreErrors(t *testing.T) {
	for name, tables := range map[string][]published.Table{
		"two counts of one cell": {safe(), table("again", "post", map[string]int64{"_T": 101})},
		"parts over the total":   {table("posts", "post", map[string]int64{"_T": 10, "COR": 11, "AGC": hidden, "FLO": hidden, "POY": hidden})},
		"a line that is there twice": {{ID: "x", Measure: "returns", Columns: []string{"post"},
			Cells: []published.Cell{{Codes: []string{"COR"}}, {Codes: []string{"COR"}}}}},
	} {
		if found, err := Run(&Input{Hierarchies: hierarchies, Vintages: of(tables...), Threshold: 5}); err == nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// What package suppress lets through must withstand the attack; with one cell published again it must not.
func TestProtectedTablesWithstand(t *testing.T) {
	var withheld, reopened, found int
	for seed := uint64(1); seed <= 40; seed++ {
		r := rand.New(rand.NewPCG(seed, 20))
		in := &suppress.Input{Hierarchies: hierarchies, Tables: []suppress.Table{made(r, "places", "place", 5), made(r, "posts", "post", 5)}}
		release, err := suppress.Plan(in)
		if err != nil {
			continue
		}
		withheld += release.Withheld
		run := func() []Finding {
			f, err := Run(&Input{Hierarchies: hierarchies, Vintages: of(release.Tables...), Threshold: 5})
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			return f
		}
		if f := run(); len(f) > 0 {
			t.Errorf("seed %d: found %v", seed, f)
		}
		for i, table := range release.Tables {
			for j, c := range table.Cells {
				if c.Withheld && release.Withheld < 4 {
					reopened++
					table.Cells[j] = published.Cell{Codes: c.Codes, Value: in.Tables[i].Counts[slices.IndexFunc(in.Tables[i].Counts, func(o suppress.Count) bool {
						return slices.Equal(o.Codes, c.Codes)
					})].Value}
					if len(run()) > 0 {
						found++
					}
					table.Cells[j] = c
				}
			}
		}
	}
	t.Logf("seeds 1 to 40: %d cells withheld; %d published again, %d found", withheld, reopened, found)
	if withheld == 0 || found == 0 || found < reopened/2 {
		t.Error("the attack finds too little")
	}
}

// made makes a table of one column that says something about few people.
func made(r *rand.Rand, measure, column string, threshold int64) suppress.Table {
	t := suppress.Table{ID: column, Measure: measure, Columns: []string{column}}
	counts := map[string]int64{}
	h := hierarchies[column]
	for _, code := range finest(h, "_T") {
		for n, p := r.Int64N(4)*r.Int64N(12), code; p != ""; p = h.Parent(p) {
			counts[p] += n
		}
	}
	for code, n := range counts {
		c := suppress.Count{Codes: []string{code}, Value: n, Persons: n, Threshold: threshold}
		if code == published.Total {
			c.Threshold, c.State = 1, suppress.Forced
		}
		t.Counts = append(t.Counts, c)
	}
	return t
}
