package processor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
)

// assignment is the time in which the group gives a partition to this process.
type assignment struct {
	shard Shard
	pulse *pulse
	work  context.Context // ends some time after it: what has been read is written until then
}

func (c *Processor) run(ctx context.Context, shard Shard) error {
	partition := shard.Partition()
	c.books.open(partition, c.cfg.Topics)
	pulse := c.state.began(partition)
	ctx = beat.With(ctx, pulse.beat)
	defer func() {
		c.books.close(partition)
		c.state.ended(partition)
		c.metrics.ended(partition)
	}()
	work, cancel := c.workFor(ctx)
	defer cancel()
	r, err := c.begin(ctx, assignment{shard, pulse, work})
	if err == nil {
		err = r.count(ctx)
	}
	if r.flight != nil { // what becomes of it, the next assignment finds out
		cancel()
		c.cfg.Logger.Debug("a flush was on its way when the run ended", "partition", partition, "result", <-r.flight.done)
	}
	c.park(partition, r)
	if store.IsFenced(err) {
		c.metrics.fenced.Inc()
	}
	if store.IsStop(err) {
		return stream.Stop(err)
	}
	return err
}

// workFor is the context of what is written: it ends with the assignment, or LeaveWithin later.
func (c *Processor) workFor(ctx context.Context) (context.Context, context.CancelFunc) {
	within := c.cfg.LeaveWithin
	if within == 0 {
		return context.WithCancel(ctx)
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(within, cancel) })
	return work, func() {
		stop()
		cancel()
	}
}

// begin goes on where this process was when it had the partition last, if no other process has had it since and all is as it was
// left; else it takes the partition over.
func (c *Processor) begin(ctx context.Context, a assignment) (*runner, error) {
	if r := c.unpark(a.shard.Partition()); r != nil {
		r.assignment = a
		asLeft, err := r.asLeft(ctx)
		if err == nil && asLeft {
			r.goOn()
		}
		if err != nil || asLeft {
			return r, err
		}
		r.claim.Close()
	}
	r := &runner{Processor: c, assignment: a, tally: newTally(), next: map[string]int64{}, prints: map[string]uint64{},
		logs: map[string]int{}, segments: map[string]*segment{}}
	r.tally.alive = func() { beat.Beat(r.work) }
	return r, r.takeOver(ctx)
}

// asLeft reports whether the claim still holds and, after a stop, that no decision says where else reading goes on.
func (r *runner) asLeft(ctx context.Context) (bool, error) {
	if err := r.claim.Check(ctx); err != nil {
		if store.IsFenced(err) {
			err = nil
		}
		return false, err
	}
	if !r.stopped {
		return true, nil
	}
	decisions, err := r.cfg.Store.Decisions(ctx, r.shard.Partition())
	return !slices.ContainsFunc(decisions, func(d store.Decision) bool { return d.Log == r.logs[d.Topic] && d.Position == r.next[d.Topic] }), err
}

// goOn begins to read after the last record that is stored.
func (r *runner) goOn() {
	if !r.stopped {
		r.metrics.resumed.Inc()
	}
	r.settled, r.stopped, r.checked = false, false, time.Now()
	r.seek()
	r.metrics.epochs.WithLabelValues(strconv.Itoa(r.shard.Partition())).Set(float64(r.claim.Epoch()))
	r.cfg.Logger.Info("partition goes on", "partition", r.shard.Partition(), "epoch", r.claim.Epoch(), "next", fmt.Sprint(r.next))
}

// park keeps what a runner knows for the next assignment, when all of it is stored.
func (c *Processor) park(partition int, r *runner) {
	if !r.settled {
		if r.claim != nil {
			r.claim.Close()
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parked[partition] = r
}

func (c *Processor) unpark(partition int) *runner {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.parked[partition]
	delete(c.parked, partition)
	return r
}

// Assigned says which partitions this process has from now on; nothing is kept of the others. It is called before the
// first of them is run.
func (c *Processor) Assigned(partitions []int) {
	c.state.assigned(partitions)
	c.mu.Lock()
	defer c.mu.Unlock()
	for partition, r := range c.parked {
		if !slices.Contains(partitions, partition) {
			r.claim.Close()
			delete(c.parked, partition)
		}
	}
}
