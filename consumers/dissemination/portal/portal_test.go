package portal_test

import (
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/dissemination/portal"
)

// now is 11:20 in Honduras, shortly after the last sending.
func now() time.Time { return time.Date(2026, 11, 23, 17, 20, 0, 0, time.UTC) }

func handler() http.Handler { return portal.New(portal.Config{Conn: conn, Now: now, Keep: -1}) }

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

var tag = regexp.MustCompile(`<[^>]*>`)

// plain is what a page says, without tags and with single spaces.
func plain(page string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(html.UnescapeString(tag.ReplaceAllString(page, " ")), "\u00a0", " ")), " ")
}

func TestTheHalfYearIsThere(t *testing.T) {
	for lang, want := range map[string][]string{
		"es": {"Retornos registrados en el primer semestre de 2016", "Total registrado 27,086 100.0 %", "Corinto 17,065 63.0 %", "México, por tierra 12,465 46.0 %",
			"No declarado 1,560 5.8 %", "Base de los porcentajes: 27,086 retornos registrados, incluidos los no declarados", "registrados, de 33,870 retornos conocidos",
			"Cobertura 80.0 %", "Cifras provisionales", "datos recibidos hasta el 23 de noviembre de 2026, 11:15", "método, versión 1", "Computadoras en silencio 2 de 23",
			"No son refugiados que regresan"},
		"en": {"Registered returns in the first half of 2016", "Registered in total 27,086 100.0%", "Corinto 17,065 63.0%", "Mexico, by land 12,465 46.0%",
			"Not stated 1,560 5.8%", "Coverage 80.0%", "Provisional figures", "23 November 2026, 11:15", "Silent computers 2 of 23", "They are not returning refugees"},
	} {
		resp, page := get(t, handler(), "/?lang="+lang)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Language") != lang {
			t.Errorf("%s: %d %v", lang, resp.StatusCode, resp.Header)
		}
		text := plain(page)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page does not say %q", lang, w)
			}
		}
		for _, exact := range []string{"17,064", "33,868", "3,916", "1,824"} {
			if strings.Contains(text, exact) {
				t.Errorf("%s: the page says %s, which is not rounded", lang, exact)
			}
		}
		if strings.Contains(text, "ES-AIR") || strings.Contains(text, "Puerto Cortés") {
			t.Errorf("%s: the page names a route or point of one or two returns", lang)
		}
	}
}

func TestWhichHalfYear(t *testing.T) {
	for target, want := range map[string]int{
		"/": 200, "/?period=2016-S1": 200, "/?period=2016-S2": 200, "/?period=2026-S2&utm_source=x": 200, "/?period=2015-S1": 404,
		"/?period=2016": 400, "/?period=2016-S3": 400, "/?period=%3Cscript%3E": 400, "/?lang=fr": 400, "/feed/?lang=fr": 400, "/nada": 404,
	} {
		resp, page := get(t, handler(), target)
		if resp.StatusCode != want || strings.Contains(page, "<script") {
			t.Errorf("%s: %d, want %d", target, resp.StatusCode, want)
		}
		if want != 200 && (resp.Header.Get("ETag") != "" || resp.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: an error may be kept: %v", target, resp.Header)
		}
	}
	_, live := get(t, handler(), "/?period=2026-S2&lang=en")
	for _, want := range []string{"second half of 2026", "Not over yet", "Coverage n/a", `value="2016-S1">`, `value="2026-S2" selected>`} {
		if !strings.Contains(live, want) && !strings.Contains(plain(live), want) {
			t.Errorf("the running half-year does not say %q", want)
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ target, accept, want string }{
		{"/", "", "es"}, {"/", "en-GB,en;q=0.9", "en"}, {"/", "fr", "es"}, {"/?lang=es", "en", "es"}, {"/?lang=en", "es", "en"}, {"/feed/", "en", "en"}, {"/nada", "en", "en"},
	} {
		resp, page := get(t, handler(), c.target, "Accept-Language", c.accept)
		if resp.Header.Get("Content-Language") != c.want || !strings.Contains(page, `<html lang="`+c.want+`">`) {
			t.Errorf("%s with %q: %s", c.target, c.accept, resp.Header.Get("Content-Language"))
		}
		if !strings.Contains(strings.Join(resp.Header.Values("Vary"), ", "), "Accept-Language") {
			t.Errorf("%s does not vary by language", c.target)
		}
	}
}

func TestHeadersAndMethods(t *testing.T) {
	for _, target := range []string{"/", "/feed/", "/nada"} {
		resp, _ := get(t, handler(), target)
		for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
			if !strings.Contains(resp.Header.Get(name), want) {
				t.Errorf("%s: %s is %q", target, name, resp.Header.Get(name))
			}
		}
	}
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
	first, page := get(t, handler(), "/")
	if again, body := get(t, handler(), "/", "If-None-Match", first.Header.Get("ETag")); again.StatusCode != 304 || body != "" {
		t.Errorf("the same page is sent again: %d", again.StatusCode)
	}
	style := regexp.MustCompile(`href="(/assets/site-[0-9a-f]+\.css)"`).FindStringSubmatch(page)
	if style == nil {
		t.Fatal("the page has no style sheet")
	}
	if resp, body := get(t, handler(), style[1]); resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.Contains(body, "@media print") {
		t.Errorf("%s: %d %v", style[1], resp.StatusCode, resp.Header)
	}
}

// part is a ClickHouse of which a test decides what works.
type part struct {
	fails func(query string) error
	asked int
}

func (p *part) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	p.asked++
	if p.fails != nil {
		if err := p.fails(query); err != nil {
			return nil, err
		}
	}
	return conn.Query(ctx, query, args...)
}

func TestClickHouseAway(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	gone := &part{fails: func(string) error { return errors.New("connection refused by 10.0.0.7") }}
	h := portal.New(portal.Config{Conn: gone, Now: now, Registerer: registry, Log: slog.New(slog.NewTextHandler(&log, nil))})
	resp, page := get(t, h, "/?lang=en")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !strings.Contains(page, "The database does not answer") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, page)
	}
	if strings.Contains(page, "10.0.0.7") || !strings.Contains(log.String(), "10.0.0.7") {
		t.Error("the cause belongs into the log, not on the page")
	}
	if resp, _ := get(t, h, "/feed/"); resp.StatusCode != 200 {
		t.Errorf("the description of the feed needs no ClickHouse: %d", resp.StatusCode)
	}
	if n, err := testutil.GatherAndCount(registry, "retorno_http_requests_total"); err != nil || n == 0 {
		t.Errorf("requests are not counted: %d %v", n, err)
	}
}

func TestTheFiguresStandWithoutTheSources(t *testing.T) {
	half := &part{fails: func(query string) error {
		if strings.Contains(query, "ceniss.sources") {
			return errors.New("no")
		}
		return nil
	}}
	resp, page := get(t, portal.New(portal.Config{Conn: half, Now: now}), "/")
	if resp.StatusCode != 200 || !strings.Contains(page, "27,086") || !strings.Contains(page, "no se pudo leer") {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestManyReadersCostOneReading(t *testing.T) {
	counted := &part{}
	clock := now()
	h := portal.New(portal.Config{Conn: counted, Now: func() time.Time { return clock }, Keep: time.Second})
	get(t, h, "/")
	once := counted.asked
	get(t, h, "/?lang=en")
	if counted.asked != once {
		t.Errorf("a second reader cost %d queries", counted.asked-once)
	}
	clock = clock.Add(2 * time.Second)
	get(t, h, "/")
	again := counted.asked - once
	if again == 0 || again >= once {
		t.Errorf("after Keep there were %d queries more, want the counts (and not the completeness) again, of %d", again, once)
	}
	clock = clock.Add(15 * time.Second)
	get(t, h, "/")
	if counted.asked != 2*once+again {
		t.Errorf("after fifteen times Keep there were %d queries, want %d", counted.asked, 2*once+again)
	}
}

// emptyStore is a ClickHouse with the schema and no rows.
type emptyStore struct{}

type noRows struct{ driver.Rows }

func (noRows) Next() bool   { return false }
func (noRows) Err() error   { return nil }
func (noRows) Close() error { return nil }

func (emptyStore) Query(context.Context, string, ...any) (driver.Rows, error) { return noRows{}, nil }

func TestNothingCountedYet(t *testing.T) {
	h := portal.New(portal.Config{Conn: emptyStore{}, Now: now})
	resp, page := get(t, h, "/?lang=en")
	if resp.StatusCode != 200 || !strings.Contains(page, "No data yet") || !strings.Contains(page, "No computer has sent data yet") {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
	if resp, _ := get(t, h, "/?period=2016-S1"); resp.StatusCode != 404 {
		t.Errorf("a half-year without data: %d", resp.StatusCode)
	}
}
