package tables

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const header = "table_id,system,period_start,period_end,as_of,block,category,value,status,source\n"

// rows makes a file of one table T from "block,category,value" lines.
func rows(lines ...string) string {
	var b strings.Builder
	b.WriteString(header)
	for _, l := range lines {
		fmt.Fprintf(&b, "T,INM,2020-01-01,2020-12-31,2021-01,%s,published,x\n", l)
	}
	return b.String()
}

func mustRead(t *testing.T, lines ...string) *Table {
	t.Helper()
	table, err := Read(strings.NewReader(rows(lines...)), "T")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestReadsTheTablesThatComeWithTheProgram(t *testing.T) {
	ids, err := IDs(bytes.NewReader(Dev()))
	if err != nil || !slices.Equal(ids, []string{"A02", "A04", "A14", "N01", "S01"}) {
		t.Fatalf("ids %v, %v", ids, err)
	}
	want := map[string]struct{ blocks, cells int }{"A02": {5, 18}, "A04": {5, 26}, "A14": {2, 2}, "N01": {7, 18}, "S01": {1, 1}}
	for _, id := range ids {
		table, err := Read(bytes.NewReader(Dev()), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(table.Cells()); got != want[id].cells || len(table.Blocks) != want[id].blocks {
			t.Errorf("%s: %d blocks, %d cells; want %v", id, len(table.Blocks), got, want[id])
		}
	}
	table, err := Read(bytes.NewReader(Dev()), "A14")
	if err != nil {
		t.Fatal(err)
	}
	c := table.Cells()[1]
	if c.Line != 47 || c.Units != 63 || c.Decimals != 0 || c.Measure != Percent || !slices.Equal(c.Where.ExitPoints, []string{"L-COR"}) || !c.Base.All() {
		t.Errorf("A14 exit point: %+v", c)
	}
	if table.First.String() != "2016-01-01" || table.Last.String() != "2016-06-30" || table.AsOf != "2016-08" || table.System != "CENISS" {
		t.Errorf("A14: %+v", table)
	}
}

func TestWriteGivesTheFileBack(t *testing.T) {
	all := string(Dev())
	for _, id := range []string{"A02", "A04", "A14", "N01", "S01"} {
		table, err := Read(strings.NewReader(all), id)
		if err != nil {
			t.Fatal(err)
		}
		want := header
		for _, line := range strings.SplitAfter(all, "\n") {
			if strings.HasPrefix(line, id+",") {
				want += line
			}
		}
		var values []string
		for _, c := range table.Cells() {
			values = append(values, c.Printed)
		}
		var out bytes.Buffer
		if err := Write(&out, table, values); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%s written:\n%s\nread:\n%s", id, out.String(), want)
		}
		if err := Write(&out, table, values[1:]); err == nil {
			t.Errorf("%s: a missing value was not noticed", id)
		}
	}
}

func TestOtherFormsOfTheFile(t *testing.T) {
	text := rows(`"total","TOTAL","10"`, "sex,M,7", " sex , F ,3") + ",,,,,,,,,\n\n"
	text = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
	table, err := Read(strings.NewReader(text), "T")
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Cells()[2]; got.Line != 4 || got.Category != "F" || got.Units != 3 {
		t.Errorf("%+v", got)
	}
}

func TestUnknownTable(t *testing.T) {
	_, err := Read(bytes.NewReader(Dev()), "A99")
	var unknown *UnknownTableError
	if !errors.Is(err, ErrUnknownTable) || !errors.As(err, &unknown) || !strings.Contains(err.Error(), "A02, A04, A14, N01, S01") {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty file", "", []string{"line 1, header"}},
		{"semicolons", strings.ReplaceAll(header, ",", ";"), []string{"line 1, header"}},
		{"open quote", rows("total,TOTAL,10") + "T,\"INM,2020", []string{"line 3, row", "closed quotes"}},
		{"too few fields", header + "T,INM,2020-01-01\n", []string{"line 2, row", "3 fields"}},
		{"no id", header + ",INM,2020-01-01,2020-12-31,,total,TOTAL,1,,\n", []string{"line 2, table_id"}},
		{"unknown block", rows("total,TOTAL,10", "shoe_size,44,3"), []string{"line 3, block", "shoe_size", "country_mode"}},
		{"unknown category", rows("mode,rocket,10"), []string{"line 2, category", "rocket", "air, land, sea"}},
		{"unknown country", rows("country,ZZ,10"), []string{"line 2, category", "ZZ"}},
		{"unknown prefix", rows("ZZ_sex,M,10"), []string{"line 2, block", "ZZ"}},
		{"two prefixes", rows("US_MX_sex,M,10"), []string{"line 2, block", "one restriction"}},
		{"value with separator", rows(`total,TOTAL,"27,086"`), []string{"line 2, value", "27,086", "27086"}},
		{"fraction of a return", rows("total,TOTAL,1.5"), []string{"line 2, value"}},
		{"negative", rows("total,TOTAL,-1"), []string{"line 2, value"}},
		{"empty value", rows("total,TOTAL,"), []string{"line 2, value"}},
		{"decimal comma", rows(`mode_pct,air,"63,5"`), []string{"line 2, value", "92.93"}},
		{"twice", rows("sex,M,1", "sex,M,1"), []string{"line 3, category", "line 2"}},
		{"twice in other words", rows("minors_sex,M,1", "minors_sex,boys,1"), []string{"line 3, category", "line 2"}},
		{"boys of all ages", rows("sex,boys,1"), []string{"line 2, category", "M, F"}},
		{"boys among adults", rows("adults_sex_age,boys,1"), []string{"line 2, category", "no age is both"}},
		{"country outside its prefix", rows("US_country,MX,1"), []string{"line 2, category", "no country is both"}},
		{"accompaniment of adults", rows("adults_accompaniment,accompanied,1"), []string{"line 2, block"}},
		{"blind entry", rows("entry_point,X-BLD,1"), []string{"line 2, category"}},
		{"not registered", rows("centre,X-NON,1"), []string{"line 2, category"}},
		{"age band", rows("age,30-20,1"), []string{"line 2, category"}},
		{"month", rows("month,2020-13,1"), []string{"line 2, category"}},
		{"everything wrong at once", rows("total,TOTAL,x", "mode,rocket,y", "shoe_size,1,1"),
			[]string{"line 2, value", "line 3, category", "line 3, value", "line 4, block"}},
		{"period", header + "T,a,2020-01-01,2019-01-01,,total,TOTAL,1,,\nT,b,2020-01-01,2020-01-02,,sex,M,1,,\n",
			[]string{"line 2, period_end", "line 3, system", "line 3, period_end"}},
		{"not a day", header + "T,a,2020-02-30,2020-03-01,,total,TOTAL,1,,\n", []string{"line 2, period_start"}},
		{"not UTF-8", rows("total,TOTAL,\xff"), []string{"line 2, value", "UTF-8"}},
		{"differing cuts", rows("US_sex_age,boys,1", "MX_sex_age,boys_0_20,1", "minors_by_country,US,1"), []string{"line 4, block", "one cut"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text), "T")
			var form *FormError
			if !errors.As(err, &form) {
				t.Fatalf("not refused as a fault of form: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
}

func TestOtherTablesAreNotJudged(t *testing.T) {
	text := rows("total,TOTAL,10") + "OTHER,INM,never,never,,shoe_size,1,x,,\n"
	if _, err := Read(strings.NewReader(text), "T"); err != nil {
		t.Fatal(err)
	}
}

func TestMeaningOfCategories(t *testing.T) {
	us := Attributes{Country: "US", Mode: "air", Sex: "M", Age: 17, Month: "2020-03"}
	mx := Attributes{Country: "MX", Mode: "land", Sex: "F", Age: 19}
	gt := Attributes{Country: "GT", Mode: "land", Sex: "F", Age: 40, Reasons: []string{"economic", "family"}, ExitPoint: "L-COR"}
	sv := Attributes{Country: "SV", Mode: "sea", Sex: "M", Age: -1, Department: "HN-CR"}
	none := Attributes{Age: -1}
	tests := []struct {
		block, category string
		also            []string // further rows of the table
		want            []*Attributes
	}{
		{"total", "TOTAL", nil, []*Attributes{&us, &mx, &gt, &sv, &none}},
		{"country", "CAM", nil, []*Attributes{&gt, &sv}},
		{"country", "CAM", []string{"country,GT,1"}, []*Attributes{&sv}},
		{"country", "OTHER", []string{"country,GT,1", "country,US,1"}, []*Attributes{&mx, &sv}},
		{"country", "OTHER", []string{"country,CAM,1"}, []*Attributes{&us, &mx}},
		{"country", "XX", nil, []*Attributes{&none}},
		{"country_mode", "MX land", nil, []*Attributes{&mx}},
		{"country_mode", "CAM land", []string{"country_mode,SV sea,1"}, []*Attributes{&gt}},
		{"country_mode", "OTHER", []string{"country_mode,US,1", "country_mode,GT land,1", "country_mode,GT air,1"}, []*Attributes{&mx, &sv}},
		{"country_mode", "OTHER", []string{"country_mode,MX air,1", "country_mode,CAM,1"}, []*Attributes{&us, &mx}},
		{"sex_age", "women", nil, []*Attributes{&mx, &gt}},
		{"sex_age", "women", []string{"sex_age,boys_0_20,1"}, []*Attributes{&gt}},
		{"sex_age", "girls", []string{"sex_age,boys_0_20,1"}, []*Attributes{&mx}},
		{"sex_age", "minors_0_20", nil, []*Attributes{&us, &mx}},
		{"minors_sex", "boys", nil, []*Attributes{&us}},
		{"minors_sex", "M", nil, []*Attributes{&us}},
		{"adults_sex", "women", nil, []*Attributes{&mx, &gt}},
		{"minors_by_country", "MX", nil, nil},
		{"minors_by_country", "MX", []string{"sex_age,boys_0_20,1"}, []*Attributes{&mx}},
		{"minors_country", "MX", []string{"sex_age,boys_0_20,1"}, nil},
		{"adults_by_country", "OTHER", []string{"sex_age,boys_0_20,1"}, []*Attributes{&gt}},
		{"US_minors", "TOTAL", nil, []*Attributes{&us}},
		{"minors_US_mode", "air", nil, []*Attributes{&us}},
		{"CAM_minors_sex", "F", nil, nil},
		{"CAM_sex", "F", nil, []*Attributes{&gt}},
		{"age", "adult", nil, []*Attributes{&mx, &gt}},
		{"age", "minor", nil, []*Attributes{&us}},
		{"age", "19-40", nil, []*Attributes{&mx, &gt}},
		{"age", "40+", nil, []*Attributes{&gt}},
		{"minors", "minors", nil, []*Attributes{&us}},
		{"adults", "TOTAL", nil, []*Attributes{&mx, &gt}},
		{"month", "2020-03", nil, []*Attributes{&us}},
		{"reason_pct_multi", "family", nil, []*Attributes{&gt}},
		{"exit_point", "X-UNK", nil, []*Attributes{&us, &mx, &sv, &none}},
		{"exit_point", "L-COR", nil, []*Attributes{&gt}},
		{"department", "OTHER", []string{"department,HN-FM,1"}, []*Attributes{&sv}},
	}
	for _, tt := range tests {
		t.Run(tt.block+" "+tt.category+" "+strings.Join(tt.also, ";"), func(t *testing.T) {
			table := mustRead(t, append([]string{tt.block + "," + tt.category + ",1"}, tt.also...)...)
			cell := table.Cells()[0]
			for _, a := range []*Attributes{&us, &mx, &gt, &sv, &none} {
				if got := cell.Where.Matches(a); got != slices.Contains(tt.want, a) {
					t.Errorf("selects %+v: %v", *a, got)
				}
				if cell.Where.Matches(a) && !cell.Base.Matches(a) {
					t.Errorf("%+v is in the cell and not in its population", *a)
				}
			}
		})
	}
}

func TestPopulations(t *testing.T) {
	table := mustRead(t, "accompaniment,accompanied,3", "minors_exit_point_pct,L-AGC,90", "US_reason_pct_multi,health,1.5",
		"country,OTHER,4", "country,US,9", "assisted_people_pct,TOTAL,80")
	minor, adult := Attributes{Country: "US", Age: 3}, Attributes{Country: "US", Age: 30, Reasons: []string{"other"}}
	want := [][2]bool{{true, false}, {true, false}, {false, true}, {true, true}, {true, true}}
	for i, b := range table.Blocks {
		if got := [2]bool{b.Base.Matches(&minor), b.Base.Matches(&adult)}; got != want[i] {
			t.Errorf("%s: %v", b.Name, got)
		}
	}
	measures := []Measure{Returns, Percent, ReasonPercent, Returns, Returns, AssistedPercent}
	for i, c := range table.Cells() {
		if c.Measure != measures[i] {
			t.Errorf("%s: measure %d", c.Block, c.Measure)
		}
	}
	if b := table.Blocks[3]; !b.Complete || table.Blocks[0].Complete {
		t.Error("a block is complete when it names OTHER")
	}
}

func TestFormat(t *testing.T) {
	share := func(units int64, decimals int) *Cell {
		return &Cell{Measure: Percent, Units: units, Decimals: decimals}
	}
	tests := []struct {
		cell *Cell
		n, b int64
		want string
	}{
		{&Cell{Measure: Returns}, 27086, 0, "27086"},
		{share(63, 0), 17064, 27086, "63"},
		{share(630, 1), 17064, 27086, "63.0"},
		{share(9293, 2), 3170, 3411, "92.93"},
		{share(0, 2), 1, 300, "0.33"},
		{share(0, 2), 1, 3000, "0.03"},
		{share(99, 0), 1, 8, "13"}, // 12.5 away from zero
		{share(12, 0), 1, 8, "12"}, // as its publisher rounded it
		{share(13, 0), 1, 8, "13"},
		{share(2, 0), 1, 40, "2"},
		{share(0, 1), 0, 0, "0.0"},
		{share(0, 6), 490000, 490000, "100.000000"},
	}
	for _, tt := range tests {
		if got := Format(tt.cell, tt.n, tt.b); got != tt.want {
			t.Errorf("%d of %d with %d decimals: %s, want %s", tt.n, tt.b, tt.cell.Decimals, got, tt.want)
		}
	}
}

// TestFormatAndAgreesTellTheSame: what is printed for a count agrees with it, and its neighbours do not.
func TestFormatAndAgreesTellTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Int64Range(1, 500000).Draw(t, "base")
		n := rapid.Int64Range(0, base).Draw(t, "n")
		c := &Cell{Measure: Percent, Decimals: rapid.IntRange(0, 4).Draw(t, "decimals"), Units: -5}
		units, decimals, err := parseValue(Format(c, n, base), true)
		if err != nil || decimals != c.Decimals {
			t.Fatalf("%s: %v", Format(c, n, base), err)
		}
		for d := int64(-2); d <= 2; d++ {
			near := *c
			near.Units = units + d
			if near.Units < 0 {
				continue
			}
			asPrinted := fmt.Sprintf("%0*d", decimals+1, near.Units)
			if decimals > 0 {
				asPrinted = asPrinted[:len(asPrinted)-decimals] + "." + asPrinted[len(asPrinted)-decimals:]
			}
			agrees := Agrees(&near, n, base)
			if agrees != (Format(&near, n, base) == asPrinted) || d == 0 && !agrees || d < -1 && agrees || d > 1 && agrees {
				t.Fatalf("%d of %d printed %s: agrees %v", n, base, asPrinted, agrees)
			}
		}
	})
}

func TestTally(t *testing.T) {
	table := mustRead(t, "total,TOTAL,3", "sex_pct,M,33.3", "reason_pct_multi,economic,50", "assisted_people,TOTAL,1", "sex_pct,F,1.0")
	tally := NewTally(table)
	tally.Add(&Attributes{Sex: "M", Age: 1, Reasons: []string{"economic"}}, true)
	tally.Add(&Attributes{Sex: "F", Age: 1, Reasons: []string{"health"}}, false)
	tally.Add(&Attributes{Age: 1}, false)
	if got := strings.Join(tally.Values(), " "); got != "3 33.3 50 1 33.3" {
		t.Error(got)
	}
	diff := tally.Differences()
	if len(diff) != 1 || diff[0].Cell.Line != 6 || diff[0].Counted != "33.3" {
		t.Errorf("%+v", diff)
	}
}

// TestTallyIsTheFilters: counting many cells at once counts what the filters of the cells say.
func TestTallyIsTheFilters(t *testing.T) {
	table := mustRead(t, "total,TOTAL,1", "country,US,1", "country,CAM,1", "country,OTHER,1", "country,XX,1", "US_country_pct,US,1", "CAM_country,GT,1",
		"country_mode,MX air,1", "country_mode,OTHER,1", "sex,M,1", "minors_sex,boys,1", "US_minors_sex_pct,F,1", "sex_age,men,1",
		"age,11-17,1", "minors_age,11-17,1", "minors_age,minor,1", "accompaniment,accompanied,1", "month,2020-03,1", "exit_point,X-UNK,1",
		"department_pct,HN-CR,1", "reason_pct_multi,health,1", "minors_reason_pct_multi,health,1", "assisted_people,TOTAL,1",
		"US_assisted_people_pct,TOTAL,1", "minors,TOTAL,1", "US_total,TOTAL,1")
	cells := table.Cells()
	rapid.Check(t, func(t *rapid.T) {
		tally := NewTally(table)
		nums, bases := make([]int64, len(cells)), make([]int64, len(cells))
		for range rapid.IntRange(1, 5).Draw(t, "returns") {
			a := Attributes{
				Country: rapid.SampledFrom([]string{"", "US", "MX", "GT", "SV", "ES"}).Draw(t, "country"),
				Mode:    rapid.SampledFrom([]string{"", "air", "unknown"}).Draw(t, "mode"),
				Sex:     rapid.SampledFrom([]string{"", "M", "F"}).Draw(t, "sex"), Age: rapid.IntRange(-1, 20).Draw(t, "age"),
				Month:         rapid.SampledFrom([]string{"2020-03", "2020-04"}).Draw(t, "month"),
				ExitPoint:     rapid.SampledFrom([]string{"", "X-UNK", "L-COR"}).Draw(t, "exit"),
				Department:    rapid.SampledFrom([]string{"", "HN-CR"}).Draw(t, "department"),
				Accompaniment: rapid.SampledFrom([]string{"", "accompanied"}).Draw(t, "accompaniment"),
				Reasons:       rapid.SampledFrom([][]string{nil, {"health"}, {"family"}, {"family", "health"}}).Draw(t, "reasons"),
			}
			n, helped := rapid.Int64Range(1, 3).Draw(t, "times"), rapid.Bool().Draw(t, "helped")
			tally.AddMany(&a, n, helped)
			for i, c := range cells {
				if c.Where.Matches(&a) && (helped || !c.Measure.Assisted()) {
					nums[i] += n
				}
				if c.Measure.Share() && c.Base.Matches(&a) {
					bases[i] += n
				}
			}
		}
		for i, c := range cells {
			if n, b := tally.Count(i); n != nums[i] || b != bases[i] {
				t.Fatalf("%s %s: %d of %d, by the filters %d of %d", c.Block, c.Category, n, b, nums[i], bases[i])
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	f.Add(string(Dev()), "A02")
	f.Add(rows("US_minors_by_country_pct,OTHER,1.0"), "T")
	f.Fuzz(func(t *testing.T, text, id string) {
		table, err := Read(strings.NewReader(text), id)
		if err != nil {
			return
		}
		// What was accepted has a meaning in every cell, and survives being written.
		tally := NewTally(table)
		tally.Add(&Attributes{Country: "US", Age: 20, Month: "2016-01"}, true)
		var out bytes.Buffer
		var values []string
		for _, c := range table.Cells() {
			values = append(values, c.Printed)
		}
		if err := Write(&out, table, values); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&out, id)
		if err != nil || len(again.Cells()) != len(table.Cells()) {
			t.Fatalf("not read again: %v", err)
		}
	})
}
