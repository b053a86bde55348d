package clients_test

import (
	"bytes"
	"encoding/csv"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/enginetest"
)

// site serves the page for partners and what its examples ask for.
func site(t *testing.T) string {
	t.Helper()
	conn := enginetest.Fresh(t, engine).Conn()
	for _, v := range halfYears {
		if err := vintagestest.Publish(t.Context(), conn, v); err != nil {
			t.Fatal(err)
		}
	}
	shelf := vintages.NewShelf(conn, time.Minute, time.Hour)
	mux := http.NewServeMux()
	mux.Handle("/", portal.New(portal.Config{Shelf: shelf}))
	mux.Handle(sdmx.Path, sdmx.New(sdmx.Config{Shelf: shelf}))
	mux.Handle("/feed/v1/", feed.New(feed.Config{Shelf: shelf}))
	mux.Handle(bulletin.Path, bulletin.New(bulletin.Config{Shelf: shelf}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func fetched(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %s", address, res.StatusCode, err, body)
	}
	return string(body)
}

var example = regexp.MustCompile(`(?s)<pre [^>]*data-run="([a-zA-Z]+)"><code>(.*?)</code></pre>`)

// TestExamplesOfThePage runs each example of the page for partners, as it stands there, with the address of a server: each finds Corinto.
func TestExamplesOfThePage(t *testing.T) {
	base := site(t)
	ran := ""
	for _, m := range example.FindAllStringSubmatch(fetched(t, base+"/partners?lang=es"), -1) {
		code := strings.ReplaceAll(html.UnescapeString(m[2]), "http://127.0.0.1:8080", base)
		var out string
		var err error
		switch m[1] {
		case "sh":
			out, err = output(t, t.TempDir(), need(t, "sh"), "-e", "-c", code)
		case "python":
			out, err = output(t, t.TempDir(), partnersPython(t), "-I", "-c", code)
		case "R":
			out, err = output(t, t.TempDir(), need(t, "Rscript"), "--vanilla", "-e", code)
		case "csv":
			body, marked := strings.CutPrefix(fetched(t, code), "\ufeff")
			if !marked {
				t.Error("the CSV for spreadsheets has no byte order mark")
			}
			var rows [][]string
			rows, err = csv.NewReader(strings.NewReader(body)).ReadAll()
			for _, row := range rows {
				out += strings.Join(row, "|") + "\n"
			}
		case "xlsx":
			out, err = cells(fetched(t, code))
		}
		if ran += m[1] + " "; err != nil || !strings.Contains(out, "17064") {
			t.Errorf("%s: %v\n%s\n%s", m[1], err, code, out)
		}
	}
	if ran != "sh python python R csv xlsx " {
		t.Errorf("these were run: %s", ran)
	}
}

// cells are the plain values of a workbook.
func cells(body string) (string, error) {
	f, err := excelize.OpenReader(bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, sheet := range f.GetSheetList() {
		rows, err := f.GetRows(sheet, excelize.Options{RawCellValue: true})
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			all.WriteString(strings.Join(row, "|") + "\n")
		}
	}
	return all.String(), f.Close()
}
