package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"retorno/consumers/counting/beat"
)

// abreast is how many inserts of a stage a lane makes at once. What they cost is mostly waiting, for answers and for files.
const abreast = 4

// lane is what writes one group at a time.
type lane struct {
	*writer
	conns [abreast]bulk // the first one announces and checks
	said  time.Time     // when a lack of memory was logged
}

// close gives the connections back.
func (l *lane) close() {
	for i := range l.conns {
		l.conns[i].close()
	}
}

// once forbids, or allows, to dial a connection that was lost.
func (l *lane) once(is bool) {
	for i := range l.conns {
		l.conns[i].once = is
	}
}

// write writes a group and answers each of it. It gives up when everybody has gone. What ClickHouse refuses for good
// concerns the schema or the rights, and so everybody.
func (l *lane) write(group []*waiting) {
	pprof.SetGoroutineLabels(group[0].ctx) // who looks where a partition hangs finds this goroutine
	ctx, cancel := context.WithCancel(beat.With(context.Background(), l.beat))
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
	var short error // ClickHouse lacked the memory
	err := l.store.retry(ctx, "write a flush", func() (err error) {
		if group, err = l.try(ctx, group); errors.Is(err, errEverybodyLeft) {
			cancel()
		}
		if tooLarge(err) {
			short, err = err, nil
		}
		return err
	})
	if short != nil {
		l.split(ctx, group, short)
		return
	}
	l.grow(len(group))
	for _, own := range group {
		own.done <- err
	}
}

// split puts a group back for which ClickHouse lacked the memory, to go in smaller groups, each behind what waits already:
// a flush that is too large by itself must not hold up those of other partitions. It is tried again for as long as its
// owner waits.
func (l *lane) split(ctx context.Context, group []*waiting, why error) {
	l.store.metrics.splits.Inc()
	l.store.metrics.retries.Inc()
	l.mu.Lock()
	l.atMost = max(1, len(group)/2)
	l.queue = append(l.queue, slices.DeleteFunc(group, func(own *waiting) bool { return own.ctx.Err() != nil })...)
	l.mu.Unlock()
	if now := time.Now(); now.Sub(l.said) >= sayEvery {
		l.said = now
		l.store.cfg.Logger.Warn("ClickHouse lacks the memory for a group of flushes; they go in smaller groups", "flushes", len(group), "error", why)
	}
	pause := time.NewTimer(l.store.cfg.RetryMost) // memory is given back by what runs
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// grow lets more flushes go together again after a group was written.
func (l *lane) grow(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.atMost > 0 && n >= l.atMost {
		l.atMost = 2 * n
	}
	if l.atMost > l.claims {
		l.atMost = 0
	}
}

var errEverybodyLeft = errors.New("no partition waits for the flush any more")

// try writes the group once, and returns those who have no answer yet.
func (l *lane) try(ctx context.Context, group []*waiting) ([]*waiting, error) {
	l.once(false)
	inserts := together(group)
	if err := l.connect(ctx, inserts); err != nil {
		return group, err
	}
	rows := newClaims()
	for _, own := range group {
		rows.add(own.claim, kindFlush, own.next)
	}
	if err := rows.write(ctx, &l.conns[0]); err != nil {
		return group, err
	}
	// From here on everything goes over connections that were there before the claims are checked, or the group begins again.
	l.once(true)
	defer l.once(false)
	before := len(group)
	group, err := l.hold(ctx, group)
	if err != nil || len(group) == 0 {
		return group, err
	}
	l.store.inserted("retorno.claims")
	if len(group) < before {
		inserts = together(group)
	}
	for len(inserts) > 0 {
		if !slices.ContainsFunc(group, func(own *waiting) bool { return own.ctx.Err() == nil }) {
			return group, errEverybodyLeft
		}
		n := sameStage(inserts)
		if err := l.insertAll(ctx, inserts[:n]); err != nil {
			return group, err
		}
		inserts = inserts[n:]
	}
	return group, nil
}

// connect makes as many connections as the largest stage needs.
func (l *lane) connect(ctx context.Context, inserts []part) error {
	most := 1
	for rest := inserts; len(rest) > 0; {
		n := sameStage(rest)
		most, rest = max(most, n), rest[n:]
	}
	ctx, cancel := context.WithTimeout(ctx, l.store.cfg.QueryTimeout)
	defer cancel()
	for i := range min(most, abreast) {
		stop := context.AfterFunc(ctx, l.conns[i].hangUp)
		err := l.conns[i].connect(ctx)
		if stop(); err != nil {
			return err
		}
	}
	return nil
}

// sameStage is how many inserts at the front are of one stage.
func sameStage(inserts []part) int {
	n := slices.IndexFunc(inserts, func(p part) bool { return p.stage != inserts[0].stage })
	if n < 0 {
		return len(inserts)
	}
	return n
}

// insertAll makes the inserts of a stage, and returns when each has its answer.
func (l *lane) insertAll(ctx context.Context, inserts []part) error {
	var next atomic.Int64
	errs := make([]error, min(len(inserts), abreast))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(inserts) {
					return
				}
				errs[i] = l.insert(ctx, &l.conns[i], inserts[n])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// hold answers those whose claim holds no longer, and returns the others.
func (l *lane) hold(ctx context.Context, group []*waiting) ([]*waiting, error) {
	claims := make([]*Claim, len(group))
	for i, own := range group {
		claims[i] = own.claim
	}
	fenced, err := fencedOf(ctx, &l.conns[0], claims...)
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
func together(group []*waiting) []part {
	flushes := make([]*Flush, len(group))
	for i, own := range group {
		flushes[i] = own.flush
	}
	return parts(flushes...)
}

func (l *lane) insert(ctx context.Context, conn *bulk, p part) error {
	began := time.Now()
	err := conn.do(ctx, p.query())
	if err != nil {
		return fmt.Errorf("insert into %s: %w", p.table, err)
	}
	s := l.store
	s.metrics.seconds.WithLabelValues(p.table).Observe(time.Since(began).Seconds())
	s.metrics.rows.WithLabelValues(p.table).Add(float64(p.rows))
	s.inserted(p.table)
	return nil
}
