package portal_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

// conn leads to an engine that all tests of the package share; what they add to it are counts, never vintages.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Vintages(&conn, made...)) }

// made are a half-year that was revised, one with a provisional vintage and one with a provisional and a final one. The older half-year was published last.
var made = []vintagestest.Vintage{
	{Period: "2014-S1", Number: 1, Status: "final", Published: time.Date(2014, 10, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2014-S1", Number: 2, Status: "revision", Published: time.Date(2015, 3, 2, 12, 0, 0, 0, time.UTC)},
	{Period: "2015-S2", Number: 1, Status: "provisional", Published: time.Date(2016, 12, 1, 12, 0, 0, 0, time.UTC), Manifest: func(m *bundle.Manifest) {
		m.NextRelease = "2017-02-15"
		m.Coverage, m.Late, m.Accepted, m.Missing = nil, nil, "three computers are silent.", 1202
	}},
	{Period: "2016-S1", Number: 1, Status: "provisional", Published: time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)},
	{Period: "2016-S1", Number: 2, Status: "final", Published: time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC)},
}

func shelf() *vintages.Shelf { return vintages.NewShelf(conn, time.Minute, time.Hour) }

// faulty is a page with faults that axe-core knows.
type faulty struct{}

func (faulty) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(`<!DOCTYPE html><title>x</title><p style="color: #eee; width: 2000px">faint and wide</p><img src="/x.png"><main><a href="/a"></a></main>`))
}
