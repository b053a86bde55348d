package heartbeats

import (
	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/agents"
)

type metrics struct {
	read, failures prometheus.Counter
	refused        *prometheus.CounterVec
	last           prometheus.Gauge
}

func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		read: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_heartbeats_read_total", Help: "Heartbeats of agents read; each start reads those that the topic holds once more."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_heartbeats_refused_total", Help: "Messages among the heartbeats that are none, by the field that is wrong; bytes: the message as a whole."}, []string{"field"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_heartbeats_failures_total", Help: "Attempts to take heartbeats in that Kafka or ClickHouse did not answer."}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "retorno_heartbeats_last_pass_timestamp_seconds", Help: "When the heartbeats were last read to their end and written; seconds since 1970."}),
	}
	for _, field := range agents.BeatFields() {
		m.refused.WithLabelValues(field)
	}
	if registerer != nil {
		registerer.MustRegister(m.read, m.refused, m.failures, m.last)
	}
	return m
}
