package brokersuite

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/producers/producer"
)

// The three clients share a registry, count what passes, and name it as
// Prometheus wants names to be.
func TestMetricsCountWhatPasses(t *testing.T) {
	b := embeddedBackend(t)
	b.ensure(t)
	reg := prometheus.NewRegistry()
	w, err := producer.New(producer.Config{Brokers: b.brokers, Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	b.embedded.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 1})
	topics := []string{producer.TopicCheckpoint, producer.TopicCentre}
	all := facts(topics, 0, 100)
	if err := w.Write(limited(t), all...); err != nil {
		t.Fatal(err)
	}
	b.embedded.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.PolicyViolation, Count: 1})
	if err := w.Write(limited(t), facts(topics[:1], 0, 1)...); !producer.IsStop(err) {
		t.Fatal(err)
	}
	letters := b.letters(t)
	letters.Registerer = reg
	cfg := b.streamConfig(t, topics, 4)
	cfg.Registerer = reg
	var set atomic.Int64
	join(t, cfg, aside(b.letterWriter(t, letters), &set))
	until(t, "all are set aside", func() bool { return set.Load() == int64(len(all)) })
	for name, want := range map[string]float64{
		"retorno_publish_messages_total":        100,
		"retorno_publish_stops_total":           1,
		"retorno_publish_retries_total":         1,
		"retorno_stream_fetched_messages_total": 100,
		"retorno_stream_assigned_shards":        4,
		"retorno_stream_rebalances_total":       1,
		"retorno_stream_lag_messages":           0,
		"retorno_stream_prefetched_bytes":       0,
		"retorno_deadletter_written_total":      100,
	} {
		if got := metric(t, reg, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "retorno_") || f.GetHelp() == "" {
			t.Errorf("%s: %q", f.GetName(), f.GetHelp())
		}
	}
}
