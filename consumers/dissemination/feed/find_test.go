package feed_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
)

// rows asks for a table as CSV and returns its rows by the codes of its dimensions; the whole answer is of one vintage.
func rows(t *testing.T, query, vintage string) (counts, statuses map[string]string) {
	t.Helper()
	resp, body := get(t, handler(), feed.PathCSV+"?"+query)
	all, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if resp.StatusCode != 200 || err != nil {
		t.Fatalf("%s: %d %v %s", query, resp.StatusCode, err, body)
	}
	counts, statuses = map[string]string{}, map[string]string{}
	head := all[0]
	for _, r := range all[1:] {
		var codes []string
		for i, column := range head[1 : len(head)-4] {
			if !strings.HasSuffix(column, "_label") {
				codes = append(codes, r[i+1])
			}
		}
		n := len(r)
		if key := strings.Join(codes, " "); counts[key] != "" || r[n-1] != vintage {
			t.Errorf("%s: row %v stands twice or is not of %s", query, r, vintage)
		} else {
			statuses[key], counts[key] = r[n-3], r[n-2]
		}
	}
	return counts, statuses
}

// sum adds counts up.
func sum(t *testing.T, counts map[string]string) (n int) {
	t.Helper()
	for key, text := range counts {
		one, err := strconv.Atoi(text)
		if err != nil {
			t.Errorf("%s: %q is no count", key, text)
		}
		n += one
	}
	return n
}

// TestExactOnceFinal: the final vintage gives every count as it is, and the parts add up.
func TestExactOnceFinal(t *testing.T) {
	counts, statuses := rows(t, "period=2016-S1&by=exit_point", "2016-S1/2")
	if counts["L-COR"] != fmt.Sprint(vintagestest.Corinto) || statuses["L-COR"] != "A" || len(counts) != 8 {
		t.Errorf("Corinto is %s, %s, of %d exit points", counts["L-COR"], statuses["L-COR"], len(counts))
	}
	for _, by := range []string{"", "route", "sex", "age_group", "exit_point", "centre", "return_type", "month", "quarter", "half_year", "sex,age_group", "month,route", "quarter,exit_point",
		"exit_point,sex,age_group", "route,sex,age_group", "month,sex,age_group"} {
		if counts, _ := rows(t, "period=2016-S1&by="+by, "2016-S1/2"); sum(t, counts) != vintagestest.Registered {
			t.Errorf("by=%s adds up to %d", by, sum(t, counts))
		}
	}
}

// TestTheFinestCodes: of the tables with the columns the one with the finest codes answers, and no row is a part of another.
func TestTheFinestCodes(t *testing.T) {
	for query, want := range map[string]string{
		"by=age_group":     "0-5 11-12 13-17 18-20 21-30 31-40 41-50 51+ 6-10 unknown",
		"by=sex,age_group": "F M",
		"by=route":         "CAM GT MX-AIR MX-LAND REST US",
	} {
		counts, _ := rows(t, "period=2016-S1&"+query, "2016-S1/2")
		for _, code := range strings.Fields(want) {
			found := false
			for key := range counts {
				found = found || strings.HasPrefix(key, code)
			}
			if !found {
				t.Errorf("%s has no %s: %v", query, code, counts)
			}
		}
		for _, coarse := range []string{"MX", "OTHER", "minor", "adult", "_T"} {
			if _, ok := counts[coarse]; ok {
				t.Errorf("%s has %s, of which other rows are parts", query, coarse)
			}
		}
	}
}

// TestAWithheldCount: it is empty in CSV and null in JSON, and its status says so.
func TestAWithheldCount(t *testing.T) {
	counts, statuses := rows(t, "period=2016-S1&by=entry_point", "2016-S1/2")
	hidden := 0
	for code, n := range counts {
		if (n == "") != (statuses[code] == "Q") {
			t.Errorf("%s is %q with status %s", code, n, statuses[code])
		}
		if n == "" {
			hidden++
		}
	}
	if hidden < 2 || statuses["L-AMA"] != "Q" || counts["L-COR"] == "" {
		t.Errorf("%d are withheld: %v", hidden, counts)
	}
	_, body := get(t, handler(), feed.PathJSON+"?period=2016-S1&by=entry_point")
	var d struct {
		Rows []struct {
			Entry   string `json:"entry_point"`
			Status  string `json:"obs_status"`
			Returns *int64
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil || len(d.Rows) != len(counts) {
		t.Fatal(err, body)
	}
	for _, r := range d.Rows {
		if (r.Returns == nil) != (counts[r.Entry] == "") || r.Status != statuses[r.Entry] {
			t.Errorf("%+v in JSON, %q %s in CSV", r, counts[r.Entry], statuses[r.Entry])
		}
	}
}

// TestSumsOfPublishedCells: the returns that a post saw are those of both sources and of posts alone; a quarter is its months where the
// table has months only.
func TestSumsOfPublishedCells(t *testing.T) {
	seen := vintagestest.Reconciled
	for i := range vintagestest.Registered {
		if i%20 == 3 {
			seen-- // registered only
		}
	}
	for query, want := range map[string]int{
		"period=2016-S1&series=checkpoint":          seen,
		"period=2016-S1&series=checkpoint&by=route": seen,
		"period=2016-S1&series=checkpoint&by=month": seen,
		"period=2016-S1&series=reconciled":          vintagestest.Reconciled,
		"period=2016-S1&series=reconciled&by=route": vintagestest.Reconciled,
	} {
		if counts, _ := rows(t, query, "2016-S1/2"); sum(t, counts) != want {
			t.Errorf("%s: %v, want %d", query, counts, want)
		}
	}
	months, _ := rows(t, "period=2016-Q2&series=reconciled&by=month", "2016-S1/2")
	quarter, _ := rows(t, "period=2016-Q2&series=reconciled", "2016-S1/2")
	quarters, _ := rows(t, "period=2016-S1&series=reconciled&by=quarter", "2016-S1/2")
	if len(months) != 3 || sum(t, quarter) != sum(t, months) || quarters["2016-Q2"] != quarter[""] || sum(t, quarters) != vintagestest.Reconciled {
		t.Errorf("months %v, quarter %v, quarters %v", months, quarter, quarters)
	}
}

// TestASumOfWhichAPartIsWithheld: it is withheld, whichever part is; a sum of which a part is missing is no answer.
func TestASumOfWhichAPartIsWithheld(t *testing.T) {
	q, faults := feed.ParseQuery("period=2016-Q1&series=checkpoint&by=quarter")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	for hidden := -1; hidden < 6; hidden++ {
		table := vintages.Table{Table: bundle.Table{Table: published.Table{ID: "T10", Measure: "returns", Columns: []string{"source", "time_period"}}},
			Finest: []map[string]bool{{"both": true, "post_only": true}, {"2016-01": true, "2016-02": true, "2016-03": true}}}
		for i := range 6 {
			cell := published.Cell{Codes: []string{[]string{"both", "post_only"}[i%2], []string{"2016-01", "2016-02", "2016-03"}[i/2]}, Value: 10, Withheld: i == hidden}
			if cell.Withheld {
				cell.Value = 0
			}
			table.Cells = append(table.Cells, cell)
		}
		got, ok := feed.Find(&vintages.Opened{Tables: []vintages.Table{table}}, q)
		if !ok || len(got.Rows) != 1 || got.Rows[0].Withheld != (hidden >= 0) || got.Rows[0].Returns != map[bool]int64{true: 0, false: 60}[hidden >= 0] {
			t.Errorf("part %d is withheld: %+v", hidden, got.Rows)
		}
		table.Cells = table.Cells[:5]
		if got, ok := feed.Find(&vintages.Opened{Tables: []vintages.Table{table}}, q); ok {
			t.Errorf("a part is missing: %+v", got.Rows)
		}
	}
}

// TestWhichVintage: the newest of the half-year, one by its number, the newest by a day or a moment.
func TestWhichVintage(t *testing.T) {
	for query, want := range map[string]string{
		"period=2016-S1": "2016-S1/2", "period=2016-03": "2016-S1/2", "period=2015-11": "2015-S2/1", "period=2016-S1&vintage=1": "2016-S1/1", "period=2016-S1&vintage=2": "2016-S1/2",
		"period=2016-S1&vintage=3": "", "period=2015-S2&vintage=2": "", "period=2016-S2": "",
		"period=2016-S1&asOf=2016-07-31": "", "period=2016-S1&asOf=2016-08-01": "2016-S1/1", "period=2016-S1&asOf=2016-10-02": "2016-S1/1", "period=2016-S1&asOf=2016-10-03": "2016-S1/2",
		"period=2016-S1&asOf=2016-10-03T14:59:59Z": "2016-S1/1", "period=2016-S1&asOf=2016-10-03T15:00:00Z": "2016-S1/2", "period=2016-S1&asOf=2016-10-03T08:59:59-06:00": "2016-S1/1",
	} {
		resp, body := get(t, handler(), feed.PathCSV+"?"+query)
		if want == "" {
			if resp.StatusCode != 404 {
				t.Errorf("%s: %d %s", query, resp.StatusCode, body)
			}
		} else if resp.StatusCode != 200 || !strings.HasSuffix(strings.TrimSpace(body), ","+want) {
			t.Errorf("%s: %d %s, want %s", query, resp.StatusCode, body, want)
		}
	}
}

// TestRoundedIsSaid: a provisional vintage is rounded and says by which rule; its cells are never added up. A final one has no such rule.
func TestRoundedIsSaid(t *testing.T) {
	counts, statuses := rows(t, "period=2016-S1&vintage=1&by=month", "2016-S1/1")
	for month, n := range counts {
		if !strings.HasSuffix(n, "0") || statuses[month] != "P" {
			t.Errorf("%s: %s %s", month, n, statuses[month])
		}
	}
	if resp, body := get(t, handler(), feed.PathCSV+"?period=2016-Q1&vintage=1"); resp.StatusCode != 404 {
		t.Errorf("a quarter of rounded months: %d %s", resp.StatusCode, body)
	}
	for query, base := range map[string]int64{"period=2016-S1&vintage=1": 10, "period=2016-S1": 0} {
		_, body := get(t, handler(), feed.PathJSON+"?"+query)
		var d struct {
			Vintage        string
			Status         struct{ ID string }
			Release        string `json:"vintage_status"`
			AsOf           string `json:"as_of"`
			Published      string `json:"published_at"`
			Method         int    `json:"method_version"`
			Coverage, Late float64
			Rounding       *struct{ Base int64 }
			Total          int64
			Base           struct{ Registered, Reconciled *int64 }
		}
		raw := strings.NewReplacer("coverage_percent", "coverage", "late_percent", "late").Replace(body)
		if err := json.Unmarshal([]byte(raw), &d); err != nil {
			t.Fatal(err)
		}
		if (d.Rounding != nil) != (base > 0) || base > 0 && d.Rounding.Base != base || d.Status.ID != map[bool]string{true: "P", false: "A"}[base > 0] {
			t.Errorf("%s: rounding %v, status %s", query, d.Rounding, d.Status.ID)
		}
		if base == 0 && (d.Vintage != "2016-S1/2" || d.Release != "final" || d.AsOf != "2016-10-03T08:00:00-06:00" || d.Published != "2016-10-03T09:00:00-06:00" || d.Method != 1 ||
			d.Total != vintagestest.Registered || *d.Base.Reconciled != vintagestest.Reconciled) {
			t.Errorf("the final vintage says %+v", d)
		}
		if base > 0 && (d.Total != 27090 || d.Base.Reconciled != nil) {
			t.Errorf("the provisional vintage says %+v", d)
		}
	}
}

// TestCoverageTravelsWithTheNumbers: both formats say the coverage of the vintage.
func TestCoverageTravelsWithTheNumbers(t *testing.T) {
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for _, query := range []string{"period=2016-S1", "period=2016-03&by=route"} {
			resp, _ := get(t, handler(), path+"?"+query)
			if got := resp.Header.Get(feed.CoverageHeader); got != "80.0" {
				t.Errorf("%s?%s: coverage %q", path, query, got)
			}
			if !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), feed.CoverageHeader) {
				t.Errorf("%s: pages of other sites cannot read the coverage", path)
			}
		}
	}
}

// TestWhatIsNotPublished: it is not found, and the answer names tables that come near to it and that are there.
func TestWhatIsNotPublished(t *testing.T) {
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for query, first := range map[string]string{
			"period=2016-06-30":                          "period=2016-06&series=registered&lang=es",
			"period=2016-W26&by=route":                   "period=2016-06&by=route&series=registered&lang=es",
			"period=2016":                                "period=2016-S1&series=registered&lang=es",
			"period=2016-S1&by=route,exit_point":         "period=2016-S1&by=exit_point&series=registered&lang=es",
			"period=2016-S1&by=mode&lang=en":             "period=2016-S1&by=route&series=registered&lang=en",
			"period=2016-03&by=exit_point":               "period=2016-Q1&by=exit_point&series=registered&lang=es",
			"period=2016-S1&by=sex&series=reconciled":    "period=2016-S1&by=sex&series=registered&lang=es",
			"period=2016-S1&by=exit_point&vintage=1":     "period=2016-S1&series=registered&lang=es&vintage=1",
			"period=2016-S1&by=exit_point&vintage=7":     "period=2016-S1&by=exit_point&series=registered&lang=es",
			"period=2031-S1&by=centre":                   "period=2016-S1&by=centre&series=registered&lang=es",
			"period=2016-S1&by=month,centre,entry_point": "period=2016-S1&by=centre&series=registered&lang=es",
		} {
			resp, body := get(t, handler(), path+"?"+query, "Accept-Language", "en")
			var p struct {
				Type, Title, Detail string
				Nearest             []string
				ES                  string `json:"detail_es"`
				EN                  string `json:"detail_en"`
			}
			if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/problem+json" || p.Type != "/problems/not-published" ||
				p.Title != "Not published" || p.Detail != p.EN || p.ES == p.EN || p.ES == "" {
				t.Errorf("%s: %d %s", query, resp.StatusCode, body)
				continue
			}
			if len(p.Nearest) == 0 || len(p.Nearest) > 4 || p.Nearest[0] != path+"?"+first {
				t.Errorf("%s: the nearest are %v, want first %s", query, p.Nearest, first)
			}
			for _, address := range p.Nearest {
				if resp, _ := get(t, handler(), address); resp.StatusCode != 200 || !strings.Contains(p.ES, address) {
					t.Errorf("%s: the nearest %s answers %d", query, address, resp.StatusCode)
				}
			}
		}
	}
}

// TestTheVintagesThatThereAre: a question for a vintage that is not there, or for a time before the first, is answered with those that there are.
func TestTheVintagesThatThereAre(t *testing.T) {
	for query, want := range map[string]string{
		"period=2016-S1&vintage=7":                   "2016-S1 has no vintage 7. There are: 1, 2. The nearest tables: ",
		"period=2016-Q1&by=sex&vintage=3":            "2016-S1 has no vintage 3. There are: 1, 2. ",
		"period=2016-S1&asOf=2016-07-01":             "At asOf=2016-07-01 nothing of 2016-S1 had been published yet. Its first vintage was published at 2016-08-01T06:00:00-06:00. ",
		"period=2016-S1&by=exit_point&vintage=1":     "Vintage 2016-S1/1 does not have that table of 2016-S1. ",
		"period=2031-S1&vintage=1":                   "No published vintage has that table of 2031-S1. ",
		"period=2016-S1&by=route,exit_point&lang=en": "&lang=en; /feed/v1/returns.csv?",
	} {
		if resp, body := get(t, handler(), feed.PathCSV+"?"+query, "Accept-Language", "en"); resp.StatusCode != 404 || !strings.Contains(body, want) {
			t.Errorf("%s: %d, not %q: %s", query, resp.StatusCode, want, body)
		}
	}
	for query, want := range map[string]string{
		"period=2016-S1&vintage=0":   `"allowed":["1","2"]`,
		"period=2015-S2&vintage=x":   `"allowed":["1"]`,
		"period=2031-S1&vintage=0":   `"allowed":[]`,
		"period=2016-S1&by=shoe":     `"allowed":["half_year","quarter","month","route","return_type",`,
		"period=2016-S9":             `"allowed":["2016-S1","2016-Q1","2016-01"]`,
		"vintage=0&period=nonsense":  `"allowed":["1"]`,
		"period=2016-Q2&vintage=1.5": `"allowed":["1","2"]`,
	} {
		if resp, body := get(t, handler(), feed.PathCSV+"?"+query); resp.StatusCode != 400 || !strings.Contains(body, want) || strings.Contains(body, "Se admite: .") {
			t.Errorf("%s: %d, not %s: %s", query, resp.StatusCode, want, body)
		}
	}
}

// TestNothingThatArrivesMovesAByte: every table and every refusal is the same, with its headers, before and after a thousand returns are
// counted and written, also by a server that has just been started.
func TestNothingThatArrivesMovesAByte(t *testing.T) {
	var targets []string
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for _, period := range []string{"2016-S1", "2016-Q2", "2016-06", "2016-06-02", "2016-W22", "2016", "2016-S2", "2015-S2"} {
			for _, series := range feed.AllSeries() {
				targets = append(targets, path+"?period="+period+"&series="+series.ID)
				for _, d := range feed.Dimensions() {
					targets = append(targets, path+"?period="+period+"&series="+series.ID+"&by="+d.ID)
				}
			}
		}
	}
	pull := func() map[string]string {
		h, all := feed.New(feed.Config{Shelf: shelf()}), map[string]string{}
		for _, target := range append(targets, "/feed/v1/", "/feed/v1/nothing") {
			resp, body := get(t, h, target)
			all[target] = fmt.Sprint(resp.StatusCode, resp.Header, body)
		}
		return all
	}
	before := pull()
	for _, statement := range []string{
		"INSERT INTO retorno.return_counts (day, route, exit_point, entry_point, registered, checkpoint, reconciled, version, kafka_partition) SELECT toDate('2016-06-02') + number % 20, 'US-AIR', 'L-COR', 'L-AMA', 1, 1, 1, number, number FROM numbers(1000)",
		"INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at) VALUES ('retorno.centre.v1', 0, 1, 0, 1000, 1000, 1000, now64(3))",
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for target, now := range pull() {
		if now != before[target] {
			t.Errorf("%s was\n%s\nand is\n%s", target, before[target], now)
		}
	}
}

// TestARevisedHalfYear: a revision gives the new counts, and those that it keeps with the vintage that they are of; these are not added up.
func TestARevisedHalfYear(t *testing.T) {
	_, body := get(t, handler(), feed.PathCSV+"?period=2014-S1")
	if want := fmt.Sprintf("2014-S1,registered,A,%d,2014-S1/2", vintagestest.Registered+vintagestest.Late); !strings.Contains(body, want) {
		t.Errorf("the total is\n%s", body)
	}
	if counts, _ := rows(t, "period=2014-S1&vintage=1", "2014-S1/1"); counts[""] != strconv.Itoa(vintagestest.Registered) {
		t.Errorf("vintage 1 has become %v", counts)
	}
	if counts, _ := rows(t, "period=2014-S1&by=month", "2014-S1/1"); sum(t, counts) != vintagestest.Registered {
		t.Errorf("the months, which a revision keeps, are %v", counts)
	}
	_, body = get(t, handler(), feed.PathJSON+"?period=2014-S1&by=month")
	var kept struct {
		Vintage string
		Rows    []struct{ Vintage string }
	}
	if err := json.Unmarshal([]byte(body), &kept); err != nil || kept.Vintage != "2014-S1/2" || kept.Rows[0].Vintage != "2014-S1/1" {
		t.Errorf("%v: %s", err, body)
	}
	// A quarter of the known returns is a sum of months. In the revision these are kept, and are not added up.
	for query, want := range map[string]int{"&vintage=1": 200, "": 404} {
		if resp, body := get(t, handler(), feed.PathCSV+"?period=2014-Q1&series=reconciled"+query); resp.StatusCode != want {
			t.Errorf("%q: %d %s", query, resp.StatusCode, body)
		}
	}
}
