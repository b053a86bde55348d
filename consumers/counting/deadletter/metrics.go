package deadletter

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/events"
)

// metrics are the writer's figures. Without a registerer they are kept and
// never shown.
type metrics struct {
	letters  *prometheus.CounterVec
	retries  prometheus.Counter
	redriven prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		letters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_deadletter_written_total",
			Help: "Messages set aside and acknowledged by the dead-letter topic, by reason code. The label code is the same.",
		}, []string{"reason", "code"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_deadletter_retries_total",
			Help: "Attempts to write letters that failed; meanwhile their shard waits.",
		}),
		redriven: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_deadletter_redriven_total",
			Help: "Letters whose message was sent to its topic again.",
		}),
	}
	for _, code := range events.Codes() {
		m.letters.WithLabelValues(code, code)
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.letters, m.retries, m.redriven} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	return m, nil
}

// written counts a letter. Codes come from a fixed list of the program.
func (m *metrics) written(code string) { m.letters.WithLabelValues(code, code).Inc() }
