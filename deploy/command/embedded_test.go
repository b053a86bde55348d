package command

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"retorno/schemas/tables"
)

// startEmbedded runs `retorno embedded` until the test ends and returns its addresses.
func startEmbedded(t *testing.T, args ...string) endpoints {
	t.Helper()
	file := filepath.Join(t.TempDir(), "endpoints.json")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan result, 1)
	go func() {
		ended <- tryUntil(ctx, "", nil, append([]string{"embedded", "--endpoints", file, "--kafka-listen=127.0.0.1:0",
			"--clickhouse-listen=127.0.0.1:0", "--clickhouse-http-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0"}, args...)...)
	}()
	t.Cleanup(func() {
		cancel()
		if r := <-ended; r.status != exitDone {
			t.Errorf("embedded ended with %d: %s", r.status, r.err)
		}
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the addresses of a system that no longer runs are still there: %v", err)
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case r := <-ended:
			ended <- r
			t.Fatalf("embedded ended with %d: %s", r.status, r.err)
		case <-tick.C:
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var e endpoints
		if err := errors.Join(err, json.Unmarshal(text, &e)); err != nil {
			t.Fatalf("endpoints %q: %v", text, err)
		}
		return e
	}
}

func TestEmbeddedServesTheOtherCommands(t *testing.T) {
	table := writeFile(t, "tables.csv", string(tables.Dev()))
	data := filepath.Join(t.TempDir(), "data")
	e := startEmbedded(t, "--data", data)

	t.Run("health", func(t *testing.T) {
		answer, err := http.Get(strings.TrimSuffix(e.Metrics, "/metrics") + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("status %d", answer.StatusCode)
		}
	})
	t.Run("clickhouse over HTTP", func(t *testing.T) {
		answer, err := http.Get(e.ClickHouseHTTP + "/ping")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("status %d", answer.StatusCode)
		}
	})
	t.Run("a web page in the place of ClickHouse", func(t *testing.T) {
		for addr, want := range map[string]string{strings.TrimPrefix(e.ClickHouseHTTP, "http://"): "HTTP port", strings.TrimSuffix(strings.TrimPrefix(e.Metrics, "http://"), "/metrics"): "a web server answers"} {
			if r := try(t, "", nil, "migrate", "--clickhouse-addr", addr); r.status != exitUsage || !strings.Contains(r.err, want) || !strings.Contains(r.err, addr) {
				t.Errorf("%s: %+v", addr, r)
			}
		}
		if r := try(t, "", nil, "migrate", "--clickhouse-tls", "--clickhouse-addr", e.ClickHouseNative); r.status != exitUsage || !strings.Contains(r.err, "speaks no TLS") {
			t.Errorf("TLS to a plain port: %+v", r)
		}
	})
	t.Run("before migrate", func(t *testing.T) {
		for _, args := range [][]string{{"consume", "--kafka-brokers", e.Kafka, "--kafka-partitions=3"}, {"verify", "--once", "--kafka-brokers", e.Kafka, "--kafka-partitions=3"}, {"serve"}, {"publish", "2016", "--kafka-brokers", e.Kafka, "--kafka-partitions=3"}, {"table", "--like", table, "--id=A14"}} {
			r := try(t, "", nil, append(args, "--clickhouse-addr", e.ClickHouseNative)...)
			if r.status != exitMissing || !strings.Contains(r.err, "retorno migrate") {
				t.Errorf("%v: %+v", args, r)
			}
		}
	})
	t.Run("migrate twice", func(t *testing.T) {
		for i, want := range []bool{true, false} {
			r := try(t, "", nil, "migrate", "--json", "--clickhouse-addr", e.ClickHouseNative)
			var answer struct{ Applied []string }
			if err := json.Unmarshal([]byte(r.out), &answer); err != nil || r.status != exitDone || (len(answer.Applied) > 0) != want {
				t.Errorf("time %d: %+v %v", i+1, r, err)
			}
		}
	})
	t.Run("send", func(t *testing.T) {
		r := try(t, event(1)+"\n"+event(2)+"\n", nil, "send", "-", "--json", "--kafka-brokers", e.Kafka, "--kafka-partitions=3")
		if r.status != exitDone || r.out != `{"lines":2,"sent":2,"rejected":0}`+"\n" {
			t.Errorf("%+v", r)
		}
		r = try(t, event(3)+"\nnonsense\n", nil, "send", "-", "--kafka-brokers", e.Kafka, "--kafka-partitions=3")
		if r.status != exitNo || r.out != "2 lines: 1 sent, 1 rejected\n" || !strings.Contains(r.err, "line 2: ") {
			t.Errorf("%+v", r)
		}
		r = try(t, event(1), nil, "send", "-", "--kafka-brokers", e.Kafka, "--kafka-partitions=5")
		if r.status != exitUsage || !strings.Contains(r.err, "has 3 partitions, expected 5") {
			t.Errorf("wrong partition count: %+v", r)
		}
	})
	t.Run("a second one on the same data", func(t *testing.T) {
		r := try(t, "", nil, "embedded", "--data", data)
		if r.status != exitMissing || !strings.Contains(r.err, "in use") || !strings.Contains(r.err, data) || !strings.Contains(r.err, "--data") {
			t.Errorf("%+v", r)
		}
	})
}

func TestTakenPortsAreReplacedAloud(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	m := &machine{t: &terminal{Err: new(strings.Builder)}}
	addr, err := m.free("Kafka", taken.Addr().String())
	if err != nil || addr == taken.Addr().String() {
		t.Errorf("%s %v", addr, err)
	}
	if said := m.t.Err.(*strings.Builder).String(); !strings.Contains(said, taken.Addr().String()) || !strings.Contains(said, "Kafka") {
		t.Errorf("said %q", said)
	}
}

func TestWhatIsNotThereIsStatusThree(t *testing.T) {
	file := writeFile(t, "a-file", "")
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"data folder below a file", file, []string{"embedded", "--data", filepath.Join(file, "data"), "--ops-listen=127.0.0.1:0"}},
		{"no such engine", "/no/such/libchdb.so", []string{"embedded", "--data", t.TempDir(), "--engine=/no/such/libchdb.so"}},
		{"no such input", "/no/such/events.jsonl", []string{"send", "/no/such/events.jsonl"}},
		{"no such password file", "/no/such/secret", []string{"migrate", "--clickhouse-password-file=/no/such/secret"}},
	} {
		r := try(t, "", nil, c.args...)
		if r.status != exitMissing || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "goroutine") {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

func TestWrongAddressesAreWrongUse(t *testing.T) {
	for _, args := range [][]string{
		{"send", "-", "--kafka-brokers=nowhere"}, {"send", "-", "--kafka-partitions=0"}, {"migrate", "--clickhouse-addr=nowhere"},
		{"embedded", "--kafka-listen=9092"}, {"send", "-", "--kafka-sasl-mechanism=PLAIN"}, {"send", t.TempDir()},
		{"migrate", "--clickhouse-addr=127.0.0.1:99999"}, {"migrate", "--clickhouse-addr=127.0.0.1:native"}, {"migrate", "--clickhouse-timeout=-1s"},
		{"migrate", "--clickhouse-cert-file=x.pem"}, {"migrate", "--clickhouse-key-file=x.pem"}, {"migrate", "--clickhouse-ca-file=" + writeFile(t, "ca.pem", "no certificate")},
		{"serve", "--listen=:99999"}, {"serve", "--ops-listen=9467"}, {"embedded", "--ops-listen=127.0.0.1:70000"}, {"demo", "--listen=127.0.0.1:-1"},
		{"consume", "--flush-every=-1s"}, {"consume", "--flush-records=-5"}, {"consume", "--leave-within=0s"}, {"consume", "--kafka-session-timeout=-1s"},
		{"consume", "--ops-listen=:65536"}, {"verify", "--every=-1m"}, {"verify", "--full-every=0s"}, {"verify", "--ops-listen=x"},
	} {
		if r := try(t, "", nil, args...); r.status != exitUsage {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
