package response

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var (
	noon = time.Date(2016, 7, 15, 18, 0, 0, 0, time.UTC)
	long = Representation{Type: "text/csv", Language: "es", Cache: "max-age=60", Vary: []string{"Accept-Language"},
		Modified: noon.Add(-time.Hour), Body: bytes.Repeat([]byte("2016-S1,US-AIR,10\n"), 200)}
)

func ask(rep Representation, method string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Send(w, r, rep)
	return w.Result()
}

func TestConditionalRequests(t *testing.T) {
	tag := ask(long, "GET").Header.Get("ETag")
	zipped := ask(long, "GET", "Accept-Encoding", "gzip").Header.Get("ETag")
	if tag == "" || tag == zipped || strings.HasPrefix(tag, "W/") {
		t.Fatalf("tags %s and %s: want two different strong ones", tag, zipped)
	}
	modified := long.Modified.Format(http.TimeFormat)
	for _, c := range []struct {
		name   string
		header []string
		want   int
	}{
		{"same", []string{"If-None-Match", tag}, 304},
		{"weak", []string{"If-None-Match", "W/" + tag}, 304},
		{"in a list", []string{"If-None-Match", `"a,b", ` + tag}, 304},
		{"on a second line", []string{"If-None-Match", `"x"`, "If-None-Match", tag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"compressed", []string{"If-None-Match", zipped, "Accept-Encoding", "gzip"}, 304},
		{"of the compressed form", []string{"If-None-Match", zipped}, 200},
		{"another is wanted", []string{"If-Match", `"x"`}, 412},
		{"a part", []string{"Range", "bytes=0-9"}, 206},
		{"a part of the compressed form", []string{"Range", "bytes=0-9", "Accept-Encoding", "gzip"}, 200},
		{"another", []string{"If-None-Match", `"x"`}, 200},
		{"not quoted", []string{"If-None-Match", strings.Trim(tag, `"`)}, 200},
		{"open quote", []string{"If-None-Match", `"` + strings.Trim(tag, `"`)}, 200},
		{"another wins over the date", []string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200},
		{"since then", []string{"If-Modified-Since", modified}, 304},
		{"since before", []string{"If-Modified-Since", long.Modified.Add(-time.Second).Format(http.TimeFormat)}, 200},
		{"since after", []string{"If-Modified-Since", long.Modified.Add(time.Hour).Format(http.TimeFormat)}, 200}, // of what was there when a clock was ahead
		{"since nonsense", []string{"If-Modified-Since", "yesterday"}, 200},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if got := ask(long, method, c.header...); got.StatusCode != c.want {
				t.Errorf("%s %s: status %d, want %d", method, c.name, got.StatusCode, c.want)
			}
		}
	}
	if other := ask(Representation{Type: "text/csv", Language: "en", Body: long.Body}, "GET").Header.Get("ETag"); other == tag {
		t.Error("another language has the same tag")
	}
}

func TestNotModifiedCarriesTheHeadersOfTheContent(t *testing.T) {
	full := ask(long, "GET", "Accept-Encoding", "gzip")
	none := ask(long, "GET", "Accept-Encoding", "gzip", "If-None-Match", full.Header.Get("ETag"))
	for _, name := range []string{"ETag", "Cache-Control", "Vary", "Content-Language"} {
		if full.Header.Get(name) == "" || none.Header.Get(name) != full.Header.Get(name) {
			t.Errorf("%s: 304 has %q, 200 has %q", name, none.Header.Get(name), full.Header.Get(name))
		}
	}
	if body, _ := io.ReadAll(none.Body); len(body) > 0 || none.Header.Get("Content-Encoding") != "" {
		t.Errorf("304 has %d bytes, encoding %q", len(body), none.Header.Get("Content-Encoding"))
	}
}

func TestHeadTellsWhatGetWouldSend(t *testing.T) {
	get, head := ask(long, "GET"), ask(long, "HEAD")
	if body, _ := io.ReadAll(head.Body); len(body) > 0 {
		t.Errorf("HEAD has a body of %d bytes", len(body))
	}
	for name := range get.Header {
		if get.Header.Get(name) != head.Header.Get(name) {
			t.Errorf("%s: GET %q, HEAD %q", name, get.Header.Get(name), head.Header.Get(name))
		}
	}
}

func TestCompression(t *testing.T) {
	got := ask(long, "GET", "Accept-Encoding", "br, gzip")
	z, err := gzip.NewReader(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(z); !bytes.Equal(body, long.Body) {
		t.Errorf("decompressed to %d bytes, want %d", len(body), len(long.Body))
	}
	short := long
	short.Body = []byte("period,returns\n")
	if got := ask(short, "GET", "Accept-Encoding", "gzip"); got.Header.Get("Content-Encoding") != "" {
		t.Error("a body of one line is compressed")
	}
	for header, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "*": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "*;q=0": false,
		"gzip;q=0, *": false, "identity": false, "": false, "gzip;q=oops": false, "br": false, "gzip;q=NaN": false,
	} {
		if got := AcceptsGzip([]string{header}); got != want {
			t.Errorf("AcceptsGzip(%q) = %v", header, got)
		}
	}
}

func TestLanguage(t *testing.T) {
	for header, want := range map[string]string{
		"": "es", "en": "en", "en-US,en;q=0.9": "en", "es-HN,es;q=0.9,en;q=0.8": "es", "fr": "es", "fr,en;q=0.2": "en",
		"en;q=0.5,es;q=0.5": "es", "en;q=0": "es", "*": "es",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", header)
		if got := Language(r); got != want {
			t.Errorf("Language(%q) = %s, want %s", header, got, want)
		}
	}
}

func TestRecorderKnowsRoutesAndNotPeople(t *testing.T) {
	registry := prometheus.NewRegistry()
	var log bytes.Buffer
	rec := NewRecorder(registry, slog.New(slog.NewTextHandler(&log, nil)))
	again := NewRecorder(registry, nil)
	h := rec.Handle("/feed", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("no"))
	}))
	r := httptest.NewRequest("BREW", "/feed?name=Maria", nil)
	r.Header.Set("User-Agent", "secret-browser")
	r.RemoteAddr = "203.0.113.9:1"
	h.ServeHTTP(httptest.NewRecorder(), r)
	if got := testutil.ToFloat64(again.requests.WithLabelValues("/feed", "4xx")); got != 1 {
		t.Errorf("4xx counted %v times", got)
	}
	if got := testutil.CollectAndCount(rec.seconds); got != 1 {
		t.Errorf("%d histograms", got)
	}
	for _, secret := range []string{"Maria", "secret-browser", "203.0.113.9", "BREW"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log says %s: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "status=418") || !strings.Contains(log.String(), "bytes=2") {
		t.Errorf("log: %s", log.String())
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v %v", problems, err)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("gzip;q=0.1,*", "es;q=1,en")
	f.Add(";", "q=")
	f.Fuzz(func(_ *testing.T, encoding, language string) {
		AcceptsGzip([]string{encoding})
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Accept-Language"] = []string{language}
		Language(r)
	})
}
