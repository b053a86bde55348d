package verify

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"

	"retorno/schemas/events"
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

// TestMemoryOfAPartition: a full pass holds the facts of one partition in at most 60 bytes each, and an incremental one
// those that came in at most 250.
func TestMemoryOfAPartition(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var uuids [2]uuid.UUID
	record := func(i int) *sent {
		binary.BigEndian.PutUint64(uuids[0][8:], uint64(i)*0x9e3779b97f4a7c15)
		return &sent{record: &events.Record{}, body: new(events.Crossing).ProtoReflect(), bodyField: 10, person: uuids[0], id: uuids[0]}
	}
	for _, c := range []struct {
		what string
		most float64
		fill func(n int) any
	}{
		{"full", 60, func(n int) any {
			d := digest{}
			var h hasher
			for i := range n {
				d.add(&h, record(i))
			}
			return d
		}},
		{"incremental", 250, func(n int) any {
			s := newSaid(0, nil)
			for i := range n {
				r := record(i)
				s.facts[key{r.person, r.id}] = latest{version: uint64(i)}
			}
			return s
		}},
	} {
		worst := 0.0
		for _, n := range []int{100_000, 120_000, 150_000, 230_000} {
			before := heap()
			held := c.fill(n)
			worst = max(worst, float64(heap()-before)/float64(n))
			runtime.KeepAlive(held)
		}
		t.Logf("%s: %.0f bytes for each fact", c.what, worst)
		if worst > c.most {
			t.Errorf("%s: %.0f bytes for each fact, more than %.0f", c.what, worst, c.most)
		}
	}
}

// TestOnlyWhatDiffersTheSameEveryTimeCounts: a cell's counts behind its returns, then ahead of them, are no difference.
func TestOnlyWhatDiffersTheSameEveryTimeCounts(t *testing.T) {
	seen := []map[string]int64{
		{"cell 1": 1, "cell 2": -1, "wrong": 1}, {"cell 3": 1, "cell 2": -1, "wrong": 1}, {"cell 3": 1, "cell 4": -1, "wrong": 1}, {"wrong": 1},
	}
	looked := 0
	cells := look{check: checkReturnCounts, find: func(context.Context) (finding, error) {
		looked++
		return finding{rows: 10, different: seen[looked-1]}, nil
	}}
	for _, persistent := range []uint64{1, 0} {
		found := &results{}
		err := confirm(t.Context(), []look{cells}, found, func(context.Context) error { return nil })
		if r := found.of(checkReturnCounts); err != nil || r.Different != persistent || len(r.Differences) != int(persistent) || r.Rows != 10 {
			t.Errorf("%d persist: %+v, %v", persistent, r, err)
		}
		looked = 0
		for _, found := range seen {
			delete(found, "wrong")
		}
	}
}
