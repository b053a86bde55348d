package processor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
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
	mend := &repair{tally: r.tally, claim: claim, flush: r.flush, write: r.writeRows}
	if err := mend.run(ctx); err != nil {
		return err
	}
	r.depart()
	if err := r.land(true); err != nil {
		return err
	}
	r.metrics.repaired.Add(float64(mend.rows))
	r.metrics.takeover.Observe(time.Since(r.takenAt).Seconds())
	r.cfg.Logger.Info("partition taken over", "partition", partition, "epoch", r.claim.Epoch(), "facts", r.restored,
		"rows mended", mend.rows, "next", fmt.Sprint(r.next), "took", time.Since(r.takenAt).Round(time.Millisecond))
	return nil
}

// writeRows writes what has been put into the flush, which accounts for no record.
func (r *runner) writeRows() error {
	err := r.claim.Write(r.work, r.flush, r.next)
	r.flush.Clear()
	return err
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
