package stream

import (
	"context"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// queue holds what has been fetched of one topic of a shard and not yet
// delivered. A fetcher fills it; the shard's Fetch empties it.
type queue struct {
	shard  *Shard
	topic  string
	budget int // bytes from which on fetching waits
	start  int64
	last   mark // the message before start

	mu       sync.Mutex
	room     *sync.Cond // signalled when something was delivered or the fetcher is to end
	queue    []*batch
	bytes    int
	position int64 // next to hand out; -1 before the fetcher knows
	log      bounds
	health   health
	err      error
	stop     context.CancelFunc // ends the running fetcher, or nil
	epoch    int                // which fetcher may put
}

// bounds are those of the log, as they were at a time.
type bounds struct {
	low, high int64 // -1 before they are known
	at        time.Time
}

// health is how fetching goes.
type health struct {
	good     time.Time // the last good answer to a fetch; zero: none yet
	failing  time.Time // since when no answer has been good; zero: the last one was
	failures int       // in a row
	trouble  string    // what is being retried, or waited for
	unknown  string    // why the end of the log cannot be asked for
}

func newQueue(s *Shard, topic string, budget int) *queue {
	f := &queue{shard: s, topic: topic, budget: budget, start: kafkago.FirstOffset, position: -1, log: bounds{low: -1, high: -1}}
	f.room = sync.NewCond(&f.mu)
	return f
}

// run starts the fetcher unless it runs.
func (f *queue) run() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(f.shard.ctx)
	f.stop = cancel
	ft := newFetcher(f)
	f.shard.feeding.Go(func() { ft.run(ctx) })
	// A fetcher that waits for room hears of its end through the condition.
	f.shard.feeding.Go(func() {
		<-ctx.Done()
		f.mu.Lock()
		f.room.Broadcast()
		f.mu.Unlock()
	})
}

// seek ends the fetcher; the next run starts at offset, in the log that holds
// last before it.
func (f *queue) seek(offset int64, last mark) {
	f.end()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.start, f.last, f.position, f.err, f.health = offset, last, offset, nil, health{}
}

// end ends the fetcher and forgets what was not delivered. What the fetcher brings from now on is not taken.
func (f *queue) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
	f.epoch++
	f.shard.c.metrics.prefetched.Sub(float64(f.bytes))
	f.queue, f.bytes = nil, 0
}

// pop returns the oldest batch, or the error that follows the last one.
func (f *queue) pop() ([]Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return nil, f.err
	}
	b := f.queue[0]
	f.queue[0] = nil
	f.queue = f.queue[1:]
	f.bytes -= b.size()
	f.shard.c.metrics.prefetched.Sub(float64(b.size()))
	f.position = b.messages[len(b.messages)-1].Offset + 1
	f.room.Signal()
	return b.messages, nil
}

// put adds a batch from the fetcher of that epoch.
func (f *queue) put(epoch int, b *batch) {
	f.mu.Lock()
	if epoch != f.epoch {
		f.mu.Unlock()
		return
	}
	f.queue = append(f.queue, b)
	f.bytes += b.size()
	f.shard.c.metrics.prefetched.Add(float64(b.size()))
	f.mu.Unlock()
	f.shard.notify()
}

// waitRoom waits until less than the budget is held, or ctx ends.
func (f *queue) waitRoom(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.bytes >= f.budget && len(f.queue) > 0 && ctx.Err() == nil {
		f.room.Wait()
	}
}

// begun notes where a fetcher begins that was told to begin at an end of the log.
func (f *queue) begun(epoch int, position int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch == f.epoch && f.position < 0 {
		f.position = position
	}
}

// saw notes the bounds of the log, whichever goroutine asked for them.
func (f *queue) saw(low, high int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = bounds{low: low, high: high, at: time.Now()}
	f.health.unknown = ""
}

// fetched notes a good answer to a fetch. waiting says what keeps the fetcher from reading on although there is more.
func (f *queue) fetched(epoch int, waiting string) {
	f.mu.Lock()
	taken := epoch == f.epoch
	if taken {
		f.health = health{good: time.Now(), trouble: waiting}
	}
	f.mu.Unlock()
	if taken {
		f.shard.fetched()
	}
}

// failed notes that a fetch failed, and returns since when none has been good.
func (f *queue) failed(epoch int, why string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch != f.epoch {
		return time.Now()
	}
	if f.health.failing.IsZero() {
		f.health.failing = time.Now()
	}
	f.health.failures++
	f.health.trouble = why
	return f.health.failing
}

// waited leaves out of a failure's age the time during which nothing was asked for want of room.
func (f *queue) waited(epoch int, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch == f.epoch && !f.health.failing.IsZero() {
		f.health.failing = f.health.failing.Add(d)
	}
}

// fail makes pop return err after what is held.
func (f *queue) fail(epoch int, err error) {
	f.mu.Lock()
	if epoch == f.epoch {
		f.err = err
	}
	f.mu.Unlock()
	f.shard.notify()
}

// watchEnd asks for the bounds of the log until ctx ends, over connections of its own, whenever no answer to a fetch
// has told them for a while: so that they are known also while fetching waits or fails.
func (f *queue) watchEnd(ctx context.Context) {
	every := f.shard.c.cfg.EndTimeout / 5
	for {
		if time.Since(f.ends().at) >= every {
			low, high, err := f.shard.c.cluster.bounds(ctx, f.topic, f.shard.partition, uncommitted)
			switch {
			case ctx.Err() != nil:
				return
			case err == nil:
				f.saw(low, high)
			default:
				f.mu.Lock()
				f.health.unknown = err.Error()
				f.mu.Unlock()
			}
		}
		if !sleep(ctx, every) {
			return
		}
	}
}

func (f *queue) ends() bounds {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log
}

// fetchedWell reports whether the last answer to a fetch was good.
func (f *queue) fetchedWell() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.health.good.IsZero() && f.health.failing.IsZero()
}

func (f *queue) status() TopicStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := TopicStatus{Topic: f.topic, Position: f.position, HighWatermark: f.log.high, LogStart: f.log.low, EndAt: f.log.at,
		FetchedAt: f.health.good, FailingSince: f.health.failing, Failures: f.health.failures, Trouble: f.health.trouble, lastEnd: f.log.high}
	if time.Since(f.log.at) > f.shard.c.cfg.EndTimeout {
		s.HighWatermark, s.LogStart = -1, -1
		if s.Trouble == "" && f.health.unknown != "" {
			s.Trouble = "the end of the log is not known: " + f.health.unknown
		}
	}
	return s
}
