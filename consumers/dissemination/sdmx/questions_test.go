package sdmx_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// forms are the ways in which an answer is read: the address is the same but for the root.
var forms = []struct {
	root, format string
	actions      bool // it tells them
	read         func(*testing.T, string) []set
}{
	{"/sdmx/2.1/data/", "genericdata", true, readGeneric},
	{"/sdmx/2.1/data/", "structurespecificdata", true, readSpecific},
	{"/sdmx/2.1/data/", "csvdata", false, readCSV},
	{"/sdmx/3.0/data/dataflow/CENISS/", "jsondata", true, readJSON},
	{"/sdmx/3.0/data/dataflow/CENISS/", "csvdata", true, readCSV},
	{"/sdmx/3.0/data/dataflow/CENISS/", "xml", true, readSpecific},
}

// made-up parts of questions.
var (
	flows      = []string{"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T10g", "T11e", "T11c", "T11t"}
	dimensions = strings.Fields("FREQ MEASURE SOURCE ROUTE EXIT_POINT SEX AGE ACCOMPANIMENT MUNICIPALITY_ORIGIN ENTRY_POINT CENTRE TYPE_RETURN ASSISTANCE_KIND DOCUMENT_CHECK BORDER_POINT")
	codes      = map[string][]string{"FREQ": {"M", "Q", "S"}, "MEASURE": {"returns", "helps"}, "SOURCE": {"registered", "both", "_T"}, "ROUTE": {"MX", "US", "MX-LAND", "_T"}, "SEX": {"F", "M", "_T"},
		"AGE": {"minor", "adult", "51@", "_T"}, "EXIT_POINT": {"L-COR", "NIC@SLV", "_T"}, "ENTRY_POINT": {"L-AMA", "_T"}, "MUNICIPALITY_ORIGIN": {"HN-CR", "0801", "_T"}}
	operators = []string{"", "eq:", "ne:", "lt:", "le:", "gt:", "ge:", "co:", "nc:", "sw:", "ew:"}
	days      = []string{"2014-10-02", "2015-03-02T12:00:00Z", "2016-02-01T12:00:00%2B00:00", "2016-08-01T12:00:00Z", "2016-12-01"}
)

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// some adds a part in one of so many cases.
func some(r *rand.Rand, of int, parts *[]string, part func() string) {
	if r.IntN(of) == 0 {
		*parts = append(*parts, part())
	}
}

// question makes the key and the parameters of a question.
func question(r *rand.Rand) (flow, key, parameters string, deltas bool) {
	flow = pick(r, flows)
	if r.IntN(2) == 0 {
		parts := make([]string, len(dimensions))
		for i, d := range dimensions {
			if all := codes[d]; len(all) > 0 && r.IntN(3) == 0 {
				parts[i] = pick(r, all) + pick(r, []string{"", "+_T", "+" + pick(r, all)})
			}
		}
		key = "/" + strings.Join(parts, ".")
	}
	var all []string
	some(r, 2, &all, func() string {
		d := pick(r, []string{"FREQ", "SOURCE", "ROUTE", "SEX", "AGE", "EXIT_POINT"})
		value := func() string { return pick(r, operators) + pick(r, codes[d]) }
		return pick(r, []string{"c[" + d + "]=", "c%5B" + d + "%5D="}) + url.QueryEscape(value()) + pick(r, []string{"", "," + url.QueryEscape(value()), "+" + url.QueryEscape(value()), "%2B" + url.QueryEscape(value())})
	})
	some(r, 3, &all, func() string {
		return "c[TIME_PERIOD]=ge:2014-Q2+le:" + pick(r, []string{"2016", "2014-06", "2016-S1"})
	})
	some(r, 4, &all, func() string {
		return "c[OBS_VALUE]=" + pick(r, operators[:7]) + pick(r, []string{"0", "100", "27086"})
	})
	some(r, 6, &all, func() string { return "c[CONF_STATUS]=" + pick(r, []string{"F", "C"}) })
	some(r, 3, &all, func() string { return "startPeriod=" + pick(r, []string{"2014", "2015-S2", "2016-03"}) })
	some(r, 3, &all, func() string { return "endPeriod=" + pick(r, []string{"2014", "2016-Q1", "2016-06-30"}) })
	some(r, 5, &all, func() string { return "firstNObservations=" + pick(r, []string{"1", "2"}) })
	some(r, 5, &all, func() string { return "lastNObservations=" + pick(r, []string{"1", "3"}) })
	some(r, 2, &all, func() string {
		return "dimensionAtObservation=" + pick(r, []string{"TIME_PERIOD", "AllDimensions", "SEX", "ROUTE", "FREQ"})
	})
	some(r, 4, &all, func() string { return "detail=" + pick(r, []string{"full", "dataonly", "serieskeysonly", "nodata"}) })
	some(r, 4, &all, func() string {
		return "attributes=" + pick(r, []string{"dsd", "none", "OBS_STATUS,VINTAGE", "obs", "series"})
	})
	some(r, 5, &all, func() string { return "measures=" + pick(r, []string{"all", "none", "OBS_VALUE"}) })
	some(r, 4, &all, func() string {
		return "limit=" + pick(r, []string{"1", "7", "100"}) + "&offset=" + pick(r, []string{"0", "3", "50"})
	})
	some(r, 4, &all, func() string {
		return "sort=" + pick(r, []string{"TIME_PERIOD:desc", "*", "series_key:desc", "SEX+OBS_VALUE:desc", "OBS_STATUS+AGE"})
	})
	some(r, 4, &all, func() string { return "asOf=" + pick(r, days) })
	if r.IntN(4) == 0 {
		deltas, all = true, append(all, pick(r, []string{"includeHistory=True", "updatedAfter=2014-10-02", "updatedAfter=2014-01-01&includeHistory=true"}))
	}
	return flow, key, strings.Join(all, "&"), deltas
}

// TestFormatsTellTheSame asks 1,000 questions in each format. All of them give the same observations in the same sets, or none.
func TestFormatsTellTheSame(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	h := handler()
	answered, withheld := 0, 0
	for range 1000 {
		flow, key, parameters, deltas := question(r)
		var first []set
		for i, form := range forms {
			if deltas && !form.actions {
				continue
			}
			address := form.root + flow + key + "?format=" + form.format + "&" + parameters
			if strings.Contains(form.root, "3.0") {
				address = form.root + flow + "/1.0.0" + key + "?format=" + form.format + "&" + parameters
			}
			resp, body := get(t, h, address)
			if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusNoContent {
				if i > 0 && first != nil {
					t.Fatalf("%s: %d, and another format had an answer", address, resp.StatusCode)
				}
				continue
			}
			if resp.StatusCode != http.StatusOK || i > 0 && first == nil {
				t.Fatalf("%s: %d, in the first format %v: %s", address, resp.StatusCode, first, body)
			}
			sets := form.read(t, body)
			if first == nil {
				first = sets
				answered++
				withheld += strings.Count(fmt.Sprint(sets), "CONF_STATUS=C")
			}
			want := first
			if form.format == "csvdata" {
				want = folded(first)
			}
			if !form.actions {
				sets[0].action = want[0].action
			}
			if fmt.Sprint(sets) != fmt.Sprint(want) {
				t.Fatalf("%s\n%v\nand in the first format\n%v", address, sets, want)
			}
		}
	}
	if answered < 150 || withheld == 0 {
		t.Errorf("%d questions had an answer, with %d withheld observations", answered, withheld)
	}
}
