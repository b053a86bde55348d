package register

import (
	"context"
	"runtime"
	"testing"
)

// BenchmarkLargest makes and encodes the largest register that is asked for: 490,000 returns over eight years.
func BenchmarkLargest(b *testing.B) {
	table := tableOf(b, "LARGE", "total,TOTAL,490000", "country,US,220000", "country,MX,255000", "country,CAM,14000", "country,OTHER,1000",
		"exit_point_pct,L-COR,63.4")
	for b.Loop() {
		r, err := Make(context.Background(), table, Settings{Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		var size int
		if err := r.Events(func(e Event) error { size += len(e.Value); return nil }); err != nil {
			b.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		sys := m.HeapSys
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(r.Counts().Events), "events")
		b.ReportMetric(float64(size)/float64(r.Counts().Events), "bytes/event")
		b.ReportMetric(float64(sys)/(1<<20), "MB-from-system")
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB-kept")
		runtime.KeepAlive(r)
	}
}
