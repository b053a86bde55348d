package processor

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// The histogram counts each record once, in the bounds that objectives name, and one arrival time together.
func TestTimeFromBrokerToLedger(t *testing.T) {
	v, now, r := newVisible(), time.UnixMilli(1_000_000_000), &run{}
	for _, ago := range []time.Duration{400 * time.Second, 2 * time.Second, 2 * time.Second, -time.Second} {
		r.arrived(now.Add(-ago))
	}
	if len(r.arrivals) != 3 || !r.oldest().Equal(now.Add(-400*time.Second)) || !(&run{}).oldest().IsZero() {
		t.Errorf("%v, oldest %v", r.arrivals, r.oldest())
	}
	v.observe(r.arrivals, now)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(v)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	h := families[0].GetMetric()[0].GetHistogram()
	got := fmt.Sprint(h.GetSampleCount(), h.GetSampleSum())
	for _, b := range h.GetBucket() {
		got += fmt.Sprint(" ", b.GetUpperBound(), ":", b.GetCumulativeCount())
	}
	if want := "4 404 1:1 5:3 30:3 60:3 300:3 1800:4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// However many sources there are, the series are bounded, and none is lost.
func TestSourcesHaveBoundedSeries(t *testing.T) {
	b := newBySource("retorno_source_conflicts_total", "Help.")
	for i := range mostSources + 50 {
		b.inc(fmt.Appendf(nil, "s%d", i))
		b.inc([]byte("s0"))
	}
	if n := testutil.CollectAndCount(b.vec); n != mostSources+1 {
		t.Errorf("%d series", n)
	}
	if n := testutil.ToFloat64(b.vec.WithLabelValues(others)); n != 50 {
		t.Errorf("%v are of others", n)
	}
	if n := testutil.ToFloat64(b.vec.WithLabelValues("s0")); n != mostSources+51 {
		t.Errorf("%v are of s0", n)
	}
}
