package stream

import (
	"context"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// feed holds what has been fetched of one topic of a shard and not yet handed
// out. A fetcher fills it; the shard's Fetch empties it.
type feed struct {
	shard  *Shard
	topic  string
	budget int // bytes from which on fetching waits
	start  int64
	last   mark // the message before start
	lag    prometheus.Gauge

	mu       sync.Mutex
	room     *sync.Cond // signalled when something was handed out or the fetcher is to end
	queue    []*batch
	bytes    int
	position int64 // next to hand out; -1 before the fetcher knows
	high     int64
	low      int64
	trouble  string
	err      error
	stop     context.CancelFunc // ends the running fetcher, or nil
	epoch    int                // which fetcher may put
}

func newFeed(s *Shard, topic string, budget int) *feed {
	f := &feed{
		shard: s, topic: topic, budget: budget,
		start: kafka.FirstOffset, position: -1, high: -1, low: -1,
		lag: s.c.metrics.lag.WithLabelValues(topic, strconv.Itoa(s.partition)),
	}
	f.room = sync.NewCond(&f.mu)
	return f
}

// run starts the fetcher unless it runs.
func (f *feed) run() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(f.shard.ctx)
	f.stop = cancel
	ft := &fetcher{feed: f, cluster: f.shard.c.cluster, cfg: f.shard.c.cfg, metrics: f.shard.c.metrics,
		log:   f.shard.c.log.With("topic", f.topic, "partition", f.shard.partition),
		topic: f.topic, partition: f.shard.partition, epoch: f.epoch, position: f.start, last: f.last}
	f.shard.feeding.Add(2)
	go func() {
		defer f.shard.feeding.Done()
		ft.run(ctx)
	}()
	// A fetcher that waits for room hears of its end through the condition.
	go func() {
		defer f.shard.feeding.Done()
		<-ctx.Done()
		f.mu.Lock()
		f.room.Broadcast()
		f.mu.Unlock()
	}()
}

// seek ends the fetcher; the next run starts at offset, in the log that holds
// last before it.
func (f *feed) seek(offset int64, last mark) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
	f.epoch++
	f.clear()
	f.start, f.last, f.position, f.err, f.trouble = offset, last, offset, nil, ""
}

// drop forgets what was not handed out.
func (f *feed) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.epoch++
	f.clear()
}

func (f *feed) clear() {
	f.shard.c.metrics.prefetched.Sub(float64(f.bytes))
	f.queue, f.bytes = nil, 0
}

// pop returns the oldest batch, or the error that follows the last one.
func (f *feed) pop() ([]Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return nil, f.err
	}
	b := f.queue[0]
	f.queue[0] = nil
	f.queue = f.queue[1:]
	f.bytes -= b.bytes
	f.shard.c.metrics.prefetched.Sub(float64(b.bytes))
	f.position = b.messages[len(b.messages)-1].Offset + 1
	f.lag.Set(float64(max(0, f.high-f.position)))
	f.room.Signal()
	return b.messages, nil
}

// put adds a batch from the fetcher of that epoch.
func (f *feed) put(epoch int, b *batch) {
	f.mu.Lock()
	if epoch != f.epoch {
		f.mu.Unlock()
		return
	}
	f.queue = append(f.queue, b)
	f.bytes += b.bytes
	f.shard.c.metrics.prefetched.Add(float64(b.bytes))
	f.mu.Unlock()
	f.shard.notify()
}

// waitRoom waits until less than the budget is held, or ctx ends.
func (f *feed) waitRoom(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.bytes >= f.budget && len(f.queue) > 0 && ctx.Err() == nil {
		f.room.Wait()
	}
}

// saw notes the bounds of the log.
func (f *feed) saw(epoch int, position, low, high int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch != f.epoch {
		return
	}
	if f.position < 0 {
		f.position = position
	}
	f.low, f.high = low, high
	f.lag.Set(float64(max(0, f.high-f.position)))
}

// troubled notes what is being retried; the empty text clears it.
func (f *feed) troubled(epoch int, what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch == f.epoch {
		f.trouble = what
	}
}

// fail makes pop return err after what is held.
func (f *feed) fail(epoch int, err error) {
	f.mu.Lock()
	if epoch == f.epoch {
		f.err = err
	}
	f.mu.Unlock()
	f.shard.notify()
}

func (f *feed) status() TopicStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return TopicStatus{Topic: f.topic, Position: f.position, HighWatermark: f.high, LogStart: f.low, Trouble: f.trouble}
}
