package lattice

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/disclosure/suppress"
	"retorno/schemas/codelists"
)

// weight is a code and how often it is drawn.
type weight struct {
	code  string
	share float64
}

func draw(r *rand.Rand, weights []weight) string {
	x := r.Float64()
	for _, w := range weights {
		if x -= w.share; x < 0 {
			return w.code
		}
	}
	return weights[0].code
}

// The shares are those of a register made from the published table of 2016-S1: what the tables do not say is an assumption.
var (
	routes = []weight{{"MX-LAND", .506}, {"US-AIR", .423}, {"GT-LAND", .034}, {"MX-AIR", .021}, {"BZ-LAND", .0037}, {"ES-AIR", .0022}, {"SV-LAND", .002},
		{"NI-LAND", .0018}, {"PA-AIR", .0014}, {"BZ-SEA", .001}, {"GT-AIR", .0007}, {"CR-AIR", .001}, {"CO-AIR", .0009}}
	departments = []weight{{"HN-CR", .203}, {"HN-FM", .129}, {"HN-YO", .111}, {"HN-CM", .078}, {"HN-SB", .061}, {"HN-CP", .056}, {"HN-AT", .055}, {"HN-LE", .046},
		{"HN-CL", .044}, {"HN-OL", .04}, {"HN-CH", .034}, {"HN-EP", .029}, {"HN-IN", .027}, {"XX", .026}, {"HN-VA", .023}, {"HN-OC", .019}, {"HN-LP", .0125}, {"HN-IB", .006}, {"HN-GD", .0005}}
	ages = []weight{{"21-30", .392}, {"31-40", .286}, {"41-50", .126}, {"18-20", .067}, {"51+", .042}, {"13-17", .028}, {"0-5", .0255}, {"7-10", .016},
		{"11", .006}, {"12", .0062}, {"6", .0042}}
	entries = []weight{{"L-COR", .453}, {"A-SAP", .435}, {"L-AGC", .079}, {"A-TGU", .014}, {"L-FLO", .0079}, {"L-AMA", .0035}, {"L-POY", .0032}, {"L-LMA", .0021}, {"L-GUA", .0017}, {"S-PCR", .0009}}
	centres = []weight{{"CAMR-OMO", .503}, {"CAMR-SPS", .411}, {"CANFM-BEL", .086}}
	types   = []weight{{"deported", .931}, {"assisted", .049}, {"voluntary", .02}}
	kinds   = []weight{{"food", .34}, {"hygiene_kit", .18}, {"clothing", .07}, {"medicine", .04}, {"medical", .06}, {"psychological", .04}, {"phone_call", .09}, {"transport", .13}, {"lodging", .02}, {"information", .03}}
	results = []weight{{"genuine", .72}, {"not_checked", .2}, {"suspected_false", .01}, {"confirmed_false", .005}, {"none_carried", .05}, {"unknown", .015}}
)

// population makes the microdata of a half-year with that many registered returns, of which 17,064 of 27,086 left by Corinto.
func population(seed uint64, halfYear string, returns int) []Data {
	r := rand.New(rand.NewPCG(seed, 21))
	towns := map[string][]string{}
	list, _ := codelists.Get(codelists.Municipality)
	for _, c := range list.Codes() {
		towns[c.Attrs["department"]] = append(towns[c.Attrs["department"]], c.Code)
	}
	span, _ := calendar(halfYear)
	made := Data{Measure: "returns", Columns: []string{"source", "route", "exit_point", "sex", "age", "accompanied", "residence", "entry_point", "centre", "return_type"}}
	helps := Data{Measure: "helps", Columns: []string{"kind", "centre"}}
	people := Data{Measure: "people", Columns: []string{"sex", "age"}}
	byKind := Data{Measure: "people_by_kind", Columns: []string{"kind"}}
	crossings := Data{Measure: "crossings", Columns: []string{"result", "post"}}
	for i, registered := 0, 0; registered < returns; i++ {
		source := draw(r, []weight{{"both", .76}, {"registered_only", .04}, {"post_only", .20}})
		exit := "X-UNK"
		if source != "post_only" {
			if registered%27086 < 17064 {
				exit = "L-COR"
			}
			registered++
		}
		person, month := fmt.Sprint("person ", i), span.of["M"][r.IntN(6)]
		if i > 10 && r.IntN(20) == 0 {
			person = fmt.Sprint("person ", r.IntN(i))
		}
		sex, age, accompanied := draw(r, []weight{{"M", .83}, {"F", .17}}), draw(r, ages), "unknown"
		if slices.Contains([]string{"0-5", "6", "7-10", "11", "12", "13-17"}, age) {
			sex = draw(r, []weight{{"M", .63}, {"F", .37}})
			accompanied = draw(r, []weight{{"accompanied", .65}, {"unaccompanied", .35}})
		}
		// Some towns are far larger than others.
		department := draw(r, departments)
		in := towns[department]
		town := department
		if len(in) > 0 {
			if town = in[min(r.IntN(len(in)), r.IntN(len(in)))]; r.IntN(50) == 0 {
				town = department + "-XX"
				if department == "HN-IB" || department == "HN-GD" {
					town = "HN-IBGD-XX"
				}
			}
		}
		centre, entry := draw(r, centres), draw(r, entries)
		made.Rows = append(made.Rows, Row{Person: person, Month: month, Codes: []string{source, draw(r, routes), exit, sex, age, accompanied, town, entry, centre, draw(r, types)}})
		if source != "post_only" && r.IntN(2) == 0 {
			kind := draw(r, kinds)
			helps.Rows = append(helps.Rows, Row{Person: person, Month: month, Codes: []string{kind, centre}})
			people.Rows = append(people.Rows, Row{Person: person, Month: month, Codes: []string{sex, age}})
			byKind.Rows = append(byKind.Rows, Row{Person: person, Month: month, Codes: []string{kind}})
		}
		if source != "registered_only" {
			crossings.Rows = append(crossings.Rows, Row{Person: person, Month: month, Codes: []string{draw(r, results), entry}})
		}
	}
	return []Data{made, helps, people, byKind, crossings}
}

// shares returns how many different cells the tables have, and how many are withheld, in T8 and outside it.
func shares(r *suppress.Release) (outside, outsideHidden, t8, t8Hidden int) {
	seen := map[string]bool{}
	for _, of8 := range []bool{false, true} {
		for _, t := range r.Tables {
			if (t.ID == "T8") != of8 {
				continue
			}
			for _, c := range t.Cells {
				k := published.Key(t.Measure, t.Columns, c.Codes)
				if seen[k] {
					continue
				}
				seen[k] = true
				n, hidden := &outside, &outsideHidden
				if of8 {
					n, hidden = &t8, &t8Hidden
				}
				if *n++; c.Withheld {
					*hidden++
				}
			}
		}
	}
	return
}

func release(t testing.TB, l *Lattice, halfYear string, data []Data) *suppress.Release {
	t.Helper()
	in, err := l.Tabulate(halfYear, data...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := suppress.Plan(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAHalfYear(t *testing.T) {
	l := shippedOrFail(t)
	data := population(1, "2016-S1", 27086)
	r := release(t, l, "2016-S1", data)
	outside, outsideHidden, t8, t8Hidden := shares(r)
	t.Logf("seed 1: %d of %d cells outside T8 withheld, %d of %d of T8; %d linear programs", outsideHidden, outside, t8Hidden, t8, r.Audit.LPs)
	if outsideHidden*50 > outside || t8Hidden*100 > t8*15 {
		t.Errorf("withheld: %d of %d outside T8 (at most 2 %%), %d of %d of T8 (at most 15 %%)", outsideHidden, outside, t8Hidden, t8)
	}
	want := map[string]int64{"returns|source=registered|time_period=2016-S1": 27086, "returns|exit_point=L-COR|source=registered|time_period=2016-S1": 17064}
	for _, table := range r.Tables {
		for _, c := range table.Cells {
			if k := published.Key(table.Measure, table.Columns, c.Codes); want[k] != 0 && (c.Withheld || c.Value != want[k]) {
				t.Errorf("table %s: %s is %d (withheld: %v), want %d", table.ID, k, c.Value, c.Withheld, want[k])
			}
		}
	}
	found, err := attack.Run(&attack.Input{Hierarchies: r.Hierarchies, Vintages: []published.Vintage{{ID: "A", Tables: r.Tables}}, Threshold: 5})
	if err != nil || len(found) > 0 {
		t.Errorf("the attack finds %d cells, %v: %v", len(found), err, found)
	}
}

// Forms that do not say, rare exit points and a small country of return make many cells of too few persons; they must be protected, too.
func TestHalfYearsWithManySmallCells(t *testing.T) {
	l := shippedOrFail(t)
	for seed, returns := range []int{3000, 27086} {
		data := population(uint64(seed), "2016-S1", returns)
		r := rand.New(rand.NewPCG(uint64(seed), 23))
		exits := []string{"L-AGC", "L-FLO", "L-AMA", "L-GUA", "L-POY", "X-BLD"}
		for _, row := range data[0].Rows {
			if r.IntN(400) == 0 {
				row.Codes[3] = "U"
			}
			if r.IntN(300) == 0 {
				row.Codes[4], row.Codes[5] = "unknown", "unknown"
			}
			if r.IntN(20) == 0 {
				row.Codes[2] = exits[min(r.IntN(len(exits)), r.IntN(len(exits)))]
			}
		}
		got := release(t, l, "2016-S1", data)
		outside, hidden, t8, t8Hidden := shares(got)
		t.Logf("%d returns, seed %d: %d of %d cells outside T8 withheld, %d of %d of T8; %d left out of the tables", returns, seed, hidden, outside, t8Hidden, t8, got.LeftOut)
		if got.LeftOut == 0 || hidden*50 > outside {
			t.Errorf("%d left out, %d of %d withheld outside T8", got.LeftOut, hidden, outside)
		}
		joined, err := l.Joined("2016-S1", got.Tables)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range got.Tables {
			for _, c := range table.Cells {
				for j, column := range table.Columns {
					col, ok := l.Column(column)
					if !ok {
						continue
					}
					for code := range col.Label {
						if is, was := joined[column].Within(code, c.Codes[j]), got.Hierarchies[column].Within(code, c.Codes[j]); is != was {
							t.Fatalf("%s: that %s is within %s, from what is published: %v; and it was %v", column, code, c.Codes[j], is, was)
						}
					}
				}
			}
		}
		found, err := attack.Run(&attack.Input{Hierarchies: got.Hierarchies, Vintages: []published.Vintage{{ID: "A", Tables: got.Tables}}, Threshold: 5})
		if err != nil || len(found) > 0 {
			t.Errorf("the attack finds %d cells, %v: %v", len(found), err, found)
		}
	}
}

func BenchmarkHalfYear(b *testing.B) {
	l := shippedOrFail(b)
	data := population(1, "2016-S1", 27086)
	for b.Loop() {
		r := release(b, l, "2016-S1", data)
		outside, outsideHidden, t8, t8Hidden := shares(r)
		b.ReportMetric(float64(outside), "cells")
		b.ReportMetric(float64(outsideHidden), "withheld")
		b.ReportMetric(float64(t8), "T8-cells")
		b.ReportMetric(float64(t8Hidden), "T8-withheld")
		b.ReportMetric(float64(r.Audit.LPs), "LPs")
	}
}

func BenchmarkSixteenHalfYears(b *testing.B) {
	l := shippedOrFail(b)
	data := make([][]Data, 16)
	for i := range data {
		data[i] = population(uint64(i+1), name(i), 490_000/16)
	}
	for b.Loop() {
		for i, d := range data {
			release(b, l, name(i), d)
		}
	}
}

func name(i int) string { return fmt.Sprintf("%d-S%d", 2010+i/2, 1+i%2) }
