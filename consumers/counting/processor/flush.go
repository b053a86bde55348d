package processor

import (
	"context"
	"maps"
	"time"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/ledger"
)

// flight is a batch on its way into ClickHouse. Its flush belongs to the writer until it has landed.
type flight struct {
	batch
	next    map[string]int64 // by topic: the offset after its last record
	entries []ledger.Entry   // its rows of the ledger
	folded  []ledger.Entry   // rows that sum up earlier flushes
	done    chan error
}

// send closes the batch and puts it on its way: dead letters first, then the rows, the ledger at their end.
func (r *runner) send() error {
	if err := r.writeLetters(); err != nil {
		return err
	}
	r.tally.changes(r.flush)
	r.depart()
	return nil
}

// writeNow sends the batch, and waits until it is stored.
func (r *runner) writeNow() error {
	if err := r.send(); err != nil {
		return err
	}
	return r.land(true)
}

func (r *runner) writeLetters() error {
	if len(r.letters) == 0 {
		return nil
	}
	return r.cfg.DeadLetters.Write(r.work, r.letters)
}

// depart closes the batch with its ledger rows, and begins the next one. None may be on its way.
func (r *runner) depart() {
	f := &flight{next: maps.Clone(r.next), done: make(chan error, 1)}
	for _, e := range r.carried {
		r.flush.Fold(e)
	}
	r.carried = nil
	now := time.Now()
	for _, topic := range r.cfg.Topics {
		run := r.runs[topic]
		if run.accounts.Span() == 0 && r.began {
			continue // this flush is of the other topic
		}
		if sum, due := r.segments[topic].fold(); due {
			r.flush.Fold(sum)
			f.folded = append(f.folded, sum)
		}
		f.entries = append(f.entries, r.flush.Ledger(ledger.Entry{Topic: topic, Log: r.logs[topic], FirstOffset: run.first, NextOffset: r.next[topic],
			LastPrint: r.prints[topic], Accounts: run.accounts, Consumer: r.cfg.Name, At: now}))
	}
	f.batch = r.batch
	r.flight = f
	r.pulse.flying.Store(true)
	first := !r.began
	work := beat.With(r.work, r.pulse.write)
	go func() {
		err := r.claim.Write(work, f.flush, f.next)
		f.done <- err
		if err == nil && (first || len(f.folded) > 0) {
			r.prune(work, f.folded, first)
		}
	}()
	r.newBatch()
}

// prune deletes rows that hold no longer. When it fails, the ledger is only longer than it need be.
func (r *runner) prune(ctx context.Context, folded []ledger.Entry, first bool) {
	var from []ledger.Entry
	if first {
		from = r.begins
	}
	if err := r.claim.Prune(ctx, folded, from); err != nil && ctx.Err() == nil {
		r.cfg.Logger.Warn("rows of the ledger that hold no longer could not be deleted; it grows until they can be", "partition", r.shard.Partition(), "error", err)
	}
}

// land settles the accounts of the flush that was on its way, when it is stored, and commits the group's offsets. wait
// says to wait for it.
func (r *runner) land(wait bool) error {
	f := r.flight
	if f == nil || !wait && len(f.done) == 0 {
		return nil
	}
	err := <-f.done
	r.flight = nil
	r.pulse.flying.Store(false)
	if err != nil {
		return err
	}
	f.flush.Clear()
	r.spare = f.flush
	r.began, r.checked = true, time.Now()
	for _, e := range f.entries {
		if e.Accounts.Span() > 0 {
			r.segments[e.Topic].add(e)
		}
		r.books.settle(r.shard.Partition(), e.Topic, e.Accounts)
	}
	now := time.Now()
	for topic, run := range f.runs {
		r.books.landed(r.shard.Partition(), topic, f.next[topic], r.runs[topic].oldest())
		r.metrics.visible.observe(run.arrivals, now)
	}
	if f.pending > 0 {
		r.metrics.flushed(f.pending, time.Since(f.oldest))
	}
	if err := r.shard.Commit(r.work, f.next); err != nil {
		r.cfg.Logger.Debug("the group's offsets were not committed; the ledger has them", "partition", r.shard.Partition(), "error", err)
	}
	return nil
}

// newBatch begins a batch where the one before ends.
func (r *runner) newBatch() {
	if r.spare == nil {
		r.spare = r.flush.Another()
	}
	r.batch = batch{flush: r.spare, runs: make(map[string]*run, len(r.cfg.Topics))}
	r.spare = nil
	for _, topic := range r.cfg.Topics {
		r.runs[topic] = &run{first: r.next[topic]}
	}
}
