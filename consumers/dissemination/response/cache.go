package response

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	"github.com/prometheus/client_golang/prometheus"
)

// Cache keeps answers as they were sent, so that the same question is not understood, written, hashed and compressed again. An answer is
// given again only under the version that it was made under: while no other vintage is published, an answer is a function of the address and of
// what the client accepts. It holds a bounded number of bytes; what was asked for seldom leaves first.
type Cache struct {
	most    uint64
	version func(context.Context) (string, error)
	answers *otter.Cache[string, *finished]
}

// overhead is what an answer takes beside its body and its key, in bytes: headers and places in maps.
const overhead = 2 << 10

// NewCache makes one of at most that many bytes, and registers its metrics; a nil registerer counts for no registry. version names all that is
// published; without it, nothing is kept.
func NewCache(most uint64, version func(context.Context) (string, error), registerer prometheus.Registerer) *Cache {
	c := &Cache{most: most, version: version, answers: otter.Must(&otter.Options[string, *finished]{
		MaximumWeight: most,
		StatsRecorder: stats.NewCounter(),
		Weigher:       func(key string, f *finished) uint32 { return uint32(len(key) + len(f.body) + overhead) }, //nolint:gosec // an answer that is kept is smaller
	})}
	if registerer != nil {
		c.measure(registerer)
	}
	return c
}

// Handle answers with what is kept, and keeps what next sends by Send. Every byte that next says must follow from the address, from the
// headers Accept, Accept-Encoding and Accept-Language, and from the version. rec records what is given again as if it had been made.
func (c *Cache) Handle(rec *Recorder, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, ok := c.key(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if f, ok := c.answers.GetIfPresent(key); ok {
			rec.record(f.route, w, r, f)
			return
		}
		outer := make([]string, 0, len(w.Header())) // headers of this request alone
		for name := range w.Header() {
			outer = append(outer, name)
		}
		k := &keeper{ResponseWriter: w}
		next.ServeHTTP(k, r)
		if f := k.made; f != nil && uint64(len(f.body)) < c.most/8 {
			for _, name := range outer {
				delete(f.header, name)
			}
			c.answers.Set(key, f)
		}
	})
}

// longest is the longest key that is kept, in bytes.
const longest = 4000

// key is what an answer follows from.
func (c *Cache) key(r *http.Request) (string, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", false
	}
	version, err := c.version(r.Context())
	if err != nil {
		return "", false
	}
	encoding := ""
	if AcceptsGzip(r.Header.Values("Accept-Encoding")) {
		encoding = "gzip"
	}
	key := strings.Join([]string{version, encoding, Language(r), strings.Join(r.Header.Values("Accept"), ","), r.URL.EscapedPath(), r.URL.RawQuery}, "\n")
	return key, len(key) <= longest
}

// keeper is the writer that a cache gives to a handler, to be told what was finished.
type keeper struct {
	http.ResponseWriter
	made *finished
}

// Unwrap lets http.ResponseController reach the connection.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// finished is an answer that is ready to be sent, with its headers, under a strong ETag.
type finished struct {
	route    string // that recorded it
	header   http.Header
	modified time.Time
	body     []byte // as it is sent
}

// keep tells the cache that stands around the handler, if there is one.
func (f *finished) keep(w http.ResponseWriter) {
	for {
		switch inner := w.(type) {
		case *keeper:
			f.header = inner.Header().Clone()
			inner.made = f
			return
		case *seenWriter:
			f.route = inner.route
			w = inner.ResponseWriter
		default:
			return
		}
	}
}

// ServeHTTP sends an answer that was kept.
func (f *finished) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range f.header {
		h[name] = values[:len(values):len(values)] // shared: what is added to it makes a copy
	}
	f.send(w, r)
}

// conditional are the headers that may make an answer another one than the whole.
var conditional = []string{"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range"}

// send sends the body under the headers that stand, or what the request's conditions come to. Without any, net/http would come to the
// same in twice the time.
func (f *finished) send(w http.ResponseWriter, r *http.Request) {
	has := func(name string) bool { return len(r.Header[name]) > 0 }
	if !slices.ContainsFunc(conditional, has) {
		if r.Method != http.MethodHead {
			_, _ = w.Write(f.body) // the client may have gone away; no reader is left
		}
		return
	}
	w.Header().Del("Content-Length") // it is that of the whole, and 412 has none
	http.ServeContent(w, conditions(r, f.modified, w.Header().Get("Content-Encoding") == ""), "", f.modified, bytes.NewReader(f.body))
}

// conditions is the request with the conditions that net/http would misunderstand set right.
func conditions(r *http.Request, modified time.Time, ranges bool) *http.Request {
	tags := r.Header.Values("If-None-Match")
	// A newer representation may have an earlier time, if a clock was set back: only the very time is the same content.
	since := r.Header.Get("If-Modified-Since")
	stale := since != "" && since != modified.UTC().Format(http.TimeFormat)
	if len(tags) < 2 && !stale && (ranges || r.Header.Get("Range") == "") {
		return r
	}
	r = r.Clone(r.Context())
	if len(tags) > 1 { // net/http reads the first line of the list alone
		r.Header.Set("If-None-Match", strings.Join(tags, ", "))
	}
	if stale {
		r.Header.Del("If-Modified-Since")
	}
	if !ranges { // net/http would take a range of the encoded bytes
		r.Header.Del("Range")
	}
	return r
}
