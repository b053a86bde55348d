package fit

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"retorno/schemas/codelists"
	"retorno/schemas/tables"
)

// largeTable counts a made population of n returns over eight years into dozens of blocks: all of the vocabulary, with
// prefixes, long lists and percentages.
func largeTable(t testing.TB, n int) *tables.Table {
	t.Helper()
	read := func(rows [][2]string, values []string) *tables.Table {
		var b bytes.Buffer
		b.WriteString(columns)
		w := csv.NewWriter(&b)
		for i, r := range rows {
			_ = w.Write([]string{"L", "made", "2015-01-01", "2022-12-31", "2023-02", r[0], r[1], values[i], "", ""})
		}
		w.Flush()
		table, err := tables.Read(&b, "L")
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	whole, err := Fit(read([][2]string{{"total", "TOTAL"}}, []string{fmt.Sprint(n)}), 11)
	if err != nil {
		t.Fatal(err)
	}
	rows := largeRows()
	zeros := slices.Repeat([]string{"0"}, len(rows))
	table := read(rows, zeros)
	tally := tables.NewTally(table)
	for a, times := range kindsOf(whole) {
		attributes := whole.At(a)
		tally.AddMany(&attributes, times[0], false)
		tally.AddMany(&attributes, times[1], true)
	}
	for i, c := range table.Cells() {
		if c.Measure.Share() {
			c.Decimals = i % 3
		}
	}
	return read(rows, tally.Values())
}

// kindsOf counts equal returns, not helped and helped, under the first of each.
func kindsOf(p *Population) map[int][2]int64 {
	type kind struct {
		values  [dims]uint16
		reasons uint8
	}
	first := map[kind]int{}
	out := map[int][2]int64{}
	for i := range p.Len() {
		k := kind{reasons: p.reasons[i]}
		for d := range dims {
			k.values[d] = p.values[d][i]
		}
		f, ok := first[k]
		if !ok {
			f = i
			first[k] = i
		}
		n := out[f]
		if p.Assisted(i) {
			n[1]++
		} else {
			n[0]++
		}
		out[f] = n
	}
	return out
}

func largeRows() (rows [][2]string) {
	months := []string{}
	for y := 2015; y <= 2022; y++ {
		for m := 1; m <= 12; m++ {
			months = append(months, fmt.Sprintf("%d-%02d", y, m))
		}
	}
	codes := func(name string, more ...string) (out []string) {
		l, _ := codelists.Get(name)
		for _, c := range l.Codes() {
			if c.Code != l.Unknown && c.Code != "X-NON" {
				out = append(out, c.Code)
			}
		}
		return append(out, more...)
	}
	ages := []string{"0-10", "11-20", "21-30", "31-40", "41-50", "51+"}
	reasons := codes(codelists.Reason)
	entries := slices.DeleteFunc(codes(codelists.BorderPoint), func(c string) bool { return c == "X-BLD" })
	countries := []string{"US", "MX", "GT", "BZ", "SV", "NI", "CR", "PA", "ES", "CA", "CO", "CL", "CU", "DO", "IT", "FR", "DE", "OTHER"}
	for _, b := range []struct {
		name       string
		categories []string
	}{
		{"total", []string{"TOTAL"}}, {"country", countries}, {"mode", codes(codelists.Mode)},
		{"country_mode", []string{"US", "MX air", "MX land", "CAM", "EUR", "OTHER"}},
		{"return_type", codes(codelists.ReturnType)}, {"US_return_type", codes(codelists.ReturnType)},
		{"entry_point", entries}, {"exit_point", codes(codelists.BorderPoint)}, {"minors_exit_point_pct", codes(codelists.BorderPoint)},
		{"MX_exit_point_pct", []string{"L-COR", "L-AGC"}}, {"centre", codes(codelists.Centre)}, {"minors_centre", codes(codelists.Centre)},
		{"department", codes(codelists.Department)}, {"US_department", codes(codelists.Department)},
		{"minors_department", codes(codelists.Department)}, {"MX_adults_department_pct", codes(codelists.Department)},
		{"sex", []string{"M", "F"}}, {"sex_age", []string{"men", "women", "boys_0_20", "girls_0_20"}},
		{"US_sex_age", []string{"men", "women", "boys", "girls"}}, {"MX_sex_age", []string{"men", "women", "boys", "girls"}},
		{"GT_sex_age", []string{"men", "women", "minors"}}, {"age", ages}, {"US_age", ages}, {"adults_age", ages[2:]},
		{"accompaniment", codes(codelists.Accompaniment)}, {"MX_accompaniment", codes(codelists.Accompaniment)},
		{"minors_by_country", countries}, {"adults_country", countries[:4]}, {"minors_by_mode", codes(codelists.Mode)},
		{"month", months}, {"US_month", months}, {"MX_month", months}, {"minors_month", months}, {"adults_month_pct", months[:24]},
		{"minors", []string{"TOTAL"}}, {"adults_sex", []string{"men", "women"}}, {"minors_sex", []string{"boys", "girls"}},
		{"reason_pct_multi", reasons}, {"minors_reason_pct_multi", reasons[:3]}, {"US_reason_pct_multi", reasons},
		{"assisted_people", []string{"TOTAL"}}, {"minors_assisted_people", []string{"TOTAL"}},
	} {
		for _, c := range b.categories {
			rows = append(rows, [2]string{b.name, c})
		}
	}
	return rows
}

// TestLargestTable: 490,000 returns over eight years come out, within seconds and tens of megabytes.
func TestLargestTable(t *testing.T) {
	table := largeTable(t, 490_000)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	p, err := Fit(table, 3)
	took := time.Since(start)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%d cells in %d blocks, %d returns: %v, %d bytes a return", len(table.Cells()), len(table.Blocks), p.Len(), took, held/int64(p.Len()))
	tally := tables.NewTally(table)
	for i, n := range kindsOf(p) {
		a := p.At(i)
		tally.AddMany(&a, n[0], false)
		tally.AddMany(&a, n[1], true)
	}
	for _, d := range tally.Differences() {
		t.Errorf("%s %s is %s, printed %s", d.Cell.Block, d.Cell.Category, d.Counted, d.Cell.Printed)
	}
	if held > 64*int64(p.Len()) {
		t.Errorf("a population holds %d bytes a return", held/int64(p.Len()))
	}
}

func BenchmarkFit490k(b *testing.B) {
	table := largeTable(b, 490_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Fit(table, 3); err != nil {
			b.Fatal(err)
		}
	}
}
