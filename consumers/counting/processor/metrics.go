package processor

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/events"
)

// lateAfter is how long after an event its copy may be sent before it is late; it counts all the same.
const lateAfter = 72 * time.Hour

type metrics struct {
	rejections *prometheus.CounterVec
	conflicts  prometheus.Counter
	future     prometheus.Counter
	late       prometheus.Counter
	repaired   prometheus.Counter
	resumed    prometheus.Counter
	fenced     prometheus.Counter
	stalls     prometheus.Counter
	shortfalls prometheus.Counter
	reread     prometheus.Counter
	epochs     *prometheus.GaugeVec
	largest    *prometheus.GaugeVec
	hot        *prometheus.GaugeVec
	takeover   prometheus.Histogram
	records    prometheus.Histogram
	seconds    prometheus.Histogram

	conflictsOf, futureOf, lateOf *bySource
	visible                       *visible
}

func newMetrics() *metrics {
	m := &metrics{
		rejections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_rejections_total", Help: "Records that could not be understood, by reason code. The label cause is the same."}, []string{"reason", "cause"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_conflicts_total", Help: "Records that differ in content from another one of the same revision: an error of their source."}),
		future: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_future_records_total", Help: "Records accepted but held, because they lie more than an hour after they were sent."}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_late_records_total", Help: "Records accepted that were sent more than 72 hours after what they tell of; each counts in its own period."}),
		resumed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_partitions_resumed_total", Help: "Partitions that this process kept when the group was divided again, and went on with where it was."}),
		repaired: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_repaired_rows_total", Help: "Derived rows that differed from what the facts come to when a partition was taken over."}),
		fenced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_fenced_total", Help: "Flushes given up because another process has taken the partition, or because ClickHouse was restored to an older state."}),
		stalls: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_watchdog_stalls_total", Help: "Times that a partition's goroutine gave no sign of life for so long that it is taken to hang."}),
		shortfalls: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_store_shortfalls_total", Help: "Rows of the ledger whose flush left behind something else than ClickHouse holds, found when a partition was taken over: a table was restored alone, a part is missing, a host lost power or a replica lags."}),
		reread: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_records_reread_total", Help: "Records that are read from Kafka again because ClickHouse does not hold what their flushes left behind."}),
		epochs: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "retorno_epoch", Help: "Epoch under which the partition is counted; the last one is 16777215."}, []string{"partition"}),
		largest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "retorno_largest_person_facts", Help: "Facts of the person of the partition who has the most, if that is more than 64; else 0."}, []string{"partition"}),
		hot: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "retorno_large_persons", Help: "Persons of the partition with more than 64 facts."}, []string{"partition"}),
		takeover: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "retorno_takeover_seconds", Help: "Time from the assignment of a partition to the first fetch.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 14)}),
		records: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "retorno_flush_records", Help: "Records in one flush.", Buckets: prometheus.ExponentialBuckets(1, 4, 10)}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "retorno_flush_seconds", Help: "Time from the first record of a flush being read to the flush being in the ledger.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}),
	}
	m.visible = newVisible()
	m.conflictsOf = newBySource("retorno_source_conflicts_total", "Records of a source that differ in content from another one of the same revision.")
	m.futureOf = newBySource("retorno_source_future_records_total", "Records of a source accepted but held, because they lie more than an hour after they were sent.")
	m.lateOf = newBySource("retorno_source_late_records_total", "Records of a source accepted that were sent more than 72 hours after what they tell of.")
	for _, code := range events.Codes() {
		m.rejections.WithLabelValues(code, code)
	}
	return m
}

// rejected counts a record that could not be understood.
func (m *metrics) rejected(code string) { m.rejections.WithLabelValues(code, code).Inc() }

func (m *metrics) register(r prometheus.Registerer, books *books, state *progress) {
	r.MustRegister(books, state, m.rejections, m.conflicts, m.future, m.late, m.repaired, m.resumed, m.fenced, m.stalls, m.shortfalls, m.reread, m.epochs, m.largest, m.hot, m.takeover, m.records, m.seconds, m.visible, m.conflictsOf.vec, m.futureOf.vec, m.lateOf.vec)
}

// persons says how large the largest persons of a partition are.
func (m *metrics) persons(partition int, f *facts) {
	label := strconv.Itoa(partition)
	m.largest.WithLabelValues(label).Set(float64(f.largest))
	m.hot.WithLabelValues(label).Set(float64(len(f.hot)))
}

// ended forgets a partition.
func (m *metrics) ended(partition int) {
	m.epochs.DeleteLabelValues(strconv.Itoa(partition))
	m.largest.DeleteLabelValues(strconv.Itoa(partition))
	m.hot.DeleteLabelValues(strconv.Itoa(partition))
}

func (m *metrics) flushed(records int, took time.Duration) {
	m.records.Observe(float64(records))
	m.seconds.Observe(took.Seconds())
}
