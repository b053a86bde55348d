package ops

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// A stranger learns whether the process is ready and nothing else, and asks the checks once a second at most.
func TestPublicReadiness(t *testing.T) {
	s := New(NewRegistry("test", "test"))
	asked := 0
	var why error
	s.Ready("db at 10.1.2.3:9000", func(context.Context) error { asked++; return why })
	mux := http.NewServeMux()
	s.RegisterPublic(mux)
	for range 10 {
		if code, body := get(mux, "/readyz", "application/json"); code != 200 || body != "ok\n" {
			t.Errorf("%d %q", code, body)
		}
	}
	if asked != 1 {
		t.Errorf("the check was asked %d times", asked)
	}
	for _, path := range []string{"/metrics", "/healthz"} {
		if code, _ := get(mux, path, ""); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
	}
	why = errors.New("dial tcp 10.1.2.3:9000: connection refused")
	other := http.NewServeMux()
	s.RegisterPublic(other)
	if code, body := get(other, "/readyz?format=json", ""); code != 503 || body != "not ready\n" {
		t.Errorf("%d %q", code, body)
	}
}

// serveFor runs an HTTP part until the test ends.
func serveFor(t *testing.T, ln net.Listener, h http.Handler, p patience) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, slog.New(slog.DiscardHandler), []Part{httpPart("web", ln, h, p)})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// A client that sends or reads too slowly, or does nothing, loses the connection, and the handler is not held.
func TestSlowClientsLoseTheirConnection(t *testing.T) {
	held := make(chan error, 4)
	ln := listen(t)
	serveFor(t, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, err := io.Copy(io.Discard, r.Body)
			held <- err
			return
		}
		piece := make([]byte, 1<<20)
		for {
			if _, err := w.Write(piece); err != nil {
				held <- err
				return
			}
		}
	}), patience{header: 50 * time.Millisecond, read: 50 * time.Millisecond, write: 50 * time.Millisecond, idle: 50 * time.Millisecond})
	for name, says := range map[string]string{
		"says nothing": "", "half a header": "GET / HTTP/1.1\r\nHost: x\r\nX: ", "never reads": "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"half a body": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
	} {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, says); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(says, "\r\n\r\n") || strings.Contains(says, "abc") {
			if err := <-held; err == nil {
				t.Errorf("%s: the handler came to its end", name)
			}
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		_ = c.Close() // the copy came to its end: the server had closed it
	}
	huge, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer huge.Close()
	go func() { _, _ = io.WriteString(huge, "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 1<<20)) }()
	if line, err := bufio.NewReader(huge).ReadString('\n'); err == nil && !strings.Contains(line, "431") && !strings.Contains(line, "408") {
		t.Errorf("a header of 1 MiB: %q", line)
	}
}

// Of connections and of requests there are no more at once than the limits say; what is more is refused and counted.
func TestLimitsOfTheWeb(t *testing.T) {
	registry := prometheus.NewRegistry()
	at, on := make(chan struct{}), make(chan struct{})
	ln, h := Limited(listen(t), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		at <- struct{}{}
		<-on
	}), Limits{Connections: 4, Requests: 2}, registry)
	serveFor(t, ln, h, ordinary)
	url := "http://" + ln.Addr().String()
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	answers := make(chan int, 2)
	for range 2 {
		go func() {
			r, err := client.Get(url)
			if err != nil {
				answers <- 0
				return
			}
			_ = r.Body.Close()
			answers <- r.StatusCode
		}()
		<-at
	}
	r, err := client.Get(url)
	if err != nil || r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Fatalf("a third request: %v %v", r, err)
	}
	_ = r.Body.Close()
	var open []net.Conn
	for range 6 { // two are taken by the requests
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	if n, err := open[5].Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection too much is answered: %d %v", n, err)
	}
	close(on)
	for range 2 {
		if status := <-answers; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if n := testutil.CollectAndCount(ln.(*limitedListener).refused); n != 3 {
		t.Errorf("%d limits have a series from the start", n)
	}
	refused := ln.(*limitedListener).refused
	for limit, least := range map[string]float64{"connections": 1, "requests": 1, "address": 0} {
		if n := testutil.ToFloat64(refused.WithLabelValues(limit)); n < least || limit == "address" && n != 0 {
			t.Errorf("%s: %v refused", limit, n)
		}
	}
}

// One address has its own limit, but for a loopback one, and an IPv6 network is one client.
func TestOneAddressTakesNotAll(t *testing.T) {
	ln, _ := Limited(httptest.NewUnstartedServer(nil).Listener, nil, Limits{Connections: 10, Address: 2}, prometheus.NewRegistry())
	l := ln.(*limitedListener)
	defer l.Close()
	for i, c := range []struct{ from, limit string }{
		{"10.0.0.1:1", ""}, {"10.0.0.1:2", ""}, {"10.0.0.1:3", "address"}, {"[2001:db8::1]:1", ""}, {"[2001:db8::2]:1", ""}, {"[2001:db8::3]:1", "address"}, {"[2001:db8:0:1::3]:1", ""},
		{"127.0.0.1:1", ""}, {"127.0.0.1:2", ""}, {"127.0.0.1:3", ""}, {"[::ffff:10.0.0.1]:4", "address"}, {"10.0.0.2:1", ""}, {"10.0.0.2:2", ""}, {"10.0.0.3:1", "connections"},
	} {
		if limit := l.enter(addressOf(fakeConn{from: c.from})); limit != c.limit {
			t.Errorf("%d, %s: %q, want %q", i, c.from, limit, c.limit)
		}
	}
	l.leave(addressOf(fakeConn{from: "10.0.0.1:1"}))
	if limit := l.enter(addressOf(fakeConn{from: "10.0.0.1:9"})); limit != "" {
		t.Errorf("a place that was given back: %s", limit)
	}
}

type fakeConn struct {
	net.Conn
	from string
}

func (c fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.from))
}
