package torture

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"
)

// alone is a run of one consumer process, of which a test makes the steps itself.
type alone struct {
	*run
	c   *consumer
	log logged
}

// logged keeps what the processes say.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) has(pattern string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return regexp.MustCompile(pattern).Match(l.text.Bytes())
}

// newAlone starts a machine whose one consumer gets flags at its first start only.
func newAlone(t *testing.T, flags ...string) *alone {
	t.Helper()
	a := &alone{}
	cfg := Config{Seed: 35, For: time.Second, Rate: 4000, Consumers: 1, Dir: t.TempDir(), Environ: []string{"RETORNO_TEST_CONSUMER=1"},
		Log: &a.log, Out: t.Output()}.withDefaults()
	made, err := makeLoad(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.run = &run{cfg: cfg, made: made, report: newReport(cfg, made), began: time.Now()}
	if a.machine, err = startMachine(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.machine.close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(a.log.text.String())
		}
	})
	a.c = a.machine.newConsumer("the consumer")
	a.c.flags = flags
	a.machine.consumers = append(a.machine.consumers, a.c)
	a.c.start()
	return a
}

// until waits for what must happen.
func (a *alone) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	if err := waitFor(t.Context(), 5*time.Minute, cond); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// metric reads a metric of the process that runs now; 0 when it does not answer.
func (a *alone) metric(ctx context.Context, name string) float64 {
	if f := families(ctx, a.c.address())[name]; f != nil {
		return sum(f)
	}
	return 0
}

func (a *alone) started() int {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.starts
}

// isTrue waits until all is counted and asks the oracles.
func (a *alone) isTrue(t *testing.T) {
	t.Helper()
	if err := a.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.judge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !a.report.OK() {
		_ = a.report.Print(t.Output())
		t.Error("what came out is not the truth")
	}
}

// TestF35StalledGoroutine: a flush that hangs in the middle is counted for each partition that waits for it, fails
// /healthz, and is told with the place; the process ends with status 1, and the next one gets the right numbers.
func TestF35StalledGoroutine(t *testing.T) {
	a := newAlone(t, "--failpoint=stall@retorno.return_counts:1", "--stall-after=10s")
	if err := a.send(t.Context(), 0, a.made.Counts().Events); err != nil {
		t.Fatal(err)
	}
	a.until(t, "the metric", func() bool { return a.metric(t.Context(), "retorno_watchdog_stalls_total") >= 1 })
	if age := a.metric(t.Context(), "retorno_shard_beat_age_seconds"); age < 5 {
		t.Errorf("retorno_shard_beat_age_seconds is %v", age)
	}
	if status := healthz(t, a.c.address()); status != http.StatusServiceUnavailable {
		t.Errorf("/healthz answers %d", status)
	}
	a.until(t, "another process", func() bool { return a.started() > 1 })
	for _, pattern := range []string{`no sign of life" partition=\d .*failpoint\.hook.*failpoint\.go:\d+ < .*store\.\(\*lane\)\.insert lane\.go:\d+ < `,
		`partition \d hangs: no sign of life for 10s`, `ended: exit status 1`} {
		if !a.log.has(pattern) {
			t.Errorf("the log has no %s", pattern)
		}
	}
	a.isTrue(t)
}

func healthz(t *testing.T, addr string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
