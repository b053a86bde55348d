package brokersuite

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/stream"
	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
)

// apache is the one server that all tests share, with a proxy before it.
var apache struct {
	once   sync.Once
	server *apachekafka.Server
	proxy  *proxy
	err    error
}

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		fmt.Fprintln(os.Stderr, child(what))
		os.Exit(1)
	}
	code := m.Run()
	if apache.server != nil {
		if err := apache.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// backend is a broker under test.
type backend struct {
	name    string
	brokers []string // direct
	proxy   *proxy   // brokers behind it are reached at proxy.addr()
	admin   *admin
	// embedded is set on the embedded broker only.
	embedded *fakekafka.Broker
	// restart ends the broker and starts it again; hard is without warning.
	restart func(t *testing.T, hard bool)
}

// onBoth runs a test on the embedded broker and on Apache Kafka, side by side.
func onBoth(t *testing.T, test func(t *testing.T, b *backend)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, embeddedBackend(t)) })
	t.Run("apache", func(t *testing.T) { t.Parallel(); test(t, apacheBackend(t)) })
}

func embeddedBackend(t testing.TB) *backend {
	t.Helper()
	cfg := fakekafka.Config{Dir: t.TempDir()}
	start := func() *fakekafka.Broker {
		b, err := fakekafka.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	running := start()
	cfg.Addr = running.Addr()
	b := &backend{name: "embedded", brokers: []string{cfg.Addr}, embedded: running}
	b.restart = func(t *testing.T, _ bool) {
		if err := b.embedded.Stop(); err != nil {
			t.Fatal(err)
		}
		b.embedded = start()
	}
	t.Cleanup(func() {
		if err := b.embedded.Stop(); err != nil {
			t.Error(err)
		}
	})
	b.admin = newAdmin(t, b.brokers)
	return b
}

// proxied returns the broker with a proxy that its clients cannot avoid.
func proxied(t *testing.T, name string) *backend {
	t.Helper()
	if name == "apache" {
		b := apacheBackend(t)
		b.brokers = []string{b.proxy.addr()}
		return b
	}
	p := newProxy(t)
	broker, err := fakekafka.Start(fakekafka.Config{Advertise: p.addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Stop(); p.close() })
	p.target(broker.Addr())
	b := &backend{name: name, brokers: []string{p.addr()}, proxy: p, embedded: broker}
	b.admin = newAdmin(t, b.brokers)
	return b
}

// onBothProxied is onBoth through a proxy.
func onBothProxied(t *testing.T, test func(t *testing.T, b *backend)) {
	for _, name := range []string{"embedded", "apache"} {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, proxied(t, name)) })
	}
}

func apacheBackend(t testing.TB) *backend {
	t.Helper()
	apache.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		apache.proxy = newProxy(t)
		apache.server, apache.err = apachekafka.Start(ctx, apachekafka.Config{Advertise: apache.proxy.addr()})
		if apache.err == nil {
			apache.proxy.target(apache.server.Behind())
		}
	})
	if apache.err != nil {
		t.Fatal(apache.err)
	}
	b := &backend{name: "apache", brokers: []string{apache.server.Addr()}, proxy: apache.proxy}
	b.restart = func(t *testing.T, hard bool) {
		if hard {
			apache.server.Kill()
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := apache.server.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { apache.proxy.hook(nil) })
	b.admin = newAdmin(t, b.brokers)
	return b
}

// patience is how long anything may take before a test takes it to hang; a busy machine is slow, not wrong.
const patience = 5 * time.Minute

var names atomic.Int64

// unique returns a name that no other test uses.
func unique(t testing.TB, what string) string {
	clean := strings.NewReplacer("/", ".", "#", "-").Replace(t.Name())
	return fmt.Sprintf("%s.%s.%d", clean, what, names.Add(1))
}

// topics makes n co-partitioned topics.
func (b *backend) topics(t testing.TB, n, partitions int) []string {
	t.Helper()
	var out []string
	for range n {
		name := unique(t, "topic")
		b.admin.create(t, name, partitions, map[string]string{"message.timestamp.type": "LogAppendTime"})
		out = append(out, name)
	}
	return out
}

func (b *backend) writer(t testing.TB, partitions int) *producer.Writer {
	t.Helper()
	w, err := producer.New(producer.Config{
		Brokers: b.brokers, Partitions: partitions, RequestTimeout: 30 * time.Second,
		MinBackoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond, TopicGrace: 30 * time.Second, Logger: testLog(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// streamConfig is quick to look, and slow to take silence for a fault: a busy machine is silent for a while. A test of a
// fault that only silence shows sets a time of its own.
func (b *backend) streamConfig(t testing.TB, topics []string, partitions int) stream.Config {
	return stream.Config{
		Brokers: b.brokers, Group: unique(t, "group"), Topics: topics, Partitions: partitions,
		SessionTimeout: 30 * time.Second, RebalanceTimeout: 30 * time.Second, JoinBackoff: 100 * time.Millisecond,
		MaxWait: 100 * time.Millisecond, RequestTimeout: 30 * time.Second, MinBackoff: 20 * time.Millisecond,
		MaxBackoff: 200 * time.Millisecond, StallTimeout: 30 * time.Second, TopicGrace: 30 * time.Second,
		CheckEvery: 100 * time.Millisecond, StopRetry: 100 * time.Millisecond,
		Registerer: prometheus.NewRegistry(), Logger: testLog(t),
	}
}

// facts are n messages over the topics with 50 keys, told apart by value.
func facts(topics []string, from, n int) []producer.Message {
	msgs := make([]producer.Message, n)
	for i := range msgs {
		id := from + i
		msgs[i] = producer.Message{
			Topic: topics[id%len(topics)],
			Key:   fmt.Appendf(nil, "person-%d", id%50),
			Value: fmt.Appendf(nil, "fact-%d-%0100d", id, id),
		}
	}
	return msgs
}

func (b *backend) write(t testing.TB, partitions int, msgs []producer.Message) {
	t.Helper()
	if err := b.writer(t, partitions).Write(limited(t), msgs...); err != nil {
		t.Fatal(err)
	}
}

// limited is the test's context with a bound on how long anything may take.
func limited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits for a condition.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// holds fails as soon as cond does not hold, for d.
func holds(t testing.TB, d time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(d)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if !cond() {
			t.Fatalf("no longer true: %s", what)
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return
		}
	}
}

// metric sums a family's values over all labels that contain every want.
func metric(t testing.TB, r prometheus.Gatherer, name string, want ...string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			if slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(labels, w) }) {
				continue
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// testLog shows what happened when a test fails.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	// A goroutine of a client may speak after the test has ended.
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSuffix(string(p), "\n"))
	}
	return len(p), nil
}

// clusterBackend is an embedded broker of several nodes.
func clusterBackend(t testing.TB, nodes int) *backend {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Stop() })
	b := &backend{name: "embedded", brokers: []string{broker.Addr()}, embedded: broker}
	b.admin = newAdmin(t, b.brokers)
	return b
}
