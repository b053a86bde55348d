package portal_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/vintages"
)

// handler has read its vintages once for all tests.
var handler = sync.OnceValue(func() http.Handler { return portal.New(portal.Config{Shelf: shelf()}) })

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
	for target, want := range map[string][]string{
		"/?lang=es": {"Retornos registrados en el primer semestre de 2016", "Definitivo", "Total registrado 27,086 100.0 %", "Salieron por Corinto 17,064 63.0 % de los 27,086", "Corinto 17,064 63.0 %",
			"Estados Unidos 9,852 36.4 %", "No declarado 1,782 6.6 %", "Base de los porcentajes: 27,086 retornos registrados, incluidos los no declarados", "Cobertura 80.0 % registrados, de 33,868 retornos conocidos",
			"Tardíos 2.4 % anotados más de 72 horas después de la llegada", "Edición 2016-S1/2 , publicada el 3 de octubre de 2016, 09:00 , contada el 3 de octubre de 2016, 08:00", "método, versión 1",
			"Vistos entrar en un puesto 32,513", "enero 4,521", "Las cifras son exactas. El punto de salida es el que", "fechas y horas de Honduras (UTC−6)", "No son refugiados que regresan"},
		"/?lang=en": {"Registered returns in the first half of 2016", "Final", "Registered in total 27,086 100.0%", "Left by Corinto 17,064 63.0%", "United States 9,852 36.4%", "Not stated 1,782 6.6%",
			"Coverage 80.0% registered, of 33,868 known returns", "Late 2.4%", "Vintage 2016-S1/2 , published on 3 October 2016, 09:00", "January 4,521", "They are not returning refugees"},
		"/?lang=en&period=2015-S2": {"second half of 2015", "Provisional", "Registered in total 27,090 100.0%", "Coverage n/a the counts that it would be computed from are not published, or are of very few persons",
			"Late n/a the counts that", "Vintage 2015-S2/1", "Published incomplete: three computers are silent. Missing were 1,202 records",
			"each is rounded by itself to the nearest multiple of 10", "Mexico by land, by sea or not stated 9,850 36.4%"},
	} {
		resp, page := get(t, handler(), target)
		if lang := target[len("/?lang="):][:2]; resp.StatusCode != 200 || resp.Header.Get("Content-Language") != lang {
			t.Errorf("%s: %d %v", target, resp.StatusCode, resp.Header)
		}
		text := plain(page)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: the page does not say %q:\n%s", target, w, text)
			}
		}
	}
	if _, page := get(t, handler(), "/?lang=en&period=2015-S2"); strings.Contains(plain(page), "By point where they left") || strings.Contains(page, "27,086") {
		t.Error("a provisional vintage has a table by exit point, or an exact number, on the page")
	} else if strings.Contains(page, "The exit point is the one the person states") {
		t.Error("the note is of exit points, and the table has none")
	}
	if _, page := get(t, handler(), "/?lang=en"); strings.Contains(page, "Published incomplete") || strings.Contains(page, "]</text>") {
		t.Error("a complete vintage that keeps nothing says that it is incomplete, or marks a month")
	}
}

// TestTheFeedsPageOffersWhatIsAnswered: a column that no vintage has is not named.
func TestTheFeedsPageOffersWhatIsAnswered(t *testing.T) {
	_, page := get(t, handler(), "/feed/?lang=en")
	if !strings.Contains(page, "<dt><code>exit_point</code></dt>") || strings.Contains(page, "<code>country</code>") || strings.Contains(page, "<code>mode</code>") {
		t.Errorf("the columns are not those that are answered: %s", page)
	}
}

func TestWhichHalfYear(t *testing.T) {
	for target, want := range map[string]int{
		"/": 200, "/?period=2016-S1": 200, "/?period=2015-S2&utm_source=x": 200, "/?period=2016-S2": 404, "/?period=2015-S1": 404,
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
	_, page := get(t, handler(), "/?lang=en") // the latest half-year, not that which was published last
	for _, want := range []string{"first half of 2016", `value="2016-S1" selected>`, `value="2015-S2">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
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
	for _, method := range []string{http.MethodPost, http.MethodOptions} { // no page of another site may read these: it need not ask
		w := httptest.NewRecorder()
		handler().ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
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

// gone is a ClickHouse that is away.
type gone struct{}

func (gone) Query(context.Context, string, ...any) (driver.Rows, error) {
	return nil, errors.New("connection refused by 10.0.0.7")
}

func TestClickHouseAway(t *testing.T) {
	var log strings.Builder
	registry := prometheus.NewRegistry()
	h := portal.New(portal.Config{Shelf: vintages.NewShelf(gone{}, time.Minute, 0), Registerer: registry, Log: slog.New(slog.NewTextHandler(&log, nil))})
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

// noRows is a ClickHouse with the schema and no vintages.
type noRows struct{ driver.Rows }

func (noRows) Next() bool   { return false }
func (noRows) Err() error   { return nil }
func (noRows) Close() error { return nil }

func (r noRows) Query(context.Context, string, ...any) (driver.Rows, error) { return r, nil }

var nothing = portal.New(portal.Config{Shelf: vintages.NewShelf(noRows{}, time.Minute, 0)})

func TestNothingPublishedYet(t *testing.T) {
	resp, page := get(t, nothing, "/?lang=en")
	if resp.StatusCode != 200 || !strings.Contains(page, "Nothing is published yet") || !strings.Contains(page, "What is still being counted is not shown") {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
	if resp, _ := get(t, nothing, "/?period=2016-S1"); resp.StatusCode != 404 {
		t.Errorf("a half-year without a vintage: %d", resp.StatusCode)
	}
}

// TestNothingThatArrivesMovesAByte: every page is the same, with its headers, before and after a thousand returns are counted and written and
// a computer has fallen silent, also by a server that has just been started.
func TestNothingThatArrivesMovesAByte(t *testing.T) {
	pull := func() map[string]string {
		h, all := portal.New(portal.Config{Shelf: shelf()}), map[string]string{}
		for _, target := range []string{"/", "/?lang=en", "/?period=2015-S2", "/?period=2016-S2", "/feed/", "/feed/?lang=en", "/nothing", "/problems/", "/problems/not-published"} {
			resp, body := get(t, h, target)
			all[target] = fmt.Sprint(resp.StatusCode, resp.Header, body)
		}
		return all
	}
	before := pull()
	for _, statement := range []string{
		"INSERT INTO retorno.return_counts (day, route, exit_point, registered, checkpoint, reconciled, version, kafka_partition) SELECT toDate('2016-06-02') + number % 60, 'US-AIR', 'L-COR', 1, 1, 1, number, number FROM numbers(1000)",
		"INSERT INTO retorno.sendings (place, source_id, source_seq, sent_at, clock_offset_ms) SELECT number, 'L-COR-1', number + 1, toDateTime64('2016-06-02 12:00:00', 3, 'UTC'), 40 FROM numbers(1000) WHERE number != 7",
		"INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at) VALUES ('retorno.centre.v1', 0, 1, 0, 1000, 1000, 1000, now64(3))",
	} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for target, now := range pull() {
		if now != before[target] {
			t.Errorf("%s was\n%s\nand is\n%s", target, before[target], now)
		}
	}
}

func digest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// serve asks for a page and gives its status.
func serve(h http.Handler, target string) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w.Code
}
