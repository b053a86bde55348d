package vintages_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var engine *embedded.Engine

func TestMain(m *testing.M) {
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

// world is a database with a server of its vintages.
type world struct {
	t       *testing.T
	conn    driver.Conn
	address string
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, conn: enginetest.Fresh(t, engine).Conn()}
	server := httptest.NewServer(vintages.New(vintages.Config{Shelf: vintages.NewShelf(w.conn, time.Minute, 0)}))
	t.Cleanup(server.Close)
	w.address = server.URL
	return w
}

func (w *world) exec(statement string, args ...any) {
	w.t.Helper()
	if err := w.conn.Exec(w.t.Context(), fmt.Sprintf(statement, args...)); err != nil {
		w.t.Fatal(err)
	}
}

// publish writes the rows of a vintage, with two files or with none.
func (w *world) publish(period string, number int, published string, files bool) {
	w.t.Helper()
	id := uuid.NewString()
	if files {
		w.exec("INSERT INTO retorno.released_files VALUES ('%s', 'manifest.json', '{\"period\": \"%s\"}'), ('%[1]s', 'tables/T1.csv', 'a,b\\n1,2\\n'), ('%[1]s', 'tables/T1.csv-metadata.json', '{}'), ('%[1]s', 'certificate.json', '{}')", id, period)
	}
	w.exec("INSERT INTO retorno.vintages VALUES ('%s', %d, '%s', now64(3))", period, number, id)
	w.exec("INSERT INTO retorno.publications (id, period, as_of, published_at, status) VALUES ('%s', '%s', '%s', '%[3]s', 'final')", id, period, published)
}

// get returns what came back, without the time of the answer.
func (w *world) get(path string) (status int, body string, h http.Header) {
	w.t.Helper()
	res, err := http.Get(w.address + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Header.Del("Date")
	return res.StatusCode, string(text), res.Header
}

// TestTheListOfVintages: newest first, those with a public form alone, each with the addresses of its files, which answer.
func TestTheListOfVintages(t *testing.T) {
	w := start(t)
	if _, body, _ := w.get("/vintages"); body != "{\n  \"vintages\": []\n}\n" {
		t.Errorf("without a vintage: %s", body)
	}
	w.publish("2015-S2", 1, "2016-02-01 10:00:00", true)
	w.publish("2016-S1", 1, "2016-08-01 10:00:00", true)
	w.publish("2016", 1, "2016-09-01 10:00:00", false)
	w.exec("INSERT INTO retorno.released_files VALUES (generateUUIDv4(), 'manifest.json', 'of a publication that was torn')")
	status, body, h := w.get("/vintages")
	var list struct {
		Vintages []struct {
			ID, Period, Status, Published, Bundle, Archive, Certificate string
			Vintage                                                     int
			Tables                                                      []struct{ ID, CSV, Metadata string }
		}
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != http.StatusOK || h.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s %v", status, body, err)
	}
	if len(list.Vintages) != 2 || list.Vintages[0].Period != "2016-S1" || list.Vintages[1].Period != "2015-S2" {
		t.Fatalf("%s", body)
	}
	v := list.Vintages[0]
	if v.Bundle != "/vintages/2016-S1/1/" || v.Certificate != v.Bundle+"certificate.json" || v.Published != "2016-08-01T10:00:00-06:00" || v.Status != "final" ||
		len(v.Tables) != 1 || v.Tables[0].ID != "T1" || v.Tables[0].CSV != v.Bundle+"tables/T1.csv" {
		t.Errorf("%+v", v)
	}
	for path, want := range map[string]string{v.Bundle: `{"period": "2016-S1"}`, v.Bundle + "manifest.json": `{"period": "2016-S1"}`, v.Tables[0].CSV: "a,b\n1,2\n", v.Tables[0].Metadata: "{}"} {
		if status, body, _ := w.get(path); status != http.StatusOK || body != want {
			t.Errorf("%s answers %d %q", path, status, body)
		}
	}
	status, body, h = w.get(v.Archive)
	if z, err := zip.NewReader(strings.NewReader(body), int64(len(body))); err != nil || len(z.File) != 4 || h.Get("Content-Type") != "application/zip" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("%s answers %d, %v", v.Archive, status, err)
	}
	if _, _, h := w.get(v.Tables[0].CSV); !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("ETag") == "" || h.Get("Last-Modified") != "" || !strings.HasPrefix(h.Get("Content-Type"), "text/csv") {
		t.Errorf("the headers of a table are %v", h)
	}
}

// TestWhatIsNotThere: anything else is not found, in both languages, and nothing of the question is repeated.
func TestWhatIsNotThere(t *testing.T) {
	w := start(t)
	w.publish("2016-S1", 1, "2016-08-01 10:00:00", true)
	for _, path := range []string{"/vintages/", "/vintages/2016-S1", "/vintages/2016-S1/2/", "/vintages/2016-S1/01/", "/vintages/2016-S1/-1/", "/vintages/2016-S1/1/no.csv", "/vintages/2017-S1/1/",
		"/vintages/2016-S1/1/" + strings.Repeat("x", 4000), "/vintages/2016-S1/1/%00", "/vintages/2016-S1'%20OR%201=1/1/", "/vintages/2016-S1/1/tables%2f..%2fmanifest.json"} {
		status, body, h := w.get(path)
		if status != http.StatusNotFound || !strings.Contains(body, "No existe") || !strings.Contains(body, "There is no") || h.Get("Content-Type") != "application/problem+json" || strings.Contains(body, "OR 1") {
			t.Errorf("%.80s answers %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/vintages", "/vintages/2016-S1/1/", "/vintages/2016-S1/1/no.csv"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, w.address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Access-Control-Request-Method", "GET")
		r.Header.Set("Access-Control-Request-Headers", "if-none-match")
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Headers") != "*, Authorization" {
			t.Errorf("OPTIONS %s: %v, %v", path, res, err)
		}
		_ = res.Body.Close()
	}
	res, err := http.Post(w.address+"/vintages", "text/plain", strings.NewReader("x"))
	if err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", res, err)
	}
	_ = res.Body.Close()
}

// TestNothingThatArrivesMovesAByte: the list, the files and their headers are the same before and after a thousand returns are
// counted and a database is asked again.
func TestNothingThatArrivesMovesAByte(t *testing.T) {
	w := start(t)
	w.publish("2016-S1", 1, "2016-08-01 10:00:00", true)
	paths := []string{"/vintages", "/vintages/2016-S1/1/", "/vintages/2016-S1/1/tables/T1.csv", "/vintages/nothing"}
	pull := func() (all string) {
		for _, path := range paths {
			status, body, h := w.get(path)
			all += fmt.Sprint(path, status, body, h)
		}
		return all
	}
	before := pull()
	w.exec("INSERT INTO retorno.return_counts (day, exit_point, registered, reconciled, version, kafka_partition) SELECT toDate('2016-06-02') + number %% 20, 'L-COR', 1, 1, number, number FROM numbers(1000)")
	w.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at) VALUES ('retorno.centre.v1', 0, 1, 0, 1000, 1000, 1000, now64(3))")
	if after := pull(); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

// away is a ClickHouse that does not answer.
type away struct{}

func (away) Query(context.Context, string, ...any) (driver.Rows, error) {
	return nil, errors.New("dial tcp 10.1.2.3:9000: refused")
}

// TestClickHouseIsAway: the answer says so, to come again, and nothing of what is behind it.
func TestClickHouseIsAway(t *testing.T) {
	server := httptest.NewServer(vintages.New(vintages.Config{Shelf: vintages.NewShelf(away{}, time.Second, 0)}))
	defer server.Close()
	w := &world{t: t, address: server.URL}
	for _, path := range []string{"/vintages", "/vintages/2016-S1/1/"} {
		if status, body, h := w.get(path); status != http.StatusServiceUnavailable || h.Get("Retry-After") == "" || strings.Contains(body, "10.1.2.3") {
			t.Errorf("%s answers %d %s", path, status, body)
		}
	}
}

// counted is ClickHouse that counts the questions that it is asked.
type counted struct {
	driver.Conn
	asked int
}

func (c *counted) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	c.asked++
	return c.Conn.Query(ctx, query, args...)
}

// TestAVintageIsReadOnce: what was opened is given again without a question to ClickHouse, and so is the list for a while; of more
// vintages than are kept, those used last are kept.
func TestAVintageIsReadOnce(t *testing.T) {
	w := start(t)
	files, err := vintagestest.Files(vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "provisional"})
	if err != nil {
		t.Fatal(err)
	}
	for n := range vintages.MaxOpened + 1 {
		v := vintagestest.Vintage{Period: fmt.Sprintf("%d-S1", 1990+n), Number: 1, Status: "provisional", Published: time.Date(1991+n, 1, 1, 0, 0, 0, 0, time.UTC)}
		if err := vintagestest.Write(t.Context(), w.conn, v, files); err != nil {
			t.Fatal(err)
		}
	}
	conn := &counted{Conn: w.conn}
	shelf := vintages.NewShelf(conn, time.Minute, time.Hour)
	list := func() []vintages.Vintage {
		all, err := shelf.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	asks := func(want int, v vintages.Vintage) {
		t.Helper()
		before := conn.asked
		o, err := shelf.Open(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if conn.asked-before != want || o.ID != v.ID || len(o.Tables) != 2 {
			t.Errorf("%s of %d tables cost %d questions, want %d", o.Period, len(o.Tables), conn.asked-before, want)
		}
	}
	all := list()
	list()
	if conn.asked != 1 || len(all) != vintages.MaxOpened+1 {
		t.Fatalf("two lists of %d vintages cost %d questions", len(all), conn.asked)
	}
	for _, v := range all[:vintages.MaxOpened] {
		asks(1, v)
	}
	asks(0, all[0])
	asks(1, all[vintages.MaxOpened])
	asks(0, all[0]) // it was used after all[1], which had to go
	asks(1, all[1])
}

// stuck is ClickHouse that, once it is, answers no more.
type stuck struct {
	driver.Conn
	is    atomic.Bool
	asked chan struct{} // closed by the first question that hangs
	once  sync.Once
}

func (c *stuck) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if c.is.Load() {
		c.once.Do(func() { close(c.asked) })
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return c.Conn.Query(ctx, query, args...)
}

// TestNoAnswerWaitsForClickHouse: while a shelf is watched, what was read is given also when ClickHouse hangs, and a new vintage comes when
// it has been read.
func TestNoAnswerWaitsForClickHouse(t *testing.T) {
	w := start(t)
	conn := &stuck{Conn: w.conn, asked: make(chan struct{})}
	shelf := vintages.NewShelf(conn, time.Hour, time.Millisecond)
	server := httptest.NewServer(vintages.New(vintages.Config{Shelf: shelf}))
	t.Cleanup(server.Close)
	w.address = server.URL
	w.publish("2016-S1", 1, "2016-08-01 10:00:00", true)
	paths := []string{"/vintages", "/vintages/2016-S1/1/", "/vintages/2016-S1/1/tables/T1.csv", "/vintages/2016-S1/1/nothing", "/vintages/2015-S1/1/"}
	pull := func() (all string) {
		for _, path := range paths {
			status, body, h := w.get(path)
			all += fmt.Sprint(path, status, body, h)
		}
		return all
	}
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() { shelf.Watch(ctx) })
	defer watch.Wait()
	defer cancel()
	before := pull()
	w.publish("2016-S2", 1, "2017-02-01 10:00:00", true)
	for len(pull()) == len(before) { // until the new one is in the list
	}
	before = pull()
	conn.is.Store(true)
	<-conn.asked
	if after := pull(); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
}

// TestOnlyWhatWasPublishedIsOpened: a vintage of which a byte was changed in the database is not served.
func TestOnlyWhatWasPublishedIsOpened(t *testing.T) {
	w := start(t)
	v := vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "provisional", Published: time.Date(2016, 8, 1, 0, 0, 0, 0, time.UTC)}
	if err := vintagestest.Publish(t.Context(), w.conn, v); err != nil {
		t.Fatal(err)
	}
	w.exec("ALTER TABLE retorno.released_files UPDATE body = replace(body, '2016-S1,27090', '2016-S1,27080') WHERE path = 'tables/T1.csv' SETTINGS mutations_sync = 1")
	shelf := vintages.NewShelf(w.conn, time.Minute, 0)
	all, err := shelf.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var bad *bundle.BadFileError
	if _, err := shelf.Open(t.Context(), all[0]); !errors.As(err, &bad) || bad.Path != "tables/T1.csv" {
		t.Errorf("a changed vintage is opened: %v", err)
	}
}
