package command

import (
	"context"
	"fmt"
	"time"

	"retorno/deploy/ops"
)

// longestPause is the longest that the consumer pauses between two attempts at anything.
const longestPause = 5 * time.Second

// Validate names what cannot be, and refuses a watchdog that would take a wait for a goroutine that hangs.
func (c *consumeCommand) Validate() error {
	if err := checkAll(above("flush-every", c.FlushEvery), above("flush-records", c.FlushRecords), above("leave-within", c.LeaveWithin),
		above("stall-after", c.StallAfter), above("kafka-session-timeout", c.SessionTimeout), above("kafka-rebalance-timeout", c.RebalanceTimeout),
		above("kafka-fail-after", c.FailAfter), checkAddress("ops-listen", c.OpsListen)); err != nil {
		return err
	}
	least := 2 * max(c.FlushEvery, c.Kafka.RequestTimeout, c.ClickHouse.Timeout, longestPause)
	if c.StallAfter < least {
		return fmt.Errorf("--stall-after %s: must be %s at least: twice --flush-every, --kafka-request-timeout, --clickhouse-timeout and a pause of %s",
			c.StallAfter, least, longestPause)
	}
	return nil
}

// run counts until ctx ends, or until a partition hangs: what hangs cannot be waited for, so the end of the process
// has to free its partitions. The position is in the ledger, so nothing is lost by an end at any place.
func (c *counting) run(ctx context.Context) error {
	watching, enough := context.WithCancel(ctx)
	defer enough()
	counted, stalled := make(chan error, 1), make(chan error, 1)
	go func() {
		counted <- ops.Protect("consumer", func() error { return c.reader.Run(ctx, c.counter.Run) })
	}()
	go func() {
		if err := c.counter.Watch(watching); err != nil {
			stalled <- err
		}
	}()
	go c.counter.KeepStops(watching, c.reader.Status)
	go func() {
		// What agents say of themselves is no reason to count nothing.
		if err := ops.Protect("heartbeats", func() error { return c.beats.Run(watching) }); err != nil {
			c.log.Error("heartbeats of agents are taken in no more until this process is started again", "error", err)
		}
	}()
	select {
	case err := <-stalled:
		return err
	case err := <-counted:
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
}

// alive answers nil unless a partition of this process hangs.
func (c *counting) alive(context.Context) error { return c.counter.Stalled() }
