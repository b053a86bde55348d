package changes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

var seed = flag.Uint64("seed", 0, "seed of the histories; 0: another each time")

// files are those of a vintage of each status, made once.
var files = sync.OnceValues(func() (map[string][]bundle.File, error) {
	all := map[string][]bundle.File{}
	for i, status := range []string{"provisional", "final", "revision"} {
		made, err := vintagestest.Files(vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return nil, err
		}
		all[status] = made
	}
	return all, nil
})

func publish(t *testing.T, conn driver.Conn, v vintagestest.Vintage) {
	t.Helper()
	made, err := files()
	if err == nil {
		err = vintagestest.Write(t.Context(), conn, v, made[v.Status])
	}
	if err != nil {
		t.Fatal(err)
	}
}

// site is a web server of the changes, with a shelf of its own.
type site struct {
	address string
	stop    func()           // ends the streams, as serve does when it is told to
	ended   chan struct{}    // a stream has ended
	shut    func(*testing.T) // ends the server
}

func serve(t *testing.T, conn driver.Conn, c changes.Config) *site {
	t.Helper()
	return serveWithin(t, conn, c, time.Minute)
}

// serveWithin is serve with a deadline of requests on the server.
func serveWithin(t *testing.T, conn driver.Conn, c changes.Config, deadline time.Duration) *site {
	t.Helper()
	done := make(chan struct{})
	c.Shelf, c.Done, c.Every = vintages.NewShelf(conn, time.Minute, time.Millisecond), done, 20*time.Millisecond
	s := changes.New(c)
	w := &site{stop: sync.OnceFunc(func() { close(done) }), ended: make(chan struct{}, 100)}
	mux := http.NewServeMux()
	mux.Handle("/", s.Answers())
	mux.Handle(changes.PathStream, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.Stream().ServeHTTP(rw, r)
		w.ended <- struct{}{}
	}))
	server := httptest.NewUnstartedServer(mux)
	server.Config.ReadTimeout, server.Config.WriteTimeout = deadline, deadline
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		_ = conn.(*net.TCPConn).SetWriteBuffer(4096) // so that a reader who does not read is noticed soon
		return ctx
	}
	server.Start()
	w.address = server.URL
	shut := sync.OnceFunc(func() {
		w.stop()
		server.Close()
	})
	w.shut = func(*testing.T) { shut() }
	t.Cleanup(shut)
	return w
}

type told struct {
	ID, Vintage, Period, Status, Scope string
	Reasons                            []string
	Tables                             []struct {
		ID      string
		Changed *int
	}
	Cells []struct {
		Measure       string
		Key           map[string]string
		Tables        []string
		Before, After int64
		Reasons       map[string]int64
	}
}

type answer struct {
	Changes []told
	Next    string
	More    bool
}

func (w *site) ask(t *testing.T, since string) (a answer) {
	t.Helper()
	res, err := http.Get(w.address + changes.Path + "?" + url.Values{"since": {since}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(body, &a)
	}
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %v %s", res.StatusCode, err, body)
	}
	return a
}

// follow opens a stream; events come out of the channel, which is closed when the stream ends.
func (w *site) follow(t *testing.T, last string) (events chan told, hangUp func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.address+changes.PathStream, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	events = make(chan told)
	go func() {
		defer close(events)
		defer func() { _ = res.Body.Close() }()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		var id string
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				id = value
			case "data":
				var e told
				if err := json.Unmarshal([]byte(value), &e); err != nil || e.ID != id {
					t.Errorf("event %s: %v: %s", id, err, value)
				}
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return events, cancel
}

// TestAClientIsToldEachVintageOnce: vintages become visible in an order that no clock shows, the server restarts, and the client is
// killed, stays away, asks or follows, and goes on from what it noted last. It gets each vintage once.
func TestAClientIsToldEachVintageOnce(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed=%d", *seed)
	random := rand.New(rand.NewPCG(*seed, 16))
	for history := range 4 {
		conn := enginetest.Fresh(t, engine).Conn()
		numbers := map[string]uint64{}
		var published, got []string
		noted := "" // what the client has on its disk
		take := func(c told) { got, noted = append(got, c.Vintage), c.ID }
		w := serve(t, conn, changes.Config{})
		for range 25 {
			switch random.IntN(4) {
			case 0, 1:
				v := vintagestest.Vintage{Period: []string{"2015-S2", "2016-S1", "2016-S2"}[random.IntN(3)], Published: time.Date(2016, 8, 1, random.IntN(1000), 0, 0, 0, time.UTC)}
				numbers[v.Period]++
				v.Number, v.Status = numbers[v.Period], []string{"provisional", "final", "revision"}[random.IntN(3)]
				publish(t, conn, v)
				published = append(published, fmt.Sprintf("%s/%d", v.Period, v.Number))
			case 2:
				w.shut(t)
				w = serve(t, conn, changes.Config{})
			case 3:
				if random.IntN(2) == 0 {
					a := w.ask(t, noted)
					for _, c := range a.Changes[:random.IntN(len(a.Changes)+1)] { // killed half-way
						take(c)
					}
					continue
				}
				events, hangUp := w.follow(t, noted)
				for range random.IntN(len(published) - len(got) + 1) {
					take(<-events)
				}
				hangUp()
			}
		}
		for a := w.ask(t, noted); len(a.Changes) > 0; a = w.ask(t, noted) {
			for _, c := range a.Changes {
				take(c)
			}
			noted = a.Next
		}
		slices.Sort(published)
		slices.Sort(got)
		if !slices.Equal(published, got) {
			t.Errorf("history %d: published\n%v\ntold\n%v", history, published, got)
		}
		w.shut(t)
	}
}

// TestWhatIsTold: a first vintage is new as a whole; a revision tells each cell that it changes, with reasons that add up.
func TestWhatIsTold(t *testing.T) {
	conn := enginetest.Fresh(t, engine).Conn()
	w := serve(t, conn, changes.Config{})
	if a := w.ask(t, ""); len(a.Changes) != 0 || a.Next != "" || a.More {
		t.Errorf("without a vintage: %+v", a)
	}
	for i, status := range []string{"provisional", "final", "revision"} {
		publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC)})
	}
	a := w.ask(t, "")
	if len(a.Changes) != 3 || a.Next != "2016-S1/1-3" || a.Changes[0].ID != "2016-S1/1" || a.Changes[0].Scope != "all" || a.Changes[1].Scope != "all" || len(a.Changes[1].Cells) != 0 || a.Changes[1].Tables[0].Changed != nil {
		t.Fatalf("%+v", a)
	}
	revision := a.Changes[2]
	if revision.Scope != "cells" || !slices.Equal(revision.Reasons, []string{"late"}) {
		t.Errorf("%+v", revision)
	}
	found, changed := false, 0
	for _, c := range revision.Cells {
		var sum int64
		for _, amount := range c.Reasons {
			sum += amount
		}
		if sum != c.After-c.Before || len(c.Tables) == 0 {
			t.Errorf("%+v", c)
		}
		changed += len(c.Tables)
		found = found || c.Key["exit_point"] == "L-COR" && len(c.Key) == 3 && c.After == vintagestest.Corinto+vintagestest.Late && slices.Equal(c.Tables, []string{"T2", "T5"})
	}
	for _, table := range revision.Tables {
		changed -= *table.Changed
	}
	if !found || changed != 0 {
		t.Errorf("Corinto: %v; tables count %d changes fewer than cells: %+v", found, changed, revision.Cells)
	}
	for since, want := range map[string]string{"2016-08-02": "2016-S1/3 ", "2016-08-01T00:00:01Z": "2016-S1/2 2016-S1/3 ", "2016-S1/3,2016-S1/1": "2016-S1/2 ", "2016-S1/1-9": "", "2030-01-01": ""} {
		got := ""
		for _, c := range w.ask(t, since).Changes {
			got += c.Vintage + " "
		}
		if got != want {
			t.Errorf("since %s: %s", since, got)
		}
	}
}

// TestAVintageThatCannotBeReadStopsAtIt: those before it are told, it is not passed over, and the answer at it is 503.
func TestAVintageThatCannotBeReadStopsAtIt(t *testing.T) {
	conn := enginetest.Fresh(t, engine).Conn()
	w := serve(t, conn, changes.Config{})
	made, err := files()
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(made["final"])
	bad[0].Body = []byte("changed")
	publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "final", Published: time.Date(2016, 8, 1, 0, 0, 0, 0, time.UTC)})
	if err := vintagestest.Write(t.Context(), conn, vintagestest.Vintage{Period: "2016-S2", Number: 1, Status: "final", Published: time.Date(2017, 2, 1, 0, 0, 0, 0, time.UTC)}, bad); err != nil {
		t.Fatal(err)
	}
	a := w.ask(t, "")
	if len(a.Changes) != 1 || !a.More || a.Next != "2016-S1/1" {
		t.Errorf("%+v", a)
	}
	for _, address := range []string{w.address + changes.Path + "?since=" + a.Next, w.address + changes.PathAtom} {
		res, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %v", address, res.StatusCode, res.Header)
		}
	}
}

// TestStreamsEndWithTheServer: at once, whole, and without an error; and not before, whatever deadline other requests have.
func TestStreamsEndWithTheServer(t *testing.T) {
	conn := enginetest.Fresh(t, engine).Conn()
	publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: 1, Status: "final", Published: time.Date(2016, 8, 1, 0, 0, 0, 0, time.UTC)})
	const deadline = 2 * time.Second // of requests; streams outlive it
	w := serveWithin(t, conn, changes.Config{}, deadline)
	events, hangUp := w.follow(t, "")
	defer hangUp()
	first := <-events
	publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: 2, Status: "revision", Published: time.Date(2016, 7, 1, 0, 0, 0, 0, time.UTC)})
	second := <-events
	if first.Vintage != "2016-S1/1" || second.Vintage != "2016-S1/2" || second.ID != "2016-S1/1-2" {
		t.Errorf("%+v, then %+v", first, second)
	}
	for n, began := uint64(3), time.Now(); time.Since(began) < 2*deadline; n++ {
		publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: n, Status: "revision", Published: time.Date(2016, 7, 1, 0, 0, 0, 0, time.UTC)})
		if e := <-events; e.ID != fmt.Sprintf("2016-S1/1-%d", n) {
			t.Fatalf("event %d is %+v", n, e)
		}
	}
	w.stop()
	if e, more := <-events; more {
		t.Errorf("after the end: %+v", e)
	}
	<-w.ended
}

// TestSlowReadersAndTooMany: who does not read loses the stream and its place, which another gets; who comes when all are taken is
// refused by name.
func TestSlowReadersAndTooMany(t *testing.T) {
	conn := enginetest.Fresh(t, engine).Conn()
	const n = 40 // more than fits into the buffers of both ends
	for i := range n {
		publish(t, conn, vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: "revision", Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC)})
	}
	w := serve(t, conn, changes.Config{Streams: 1, Patience: time.Second})
	slow, err := net.Dial("tcp", strings.TrimPrefix(w.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	_ = slow.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := io.WriteString(slow, "GET "+changes.PathStream+" HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := slow.Read(make([]byte, 1)); err != nil { // it has its place now
		t.Fatal(err)
	}
	res, err := http.Get(w.address + changes.PathStream)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "/problems/busy") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
	<-w.ended // who was refused
	<-w.ended // who does not read
	events, hangUp := w.follow(t, fmt.Sprintf("2016-S1/1-%d", n-1))
	defer hangUp()
	if e := <-events; e.Vintage != fmt.Sprintf("2016-S1/%d", n) {
		t.Errorf("%+v", e)
	}
}
