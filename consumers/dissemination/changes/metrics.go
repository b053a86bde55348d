package changes

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	open    prometheus.Gauge
	refused prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) metrics {
	m := metrics{
		open:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "retorno_change_streams", Help: "Readers that follow /changes/stream."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "retorno_change_streams_refused_total", Help: "Readers of /changes/stream that were refused because there were too many at once."}),
	}
	if registerer != nil {
		registerer.MustRegister(m.open, m.refused)
	}
	return m
}
