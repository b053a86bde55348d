package spool

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkSave is one record with one sync; BenchmarkAppendAndSync is what the same disk does with as many bytes and no
// promise. BenchmarkSaveMany is 3,000 records with one sync.
func BenchmarkSave(b *testing.B) {
	s := unlocked(b, b.TempDir())
	defer s.Close()
	for n := range b.N {
		save(b, s, form(n+1))
	}
}

func BenchmarkAppendAndSync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	record := make([]byte, 700)
	for range b.N {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSaveMany(b *testing.B) {
	s := unlocked(b, b.TempDir())
	defer s.Close()
	batch := make([]Entry, 3000)
	for n := range b.N {
		for i := range batch {
			batch[i] = form(n*len(batch) + i + 1)
		}
		save(b, s, batch...)
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "records/s")
}
