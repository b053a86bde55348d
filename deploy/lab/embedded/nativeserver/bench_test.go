package nativeserver_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// timed runs f b.N times and reports the median of its time, in microseconds.
func timed(b *testing.B, f func() error) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func benchConn(b *testing.B) driver.Conn {
	b.Helper()
	c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{engine.Native()}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() }) // the engine ends after it
	return c
}

func BenchmarkTrivialQuery(b *testing.B) {
	c := benchConn(b)
	timed(b, func() error {
		var n uint8
		return c.QueryRow(context.Background(), "SELECT 1").Scan(&n)
	})
}

func BenchmarkInsertOf1000Rows(b *testing.B) {
	c := benchConn(b)
	ctx := context.Background()
	for _, sql := range []string{"DROP TABLE IF EXISTS default.bench", "CREATE TABLE default.bench (a UInt64, b String, d DateTime) ENGINE = ReplacingMergeTree ORDER BY a"} {
		if err := c.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	next, text := uint64(0), strings.Repeat("x", 20)
	timed(b, func() error {
		batch, err := c.PrepareBatch(ctx, "INSERT INTO default.bench")
		if err != nil {
			return err
		}
		for range 1000 {
			if err := batch.Append(next, text, time.Unix(int64(next), 0)); err != nil {
				return err
			}
			next++
		}
		return batch.Send()
	})
}

func BenchmarkConnect(b *testing.B) {
	timed(b, func() error {
		c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{engine.Native()}})
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Ping(context.Background())
	})
}
