package httpserver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"retorno/deploy/lab/embedded"
)

// engine serves all tests of the package; each uses tables of its own names.
var engine *embedded.Engine

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "httpserver-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if engine, err = embedded.StartEngine(context.Background(), embedded.EngineConfig{Dir: dir, Log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, "start the engine:", err)
		return 1
	}
	code := m.Run()
	if err := engine.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := engine.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stop the engine:", err)
		return 1
	}
	return code
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// client asks for no compression by itself.
var client = &http.Client{Transport: &http.Transport{DisableCompression: true}}

// ask sends a request. parameters are "name=value", header lines "Name: value".
func ask(t *testing.T, method, body string, more ...string) answer {
	t.Helper()
	values := url.Values{}
	header := http.Header{}
	for _, m := range more {
		if name, value, ok := strings.Cut(m, ": "); ok && !strings.Contains(name, "=") {
			header.Set(name, value)
		} else if name, value, ok := strings.Cut(m, "="); ok {
			values.Add(name, value)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+engine.HTTP()+"/?"+values.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	return do(t, r)
}

func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b), err}
}

// sql runs a statement that must succeed.
func sql(t *testing.T, statement string, more ...string) string {
	t.Helper()
	a := ask(t, http.MethodPost, statement, more...)
	if a.status != http.StatusOK || a.err != nil {
		t.Fatalf("%s: %d %s %v", statement, a.status, a.body, a.err)
	}
	return a.body
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain: " + what)
		}
	}
}
