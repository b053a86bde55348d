package processor

import (
	"context"
	"errors"
	"time"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
)

// stopsEvery is how often the stops of this process are compared with what is written down of them.
const stopsEvery = 2 * time.Second

// KeepStops writes down in ClickHouse, until ctx ends, which partitions of this process have stopped and which read on
// again, so that other programs see it: `retorno partition list`, and `retorno publish`, which publishes nothing
// meanwhile. status is that of the stream. A write that fails is made again at the next turn.
func (c *Processor) KeepStops(ctx context.Context, status func() stream.Status) {
	kept := map[int]store.Stop{} // what is written down of the partitions of this process
	known := map[int]bool{}      // those of which it was looked up
	ticks := time.NewTicker(stopsEvery)
	defer ticks.Stop()
	for {
		if err := c.keepStops(ctx, status(), kept, known); err != nil && ctx.Err() == nil {
			c.cfg.Logger.Warn("which partitions have stopped could not be written down", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (c *Processor) keepStops(ctx context.Context, status stream.Status, kept map[int]store.Stop, known map[int]bool) error {
	if err := c.learnStops(ctx, status, kept, known); err != nil {
		return err
	}
	for _, shard := range status.Shards {
		old, was := kept[shard.Partition]
		now, stopped := c.stopOf(shard)
		switch {
		case stopped && was && old.Reason == now.Reason && old.Topic == now.Topic && old.Position == now.Position && old.Found == now.Found:
			continue
		case stopped:
			if was {
				now.Since = old.Since
			}
			if was && old.Topic != now.Topic {
				if err := c.cfg.Store.KeepStop(ctx, old, true); err != nil {
					return err
				}
			}
			if err := c.cfg.Store.KeepStop(ctx, now, false); err != nil {
				return err
			}
			kept[shard.Partition] = now
		case was && reads(shard):
			if err := c.cfg.Store.KeepStop(ctx, old, true); err != nil {
				return err
			}
			delete(kept, shard.Partition)
		}
	}
	return nil
}

// learnStops looks up once what another process wrote down of the partitions that this one has now.
func (c *Processor) learnStops(ctx context.Context, status stream.Status, kept map[int]store.Stop, known map[int]bool) error {
	now, fresh := map[int]bool{}, false
	for _, shard := range status.Shards {
		now[shard.Partition] = true
		fresh = fresh || !known[shard.Partition]
	}
	for partition := range known {
		if !now[partition] {
			delete(known, partition)
			delete(kept, partition)
		}
	}
	if !fresh {
		return nil
	}
	all, err := c.cfg.Store.Stops(ctx)
	if err != nil {
		return err
	}
	for _, stop := range all {
		if now[stop.Partition] && !known[stop.Partition] {
			kept[stop.Partition] = stop
		}
	}
	for partition := range now {
		known[partition] = true
	}
	return nil
}

// stopOf is the stop that a shard's status tells of.
func (c *Processor) stopOf(shard stream.ShardStatus) (store.Stop, bool) {
	if shard.Stopped == "" {
		return store.Stop{}, false
	}
	stop := store.Stop{Partition: shard.Partition, Reason: shard.Stopped, Detail: shard.Err.Error(), Found: -1, Since: time.Now(), Consumer: c.cfg.Name}
	var gap *stream.GapError
	var other *stream.StopError
	switch {
	case errors.As(shard.Err, &gap):
		stop.Topic, stop.Position, stop.Found = gap.Topic, gap.Position, gap.Found
	case errors.As(shard.Err, &other):
		stop.Topic = other.Topic
		for _, t := range shard.Topics {
			if t.Topic == other.Topic {
				stop.Position = max(0, t.Position)
			}
		}
	}
	return stop, true
}

// reads reports whether a shard is read again: the ends of its logs are known and nothing is retried.
func reads(shard stream.ShardStatus) bool {
	for _, t := range shard.Topics {
		if t.HighWatermark < 0 || t.Trouble != "" {
			return false
		}
	}
	return len(shard.Topics) > 0
}
