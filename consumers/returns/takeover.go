package returns

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"retorno/consumers/beat"
	"retorno/consumers/reconcile"
	"retorno/consumers/store"
	"retorno/consumers/stream"
)

// takeOver takes the next epoch, reads the ledger, loads the facts and mends with a flush without records what a torn one
// left. When a flush was announced under an older epoch and may still be written by a process that was overtaken, a flush
// of this epoch will end exactly where that one does: see store.Claim.
func (r *runner) takeOver(ctx context.Context) error {
	partition := r.shard.Partition()
	r.takenAt = time.Now()
	claim, err := r.cfg.Store.Claim(ctx, partition, r.cfg.Name)
	if err != nil {
		return err
	}
	r.claim = claim
	r.metrics.epochs.WithLabelValues(strconv.Itoa(partition)).Set(float64(claim.Epoch()))
	r.spare = store.NewFlush(partition, claim.Epoch())
	if err := r.restore(ctx); err != nil {
		return err
	}
	r.seek()
	r.newBatch()
	for _, topic := range r.cfg.Topics {
		r.flush.Takeover(claim, topic, r.logs[topic], r.next[topic])
	}
	if r.ends, err = claim.Announced(ctx, r.next); err != nil {
		return err
	}
	mended, err := r.tally.repair(ctx, r.claim, r.flush)
	if err != nil {
		return err
	}
	r.depart()
	if err := r.land(true); err != nil {
		return err
	}
	r.metrics.repaired.Add(float64(mended))
	r.metrics.takeover.Observe(time.Since(r.takenAt).Seconds())
	r.cfg.Logger.Info("partition taken over", "partition", partition, "epoch", r.claim.Epoch(), "facts", r.restored,
		"rows mended", mended, "next", fmt.Sprint(r.next), "took", time.Since(r.takenAt).Round(time.Millisecond))
	return nil
}

// readTo reads exactly up to these offsets. What was fetched beyond them is fetched again later.
func (r *runner) readTo(ctx context.Context, end map[string]int64) error {
	reached := func() bool {
		for topic, offset := range end {
			if r.next[topic] < offset {
				return false
			}
		}
		return true
	}
	for !reached() {
		messages, err := r.shard.Fetch(ctx, r.cfg.FlushEvery)
		if err != nil {
			return err
		}
		due := slices.IndexFunc(messages, func(m stream.Message) bool { return m.Offset >= end[m.Topic] })
		if due < 0 {
			due = len(messages)
		}
		r.takeAll(messages[:due])
		if r.full() && !reached() {
			if err := r.writeNow(); err != nil {
				return err
			}
		}
	}
	r.seek()
	return nil
}

// seek begins to read after the last record read, in the log that holds it.
func (r *runner) seek() {
	for topic, next := range r.next {
		if print := r.prints[topic]; print != 0 {
			r.shard.SeekAfter(topic, next-1, print)
		} else {
			r.shard.Seek(topic, next)
		}
	}
}

// repair compares what the store holds of a partition with what its facts come to, and writes every difference
// under the new epoch into f. A flush that was torn between its tables, rows of a process that was overtaken, and a
// restored backup all end here. It leaves the cells of the state recounted. It returns how many rows differed.
func (t *tally) repair(ctx context.Context, claim *store.Claim, f *store.Flush) (int, error) {
	have, err := claim.Derived(ctx)
	if err != nil {
		return 0, err
	}
	rowsBefore := f.Rows()
	t.recount(func(person reconcile.ID, p *reconcile.Person) {
		beat.Beat(ctx) // millions of persons take their time
		for i := range p.Returns {
			r := &p.Returns[i]
			key := store.Key{Person: person, ID: r.ID}
			if old, ok := have.Returns[key]; !ok || old.Row != *r {
				f.Return(person, r)
			}
			delete(have.Returns, key)
		}
		for i := range p.Helps {
			h := &p.Helps[i]
			key := store.Key{Person: person, ID: h.RecordID}
			if old, ok := have.Helps[key]; !ok || old.Row != *h {
				f.Help(person, h)
			}
			delete(have.Helps, key)
		}
	})
	for key := range have.Returns {
		f.DeleteReturn(key.Person, key.ID)
	}
	for key := range have.Helps {
		f.DeleteHelp(key.Person, key.ID)
	}
	t.moveCells(f, differing(t.cells, have.Cells))
	return f.Rows() - rowsBefore, nil
}

// differing names the cells whose counts are not the same in a and b, each to be moved by nothing.
func differing(a, b *reconcile.Cells) *reconcile.Cells {
	d := reconcile.NewCells()
	unequal(a.Returns, b.Returns, d.Returns)
	unequal(a.Helps, b.Helps, d.Helps)
	unequal(a.Crossings, b.Crossings, d.Crossings)
	return d
}

func unequal[C, N comparable](a, b, d map[C]N) {
	var nothing N
	for cell, n := range a {
		if b[cell] != n {
			d[cell] = nothing
		}
	}
	for cell, n := range b {
		if a[cell] != n {
			d[cell] = nothing
		}
	}
}
