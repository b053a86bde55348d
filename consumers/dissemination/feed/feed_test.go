package feed_test

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"retorno/consumers/dissemination/feed"
)

var update = flag.Bool("update", false, "write the golden files from what the feed answers now")

// handler has read its vintages once for all tests.
var handler = sync.OnceValue(func() http.Handler { return feed.New(feed.Config{Shelf: shelf()}) })

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
		"exit_es.csv":          feed.PathCSV + "?period=2016-S1&by=exit_point",
		"exit_bom_es.csv":      feed.PathCSV + "?period=2016-S1&by=exit_point&bom=1",
		"total_en.csv":         feed.PathCSV + "?period=2016-S1&lang=en",
		"entry_en.csv":         feed.PathCSV + "?period=2016-S1&by=entry_point&lang=en",
		"month_sex_en.csv":     feed.PathCSV + "?period=2016-Q1&by=sex,month&lang=en",
		"route_en.json":        feed.PathJSON + "?period=2016-S1&by=route&lang=en&series=reconciled",
		"entry_es.json":        feed.PathJSON + "?period=2016-S1&by=entry_point",
		"provisional_es.json":  feed.PathJSON + "?period=2016-S1&by=month&vintage=1",
		"problem.json":         feed.PathCSV + "?period=2016-S9&by=shoe_size&shoe=1",
		"not_published.json":   feed.PathCSV + "?period=2016-S1&by=route,exit_point",
		"never_published.json": feed.PathJSON + "?period=1999-S1&by=mode&lang=en",
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
		{"period=2016-S1&vintage=0", "vintage", "0"},
		{"period=2016-S1&vintage=01", "vintage", "01"},
		{"period=2016-S1&vintage=newest", "vintage", "newest"},
		{"period=2016-S1&asOf=2016-02-30", "asOf", "2016-02-30"},
		{"period=2016-S1&asOf=2016-08-01T12:00:00+00:00", "asOf", "2016-08-01T12:00:00 00:00"},
		{"period=2016-S1&vintage=1&asOf=2016-08-01", "asOf", "2016-08-01"},
		{"period=2016-S1&series=all", "series", "all"},
		{"period=2016-S1&lang=fr", "lang", "fr"},
		{"period=2016-S1&bom=2", "bom", "2"},
		{"period=2016-S1&bom=true", "bom", "true"},
		{"period=2016-S1&bom=", "bom", ""},
		{"period=2016-S1&bom=1", "bom", "1"}, // of JSON
		{"period=2016-S1&BOM=1", "BOM", "1"},
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
	first, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by=age_group,sex")
	tag := first.Header.Get("ETag")
	same, sameBody := get(t, handler(), feed.PathCSV+"?lang=es&by=sex%2Cage_group&series=registered&period=2016-S1")
	if tag == "" || same.Header.Get("ETag") != tag || body != sameBody {
		t.Errorf("the same question has tags %s and %s", tag, same.Header.Get("ETag"))
	}
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		first, _ := get(t, handler(), path+"?period=2016-S1&by=route", "Accept-Encoding", "gzip")
		second, body := get(t, handler(), path+"?period=2016-S1&by=route", "Accept-Encoding", "gzip", "If-None-Match", first.Header.Get("ETag"))
		if second.StatusCode != 304 || body != "" || second.Header.Get("ETag") != first.Header.Get("ETag") {
			t.Errorf("%s: %d with %d bytes", path, second.StatusCode, len(body))
		}
		if got := first.Header.Get("Last-Modified"); got != "Mon, 03 Oct 2016 15:00:00 GMT" {
			t.Errorf("%s: Last-Modified %q is not when the vintage was published", path, got)
		}
		if first.Header.Get("Cache-Control") != "public, no-cache" || !strings.Contains(strings.Join(first.Header.Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: headers %v", path, first.Header)
		}
		if got := first.Header.Get("Link"); !strings.Contains(got, "</vintages/2016-S1/2/>") {
			t.Errorf("%s: the vintage is not linked: %s", path, got)
		}
		other, _ := get(t, handler(), path+"?period=2016-S1&by=route&lang=en")
		if other.StatusCode != 200 || other.Header.Get("Content-Language") != "en" || other.Header.Get("ETag") == first.Header.Get("ETag") {
			t.Errorf("%s in English: %v", path, other.Header)
		}
	}
}

func TestOtherMethodsAndAddresses(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "DELETE", "TRACE", "PATCH"} {
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, httptest.NewRequest(method, feed.PathCSV+"?period=2016-S1", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, OPTIONS" || !strings.Contains(w.Body.String(), method) {
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

// TestAByteOrderMark: with bom=1 the CSV begins with one and is else the same, under another ETag; without it or with bom=0
// there is none. The address of the JSON does not ask for it.
func TestAByteOrderMark(t *testing.T) {
	for _, question := range []string{"period=2016-S1&by=exit_point", "period=2016-S1&by=sex,age_group&lang=en", "period=2016-S1", "period=2016-Q1&by=month&vintage=2", "period=2014-S1&asOf=2014-12-31"} {
		plain, body := get(t, handler(), feed.PathCSV+"?"+question)
		marked, with := get(t, handler(), feed.PathCSV+"?bom=1&"+question)
		none, without := get(t, handler(), feed.PathCSV+"?"+question+"&bom=0")
		if with != "\xef\xbb\xbf"+body || strings.HasPrefix(body, "\xef") || without != body || none.Header.Get("ETag") != plain.Header.Get("ETag") {
			t.Errorf("%s: %.20q, %.20q and %.20q", question, body, with, without)
		}
		if marked.Header.Get("ETag") == plain.Header.Get("ETag") || marked.Header.Get("Content-Type") != plain.Header.Get("Content-Type") {
			t.Errorf("%s: %v", question, marked.Header)
		}
		links := strings.Split(marked.Header.Get("Link"), ", ")
		if !strings.Contains(links[0], "bom=1") || strings.Contains(strings.Join(links[1:], ""), "bom") {
			t.Errorf("%s: links %v", question, links)
		}
	}
	if _, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by=route,exit_point&bom=1", "Accept-Language", "en"); strings.Count(body, "bom=1") == 0 || strings.HasPrefix(body, "\xef") {
		t.Errorf("the nearest tables of a marked one: %s", body)
	}
}

// TestPagesOfOtherSitesMayAsk: a browser asks first (OPTIONS) before a page of another site sends If-None-Match. Every
// address below /feed/v1/ that says who may read it answers that, without a question to the vintages.
func TestPagesOfOtherSitesMayAsk(t *testing.T) {
	for _, target := range []string{feed.PathCSV + "?period=2016-S1&by=exit_point", feed.PathJSON + "?period=2016-S1", feed.PathCSV, feed.PathJSON + "?period=nonsense", "/feed/v1/", "/feed/v1/returns.xml"} {
		for _, asked := range []string{"", "GET", "HEAD", "POST"} {
			r := httptest.NewRequest(http.MethodOptions, target, nil)
			r.Header.Set("Origin", "https://agency.example")
			if asked != "" {
				r.Header.Set("Access-Control-Request-Method", asked)
				r.Header.Set("Access-Control-Request-Headers", "if-none-match,x-requested-with")
			}
			w := httptest.NewRecorder()
			handler().ServeHTTP(w, r)
			h := w.Header()
			if w.Code != http.StatusNoContent || w.Body.Len() != 0 || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Methods") != "GET, HEAD" ||
				h.Get("Access-Control-Allow-Headers") != "*, Authorization" || h.Get("Access-Control-Max-Age") == "" || h.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("OPTIONS %s of %s: %d %v %s", asked, target, w.Code, h, w.Body)
			}
		}
		if resp, _ := get(t, handler(), target, "Origin", "https://agency.example", "If-None-Match", `"x"`); resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", target, resp.Header)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := (feed.Config{}).Validate(); err == nil || !strings.Contains(err.Error(), "Shelf") {
		t.Errorf("without vintages: %v", err)
	}
	if err := (feed.Config{Shelf: shelf(), MaxAge: -1}).Validate(); err == nil {
		t.Error("a negative age is accepted")
	}
	if err := (feed.Config{Shelf: shelf()}).Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"period=2016-S1&by=route,exit_point", "period=2016-W01", "by=&lang=en", "period=2016-S1&asOf=2016-08-01T12:00:00Z", "period=2016-S1&vintage=2", "period=%zz", "a=b&a=c;", "by=route,,,,,,"} {
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
