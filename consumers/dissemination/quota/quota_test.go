package quota

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// clock is one that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// office answers behind limits of 60 and 30 questions a minute.
func office(c Config) (*Limiter, *clock, http.Handler) {
	at := &clock{time.Date(2016, 7, 1, 12, 0, 0, 0, time.UTC)}
	c.Now, c.Data, c.Structures = at.Now, 60, 30
	c.Of = func(r *http.Request) Budget { return Budget(strings.TrimPrefix(r.URL.Path, "/")) }
	l := New(c)
	return l, at, l.Handle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("27086")) }))
}

func ask(h http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

func bearing(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// TestBudgets: data and structures are counted apart, what is left is said, a question too many is refused with when to come back, and who
// waits that long is answered, however often it was refused.
func TestBudgets(t *testing.T) {
	l, at, h := office(Config{})
	for left := 59; left >= 0; left-- {
		w := ask(h, "/data")
		if got, want := w.Header().Get("RateLimit"), fmt.Sprintf(`"data";r=%d;t=%d`, left, 60-left); w.Code != 200 || got != want || w.Header().Get("RateLimit-Policy") != `"data";q=60;w=60` {
			t.Fatalf("%d %s, want %s; %v", w.Code, got, want, w.Header())
		}
	}
	for range 500 {
		w := ask(h, "/data")
		var p map[string]any
		err := json.Unmarshal(w.Body.Bytes(), &p)
		if err != nil || w.Code != 429 || w.Header().Get("Retry-After") != "1" || p["type"] != "/problems/too-many-requests" || p["detail_es"] == "" || p["detail_en"] == "" || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%v %d %v %s", err, w.Code, w.Header(), w.Body)
		}
	}
	if got := testutil.ToFloat64(l.refused.WithLabelValues("data")); got != 500 {
		t.Errorf("%v refusals are counted", got)
	}
	if w := ask(h, "/structures"); w.Code != 200 || w.Header().Get("RateLimit") != `"structures";r=29;t=2` {
		t.Errorf("structures after all data: %d %v", w.Code, w.Header())
	}
	if w := ask(h, "/"); w.Code != 200 || w.Header().Get("RateLimit") != "" {
		t.Errorf("a page: %d %v", w.Code, w.Header())
	}
	if w := ask(h, "/data", func(r *http.Request) { r.Method = http.MethodOptions }); w.Code != 200 {
		t.Errorf("OPTIONS: %d", w.Code)
	}
	if w := ask(h, "/data", from("198.51.100.7:9")); w.Code != 200 {
		t.Errorf("another client: %d", w.Code)
	}
	at.now = at.now.Add(time.Second)
	if w := ask(h, "/data"); w.Code != 200 {
		t.Errorf("after the wait: %d", w.Code)
	}
	if w := ask(h, "/data"); w.Code != 429 {
		t.Errorf("a second one after the wait: %d", w.Code)
	}
}

// TestWhoseBudget: of IPv6 a network of 64 bits is one client; the last address that a proxy tells is believed only where it is said so.
func TestWhoseBudget(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Add("X-Forwarded-For", "203.0.113.1, 203.0.113.2")
	r.Header.Add("X-Forwarded-For", "203.0.113.3 ,203.0.113.4")
	for _, c := range []struct{ remote, header, want string }{
		{"192.0.2.1:1234", "", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:1234", "", "192.0.2.1"},
		{"[2001:db8:1:2:3::4]:1", "", "2001:db8:1:2::"},
		{"[::1]:1", "", "::1"},
		{"@", "", ""},
		{"192.0.2.1:1234", "X-Forwarded-For", "203.0.113.4"},
		{"192.0.2.1:1234", "X-Real-IP", "192.0.2.1"},
	} {
		r.RemoteAddr = c.remote
		if got := New(Config{Header: c.header}).address(r); got != c.want {
			t.Errorf("%s by %s: %q, want %q", c.remote, c.header, got, c.want)
		}
	}
}

// TestTokens: a token has a larger budget of its own and the same answer, an unknown one is refused, one that is taken out of the file ends
// within 60 seconds, and so do all when the file is gone; no token gets into a log or an answer.
func TestTokens(t *testing.T) {
	const token, other = "b7Qk1dWv0sXo3mZr9pLtYg", "Qm2v8JtR5cXy1nKa7eWsHd"
	path := filepath.Join(t.TempDir(), "tokens")
	write := func(lines string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := func(name, token string) string { return fmt.Sprintf("%s %x\n", name, sha256.Sum256([]byte(token))) }
	write("# partners\n\n" + line("acnur", token) + line("oim", other))
	var log bytes.Buffer
	start := time.Date(2016, 7, 1, 12, 0, 0, 0, time.UTC)
	tokens, err := OpenTokens(path, slog.New(slog.NewTextHandler(&log, nil)), start)
	if err != nil {
		t.Fatal(err)
	}
	_, at, h := office(Config{Tokens: tokens})
	without := ask(h, "/data")
	with := ask(h, "/data", bearing(token))
	if with.Code != 200 || with.Body.String() != without.Body.String() || with.Header().Get("RateLimit-Policy") != `"data";q=600;w=60` || without.Header().Get("RateLimit") != `"data";r=59;t=1` {
		t.Errorf("%d %v, without %v", with.Code, with.Header(), without.Header())
	}
	if w := ask(h, "/data", from("198.51.100.7:9"), bearing(token)); w.Header().Get("RateLimit") != `"data";r=598;t=1` {
		t.Errorf("a partner's budget from another address: %v", w.Header())
	}
	write(line("oim", other))
	at.now = at.now.Add(59 * time.Second)
	if w := ask(h, "/data", bearing(token)); w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Bearer error="invalid_token"` || !strings.Contains(w.Body.String(), "/problems/token") || strings.Contains(w.Body.String(), token) {
		t.Errorf("revoked: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask(h, "/data", bearing(other)); w.Code != 200 {
		t.Errorf("another partner's: %d", w.Code)
	}
	if w := ask(h, "/data?token="+other); w.Header().Get("RateLimit-Policy") != `"data";q=60;w=60` {
		t.Errorf("in the address: %v", w.Header())
	}
	if w := ask(h, "/data", func(r *http.Request) { r.SetBasicAuth("a", "b") }); w.Code != 200 {
		t.Errorf("another scheme: %d", w.Code)
	}
	for range 100 { // guesses are of the address's budget
		ask(h, "/data", bearing("guess"))
	}
	if w := ask(h, "/data", bearing("guess")); w.Code != 429 {
		t.Errorf("guesses are not limited: %d", w.Code)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	at.now = at.now.Add(59 * time.Second)
	if w := ask(h, "/data", bearing(other)); w.Code != 401 || !strings.Contains(log.String(), "cannot be read") || strings.Contains(log.String(), other) {
		t.Errorf("without the file: %d, log %s", w.Code, log.String())
	}
	write("acnur " + token + "\n")
	if _, err := OpenTokens(path, nil, start); err == nil || strings.Contains(err.Error(), token) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a token in the place of its hash: %v", err)
	}
}

// TestManyClientsTakeBoundedMemory: 60,000 addresses leave no more than the places that there are.
func TestManyClientsTakeBoundedMemory(t *testing.T) {
	l, _, h := office(Config{})
	before := heap()
	for i := range 60_000 {
		ask(h, "/data", from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)))
	}
	l.clients.CleanUp()
	if n := l.clients.EstimatedSize(); n > clients {
		t.Errorf("%d clients are remembered", n)
	}
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("they take %s bytes", strconv.FormatInt(grown, 10))
	}
	runtime.KeepAlive(l)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below the largest number
}
