package producer

import (
	"context"
	"sync"
)

// call is one Write: its messages and how many of its parcels are unanswered.
type call struct {
	ctx  context.Context
	msgs []Message
	done chan struct{}

	mu    sync.Mutex
	left  int
	ended bool
	err   error
	last  error
}

func newCall(ctx context.Context, msgs []Message, parcels int) *call {
	return &call{ctx: ctx, msgs: msgs, left: parcels, done: make(chan struct{})}
}

// answered says that one parcel has been acknowledged in full.
func (c *call) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	if c.left == 0 {
		c.end(nil)
	}
}

// fail ends the call with err.
func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(err)
}

// cancel ends the call unless it has ended; it reports whether it did.
func (c *call) cancel(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.end(err)
	return true
}

func (c *call) end(err error) {
	if !c.ended {
		c.ended = true
		c.err = err
		close(c.done)
	}
}

// over reports whether no caller waits any more.
func (c *call) over() bool {
	select {
	case <-c.done:
		return true
	case <-c.ctx.Done():
		return true
	default:
		return false
	}
}

// retrying notes what the call is being retried for.
func (c *call) retrying(err error) {
	c.mu.Lock()
	c.last = err
	c.mu.Unlock()
}

func (c *call) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// parcel is the part of a call that goes to one partition: indexes into the
// call's messages, sent from the front.
type parcel struct {
	call *call
	idx  []int32
}
