package feed_test

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/feed"
)

var update = flag.Bool("update", false, "write the golden files from what the feed answers now")

func now() time.Time { return time.Date(2016, 7, 15, 12, 0, 0, 0, time.UTC) }

func handler() http.Handler { return feed.New(feed.Config{Conn: conn, Now: now}) }

func get(t *testing.T, h http.Handler, target string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestGolden(t *testing.T) {
	for name, target := range map[string]string{
		"route_exit_es.csv":  feed.PathCSV + "?period=2016-S1&by=route,exit_point",
		"total_en.csv":       feed.PathCSV + "?period=2016-S1&lang=en",
		"month_sex_en.csv":   feed.PathCSV + "?period=2016-S1&by=sex,month&lang=en&series=reconciled",
		"route_exit_en.json": feed.PathJSON + "?period=2016-S1&by=exit_point,route&lang=en",
		"day_total_es.json":  feed.PathJSON + "?period=2016-06-30",
		"nothing_es.json":    feed.PathJSON + "?period=1999&by=centre",
		"problem.json":       feed.PathCSV + "?period=2016-S9&by=shoe_size&shoe=1",
	} {
		t.Run(name, func(t *testing.T) {
			_, body := get(t, handler(), target)
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if body != string(want) {
				t.Errorf("%s gives\n%s\nwant\n%s", target, body, want)
			}
		})
	}
}

// What the golden files are right about, said independently of them.
func TestCountsAreRoundedAndOrdered(t *testing.T) {
	resp, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by=route,exit_point")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" {
		t.Fatalf("status %d, type %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	if strings.Count(body, "\n") != strings.Count(body, "\r\n") {
		t.Error("lines do not all end in CR LF")
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	last := ""
	for _, r := range rows[1:] {
		key := r[1] + " " + r[3]
		if key <= last {
			t.Errorf("%s stands after %s", key, last)
		}
		last, got[key] = key, r[len(r)-1]
		if n, err := strconv.Atoi(r[len(r)-1]); err != nil || n%5 != 0 || n == 0 {
			t.Errorf("%s: count %s", key, r[len(r)-1])
		}
	}
	want := map[string]string{"MX-LAND L-COR": "17065", "US-AIR L-AGC": "10000", "GT-LAND L-AGC": "5", "ZZ-AIR L-FLO": "10"}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: %s, want %s", key, got[key], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("rows %v: cells of one and two returns must not be there", got)
	}
}

// Both formats say the coverage of the period, worked out from the rounded counts; below 100 known returns neither does.
func TestCoverageTravelsWithTheNumbers(t *testing.T) {
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for query, want := range map[string]string{"period=2016-S1": "80.0", "period=2016-S1&by=route&series=checkpoint": "80.0", "period=2016-06-30": "", "period=1999": ""} {
			resp, _ := get(t, handler(), path+"?"+query)
			if got := resp.Header.Get(feed.CoverageHeader); got != want {
				t.Errorf("%s?%s: coverage %q, want %q", path, query, got, want)
			}
			if !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), feed.CoverageHeader) {
				t.Errorf("%s: pages of other sites cannot read the coverage", path)
			}
		}
	}
}

func TestNoExactTotalLeavesTheHouse(t *testing.T) {
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for _, by := range []string{"", "&by=route", "&by=exit_point", "&by=month,centre,sex"} {
			for _, series := range []string{"registered", "checkpoint", "reconciled"} {
				resp, body := get(t, handler(), path+"?period=2016-S1&series="+series+by)
				if resp.StatusCode != 200 {
					t.Fatalf("%s %s %s: %s", path, by, series, body)
				}
				for _, exact := range []string{"27086", "25857", "33868", "17064", "10008"} {
					if strings.Contains(body, exact) {
						t.Errorf("%s %s %s says %s", path, by, series, exact)
					}
				}
			}
		}
	}
}

func TestJSONSaysWhatTheNumbersAre(t *testing.T) {
	_, body := get(t, handler(), feed.PathJSON+"?period=2016-S1&by=exit_point&lang=en")
	var d struct {
		Period   map[string]string
		Total    int
		Base     map[string]int
		Coverage float64 `json:"coverage_percent"`
		AsOf     string  `json:"as_of"`
		Rounding struct{ Base int }
		Status   struct{ ID, ES, EN string }
		Rows     []struct {
			Exit    string `json:"exit_point"`
			Label   string `json:"exit_point_label"`
			Returns int
		}
	}
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if d.Total != 27085 || d.Base["registered"] != 27085 || d.Base["reconciled"] != 33870 || d.Coverage != 80 || d.Rounding.Base != 5 {
		t.Errorf("total %d, base %v, coverage %v, rounding %d", d.Total, d.Base, d.Coverage, d.Rounding.Base)
	}
	if d.AsOf != "2016-07-14" || d.Status.ID != "P" || d.Period["first_day"] != "2016-01-01" || d.Period["last_day"] != "2016-06-30" {
		t.Errorf("as of %s, status %v, period %v", d.AsOf, d.Status, d.Period)
	}
	for _, r := range d.Rows {
		if r.Exit == "L-COR" && (r.Returns != 17065 || r.Label != "Corinto") {
			t.Errorf("Corinto: %+v", r)
		}
	}
}

func TestEveryPeriodIsTheSumOfItsDays(t *testing.T) {
	for period, want := range map[string]string{
		"2016": "27385", "2016-S1": "27085", "2016-Q1": "27070", "2016-01": "17065", "2016-W26": "310", "2016-06-30": "10",
		"2015-W53": "17565", "2017": "0",
	} {
		_, body := get(t, handler(), feed.PathCSV+"?period="+period)
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || len(rows) != 2 || rows[1][len(rows[1])-1] != want {
			t.Errorf("%s: %v %v, want %s", period, rows, err, want)
		}
	}
}

func TestWrongParametersAreNamed(t *testing.T) {
	for _, c := range []struct{ query, parameter, found string }{
		{"", "period", ""},
		{"period=", "period", ""},
		{"period=2016-S9", "period", "2016-S9"},
		{"period=2016-13", "period", "2016-13"},
		{"period=2016-W53", "period", "2016-W53"},
		{"period=1969", "period", "1969"},
		{"period=2149", "period", "2149"},
		{"period=2016-S1&by=shoe_size", "by", "shoe_size"},
		{"period=2016-S1&by=route,", "by", ""},
		{"period=2016-S1&by=route,route", "by", "route"},
		{"period=2016-S1&by=route,sex,centre,mode", "by", "route,sex,centre,mode"},
		{"period=2016-S1&by=route;DROP TABLE x", "", "period=2016-S1&by=route;DROP TABLE x"},
		{"period=2016-S1&by=route)--", "by", "route)--"},
		{"period=2016-06-30&by=exit_point", "by", "exit_point"},
		{"period=2016-W26&by=route,month", "by", "month"},
		{"period=2016-S1&series=all", "series", "all"},
		{"period=2016-S1&lang=fr", "lang", "fr"},
		{"period=2016-S1&format=csv", "format", "csv"},
		{"period=2016-S1&period=2016-S2", "period", "2016-S1 & 2016-S2"},
		{"period=2016-S1&by=%zz", "", "period=2016-S1&by=%zz"},
		{"period=2016-S1&Period=2016-S1", "Period", "2016-S1"},
		{"period=" + strings.Repeat("9", 3000), "", "period=" + strings.Repeat("9", 53) + "…"},
	} {
		r := httptest.NewRequest(http.MethodGet, feed.PathJSON, nil)
		r.URL.RawQuery = c.query
		r.Header.Set("Accept-Language", "en")
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, r)
		var p struct {
			Type, Title, Detail string
			Status              int
			Errors              []feed.Fault
			ES                  string `json:"detail_es"`
			EN                  string `json:"detail_en"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 400 || p.Status != 400 || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v %s", c.query, w.Code, err, w.Body)
			continue
		}
		if len(p.Errors) != 1 || p.Errors[0].Parameter != c.parameter || p.Errors[0].Found != c.found || len(p.Errors[0].Allowed) == 0 {
			t.Errorf("%s: errors %+v, want %q with %q", c.query, p.Errors, c.parameter, c.found)
		}
		if p.Detail != p.EN || p.ES == "" || p.ES == p.EN || p.Title == "" {
			t.Errorf("%s: %+v", c.query, p)
		}
	}
}

func TestConditionalRequest(t *testing.T) {
	first, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by=exit_point,route")
	tag := first.Header.Get("ETag")
	same, sameBody := get(t, handler(), feed.PathCSV+"?lang=es&by=route%2Cexit_point&series=registered&period=2016-S1")
	if tag == "" || same.Header.Get("ETag") != tag || body != sameBody {
		t.Errorf("the same question has tags %s and %s", tag, same.Header.Get("ETag"))
	}
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		first, _ := get(t, handler(), path+"?period=2016-S1&by=route", "Accept-Encoding", "gzip")
		second, body := get(t, handler(), path+"?period=2016-S1&by=route", "Accept-Encoding", "gzip", "If-None-Match", first.Header.Get("ETag"))
		if second.StatusCode != 304 || body != "" || second.Header.Get("ETag") != first.Header.Get("ETag") {
			t.Errorf("%s: %d with %d bytes", path, second.StatusCode, len(body))
		}
		if got := first.Header.Get("Last-Modified"); got != "Fri, 15 Jul 2016 05:59:00 GMT" {
			t.Errorf("%s: Last-Modified %q", path, got)
		}
		if first.Header.Get("Cache-Control") != "public, max-age=60" || !strings.Contains(strings.Join(first.Header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: headers %v", path, first.Header)
		}
		other, _ := get(t, handler(), path+"?period=2016-S1&by=route&lang=en")
		if other.StatusCode != 200 || other.Header.Get("Content-Language") != "en" || other.Header.Get("ETag") == first.Header.Get("ETag") {
			t.Errorf("%s in English: %v", path, other.Header)
		}
	}
}

func TestOtherMethodsAndAddresses(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, httptest.NewRequest(method, feed.PathCSV+"?period=2016-S1", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" || !strings.Contains(w.Body.String(), method) {
			t.Errorf("%s: %d %v %s", method, w.Code, w.Header(), w.Body)
		}
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodHead, feed.PathCSV+"?period=2016-S1&by=route", nil))
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
	if resp, body := get(t, handler(), "/feed/v1/returns.xml"); resp.StatusCode != 404 || !strings.Contains(body, feed.PathCSV) {
		t.Errorf("returns.xml: %d %s", resp.StatusCode, body)
	}
	if resp, _ := get(t, handler(), "/feed/v1/"); resp.StatusCode != 303 || resp.Header.Get("Location") != "/feed/" {
		t.Errorf("/feed/v1/: %d %v", resp.StatusCode, resp.Header)
	}
}

// Every column that may be named exists, and every pair of them can be counted.
func TestEveryDimension(t *testing.T) {
	all := feed.Dimensions()
	for i, a := range all {
		for _, b := range all[i:] {
			by := a.ID
			if a.ID != b.ID {
				by += "," + b.ID
			}
			if resp, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by="+by); resp.StatusCode != 200 {
				t.Errorf("by=%s: %d %s", by, resp.StatusCode, body)
			}
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := (feed.Config{}).Validate(); err == nil || !strings.Contains(err.Error(), "Conn") {
		t.Errorf("without a connection: %v", err)
	}
	if err := (feed.Config{Conn: conn, Timeout: -1}).Validate(); err == nil {
		t.Error("a negative timeout is accepted")
	}
	if err := (feed.Config{Conn: conn}).Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"period=2016-S1&by=route,exit_point", "period=2016-W01", "by=&lang=en", "period=%zz", "a=b&a=c;", "by=route,,,,,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, faults := feed.ParseQuery(raw)
		if len(faults) > 0 {
			for _, fault := range faults {
				if fault.ES == "" || fault.EN == "" || len(fault.Allowed) == 0 {
					t.Fatalf("%q: %+v explains nothing", raw, fault)
				}
			}
			return
		}
		canonical := q.Canonical()
		again, faults := feed.ParseQuery(canonical)
		if len(faults) > 0 || again.Canonical() != canonical {
			t.Fatalf("%q means %q, which is read as %q %v", raw, canonical, again.Canonical(), faults)
		}
		if _, err := url.ParseQuery(canonical); err != nil {
			t.Fatal(err)
		}
	})
}
