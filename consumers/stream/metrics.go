package stream

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the consumer's figures. Without a registerer they are kept and
// never shown. Labels are the configured topics, partition numbers and fixed
// lists of causes.
type metrics struct {
	lag        *prometheus.GaugeVec
	messages   *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	prefetched prometheus.Gauge
	rebalances prometheus.Counter
	assigned   prometheus.Gauge
	stalls     *prometheus.CounterVec
	corrupt    *prometheus.CounterVec
	retries    *prometheus.CounterVec
	commits    *prometheus.CounterVec
	stopped    *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		lag:        gauge("retorno_stream_lag_messages", "Messages in the log that have not been handed out yet.", "topic", "partition"),
		messages:   counter("retorno_stream_fetched_messages_total", "Messages fetched and found whole.", "topic"),
		bytes:      counter("retorno_stream_fetched_bytes_total", "Bytes of keys, values and headers fetched, decompressed.", "topic"),
		prefetched: prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_stream_prefetched_bytes", Help: "Bytes fetched and not yet handed out."}),
		rebalances: prometheus.NewCounter(prometheus.CounterOpts{Name: "retorno_stream_rebalances_total", Help: "Generations of the group that this member has seen."}),
		assigned:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_stream_assigned_shards", Help: "Shards that this member works on."}),
		stalls:     counter("retorno_stream_stalls_total", "Times that fetching made no progress although there was more to read.", "topic"),
		corrupt:    counter("retorno_stream_corrupt_responses_total", "Answers refused because of a checksum or a malformed batch, and fetched again.", "topic"),
		retries:    counter("retorno_stream_retries_total", "Attempts repeated, by cause: join, fetch, topic_missing, noncontiguous, offset or run.", "cause"),
		commits:    counter("retorno_stream_commits_total", "Commits of offsets to the group, by result: ok or failed. Failed ones do no harm.", "result"),
		stopped:    gauge("retorno_stream_stopped", "1 for a shard that has stopped and waits for a decision, by reason.", "partition", "reason"),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.lag, m.messages, m.bytes, m.prefetched, m.rebalances, m.assigned, m.stalls,
		m.corrupt, m.retries, m.commits, m.stopped} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// stop shows a shard as stopped for exactly one reason.
func (m *metrics) stop(partition int, reason string) {
	m.unstop(partition)
	m.stopped.WithLabelValues(strconv.Itoa(partition), reason).Set(1)
}

func (m *metrics) unstop(partition int) {
	m.stopped.DeletePartialMatch(prometheus.Labels{"partition": strconv.Itoa(partition)})
}

// forget drops the figures of a shard that belongs to somebody else now.
func (m *metrics) forget(partition int) {
	m.unstop(partition)
	m.lag.DeletePartialMatch(prometheus.Labels{"partition": strconv.Itoa(partition)})
}
