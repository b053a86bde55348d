package suppress

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"retorno/consumers/dissemination/disclosure/published"
)

// event is one row of microdata: a person, and a leaf code for each column.
type event struct {
	person int
	codes  map[string]string
}

// tabulate counts events and distinct persons in every combination of the codes of a table.
func tabulate(id string, columns []string, codes [][]string, h map[string]published.Hierarchy, threshold int64, events []event) Table {
	t := Table{ID: id, Measure: "returns", Columns: columns}
	for at := range product(codes) {
		c := Count{Codes: slices.Clone(at), Threshold: threshold}
		persons := map[int]bool{}
		for _, e := range events {
			in := true
			for j, column := range columns {
				in = in && h[column].Within(e.codes[column], at[j])
			}
			if in {
				c.Value++
				persons[e.person] = true
			}
		}
		c.Persons = int64(len(persons))
		if !slices.ContainsFunc(at, func(code string) bool { return code != published.Total }) {
			c.State = Forced
		}
		t.Counts = append(t.Counts, c)
	}
	return t
}

var hierarchies = map[string]published.Hierarchy{
	"place": {"a1": "A", "a2": "A", "a3": "A", "b1": "B", "b2": "B", "A": "_T", "B": "_T"},
	"sex":   {"F": "_T", "M": "_T"},
	"age":   {"0-5": "minor", "6-17": "minor", "18-30": "adult", "31+": "adult", "minor": "_T", "adult": "_T"},
}

// random makes events, some of them of one person, and counts them.
func random(seed uint64, events int) *Input {
	r := rand.New(rand.NewPCG(seed, 18))
	pick := func(codes ...string) string { return codes[min(r.IntN(len(codes)), r.IntN(len(codes)))] }
	var all []event
	for i := range events {
		person := i
		if r.IntN(10) == 0 {
			person = r.IntN(i + 1) // the same person came back
		}
		all = append(all, event{person, map[string]string{"place": pick("a1", "a2", "b1", "a3", "b2"), "sex": pick("M", "F"), "age": pick("18-30", "31+", "6-17", "0-5")}})
	}
	return tables(all)
}

// tables counts events in three tables that are linked by sex and age.
func tables(all []event) *Input {
	places, sexes := []string{"_T", "A", "B", "a1", "a2", "a3", "b1", "b2"}, []string{"_T", "F", "M"}
	return &Input{Hierarchies: hierarchies, Tables: []Table{
		tabulate("places", []string{"place"}, [][]string{places}, hierarchies, 5, all),
		tabulate("ages", []string{"sex", "age"}, [][]string{sexes, {"_T", "minor", "adult", "0-5", "6-17", "18-30", "31+"}}, hierarchies, 5, all),
		tabulate("groups", []string{"place", "sex", "age"}, [][]string{{"_T", "A", "B"}, sexes, {"_T", "minor", "adult"}}, hierarchies, 5, all),
	}}
}

func withheld(r *Release) map[string]bool {
	out := map[string]bool{}
	for _, t := range r.Tables {
		for _, c := range t.Cells {
			out[published.Key(t.Measure, t.Columns, c.Codes)] = c.Withheld
		}
	}
	return out
}

func TestRandomTablesAreProtected(t *testing.T) {
	var refused, hidden, cells, left int
	for seed := uint64(1); seed <= 60; seed++ {
		in := random(seed, []int{30, 80, 200, 400}[seed%4])
		r, err := Plan(in)
		if errors.Is(err, ErrUnsafe) {
			if seed%4 > 1 {
				t.Errorf("seed %d: %v", seed, err)
			}
			refused++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		w := withheld(r)
		for _, table := range in.Tables {
			for _, c := range table.Counts {
				k := published.Key(table.Measure, table.Columns, c.Codes)
				hidden, there := w[k]
				if c.Persons > 0 && c.Persons < c.Threshold && there && !hidden {
					t.Errorf("seed %d: %s of %d persons is published", seed, k, c.Persons)
				}
				if c.State == Forced && (hidden || !there) {
					t.Errorf("seed %d: %s is not published", seed, k)
				}
			}
		}
		if !r.Audit.Accepted() || r.Audit.Audited != r.Withheld {
			t.Errorf("seed %d: %d of %d withheld cells audited", seed, r.Audit.Audited, r.Withheld)
		}
		left += r.LeftOut
		if seed%4 == 3 {
			hidden, cells = hidden+r.Withheld, cells+r.Cells
		}
	}
	t.Logf("seeds 1 to 60: %d refused; of those of 400 events %d of %d cells withheld", refused, hidden, cells)
	if left == 0 {
		t.Error("no code was joined")
	}
	if refused > 20 || hidden > cells/4 {
		t.Errorf("%d of 60 were refused, %d of %d cells withheld", refused, hidden, cells)
	}
}

func TestTheOrderOfTheInputDoesNotMatter(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		want, err := Plan(random(seed, 200))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		in := random(seed, 200)
		r := rand.New(rand.NewPCG(seed, 19))
		r.Shuffle(len(in.Tables), func(i, j int) { in.Tables[i], in.Tables[j] = in.Tables[j], in.Tables[i] })
		for _, table := range in.Tables {
			r.Shuffle(len(table.Counts), func(i, j int) { table.Counts[i], table.Counts[j] = table.Counts[j], table.Counts[i] })
		}
		got, err := Plan(in)
		if err != nil {
			t.Fatalf("seed %d, shuffled: %v", seed, err)
		}
		if !reflect.DeepEqual(withheld(got), withheld(want)) {
			t.Errorf("seed %d: the withheld cells depend on the order of the input", seed)
		}
	}
}

// one makes a table of one column, with a total that is published in any case.
func one(column string, counts map[string]Count) *Input {
	total := Count{Codes: []string{"_T"}, State: Forced, Threshold: 5}
	t := Table{ID: "one", Measure: "returns", Columns: []string{column}}
	for code, c := range counts {
		c.Codes = []string{code}
		c.Threshold = 5
		total.Value, total.Persons = total.Value+c.Value, total.Persons+c.Persons
		t.Counts = append(t.Counts, c)
	}
	t.Counts = append(t.Counts, total)
	h := published.Hierarchy{}
	for code := range counts {
		h[code] = "_T"
	}
	return &Input{Tables: []Table{t}, Hierarchies: map[string]published.Hierarchy{column: h}}
}

func planned(t *testing.T, in *Input) map[string]bool {
	t.Helper()
	r, err := Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	return withheld(r)
}

func TestThresholdsCountPersons(t *testing.T) {
	w := planned(t, one("post", map[string]Count{"x": {Value: 6, Persons: 2}, "y": {Value: 5, Persons: 5}, "z": {Value: 90, Persons: 80}, "v": {Value: 7, Persons: 7}}))
	if !w["returns|post=x"] {
		t.Error("6 returns of 2 persons are published")
	}
	if w["returns|post=z"] {
		t.Error("90 of 80 persons are withheld")
	}
	w = planned(t, one("post", map[string]Count{"y": {Value: 5, Persons: 5}, "z": {Value: 90, Persons: 80}}))
	if w["returns|post=y"] {
		t.Error("5 returns of 5 persons are withheld")
	}
}

func TestTheNextSmallestJoins(t *testing.T) {
	w := planned(t, one("post", map[string]Count{"a": {Value: 1, Persons: 1}, "b": {Value: 3, Persons: 3}, "c": {Value: 9, Persons: 9}, "d": {Value: 50, Persons: 50}, "e": {}}))
	want := map[string]bool{"returns|": false, "returns|post=a": true, "returns|post=b": true, "returns|post=c": true, "returns|post=d": false, "returns|post=e": false}
	if !reflect.DeepEqual(w, want) {
		t.Errorf("withheld %v, want %v", w, want)
	}
}

func TestAGroupOfMinorsOfOneKind(t *testing.T) {
	in := one("accompanied", map[string]Count{"accompanied": {}, "unaccompanied": {Value: 40, Persons: 40}, "unknown": {}})
	for i := range in.Tables[0].Counts {
		c := &in.Tables[0].Counts[i]
		c.Codes = append(c.Codes, "minor")
	}
	in.Tables[0].Columns = append(in.Tables[0].Columns, "age")
	in.Hierarchies["age"] = hierarchies["age"]
	in.Tables[0].Sensitive = []Sensitive{{Column: "accompanied", Ignored: []string{"unknown"}, OfColumn: "age", Of: []string{"minor"}}}
	w := planned(t, in)
	if !w["returns|accompanied=unaccompanied|age=minor"] || w["returns|age=minor"] {
		t.Errorf("all minors are unaccompanied, and the table says so: %v", w)
	}
	in.Tables[0].Sensitive[0].Ignored = []string{"unknown", "unaccompanied"}
	if w = planned(t, in); w["returns|accompanied=unaccompanied|age=minor"] {
		t.Error("a category that says nothing is withheld")
	}
}

func TestWhatIsForcedAndWhatIsHeld(t *testing.T) {
	counts := map[string]Count{"a": {Value: 60, Persons: 60, State: Held}, "b": {Value: 30, Persons: 30, State: Forced}, "c": {Value: 70, Persons: 70}, "d": {Value: 80, Persons: 80}}
	w := planned(t, one("post", counts))
	if !w["returns|post=a"] || w["returns|post=b"] || !w["returns|post=c"] {
		t.Errorf("withheld: %v", w)
	}
	counts["b"] = Count{Value: 3, Persons: 3, State: Forced}
	if _, err := Plan(one("post", counts)); !errors.Is(err, ErrUnsafe) {
		t.Errorf("3 persons that must be published: %v", err)
	}
	counts = map[string]Count{"a": {Value: 3, Persons: 3}, "b": {Value: 30, Persons: 30, State: Forced}}
	if _, err := Plan(one("post", counts)); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a complement that must be published: %v", err)
	}
}

func TestCountsThatDoNotAddUpAreRefused(t *testing.T) {
	in := one("post", map[string]Count{"a": {Value: 60, Persons: 60}, "b": {Value: 30, Persons: 30}})
	for i := range in.Tables[0].Counts {
		if in.Tables[0].Counts[i].State == Forced {
			in.Tables[0].Counts[i].Value++
		}
	}
	if _, err := Plan(in); err == nil || errors.Is(err, ErrUnsafe) {
		t.Errorf("parts of 90 in a total of 91: %v", err)
	}
	in = random(1, 100)
	in.Tables[1].Counts[0].Value++
	if _, err := Plan(in); err == nil || errors.Is(err, ErrUnsafe) {
		t.Errorf("two tables of two totals: %v", err)
	}
}

// In a table of two columns the smallest code joins the next smallest, in every row, and nothing needs to be withheld; the table of one column keeps its detail.
func TestCodesAreJoinedBeforeCellsAreWithheld(t *testing.T) {
	h := map[string]published.Hierarchy{"post": {"a": "_T", "b": "_T", "c": "_T", "d": "_T"}, "sex": {"F": "_T", "M": "_T"}}
	var events []event
	for i, n := range []int{3, 20, 200, 300} {
		for k := range n {
			events = append(events, event{len(events), map[string]string{"post": string(rune('a' + i)), "sex": []string{"F", "M"}[k%2]}})
		}
	}
	posts := []string{"_T", "a", "b", "c", "d"}
	cross := tabulate("cross", []string{"post", "sex"}, [][]string{posts, {"_T", "F", "M"}}, h, 5, events)
	cross.Counts = slices.DeleteFunc(cross.Counts, func(c Count) bool { return c.Codes[1] == "_T" && c.Codes[0] != "_T" })
	in := &Input{Tables: []Table{cross}, Hierarchies: h}
	want := map[string]int64{"returns|": 523, "returns|sex=F": 262, "returns|sex=M": 261, "returns|post=a+b|sex=F": 12, "returns|post=a+b|sex=M": 11,
		"returns|post=c|sex=F": 100, "returns|post=c|sex=M": 100, "returns|post=d|sex=F": 150, "returns|post=d|sex=M": 150}
	r, err := Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, c := range r.Tables[0].Cells {
		got[published.Key("returns", r.Tables[0].Columns, c.Codes)] = c.Value
	}
	if !reflect.DeepEqual(got, want) || r.Withheld != 0 {
		t.Errorf("%d withheld; cells %v", r.Withheld, got)
	}
	in.Join.With = map[string]map[string]string{"post": {"a": "d"}}
	if r, err = Plan(in); err != nil || r.Hierarchies["post"]["a"] != "a+d" || h["post"]["a"] != "_T" {
		t.Errorf("a is to join d: %v, %v; the input: %v", r.Hierarchies, err, h)
	}
	in.Join = Join{Never: "post"}
	if r, err = Plan(in); err == nil && r.Hierarchies["post"]["a"] != "_T" {
		t.Errorf("codes that must not be joined were: %v", r.Hierarchies)
	}
}

// Another table that has a code which was joined here gives a small cell away: the release must be refused.
func TestACellThatWasLeftOutMustNotBeComputable(t *testing.T) {
	in := random(2, 200)
	coarse := coarsened(in)
	r, err := plan(coarse)
	if err != nil || guardLeftOut(in, coarse, r) != nil || r.LeftOut == 0 {
		t.Fatalf("%v; %d cells left out", err, r.LeftOut)
	}
	for _, table := range in.Tables { // all is published but one cell of too few persons
		for _, c := range table.Counts {
			if c.Persons == 0 || c.Persons >= c.Threshold {
				continue
			}
			leak := published.Table{ID: "leak", Measure: table.Measure, Columns: table.Columns}
			for _, other := range table.Counts {
				if !slices.Equal(other.Codes, c.Codes) {
					leak.Cells = append(leak.Cells, published.Cell{Codes: other.Codes, Value: other.Value})
				}
			}
			if err := guardLeftOut(in, coarse, &Release{Tables: []published.Table{leak}}); !errors.Is(err, ErrUnsafe) {
				t.Errorf("%v of table %s is computable: %v", c.Codes, table.ID, err)
			}
		}
	}
}

// Elimination must find a cell that no single equation gives away.
func TestComputableAcrossTables(t *testing.T) {
	in := random(3, 400)
	f, err := newFrame(in)
	if err != nil {
		t.Fatal(err)
	}
	// Two cells of a place in two tables: each equation has two unknown cells, both together fix them.
	for _, k := range []string{"returns|place=a1", "returns|place=A", "returns|place=A|sex=F"} {
		f.Cells[f.index[k]].Withheld = true
	}
	var found []string
	for _, i := range f.computable() {
		found = append(found, f.keys[i])
	}
	if fmt.Sprint(found) != "[returns|place=A returns|place=A|sex=F returns|place=a1]" {
		t.Errorf("found %v", found)
	}
}
