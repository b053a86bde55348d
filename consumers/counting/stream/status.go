package stream

import (
	"sort"
	"sync"
	"time"
)

// Status is what the member is doing, for readiness and for people.
type Status struct {
	// Member says that it belongs to the group at present.
	Member bool
	// Generation numbers the group's division; it grows.
	Generation int32
	// Problem says why it is not a member, or is empty.
	Problem string
	// Shards are those of this member, in order of their number.
	Shards []ShardStatus
}

// ShardStatus is the state of one shard.
type ShardStatus struct {
	Partition int
	// Stopped is the reason for which it has stopped, or empty. Whether a decision is to be made, or the cause goes by
	// itself, is in Err.
	Stopped string
	// Err is the stop error, or nil.
	Err error
	// Topics are its topics, in the configured order.
	Topics []TopicStatus
}

// TopicStatus is how far one topic of a shard has been delivered, and how reading it goes. Offsets are -1 while they
// are not known.
type TopicStatus struct {
	Topic         string
	Position      int64 // the next offset to hand out
	HighWatermark int64 // the offset after the log's last, as seen within Config.EndTimeout
	LogStart      int64 // the first offset that still exists, likewise
	// EndAt is when the bounds of the log were last seen; zero: never.
	EndAt time.Time
	// FetchedAt is when a fetch last got a good answer; zero: never. While the caller takes nothing, none is made.
	FetchedAt time.Time
	// FailingSince is since when no fetch has got a good answer, and Failures how many have not; zero: the last one did.
	FailingSince time.Time
	Failures     int
	// Trouble is what is being retried or waited for at present, or empty.
	Trouble string

	lastEnd int64 // the high watermark as last seen, however long ago
}

// Lag is the number of messages not delivered yet; false while the end of the log, or the position, is not known.
func (t TopicStatus) Lag() (int64, bool) {
	if t.Position < 0 || t.HighWatermark < 0 {
		return 0, false
	}
	return max(0, t.HighWatermark-t.Position), true
}

// board collects the status of the member's shards.
type board struct {
	mu         sync.Mutex
	member     bool
	generation int32
	problem    string
	shards     map[int]*boardShard
}

type boardShard struct {
	shard *Shard
	stop  error
}

func newBoard() *board { return &board{problem: "not started", shards: make(map[int]*boardShard)} }

func (b *board) joined(generation int32, partitions []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.member, b.generation, b.problem = true, generation, ""
	b.shards = make(map[int]*boardShard)
	for _, p := range partitions {
		b.shards[p] = &boardShard{}
	}
}

func (b *board) left(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.member, b.problem = false, why
	b.shards = make(map[int]*boardShard)
}

func (b *board) running(partition int, s *Shard) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.shards[partition]; e != nil {
		e.shard = s
	}
}

// stopped notes a stop error, or with nil that it is over.
func (b *board) stopped(partition int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.shards[partition]; e != nil {
		e.stop = err
	}
}

// Status returns what the member is doing now.
func (c *Consumer) Status() Status { return c.board.status() }

func (b *board) status() Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Status{Member: b.member, Generation: b.generation, Problem: b.problem}
	for p, e := range b.shards {
		st := ShardStatus{Partition: p, Err: e.stop}
		st.Stopped, _ = stopReason(e.stop)
		if e.stop == nil {
			st.Stopped = ""
		}
		if e.shard != nil {
			st.Topics = e.shard.status()
		}
		s.Shards = append(s.Shards, st)
	}
	sort.Slice(s.Shards, func(i, j int) bool { return s.Shards[i].Partition < s.Shards[j].Partition })
	return s
}
