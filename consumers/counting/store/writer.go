package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"retorno/consumers/counting/beat"
)

const (
	// gather is how long a flush waits at most for those of the other claims, which fall due at about the same time.
	gather = 25 * time.Millisecond
	// mostTogether bounds the rows that go together, and so the memory that ClickHouse takes for them.
	mostTogether = 500_000
	// crowd is how many rows wait when another lane opens, if there is one of mostLanes.
	crowd, mostLanes = 250_000, 2
)

// writer writes the flushes of all claims of this process, those that wait at the same time together: the statements of
// a flush cost the same for ten records and for ten thousand. While one group is written the next one gathers, so that
// groups grow with the load; when many rows wait, a second lane helps. Each claim in a group is announced and
// checked like one that writes alone; the ones that hold no longer leave the group before anything else is written.
type writer struct {
	store *Store

	mu     sync.Mutex
	claims int // how many there are: who could come
	queue  []*waiting
	busy   map[*lane][]*waiting // who is being written
	idle   []*lane
	closed bool
	come   chan struct{} // everybody has
	atMost int           // flushes that go together; fewer after ClickHouse lacked the memory for more, 0: any number
}

// waiting is a flush on its way.
type waiting struct {
	ctx   context.Context
	claim *Claim
	flush *Flush
	next  map[string]int64
	done  chan error
}

func newWriter(s *Store) *writer {
	w := &writer{store: s, busy: map[*lane][]*waiting{}, come: make(chan struct{}, 1)}
	for range mostLanes {
		l := &lane{writer: w}
		for i := range l.conns {
			l.conns[i].store = s
		}
		w.idle = append(w.idle, l)
	}
	return w
}

// opened notes that there are n more claims.
func (w *writer) opened(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.claims += n
	w.signal()
}

// signal ends the gathering when everybody has come.
func (w *writer) signal() {
	if len(w.queue) >= w.claims {
		select {
		case w.come <- struct{}{}:
		default:
		}
	}
}

// Write announces the flush, which ends at the offsets next, and writes it, table by table in order. It returns when all
// of it is stored. Anything but a definite answer makes it begin again, announcement and check included: the server that
// answers after a broken connection may be a ClickHouse that was restored to an older state meanwhile. The error is
// *StopError, *FencedError, or tells that ctx has ended, in which case any leading part of the flush may be stored, also
// later, and f is not to be used again.
func (c *Claim) Write(ctx context.Context, f *Flush, next map[string]int64) error {
	c.flushes++
	own := &waiting{ctx: ctx, claim: c, flush: f, next: next, done: make(chan error, 1)}
	c.store.writer.enqueue(own)
	select {
	case err := <-own.done:
		if err == nil && f.last != nil {
			c.last = f.last
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("write a flush: %w", ctx.Err())
	}
}

func (w *writer) enqueue(own *waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, own)
	if len(w.busy) == 0 {
		select {
		case <-w.come: // of a group before
		default:
		}
		w.open()
	} else if w.crowded() {
		w.open()
	}
	w.signal()
}

// crowded reports whether so many rows wait that another lane is to help.
func (w *writer) crowded() bool {
	rows := 0
	for _, own := range w.queue {
		rows += own.flush.Rows()
	}
	return rows >= crowd
}

// open sets an idle lane to work, if there is one.
func (w *writer) open() {
	if last := len(w.idle) - 1; last >= 0 {
		l := w.idle[last]
		w.idle = w.idle[:last]
		first := len(w.busy) == 0
		w.busy[l] = nil
		go l.run(first)
	}
}

// close gives the connections back, at once or when nothing waits any more.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, l := range w.idle {
		l.close()
	}
}

// run writes until nothing waits, at first when everybody has come.
func (l *lane) run(gathering bool) {
	if gathering {
		timer := time.NewTimer(gather)
		defer timer.Stop()
		select {
		case <-l.come:
		case <-timer.C:
		}
	}
	for group := l.dequeue(); len(group) > 0; group = l.dequeue() {
		l.write(group)
	}
}

// dequeue takes those who go together: one of each Kafka partition, and not too many rows. When there are none, or too few
// for two lanes, the lane rests.
func (l *lane) dequeue() []*waiting {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 || len(l.busy) > 1 && !l.crowded() {
		delete(l.busy, l)
		l.idle = append(l.idle, l)
		if l.closed {
			l.close()
		}
		return nil
	}
	var group []*waiting
	rows, partitions := 0, map[int]bool{}
	l.queue = slices.DeleteFunc(l.queue, func(own *waiting) bool {
		n := own.flush.Rows()
		if partitions[own.claim.partition] || len(group) > 0 && rows+n > mostTogether || l.atMost > 0 && len(group) >= l.atMost {
			return false
		}
		rows, partitions[own.claim.partition] = rows+n, true
		group = append(group, own)
		return true
	})
	l.busy[l] = slices.Clone(group)
	return group
}

// beat is a sign of life of everybody who waits for the writer. Each lane gives it for the queue: who waits there has
// not been given up while any of them lives.
func (l *lane) beat() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, own := range slices.Concat(l.busy[l], l.queue) {
		beat.Beat(own.ctx)
	}
}
