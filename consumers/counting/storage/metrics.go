package storage

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	partsDesc  = prometheus.NewDesc("retorno_table_parts", "Active parts of a table; ClickHouse refuses inserts when there are too many.", []string{"table"}, nil)
	bytesDesc  = prometheus.NewDesc("retorno_table_bytes", "Bytes of these parts on disk.", []string{"table"}, nil)
	freeDesc   = prometheus.NewDesc("retorno_disk_free_bytes", "Bytes that are free on a disk of ClickHouse.", []string{"disk"}, nil)
	totalDesc  = prometheus.NewDesc("retorno_disk_size_bytes", "Bytes that a disk of ClickHouse has.", []string{"disk"}, nil)
	backupDesc = prometheus.NewDesc("retorno_backup_last_success_timestamp_seconds", "When the latest backup of ClickHouse ended that was made; seconds since 1970. 0: the server knows of none.", nil, nil)
	periodDesc = prometheus.NewDesc("retorno_publication_timestamp_seconds", "When the newest vintage of a period was published; seconds since 1970. The 40 latest periods.", []string{"period"}, nil)
	readDesc   = prometheus.NewDesc("retorno_storage_last_pass_timestamp_seconds", "When the state of the database was last read; seconds since 1970. 0: not yet.", nil, nil)
)

// metrics shows the latest reading whole: what is not in it any more is not shown any more.
type metrics struct {
	passes *prometheus.CounterVec

	mu     sync.Mutex
	at     time.Time
	found  *figures // nil: nothing was read yet
	backup float64  // the latest that was ever seen: a restart of the server forgets it
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{passes: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "retorno_storage_passes_total", Help: "Readings of the state of the database, by result: done, failed."}, []string{"result"})}
	m.passes.WithLabelValues("done")
	m.passes.WithLabelValues("failed")
	if r != nil {
		r.MustRegister(m.passes, m)
	}
	return m
}

func (m *metrics) show(f *figures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.found = time.Now(), f
	for _, latest := range f.backups {
		m.backup = max(m.backup, latest[0])
	}
}

// Describe is of prometheus.Collector.
func (*metrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{partsDesc, bytesDesc, freeDesc, totalDesc, backupDesc, periodDesc, readDesc} {
		out <- d
	}
}

// Collect is of prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if m.found == nil {
		gauge(readDesc, 0)
		return
	}
	gauge(readDesc, float64(m.at.UnixMilli())/1000)
	gauge(backupDesc, m.backup)
	for table, v := range m.found.tables {
		gauge(partsDesc, v[0], table)
		gauge(bytesDesc, v[1], table)
	}
	for disk, v := range m.found.disks {
		gauge(freeDesc, v[0], disk)
		gauge(totalDesc, v[1], disk)
	}
	for period, v := range m.found.periods {
		gauge(periodDesc, v[0], period)
	}
}
