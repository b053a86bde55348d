package catalog_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/catalog"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

// ask gets the catalogue of a server of its own.
func ask(t *testing.T, conn driver.Conn) (body string, kinds map[string]int, h http.Header) {
	t.Helper()
	handler := catalog.New(catalog.Config{Shelf: vintages.NewShelf(conn, time.Minute, 0), Services: []catalog.Service{{Address: "/feed/v1/returns.csv", Description: "/feed/", ES: "Consulta", EN: "Feed"}}})
	var text []byte
	for range 2 { // the second time from what is kept
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, catalog.Path, nil))
		h = w.Result().Header
		text, _ = io.ReadAll(w.Result().Body)
		if w.Code != http.StatusOK || body != "" && body != string(text) {
			t.Fatalf("%d %s", w.Code, text)
		}
		body = string(text)
	}
	var document struct {
		Graph []struct {
			Type string `json:"@type"`
		} `json:"@graph"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	kinds = map[string]int{}
	for _, n := range document.Graph {
		kinds[n.Type]++
	}
	return body, kinds, h
}

// TestTheCatalogueHasTheNewestVintages: a catalogue without a vintage is one, too; one of a vintage has its tables in every form, and a
// revision takes the place of the vintage that it corrects.
func TestTheCatalogueHasTheNewestVintages(t *testing.T) {
	conn := enginetest.Fresh(t, engine).Conn()
	if _, kinds, h := ask(t, conn); kinds["dcat:Catalog"] != 1 || kinds["dcat:Dataset"] != 0 || kinds["dcat:DataService"] != 1 || h.Get("Content-Type") != "application/ld+json" {
		t.Errorf("without a vintage: %v %v", kinds, h)
	}
	bodies := map[string]bool{}
	for i, status := range []string{"provisional", "final", "revision"} {
		next := []string{"", "2017-02-15", "2017-03-01"}[i]
		v := vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC),
			Manifest: func(m *bundle.Manifest) { m.NextRelease = next }}
		if err := vintagestest.Publish(t.Context(), conn, v); err != nil {
			t.Fatal(err)
		}
		list, err := vintages.NewShelf(conn, time.Minute, 0).List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := len(list[0].Tables())
		body, kinds, h := ask(t, conn)
		if kinds["dcat:Dataset"] != n || kinds["dcat:DatasetSeries"] != n || kinds["dcat:Distribution"] != 5*n || h.Get("Last-Modified") == "" {
			t.Errorf("%s: %v of %d tables", status, kinds, n)
		}
		if strings.Contains(body, "dct:available") != (i > 0) || i > 0 && !strings.Contains(body, next) {
			t.Errorf("%s: the next release is not %q", status, next)
		}
		if again, _, g := ask(t, conn); again != body || g.Get("ETag") != h.Get("ETag") {
			t.Errorf("%s: another server says other bytes", status)
		}
		bodies[body] = true
	}
	if len(bodies) != 3 {
		t.Errorf("three vintages, and %d catalogues", len(bodies))
	}
}
