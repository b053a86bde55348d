package verify

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	different *prometheus.GaugeVec
	passes    *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	last      prometheus.Gauge
	lastFull  prometheus.Gauge
	lastClean prometheus.Gauge
	progress  prometheus.Gauge
	behind    prometheus.Gauge
	lag       prometheus.Gauge
	read      prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	m := &metrics{
		different: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "retorno_verify_different_rows", Help: "Rows on which the second count disagrees, by check, in the latest pass."}, []string{"check"}),
		passes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_verify_passes_total", Help: "Passes of the verifier, by result: agrees, differs, failed."}, []string{"result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "retorno_verify_pass_seconds", Help: "Time of one pass, by kind: full, incremental.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 14)}, []string{"kind"}),
		last:      gauge("retorno_verify_last_pass_timestamp_seconds", "When the latest complete pass ended, whichever process made it; seconds since 1970."),
		lastFull:  gauge("retorno_verify_last_full_pass_timestamp_seconds", "When the latest complete full pass ended, whichever process made it; seconds since 1970."),
		lastClean: gauge("retorno_verify_last_clean_full_pass_timestamp_seconds", "When the latest full pass began that found no difference, whichever process made it; seconds since 1970."),
		progress:  gauge("retorno_verify_progress_ratio", "How much of the full pass under way is done, from 0 to 1; 1 while none is."),
		behind:    gauge("retorno_verify_behind_records", "Records that the logs held at the begin of the latest pass and the ledger did not account for."),
		lag:       gauge("retorno_verify_lag_records", "Records that the ledger accounts for and no pass has compared with the log yet, as of the latest pass."),
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_verify_records_read_total", Help: "Records that the verifier has read from Kafka."}),
	}
	for _, check := range checkNames() {
		m.different.WithLabelValues(check)
	}
	for _, result := range []string{"agrees", "differs", "failed"} {
		m.passes.WithLabelValues(result)
	}
	for _, kind := range []string{"full", "incremental"} {
		m.seconds.WithLabelValues(kind)
	}
	m.progress.Set(1)
	if r != nil {
		r.MustRegister(m.different, m.passes, m.seconds, m.last, m.lastFull, m.lastClean, m.progress, m.behind, m.lag, m.read)
	}
	return m
}

// recall sets the times that earlier processes have left, those that are not zero.
func (m *metrics) recall(last, lastFull, clean time.Time) {
	for gauge, at := range map[prometheus.Gauge]time.Time{m.last: last, m.lastFull: lastFull, m.lastClean: clean} {
		if at.Unix() > 0 {
			gauge.Set(float64(at.UnixMilli()) / 1000)
		}
	}
}
