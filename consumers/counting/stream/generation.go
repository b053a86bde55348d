package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
)

// generation is one division of the group as this member sees it. It ends when
// the group is divided again, when the member leaves, or when a run fails.
type generation struct {
	c   *Consumer
	gen *kafkago.Generation

	mu     sync.Mutex
	halt   error // stops every shard, or nil
	shards map[*Shard]struct{}
}

// generation works on gen until it ends.
func (c *Consumer) generation(ctx context.Context, gen *kafkago.Generation, run RunFunc) {
	partitions, mismatch := sharedPartitions(gen, c.cfg.Topics)
	c.log.Info("stream: joined", "group", c.cfg.Group, "generation", gen.ID, "shards", partitions)
	c.cfg.Assigned(partitions)
	c.board.joined(gen.ID, partitions)
	c.metrics.assigned.Set(float64(len(partitions)))
	g := &generation{c: c, gen: gen, halt: mismatch, shards: make(map[*Shard]struct{})}

	// The runs end with the generation, not with ctx: closing the group ends
	// the generation, and runs may still commit then.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	gen.Start(func(over context.Context) {
		<-over.Done()
		end()
	})
	var working sync.WaitGroup
	if mismatch == nil {
		working.Add(1)
		gen.Start(func(context.Context) {
			defer working.Done()
			g.watch(live)
		})
	}
	for _, p := range partitions {
		working.Add(1)
		gen.Start(func(context.Context) {
			defer working.Done()
			g.shard(live, p, len(partitions), run)
		})
	}
	<-live.Done()
	working.Wait()
	c.metrics.assigned.Set(0)
	for _, p := range partitions {
		c.metrics.gone(p)
	}
	c.board.left("the group is being divided again")
}

// sharedPartitions returns the partition numbers of this member. The error is
// a stop error: the topics do not give the same ones.
func sharedPartitions(gen *kafkago.Generation, topics []string) ([]int, error) {
	var all []int
	byTopic := make(map[string][]int)
	for _, t := range topics {
		for _, a := range gen.Assignments[t] {
			byTopic[t] = append(byTopic[t], a.ID)
			if !slices.Contains(all, a.ID) {
				all = append(all, a.ID)
			}
		}
		slices.Sort(byTopic[t])
	}
	slices.Sort(all)
	for _, t := range topics {
		if !slices.Equal(byTopic[t], all) {
			return all, &StopError{Reason: ReasonAssignment, Topic: t, Partition: -1, Err: fmt.Errorf(
				"the group gave this member partitions %v of it but %v of all topics together; every member must read the same topics with the same program", byTopic[t], all)}
		}
	}
	return all, nil
}

// watch looks after what members cannot see from their own partitions. It halts every shard while a topic has another
// number of partitions than expected, and returns, which ends the generation, when partitions have fallen to no member.
// One answer could be a corrupted one; two are not.
func (g *generation) watch(ctx context.Context) {
	const groupEvery = 5 // looks at the topics for one at the group
	wrong, incomplete := 0, 0
	for look := 1; sleep(ctx, g.c.cfg.CheckEvery); look++ {
		err := g.c.checkTopics(ctx)
		var stop *StopError
		if !errors.As(err, &stop) || stop.Reason != ReasonPartitionCount {
			wrong = 0
			if err == nil {
				g.setHalt(nil)
			}
		} else if wrong++; wrong >= 2 {
			g.setHalt(stop)
		}
		if look%groupEvery != 0 {
			continue
		}
		if incomplete = g.incomplete(ctx, incomplete); incomplete >= 2 {
			return
		}
	}
}

// incomplete returns how often in a row partitions were found that no member has.
func (g *generation) incomplete(ctx context.Context, before int) int {
	n, err := g.c.cluster.unassigned(ctx, g.c.cfg.Group, g.c.cfg.Partitions)
	if err != nil || n < 0 {
		return before // it may be divided again at this moment
	}
	g.c.metrics.unassigned.Set(float64(n))
	if n == 0 {
		return 0
	}
	g.c.log.Warn("stream: no member of the group has these partitions", "group", g.c.cfg.Group, "partitions", n, "looks", before+1)
	return before + 1
}

func (g *generation) setHalt(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.halt = err
	if err == nil {
		return
	}
	for s := range g.shards {
		s.fail(err)
	}
}

// open makes the shard, unless the generation is halted.
func (g *generation) open(partition, of int) (*Shard, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.halt != nil {
		return nil, g.halt
	}
	s := newShard(g.c, g.gen, partition, g.c.cfg.PrefetchBytes/of/len(g.c.cfg.Topics))
	// A shard that stopped before is well again once all of its topics are fetched.
	s.well = func() {
		g.c.metrics.unstop(partition)
		g.c.board.stopped(partition, nil)
	}
	g.shards[s] = struct{}{}
	g.c.board.running(partition, s)
	return s, nil
}

func (g *generation) close(s *Shard) {
	s.Close()
	g.mu.Lock()
	delete(g.shards, s)
	g.mu.Unlock()
}

// shard runs one shard until ctx ends. Its return ends the generation, so a
// shard that has stopped stays here.
func (g *generation) shard(ctx context.Context, partition, of int, run RunFunc) {
	for ctx.Err() == nil {
		s, err := g.open(partition, of)
		if err == nil {
			err = run(ctx, s)
			s.halt()
		}
		again := g.judge(ctx, partition, err)
		if s != nil {
			g.close(s)
		}
		if !again {
			return
		}
	}
}

// judge waits for as long as the error of a run asks for, and reports whether the shard is to be run again.
func (g *generation) judge(ctx context.Context, partition int, err error) bool {
	switch {
	case ctx.Err() != nil:
		if err != nil && !errors.Is(err, context.Canceled) {
			g.c.log.Warn("stream: shard did not end cleanly", "partition", partition, "error", err)
		}
		return false
	case err == nil:
		<-ctx.Done()
		return false
	case !IsStop(err):
		g.c.metrics.retried(retryRun)
		g.c.log.Error("stream: shard failed, joining the group again", "partition", partition, "error", err)
		sleep(ctx, g.c.cfg.MaxBackoff)
		return false
	}
	reason, _ := stopReason(err)
	g.c.metrics.stop(partition, reason)
	g.c.board.stopped(partition, err)
	g.c.log.Error("stream: shard stopped, will be looked at again", "partition", partition, "reason", reason, "after", g.c.cfg.StopRetry, "error", err)
	// What the group gave can only be another after joining it again.
	return sleep(ctx, g.c.cfg.StopRetry) && reason != ReasonAssignment
}
