package httpserver_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
)

// engine serves all tests of the package; each uses tables of its own names.
var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

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
