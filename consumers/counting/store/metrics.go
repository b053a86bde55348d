package store

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	retries prometheus.Counter
	splits  prometheus.Counter
	rows    *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_store_retries_total", Help: "Statements sent to ClickHouse again because it gave no definite answer."}),
		splits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "retorno_store_memory_splits_total", Help: "Groups of flushes that ClickHouse lacked the memory for, and that went on in smaller groups."}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_store_rows_written_total", Help: "Rows written to ClickHouse, by table."}, []string{"table"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "retorno_store_insert_seconds", Help: "Time of one insert until its definite answer, by table.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}, []string{"table"}),
	}
	for _, t := range inserts {
		m.rows.WithLabelValues(t.table)
		m.seconds.WithLabelValues(t.table)
	}
	if r != nil {
		r.MustRegister(m.retries, m.splits, m.rows, m.seconds)
	}
	return m
}
