package stream

import "sync"

// marks remember, for the life of the process, the last message that was
// fetched of each partition. A log that holds another one there is not the log
// that was read: the topic was created anew. What is remembered outlasts runs
// and generations, so that a stopped shard does not go on by being looked at.
type marks struct {
	mu     sync.Mutex
	latest map[topicPartition]*mark
}

type topicPartition struct {
	topic     string
	partition int
}

// mark is one remembered message.
type mark struct {
	offset int64  // of the message
	print  uint64 // its fingerprint

	stopped bool  // it was found to be another one, or gone
	looked  bool  // the shard has been looked at since
	start   int64 // where it was to begin then
}

func newMarks() *marks { return &marks{latest: make(map[topicPartition]*mark)} }

// remember notes the last message fetched.
func (m *marks) remember(tp topicPartition, offset int64, print uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest[tp] = &mark{offset: offset, print: print}
}

// stop notes that the log is not the one that was read.
func (m *marks) stop(tp topicPartition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.latest[tp]; k != nil {
		k.stopped = true
	}
}

// recall returns what to expect of the log for a reader that begins at start.
// After a stop, another start than the one it was looked at with is the
// decision that was waited for: then nothing is expected any more.
func (m *marks) recall(tp topicPartition, start int64) (mark, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.latest[tp]
	switch {
	case k == nil:
		return mark{}, false
	case k.stopped && k.looked && start != k.start:
		delete(m.latest, tp)
		return mark{}, false
	case k.stopped:
		k.looked, k.start = true, start
	}
	return *k, true
}
