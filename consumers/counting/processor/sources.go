package processor

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// mostSources is how many sources have series of their own in one process, others the name under which the rest is counted.
const (
	mostSources = 200
	others      = "(others)"
)

// bySource counts something by source, with a bounded number of series.
type bySource struct {
	vec *prometheus.CounterVec

	mu   sync.Mutex
	seen map[string]prometheus.Counter
}

func newBySource(name, help string) *bySource {
	return &bySource{seen: map[string]prometheus.Counter{}, vec: prometheus.NewCounterVec(prometheus.CounterOpts{Name: name,
		Help: help + " The first 200 sources of the process; the others are counted as \"" + others + "\"."}, []string{"source"})}
}

// inc counts one of a source.
func (b *bySource) inc(source []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counter, known := b.seen[string(source)]
	switch {
	case known:
	case len(b.seen) >= mostSources:
		counter = b.vec.WithLabelValues(others)
	default:
		name := string(source)
		counter = b.vec.WithLabelValues(name)
		b.seen[name] = counter
	}
	counter.Inc()
}
