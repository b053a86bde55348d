package processor

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/stream"
)

// visibleWithin are the bounds of the time from broker to ledger, in seconds: those that objectives name.
var visibleWithin = []float64{1, 5, 30, 60, 300, 1800}

var visibleDesc = prometheus.NewDesc("retorno_visible_seconds",
	"Time from a record's arrival at the broker to its flush being in the ledger; where the topic has the producers' time, from that.", nil, nil)

// visible is the histogram of the time from broker to ledger. It counts the records of one arrival time together, because
// the records of a batch mostly have one.
type visible struct {
	mu     sync.Mutex
	counts []uint64 // by bound, each with those of the bounds before
	all    uint64
	sum    float64
}

func newVisible() *visible { return &visible{counts: make([]uint64, len(visibleWithin))} }

// arrival is how many records in a row came to the broker at one time, in milliseconds since 1970.
type arrival struct {
	at int64
	n  int
}

// arrivedAt is when the broker appended a message, or when its producer made it where the topic does not say.
func arrivedAt(m *stream.Message) time.Time {
	if m.BrokerTime.IsZero() {
		return m.Time
	}
	return m.BrokerTime
}

// arrived notes a record that waits for the next flush.
func (r *run) arrived(at time.Time) {
	ms := at.UnixMilli()
	if last := len(r.arrivals) - 1; last >= 0 && r.arrivals[last].at == ms {
		r.arrivals[last].n++
		return
	}
	r.arrivals = append(r.arrivals, arrival{ms, 1})
}

// oldest is when the first record of the run came to the broker; zero: it has none.
func (r *run) oldest() time.Time {
	if len(r.arrivals) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(r.arrivals[0].at)
}

// observe counts records whose flush is in the ledger now.
func (v *visible) observe(arrivals []arrival, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, a := range arrivals {
		took := max(0, float64(now.UnixMilli()-a.at)/1000) // clocks differ
		for i, bound := range visibleWithin {
			if took <= bound {
				v.counts[i] += uint64(a.n)
			}
		}
		v.all += uint64(a.n)
		v.sum += took * float64(a.n)
	}
}

// Describe is of prometheus.Collector.
func (v *visible) Describe(out chan<- *prometheus.Desc) { out <- visibleDesc }

// Collect is of prometheus.Collector.
func (v *visible) Collect(out chan<- prometheus.Metric) {
	v.mu.Lock()
	defer v.mu.Unlock()
	buckets := make(map[float64]uint64, len(visibleWithin))
	for i, bound := range visibleWithin {
		buckets[bound] = v.counts[i]
	}
	out <- prometheus.MustNewConstHistogram(visibleDesc, v.all, v.sum, buckets)
}

// seconds is a time as Prometheus takes it; 0 for the zero time.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
