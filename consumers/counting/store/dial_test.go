package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/tlstest"
)

// trusting is the TLS settings of a client, read from files each time.
func trusting(ca, cert, key, name string) func() (*tls.Config, error) {
	return func() (*tls.Config, error) {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		c := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: name}
		c.RootCAs.AppendCertsFromPEM(pem)
		if cert != "" {
			pair, err := tls.LoadX509KeyPair(cert, key)
			if err != nil {
				return nil, err
			}
			c.Certificates = []tls.Certificate{pair}
		}
		return c, nil
	}
}

// A server that is not the one that was meant, or does not want us, is refused in words that name what to change, and what
// speaks something else is recognised.
func TestWhatCannotBeUsedIsNamed(t *testing.T) {
	ours, others := tlstest.NewAuthority(t, "ours"), tlstest.NewAuthority(t, "others")
	pair := func(a *tlstest.Authority, name string, end time.Time) func() (string, string) {
		cert, key := a.Pair(t, name, end)
		return func() (string, string) { return cert, key }
	}
	later := time.Now().Add(time.Hour)
	good := pair(ours, "127.0.0.1", later)
	cert, key := ours.Pair(t, "consumer", later)
	strange, strangeKey := others.Pair(t, "consumer", later)
	old, oldKey := ours.Pair(t, "consumer", time.Now().Add(-time.Minute))
	plain := engine.Native()
	secure, mutual := tlstest.Encrypted(t, plain, good, nil), tlstest.Encrypted(t, plain, good, ours)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	secureWeb := httptest.NewTLSServer(http.NotFoundHandler())
	defer secureWeb.Close()
	host := func(url string) string { return url[strings.LastIndex(url, "/")+1:] }
	for _, c := range []struct {
		name, addr string
		tls        func() (*tls.Config, error)
		says       string // "" = it answers
	}{
		{"plain", plain, nil, ""},
		{"TLS", secure, trusting(ours.File, "", "", ""), ""},
		{"TLS of both", mutual, trusting(ours.File, cert, key, ""), ""},
		{"the name of the certificate", tlstest.Encrypted(t, plain, pair(ours, "db.example", later), nil), trusting(ours.File, "", "", "db.example"), ""},
		{"wrong authority", secure, trusting(others.File, "", "", ""), "--clickhouse-ca-file"},
		{"wrong name", tlstest.Encrypted(t, plain, pair(ours, "db.example", later), nil), trusting(ours.File, "", "", ""), "--clickhouse-server-name"},
		{"expired", tlstest.Encrypted(t, plain, pair(ours, "127.0.0.1", time.Now().Add(-time.Minute)), nil), trusting(ours.File, "", "", ""), "not valid now"},
		{"no client certificate", mutual, trusting(ours.File, "", "", ""), "wants a client certificate"},
		{"client certificate of another authority", mutual, trusting(ours.File, strange, strangeKey, ""), "client certificate"},
		{"client certificate that has expired", mutual, trusting(ours.File, old, oldKey, ""), "does not accept the client certificate"},
		{"TLS to a plain port", plain, trusting(ours.File, "", "", ""), "speaks no TLS"},
		{"plain to a TLS port", secure, nil, "speaks TLS"},
		{"plain to a TLS port of both", mutual, nil, "speaks TLS"},
		{"ClickHouse's HTTP port", engine.HTTP(), nil, "HTTP port"},
		{"a web page", host(web.URL), nil, "a web server answers"},
		{"a web page with TLS", host(secureWeb.URL), nil, "speaks TLS"},
	} {
		s, err := Open(Config{Addr: c.addr, TLS: c.tls, QueryTimeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		bulk := bulk{store: s}
		err = s.Ping(t.Context())
		if c.says == "" {
			if err != nil || bulk.do(t.Context(), selectOne()) != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		} else {
			var misuse *MisuseError
			why := s.Misused(t.Context(), err)
			if err == nil || !errors.As(why, &misuse) || !strings.Contains(why.Error(), c.says) || !strings.Contains(why.Error(), c.addr) {
				t.Errorf("%s: %v: %v, want what says %q", c.name, err, why, c.says)
			}
			if err := bulk.do(t.Context(), selectOne()); err == nil {
				t.Errorf("%s: a bulk connection is made", c.name)
			}
		}
		bulk.close()
		_ = s.Close()
	}
}

// A server that is only slow or not there yet is no misuse.
func TestWhoMayStillComeIsWaitedFor(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, addr := range []string{"127.0.0.1:1", silent.Addr().String()} {
		s, err := Open(Config{Addr: addr})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err = s.Ping(ctx)
		cancel()
		if why := s.Misused(t.Context(), err); err == nil || why != nil {
			t.Errorf("%s: %v: %v", addr, err, why)
		}
		_ = s.Close()
	}
}

// A password and certificates that change while a process writes cost nothing: the next connection reads them again, and
// refusals in between are waited out.
func TestSecretsAreReadAgain(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "password")
	set := func(password string) {
		if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("first")
	var native string
	start := func(password string) *embedded.Engine {
		e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: data, Password: password, Native: native, Log: t.Output()})
		if err != nil {
			t.Fatal(err)
		}
		native = e.Native()
		return e
	}
	stop := func(e *embedded.Engine) {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
	e := start("first")
	defer func() { stop(e) }()
	first, second := tlstest.NewAuthority(t, "first"), tlstest.NewAuthority(t, "second")
	var now atomic.Pointer[[3]string] // the authority and the server's certificate and key
	swap := func(a *tlstest.Authority) {
		cert, key := a.Pair(t, "127.0.0.1", time.Now().Add(time.Hour))
		now.Store(&[3]string{a.File, cert, key})
	}
	swap(first)
	addr := tlstest.Encrypted(t, native, func() (string, string) { return now.Load()[1], now.Load()[2] }, nil)
	ca := filepath.Join(dir, "ca.pem")
	link := func(path string) {
		pem, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(ca, pem, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	link(first.File)
	s, err := Open(Config{Addr: addr, RetryFirst: time.Millisecond, RetryMost: 20 * time.Millisecond, TLS: trusting(ca, "", "", ""),
		Password: func() (string, error) { b, err := os.ReadFile(file); return string(b), err }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := claimed(t, s, 0)
	write(t, c, 1, 0, 10)

	stop(e)
	e = start("second") // every connection is gone, and the password that we know is refused
	swap(second)
	written := make(chan error, 1)
	go func() {
		err := c.Write(t.Context(), flushOf(c, 2, 10, 20), map[string]int64{"t": 20})
		if IsFenced(err) { // ClickHouse was started again, so the partition is taken over
			var again *Claim
			if again, err = s.Claim(t.Context(), 0, t.Name()); err == nil {
				err = again.Write(t.Context(), flushOf(again, 2, 10, 20), map[string]int64{"t": 20})
				again.Close()
			}
		}
		written <- err
	}()
	awaitRefusals(t, s, 3)
	set("second")
	awaitRefusals(t, s, 3) // of the authority, still
	link(second.File)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	stands(t, s, 2, 20)
}

// awaitRefusals waits until the writer has tried in vain so many times more.
func awaitRefusals(t *testing.T, s *Store, n float64) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for until := retries(s) + n; retries(s) < until; {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the writer does not try again")
		}
	}
}

// Errors are of the kind that says what to do: rights name what to grant, a table that is read-only for a while is waited
// for, a lack of memory splits, and what is not known is tried again.
func TestKindsOfErrors(t *testing.T) {
	for code, want := range map[int32]struct {
		stop  bool
		grant string
	}{
		164: {true, "readonly = 0"}, 452: {true, "settings profile"}, 497: {true, "roles.sql"}, 516: {true, "password"},
		242: {false, ""}, 241: {false, ""}, 252: {false, ""}, 201: {false, ""}, 1002: {false, ""}, 999999: {false, ""}, 60: {true, ""},
	} {
		err := classify("write", exception(code))
		if IsStop(err) != want.stop || RightsMissing(err) != (want.grant != "") {
			t.Errorf("code %d: %v", code, err)
		}
		if want.grant != "" && !strings.Contains(err.Error(), want.grant) {
			t.Errorf("code %d does not say %q: %v", code, want.grant, err)
		}
	}
	if !tooLarge(exception(241)) || tooLarge(exception(242)) {
		t.Error("a lack of memory is not told from a table that is read-only")
	}
}

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{"26.5.1.1": false, "25.8.2.29": false, "25.10.1": false, "25.7.9.1": true, "24.12.1": true, "9.1": true, "unknown": false} {
		if TooOld(version) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}

func selectOne() ch.Query { return ch.Query{Body: "SELECT 1", Result: (&proto.Results{}).Auto()} }

func exception(code int32) error { return &clickhouse.Exception{Code: code, Message: "refused"} }

func retries(s *Store) float64 { return testutil.ToFloat64(s.metrics.retries) }
