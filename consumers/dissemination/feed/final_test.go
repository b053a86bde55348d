package feed_test

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
)

// questions are those that every vintage of a half-year has an answer to, a provisional one, too.
var questions = []string{"period=2012-S1", "period=2012-S1&by=month&lang=en", "period=2012-02", "period=2012-S1&by=half_year&asOf=2040-01-01"}

// TestAFinalVintageIsTheAnswer: once a half-year has a final vintage, no question that names no vintage is answered by a
// provisional one: not where the clock of who published was set back, not by the date of what a client has kept, not where
// another provisional one was written after it. A revision is the answer from then on.
func TestAFinalVintageIsTheAnswer(t *testing.T) {
	publish := func(number uint64, status string, published time.Time) {
		t.Helper()
		if err := vintagestest.Publish(t.Context(), conn, vintagestest.Vintage{Period: "2012-S1", Number: number, Status: status, Published: published}); err != nil {
			t.Fatal(err)
		}
	}
	h := feed.New(feed.Config{Shelf: vintages.NewShelf(conn, time.Minute, 0)})
	noon := time.Date(2012, 9, 1, 12, 0, 0, 0, time.UTC)
	type answer struct{ tag, modified string }
	kept := map[string]answer{}
	answers := func(vintage, status string) {
		t.Helper()
		for _, question := range questions {
			for _, path := range []string{feed.PathCSV, feed.PathJSON} {
				before := kept[path+question]
				resp, body := get(t, h, path+"?"+question)
				if resp.StatusCode != http.StatusOK || !strings.Contains(body, vintage) || !strings.Contains(resp.Header.Get("Link"), "</vintages/"+vintage+"/>") || resp.Header.Get("Cache-Control") != "public, no-cache" {
					t.Fatalf("%s?%s: %d %v %s, want vintage %s", path, question, resp.StatusCode, resp.Header, body, vintage)
				}
				if path == feed.PathCSV {
					for _, row := range rowsOfCSV(t, body)[1:] {
						if s := row[len(row)-3]; s != status && s != "Q" {
							t.Errorf("%s has %v, want %s", question, row, status)
						}
					}
				}
				for _, condition := range [][]string{{"If-None-Match", before.tag}, {"If-Modified-Since", before.modified}, {"If-Modified-Since", noon.AddDate(1, 0, 0).Format(http.TimeFormat)}} {
					again, text := get(t, h, path+"?"+question, condition...)
					if again.StatusCode != http.StatusOK || text != body {
						t.Errorf("%s?%s with %v: %d, want the table of %s", path, question, condition, again.StatusCode, vintage)
					}
				}
				kept[path+question] = answer{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}
				if same, _ := get(t, h, path+"?"+question, "If-None-Match", resp.Header.Get("ETag")); same.StatusCode != http.StatusNotModified || same.Header.Get("Cache-Control") != "public, no-cache" {
					t.Errorf("%s?%s asked again: %d %v", path, question, same.StatusCode, same.Header)
				}
				if same, _ := get(t, h, path+"?"+question, "If-Modified-Since", resp.Header.Get("Last-Modified")); same.StatusCode != http.StatusNotModified {
					t.Errorf("%s?%s since then: %d", path, question, same.StatusCode)
				}
			}
		}
	}
	publish(1, "provisional", noon)
	answers("2012-S1/1", "P")
	publish(2, "final", noon.Add(-time.Hour)) // by another computer's clock
	answers("2012-S1/2", "A")
	publish(3, "provisional", noon.AddDate(0, 1, 0))
	if resp, _ := get(t, h, feed.PathCSV+"?"+questions[0]); resp.Header.Get("Link") == "" || !strings.Contains(resp.Header.Get("Link"), "</vintages/2012-S1/2/>") {
		t.Errorf("a provisional vintage came after the final one: %v", resp.Header)
	}
	if resp, body := get(t, h, feed.PathCSV+"?"+questions[0]+"&vintage=1"); resp.Header.Get("Cache-Control") != "public, max-age=60" || !strings.Contains(body, ",P,") {
		t.Errorf("the provisional vintage by its name: %v %s", resp.Header, body)
	}
}

// TestATableOfAFinalVintageAddsUp: where nothing is withheld, the rows of each table of a final vintage come to the total
// that the feed gives, in both formats.
func TestATableOfAFinalVintageAddsUp(t *testing.T) {
	_, body := get(t, handler(), feed.PathCSV+"?period=2016-S1")
	total := rowsOfCSV(t, body)[1]
	whole := 0
	for _, d := range feed.Dimensions() {
		resp, body := get(t, handler(), feed.PathCSV+"?period=2016-S1&by="+d.ID)
		if resp.StatusCode != http.StatusOK {
			continue
		}
		sum, withheld := int64(0), false
		for _, row := range rowsOfCSV(t, body)[1:] {
			if row[len(row)-3] == "Q" {
				withheld = true
				continue
			}
			n, err := strconv.ParseInt(row[len(row)-2], 10, 64)
			if err != nil || row[len(row)-3] != "A" {
				t.Errorf("%s: %v", d.ID, row)
			}
			sum += n
		}
		if text := strconv.FormatInt(sum, 10); !withheld && text != total[len(total)-2] {
			t.Errorf("by %s the rows come to %s, the total is %s", d.ID, text, total[len(total)-2])
		} else if !withheld {
			whole++
		}
	}
	if whole < 3 {
		t.Errorf("%d tables are whole", whole)
	}
}

func rowsOfCSV(t *testing.T, body string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%v: %s", err, body)
	}
	return rows
}
