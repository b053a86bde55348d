package httpserver_test

import (
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// clickhouse-go over HTTP states its protocol version and takes blocks as the native protocol has them.
func TestClickHouseGoOverHTTP(t *testing.T) {
	for name, method := range map[string]clickhouse.CompressionMethod{
		"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD, "gzip": clickhouse.CompressionGZIP, "br": clickhouse.CompressionBrotli,
		"deflate": clickhouse.CompressionDeflate,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := clickhouse.Open(&clickhouse.Options{
				Protocol: clickhouse.HTTP, Addr: []string{engine.HTTP()}, Compression: &clickhouse.Compression{Method: method, Level: 1},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			ctx := t.Context()
			if err := c.Exec(ctx, "CREATE OR REPLACE TABLE over_http (a UInt64, l LowCardinality(Nullable(String)), d Nullable(DateTime64(3))) ENGINE = MergeTree ORDER BY a"); err != nil {
				t.Fatal(err)
			}
			batch, err := c.PrepareBatch(ctx, "INSERT INTO over_http")
			if err != nil {
				t.Fatal(err)
			}
			for i := range 100_000 {
				if err := batch.Append(uint64(i), "x", time.UnixMilli(int64(i))); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			rows, err := c.Query(ctx, "SELECT * FROM over_http WHERE a >= ?", 10)
			if err != nil {
				t.Fatal(err)
			}
			var n, sum, a uint64
			var l *string
			var d *time.Time
			for ; rows.Next(); n++ {
				if err := rows.Scan(&a, &l, &d); err != nil || *l != "x" || d.UnixMilli() != int64(a) {
					t.Fatalf("%d %v %v %v", a, l, d, err)
				}
				sum += a
			}
			if rows.Err() != nil || n != 99_990 || sum != 99_999*100_000/2-45 {
				t.Errorf("%d rows, sum %d: %v", n, sum, rows.Err())
			}
			empty, err := c.Query(ctx, "SELECT a, l FROM over_http WHERE a > 1000000")
			if err != nil || len(empty.Columns()) != 2 || empty.Next() {
				t.Errorf("empty: %v", err)
			}
			if err := c.Exec(ctx, "SELECT throwIf(number = 5) FROM numbers(10)"); err == nil {
				t.Error("no error")
			}
			withParameter := clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"n": "41"}))
			if err := c.QueryRow(withParameter, "SELECT {n:UInt64} + 1").Scan(&n); err != nil || n != 42 {
				t.Errorf("parameter: %d %v", n, err)
			}
		})
	}
}
