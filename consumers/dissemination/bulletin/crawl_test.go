package bulletin_test

import (
	"archive/zip"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
)

// observation names a printed count: its key as the bulletin gives it, and its period.
type observation struct{ key, period string }

var (
	keyed = regexp.MustCompile(`data-key="([^"]+)" data-period="([^"]+)">([^<]*)`)
	marks = regexp.MustCompile(` \[[pr]\]| ⟨\d+⟩|,`)
)

// Every printed count is the value that SDMX gives for its key at the time of the bulletin, on the page and in both workbooks, in both
// languages; and every cell of the half-year stands in a table.
func TestEveryKeyResolvesToTheSameValue(t *testing.T) {
	service := sdmx.New(sdmx.Config{Shelf: vintages.NewShelf(conn, time.Minute, time.Hour)})
	resolved := 0
	for _, v := range list(t) {
		printed := map[observation]map[string]string{} // by form
		for _, lang := range []string{"es", "en"} {
			for form, read := range map[string]func(*testing.T, string) map[observation]string{"html": pageCounts, "xlsx": workbookCounts, "ods": openDocumentCounts} {
				resp, body := get(t, fmt.Sprintf("%s%s?vintage=%d&lang=%s&format=%s", bulletin.Path, v.Period, v.Number, lang, form))
				if resp.StatusCode != 200 || resp.Header.Get("Content-Language") != lang {
					t.Fatal(resp.StatusCode, body)
				}
				for o, text := range read(t, body) {
					if printed[o] == nil {
						printed[o] = map[string]string{}
					}
					printed[o][form+" "+lang] = marks.ReplaceAllString(text, "")
				}
			}
		}
		published := resolve(t, service, v, slices.Collect(maps.Keys(printed)))
		for o, texts := range printed {
			for where, text := range texts {
				if resolved++; text != published[o] {
					t.Errorf("%s, %s: %s of %s is %q, and %q by SDMX", v.Name(), where, o.key, o.period, text, published[o])
				}
			}
		}
		for _, id := range v.Tables() {
			for o := range ask(t, service, v, id, "*") {
				if o.period == v.Period && len(printed[o]) != 6 {
					t.Errorf("%s: %s stands in %d of the 6 bulletins", v.Name(), o.key, len(printed[o]))
				}
			}
		}
	}
	if t.Logf("%d printed counts were looked up", resolved); resolved < 10_000 {
		t.Error("that is too few")
	}
}

// resolve asks for keys as they are, a hundred at once.
func resolve(t *testing.T, service http.Handler, v vintages.Vintage, all []observation) map[observation]string {
	t.Helper()
	byFlow := map[string][]string{}
	for _, o := range all {
		flow, key, ok := strings.Cut(o.key, ":")
		if !ok {
			t.Fatalf("%q has no dataflow", o.key)
		}
		byFlow[flow] = append(byFlow[flow], key)
	}
	found := map[observation]string{}
	for flow, keys := range byFlow {
		slices.Sort(keys)
		for some := range slices.Chunk(slices.Compact(keys), 80) {
			maps.Copy(found, ask(t, service, v, flow, strings.Join(some, ",")))
		}
	}
	return found
}

// ask has what was published of a dataflow when a vintage was, by observation; [c] of what is withheld.
func ask(t *testing.T, service http.Handler, v vintages.Vintage, flow, key string) map[observation]string {
	t.Helper()
	w := httptest.NewRecorder()
	service.ServeHTTP(w, httptest.NewRequest(http.MethodGet, sdmx.Root30+"data/dataflow/CENISS/"+flow+"/1.0.0/"+key+"?format=csvdata&asOf="+url.QueryEscape(v.Published.UTC().Format(time.RFC3339Nano)), nil))
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || w.Code != 200 || len(rows) < 2 {
		t.Fatal(flow, key, w.Code, err, w.Body)
	}
	at := func(name string) int { return slices.Index(rows[0], name) }
	found := map[observation]string{}
	for _, row := range rows[1:] {
		text := row[at("OBS_VALUE")]
		if row[at("CONF_STATUS")] == "C" {
			text = "[c]"
		}
		found[observation{flow + ":" + strings.Join(row[at("FREQ"):at("TIME_PERIOD")], "."), row[at("TIME_PERIOD")]}] = text
	}
	return found
}

// pageCounts are the counts of the page.
func pageCounts(_ *testing.T, body string) map[observation]string {
	all := map[observation]string{}
	for _, m := range keyed.FindAllStringSubmatch(body, -1) {
		all[observation{html.UnescapeString(m[1]), m[2]}] = strings.TrimSpace(html.UnescapeString(m[3]))
	}
	return all
}

// workbookCounts are the counts of an Excel workbook, whose keys stand in hidden columns.
func workbookCounts(t *testing.T, body string) map[observation]string {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []sheet
	for _, name := range f.GetSheetList() {
		if merged, err := f.GetMergeCells(name); err != nil || len(merged) > 0 {
			t.Errorf("%s: %d merged cells, %v", name, len(merged), err)
		}
		rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(name, err)
		}
		s := sheet{name: name, rows: rows}
		for column := 1; ; column++ {
			letters, err := excelize.ColumnNumberToName(column)
			if err != nil {
				t.Fatal(err)
			}
			if visible, err := f.GetColVisible(name, letters); err != nil || visible && column > 100 {
				break
			} else if !visible {
				s.seen = column - 1
				break
			}
		}
		all = append(all, s)
	}
	return counts(t, all)
}

// sheet is one as it was read. seen is the number of columns that are, 0 where all are.
type sheet struct {
	name string
	rows [][]string
	seen int
}

// counts are those of sheets: what stands in a hidden column is the key of the count in the same place among the columns of numbers.
func counts(t *testing.T, sheets []sheet) map[observation]string {
	t.Helper()
	all := map[observation]string{}
	period := sheets[0].rows[2][1]
	for _, s := range sheets {
		for i, row := range s.rows {
			if s.seen == 0 || len(row) <= s.seen {
				continue
			}
			if s.name == sheets[0].name { // of the cover
				all[observation{row[s.seen], period}] = row[1]
				continue
			}
			numbers := slices.IndexFunc(s.rows[3], isNumbers)
			if len(row)-s.seen > s.seen-numbers {
				t.Fatalf("%s, row %d: more keys than numbers", s.name, i+1)
			}
			for j, key := range row[s.seen:] {
				if key != "" {
					all[observation{key, period}] = row[numbers+j]
				}
			}
		}
	}
	return all
}

// isNumbers reports whether a column name is that of the first column of numbers.
func isNumbers(head string) bool {
	return slices.Contains([]string{"Retornos", "Returns", "Ayudas", "Helps", "Personas", "People", "Controles", "Checks", "Total"}, head)
}

// openDocumentCounts are the counts of an OpenDocument spreadsheet.
func openDocumentCounts(t *testing.T, body string) map[observation]string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("content.xml")
	if err != nil {
		t.Fatal(err)
	}
	var content struct {
		Tables []struct {
			Name    string `xml:"name,attr"`
			Columns []struct {
				Visibility string `xml:"visibility,attr"`
			} `xml:"table-column"`
			Rows []struct {
				Cells []struct {
					Value string   `xml:"value,attr"`
					Text  []string `xml:"p"`
				} `xml:"table-cell"`
			} `xml:"table-row"`
		} `xml:"body>spreadsheet>table"`
	}
	text, err := io.ReadAll(f)
	if err = errors.Join(err, xml.Unmarshal(text, &content)); err != nil {
		t.Fatal(err)
	}
	var all []sheet
	for _, table := range content.Tables {
		s := sheet{name: table.Name}
		for i, c := range table.Columns {
			if c.Visibility == "collapse" {
				s.seen = i
			}
		}
		for _, r := range table.Rows {
			var row []string
			for _, c := range r.Cells {
				if c.Value == "" {
					c.Value = strings.Join(c.Text, "")
				}
				row = append(row, c.Value)
			}
			s.rows = append(s.rows, row)
		}
		all = append(all, s)
	}
	return counts(t, all)
}
