package producer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"retorno/schemas/kafka"
)

// lane sends the parcels of one partition, one request at a time. Whatever
// gathers while a request is under way goes into the next one, so batches grow
// with load and a lonely message waits for nothing.
type lane struct {
	w  *Writer
	tp kafka.TopicPartition

	mu      sync.Mutex
	queue   []*parcel
	running bool
}

func (l *lane) add(p *parcel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, p)
	if !l.running {
		l.running = true
		l.w.sending.Go(l.run)
	}
}

// run sends until the queue is empty.
func (l *lane) run() {
	failures := 0
	limit := l.w.cfg.BatchMessages
	for {
		b := l.nextBatch(limit)
		if b == nil {
			return
		}
		err := l.send(b)
		if l.w.ctx.Err() != nil {
			return
		}
		switch {
		case err == nil:
			b.acknowledged()
			failures, limit = 0, l.w.cfg.BatchMessages
		case tooLarge(err) && b.count() > 1:
			// The topic takes less than a whole batch.
			limit = b.count() / 2
			l.putBack(b)
		case IsStop(err):
			l.w.metrics.failed(err)
			b.fail(err)
		default:
			failures++
			l.w.metrics.retried(err)
			l.w.cfg.Logger.Log(context.Background(), kafka.AttemptLevel(failures, slog.LevelWarn), "publish: will try again", "topic", l.tp.Topic, "partition", l.tp.Partition,
				"messages", b.count(), "attempt", failures, "error", err)
			b.retrying(err)
			l.putBack(b)
			l.rest(failures, b)
		}
	}
}

// nextBatch returns the next batch, or nil and ends the lane when nothing waits.
func (l *lane) nextBatch(limit int) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := &batch{}
	bytes := 0
	for len(l.queue) > 0 {
		p := l.queue[0]
		if p.call.over() {
			l.queue = l.queue[1:]
			continue
		}
		n := 0
		for n < len(p.idx) && b.n+n < limit {
			size := p.call.msgs[p.idx[n]].Size()
			if b.n+n > 0 && bytes+size > l.w.cfg.BatchBytes {
				break
			}
			bytes += size
			n++
		}
		if n == 0 {
			break
		}
		b.segments = append(b.segments, segment{p, p.idx[:n]})
		b.n += n
		b.bytes = bytes
		p.idx = p.idx[n:]
		if len(p.idx) > 0 {
			break
		}
		l.queue = l.queue[1:]
	}
	if b.n == 0 {
		l.running = false
		l.queue = nil
		return nil
	}
	return b
}

// putBack returns a batch to the front of the queue, in its old order.
func (l *lane) putBack(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	front := make([]*parcel, 0, len(b.segments)+len(l.queue))
	for _, s := range b.segments {
		rest := s.parcel.idx
		s.parcel.idx = s.idx[:len(s.idx)+len(rest)]
		if len(rest) == 0 {
			front = append(front, s.parcel)
		}
	}
	l.queue = append(front, l.queue...)
}

// rest waits before another attempt, shorter when no caller waits any more.
func (l *lane) rest(failures int, b *batch) {
	d := l.w.cfg.MinBackoff << min(failures-1, 16)
	if d > l.w.cfg.MaxBackoff || d <= 0 {
		d = l.w.cfg.MaxBackoff
	}
	// Spread writers that failed together.
	d = d/2 + rand.N(d/2+1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.segments[0].parcel.call.done:
	}
}

// send makes one attempt.
func (l *lane) send(b *batch) error {
	ctx, cancel := context.WithTimeout(l.w.ctx, l.w.cfg.RequestTimeout)
	defer cancel()
	codec, err := compression(l.w.cfg.Compression)
	if err != nil {
		return &StopError{Reason: ReasonConfig, Err: err}
	}
	sent := readClock()
	appended, err := l.w.clients.Produce(ctx, l.tp, codec, b.messages())
	received := readClock()
	if err != nil {
		return l.w.classify(l.tp, b, err)
	}
	l.w.metrics.wrote(l.tp.Topic, b, received.mono-sent.mono)
	if !appended.IsZero() {
		l.w.clock.sample(sent, received, appended)
	}
	l.w.topics.seen(l.tp.Topic)
	l.w.logins.accepted()
	return nil
}

// segment is the part of a batch that one call sent.
type segment struct {
	parcel *parcel
	idx    []int32
}

// batch is what one request carries.
type batch struct {
	segments []segment
	n        int
	bytes    int
}

func (b *batch) count() int { return b.n }

func (b *batch) acknowledged() {
	for _, s := range b.segments {
		if len(s.parcel.idx) == 0 {
			s.parcel.call.answered()
		}
	}
}

func (b *batch) fail(err error) {
	for _, s := range b.segments {
		e := err
		if tooLarge(err) && len(s.parcel.call.msgs) > 1 {
			e = fmt.Errorf("message %d of %d: %w", s.idx[0]+1, len(s.parcel.call.msgs), err)
		}
		s.parcel.call.fail(e)
	}
}

func (b *batch) retrying(err error) {
	for _, s := range b.segments {
		s.parcel.call.retrying(err)
	}
}

// messages returns what gives the batch's messages one by one, and then nil.
func (b *batch) messages() (next func() *Message) {
	segments, i := b.segments, 0
	return func() *Message {
		for len(segments) > 0 && i == len(segments[0].idx) {
			segments, i = segments[1:], 0
		}
		if len(segments) == 0 {
			return nil
		}
		s := &segments[0]
		i++
		return &s.parcel.call.msgs[s.idx[i-1]]
	}
}

// tooLarge reports whether the broker found the batch too large.
func tooLarge(err error) bool {
	var stop *StopError
	return errors.As(err, &stop) && stop.Reason == ReasonTooLarge
}
