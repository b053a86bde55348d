package command

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/deploy/ops"
)

// publishOne publishes a final vintage of the first half of 2016.
func publishOne(t testing.TB, s *store.Store) {
	t.Helper()
	err := vintagestest.Publish(t.Context(), s.Conn(), vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "final", Published: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
}

// heapInUse is what the program holds, in MiB.
func heapInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc >> 20) //nolint:gosec // far below the largest number
}

// TestWebTakesBoundedMemory: 10,000 distinct questions, 300 clients that send half a header and 60 that do not read what they asked for take no
// more than what is kept of answers, the largest headers, and one answer each.
func TestWebTakesBoundedMemory(t *testing.T) {
	s, addr := migratedStore(t)
	publishOne(t, s)
	web, operator := freeAddress(t), freeAddress(t)
	running(t, map[string]string{"RETORNO_CLICKHOUSE_ADDR": addr, "RETORNO_CLICKHOUSE_USER": "ceniss_public", "RETORNO_LOG_LEVEL": "warn"}, "serve", "--listen", web, "--ops-listen", operator, "--limit-data=0")
	embeddedtest.Eventually(t, "the web is not ready", func() bool { status, _ := fetch("http://" + web + "/readyz"); return status == http.StatusOK })
	ask := func(i int) {
		t.Helper()
		if status, body := fetch(fmt.Sprintf("http://%s%s?period=2016-S1&by=sex,age_group&asOf=2017-01-01T00:00:00.%06dZ", web, feed.PathJSON, i)); status != http.StatusOK || !strings.Contains(body, `"returns"`) {
			t.Fatalf("%d %s", status, body)
		}
	}
	ask(0)
	before := heapInUse()
	for i := range 10_000 {
		ask(i)
	}
	questions := heapInUse() - before
	if questions > 90 {
		t.Errorf("10,000 questions left %d MiB", questions)
	}
	connect := func(n int, request string) {
		for range n {
			c, err := net.Dial("tcp", web)
			if err == nil {
				t.Cleanup(func() { _ = c.Close() })
				_, err = io.WriteString(c, request)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	connect(300, "GET / HTTP/1.1\r\nHost: retorno\r\nX-Half: "+strings.Repeat("x", 30<<10))
	connect(60, "GET "+sdmx.Root21+"structure/all/all/all?references=all HTTP/1.1\r\nHost: retorno\r\n\r\n")
	embeddedtest.Eventually(t, "the clients are not connected", func() bool {
		_, page := fetch("http://" + operator + "/metrics")
		return regexp.MustCompile(`(?m)^retorno_http_connections 36\d$`).MatchString(page)
	})
	// While answers are made, each takes more than it is.
	clients := 0
	embeddedtest.Eventually(t, "slow clients go on holding more than 60 MiB", func() bool {
		clients = heapInUse() - before - questions
		return clients <= 60
	})
	t.Logf("10,000 questions left %d MiB, 360 slow clients hold %d MiB", questions, clients)
	ask(0)
}

// TestLimitsOfTheWeb: serve counts data and structures apart, and a page not at all; a partner's token is read from the file.
func TestLimitsOfTheWeb(t *testing.T) {
	for path, want := range map[string]string{"/": "", "/feed/": "", "/problems/": "", "/feed/v1/returns.csv": "data", "/vintages": "data", "/vintages/2016-S1/1/": "data", "/changes": "data", "/changes/stream": "data",
		"/changes.atom": "data", "/bulletin/2016-S1": "data", "/sdmx/2.1/data/T1": "data", "/sdmx/3.0/data/dataflow/CENISS/T1": "data", "/sdmx/2.1/dataflow": "structures", "/sdmx/3.0/availability/dataflow": "structures",
		"/catalog.jsonld": "structures", "/openapi.json": "structures"} {
		if got := budgetOf(httptest.NewRequest(http.MethodGet, path, nil)); string(got) != want {
			t.Errorf("%s is of budget %q, want %q", path, got, want)
		}
	}
	r := try(t, "", map[string]string{}, "serve", "--limit-data=-1")
	if r.status != exitUsage || !strings.Contains(r.err, "--limit-data") {
		t.Errorf("a negative limit: %+v", r)
	}
}

// BenchmarkCachedAnswers compares the whole way of an answer that is kept, with limits, metrics and log, with a handler that writes the same
// headers and bytes and does nothing else, round by round in the same run. ratio is our rate divided by the bare one's.
func BenchmarkCachedAnswers(b *testing.B) {
	s := enginetest.Fresh(b, engine)
	publishOne(b, s)
	ctx, cancel := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	flags := &webFlags{LimitData: 1 << 30, LimitStructures: 1 << 30}
	part := flags.part(listener, s, ops.New(registry), slog.New(slog.NewTextHandler(io.Discard, nil)), registry)
	ended := make(chan error, 1)
	go func() { ended <- part.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}()
	for name, path := range map[string]string{"feed": feed.PathCSV + "?period=2016-S1&by=exit_point", "page": "/?lang=es", "sdmx": sdmx.Root21 + "data/T8"} {
		b.Run(name, func(b *testing.B) { compare(b, "http://"+listener.Addr().String()+path) })
	}
}

func compare(b *testing.B, address string) {
	header, body := pull(b, address)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		_, _ = w.Write(body)
	}))
	defer bare.Close()
	var ours, theirs time.Duration
	for b.Loop() {
		ours += timed(b, address, body)
		theirs += timed(b, bare.URL, body)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(len(body)), "bytes")
}

// plainClient takes the bytes as they are, from both servers.
var plainClient = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// timed takes 100 answers.
func timed(b *testing.B, address string, want []byte) time.Duration {
	began := time.Now()
	for range 100 {
		if _, got := pull(b, address); !bytes.Equal(got, want) {
			b.Fatalf("%s gives other bytes", address)
		}
	}
	return time.Since(began)
}

func pull(b *testing.B, address string) (http.Header, []byte) {
	resp, err := plainClient.Get(address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%d %v", resp.StatusCode, err)
	}
	return resp.Header, body
}
