package fit

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
	"retorno/schemas/tables"
)

// truth is a population that some table was counted from.
type truth struct {
	returns  []tables.Attributes
	assisted []bool
}

func (u *truth) tally(t *tables.Table) *tables.Tally {
	tally := tables.NewTally(t)
	for i := range u.returns {
		tally.Add(&u.returns[i], u.assisted[i])
	}
	return tally
}

var (
	someCountries   = []string{"", "US", "MX", "GT", "SV", "ES", "IT", "CO", "CU", "CA"}
	someModes       = []string{"", "air", "land", "sea"}
	someTypes       = []string{"", "deported", "assisted", "voluntary"}
	somePoints      = []string{"", "L-COR", "L-AGC", "A-SAP", "S-PCR"}
	someExits       = []string{"", "L-COR", "L-AGC", "X-BLD"}
	someCentres     = []string{"", "CAMR-SPS", "CAMR-OMO", "CANFM-BEL"}
	someDepartments = []string{"", "HN-CR", "HN-FM", "HN-GD", "HN-YO"}
	someSexes       = []string{"", "M", "F"}
	someCompany     = []string{"", "accompanied", "unaccompanied"}
	someMonths      = []string{"2019-11", "2019-12", "2020-01", "2020-02"}
	someReasons     = []string{"economic", "family", "violence", "health", "study", "other"}
)

// drawTruth draws a population of kinds of returns, each kind many times, so that many cells are large and others empty.
func drawTruth(t *rapid.T, kinds, copies int) *truth {
	u := &truth{}
	whole := rapid.Bool().Draw(t, "everything is stated")
	pick := func(codes []string, what string) string {
		if whole && codes[0] == "" {
			codes = codes[1:]
		}
		return rapid.SampledFrom(codes).Draw(t, what)
	}
	for range rapid.IntRange(1, kinds).Draw(t, "kinds") {
		a := tables.Attributes{
			Country: pick(someCountries, "country"), Mode: pick(someModes, "mode"), ReturnType: pick(someTypes, "type"),
			EntryPoint: pick(somePoints, "entry"), ExitPoint: pick(someExits, "exit"), Centre: pick(someCentres, "centre"),
			Department: pick(someDepartments, "department"), Sex: pick(someSexes, "sex"), Month: pick(someMonths, "month"),
			Age: rapid.SampledFrom([]int{-1, 0, 10, 11, 17, 18, 20, 21, 40, 77}).Draw(t, "age"),
		}
		if whole {
			a.Age = max(a.Age, 0)
		}
		if a.Age >= 0 && a.Age < 18 {
			a.Accompaniment = pick(someCompany, "company")
		}
		for _, r := range someReasons {
			if rapid.IntRange(0, 2).Draw(t, r) == 0 {
				a.Reasons = append(a.Reasons, r)
			}
		}
		helped := rapid.Bool().Draw(t, "helped")
		for range rapid.IntRange(1, copies).Draw(t, "copies") {
			u.returns = append(u.returns, a)
			u.assisted = append(u.assisted, helped)
		}
	}
	return u
}

// drawRows draws block and category pairs from the whole vocabulary.
func drawRows(t *rapid.T, blocks int) [][2]string {
	var rows [][2]string
	seen := map[string]bool{}
	moved := rapid.Bool().Draw(t, "cut at 21")
	for range rapid.IntRange(1, blocks).Draw(t, "blocks") {
		base := rapid.SampledFrom([]string{"country", "mode", "country_mode", "return_type", "entry_point", "exit_point",
			"centre", "department", "sex", "sex_age", "age", "accompaniment", "month", "minors", "adults",
			"reason_pct_multi", "assisted_people", "total"}).Draw(t, "base")
		name, ages := base, ""
		if base != "minors" && base != "adults" {
			prefixes := []string{"", "", "", "minors_", "adults_", "minors_by_", "adults_by_"}
			if base == "accompaniment" {
				prefixes = []string{"", "minors_", "minors_by_"}
			}
			ages = rapid.SampledFrom(prefixes).Draw(t, "age prefix")
		}
		land := rapid.SampledFrom([]string{"", "", "", "US_", "MX_", "CAM_", "EUR_", "GT_"}).Draw(t, "country prefix")
		if base == "country" || base == "country_mode" {
			land = ""
		}
		if rapid.Bool().Draw(t, "country first") {
			name = land + ages + name
		} else {
			name = ages + land + name
		}
		if base != "reason_pct_multi" && rapid.IntRange(0, 3).Draw(t, "percent") == 0 {
			name += "_pct"
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		for _, c := range drawCategories(t, base, ages, moved) {
			rows = append(rows, [2]string{name, c})
		}
	}
	return rows
}

func drawCategories(t *rapid.T, base, ages string, moved bool) []string {
	var all []string
	switch base {
	case "total", "assisted_people":
		return []string{"TOTAL"}
	case "minors", "adults":
		return []string{rapid.SampledFrom([]string{"TOTAL", base}).Draw(t, "category")}
	case "country":
		all = []string{"US", "MX", "GT", "ES", "CU", "CAM", "EUR", "SAM", "OTHER"}
	case "country_mode":
		all = []string{"US", "MX air", "MX land", "GT land", "CAM", "EUR air", "OTHER"}
	case "mode":
		all = someModes[1:]
	case "return_type":
		all = someTypes[1:]
	case "entry_point":
		all = append(slices.Clone(somePoints[1:]), "X-UNK", "OTHER")
	case "exit_point":
		all = append(slices.Clone(someExits[1:]), "X-UNK")
	case "centre":
		all = someCentres[1:]
	case "department":
		all = append(slices.Clone(someDepartments[1:]), "OTHER")
	case "sex":
		all = []string{"M", "F"}
	case "accompaniment":
		all = someCompany[1:]
	case "month":
		all = someMonths
	case "reason_pct_multi":
		all = someReasons
	case "age":
		all = map[string][]string{
			"":       {"0-10", "11-17", "18-20", "21-30", "31+", "minor", "adult", "11-20"},
			"minors": {"0-10", "11-17", "5-12", "minor"},
			"adults": {"21-30", "31+", "adult", "25+"},
		}[strings.SplitN(ages, "_", 2)[0]]
	case "sex_age":
		all = map[string][]string{
			"": {"men", "women", "boys", "girls", "minors"}, "minors": {"boys", "girls", "minors"}, "adults": {"men", "women"},
		}[strings.SplitN(ages, "_", 2)[0]]
	}
	var out []string
	most := rapid.SampledFrom([]int{2, 10}).Draw(t, "few or most") // few or most of the categories
	for _, c := range all {
		if rapid.IntRange(0, most).Draw(t, c) > 0 {
			out = append(out, c)
		}
	}
	if base == "sex_age" && moved {
		for i, c := range out {
			if c == "boys" || c == "girls" || c == "minors" {
				out[i] = c + "_0_20"
			}
		}
	}
	return out
}

const columns = "table_id,system,period_start,period_end,as_of,block,category,value,status,source\n"

// tableOf reads a table with these rows and values; nil values are zeros.
func tableOf(rows [][2]string, values []string) (*tables.Table, error) {
	var b bytes.Buffer
	b.WriteString(columns)
	w := csv.NewWriter(&b)
	for i, r := range rows {
		value := "0"
		if values != nil {
			value = values[i]
		}
		_ = w.Write([]string{"T", "made", "2019-11-03", "2020-02-20", "2020-03", r[0], r[1], value, "", ""})
	}
	w.Flush()
	return tables.Read(&b, "T")
}

// drawTable draws rows and counts the truth into them; rows that would not be true, or that mean nothing, are left out.
func drawTable(t *rapid.T, u *truth, blocks int) *tables.Table {
	rows := drawRows(t, blocks)
	if rapid.IntRange(0, 4).Draw(t, "total") > 0 {
		rows = append([][2]string{{"total", "TOTAL"}}, slices.DeleteFunc(rows, func(r [2]string) bool { return r[0] == "total" })...)
	}
	for {
		if len(rows) == 0 {
			rows = [][2]string{{"total", "TOTAL"}}
		}
		table, err := tableOf(rows, nil)
		if err != nil {
			bad, ok := faultyRow(err)
			if !ok {
				t.Fatalf("drawn rows: %v", err)
			}
			rows = slices.Delete(rows, bad, bad+1)
			continue
		}
		if bad := untrue(table, u); bad >= 0 {
			rows = slices.Delete(rows, bad, bad+1)
			continue
		}
		values := printed(t, table, u)
		table, err = tableOf(rows, values)
		if err != nil {
			t.Fatalf("counted rows: %v", err)
		}
		if !statesPopulation(table, int64(len(u.returns))) {
			if rows[0][0] == "total" {
				t.Fatal("a total does not state the population")
			}
			rows = append([][2]string{{"total", "TOTAL"}}, slices.DeleteFunc(rows, func(r [2]string) bool { return r[0] == "total" })...)
			continue
		}
		return table
	}
}

// faultyRow is the row that a fault of form is about: a category that is empty where it stands, or a block that needs
// the cut of sex_age blocks that cut at different ages.
func faultyRow(err error) (int, bool) {
	form, ok := err.(*tables.FormError)
	if !ok {
		return 0, false
	}
	return form.Faults[0].Line - 2, form.Faults[0].Column != "value"
}

// untrue finds a row that the truth cannot print: an OTHER with which the block does not reach its population, or a
// share of nothing.
func untrue(table *tables.Table, u *truth) int {
	tally := u.tally(table)
	for i, c := range table.Cells() {
		if _, base := tally.Count(i); c.Measure.Share() && base == 0 {
			return i
		}
	}
	for i := range table.Blocks {
		b := &table.Blocks[i]
		if b.Complete && !reaches(b, u) {
			for i, c := range table.Cells() {
				if c.Block == b.Name && c.Category == "OTHER" {
					return i
				}
			}
		}
	}
	return -1
}

// reaches reports whether every return of the block's population is in one of its cells.
func reaches(b *tables.Block, u *truth) bool {
	for i := range u.returns {
		in := !b.Base.Matches(&u.returns[i])
		for j := range b.Cells {
			in = in || b.Cells[j].Where.Matches(&u.returns[i])
		}
		if !in {
			return false
		}
	}
	return true
}

// printed prints the truth into a table; shares with a drawn number of decimals.
func printed(t *rapid.T, table *tables.Table, u *truth) []string {
	tally := u.tally(table)
	var values []string
	decimals := 0
	block := ""
	for i, c := range table.Cells() {
		if c.Block != block {
			block, decimals = c.Block, rapid.IntRange(0, 3).Draw(t, "decimals")
		}
		form := *c
		form.Decimals = decimals
		form.Units = -9 // no tie is printed like it
		n, base := tally.Count(i)
		values = append(values, tables.Format(&form, n, base))
	}
	return values
}

// statesPopulation reports whether the table says rightly how many returns there are: by a total, or by the rule for
// tables without one.
func statesPopulation(table *tables.Table, n int64) bool {
	for _, b := range table.Blocks {
		if b.Name == "total" {
			return true
		}
	}
	counts := false
	for _, c := range table.Cells() {
		counts = counts || !c.Measure.Share()
	}
	p := newProblem(table, n)
	return counts && (!p.ruled || p.least == n)
}

// text shows a table in messages.
func text(table *tables.Table) string {
	var b strings.Builder
	for _, c := range table.Cells() {
		fmt.Fprintf(&b, "%d: %s,%s,%s\n", c.Line, c.Block, c.Category, c.Printed)
	}
	return b.String()
}
