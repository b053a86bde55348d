package ops

import (
	"context"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry makes the metrics registry of a process: Go runtime, process, and which build this is. role is its command.
func NewRegistry(version, role string) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "retorno_build_info",
		Help:        "Always 1; which build of the program this process is, and which command.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version(), "role": role},
	})
	build.Set(1)
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		build,
		memoryLimit(),
	)
	return registry
}

var (
	readyDesc   = prometheus.NewDesc("retorno_ready", "1 while the check of /readyz passes, 0 while it does not or gives no answer within 2 s.", []string{"check"}, nil)
	healthyDesc = prometheus.NewDesc("retorno_healthy", "1 while the check of /healthz passes, 0 while it does not or gives no answer within 2 s.", []string{"check"}, nil)
)

// Verdicts are the metrics of the checks; New registers them.
func (s *Server) Verdicts() prometheus.Collector { return verdicts{s} }

// verdicts shows at each scrape what /readyz and /healthz would answer.
type verdicts struct{ server *Server }

// Describe is of prometheus.Collector.
func (verdicts) Describe(out chan<- *prometheus.Desc) {
	out <- readyDesc
	out <- healthyDesc
}

// Collect is of prometheus.Collector.
func (v verdicts) Collect(out chan<- prometheus.Metric) {
	healthy := v.server.checks(&v.server.health)
	report := judge(context.Background(), append(v.server.checks(&v.server.ready), healthy...)) // side by side: 2 s in all
	for i, verdict := range report.Checks {
		desc, value := readyDesc, 0.0
		if i >= len(report.Checks)-len(healthy) {
			desc = healthyDesc
		}
		if verdict.OK {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, verdict.Name)
	}
}
