package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
)

// gated is a store whose flushes wait, once each has been announced and checked, until the test lets them go on; and how
// often rows were inserted into each table.
type gated struct {
	*Store
	at   chan struct{} // a flush has come to the gate
	open chan struct{}

	mu       sync.Mutex
	inserted map[string]int
}

func newGated(t *testing.T) *gated {
	t.Helper()
	migrated(t)
	g := &gated{at: make(chan struct{}), open: make(chan struct{}), inserted: map[string]int{}}
	s, err := Open(Config{Addr: engine.Native(), Inserted: g.insert})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	g.Store = s
	return g
}

func (g *gated) insert(table string) {
	g.mu.Lock()
	g.inserted[table]++
	g.mu.Unlock()
	if table == "retorno.claims" {
		g.at <- struct{}{}
		<-g.open
	}
}

// wait waits until so many flushes are in the queue.
func (g *gated) wait(t *testing.T, n int) {
	t.Helper()
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for range ticks.C {
		g.writer.mu.Lock()
		queued := len(g.writer.queue)
		g.writer.mu.Unlock()
		if queued == n {
			return
		}
	}
}

// flushIn is a flush of one cell and one run of the ledger of the claim's partition.
func flushIn(c *Claim, n int64) *Flush {
	f := NewFlush(c.partition, c.epoch)
	f.ReturnCell(someCell, reconcile.ReturnCount{Reconciled: n})
	f.Help(reconcile.ID{1}, &reconcile.Help{RecordID: reconcile.ID{1, 85, 32, 0, 0, 0, 0x70, byte(c.partition)}})
	f.Return(reconcile.ID{1}, &reconcile.Return{ID: reconcile.ID{1, 85, 32, 0, 0, 0, 0x70, byte(c.partition)}, Age: -1, Reasons: 1<<uint(1+c.partition%6) | 2})
	f.Ledger(ledger.Entry{Topic: "t", NextOffset: 10, Accounts: ledger.Accounts{Accepted: 10}, At: time.Now()})
	return f
}

// TestFlushesThatWaitGoTogether: while one is written, those of other partitions gather and then share their inserts. One
// whose claim holds no longer leaves alone, one whose owner has gone keeps no other waiting, and each partition has its rows.
func TestFlushesThatWaitGoTogether(t *testing.T) {
	const partitions = 8
	g := newGated(t)
	claims := make([]*Claim, partitions)
	for p := range claims {
		claims[p] = claimed(t, g.Store, p)
	}
	const fenced, leaver = 3, 5
	claimed(t, g.Store, fenced) // takes a newer epoch
	leaving, leave := context.WithCancel(t.Context())
	ended := make([]chan error, partitions)
	write := func(p int) {
		ctx := t.Context()
		if p == leaver {
			ctx = leaving
		}
		ended[p] = make(chan error, 1)
		go func() { ended[p] <- claims[p].Write(ctx, flushIn(claims[p], int64(100+p)), map[string]int64{"t": 10}) }()
	}
	write(0)
	<-g.at
	for p := 1; p < partitions; p++ {
		write(p)
	}
	g.wait(t, partitions-1)
	g.open <- struct{}{}
	if err := <-ended[0]; err != nil {
		t.Fatal(err)
	}
	<-g.at
	leave()
	if err := <-ended[leaver]; !errors.Is(err, context.Canceled) {
		t.Errorf("who left was told %v", err)
	}
	g.open <- struct{}{}
	for p := 1; p < partitions; p++ {
		if p == leaver {
			continue
		}
		if err := <-ended[p]; IsFenced(err) != (p == fenced) || err != nil && !IsFenced(err) {
			t.Errorf("partition %d was told %v", p, err)
		}
	}
	for _, table := range []string{"returns", "assistance", "return_counts", "ledger"} {
		if n := g.inserted["retorno."+table]; n != 2 {
			t.Errorf("%d inserts into %s, want 2", n, table)
		}
	}
	for p := range partitions {
		d, cells, err := derived(t, g.Store, p)
		if err != nil {
			t.Fatal(err)
		}
		want := int64(100 + p)
		if p == fenced {
			want = 0
		}
		if n := cells.Returns[someCell].Reconciled; n != want {
			t.Errorf("partition %d: the cell holds %d, want %d", p, n, want)
		}
		for key, r := range d.Returns {
			if p == fenced || key.ID[7] != byte(p) || r.Row.Reasons != 1<<uint(1+p%6)|2 {
				t.Errorf("partition %d has the return %+v", p, r)
			}
		}
	}
}

// TestNobodyWaitsForWhoDoesNotCome: a flush is written though the other claims have none.
func TestNobodyWaitsForWhoDoesNotCome(t *testing.T) {
	s := migrated(t)
	a := claimed(t, s, 0)
	claimed(t, s, 1)
	write(t, a, 1, 0, 10)
	stands(t, s, 1, 10)
}

// TestTooManyRowsGoOneAfterTheOther: the rows that are copied to go together are bounded, and a second lane rests as soon
// as few wait.
func TestTooManyRowsGoOneAfterTheOther(t *testing.T) {
	s, err := Open(Config{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	flush := NewFlush(0, 1)
	for i := range mostTogether + 1 {
		flush.Sending(ledger.Origin{Offset: int64(i)}, fmt.Appendf(nil, "S-%d", i%10), uint64(i), 0, 0)
	}
	large := func(partition, rows int) *waiting {
		f := NewFlush(partition, 1)
		for i := range rows {
			f.Sending(ledger.Origin{Offset: int64(i)}, []byte("S"), uint64(i), 0, 0)
		}
		return &waiting{claim: &Claim{partition: partition}, flush: f}
	}
	w := s.writer
	first, second := w.idle[0], w.idle[1]
	w.idle, w.busy = nil, map[*lane][]*waiting{first: nil, second: nil}
	w.queue = []*waiting{{claim: &Claim{}, flush: flush}, large(1, 10), large(2, mostTogether-5), large(1, 1), large(3, mostTogether-10)}
	for i, want := range [][]int{{0}, {1, 3}, {2, 1}} {
		var got []int
		for _, own := range first.dequeue() {
			got = append(got, own.claim.partition)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("group %d is of %v, want %v", i, got, want)
		}
	}
	w.queue = []*waiting{large(0, 10)}
	if group := second.dequeue(); group != nil || len(w.idle) != 1 || len(w.busy) != 1 {
		t.Errorf("the second lane took %d and did not rest", len(group))
	}
	if group := first.dequeue(); len(group) != 1 {
		t.Errorf("the first lane took %d", len(group))
	}
}
