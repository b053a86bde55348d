package bulletin_test

import (
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/xuri/excelize/v2"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var conn driver.Conn

func TestMain(m *testing.M) {
	embeddedtest.Main(m, enginetest.Vintages(&conn,
		vintagestest.Vintage{Period: "2015-S1", Number: 1, Status: "final", Published: time.Date(2015, 10, 1, 12, 0, 0, 0, time.UTC)},
		vintagestest.Vintage{Period: "2015-S1", Number: 2, Status: "revision", Published: time.Date(2015, 12, 1, 12, 0, 0, 0, time.UTC)},
		vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "provisional", Published: time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)},
		vintagestest.Vintage{Period: "2016-S1", Number: 2, Status: "final", Published: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC), Manifest: func(m *bundle.Manifest) { m.NextRelease = "2017-02-15" }}))
}

var handler = sync.OnceValue(func() http.Handler {
	return bulletin.New(bulletin.Config{Shelf: vintages.NewShelf(conn, time.Minute, time.Hour)})
})

func get(t *testing.T, target string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func list(t *testing.T) []vintages.Vintage {
	t.Helper()
	all, err := vintages.NewShelf(conn, time.Minute, time.Hour).List(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	return all
}

// The half-year of the seed reads as the office published it.
func TestTheHalfYearOfTheSeed(t *testing.T) {
	for target, want := range map[string][]string{
		"/bulletin/2016-S1?lang=es": {"En el primer semestre de 2016 se registraron 27,086 migrantes retornados; el 63.0\u00a0% había salido de Honduras por el paso fronterizo terrestre de Corinto.", "80.0\u00a0%", "2016-S1/2", "definitivo",
			"frente al mismo semestre del año anterior", "17,064", "después del 31 de diciembre de 2016; anunciado para el 15 de febrero de 2017."},
		"/bulletin/2016-S1?lang=es&vintage=1": {"el definitivo de este semestre, después del 30 de junio de 2016; no hay fecha anunciada."},
		"/bulletin/2016-S1?lang=en":           {"In the first half of 2016, 27,086 returned migrants were registered, 63.0% of whom had left Honduras by the Corinto land border.", "against the same half-year a year before"},
	} {
		_, page := get(t, target)
		for _, text := range want {
			if !strings.Contains(html.UnescapeString(page), text) {
				t.Errorf("%s does not say %q", target, text)
			}
		}
	}
}

// The same vintage gives the same bytes, whenever it is asked for and by whichever process.
func TestTheSameVintageGivesTheSameBytes(t *testing.T) {
	for _, target := range []string{"/bulletin/2016-S1?lang=es", "/bulletin/2016-S1?lang=es&format=xlsx", "/bulletin/2015-S1?lang=en&format=xlsx", "/bulletin/2015-S1?lang=es&format=ods"} {
		resp, body := get(t, target)
		other := bulletin.New(bulletin.Config{Shelf: vintages.NewShelf(conn, time.Minute, time.Hour)})
		w := httptest.NewRecorder()
		other.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if w.Body.String() != body || w.Header().Get("ETag") != resp.Header.Get("ETag") || resp.Header.Get("ETag") == "" {
			t.Errorf("%s: other bytes (%d and %d), or no ETag", target, len(body), w.Body.Len())
		}
	}
}

func TestWhatCannotBeAskedIsNamed(t *testing.T) {
	for target, status := range map[string]int{"/bulletin/2016-S1?lang=fr": 400, "/bulletin/2016-S1?format=doc": 400, "/bulletin/2016-S1?vintage=0": 400, "/bulletin/2016-S1?vintage=9": 404,
		"/bulletin/1999-S1": 404, "/bulletin/%00": 404} {
		resp, body := get(t, target)
		if resp.StatusCode != status || resp.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(body, "detail_es") {
			t.Errorf("%s: %d %s %s", target, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
	}
}

// Percentages of the parts add up to 100.0 where all parts are published, and a part is never further from its own than a tenth.
func TestPercentagesAddUp(t *testing.T) {
	share := regexp.MustCompile(`^\d+\.\d$`)
	checked := 0
	for _, v := range list(t) {
		_, body := get(t, fmt.Sprintf("%s%s?vintage=%d&format=xlsx&lang=en", bulletin.Path, v.Period, v.Number))
		f, err := excelize.OpenReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, sheet := range f.GetSheetList()[3:] {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(rows[3], "%") {
				continue
			}
			total, err := strconv.ParseFloat(rows[4][2], 64)
			if err != nil || total != 100 {
				t.Errorf("%s of %s: the total is %q percent", sheet, v.Period, rows[4][2])
			}
			for _, row := range rows[5:] {
				if len(row) > 2 && row[2] != "[c]" && !share.MatchString(row[2]+".0"[min(2, 2*strings.Count(row[2], ".")):]) {
					t.Errorf("%s: %q is no percentage with one decimal", sheet, row[2])
				}
				checked++
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 30 {
		t.Errorf("%d percentages looked at", checked)
	}
}

// TestTheMapAddsUp: the percentages of all departments, which are published and stated, add up to 100.0.
func TestTheMapAddsUp(t *testing.T) {
	_, page := get(t, "/bulletin/2016-S1?lang=en")
	_, list, _ := strings.Cut(page, "Registered returns by department of origin")
	list, _, _ = strings.Cut(list, "</table>")
	tenths, n := 0., 0
	for _, m := range regexp.MustCompile(`<td class="n">(\d+\.\d)%</td>`).FindAllStringSubmatch(html.UnescapeString(list), -1) {
		share, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		tenths, n = tenths+share*10, n+1
	}
	if math.Round(tenths) != 1000 || n < 15 {
		t.Errorf("%d departments come to %v tenths of a percent", n, tenths)
	}
}
