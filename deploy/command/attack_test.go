package command

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/disclosure/published"
)

// exits is a half-year's vintage by exit point, of which some cells are withheld, in a folder.
func exits(t *testing.T, into, period string, cells map[string]int64) {
	t.Helper()
	l, err := lattice.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	key := signer(t)
	table := published.Table{ID: "T2", Measure: "returns", Columns: []string{"time_period", "source", "exit_point"}}
	var codes []bundle.Code
	for code, value := range cells {
		table.Cells = append(table.Cells, published.Cell{Codes: []string{period, "registered", code}, Value: max(value, 0), Withheld: value < 0})
		parent := published.Total
		if code == published.Total {
			parent = ""
		}
		codes = append(codes, bundle.Code{Column: "exit_point", Code: code, Parent: parent})
	}
	hidden := 0
	for _, value := range cells {
		hidden += btoi(value < 0)
	}
	c := bundle.Content{Lattice: l.Text(), Codes: codes, Certificate: bundle.Certificate{Audit: bundle.Audit{Audited: hidden}}, Tables: []bundle.Table{{Table: table}},
		Manifest: bundle.Manifest{Period: period, Vintage: 1, Status: "final", AsOf: time.Unix(0, 0).UTC(), Published: time.Unix(0, 0).UTC()}}
	lay(t, into, c, key)
}

const withheld = -1

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestAttack: two withheld cells that hide each other stay unknown, from a folder and from a server; one that stands alone is
// found, and so is one of two when a partner publishes the other.
func TestAttack(t *testing.T) {
	safe, leak := t.TempDir(), t.TempDir()
	exits(t, filepath.Join(safe, "vintages", "2016-S1", "1"), "2016-S1", map[string]int64{published.Total: 100, "L-COR": 60, "L-AMA": withheld, "L-AGC": withheld})
	exits(t, filepath.Join(safe, "vintages", "2016-S2", "1"), "2016-S2", map[string]int64{published.Total: 50, "L-COR": 30, "L-AMA": 10, "L-AGC": 10})
	exits(t, filepath.Join(leak, "2016-S1", "1"), "2016-S1", map[string]int64{published.Total: 100, "L-COR": 60, "L-AMA": withheld, "L-AGC": 37})
	if r := try(t, "", nil, "attack", safe); r.status != exitDone || !strings.Contains(r.out, "2 vintages attacked: 0 findings") {
		t.Errorf("%+v", r)
	}
	for dir, status := range map[string]int{filepath.Join(safe, "vintages", "2016-S1", "1"): exitDone, filepath.Join(leak, "2016-S1", "1"): exitNo} {
		if r := try(t, "", nil, "vintage", "verify", dir); r.status != status || strings.Contains(r.out, "audited again: of 2 withheld cells 0 are determined") != (status == exitDone) {
			t.Errorf("verified: %+v", r)
		}
	}
	r := try(t, "", nil, "attack", leak, "--json")
	var answer struct {
		Vintages int
		Found    []struct {
			Vintage, Cell, How string
			Low, High          int64
		}
	}
	if err := json.Unmarshal([]byte(r.out), &answer); r.status != exitNo || err != nil || len(answer.Found) == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if f := answer.Found[0]; f.Vintage != "2016-S1/1" || !strings.Contains(f.Cell, "exit_point=L-AMA") || f.Low != 3 || f.High != 3 || f.How == "" {
		t.Errorf("%+v", f)
	}
	known := writeFile(t, "known.csv", "measure,time_period,source,exit_point,value\nreturns,2016-S1,registered,L-AGC,37\n")
	if r := try(t, "", nil, "attack", safe, "--known", known); r.status != exitNo || !strings.Contains(r.out, "L-AMA") {
		t.Errorf("with what a partner publishes: %+v", r)
	}
	known = writeFile(t, "idle.csv", "measure,time_period,exit_point,value\nreturns,2015-S1,L-AGC,37\n")
	if r := try(t, "", nil, "attack", safe, "--known", known); r.status != exitDone || !strings.Contains(r.err, "returns|exit_point=L-AGC|time_period=2015-S1 matches no published count") {
		t.Errorf("a known count of another half-year: %+v", r)
	}
	list := `{"vintages": [{"bundle": "/vintages/2016-S1/1/"}, {"bundle": "/vintages/2016-S2/1/"}]}`
	mux := http.NewServeMux()
	mux.HandleFunc("/vintages", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(list)) })
	mux.Handle("/", http.FileServer(http.Dir(safe)))
	server := httptest.NewServer(mux)
	defer server.Close()
	if r := try(t, "", nil, "attack", server.URL); r.status != exitDone || !strings.Contains(r.out, "2 vintages attacked: 0 findings") {
		t.Errorf("a server: %+v", r)
	}
	if r := try(t, "", nil, "attack", server.URL+"/vintages/2016-S2/1/"); r.status != exitDone || !strings.Contains(r.out, "1 vintages attacked") {
		t.Errorf("one vintage of a server: %+v", r)
	}
	list = `{"vintages": [{"bundle": "http://elsewhere.example/vintages/2016-S1/1/"}]}`
	if r := try(t, "", nil, "attack", server.URL); r.status != exitMissing || !strings.Contains(r.err, "elsewhere.example") {
		t.Errorf("a list that leads elsewhere: %+v", r)
	}
}

// TestAttackIsUsedWrongly: what is no vintage, and what is no list of counts, are named.
func TestAttackIsUsedWrongly(t *testing.T) {
	dir := t.TempDir()
	exits(t, dir, "2016-S1", map[string]int64{published.Total: 100})
	broken := t.TempDir()
	exits(t, broken, "2016-S1", map[string]int64{published.Total: 100})
	if err := os.WriteFile(filepath.Join(broken, bundle.TablePath("T2")), []byte("L-COR"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		want   string
		args   []string
	}{
		"no folder":    {exitMissing, "nowhere", []string{filepath.Join(dir, "nowhere")}},
		"no vintage":   {exitMissing, "no vintage", []string{t.TempDir()}},
		"broken":       {exitMissing, "tables/T2.csv", []string{broken}},
		"no server":    {exitMissing, "refused", []string{"http://127.0.0.1:1/"}},
		"no columns":   {exitUsage, "line 1", []string{dir, "--known", writeFile(t, "a.csv", "a,b\n1,2\n")}},
		"no count":     {exitUsage, "line 2", []string{dir, "--known", writeFile(t, "b.csv", "measure,value\nreturns,many\n")}},
		"too short":    {exitUsage, "line 2", []string{dir, "--known", writeFile(t, "c.csv", "measure,value\nreturns\n")}},
		"an empty one": {exitUsage, "is empty", []string{dir, "--known", writeFile(t, "d.csv", "")}},
		"a measure":    {exitUsage, `line 2: there is no measure "bananas"`, []string{dir, "--known", writeFile(t, "e.csv", "\ufeffmeasure,value\nbananas,3\n")}},
		"a column":     {exitUsage, `line 2: there is no column "nosuch"`, []string{dir, "--known", writeFile(t, "f.csv", "measure,nosuch,value\nreturns,x,3\n")}},
		"a code":       {exitUsage, `line 3: column exit_point has no code "L-XXX"`, []string{dir, "--known", writeFile(t, "g.csv", "measure,exit_point,value\nreturns,L-COR,3\nreturns,L-XXX,3\n")}},
		"twice":        {exitUsage, "line 3: the count was 3, and is 4", []string{dir, "--known", writeFile(t, "h.csv", "measure,exit_point,value\nreturns,L-COR,3\nreturns,L-COR,4\n")}},
		"two columns":  {exitUsage, `column "exit_point" stands twice`, []string{dir, "--known", writeFile(t, "i.csv", "measure,exit_point,exit_point,value\n")}},
	} {
		if r := try(t, "", nil, append([]string{"attack"}, c.args...)...); r.status != c.status || !strings.Contains(r.err, c.want) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
