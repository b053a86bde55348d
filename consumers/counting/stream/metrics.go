package stream

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the consumer's figures. Without a registerer they are kept and
// never shown. Labels are the configured topics, partition numbers and fixed
// lists of causes.
type metrics struct {
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
	skipped    *prometheus.CounterVec
	unassigned prometheus.Gauge
	lacking    *prometheus.GaugeVec
}

func newMetrics(r prometheus.Registerer, board *board, topics []string) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		messages:   counter("retorno_stream_fetched_messages_total", "Messages fetched and found whole.", "topic"),
		bytes:      counter("retorno_stream_fetched_bytes_total", "Bytes of keys, values and headers fetched, decompressed.", "topic"),
		prefetched: prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_stream_prefetched_bytes", Help: "Bytes of memory that hold what was fetched and not yet delivered."}),
		rebalances: prometheus.NewCounter(prometheus.CounterOpts{Name: "retorno_stream_rebalances_total", Help: "Generations of the group that this member has seen."}),
		assigned:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_stream_assigned_shards", Help: "Shards that this member works on."}),
		stalls:     counter("retorno_stream_stalls_total", "Times that fetching made no progress although there was more to read.", "topic"),
		corrupt:    counter("retorno_stream_corrupt_responses_total", "Answers refused because of a checksum or a malformed batch, and fetched again.", "topic"),
		retries:    counter("retorno_stream_retries_total", "Attempts repeated, by reason: "+strings.Join(retryReasons, ", ")+". The label cause is the same.", "reason", "cause"),
		commits:    counter("retorno_stream_commits_total", "Commits of offsets to the group, by result: ok or failed. Failed ones do no harm.", "result"),
		stopped: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "retorno_stream_stopped",
			Help: "1 for a shard that has stopped, by reason; 0 for every other reason of every partition of this member."}, []string{"partition", "reason"}),
		unassigned: prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_stream_unassigned_partitions",
			Help: "Partitions that no member of the group has, over all topics, as last seen."}),
		lacking: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "retorno_kafka_under_replicated_partitions",
			Help: "Partitions of a topic with fewer in-sync replicas than copies, as the brokers' metadata last said."}, []string{"topic"}),
		skipped: counter("retorno_stream_skipped_offsets_total", "Offsets that held no record: markers of transactions, and records of those that were aborted.", "topic"),
	}
	for _, t := range topics { // a series that begins with its first event is not seen to rise by it
		for _, c := range []*prometheus.CounterVec{m.messages, m.bytes, m.stalls, m.corrupt, m.skipped} {
			c.WithLabelValues(t)
		}
		m.lacking.WithLabelValues(t)
	}
	for _, reason := range retryReasons {
		m.retries.WithLabelValues(reason, reason)
	}
	for _, result := range []string{"ok", "failed"} {
		m.commits.WithLabelValues(result)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.messages, m.bytes, m.prefetched, m.rebalances, m.assigned, m.stalls,
		m.corrupt, m.retries, m.commits, m.stopped, m.skipped, m.unassigned, m.lacking, reading{board}} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// reading shows how reading goes at the moment of the scrape, for each topic and partition of this member.
type reading struct{ board *board }

var (
	perTopic   = []string{"topic", "partition"}
	descMember = prometheus.NewDesc("retorno_stream_member", "1 while this process is a member of the group, 0 while it is not.", nil, nil)
	descLag    = prometheus.NewDesc("retorno_stream_lag_messages",
		"Messages in the log that have not been delivered yet; NaN while the end of the log is not known.", perTopic, nil)
	descEnd     = prometheus.NewDesc("retorno_stream_log_end_offset", "The offset after the log's last, as last seen.", perTopic, nil)
	descStart   = prometheus.NewDesc("retorno_stream_log_start_offset", "The first offset that still exists, as last seen; -1: not known.", perTopic, nil)
	descEndAt   = prometheus.NewDesc("retorno_stream_log_end_timestamp_seconds", "When the end of the log was last seen; 0: not yet.", perTopic, nil)
	descFetched = prometheus.NewDesc("retorno_stream_last_fetch_timestamp_seconds",
		"When a fetch last got a good answer; 0: not yet. None is made while the consumer takes nothing.", perTopic, nil)
	descFailures = prometheus.NewDesc("retorno_stream_fetch_failures", "Fetches in a row that got no good answer.", perTopic, nil)
)

// Describe is of prometheus.Collector.
func (reading) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMember, descLag, descStart, descEnd, descEndAt, descFetched, descFailures} {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (r reading) Collect(out chan<- prometheus.Metric) {
	s := r.board.status()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	member := 0.0
	if s.Member {
		member = 1
	}
	gauge(descMember, member)
	for _, shard := range s.Shards {
		for _, t := range shard.Topics {
			labels := []string{t.Topic, strconv.Itoa(shard.Partition)}
			lag := math.NaN()
			if n, known := t.Lag(); known {
				lag = float64(n)
			}
			gauge(descLag, lag, labels...)
			gauge(descStart, float64(t.LogStart), labels...)
			gauge(descEnd, float64(t.lastEnd), labels...)
			gauge(descEndAt, seconds(t.EndAt), labels...)
			gauge(descFetched, seconds(t.FetchedAt), labels...)
			gauge(descFailures, float64(t.Failures), labels...)
		}
	}
}

// seconds is a time as Prometheus takes it; 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// Reasons for which an attempt is repeated.
const (
	retryJoin          = "join"
	retryFetch         = "fetch"
	retryTopicMissing  = "topic_missing"
	retryNoncontiguous = "noncontiguous"
	retryOffset        = "offset"
	retryRun           = "run"
)

var retryReasons = []string{retryJoin, retryFetch, retryTopicMissing, retryNoncontiguous, retryOffset, retryRun}

// retried counts an attempt that is repeated.
func (m *metrics) retried(reason string) { m.retries.WithLabelValues(reason, reason).Inc() }

// stop shows a shard as stopped for exactly one reason.
func (m *metrics) stop(partition int, reason string) {
	m.unstop(partition)
	m.stopped.WithLabelValues(strconv.Itoa(partition), reason).Set(1)
}

// unstop shows a shard as stopped for no reason.
func (m *metrics) unstop(partition int) {
	for _, reason := range reasons {
		m.stopped.WithLabelValues(strconv.Itoa(partition), reason).Set(0)
	}
}

// gone forgets a shard that this member has no more.
func (m *metrics) gone(partition int) {
	m.stopped.DeletePartialMatch(prometheus.Labels{"partition": strconv.Itoa(partition)})
}
