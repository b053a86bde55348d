package returns

import (
	"context"
	"fmt"
	"slices"
	"time"

	"retorno/consumers/beat"
	"retorno/consumers/store"
	"retorno/consumers/stream"
)

// assignment is the time in which the group gives a partition to this process.
type assignment struct {
	shard Shard
	pulse *pulse
	work  context.Context // ends some time after it: what has been read is written until then
}

func (c *Consumer) run(ctx context.Context, shard Shard) error {
	partition := shard.Partition()
	c.books.open(partition, c.cfg.Topics)
	pulse := c.state.began(partition)
	ctx = beat.With(ctx, pulse.beat)
	defer func() {
		c.books.close(partition)
		c.state.ended(partition)
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
	c.keep(partition, r)
	if store.IsFenced(err) {
		c.metrics.fenced.Inc()
	}
	if store.IsStop(err) {
		return stream.Stop(err)
	}
	return err
}

// workFor is the context of what is written: it ends with the assignment, or LeaveWithin later.
func (c *Consumer) workFor(ctx context.Context) (context.Context, context.CancelFunc) {
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

// begin goes on where this process was when it had the partition last, if nobody has had it since and all is as it was
// left; else it takes the partition over.
func (c *Consumer) begin(ctx context.Context, a assignment) (*runner, error) {
	r := c.take(a.shard.Partition())
	if r != nil {
		r.assignment = a
		err := r.claim.Check(ctx)
		if err == nil {
			r.goOn()
			return r, nil
		}
		if !store.IsFenced(err) {
			return r, err
		}
		r.claim.Close()
	}
	r = &runner{Consumer: c, assignment: a, tally: newTally(), next: map[string]int64{}, prints: map[string]uint64{}}
	return r, r.takeOver(ctx)
}

// goOn begins to read after the last record that is stored.
func (r *runner) goOn() {
	r.settled, r.checked = false, time.Now()
	r.seek()
	r.metrics.resumed.Inc()
	r.cfg.Logger.Info("partition goes on", "partition", r.shard.Partition(), "epoch", r.claim.Epoch(), "next", fmt.Sprint(r.next))
}

// keep keeps what a runner knows for the next assignment, when all of it is stored.
func (c *Consumer) keep(partition int, r *runner) {
	if !r.settled {
		if r.claim != nil {
			r.claim.Close()
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[partition] = r
}

func (c *Consumer) take(partition int) *runner {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.kept[partition]
	delete(c.kept, partition)
	return r
}

// Assigned says which partitions this process has from now on; nothing is kept of the others. It is called before the
// first of them is run.
func (c *Consumer) Assigned(partitions []int) {
	c.state.assigned(partitions)
	c.mu.Lock()
	defer c.mu.Unlock()
	for partition, r := range c.kept {
		if !slices.Contains(partitions, partition) {
			r.claim.Close()
			delete(c.kept, partition)
		}
	}
}
