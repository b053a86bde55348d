package ops

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

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
	s := New(NewRegistry("test"))
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
	s := New(NewRegistry("test"))
	s.Healthy("consumer", func(context.Context) error { return errors.New("no progress for 5m0s") })
	if code, body := get(s.Handler(), "/healthz", ""); code != 503 || !strings.Contains(body, "no progress") {
		t.Errorf("%d %q", code, body)
	}
}

func TestProbeIsAnsweredWhileACheckHangsOrPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(NewRegistry("test"))
		s.Ready("hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		s.Ready("panics", func(context.Context) error { panic("nil map") })
		code, body := get(s.Handler(), "/readyz", "")
		if code != 503 || !strings.Contains(body, "not  hangs: ") || !strings.Contains(body, "not  panics: a bug") {
			t.Errorf("%d %q", code, body)
		}
	})
}

func TestMetricsNameTheBuild(t *testing.T) {
	registry := NewRegistry("v1.2.3")
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
	if err := Run(ctx, quiet, []Part{New(NewRegistry("test")).Part(listener), asked}); err != nil {
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
