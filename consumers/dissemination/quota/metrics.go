package quota

import "github.com/prometheus/client_golang/prometheus"

func newRefused(registerer prometheus.Registerer) *prometheus.CounterVec {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "retorno_http_limited_total",
		Help: "Questions that got 429 because one client had put too many in a minute, by budget (data, structures)."}, []string{"budget"})
	for _, b := range []Budget{Data, Structures} {
		refused.WithLabelValues(string(b))
	}
	registerer.MustRegister(refused)
	return refused
}
