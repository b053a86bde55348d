package stream

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/consumers/counting/beat"
)

// Shard is one partition number of all topics, for the time of one run. Its
// methods are for one goroutine, the run's; Partition, Generation,
// HighWatermark, LogStart and Commit may be called from others too.
type Shard struct {
	c         *Consumer
	gen       *kafkago.Generation
	partition int
	queues    []*queue
	byTopic   map[string]*queue

	ctx     context.Context
	end     context.CancelFunc
	feeding sync.WaitGroup

	wake chan struct{} // something to hand out, or a failure
	well func()        // called once every topic has been fetched well
	next int           // the queue to look at first, so that none starves

	wellOnce sync.Once

	mu     sync.Mutex
	failed error
}

func newShard(c *Consumer, gen *kafkago.Generation, partition, budget int) *Shard {
	ctx, end := context.WithCancel(context.Background())
	s := &Shard{
		c: c, gen: gen, partition: partition,
		byTopic: make(map[string]*queue),
		ctx:     ctx, end: end,
		wake: make(chan struct{}, 1),
		well: func() {},
	}
	for _, t := range c.cfg.Topics {
		f := newQueue(s, t, budget)
		if gen != nil {
			f.start = committedTo(gen, t, partition)
			// What is behind is to be known also before and between fetches.
			s.feeding.Go(func() { f.watchEnd(ctx) })
		}
		s.queues = append(s.queues, f)
		s.byTopic[t] = f
	}
	return s
}

// committedTo returns where the group has come to, or the start of the log.
func committedTo(gen *kafkago.Generation, topic string, partition int) int64 {
	for _, a := range gen.Assignments[topic] {
		if a.ID == partition {
			return a.Offset
		}
	}
	return kafkago.FirstOffset
}

// Partition returns the shard's number.
func (s *Shard) Partition() int { return s.partition }

// Generation numbers the group's division that gave out this shard; -1 for one
// outside of any group.
func (s *Shard) Generation() int32 {
	if s.gen == nil {
		return -1
	}
	return s.gen.ID
}

// Seek sets the next offset to hand out of topic, whatever the group has
// committed. Messages fetched and not delivered are forgotten. Without it
// reading begins at the group's committed offset, or at the start of the log.
// It panics on a topic that is not the shard's.
func (s *Shard) Seek(topic string, offset int64) { s.queue(topic).seek(offset, mark{}) }

// SeekAfter sets the last message that was read of topic, by its offset and its
// Fingerprint: reading goes on after it, as with Seek. A log that holds another
// message there, or that ends before it, is not the log that was read; then the
// shard stops before anything of it is delivered.
func (s *Shard) SeekAfter(topic string, offset int64, fingerprint uint64) {
	s.queue(topic).seek(offset+1, mark{offset: offset, print: fingerprint})
}

// HighWatermark returns the offset after the last message of topic, as seen within Config.EndTimeout; -1 while it is
// not known.
func (s *Shard) HighWatermark(topic string) int64 { return s.queue(topic).status().HighWatermark }

// LogStart returns the first offset of topic that still exists, as seen within Config.EndTimeout; -1 while it is not
// known.
func (s *Shard) LogStart(topic string) int64 { return s.queue(topic).status().LogStart }

// Fetch returns the next messages of one of the topics, in order and without
// a gap, as soon as there are any; an empty slice after maxWait. The slice is
// the caller's. A stop error says that this shard cannot go on; messages that
// precede the trouble have been delivered before. When ctx or the shard ends
// it returns the context's error.
func (s *Shard) Fetch(ctx context.Context, maxWait time.Duration) ([]Message, error) {
	beat.Beat(ctx)
	for _, f := range s.queues {
		f.run()
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.failure(); err != nil {
			return nil, err
		}
		for i := range s.queues {
			f := s.queues[(s.next+i)%len(s.queues)]
			msgs, err := f.pop()
			if err != nil {
				return nil, err
			}
			if len(msgs) > 0 {
				s.next = (s.next + i + 1) % len(s.queues)
				return msgs, nil
			}
		}
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
			return nil, nil
		}
	}
}

// Commit tells the group how far topics have been dealt with: the offset of
// the next message wanted. It goes through the generation that gave out the
// shard, so that the broker refuses it from a member that has lost it. A
// failed commit does no harm; the position is kept elsewhere.
func (s *Shard) Commit(ctx context.Context, offsets map[string]int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.gen == nil {
		return errNoGroup
	}
	commit := make(map[string]map[int]int64, len(offsets))
	for topic, offset := range offsets {
		s.queue(topic)
		commit[topic] = map[int]int64{s.partition: offset}
	}
	if err := s.gen.CommitOffsets(commit); err != nil {
		s.c.metrics.commits.WithLabelValues("failed").Inc()
		return fmt.Errorf("stream: commit of partition %d in generation %d: %w", s.partition, s.gen.ID, err)
	}
	s.c.metrics.commits.WithLabelValues("ok").Inc()
	return nil
}

func (s *Shard) queue(topic string) *queue {
	f := s.byTopic[topic]
	if f == nil {
		panic("stream: topic " + strconv.Quote(topic) + " is not one of the shard's")
	}
	return f
}

// fail makes Fetch return err from now on.
func (s *Shard) fail(err error) {
	s.mu.Lock()
	if s.failed == nil {
		s.failed = err
	}
	s.mu.Unlock()
	s.notify()
}

func (s *Shard) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *Shard) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// fetched is told of each good answer, and passes on that all is well.
func (s *Shard) fetched() {
	for _, f := range s.queues {
		if !f.fetchedWell() {
			return
		}
	}
	s.wellOnce.Do(s.well)
}

// halt ends fetching. The ends of the logs are still asked for.
func (s *Shard) halt() {
	for _, f := range s.queues {
		f.end()
	}
}

// Close ends fetching and waits for it. The shards of a run are closed some time after it has returned.
func (s *Shard) Close() {
	s.end()
	s.feeding.Wait()
	s.halt()
}

func (s *Shard) status() []TopicStatus {
	out := make([]TopicStatus, len(s.queues))
	for i, f := range s.queues {
		out[i] = f.status()
	}
	return out
}
