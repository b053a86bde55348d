package sdmx_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

// conn leads to an engine that all tests of the package share.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Vintages(&conn, made...)) }

// made are a half-year that was revised, one with a provisional vintage, and one with a provisional and a final one.
var made = []vintagestest.Vintage{
	{Period: "2014-S1", Number: 1, Status: "final", Published: time.Date(2014, 10, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2014-S1", Number: 2, Status: "revision", Published: time.Date(2015, 3, 2, 12, 0, 0, 0, time.UTC)},
	{Period: "2015-S2", Number: 1, Status: "provisional", Published: time.Date(2016, 2, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2016-S1", Number: 1, Status: "provisional", Published: time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2016-S1", Number: 2, Status: "final", Published: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC)},
}

func shelf() *vintages.Shelf { return vintages.NewShelf(conn, time.Minute, time.Hour) }

// get asks a handler, with header names and values.
func get(t *testing.T, h http.Handler, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	return ask(t, h, http.MethodGet, address, headers...)
}

func ask(t *testing.T, h http.Handler, method, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, address, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func handler() http.Handler { return sdmx.New(sdmx.Config{Shelf: shelf()}) }
