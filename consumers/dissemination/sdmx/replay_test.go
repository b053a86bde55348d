package sdmx_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/consumers/dissemination/sdmx"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/vintages/vintagestest"
)

// drawn makes a vintage of which cells are gone, withheld, or have other counts than in a made one.
func drawn(r *rand.Rand, v vintagestest.Vintage) ([]bundle.File, error) {
	files, err := vintagestest.Files(v)
	if err != nil {
		return nil, err
	}
	bodies := bundle.Files{}
	for _, f := range files {
		bodies[f.Path] = f.Body
	}
	b, err := bundle.Open(context.Background(), bodies, nil)
	if err != nil {
		return nil, err
	}
	for i := range b.Tables {
		cells := slices.DeleteFunc(b.Tables[i].Cells, func(published.Cell) bool { return r.IntN(4) == 0 })
		for j := range cells {
			switch r.IntN(4) {
			case 0:
				cells[j].Value, cells[j].Withheld = 0, true
			case 1:
				cells[j].Value += r.Int64N(20)
			}
		}
		b.Tables[i].Cells = cells
	}
	b.Manifest.Files = nil
	return bundle.Seal(bundle.Content{Manifest: b.Manifest, Tables: b.Tables, Codes: b.Codes, Lattice: b.Lattice}, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
}

// publishDrawn publishes vintages of two half-years, the provisional ones first, and returns when.
func publishDrawn(t *testing.T, conn driver.Conn, r *rand.Rand, after func(time.Time)) (moments []time.Time) {
	t.Helper()
	at := time.Date(2031, 8, 1, 12, 0, 0, 0, time.UTC)
	number := map[string]uint64{}
	for i := range 12 {
		period := pick(r, []string{"2030-S1", "2030-S2"})
		number[period]++
		v := vintagestest.Vintage{Period: period, Number: number[period], Status: map[bool]string{true: "provisional", false: "final"}[i < 4], Published: at}
		files, err := drawn(r, v)
		if err != nil {
			t.Fatal(err)
		}
		if err := vintagestest.Write(t.Context(), conn, v, files); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, at)
		after(at)
		at = at.Add(time.Duration(1+r.IntN(100)) * time.Hour)
	}
	return moments
}

// TestChangesReplayed: a client that has what was published at one time, and does what the answer to updatedAfter says, has what was
// published at a later time, observation by observation: 200 pairs of times, of drawn vintages and questions. So does one that
// replays the whole history. And what was answered as of a time is answered so for ever, byte by byte, whatever is published after it.
func TestChangesReplayed(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	h := sdmx.New(sdmx.Config{Shelf: vintages.NewShelf(conn, time.Minute, 0)})
	then := map[string]string{}
	moments := publishDrawn(t, conn, r, func(at time.Time) {
		for _, address := range []string{"3.0/data/dataflow/CENISS/T1", "2.1/data/T3", "3.0/structure/codelist", "2.1/availableconstraint/T2"} {
			address = "/sdmx/" + address + "?asOf=" + url.QueryEscape(at.Format(time.RFC3339))
			if _, then[address] = get(t, h, address); then[address] == "" {
				t.Fatalf("%s has no answer", address)
			}
		}
	})
	h = handler() // as after another start; it reads the list of vintages once
	content := func(address string) map[string]string {
		rows := map[string]string{}
		resp, body := get(t, h, address)
		if resp.StatusCode == http.StatusNoContent {
			return rows
		}
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", address, resp.StatusCode, body)
		}
		for _, s := range readJSON(t, body) {
			replay(rows, s)
		}
		return rows
	}
	deleted, changed := 0, 0
	for range 200 {
		some := []time.Time{pick(r, moments), pick(r, moments)}
		slices.SortFunc(some, time.Time.Compare)
		from, to := url.QueryEscape(some[0].Format(time.RFC3339)), url.QueryEscape(some[1].Format(time.RFC3339))
		base := "/sdmx/3.0/data/dataflow/CENISS/" + pick(r, []string{"T1", "T2", "T3", "T11e"}) + "?" +
			pick(r, []string{"", "c[FREQ]=S&", "c[OBS_VALUE]=gt:500&", "c[CONF_STATUS]=C&", "lastNObservations=2&", "startPeriod=2030-Q2&"})
		before, want := content(base+"asOf="+from), content(base+"asOf="+to)
		got := maps.Clone(before)
		resp, body := get(t, h, base+"updatedAfter="+from+"&asOf="+to)
		if resp.StatusCode == http.StatusOK {
			for _, s := range readJSON(t, body) {
				if s.action == "Delete" {
					deleted += len(s.rows)
				}
				changed += len(s.rows)
				replay(got, s)
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%s from %s to %s:\n%v\nwant\n%v", base, from, to, got, want)
		}
		if all := content(base + "includeHistory=true&asOf=" + to); !maps.Equal(all, want) {
			t.Fatalf("the history of %s until %s:\n%v\nwant\n%v", base, to, all, want)
		}
	}
	if deleted == 0 || changed < 200 {
		t.Errorf("%d observations were deleted and %d changed in all", deleted, changed)
	}
	for address, was := range then {
		if _, body := get(t, h, address); body != was {
			t.Errorf("%s was\n%s\nand is\n%s", address, was, body)
		}
	}
}

// replay does what a set says.
func replay(rows map[string]string, s set) {
	for key, value := range s.rows {
		if s.action == "Delete" {
			delete(rows, key)
		} else {
			rows[key] = value
		}
	}
}

// TestWithheldMissingAndZeroAreThree in every format: a withheld count has the statuses C and Q and no number, a count of none is 0, and
// what is not published is not there.
func TestWithheldMissingAndZeroAreThree(t *testing.T) {
	h := handler()
	for _, form := range forms {
		ask := func(code string) string {
			address := form.root + "T11e"
			if form.root != forms[0].root {
				address += "/1.0.0"
			}
			resp, body := get(t, h, address+"?format="+form.format+"&startPeriod=2016&endPeriod=2016&c[ENTRY_POINT]="+code)
			if resp.StatusCode != http.StatusOK {
				return resp.Status
			}
			for _, one := range form.read(t, body)[0].rows {
				return one
			}
			return ""
		}
		for code, want := range map[string]string{
			"L-AMA":   "BASE=1 CONF_STATUS=C COVERAGE=80.0 OBS_STATUS=Q VINTAGE=2016-S1/2",
			"A-LCE":   "BASE=1 CONF_STATUS=F COVERAGE=80.0 OBS_STATUS=A OBS_VALUE=0 VINTAGE=2016-S1/2",
			"MISSING": map[bool]string{true: "404 Not Found", false: "204 No Content"}[form.root == forms[0].root],
		} {
			if got := ask(code); got != want {
				t.Errorf("%s in %s: %s, want %s", code, form.format, got, fmt.Sprint(want))
			}
		}
	}
}
