package response

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestCacheGivesTheSameAnswer: what is kept has the status, every header and the bytes of what was made, for each condition and encoding; it is
// of the language and format that is asked for, and ends with the version. Headers of one request stay with it.
func TestCacheGivesTheSameAnswer(t *testing.T) {
	version, made := "1", 0
	rec := NewRecorder(nil, nil)
	inner := rec.Handle("/feed", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made++
		if !Readable(w, r) {
			return
		}
		rep := long
		rep.Type, rep.Language, rep.Link = "text/plain; of="+r.Header.Get("Accept"), Language(r), "<"+r.URL.String()+`>; rel="self"`
		rep.Body = append([]byte(version+r.URL.RawQuery+Language(r)), long.Body...)
		Send(w, r, rep)
	}))
	cached := NewCache(1<<20, func(context.Context) (string, error) { return version, nil }, nil).Handle(rec, inner)
	ask := func(h http.Handler, method, address string, header []string) string {
		r := httptest.NewRequest(method, address, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Add(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		w.Header().Set("RateLimit", fmt.Sprint(made)) // of this request alone
		h.ServeHTTP(w, r)
		body, err := io.ReadAll(w.Result().Body)
		if err != nil || w.Header().Get("RateLimit") == "" {
			t.Fatal(err)
		}
		w.Result().Header.Del("RateLimit")
		return fmt.Sprint(w.Code, w.Result().Header, string(body))
	}
	first := httptest.NewRecorder()
	inner.ServeHTTP(first, httptest.NewRequest("GET", "/feed?a", nil))
	tag, modified := first.Header().Get("ETag"), first.Header().Get("Last-Modified")
	cases := [][]string{nil, {"Accept-Language", "en"}, {"Accept-Encoding", "gzip"}, {"Accept", "text/csv"}, {"If-None-Match", tag}, {"If-None-Match", `"x"`, "If-None-Match", tag},
		{"If-None-Match", `"x"`}, {"If-Modified-Since", modified}, {"Range", "bytes=0-9"}, {"Range", "bytes=0-9", "Accept-Encoding", "gzip"}, {"If-Match", `"x"`}}
	for _, version = range []string{"1", "2", "1"} {
		for range 2 {
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				for _, address := range []string{"/feed?a", "/feed?b", "/feed"} {
					for _, header := range cases {
						if got, want := ask(cached, method, address, header), ask(inner, method, address, header); got != want {
							t.Errorf("%s %s %v, version %s, gives\n%.600s\nwant\n%.600s", method, address, header, version, got, want)
						}
					}
				}
			}
		}
	}
	before := made
	for range 50 {
		ask(cached, "GET", "/feed?a", nil)
	}
	if made != before {
		t.Errorf("what is kept was made %d times more", made-before)
	}
	if n := testutil.ToFloat64(rec.requests.WithLabelValues("/feed", "2xx")); n < 50 {
		t.Errorf("answers that were kept are not recorded: %v", n)
	}
}

// TestCacheIsBounded: 10,000 distinct answers take no more bytes than there is room for; what is no whole answer is not kept, nor anything while
// the version is not known.
func TestCacheIsBounded(t *testing.T) {
	const room = 4 << 20
	var away error
	registry := prometheus.NewRegistry()
	cache := NewCache(room, func(context.Context) (string, error) { return "1", away }, registry)
	sizes := 0
	h := cache.Handle(NewRecorder(nil, nil), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/wrong":
			Refuse(w, r, Parameter.Of("", ""))
		default:
			sizes += 5000
			Send(w, r, Representation{Type: "text/plain", Body: bytes.Repeat([]byte(r.URL.RawQuery[:1]), map[string]int{"/": 5000, "/huge": room}[r.URL.Path])})
		}
	}))
	get := func(address string) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", address, nil))
		if size := cache.answers.WeightedSize(); size > room+room/4 { // it may be over for the moment of an eviction
			t.Fatalf("%d bytes are kept", size)
		}
	}
	for i := range 10_000 {
		get(fmt.Sprintf("/?%d", i))
	}
	cache.answers.CleanUp()
	if size := cache.answers.WeightedSize(); size > room || size < room/2 || sizes < 10*room {
		t.Errorf("%d bytes are kept of %d", size, sizes)
	}
	get("/?9999")
	measured := map[string]float64{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetValue()
			}
			measured[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	if m := measured; m["retorno_http_cache_answers_total miss"] < 10_000 || m["retorno_http_cache_answers_total hit"]+m["retorno_http_cache_answers_total miss"] != 10_001 ||
		m["retorno_http_cache_evictions_total"] < 8_000 || m["retorno_http_cache_bytes"] < room/2 {
		t.Errorf("the metrics say %v", m)
	}
	cache.answers.InvalidateAll()
	get("/wrong?1")
	get("/huge?1")
	away = errors.New("the database is away")
	get("/?1")
	if n := cache.answers.EstimatedSize(); n != 0 {
		t.Errorf("%d answers are kept that should not be", n)
	}
}
