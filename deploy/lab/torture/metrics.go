package torture

import (
	"context"
	"net/http"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// seen are the metrics that show the faults, in the order of the report.
var seen = []string{
	"retorno_repaired_rows_total", "retorno_fenced_total", "retorno_store_retries_total", "retorno_stream_rebalances_total",
	"retorno_stream_retries_total", "retorno_stream_corrupt_responses_total", "retorno_stream_commits_total", "retorno_stream_stalls_total",
	"retorno_deadletter_retries_total", "retorno_rejections_total", "retorno_conflicts_total", "retorno_future_records_total",
	"retorno_watchdog_stalls_total", "retorno_publish_retries_total", "retorno_verify_passes_total",
}

// watch scrapes the consumers until ctx ends. A process that is killed between two scrapes takes its last counts along.
func (m *machine) watch(ctx context.Context, r *Report) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := map[string]map[string]float64{} // by address: what its process has counted
		for pause(ctx, 500*time.Millisecond) == nil {
			for _, c := range m.all() {
				if addr := c.address(); addr != "" {
					if now := scrape(ctx, addr); now != nil {
						last[addr] = now
					}
				}
			}
		}
		for _, counts := range last {
			for name, v := range counts {
				r.Seen[name] += v
			}
		}
		if families, err := r.producer.Gather(); err == nil {
			for _, f := range families {
				r.Seen[f.GetName()] += sum(f)
			}
		}
		for _, c := range m.all() {
			c.mu.Lock()
			r.Starts += c.starts
			c.mu.Unlock()
		}
	}()
	return done
}

// scrape reads what a process has counted; nil when it does not answer: it is starting, stopped or gone.
func scrape(ctx context.Context, addr string) map[string]float64 {
	families := families(ctx, addr)
	if families == nil {
		return nil
	}
	counts := map[string]float64{}
	for _, name := range seen {
		if f := families[name]; f != nil {
			counts[name] = sum(f)
		}
	}
	return counts
}

// stoppedFor reports whether a process shows a partition as stopped for a reason.
func stoppedFor(ctx context.Context, addr string, partition int, reason string) bool {
	for _, m := range families(ctx, addr)["retorno_stream_stopped"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["partition"] == strconv.Itoa(partition) && labels["reason"] == reason && m.GetGauge().GetValue() == 1 {
			return true
		}
	}
	return false
}

func families(ctx context.Context, addr string) map[string]*dto.MetricFamily {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/metrics", nil)
	if err != nil {
		return nil
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil
	}
	return families
}

// sum adds up a family of counters and gauges over its labels.
func sum(f *dto.MetricFamily) float64 {
	var v float64
	for _, m := range f.GetMetric() {
		v += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return v
}
