package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/embedded"
)

// startEngine runs an engine of the test's own on dir, fetched when this machine has none yet.
func startEngine(t *testing.T, dir string) *embedded.Engine {
	t.Helper()
	e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: dir, Log: t.Output()})
	if err != nil {
		t.Fatalf("start the engine: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	})
	return e
}

// dial connects clickhouse-go to the engine.
func dial(t *testing.T, e *embedded.Engine, change ...func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	o := &clickhouse.Options{Addr: []string{e.Native()}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}}
	for _, c := range change {
		c(o)
	}
	c, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close clickhouse-go: %v", err)
		}
	})
	return c
}

func TestClickHouseGoCreatesInsertsAndSelects(t *testing.T) {
	c := dial(t, startEngine(t, t.TempDir()))
	ctx := t.Context()
	if err := c.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec(ctx, "CREATE TABLE t (a UInt64, b String) ENGINE = MergeTree ORDER BY a"); err != nil {
		t.Fatal(err)
	}
	batch, err := c.PrepareBatch(ctx, "INSERT INTO t")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := batch.Append(uint64(i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var n, sum uint64
	if err := c.QueryRow(ctx, "SELECT count(), sum(a) FROM t").Scan(&n, &sum); err != nil {
		t.Fatal(err)
	}
	if n != 1000 || sum != 999*1000/2 {
		t.Errorf("count %d, sum %d", n, sum)
	}
}
