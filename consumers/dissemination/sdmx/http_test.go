package sdmx_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
)

// TestAddresses: each form of an address that the standard has is understood, and what is not is refused by the status that it has for
// this.
func TestAddresses(t *testing.T) {
	h := handler()
	long := strings.Repeat("x", 9000)
	for address, want := range map[string]int{
		"2.1/dataflow":                         200,
		"2.1/dataflow/all/all/latest/":         200,
		"2.1/dataflow/CENISS/T1+T2/1.0":        200,
		"2.1/dataflow/CENISS/NONE/latest":      404,
		"2.1/dataflow/OTHER":                   404,
		"2.1/dataflow/CENISS/T1/2.0":           404,
		"2.1/dataflow?references=all":          200,
		"2.1/dataflow?references=NONSENSE":     400,
		"2.1/dataflow?detail=NONSENSE":         400,
		"2.1/dataflow?nonsense=1":              400,
		"2.1/codelist/CENISS/CL_SEX/latest/F":  200,
		"2.1/codelist/CENISS/CL_SEX/latest/ZZ": 404,
		"2.1/conceptscheme":                    200,
		"2.1/agencyscheme/SDMX":                200,
		"2.1/structure/all/all/all":            200,
		"2.1/datastructure/all/RETURN_MIGRATION/latest/?references=children": 200,
		"2.1/contentconstraint":         501,
		"2.1/hierarchicalcodelist/all":  501,
		"2.1/metadata/x":                501,
		"2.1/schema/dataflow/CENISS/T1": 501,
		"2.1/nonsense":                  404,
		"2.1/data/T1":                   200,
		"2.1/data/T1/":                  200,
		"2.1/data/T1/all/all/?startPeriod=2016&endPeriod=2016": 200,
		"2.1/data/CENISS,T1,1.0/S..registered+_T":              200,
		"2.1/data/all,T1,latest/all/CENISS":                    200,
		"2.1/data/CENISS,T1/S..............":                   200,
		"2.1/data/T1/S...............":                         422,
		"2.1/data/T1/D":                                        404,
		"2.1/data/T1/all/OTHER":                                404,
		"2.1/data/T12k":                                        200,
		"2.1/data/NONE":                                        404,
		"2.1/data/T1?startPeriod=2020":                         404,
		"2.1/data/T1?startPeriod=nonsense":                     400,
		"2.1/data/T1?startPeriod=2016&startPeriod=2017":        400,
		"2.1/data/T1?includeHistory=TRUE":                      200,
		"2.1/data/T1?includeHistory=maybe":                     400,
		"2.1/data/T1?firstNObservations=-1":                    400,
		"2.1/data/T1?dimensionAtObservation=NONE":              422,
		"2.1/data/T1?format=csvfile":                           200,
		"2.1/data/T1?format=jsondata":                          406,
		"2.1/data/T1?format=csv&updatedAfter=2015-01-01":       406,
		"2.1/data/T1?x=%zz":                                    400,
		"2.1/data/T1?x=" + long:                                414,
		"2.1/data/T1/%ff%fe":                                   404,
		"2.1/data/T1/%00":                                      404,
		"2.1/availableconstraint/T1":                           200,
		"2.1/availableconstraint/T1/all/all/ROUTE?mode=available&references=codelist": 200,
		"2.1/availableconstraint/T1/all/all/NONE":                                     422,
		"2.1/availableconstraint/T1?mode=nonsense":                                    400,
		"3.0/data/dataflow/CENISS/T1/1.0.0":                                           200,
		"3.0/data/dataflow/CENISS/T1/+":                                               200,
		"3.0/data/dataflow/CENISS/T1/~":                                               200,
		"3.0/data/*/CENISS/T1/+":                                                      200,
		"3.0/data/*/*/T1/*/*":                                                         200,
		"3.0/data/dataflow/CENISS/T1/%2B/S.*.registered":                              200,
		"3.0/data/dataflow/CENISS/T1/1.0.0/S.%2A.registered%2CM":                      200,
		"3.0/data/dataflow/CENISS/T1/2.0.0":                                           404,
		"3.0/data/dataflow/CENISS/T1/1.0.0?c[TIME_PERIOD]=ge:2016-01+le:2016-06":      200,
		"3.0/data/dataflow/CENISS/T1/1.0.0?c%5BFREQ%5D=M%2CQ":                         200,
		"3.0/data/dataflow/CENISS/T1/1.0.0?c[NONE]=1":                                 422,
		"3.0/data/dataflow/CENISS/T1/1.0.0?c[OBS_VALUE]=ge:x":                         400,
		"3.0/data/dataflow/CENISS/T1/1.0.0?c[ROUTE]=NONE":                             204,
		"3.0/data/dataflow/CENISS/T1/1.0.0?asOf=2000-01-01":                           204,
		"3.0/data/dataflow/CENISS/T1/1.0.0?updatedAfter=2017-01-01&asOf=2016-01-01":   400,
		"3.0/data/dataflow/CENISS/T1/1.0.0?measures=NONE":                             422,
		"3.0/data/dataflow/CENISS/T1/1.0.0?attributes=NONE":                           422,
		"3.0/data/dataflow/CENISS/T1/1.0.0?sort=NONE":                                 422,
		"3.0/data/dataflow/CENISS/T1/1.0.0?limit=0":                                   400,
		"3.0/data/dataflow/CENISS/T1/1.0.0/" + strings.Repeat("S,", 300):              400,
		"3.0/data/dataflow/CENISS/*/1.0.0":                                            501,
		"3.0/data/datastructure/CENISS/RETURN_MIGRATION":                              501,
		"3.0/data/nonsense/CENISS/T1":                                                 404,
		"3.0/data/dataflow/CENISS/T12k/1.0.0":                                         200,
		"3.0/structure/dataflow":                                                      200,
		"3.0/structure/dataflow/CENISS/T1,T2/~":                                       200,
		"3.0/structure/codelist/*/CL_SEX/+/F,M":                                       200,
		"3.0/structure/*/*/*/*":                                                       200,
		"3.0/structure/valuelist":                                                     501,
		"3.0/structure/nonsense":                                                      404,
		"3.0/availability/dataflow/CENISS/T1,T2/1.0.0":                                200,
		"3.0/availability/dataflow/CENISS/T1/1.0.0/*/TIME_PERIOD":                     200,
		"3.0/metadata/metadataset/x":                                                  501,
		"3.0/":                                                                        404,
		"4.0/data":                                                                    404,
	} {
		resp, body := get(t, h, "/sdmx/"+address)
		if resp.StatusCode != want {
			t.Errorf("%.120s: %d, want %d: %.300s", address, resp.StatusCode, want, body)
		}
		if resp.StatusCode >= 400 {
			problemIn(t, resp, body)
		}
		head, nothing := ask(t, h, http.MethodHead, "/sdmx/"+address)
		if head.StatusCode != resp.StatusCode || nothing != "" || fmt.Sprint(head.Header) != fmt.Sprint(resp.Header) {
			t.Errorf("HEAD of %.120s: %d %v %q, and GET has %v", address, head.StatusCode, head.Header, nothing, resp.Header)
		}
	}
}

// problemIn checks that a refusal is one in both languages.
func problemIn(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal([]byte(body), &p); err != nil || resp.Header.Get("Content-Type") != "application/problem+json" || p["detail_es"] == "" || p["detail_en"] == "" || p["detail"] != p["detail_es"] {
		t.Errorf("%v %v: %s", err, resp.Header, body)
	}
}

// TestAcceptChoosesTheFormat by the header as clients send it, with parameters, weights and other names of a format.
func TestAcceptChoosesTheFormat(t *testing.T) {
	h := handler()
	const t1, flow = "/sdmx/2.1/data/T1", "/sdmx/3.0/data/dataflow/CENISS/T1/1.0.0"
	for _, c := range []struct{ address, accept, want string }{
		{t1, "", "application/vnd.sdmx.genericdata+xml;version=2.1"},
		{t1, "*/*", "application/vnd.sdmx.genericdata+xml;version=2.1"},
		{t1, "application/xml", "application/vnd.sdmx.genericdata+xml;version=2.1"},
		{t1, "application/vnd.sdmx.structurespecificdata+xml;version=2.1", "application/vnd.sdmx.structurespecificdata+xml;version=2.1"},
		{t1, "application/vnd.sdmx.genericdata+xml;q=0.5, text/csv", "application/vnd.sdmx.data+csv;version=1.0.0"},
		{t1, "application/vnd.sdmx.data+csv;version=2.0.0", ""},
		{t1, "application/vnd.sdmx.data+csv;version=1.0.0;labels=both", "application/vnd.sdmx.data+csv;version=1.0.0"},
		{t1, "application/pdf", ""},
		{"/sdmx/2.1/dataflow", "application/vnd.sdmx.structure+xml; version=2.1", "application/vnd.sdmx.structure+xml;version=2.1"},
		{flow, "*/*", "application/vnd.sdmx.data+json;version=2.0.0"},
		{flow, "application/vnd.sdmx.data+csv; version=2.0.0; labels=name; keys=both", "application/vnd.sdmx.data+csv;version=2.0.0"},
		{flow, "application/vnd.sdmx.data+csv;version=2.1.0;timeFormat=original", "application/vnd.sdmx.data+csv;version=2.1.0"},
		{flow, "application/vnd.sdmx.data+csv;version=2.1.0;timeFormat=normalized", ""},
		{flow, "application/vnd.sdmx.data+json;version=2.0.0;q=x", ""},
	} {
		resp, body := get(t, h, c.address, "Accept", c.accept)
		if c.want == "" {
			if resp.StatusCode != http.StatusNotAcceptable {
				t.Errorf("%s of %s: %d", c.accept, c.address, resp.StatusCode)
			}
			continue
		}
		if resp.Header.Get("Content-Type") != c.want || resp.Header.Get("Vary") == "" {
			t.Errorf("%s of %s: %d %v, want %s", c.accept, c.address, resp.StatusCode, resp.Header, c.want)
		}
		if strings.Contains(c.accept, "labels=both") && !strings.Contains(body, "ROUTE: Ruta") || strings.Contains(c.accept, "keys=both") && !strings.HasPrefix(body, "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,SERIES_KEY,OBS_KEY,FREQ,Frecuencia,") {
			t.Errorf("%s: %.300s", c.accept, body)
		}
	}
}

// TestAnswersAreCached: equal questions have equal bytes under one strong tag, of the vintage's time; a client that has them gets 304; a
// past time is kept a while; pages of any site may read it; bytes are compressed for those who take it.
func TestAnswersAreCached(t *testing.T) {
	h := handler()
	const address = "/sdmx/3.0/data/dataflow/CENISS/T3/1.0.0"
	first, body := get(t, h, address)
	tag := first.Header.Get("ETag")
	if again, same := get(t, sdmx.New(sdmx.Config{Shelf: shelf()}), address); same != body || again.Header.Get("ETag") != tag || !strings.HasPrefix(tag, `"`) {
		t.Errorf("asked again: %v", again.Header)
	}
	if first.Header.Get("Last-Modified") == "" || first.Header.Get("Access-Control-Allow-Origin") != "*" || first.Header.Get("Cache-Control") != "public, no-cache" {
		t.Errorf("%v", first.Header)
	}
	if resp, text := get(t, h, address, "If-None-Match", tag); resp.StatusCode != http.StatusNotModified || text != "" || resp.Header.Get("ETag") != tag || resp.Header.Get("Cache-Control") != "public, no-cache" {
		t.Errorf("with its tag: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, _ := get(t, h, address+"?asOf=2016-09-01"); resp.Header.Get("Cache-Control") != "public, max-age=60" || resp.Header.Get("Last-Modified") != "Mon, 01 Aug 2016 12:00:00 GMT" {
		t.Errorf("as of a time: %v", resp.Header)
	}
	zipped, text := get(t, h, address, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(z); err != nil || string(plain) != body || zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("ETag") == tag {
		t.Errorf("compressed: %v %v", err, zipped.Header)
	}
	if resp, _ := ask(t, h, http.MethodOptions, address); resp.StatusCode != http.StatusNoContent {
		t.Errorf("OPTIONS: %d", resp.StatusCode)
	}
	if resp, text := ask(t, h, http.MethodPost, address); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d %s", resp.StatusCode, text)
	}
	english, text := get(t, h, address, "Accept-Language", "en")
	if english.Header.Get("Content-Language") != "en" || !strings.Contains(text, `"name":"Women"`) {
		t.Errorf("in English: %v", english.Header)
	}
}

// TestAvailabilityCountsExactly what the answer to the question has, in a second at most.
func TestAvailabilityCountsExactly(t *testing.T) {
	h := handler()
	for _, flow := range flows {
		for _, more := range []string{"", "c[FREQ]=S", "c[TIME_PERIOD]=ge:2015", "c[SEX]=F,M"} {
			began := time.Now()
			resp, body := get(t, h, "/sdmx/3.0/availability/dataflow/CENISS/"+flow+"?"+more)
			took := time.Since(began)
			data, text := get(t, h, "/sdmx/3.0/data/dataflow/CENISS/"+flow+"?format=csv&"+more)
			if data.StatusCode == http.StatusNoContent {
				if resp.StatusCode != http.StatusNotFound {
					t.Errorf("%s %s: %d, and there are no data", flow, more, resp.StatusCode)
				}
				continue
			}
			_, series := get(t, h, "/sdmx/3.0/data/dataflow/CENISS/"+flow+"?format=csv&detail=serieskeysonly&"+more)
			for name, n := range map[string]int{"obs_count": strings.Count(text, "\r\n") - 1, "series_count": strings.Count(series, "\r\n") - 1} {
				if want := fmt.Sprintf(`{"id":%q,"text":"%d"`, name, n); !strings.Contains(body, want) || took > time.Second {
					t.Errorf("%s %s in %s has no %s: %.400s", flow, more, took, want, body)
				}
			}
		}
	}
	_, body := get(t, h, "/sdmx/3.0/availability/dataflow/CENISS/T3?c[SEX]=F&mode=available")
	if !strings.Contains(body, `{"id":"SEX","include":true,"values":[{"value":"F"},{"value":"M"},{"value":"U"},{"value":"_T"}]}`) {
		t.Errorf("what could be chosen besides: %s", body)
	}
}

// TestManyAskAtOnce: the first questions, which read the vintages, and others beside them get the same bytes.
func TestManyAskAtOnce(t *testing.T) {
	h := handler()
	addresses := []string{"2.1/data/T1", "3.0/data/dataflow/CENISS/T1/1.0.0?includeHistory=true", "3.0/structure/*", "3.0/availability/dataflow/CENISS/T2/1.0.0", "2.1/data/T3?asOf=2016-09-01"}
	bodies := make([]string, 8*len(addresses))
	var all sync.WaitGroup
	for i := range bodies {
		all.Go(func() { _, bodies[i] = get(t, h, "/sdmx/"+addresses[i%len(addresses)]) })
	}
	all.Wait()
	for i, body := range bodies {
		if body == "" || body != bodies[i%len(addresses)] {
			t.Errorf("%s: %.200s", addresses[i%len(addresses)], body)
		}
	}
}

// TestALargeAnswerIsRefused, and its parts are not.
func TestALargeAnswerIsRefused(t *testing.T) {
	h := sdmx.New(sdmx.Config{Shelf: shelf(), Most: 50})
	for parameters, want := range map[string]int{"": 413, "includeHistory=true": 413, "limit=50&offset=20": 200, "c[FREQ]=S": 200, "detail=serieskeysonly": 200} {
		resp, body := get(t, h, "/sdmx/3.0/data/dataflow/CENISS/T1/1.0.0?endPeriod=2016&"+parameters)
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d: %.200s", parameters, resp.StatusCode, want, body)
		}
	}
}

// TestClickHouseAway: without the vintages there is no answer, and the cause is in the log alone.
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
	h := sdmx.New(sdmx.Config{Shelf: vintages.NewShelf(gone, time.Minute, 0), Log: slog.New(slog.NewTextHandler(&log, nil))})
	resp, body := get(t, h, "/sdmx/2.1/dataflow")
	problemIn(t, resp, body)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || strings.Contains(body, addr) || !strings.Contains(log.String(), "refused") {
		t.Errorf("%d %v %s; log %s", resp.StatusCode, resp.Header, body, log.String())
	}
}
