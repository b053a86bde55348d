package formats_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/parquet-go/parquet-go"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

// world is a database with a server of its vintages: a provisional one, a final one and a revision of 2016-S1.
type world struct {
	t       *testing.T
	conn    driver.Conn
	shelf   *vintages.Shelf
	address string
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, conn: enginetest.Fresh(t, engine).Conn()}
	for i, status := range []string{"provisional", "final", "revision"} {
		v := vintagestest.Vintage{Period: "2016-S1", Number: uint64(i + 1), Status: status, Published: time.Date(2016, 8, 1+i, 0, 0, 0, 0, time.UTC)}
		if err := vintagestest.Publish(t.Context(), w.conn, v); err != nil {
			t.Fatal(err)
		}
	}
	w.address, w.shelf = w.serve()
	return w
}

// serve starts a server of its own.
func (w *world) serve() (string, *vintages.Shelf) {
	shelf := vintages.NewShelf(w.conn, time.Minute, time.Minute)
	files := vintages.New(vintages.Config{Shelf: shelf})
	mux := http.NewServeMux()
	mux.Handle(vintages.Path+"/", files)
	tables := formats.New(formats.Config{Shelf: shelf, Files: files})
	mux.Handle(formats.PatternTables, tables)
	mux.Handle(formats.PatternTable, tables)
	server := httptest.NewServer(mux)
	w.t.Cleanup(server.Close)
	return server.URL, shelf
}

func (w *world) opened() (all []*vintages.Opened) {
	w.t.Helper()
	list, err := w.shelf.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, v := range list {
		o, err := w.shelf.Open(w.t.Context(), v)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func get(t *testing.T, address string) (int, []byte, http.Header) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	res.Header.Del("Date")
	return res.StatusCode, body, res.Header
}

// cells are those of a table, each as codes, value, status and vintage.
func cells(o *vintages.Opened, t bundle.Table) (all []string) {
	for _, c := range t.Cells {
		value, of := fmt.Sprint(c.Value), o.Number
		if c.Withheld {
			value = ""
		}
		if n := t.VintageOf(c); n > 0 {
			of = n
		}
		all = append(all, cell(c.Codes, value, t.Status(c), fmt.Sprintf("%s/%d", o.Period, of)))
	}
	return all
}

func cell(codes []string, value, status, vintage string) string {
	return strings.Join(codes, "|") + " = " + value + " " + status + " " + vintage
}

// readers read each form back into cells.
var readers = map[string]func(*testing.T, *vintages.Opened, bundle.Table, []byte) []string{
	"json": readJSON, "jsonstat": readJSONStat, "hxl": readHXL, "parquet": readParquet,
}

// TestEveryFormatHasTheCellsOfTheVintage: every table of a provisional vintage, a final one and a revision, in both languages.
func TestEveryFormatHasTheCellsOfTheVintage(t *testing.T) {
	w := start(t)
	withheld, kept := 0, 0
	for _, o := range w.opened() {
		for _, table := range o.Tables {
			want := cells(o, table.Table)
			for _, lang := range []string{"es", "en"} {
				for _, f := range formats.All() {
					address := w.address + formats.Address(o.Vintage, table.ID, f.ID) + "&lang=" + lang
					status, body, h := get(t, address)
					if status != http.StatusOK || h.Get("Content-Type") != f.Type || h.Get("ETag") == "" || h.Get("Content-Language") != lang {
						t.Fatalf("%s answers %d %v: %s", address, status, h, body)
					}
					if f.ID == "csv" {
						if _, file, _ := get(t, w.address+vintages.Address(o.Period, o.Number)+bundle.TablePath(table.ID)); !bytes.Equal(file, body) {
							t.Errorf("%s is not the file of the vintage:\n%s", address, body)
						}
						continue
					}
					if got := readers[f.ID](t, o, table.Table, body); strings.Join(got, "\n") != strings.Join(want, "\n") {
						t.Errorf("%s has\n%s\nnot\n%s", address, strings.Join(got, "\n"), strings.Join(want, "\n"))
					}
				}
			}
			for _, c := range want {
				if strings.Contains(c, "=  Q") {
					withheld++
				} else if strings.HasSuffix(c, "/2") && o.Number == 3 {
					kept++
				}
			}
		}
	}
	if withheld == 0 || kept == 0 {
		t.Errorf("%d cells are withheld and %d kept: this shows nothing", withheld, kept)
	}
}

func readJSON(t *testing.T, _ *vintages.Opened, table bundle.Table, body []byte) (all []string) {
	var d struct {
		Rows []map[string]any `json:"rows"`
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&d); err != nil {
		t.Fatal(err)
	}
	for _, r := range d.Rows {
		var codes []string
		for _, name := range table.Columns {
			codes = append(codes, r[name].(string))
		}
		value := ""
		if r["obs_value"] != nil {
			value = r["obs_value"].(json.Number).String()
		}
		all = append(all, cell(codes, value, r["obs_status"].(string), r["vintage"].(string)))
	}
	return all
}

func readHXL(t *testing.T, _ *vintages.Opened, table bundle.Table, body []byte) (all []string) {
	lines, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
		if !strings.HasPrefix(lines[1][i], "#") {
			t.Errorf("%s of %s has the hashtag %q", name, table.ID, lines[1][i])
		}
	}
	for _, line := range lines[2:] {
		var codes []string
		for _, name := range table.Columns {
			codes = append(codes, line[at[name]])
		}
		all = append(all, cell(codes, line[at[table.Measure]], line[at["obs_status"]], line[at["vintage"]]))
	}
	return all
}

// readJSONStat gives the places that have a status. The order of codes is that of the table's rows.
func readJSONStat(t *testing.T, o *vintages.Opened, _ bundle.Table, body []byte) (all []string) {
	var d struct {
		ID        []string
		Size      []int
		Value     []*int64
		Status    []*string
		Dimension map[string]struct{ Category struct{ Index []string } }
		Extension struct {
			Of      map[string]string `json:"vintage_of"`
			Vintage string
		}
	}
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	if d.Extension.Vintage != o.Name() {
		t.Errorf("it is said to be of %s", d.Extension.Vintage)
	}
	for at, status := range d.Status {
		if status == nil {
			if d.Value[at] != nil {
				t.Errorf("place %d has a value and no status", at)
			}
			continue
		}
		codes := make([]string, len(d.ID))
		for i, rest := len(d.ID)-1, at; i >= 0; i-- {
			codes[i] = d.Dimension[d.ID[i]].Category.Index[rest%d.Size[i]]
			rest /= d.Size[i]
		}
		value, of := "", o.Name()
		if d.Value[at] != nil {
			value = strconv.FormatInt(*d.Value[at], 10)
		}
		if earlier := d.Extension.Of[strconv.Itoa(at)]; earlier != "" {
			of = earlier
		}
		all = append(all, cell(codes, value, *status, of))
	}
	return all
}

func readParquet(t *testing.T, _ *vintages.Opened, table bundle.Table, body []byte) (all []string) {
	f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, path := range f.Schema().Columns() {
		at[path[0]] = i
	}
	if at["obs_value"] != len(at)-3 || at[table.Columns[0]] != 0 {
		t.Errorf("the columns are %v", f.Schema().Columns())
	}
	reader := parquet.NewReader(f)
	defer func() { _ = reader.Close() }()
	rows := make([]parquet.Row, f.NumRows()+1)
	n, err := reader.ReadRows(rows)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	for _, r := range rows[:n] {
		var codes []string
		for _, name := range table.Columns {
			codes = append(codes, r[at[name]].String())
		}
		value := ""
		if v := r[at["obs_value"]]; !v.IsNull() {
			value = strconv.FormatInt(v.Int64(), 10)
		}
		all = append(all, cell(codes, value, r[at["obs_status"]].String(), r[at["vintage"]].String()))
	}
	return all
}

// TestEqualCellsGiveEqualBytes: another server, another order of reading, the same bytes and headers.
func TestEqualCellsGiveEqualBytes(t *testing.T) {
	w := start(t)
	other, _ := w.serve()
	for _, o := range w.opened() {
		for _, table := range o.Tables {
			for _, f := range formats.All() {
				path := formats.Address(o.Vintage, table.ID, f.ID)
				_, one, h := get(t, w.address+path)
				_, two, g := get(t, other+path)
				_, again, _ := get(t, w.address+path)
				if !bytes.Equal(one, two) || !bytes.Equal(one, again) || fmt.Sprint(h) != fmt.Sprint(g) {
					t.Errorf("%s: %d, %d and %d bytes, headers %v and %v", path, len(one), len(two), len(again), h, g)
				}
			}
		}
	}
}

// TestTheCollectionNamesEveryTable: the tables of a vintage are found from its JSON-stat collection, and the way to another form by Link.
func TestTheCollectionNamesEveryTable(t *testing.T) {
	w := start(t)
	for _, o := range w.opened() {
		_, body, h := get(t, w.address+vintages.Address(o.Period, o.Number)+"tables")
		var c struct {
			Class string
			Link  struct {
				Item []struct{ Class, Href, Label string }
			}
		}
		if err := json.Unmarshal(body, &c); err != nil || c.Class != "collection" || len(c.Link.Item) != len(o.Tables) || h.Get("Content-Type") != "application/json" {
			t.Fatalf("%v %v %s", err, h, body)
		}
		for i, item := range c.Link.Item {
			status, body, h := get(t, w.address+item.Href)
			if status != http.StatusOK || !bytes.Contains(body, []byte(`"href": "`+item.Href+`"`)) || item.Label != o.Tables[i].Title.ES || strings.Count(h.Get("Link"), "alternate") != len(formats.All()) {
				t.Errorf("%+v answers %d %v %s", item, status, h, body)
			}
		}
	}
}

// TestWhatIsWrongIsNamed: in both languages, with the status that the feed gives.
func TestWhatIsWrongIsNamed(t *testing.T) {
	w := start(t)
	for path, want := range map[string]struct {
		status int
		names  string
	}{
		"/vintages/2016-S1/1/tables/T1?format=xlsx":                  {400, "csv, hxl, json, jsonstat, parquet"},
		"/vintages/2016-S1/1/tables/T1?format=csv&format=hxl":        {400, "several times"},
		"/vintages/2016-S1/1/tables/T1?formato=csv&idioma=es":        {400, `no parameter \"idioma\"`},
		"/vintages/2016-S1/1/tables/T1?format=json&bom=1":            {400, "byte order mark"},
		"/vintages/2016-S1/1/tables/T1?format=csv&lang=%00%ff":       {400, "lang"},
		"/vintages/2016-S1/1/tables/T1?%zz":                          {400, "cannot be read"},
		"/vintages/2016-S1/1/tables/T1?" + strings.Repeat("a", 2000): {400, "too long"},
		"/vintages/2016-S1/1/tables/T99?format=csv":                  {404, "no such"},
		"/vintages/2016-S1/9/tables/T1?format=csv":                   {404, "no such"},
		"/vintages/2016-S1/01/tables/T1?format=csv":                  {404, "no such"},
		"/vintages/2015-S1/1/tables/T1?format=csv":                   {404, "no such"},
		"/vintages/2016-S1/1/tables?format=csv":                      {400, "jsonstat"},
		"/vintages/2016-S1/1/tables/T1.xlsx":                         {404, "no such"},
	} {
		status, body, h := get(t, w.address+path)
		var p struct {
			ES string `json:"detail_es"`
			EN string `json:"detail_en"`
		}
		if err := json.Unmarshal(body, &p); err != nil || status != want.status || h.Get("Content-Type") != "application/problem+json" || p.ES == "" || !strings.Contains(p.EN, strings.ReplaceAll(want.names, `\`, "")) {
			t.Errorf("%s answers %d %v %s", path, status, h, body)
		}
	}
	if _, body, _ := get(t, w.address+"/vintages/2016-S1/1/tables/T1?format=csv&bom=1"); !bytes.HasPrefix(body, []byte("\xef\xbb\xbfroute,")) {
		t.Errorf("with a byte order mark: %.20q", body)
	}
	if _, _, h := get(t, w.address+"/vintages/2016-S1/1/tables/T1.csv"); h.Get("Link") != `</vintages/2016-S1/1/tables/T1.csv-metadata.json>; rel="describedby"; type="application/csvm+json"` {
		t.Errorf("the headers of a file are %v", h)
	}
}
