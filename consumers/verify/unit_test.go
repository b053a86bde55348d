package verify

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
)

// TestKeysGoWhereJavaClientsPutThem compares the own computation with the client library's.
func TestKeysGoWhereJavaClientsPutThem(t *testing.T) {
	const seed = 3
	rnd := rand.New(rand.NewPCG(seed, 0))
	theirs := kafka.Murmur2Balancer{Consistent: true}
	for range 10_000 {
		key := make([]byte, 1+rnd.IntN(40))
		for i := range key {
			key[i] = byte(rnd.Uint32())
		}
		all := make([]int, 1+rnd.IntN(40))
		for i := range all {
			all[i] = i
		}
		if got, want := partitionOf(key, len(all)), theirs.Balance(kafka.Message{Key: key}, all...); got != want {
			t.Fatalf("seed %d: key %x of %d partitions: %d, want %d", seed, key, len(all), got, want)
		}
	}
}

// TestMemoryOfAPartition: a full pass holds the facts of one partition, in at most 250 bytes each.
func TestMemoryOfAPartition(t *testing.T) {
	const most = 250
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	worst := 0.0
	for _, n := range []int{100_000, 120_000, 150_000, 230_000} {
		before := heap()
		s := said{facts: map[key]latest{}}
		for i := range n {
			var k uuid.UUID
			binary.BigEndian.PutUint64(k[8:], uint64(i)*0x9e3779b97f4a7c15)
			s.facts[key{k, k}] = latest{version: uint64(i)}
		}
		worst = max(worst, float64(heap()-before)/float64(n))
		runtime.KeepAlive(s)
	}
	t.Logf("%.0f bytes for each fact", worst)
	if worst > most {
		t.Errorf("%.0f bytes for each fact, more than %d", worst, most)
	}
}

// TestOnlyWhatDiffersTheSameEveryTimeCounts: a cell's counts behind its returns, then ahead of them, are no difference.
func TestOnlyWhatDiffersTheSameEveryTimeCounts(t *testing.T) {
	seen := []map[string]int64{
		{"cell 1": 1, "cell 2": -1, "wrong": 1}, {"cell 3": 1, "cell 2": -1, "wrong": 1}, {"cell 3": 1, "cell 4": -1, "wrong": 1}, {"wrong": 1},
	}
	looked := 0
	cells := look{checkReturnCounts, func(context.Context) (finding, error) {
		looked++
		return finding{rows: 10, different: seen[looked-1]}, nil
	}}
	for _, persistent := range []uint64{1, 0} {
		results, err := makePass(t.Context(), []look{cells}, func(context.Context) error { return nil })
		if err != nil || len(results) != 1 || results[0].Different != persistent || len(results[0].Differences) != int(persistent) {
			t.Errorf("%d persist: %+v, %v", persistent, results, err)
		}
		looked = 0
		for _, found := range seen {
			delete(found, "wrong")
		}
	}
}
