package command

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the answers of the demo into docs/statisticians.md, and docs/configuration.md")

const statisticians = "../../docs/statisticians.md"

// worked is a query of the page and the answer that stands below it.
var worked = regexp.MustCompile("(?s)```sql\n(.*?)```\n```text\n(.*?)```")

// TestWorkedQueriesAnswerAsTheySay runs the demo and puts every worked query of the page to it over HTTP.
func TestWorkedQueriesAnswerAsTheySay(t *testing.T) {
	text, err := os.ReadFile(statisticians)
	if err != nil {
		t.Fatal(err)
	}
	addresses := runDemo(t, "--live=0", "--seed=1", "--mess=everyday")
	found := 0
	got := worked.ReplaceAllFunc(text, func(block []byte) []byte {
		found++
		parts := worked.FindSubmatch(block)
		answer := tidy(ask(t, addresses.ClickHouseHTTP, string(parts[1])+" FORMAT PrettySpaceNoEscapesMonoBlock SETTINGS output_format_pretty_row_numbers = 0"))
		if !*update && answer != string(parts[2]) {
			t.Errorf("this query of the page\n%s\nanswers\n%s\nand the page says\n%s", parts[1], answer, parts[2])
		}
		return []byte("```sql\n" + string(parts[1]) + "```\n```text\n" + answer + "```")
	})
	if found < 8 {
		t.Fatalf("the page has %d worked queries; the pattern of this test misses them", found)
	}
	got = explains(t, got, addresses)
	if *update {
		if err := os.WriteFile(statisticians, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// explained is a call of explain in the page and the answer that stands below it.
var explained = regexp.MustCompile("(?s)```sh\nbin/retorno explain ([^\n]*)\n```\n```text\n(.*?)```")

// explains makes every call of explain in the page, and compares the answers or, to update, puts them in.
func explains(t *testing.T, text []byte, addresses endpoints) []byte {
	t.Helper()
	found := 0
	text = explained.ReplaceAllFunc(text, func(block []byte) []byte {
		found++
		parts := explained.FindSubmatch(block)
		args := append([]string{"explain", "--kafka-brokers", addresses.Kafka, "--clickhouse-addr", addresses.ClickHouseNative}, strings.Fields(string(parts[1]))...)
		r := try(t, "", nil, args...)
		if answer := tidy(r.out); r.status != exitDone || !*update && answer != string(parts[2]) {
			t.Errorf("explain %s answers with status %d\n%s%s\nand the page says\n%s", parts[1], r.status, answer, r.err, parts[2])
		}
		return []byte("```sh\nbin/retorno explain " + string(parts[1]) + "\n```\n```text\n" + tidy(r.out) + "```")
	})
	if found == 0 {
		t.Fatal("the page has no worked call of explain; the pattern of this test misses it")
	}
	return text
}

// tidy takes away the blank lines and the blanks at the ends of lines.
func tidy(answer string) string {
	var lines []string
	for line := range strings.Lines(answer) {
		if line = strings.TrimRight(line, " \n"); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	return strings.Join(lines, "")
}

// runDemo starts the demo in this process, on free ports, and waits until it is ready. It ends with the test.
func runDemo(t *testing.T, args ...string) endpoints {
	t.Helper()
	file := filepath.Join(t.TempDir(), "endpoints.json")
	free := []string{"demo", "--endpoints", file, "--kafka-listen=127.0.0.1:0", "--clickhouse-listen=127.0.0.1:0",
		"--clickhouse-http-listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0", "--listen=127.0.0.1:0"}
	ctx, cancel := context.WithCancel(context.Background())
	var out, said bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		nothing := func(string) (string, bool) { return "", false }
		ended <- run(ctx, append(free, args...), nothing, nil, &terminal{In: strings.NewReader(""), Out: &out, Err: &said})
	}()
	t.Cleanup(func() {
		cancel()
		if status := <-ended; status != exitDone {
			t.Errorf("the demo ended with status %d:\n%s\n%s", status, out.String(), said.String())
		}
	})
	var e endpoints
	for {
		select {
		case status := <-ended:
			ended <- status
			t.Fatalf("the demo ended by itself with status %d:\n%s", status, said.String())
		case <-time.After(50 * time.Millisecond):
		}
		if e.Web == "" {
			if text, err := os.ReadFile(file); err == nil {
				if err := json.Unmarshal(text, &e); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		if response, err := http.Get(e.Web + "/readyz"); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return e
			}
		}
	}
}

func ask(t *testing.T, address, query string) string {
	t.Helper()
	response, err := http.Post(address, "text/plain", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s\nanswers %s: %s (%v)", query, response.Status, answer, err)
	}
	return string(answer)
}
