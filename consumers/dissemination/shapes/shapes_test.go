package shapes_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/attack"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/shapes"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var conn driver.Conn

func TestMain(m *testing.M) {
	var made []vintagestest.Vintage
	for i, status := range []string{"provisional", "final", "revision"} {
		made = append(made, vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC)})
	}
	embeddedtest.Main(m, enginetest.Vintages(&conn, made...))
}

// server gives the vintages in every form. What plant has for an address stands in the place of its answer.
type server struct {
	shelf *vintages.Shelf
	all   []*bundle.Bundle
	http  http.Handler
	plant map[string]func(body []byte) []byte
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	change := s.plant[r.URL.RequestURI()]
	if change == nil {
		s.http.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	r.Header.Del("Accept-Encoding")
	s.http.ServeHTTP(answer, r)
	_, _ = w.Write(change(answer.Body.Bytes()))
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{shelf: vintages.NewShelf(conn, time.Minute, time.Hour)}
	listed, err := s.shelf.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range listed {
		b, err := bundle.Open(t.Context(), vintages.Folder{Shelf: s.shelf, Period: v.Period, Number: v.Number}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.all = append(s.all, b)
	}
	mux := http.NewServeMux()
	files := vintages.New(vintages.Config{Shelf: s.shelf})
	mux.Handle(vintages.Path+"/", files)
	tables := formats.New(formats.Config{Shelf: s.shelf, Files: files})
	mux.Handle(formats.PatternTables, tables)
	mux.Handle(formats.PatternTable, tables)
	mux.Handle(sdmx.Path, sdmx.New(sdmx.Config{Shelf: s.shelf}))
	mux.Handle("/feed/", feed.New(feed.Config{Shelf: s.shelf}))
	mux.Handle(bulletin.Path, bulletin.New(bulletin.Config{Shelf: s.shelf}))
	mux.Handle("/", portal.New(portal.Config{Shelf: s.shelf}))
	s.http = mux
	return s
}

func index(t *testing.T, all []*bundle.Bundle) *shapes.Index {
	t.Helper()
	x, err := shapes.NewIndex(all)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (s *server) attacked(t *testing.T) []attack.Finding {
	t.Helper()
	web := httptest.NewServer(s)
	defer web.Close()
	found, err := index(t, s.all).Served(t.Context(), bundle.Site{Base: web.URL + "/", Client: web.Client()}, s.all)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// leaky is the final vintage, and its table of entry points with a withheld cell shown as 3.
func (s *server) leaky(t *testing.T) formats.Slice {
	t.Helper()
	v, err := s.shelf.Named(t.Context(), "2016-S1", "2")
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.shelf.Open(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	for at, one := range o.Tables {
		if !slices.Contains(one.Columns, "entry_point") {
			continue
		}
		cells := append(one.Cells[:0:0], one.Cells...)
		for i := range cells {
			if cells[i].Withheld {
				cells[i].Withheld, cells[i].Value = false, 3
				one.Table.Cells = cells
				changed := *o
				changed.Tables = slices.Clone(o.Tables)
				changed.Tables[at] = one
				return formats.Slice{From: &changed, Table: one.Table, Lang: "es"}
			}
		}
	}
	t.Fatal("no table withholds anything")
	return formats.Slice{}
}

// TestNoShapeSaysMore: what is served of a provisional vintage, a final one and a revision says nothing that their tables do not; and a withheld
// count that is planted in any one of the forms is found there.
func TestNoShapeSaysMore(t *testing.T) {
	s := serve(t)
	for _, f := range s.attacked(t) {
		t.Errorf("nothing is planted: %s", f)
	}
	leak := s.leaky(t)
	s.plant = map[string]func([]byte) []byte{}
	for _, f := range formats.All() {
		body, err := f.Write(leak)
		if err != nil {
			t.Fatal(err)
		}
		s.plant["/vintages/2016-S1/2/tables/"+leak.Table.ID+"?format="+f.ID] = func([]byte) []byte { return body }
	}
	replace := func(pattern, with string) func([]byte) []byte {
		return func(body []byte) []byte {
			return []byte(regexp.MustCompile(pattern).ReplaceAllString(string(body), with))
		}
	}
	of30, of21, id := "/sdmx/3.0/data/dataflow/*/", "/sdmx/2.1/data/", leak.Table.ID
	specific := replace(`(<Obs [^>]*)( OBS_STATUS="Q")`, `$1 OBS_VALUE="3"$2`)
	for address, change := range map[string]func([]byte) []byte{
		of30 + id + "?format=csv": replace(`,(NaN)?,Q`, ",3,A"), of21 + id + "?format=csv": replace(`,(NaN)?,Q`, ",3,A"), of30 + id + "?includeHistory=true&format=csv": replace(`,(NaN)?,Q`, ",3,A"),
		of30 + id + "?format=jsondata": replace(`\["NaN"`, "[3"), of30 + id + "?format=xml": specific, of21 + id + "?format=structurespecificdata": specific,
		of21 + id + "?format=genericdata":                      replace(`(<gen:Attributes>\s*<gen:Value id="OBS_STATUS" value="Q")`, `<gen:ObsValue value="3"/>$1`),
		"/explore/" + id + "?lang=es&period=2016-S1&vintage=2": replace(`(data-key="[^"]*" data-period="[^"]*">)\[c\]`, "${1}3"),
	} {
		s.plant[address] = change
	}
	printed, err := bulletin.Files(t.Context(), s.shelf, leak.From, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range printed {
		lang, form, _ := strings.Cut(strings.TrimPrefix(f.Path, bundle.BulletinPath), ".")
		s.plant["/bulletin/2016-S1?format="+form+"&lang="+lang+"&vintage=2"] = func([]byte) []byte { return f.Body }
	}
	series := "reconciled"
	if slices.Contains(leak.Table.Columns, "source") {
		series = "registered"
	}
	question := "?by=entry_point&period=2016-S1&series=" + series + "&vintage=2"
	s.plant["/feed/v1/returns.json"+question] = replace(`"returns": ?null`, `"returns": 3`)
	s.plant["/feed/v1/returns.csv"+question] = replace(`,Q,,`, ",A,3,")
	found := map[string]int{}
	for _, f := range s.attacked(t) {
		if found["/"+f.With]++; f.How != attack.Shape || f.Low != 3 {
			t.Errorf("%s", f)
		}
	}
	for address := range s.plant {
		if found[address] == 0 {
			t.Errorf("what is planted in %s is not found", address)
		}
	}
	if len(found) != len(s.plant) {
		t.Errorf("found in %v", found)
	}
}

// TestWhatIsKeptSaysNoMore: a form that a bundle keeps, too: a table, observations of SDMX, and the bulletin.
func TestWhatIsKeptSaysNoMore(t *testing.T) {
	s := serve(t)
	leak := s.leaky(t)
	var final *bundle.Bundle
	for _, b := range s.all {
		if b.Manifest.Vintage == 2 {
			final = b
		}
	}
	companions := func(o *vintages.Opened) map[string][]byte {
		tables, err := formats.Files(o)
		observations, err2 := sdmx.Files(t.Context(), s.shelf, o)
		printed, err3 := bulletin.Files(t.Context(), s.shelf, o, nil)
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		all := map[string][]byte{}
		for _, f := range slices.Concat(tables, observations, printed) {
			all[f.Path] = f.Body
		}
		return all
	}
	kept, planted := bundle.Files(companions(vintages.Of(final))), companions(leak.From)
	final.Manifest.Files = nil
	for path := range kept {
		final.Manifest.Files = append(final.Manifest.Files, bundle.Hash{Path: path})
	}
	x := index(t, s.all)
	if found, err := x.Kept(t.Context(), kept, final); err != nil || len(found) > 0 {
		t.Errorf("nothing is planted: %v, %v", found, err)
	}
	id := leak.Table.ID
	for _, path := range []string{bundle.FormatsPath + "en/" + id + ".parquet", bundle.ObservationsPath + id + ".csv", bundle.ObservationsPath + id + ".xml", bundle.BulletinPath + "es.ods"} {
		before := kept[path]
		kept[path] = planted[path]
		if found, err := x.Kept(t.Context(), kept, final); err != nil || len(found) != 1 || found[0].With != path || found[0].Vintage != "2016-S1/2" {
			t.Errorf("planted in %s: %v, %v", path, found, err)
		}
		kept[path] = []byte("PK")
		if _, err := x.Kept(t.Context(), kept, final); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("of a broken %s: %v", path, err)
		}
		kept[path] = before
	}
}
