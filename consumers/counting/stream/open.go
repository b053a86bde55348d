package stream

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errNoGroup is what a shard outside of any group says to a commit.
var errNoGroup = errors.New("stream: this shard belongs to no group; nothing can be committed")

// Bounds returns the first offset of a partition that still exists and the one
// up to which it can be read: after its last, or where the first transaction
// begins that is still open. It tries until ctx ends, except when the topic is missing
// for long or the broker refuses the credentials.
func (c *Consumer) Bounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	start := time.Now()
	backoff := c.cfg.MinBackoff
	for {
		if err = c.checkTopics(ctx); err == nil {
			if first, end, err = c.cluster.bounds(ctx, topic, partition, committed); err == nil {
				return first, end, nil
			}
		}
		var stop *StopError
		if errors.As(err, &stop) && (stop.Reason != ReasonTopicMissing || time.Since(start) > c.cfg.TopicGrace) {
			return 0, 0, err
		}
		if !sleep(ctx, backoff) {
			return 0, 0, fmt.Errorf("stream: bounds of topic %s, partition %d: %w (last failure: %w)", topic, partition, ctx.Err(), err)
		}
		backoff = min(2*backoff, c.cfg.MaxBackoff)
	}
}

// Open returns a shard outside of the group, for a caller that reads a partition on
// its own account. It begins at the start of the log unless told otherwise by
// Seek, cannot commit, and is to be closed.
func (c *Consumer) Open(partition int) *Shard {
	return newShard(c, nil, partition, c.cfg.PrefetchBytes/len(c.cfg.Topics))
}

// Close closes the connections of a consumer that is not run.
func (c *Consumer) Close() error {
	c.cluster.close()
	return nil
}
