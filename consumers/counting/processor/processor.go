// Package processor is the consumer process: it reads one Kafka partition of both topics, keeps every person's facts,
// reconciles them, and writes facts, returns, counts and the ledger to ClickHouse.
//
// It promises that each record ends in exactly one account, and that what is stored depends on the set of facts
// alone: positions come from the ledger in ClickHouse, derived rows carry absolute values under the epoch of the
// claim, and at each takeover what is stored is compared with what the facts come to. It never skips a record:
// what cannot be understood is in the dead letters before the ledger says that it was read. When ClickHouse or the
// dead letters do not answer, it waits; when they refuse for good, the partition stops and says why.
package processor

import (
	"context"
	"errors"
	"sync"
	"time"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
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
	SeekAfter(topic string, offset int64, fingerprint uint64)
	Fetch(ctx context.Context, maxWait time.Duration) ([]stream.Message, error)
	HighWatermark(topic string) int64
	Commit(ctx context.Context, offsets map[string]int64) error
}

var _ Shard = (*stream.Shard)(nil)

// Processor counts the shards that fall to this process.
type Processor struct {
	cfg        Config
	started    time.Time
	partitions []int
	books      *books
	metrics    *metrics
	state      *progress

	mu     sync.Mutex
	parked map[int]*runner // by partition, from an assignment that is over
}

// New makes a consumer. The error is for wrong settings.
func New(cfg Config) (*Processor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Processor{cfg: cfg.withDefaults(), started: time.Now(), partitions: stream.Partitions(cfg.Partitions), books: newBooks(), metrics: newMetrics(), state: newProgress(), parked: map[int]*runner{}}
	if cfg.Registerer != nil {
		c.metrics.register(cfg.Registerer, c.books, c.state)
	}
	return c, nil
}

// Run counts one shard until ctx ends or its run is over: it is a stream.RunFunc. A stop error says that a person has
// to act; any other error is worth another try.
func (c *Processor) Run(ctx context.Context, shard *stream.Shard) (err error) {
	labelled(ctx, shard.Partition(), func(ctx context.Context) { err = c.run(ctx, shard) })
	return err
}

// runner is the work on one Kafka partition for the time of one claim.
type runner struct {
	*Processor
	assignment
	tally   *tally
	claim   *store.Claim
	fields  events.Fields // the record at hand
	began   bool          // the first flush of the epoch is written
	settled bool          // the assignment is over, and all that was read is stored
	stopped bool          // it ended with a stop: a decision may change where reading goes on
	checked time.Time     // when the claim was last seen to hold

	next     map[string]int64    // by topic: the offset after the last record read
	prints   map[string]uint64   // by topic: the fingerprint of that record, when it is known
	logs     map[string]int      // by topic: see ledger.Origin.Log
	segments map[string]*segment // by topic
	ends     []map[string]int64  // where flushes must end that older epochs announced: see store.Claim.Announced
	carried  []ledger.Entry      // rows of the ledger that the first flush of the epoch writes: sums of earlier epochs' rows
	begins   []ledger.Entry      // by topic, the first row of the epoch: from there on no earlier epoch's row holds
	stored   *ledger.Audit       // facts are stored beyond the position; nil: none
	batch                        // what has been read since the last flush
	flight   *flight             // the flush on its way; nil: none
	spare    *store.Flush        // empty, for the next batch; nil: it is on its way
	takenAt  time.Time
	restored int
}

// batch is what goes into one flush.
type batch struct {
	flush   *store.Flush
	runs    map[string]*run // by topic
	letters []deadletter.Letter
	pending int       // offsets
	bytes   int       // of their keys and values
	oldest  time.Time // when the first of them was read
	due     time.Time // when they are to be written
}

// run is a run of offsets of one topic that wait for the next flush.
type run struct {
	first    int64
	accounts ledger.Accounts
	arrivals []arrival
}

// count reads and flushes until ctx ends. While a flush is on its way the next batch is read; when that is full, and the
// flush has not landed yet, reading waits.
func (r *runner) count(ctx context.Context) error {
	for ; len(r.ends) > 0; r.ends = r.ends[1:] {
		if err := r.readTo(ctx, r.ends[0]); err != nil {
			return r.leave(err)
		}
		if err := r.writeNow(); err != nil {
			return err
		}
	}
	for {
		r.metrics.persons(r.shard.Partition(), r.tally.facts)
		messages, err := r.shard.Fetch(ctx, r.patience())
		if err != nil {
			return r.leave(err)
		}
		if err := r.holds(); err != nil {
			return err
		}
		r.takeAll(messages)
		full := r.full()
		if err := r.land(full); err != nil {
			return err
		}
		if r.flight == nil && (full || r.pending > 0 && !time.Now().Before(r.due)) {
			if err := r.send(); err != nil {
				return err
			}
		}
		r.report()
	}
}

// full reports whether the batch is as large as a flush may be.
func (r *runner) full() bool { return r.pending >= r.cfg.FlushRecords || r.bytes >= r.cfg.FlushBytes }

// landing is how often a flush that is on its way is looked after while no records come.
const landing = 10 * time.Millisecond

// patience is how long to wait for records.
func (r *runner) patience() time.Duration {
	switch {
	case r.flight != nil:
		return landing
	case r.pending > 0:
		return max(0, time.Until(r.due))
	}
	return r.cfg.FlushEvery
}

// dueAt is when a record read now is to be written: at the next of the moments that lie FlushEvery apart, the same for
// all partitions of the process, so that their flushes go together.
func (c *Processor) dueAt(now time.Time) time.Time {
	return c.started.Add((now.Sub(c.started)/c.cfg.FlushEvery + 1) * c.cfg.FlushEvery)
}

// holds looks now and then whether the claim still holds while there is nothing to write: another process may have taken the
// partition, or ClickHouse may have been restored to an older state, in which case all is to be read again.
func (r *runner) holds() error {
	if r.pending > 0 || r.flight != nil || time.Since(r.checked) < r.cfg.CheckEvery {
		return nil
	}
	r.checked = time.Now()
	return r.claim.Check(r.work)
}

// leave writes what was read before a stop, so that the decision to be made concerns nothing but the stop; and before
// the partition goes to another member, so that it need not be read again. It returns why, and what went wrong.
func (r *runner) leave(why error) error {
	if !stream.IsStop(why) && (r.cfg.LeaveWithin == 0 || r.work.Err() != nil) {
		return why
	}
	if err := r.land(true); err != nil {
		return errors.Join(why, err)
	}
	if r.pending > 0 {
		if err := r.writeNow(); err != nil {
			return errors.Join(why, err)
		}
	}
	r.settled, r.stopped = true, stream.IsStop(why)
	return why
}

// report says how far behind the partition is.
func (r *runner) report() {
	behind, known := int64(0), true
	for _, topic := range r.cfg.Topics {
		end := r.shard.HighWatermark(topic)
		known = known && end >= 0
		behind += max(0, end-r.next[topic])
	}
	if r.flight != nil {
		behind += int64(r.flight.pending)
	}
	r.state.report(r.shard.Partition(), known, behind+int64(r.pending))
}
