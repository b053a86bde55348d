package command

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
)

// publicAddresses are those of everything that a stranger can ask for, of one vintage.
func publicAddresses() []string {
	all := []string{"/", "/?lang=en", "/?period=2016-S1", "/?period=2016-S2", "/revisions/2016-S1", "/revisions/2016-S1?lang=en", "/revisions/2015-S2", "/feed/", "/feed/?lang=en", "/problems/", "/problems/not-published", "/vintages", "/vintages/2016-S1/1/", "/vintages/2016-S1/2/", "/nothing", "/feed/v1/nothing"}
	for _, file := range []string{"manifest.json", "codes.csv", "certificate.json", "tables/T1.csv", "tables/T2.csv", "tables/T11e.csv", "tables/T8.csv"} {
		all = append(all, "/vintages/2016-S1/1/"+file)
	}
	for _, path := range []string{feed.PathCSV, feed.PathJSON} {
		for _, query := range []string{"", "?period=2016-S9", "?period=2016-S1&asOf=2016-08-01", "?period=2016-S1&vintage=1", "?period=2016-S1&by=route,exit_point"} {
			all = append(all, path+query)
		}
		for _, period := range []string{"2016-S1", "2016-Q2", "2016-06", "2016-06-02", "2016-W22", "2016"} {
			for _, series := range feed.AllSeries() {
				for _, d := range feed.Dimensions() {
					all = append(all, path+"?period="+period+"&series="+series.ID+"&by="+d.ID)
				}
			}
		}
	}
	for _, address := range []string{"2.1/dataflow?references=all", "2.1/data/T1", "2.1/data/T11e?format=csv", "2.1/availableconstraint/T2", "2.1/nothing", "3.0/structure/*", "3.0/data/dataflow/CENISS/T2/1.0.0",
		"3.0/data/dataflow/CENISS/T1/1.0.0?format=csv", "3.0/data/dataflow/CENISS/T1/1.0.0?includeHistory=true&asOf=2016-10-03T15:00:00Z", "3.0/availability/dataflow/CENISS/T1/1.0.0"} {
		all = append(all, sdmx.Path+address)
	}
	return all
}

// pullAll is what a server answers at every address, with its headers but the time of the answer and what is left to the client.
func pullAll(t *testing.T, base string) map[string]string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	all := map[string]string{}
	for _, address := range publicAddresses() {
		resp, err := client.Get(base + address)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode >= 500 {
			t.Fatalf("%s: %d %v", address, resp.StatusCode, err)
		}
		resp.Header.Del("Date")
		resp.Header.Del("RateLimit") // how much is left of this client's own budget
		all[address] = fmt.Sprint(resp.StatusCode, resp.Header, string(body))
	}
	return all
}

// TestPublicBytesAreOfVintagesAlone: no byte of an answer and none of its headers is another after a thousand arrivals, a flush and a new
// start, with a user who could not read them. Another vintage changes them.
func TestPublicBytesAreOfVintagesAlone(t *testing.T) {
	s, addr := migratedStore(t)
	publish := func(number uint64, status string, at time.Time) {
		if err := vintagestest.Publish(t.Context(), s.Conn(), vintagestest.Vintage{Period: "2016-S1", Number: number, Status: status, Published: at}); err != nil {
			t.Fatal(err)
		}
	}
	publish(1, "final", time.Date(2016, 10, 3, 15, 0, 0, 0, time.UTC))
	serve := func() (base string, stop func()) {
		web := freeAddress(t)
		stop = running(t, map[string]string{"RETORNO_CLICKHOUSE_ADDR": addr, "RETORNO_CLICKHOUSE_USER": "ceniss_public"}, "serve", "--listen", web, "--ops-listen", freeAddress(t))
		embeddedtest.Eventually(t, "the web is not ready", func() bool { status, _ := fetch("http://" + web + "/readyz"); return status == http.StatusOK })
		return "http://" + web, stop
	}
	base, stop := serve()
	before := pullAll(t, base)
	if !strings.Contains(before[feed.PathCSV+"?period=2016-S1&series=registered&by=exit_point"], "L-COR,Corinto,registered,A,17064,2016-S1/1\r\n") {
		t.Error("the feed has not the exact number of Corinto")
	}
	for _, statement := range []string{
		"INSERT INTO retorno.return_counts (day, route, exit_point, entry_point, registered, checkpoint, reconciled, version, kafka_partition) SELECT toDate('2016-06-02') + number % 60, 'US-AIR', 'L-COR', 'L-AMA', 1, 1, 1, number, number FROM numbers(1000)",
		"INSERT INTO retorno.returns (return_id, version, person, national, day, arrival, centre, entry_point) SELECT generateUUIDv7(number), 1, generateUUIDv4(number), 1, '2016-06-02', '2016-06-02 10:00:00', 'CAMR-OMO', 'L-COR' FROM numbers(1000)",
		"INSERT INTO retorno.sendings (place, source_id, source_seq, sent_at, clock_offset_ms) SELECT number, 'L-COR-1', number + 1, now64(3), 40 FROM numbers(1000) WHERE number != 7",
		"INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at) VALUES ('retorno.centre.v1', 0, 1, 0, 1000, 1000, 1000, now64(3))",
	} {
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var counted uint64
	if err := s.Conn().QueryRow(t.Context(), "SELECT sum(registered) FROM ceniss.return_counts").Scan(&counted); err != nil || counted != 1000 {
		t.Fatalf("%d arrivals were counted, %v", counted, err)
	}
	same := func(base, when string) {
		for address, now := range pullAll(t, base) {
			if now != before[address] {
				t.Errorf("%s, %s was\n%s\nand is\n%s", when, address, before[address], now)
			}
		}
	}
	same(base, "after the arrivals")
	stop()
	base, _ = serve()
	same(base, "after another start")
	publish(2, "final", time.Date(2016, 11, 1, 15, 0, 0, 0, time.UTC))
	embeddedtest.Eventually(t, "the next vintage is not served", func() bool {
		_, body := fetch(base + "/vintages") // the list is kept for a second
		return strings.Contains(body, `"vintage": 2`)
	})
	after := pullAll(t, base)
	for _, address := range []string{"/", feed.PathCSV + "?period=2016-S1&series=registered&by=route", "/vintages", sdmx.Path + "2.1/data/T1"} {
		if after[address] == before[address] {
			t.Errorf("%s does not show the next vintage", address)
		}
	}
	if pinned := feed.PathCSV + "?period=2016-S1&vintage=1"; !slices.Contains(publicAddresses(), pinned) || after[pinned] != before[pinned] {
		t.Errorf("%s is not what it was", pinned)
	}
	if past := sdmx.Path + "3.0/data/dataflow/CENISS/T1/1.0.0?includeHistory=true&asOf=2016-10-03T15:00:00Z"; after[past] != before[past] {
		t.Errorf("%s is not what it was", past)
	}
}
