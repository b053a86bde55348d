package store

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
)

// claimed takes a partition.
func claimed(t *testing.T, s *Store, partition int) *Claim {
	t.Helper()
	c, err := s.Claim(t.Context(), partition, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var someCell = reconcile.ReturnCell{Day: 16953}

// flushOf is a flush that says a cell holds n, and accounts for offsets of topic t.
func flushOf(c *Claim, n, first, next int64) *Flush {
	f := NewFlush(c.partition, c.epoch)
	f.ReturnCell(someCell, reconcile.ReturnCount{Reconciled: n})
	f.Ledger(ledger.Entry{Topic: "t", FirstOffset: first, NextOffset: next, Accounts: ledger.Accounts{Accepted: uint64(next - first)}, At: time.Now()})
	return f
}

func write(t *testing.T, c *Claim, n, first, next int64) {
	t.Helper()
	if err := c.Write(t.Context(), flushOf(c, n, first, next), map[string]int64{"t": next}); err != nil {
		t.Fatal(err)
	}
}

// writeLate writes the rows of a flush as a process does that was stopped after it had looked whether its claim holds.
func writeLate(t *testing.T, c *Claim, f *Flush) {
	t.Helper()
	for _, p := range parts(f) {
		if err := c.conn.do(t.Context(), p.query()); err != nil {
			t.Fatal(err)
		}
	}
}

func stands(t *testing.T, s *Store, cell, next int64) {
	t.Helper()
	_, cells, err := derived(t, s, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := cells.Returns[someCell].Reconciled; n != cell {
		t.Errorf("the cell holds %d, want %d", n, cell)
	}
	positions, err := s.Positions(t.Context(), 0)
	if err != nil || len(positions) != 1 || positions[0].NextOffset != next || positions[0].Accounts.Read() != uint64(next) {
		t.Errorf("positions %+v, want %d; %v", positions, next, err)
	}
}

// TestF09AnOlderEpochsLateWriteLoses: what a former owner of the partition writes after the new one is not seen, and
// its ledger row does not count. One that looks before it writes gives up.
func TestF09AnOlderEpochsLateWriteLoses(t *testing.T) {
	s := migrated(t)
	zombie := claimed(t, s, 0)
	write(t, zombie, 1, 0, 10)
	owner := claimed(t, s, 0)
	write(t, owner, 2, 10, 15)
	writeLate(t, zombie, flushOf(zombie, 99, 10, 40))
	stands(t, s, 2, 15)
	err := zombie.Write(t.Context(), flushOf(zombie, 99, 10, 40), map[string]int64{"t": 40})
	if !IsFenced(err) || IsStop(err) {
		t.Errorf("the zombie was told %v", err)
	}
	if err := owner.Check(t.Context()); err != nil {
		t.Errorf("the owner was told %v", err)
	}
	stands(t, s, 2, 15)
}

// TestF10TwoProcessesNeverShareAnEpoch: however many take a partition at once, each has an epoch of its own, and only
// the newest claim holds.
func TestF10TwoProcessesNeverShareAnEpoch(t *testing.T) {
	s := migrated(t)
	all := make([]*Claim, 8)
	var together sync.WaitGroup
	for i := range all {
		together.Go(func() {
			c, err := s.Claim(t.Context(), 0, t.Name())
			if err != nil {
				t.Error(err)
			}
			all[i] = c
		})
	}
	together.Wait()
	if t.Failed() {
		return
	}
	epochs := map[uint32]bool{}
	for _, c := range all {
		defer c.Close()
		epochs[c.Epoch()] = true
	}
	if len(epochs) != len(all) {
		t.Fatalf("%d processes share %d epochs", len(all), len(epochs))
	}
	newest := slices.Max(slices.Collect(maps.Keys(epochs)))
	for _, c := range all {
		if err := c.Check(t.Context()); IsFenced(err) == (c.Epoch() == newest) {
			t.Errorf("epoch %d, the newest being %d, was told %v", c.Epoch(), newest, err)
		}
	}
}

// TestWhateverIsLeftOfAPartitionIsRead: a claim reads nothing only when no table holds a row of its partition; in a
// database that was restored any of them may be all that is left.
func TestWhateverIsLeftOfAPartitionIsRead(t *testing.T) {
	s := migrated(t)
	if c := claimed(t, s, 0); !c.first {
		t.Error("partition 0 holds nothing, and is read")
	}
	for i, table := range []string{"claims", "ledger", "facts", "returns", "assistance", "return_counts", "assistance_counts", "crossing_counts"} {
		if err := s.Conn().Exec(t.Context(), "INSERT INTO retorno."+table+" (kafka_partition) VALUES (?)", i+1); err != nil {
			t.Fatal(err)
		}
		if c := claimed(t, s, i+1); c.first {
			t.Errorf("partition %d is not read, and retorno.%s holds a row of it", i+1, table)
		}
	}
}

// TestAnnouncedFlushesBindTheSuccessor: where a flush that was announced and not finished ends, the next owner learns;
// what is finished, passed or given up does not bind it.
func TestAnnouncedFlushesBindTheSuccessor(t *testing.T) {
	s := migrated(t)
	announced := func(c *Claim, at int64) []map[string]int64 {
		t.Helper()
		ends, err := c.Announced(t.Context(), map[string]int64{"t": at})
		if err != nil {
			t.Fatal(err)
		}
		return ends
	}
	first := claimed(t, s, 0)
	write(t, first, 1, 0, 10)
	second := claimed(t, s, 0)
	if ends := announced(second, 10); len(ends) != 0 {
		t.Errorf("a finished flush binds: %v", ends)
	}
	second.flushes++
	row := newClaims()
	row.add(second, kindFlush, map[string]int64{"t": 25})
	if err := row.write(t.Context(), &second.conn); err != nil {
		t.Fatal(err)
	}
	third := claimed(t, s, 0)
	if ends := announced(third, 10); !reflect.DeepEqual(ends, []map[string]int64{{"t": 25}}) {
		t.Errorf("bound by %v, want 25", ends)
	}
	write(t, third, 3, 10, 25)
	// An overtaken process announces, looks, and gives up.
	if err := second.Write(t.Context(), flushOf(second, 9, 10, 20), map[string]int64{"t": 20}); !IsFenced(err) {
		t.Fatalf("the overtaken one was told %v", err)
	}
	fourth := claimed(t, s, 0)
	if ends := announced(fourth, 25); len(ends) != 0 {
		t.Errorf("what was passed binds: %v", ends)
	}
	stands(t, s, 3, 25)
}

// TestF31AnOlderStateIsNoticed: when the database was restored, the claim, or the ledger row written last, is gone;
// and a ledger row beyond the gap does not make a position.
func TestF31AnOlderStateIsNoticed(t *testing.T) {
	for name, drop := range map[string]string{"the claim": "TRUNCATE TABLE retorno.claims", "the ledger": "ALTER TABLE retorno.ledger DELETE WHERE first_offset >= 10 SETTINGS mutations_sync = 2"} {
		t.Run(name, func(t *testing.T) {
			s := migrated(t)
			c := claimed(t, s, 0)
			write(t, c, 1, 0, 10)
			write(t, c, 2, 10, 20)
			if err := s.Conn().Exec(t.Context(), drop); err != nil {
				t.Fatal(err)
			}
			if err := c.Check(t.Context()); !IsFenced(err) {
				t.Errorf("idle, it was told %v", err)
			}
			if err := c.Write(t.Context(), flushOf(c, 3, 20, 30), map[string]int64{"t": 30}); !IsFenced(err) {
				t.Errorf("writing, it was told %v", err)
			}
		})
	}
	s := migrated(t)
	c := claimed(t, s, 0)
	write(t, c, 1, 0, 10)
	writeLate(t, c, flushOf(c, 2, 20, 30))
	if positions, err := s.Positions(t.Context(), 0); err != nil || positions[0].NextOffset != 10 {
		t.Errorf("positions %+v, want 10, where the gap begins; %v", positions, err)
	}
}

// TestALedgerRowDoesNotAskTheClock: the empty row of a takeover gives way to the one that accounts for records from the
// same offset, also when the machine's clock was set back in between.
func TestALedgerRowDoesNotAskTheClock(t *testing.T) {
	s := migrated(t)
	c := claimed(t, s, 0)
	for i, next := range []int64{0, 10, 20} {
		f := NewFlush(0, c.epoch)
		first := max(0, next-10)
		f.Ledger(ledger.Entry{Topic: "t", FirstOffset: first, NextOffset: next, Accounts: ledger.Accounts{Accepted: uint64(next - first)},
			At: time.Now().Add(-time.Duration(i) * time.Hour)})
		if err := c.Write(t.Context(), f, map[string]int64{"t": next}); err != nil {
			t.Fatal(err)
		}
	}
	if a, err := s.Accounted(t.Context()); err != nil || a.Read() != 20 {
		t.Errorf("20 records were read, accounts are %+v, %v", a, err)
	}
	if p, err := s.Positions(t.Context(), 0); err != nil || len(p) != 1 || p[0].NextOffset != 20 {
		t.Errorf("positions are %+v, %v", p, err)
	}
}

// TestAnEmptyFlushForgetsNothing: two epochs announced the same end, which is one end; and a claim whose last flush had
// no ledger row sees all the same that what it wrote before is gone.
func TestAnEmptyFlushForgetsNothing(t *testing.T) {
	s := migrated(t)
	end := map[string]int64{"t": 10}
	for range 2 {
		if err := claimed(t, s, 0).Write(t.Context(), NewFlush(0, 1), end); err != nil {
			t.Fatal(err)
		}
	}
	c := claimed(t, s, 0)
	if ends, err := c.Announced(t.Context(), map[string]int64{}); err != nil || len(ends) != 1 || !maps.Equal(ends[0], end) {
		t.Errorf("the announced ends are %v, %v", ends, err)
	}
	f := flushOf(c, 1, 0, 10)
	if err := c.Write(t.Context(), f, end); err != nil {
		t.Fatal(err)
	}
	f.Clear()
	if err := c.Write(t.Context(), f, end); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Conn().Exec(t.Context(), "TRUNCATE TABLE retorno.ledger"); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); !IsFenced(err) {
		t.Errorf("what it wrote is gone, and it says %v", err)
	}
}
