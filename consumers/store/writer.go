package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/ch-go"

	"retorno/consumers/beat"
)

const (
	// gather is how long a flush waits at most for those of the other claims, which fall due at about the same time.
	gather = 25 * time.Millisecond
	// mostTogether bounds the rows that are copied to go together, and so the memory that it takes.
	mostTogether = 1_000_000
)

// writer writes the flushes of all claims of this process, those that wait at the same time together: the statements of
// a flush cost the same for ten records and for ten thousand. While one group is written the next one gathers, so that
// groups grow with the load. Each claim in a group is announced and checked like one that writes alone; the ones that
// hold no longer leave the group before anything else is written.
type writer struct {
	store *Store
	conn  bulk
	group *Flush // the rows of several flushes

	mu     sync.Mutex
	claims int // how many there are: who could come
	queue  []*waiting
	now    []*waiting // who is being written
	active bool
	closed bool
	come   chan struct{}
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
	return &writer{store: s, conn: bulk{store: s}, group: NewFlush(0, 0), come: make(chan struct{}, 1)}
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
// of it is stored. Anything but a definite answer makes it begin anew, announcement and check included: whoever
// answers after a broken connection may be a ClickHouse that was put back to an older state meanwhile. The error is
// *StopError, *FencedError, or tells that ctx has ended, in which case any leading part of the flush may be stored, also
// later, and f is not to be used again.
func (c *Claim) Write(ctx context.Context, f *Flush, next map[string]int64) error {
	c.flushes++
	own := &waiting{ctx: ctx, claim: c, flush: f, next: next, done: make(chan error, 1)}
	c.store.writer.put(own)
	select {
	case err := <-own.done:
		if err == nil {
			c.last = f.last
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("write a flush: %w", ctx.Err())
	}
}

func (w *writer) put(own *waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, own)
	if !w.active {
		w.active = true
		select {
		case <-w.come: // of a group before
		default:
		}
		go w.run()
	}
	w.signal()
}

// close gives the connection back, at once or when nothing waits any more.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed = true; !w.active {
		w.conn.close()
	}
}

// run writes until nothing waits.
func (w *writer) run() {
	for {
		timer := time.NewTimer(gather)
		select {
		case <-w.come:
		case <-timer.C:
		}
		timer.Stop()
		for group := w.take(); len(group) > 0; group = w.take() {
			w.write(group)
		}
		if w.rest() {
			return
		}
	}
}

// rest ends the writing when nothing waits.
func (w *writer) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.active = len(w.queue) > 0
	if !w.active && w.closed {
		w.conn.close()
	}
	return !w.active
}

// take takes those who go together: one of each Kafka partition, and not too many rows.
func (w *writer) take() []*waiting {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = nil
	rows, partitions := 0, map[int]bool{}
	w.queue = slices.DeleteFunc(w.queue, func(own *waiting) bool {
		n := own.flush.Rows()
		if partitions[own.claim.partition] || len(w.now) > 0 && rows+n > mostTogether {
			return false
		}
		rows, partitions[own.claim.partition] = rows+n, true
		w.now = append(w.now, own)
		return true
	})
	return slices.Clone(w.now)
}

// beat is a sign of life of everybody who waits for the writer.
func (w *writer) beat() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, own := range w.now {
		beat.Beat(own.ctx)
	}
	for _, own := range w.queue {
		beat.Beat(own.ctx)
	}
}

// write writes a group and answers each of it. It gives up when everybody has gone. What ClickHouse refuses for good
// concerns the schema or the rights, and so everybody.
func (w *writer) write(group []*waiting) {
	ctx, cancel := context.WithCancel(beat.With(context.Background(), w.beat))
	defer cancel()
	var left atomic.Int64
	left.Store(int64(len(group)))
	for _, own := range group {
		defer context.AfterFunc(own.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})()
	}
	err := w.store.retry(ctx, "write a flush", func() (err error) {
		if group, err = w.try(ctx, group); errors.Is(err, errEverybodyLeft) {
			cancel()
		}
		return err
	})
	for _, own := range group {
		own.done <- err
	}
}

var errEverybodyLeft = errors.New("nobody waits for the flush any more")

// try writes the group once, and returns those who have no answer yet.
func (w *writer) try(ctx context.Context, group []*waiting) ([]*waiting, error) {
	w.conn.once = false
	rows := newClaims()
	for _, own := range group {
		rows.add(own.claim, kindFlush, own.next)
	}
	if err := rows.write(ctx, &w.conn); err != nil {
		return group, err
	}
	// From here on everything goes over the one connection, or the group begins anew.
	w.conn.once = true
	defer func() { w.conn.once = false }()
	group, err := w.hold(ctx, group)
	if err != nil || len(group) == 0 {
		return group, err
	}
	w.store.inserted("retorno.claims")
	for _, p := range w.together(group) {
		if !slices.ContainsFunc(group, func(own *waiting) bool { return own.ctx.Err() == nil }) {
			return group, errEverybodyLeft
		}
		if err := w.insert(ctx, p); err != nil {
			return group, err
		}
	}
	return group, nil
}

// hold answers those whose claim holds no longer, and returns the others.
func (w *writer) hold(ctx context.Context, group []*waiting) ([]*waiting, error) {
	claims := make([]*Claim, len(group))
	for i, own := range group {
		claims[i] = own.claim
	}
	fenced, err := fencedOf(ctx, &w.conn, claims...)
	if err != nil {
		return group, err
	}
	return slices.DeleteFunc(group, func(own *waiting) bool {
		err := fenced[own.claim]
		if err != nil {
			own.done <- err
		}
		return err != nil
	}), nil
}

// together are the inserts of a group.
func (w *writer) together(group []*waiting) []part {
	if len(group) == 1 {
		return group[0].flush.parts()
	}
	w.group.Clear()
	for _, own := range group {
		w.group.add(own.flush)
	}
	return w.group.parts()
}

func (w *writer) insert(ctx context.Context, p part) error {
	began := time.Now()
	err := w.conn.do(ctx, ch.Query{Body: "INSERT INTO " + p.table + " " + p.input.Columns() + " VALUES", Input: p.input, Settings: settings(p.rows)})
	if err != nil {
		return fmt.Errorf("insert into %s: %w", p.table, err)
	}
	s := w.store
	s.metrics.seconds.WithLabelValues(p.table).Observe(time.Since(began).Seconds())
	s.metrics.rows.WithLabelValues(p.table).Add(float64(p.rows))
	s.inserted(p.table)
	return nil
}
