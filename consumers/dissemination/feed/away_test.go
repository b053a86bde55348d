package feed_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/vintages"
)

func TestClickHouseAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	gone, err := clickhouse.Open(&clickhouse.Options{Addr: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	registry := prometheus.NewRegistry()
	h := feed.New(feed.Config{Shelf: vintages.NewShelf(gone, time.Minute, 0), Registerer: registry, Log: slog.New(slog.NewTextHandler(&log, nil))})
	resp, body := get(t, h, feed.PathCSV+"?period=2016-S1", "Accept-Language", "en")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, body)
	}
	if strings.Contains(body, addr) || !strings.Contains(log.String(), "refused") {
		t.Errorf("the cause belongs into the log, not into the answer: %s; log %s", body, log.String())
	}
	want := `
		# HELP retorno_http_requests_total Answers given to partner agencies and the public, by route template and class of status (2xx, 3xx, 4xx, 5xx).
		# TYPE retorno_http_requests_total counter
		retorno_http_requests_total{code="2xx",route="/feed/v1/"} 0
		retorno_http_requests_total{code="3xx",route="/feed/v1/"} 0
		retorno_http_requests_total{code="4xx",route="/feed/v1/"} 0
		retorno_http_requests_total{code="5xx",route="/feed/v1/"} 0
		retorno_http_requests_total{code="2xx",route="/feed/v1/returns.csv"} 0
		retorno_http_requests_total{code="3xx",route="/feed/v1/returns.csv"} 0
		retorno_http_requests_total{code="4xx",route="/feed/v1/returns.csv"} 0
		retorno_http_requests_total{code="5xx",route="/feed/v1/returns.csv"} 1
		retorno_http_requests_total{code="2xx",route="/feed/v1/returns.json"} 0
		retorno_http_requests_total{code="3xx",route="/feed/v1/returns.json"} 0
		retorno_http_requests_total{code="4xx",route="/feed/v1/returns.json"} 0
		retorno_http_requests_total{code="5xx",route="/feed/v1/returns.json"} 0
	`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "retorno_http_requests_total"); err != nil {
		t.Error(err)
	}
}

// stuck is a ClickHouse that takes questions and never answers.
type stuck struct{}

func (stuck) Query(ctx context.Context, _ string, _ ...any) (driver.Rows, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestASlowClickHouseHoldsUpNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var log strings.Builder
		h := feed.New(feed.Config{Shelf: vintages.NewShelf(stuck{}, time.Minute, 0), Log: slog.New(slog.NewTextHandler(locked{&mu, &log}, nil))})
		began := time.Now()
		var all sync.WaitGroup
		codes := make([]int, 8)
		for i := range codes {
			all.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, feed.PathCSV+"?period=2016-S1", nil))
				codes[i] = w.Code
			})
		}
		all.Wait()
		if took := time.Since(began); took != time.Minute {
			t.Errorf("answered after %s, want one minute", took)
		}
		for _, code := range codes {
			if code != 503 {
				t.Errorf("statuses %v, want 503 for all", codes)
				break
			}
		}
		if !strings.Contains(log.String(), "wait for another reader") {
			t.Errorf("no question waited for another: %s", log.String())
		}
	})
}

// locked is a writer that several goroutines may use.
type locked struct {
	mu *sync.Mutex
	to *strings.Builder
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}
