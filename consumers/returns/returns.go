// Package returns is the consumer process: it reads one Kafka partition of both topics, keeps every person's facts,
// reconciles them, and writes facts, returns, counts and the ledger to ClickHouse.
//
// It promises that each record ends in exactly one account, and that what is stored depends on the set of facts
// alone: positions come from the ledger in ClickHouse, derived rows carry absolute values under the epoch of the
// assignment, and at each takeover what is stored is compared with what the facts come to. It never skips a record:
// what cannot be understood is in the dead letters before the ledger says that it was read. When ClickHouse or the
// dead letters do not answer, it waits; when they refuse for good, the partition stops and says why.
package returns

import (
	"context"
	"errors"
	"time"

	"retorno/consumers/beat"
	"retorno/consumers/deadletter"
	"retorno/consumers/store"
	"retorno/consumers/stream"
	"retorno/schemas/events"
)

// DeadLetters takes what could not be understood. Write returns nil only when all of it is kept.
type DeadLetters interface {
	Write(ctx context.Context, letters []deadletter.Letter) error
}

// Shard is one Kafka partition of all topics, as package stream hands it out.
type Shard interface {
	Partition() int
	Seek(topic string, offset int64)
	Fetch(ctx context.Context, maxWait time.Duration) ([]stream.Message, error)
	HighWatermark(topic string) int64
	Commit(ctx context.Context, offsets map[string]int64) error
}

var _ Shard = (*stream.Shard)(nil)

// Consumer counts the shards that fall to this process.
type Consumer struct {
	cfg        Config
	partitions []int
	books      *books
	metrics    *metrics
	state      *progress
}

// New makes a consumer. The error is for wrong settings.
func New(cfg Config) (*Consumer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Consumer{cfg: cfg.withDefaults(), partitions: stream.Partitions(cfg.Partitions), books: newBooks(), metrics: newMetrics(), state: newProgress()}
	if cfg.Registerer != nil {
		c.metrics.register(cfg.Registerer, c.books, c.state)
	}
	return c, nil
}

// Run counts one shard until ctx ends or its run is over: it is a stream.RunFunc. A stop error says that somebody has
// to act; any other error is worth another try.
func (c *Consumer) Run(ctx context.Context, shard *stream.Shard) (err error) {
	labelled(ctx, shard.Partition(), func(ctx context.Context) { err = c.run(ctx, shard) })
	return err
}

func (c *Consumer) run(ctx context.Context, shard Shard) error {
	partition := shard.Partition()
	c.books.open(partition, c.cfg.Topics)
	ctx = beat.With(ctx, c.state.began(partition).beat)
	defer func() {
		c.books.close(partition)
		c.state.ended(partition)
	}()
	r := &runner{Consumer: c, shard: shard, tally: newTally(), next: map[string]int64{}}
	err := r.takeOver(ctx)
	if err == nil {
		err = r.count(ctx)
	}
	if r.claim != nil {
		r.claim.Close()
	}
	if store.IsFenced(err) {
		c.metrics.fenced.Inc()
	}
	if store.IsStop(err) {
		return stream.Stop(err)
	}
	return err
}

// runner is the work on one shard for the time of one assignment.
type runner struct {
	*Consumer
	shard   Shard
	tally   *tally
	claim   *store.Claim
	flush   *store.Flush
	fields  events.Fields // the record at hand
	began   bool          // the first flush of the epoch is written
	checked time.Time     // when the claim was last seen to hold

	next     map[string]int64 // by topic: the offset after the last record read
	batch    map[string]*run  // by topic: what has been read since the last flush
	letters  []deadletter.Letter
	pending  int
	oldest   time.Time // when the oldest pending record was read
	takenAt  time.Time
	restored int
}

// run is a run of offsets of one topic that wait for the next flush.
type run struct {
	first    int64
	accounts store.Accounts
}

// count reads and flushes until ctx ends.
func (r *runner) count(ctx context.Context) error {
	for {
		wait := r.cfg.FlushEvery
		if r.pending > 0 {
			wait = max(0, r.cfg.FlushEvery-time.Since(r.oldest))
		}
		messages, err := r.shard.Fetch(ctx, wait)
		if err != nil {
			return errors.Join(err, r.lastFlush(ctx, err))
		}
		if err := r.holds(ctx); err != nil {
			return err
		}
		r.takeAll(messages)
		due := r.pending >= r.cfg.FlushRecords || r.pending > 0 && time.Since(r.oldest) >= r.cfg.FlushEvery
		if due {
			if err := r.write(ctx); err != nil {
				return err
			}
		}
		r.report()
	}
}

// holds looks now and then whether the claim still holds while there is nothing to write: somebody may have taken the
// partition, or ClickHouse may have been put back to an older state, in which case all is to be read again.
func (r *runner) holds(ctx context.Context) error {
	if r.pending > 0 || time.Since(r.checked) < r.cfg.CheckEvery {
		return nil
	}
	r.checked = time.Now()
	return r.claim.Check(ctx)
}

// lastFlush writes what was read before a stop, so that the decision to be made concerns nothing but the stop.
func (r *runner) lastFlush(ctx context.Context, err error) error {
	if !stream.IsStop(err) || r.pending == 0 {
		return nil
	}
	return r.write(ctx)
}

// write makes one flush: dead letters first, then the rows, the ledger at their end, then the group's offsets.
func (r *runner) write(ctx context.Context) error {
	if err := r.writeLetters(ctx); err != nil {
		return err
	}
	r.tally.changes(r.flush)
	return r.close(ctx)
}

func (r *runner) writeLetters(ctx context.Context) error {
	if len(r.letters) == 0 {
		return nil
	}
	return r.cfg.DeadLetters.Write(ctx, r.letters)
}

// close writes the flush with its ledger rows, and settles the accounts.
func (r *runner) close(ctx context.Context) error {
	if err := r.writeLedger(ctx); err != nil {
		return err
	}
	for topic, run := range r.batch {
		r.books.settle(r.shard.Partition(), topic, run.accounts)
	}
	if r.pending > 0 {
		r.metrics.flushed(r.pending, time.Since(r.oldest))
	}
	if err := r.shard.Commit(ctx, r.next); err != nil {
		r.cfg.Logger.Debug("the group's offsets were not committed; the ledger has them", "partition", r.shard.Partition(), "error", err)
	}
	r.newBatch()
	return nil
}

// writeLedger closes the flush with its ledger rows and writes it.
func (r *runner) writeLedger(ctx context.Context) error {
	now := time.Now()
	for _, topic := range r.cfg.Topics {
		run := r.batch[topic]
		if run.accounts.Read() == 0 && r.began {
			continue // this flush is of the other topic
		}
		r.flush.Ledger(store.Entry{Topic: topic, FirstOffset: run.first, NextOffset: r.next[topic],
			Accounts: run.accounts, Consumer: r.cfg.Name, At: now})
	}
	if err := r.claim.Write(ctx, r.flush, r.next); err != nil {
		return err
	}
	r.flush.Clear()
	r.began, r.checked = true, time.Now()
	return nil
}

func (r *runner) newBatch() {
	r.batch = make(map[string]*run, len(r.cfg.Topics))
	for _, topic := range r.cfg.Topics {
		r.batch[topic] = &run{first: r.next[topic]}
	}
	r.letters, r.pending = nil, 0
}

// report says how far behind the partition is.
func (r *runner) report() {
	behind, known := int64(0), true
	for _, topic := range r.cfg.Topics {
		end := r.shard.HighWatermark(topic)
		known = known && end >= 0
		behind += max(0, end-r.next[topic])
	}
	r.state.report(r.shard.Partition(), known, behind+int64(r.pending))
}
