package ops

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func get(h http.Handler, path, accept string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestReadinessComesWithItsReasons(t *testing.T) {
	s := New(NewRegistry("test", "test"))
	var lag error
	s.Ready("kafka", func(context.Context) error { return nil })
	s.Ready("caught up", func(context.Context) error { return lag })
	if code, body := get(s.Handler(), "/readyz", ""); code != 200 || !strings.HasPrefix(body, "ok\n") {
		t.Errorf("ready: %d %q", code, body)
	}
	lag = errors.New("partition 3 of retorno.centre.v1 is 120 records behind")
	code, body := get(s.Handler(), "/readyz", "")
	if code != 503 || !strings.Contains(body, "not  caught up: partition 3 of retorno.centre.v1 is 120 records behind") {
		t.Errorf("not ready: %d %q", code, body)
	}
	if code, _ := get(s.Handler(), "/healthz", ""); code != 200 {
		t.Errorf("a process that is behind is still alive, got %d", code)
	}
	for _, ask := range [][2]string{{"/readyz", "application/json"}, {"/readyz?format=json", ""}} {
		code, body := get(s.Handler(), ask[0], ask[1])
		var report Report
		if err := json.Unmarshal([]byte(body), &report); err != nil || code != 503 {
			t.Fatalf("%v: %d %v %q", ask, code, err, body)
		}
		if report.OK || len(report.Checks) != 2 || !report.Checks[0].OK || report.Checks[1].Reason != lag.Error() {
			t.Errorf("%v: %+v", ask, report)
		}
	}
}

func TestUnhealthyAnswers503(t *testing.T) {
	s := New(NewRegistry("test", "test"))
	s.Healthy("consumer", func(context.Context) error { return errors.New("no progress for 5m0s") })
	if code, body := get(s.Handler(), "/healthz", ""); code != 503 || !strings.Contains(body, "no progress") {
		t.Errorf("%d %q", code, body)
	}
}

func TestProbeIsAnsweredWhileACheckHangsOrPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(NewRegistry("test", "test"))
		s.Ready("hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		s.Ready("panics", func(context.Context) error { panic("nil map") })
		code, body := get(s.Handler(), "/readyz", "")
		if code != 503 || !strings.Contains(body, "not  hangs: ") || !strings.Contains(body, "not  panics: a bug") {
			t.Errorf("%d %q", code, body)
		}
	})
}

func TestMetricsNameTheBuild(t *testing.T) {
	registry := NewRegistry("v1.2.3", "consume")
	_, body := get(New(registry).Handler(), "/metrics", "")
	for _, want := range []string{`version="v1.2.3"`, "go_goroutines", "process_start_time_seconds"} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	problems, err := testutil.GatherAndLint(registry, "retorno_build_info")
	if err != nil || len(problems) > 0 {
		t.Errorf("lint of retorno_build_info: %v %v", problems, err)
	}
}

// What the two paths would answer can be read as metrics, also while a check hangs.
func TestChecksAreMetrics(t *testing.T) {
	registry := NewRegistry("test", "test")
	s := New(registry)
	s.Ready("well", func(context.Context) error { return nil })
	s.Ready("ill", func(context.Context) error { return errors.New("away") })
	s.Healthy("well", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	const want = `# HELP retorno_healthy 1 while the check of /healthz passes, 0 while it does not or gives no answer within 2 s.
# TYPE retorno_healthy gauge
retorno_healthy{check="well"} 0
# HELP retorno_ready 1 while the check of /readyz passes, 0 while it does not or gives no answer within 2 s.
# TYPE retorno_ready gauge
retorno_ready{check="ill"} 0
retorno_ready{check="well"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "retorno_ready", "retorno_healthy"); err != nil {
		t.Error(err)
	}
}

// The limit of memory is the lowest that is known.
func TestLimitOfMemory(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	most := int64(math.MaxInt64)
	for _, c := range []struct {
		files []string
		own   int64
		want  float64
	}{
		{[]string{file("v2", "536870912\n")}, most, 536870912}, {[]string{file("none", "max\n")}, most, 0}, {[]string{file("v1", "9223372036854771712\n")}, most, 0},
		{[]string{filepath.Join(dir, "nowhere")}, 1000, 1000}, {[]string{file("more", "2000\n")}, 1000, 1000}, {nil, most, 0},
	} {
		if got := limitOf(c.files, c.own); got != c.want {
			t.Errorf("%v, %d: %v, want %v", c.files, c.own, got, c.want)
		}
	}
}

// The metric has the end of the authority that lasts longest and of the certificate that is shown, and 0 for what cannot be read.
func TestCertificatesEnd(t *testing.T) {
	old, now := time.Unix(2_000_000_000, 0), time.Unix(2_100_000_000, 0)
	dir := t.TempDir()
	files := Certificates{"kafka_ca": filepath.Join(dir, "ca"), "kafka_client": filepath.Join(dir, "client"), "clickhouse_ca": filepath.Join(dir, "none"), "clickhouse_client": ""}
	for name, text := range map[string][]byte{"ca": slices.Concat(certificate(t, old, true), certificate(t, now, true)), "client": slices.Concat(certificate(t, old, false), certificate(t, now, true))} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(files)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
	}
	if want := map[string]float64{"kafka_ca": 2_100_000_000, "kafka_client": 2_000_000_000, "clickhouse_ca": 0}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func certificate(t *testing.T, end time.Time, authority bool) []byte {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end, IsCA: authority, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, made, made, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func TestServerRunsAsAPart(t *testing.T) {
	listener, _, err := Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := Part{Name: "asker", Finite: true, Run: func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/healthz", listener.Addr()), nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		if err == nil && string(body) != "ok\n" {
			err = fmt.Errorf("got %q", body)
		}
		return err
	}}
	if err := Run(ctx, quiet, []Part{New(NewRegistry("test", "test")).Part(listener), asked}); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the port still answers after the process has ended")
	}
}

func TestTakenPortIsReplacedOnlyWhenAllowed(t *testing.T) {
	first, moved, err := Listen("127.0.0.1:0", false)
	if err != nil || moved {
		t.Fatal(moved, err)
	}
	defer func() { _ = first.Close() }()
	if _, _, err := Listen(first.Addr().String(), false); err == nil || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("a taken port: %v", err)
	}
	second, moved, err := Listen(first.Addr().String(), true)
	if err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	_ = second.Close()
	if _, _, err := Listen("no.such.host.invalid:80", true); err == nil {
		t.Error("an unusable host was accepted")
	}
}
