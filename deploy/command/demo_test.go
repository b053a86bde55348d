package command

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// freePorts keep tests away from each other and from a demo on the same machine.
var freePorts = []string{"--kafka-listen=127.0.0.1:0", "--clickhouse-listen=127.0.0.1:0", "--clickhouse-http-listen=127.0.0.1:0",
	"--ops-listen=127.0.0.1:0", "--listen=127.0.0.1:0"}

func TestDemoCountsItsTable(t *testing.T) {
	table := writeFile(t, "tables.csv", small)
	data, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "counted.csv")
	demo := func(args ...string) result {
		return try(t, "", nil, append(append([]string{"demo", "--exit", "--kafka-partitions=3", "--table", table, "--id=T1", "--data", data}, freePorts...), args...)...)
	}
	r := demo("--mess=hard", "--out", out)
	if r.status != exitDone {
		t.Fatal(r.err)
	}
	for _, want := range []string{"L-COR", "63.0", "accounts: ", "no difference", "2 of 2 published numbers", "vintage 1, final", "certificate: ", "/vintages/2016-S1/1/"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("lacks %q:\n%s", want, r.out)
		}
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][7] != "100" || rows[2][7] != "63" {
		t.Errorf("counted table: %v %v", err, rows)
	}
	t.Run("again on the same folder", func(t *testing.T) {
		if r := demo("--mess=hard"); r.status != exitDone || !strings.Contains(r.out, "no difference") || !strings.Contains(r.out, "/vintages/2016-S1/1/") || strings.Contains(r.out, "/vintages/2016-S1/2/") {
			t.Errorf("%+v", r)
		}
	})
	t.Run("another register on the same folder", func(t *testing.T) {
		if err := os.WriteFile(table, []byte(strings.ReplaceAll(small, "63", "64")), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := demo("--mess=hard"); r.status != exitUsage || !strings.Contains(r.err, data) {
			t.Errorf("the table has other numbers: %+v", r)
		}
		if r := demo("--mess=hard", "--seed=2"); r.status != exitUsage || !strings.Contains(r.err, data) {
			t.Errorf("%+v", r)
		}
	})
}

func TestDemoIsRefusedWhatItCannotDo(t *testing.T) {
	table := writeFile(t, "tables.csv", small)
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{exitNo, "sex", []string{"--table", table, "--id=T2"}},
		{exitUsage, "nonsense", []string{"--table", table, "--id=nonsense"}},
		{exitUsage, "--kafka-partitions", []string{"--kafka-partitions=0"}},
		{exitUsage, "--listen", []string{"--listen=nowhere"}},
		{exitMissing, "libchdb", []string{"--table", table, "--id=T1", "--engine=/no/such/libchdb.so"}},
	} {
		r := try(t, "", nil, append(append([]string{"demo", "--exit"}, freePorts...), c.args...)...)
		if r.status != c.status || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "goroutine") {
			t.Errorf("%v: %+v", c.args, r)
		}
	}
}

// A demo that stays up answers on every address, and ends in order when it is asked to. When more was sent to it, it goes on from its
// folder all the same, and says that the numbers have changed.
func TestDemoStaysUpAndEndsInOrder(t *testing.T) {
	file, data := filepath.Join(t.TempDir(), "endpoints.json"), filepath.Join(t.TempDir(), "data")
	played := append([]string{"demo", "--kafka-partitions=3", "--table", writeFile(t, "tables.csv", small), "--id=T1", "--data", data}, freePorts...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan result, 1)
	go func() {
		ended <- tryUntil(ctx, "", nil, append(slices.Clone(played), "--endpoints", file, "--live=1200")...)
	}()
	patience := time.NewTimer(5 * time.Minute)
	defer patience.Stop()
	await := func(what string, there func() bool) {
		t.Helper()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for !there() {
			select {
			case r := <-ended:
				t.Fatalf("waiting for %s: the demo ended with %d: %s", what, r.status, r.err)
			case <-patience.C:
				t.Fatalf("waited in vain for %s", what)
			case <-tick.C:
			}
		}
	}
	var e endpoints
	await("the endpoints", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(text, &e) == nil
	})
	await("readiness", func() bool { code, _ := fetch(e.Web + "/readyz"); return code == http.StatusOK })
	if code, body := fetch(e.Metrics); code != http.StatusOK || !strings.Contains(body, "retorno_records_read_total") || !strings.Contains(body, "retorno_completeness_passes_total") {
		t.Errorf("metrics: %d", code)
	}
	counted := try(t, "", nil, "table", "--clickhouse-addr", e.ClickHouseNative, "--like", writeFile(t, "like.csv", small), "--id=T1")
	if counted.status != exitDone || !strings.Contains(counted.err, "Coverage: ") || !strings.Contains(counted.err, " known returns (") || strings.Contains(counted.out, "Coverage: ") {
		t.Errorf("table: %+v", counted)
	}
	await("the vintage", func() bool {
		_, body := fetch(e.Web + "/vintages")
		return strings.Contains(body, `"2016-S1"`)
	})
	if code, body := fetch(e.Web + "/feed/v1/returns.csv?period=2016-S1&by=exit_point"); code != http.StatusOK || !strings.Contains(body, "2016-S1,L-COR,Corinto,registered,A,63,2016-S1/1\r\n") {
		t.Errorf("feed: %d %s", code, body)
	}
	if code, body := fetch(e.Web + "/sdmx/3.0/data/dataflow/CENISS/T2/1.0.0?format=csv"); code != http.StatusOK || !strings.Contains(body, ",L-COR,") {
		t.Errorf("SDMX: %d %s", code, body)
	}
	if r := try(t, "", nil, "vintage", "verify", e.Web+"/vintages/2016-S1/1/"); r.status != exitDone || !strings.Contains(r.out, "every file is as it was published") {
		t.Errorf("the vintage as everyone may pull it: %+v", r)
	}
	before, public := total(e.Metrics, "retorno_records_accepted_total"), pullAll(t, e.Web)
	await("live arrivals", func() bool { return total(e.Metrics, "retorno_records_accepted_total") > before })
	for address, now := range pullAll(t, e.Web) {
		if now != public[address] {
			t.Errorf("live arrivals changed %s from\n%s\nto\n%s", address, public[address], now)
		}
	}
	more := try(t, "", nil, "register", "--table", writeFile(t, "more.csv", small), "--id=T1", "--seed=2")
	if r := try(t, more.out, nil, "send", "-", "--kafka-partitions=3", "--kafka-brokers", e.Kafka); more.status != exitDone || r.status != exitDone {
		t.Fatalf("%+v, %+v", more.err, r)
	}
	cancel()
	if r := <-ended; r.status != exitDone {
		t.Errorf("ended with %d: %s", r.status, r.err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the addresses are still there: %v", err)
	}
	if r := try(t, "", nil, append(played, "--exit")...); r.status != exitDone || !strings.Contains(r.out, "differs: ") || !strings.Contains(r.err, "have changed since") || !strings.Contains(r.out, "/vintages/2016-S1/1/") || !strings.Contains(r.out, "/sdmx/3.0/data/dataflow/CENISS/T2/1.0.0?format=csv'\n") {
		t.Errorf("started again: %+v", r)
	}
}

func fetch(url string) (int, string) {
	answer, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

// total sums a metric over its labels.
func total(url, name string) float64 {
	_, body := fetch(url)
	var sum float64
	for line := range strings.Lines(body) {
		rest, ok := strings.CutPrefix(line, name+"{")
		if !ok {
			continue
		}
		var v float64
		if _, value, ok := strings.Cut(rest, "} "); ok {
			if _, err := fmt.Sscan(value, &v); err == nil {
				sum += v
			}
		}
	}
	return sum
}
