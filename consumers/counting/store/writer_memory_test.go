package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"retorno/consumers/counting/reconcile"
	"retorno/deploy/lab/embedded"
)

// TestALackOfMemorySplitsTheGroup: flushes that ClickHouse has no memory for together go in smaller groups, and one that it
// has none for by itself holds up no other; it is written as soon as there is memory.
func TestALackOfMemorySplitsTheGroup(t *testing.T) {
	small, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), MemoryLimit: 500 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := small.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(Config{Addr: small.Native(), RetryFirst: time.Millisecond, RetryMost: 20 * time.Millisecond, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	// From here on a row of a help takes 30 MB, of which a server with 500 MB has place for some and not for 20.
	if err := s.Conn().Exec(t.Context(), "ALTER TABLE retorno.assistance ADD COLUMN ballast String MATERIALIZED arrayStringConcat(arrayMap(i -> repeat('x', 1000000), range(30)))"); err != nil {
		t.Fatal(err)
	}
	const partitions, giant = 20, 3
	claims, ended := make([]*Claim, partitions), make([]chan error, partitions)
	for p := range claims {
		claims[p] = claimed(t, s, p)
	}
	for p := range claims {
		f := flushIn(claims[p], int64(100+p))
		if p == giant {
			for i := range 40 {
				f.Help(reconcile.ID{9}, &reconcile.Help{RecordID: reconcile.ID{1, 85, 32, 0, 0, 0, 0x70, byte(i), 1}})
			}
		}
		ended[p] = make(chan error, 1)
		go func() { ended[p] <- claims[p].Write(t.Context(), f, map[string]int64{"t": 10}) }()
	}
	for p := range claims {
		if p == giant {
			continue
		}
		if err := <-ended[p]; err != nil {
			t.Errorf("partition %d: %v", p, err)
		}
	}
	select {
	case err := <-ended[giant]:
		t.Fatalf("the giant was told %v while there was no memory for it", err)
	default:
	}
	if n := testutil.ToFloat64(s.metrics.splits); n == 0 {
		t.Error("no group was split")
	}
	if err := s.Conn().Exec(t.Context(), "ALTER TABLE retorno.assistance DROP COLUMN ballast"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended[giant]; err != nil {
		t.Error(err)
	}
	var rows, helps uint64
	query := fmt.Sprintf("SELECT (SELECT count() FROM retorno.ledger), (SELECT count() FROM retorno.assistance FINAL WHERE kafka_partition = %d)", giant)
	if err := s.Conn().QueryRow(t.Context(), query).Scan(&rows, &helps); err != nil || rows != partitions || helps != 41 {
		t.Errorf("%d rows of the ledger, %d helps, %v", rows, helps, err)
	}
}
