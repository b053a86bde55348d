package producer

import (
	"sync"
	"time"
)

const (
	// clockSamples is how many answers the estimate looks back over.
	clockSamples = 16
	// clockStep is the difference between wall and monotonic time from which
	// on the own clock is held to have been set.
	clockStep = 100 * time.Millisecond
)

// clock estimates this computer's clock minus the broker's. Each answer bounds
// it: the broker took its time somewhere between our sending and receiving.
// The answer with the shortest way among the last ones is the best estimate.
type clock struct {
	metrics *metrics

	mu      sync.Mutex
	samples []clockSample
	last    reading
}

// reading is one look at the own clock: what it shows, and how much time has
// really passed since the program began.
type reading struct {
	wall time.Time
	mono time.Duration
}

var began = time.Now()

func readClock() reading {
	now := time.Now()
	return reading{wall: now.Round(0), mono: now.Sub(began)}
}

type clockSample struct {
	offset time.Duration
	trip   time.Duration
}

func newClock(m *metrics) *clock { return &clock{metrics: m} }

// sample takes one answer: sent and received on the own clock, appended on
// the broker's.
func (c *clock) sample(sent, received reading, appended time.Time) {
	trip := received.mono - sent.mono
	// The broker cuts its time to the millisecond.
	offset := sent.wall.Add(trip / 2).Sub(appended.Add(500 * time.Microsecond))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stepped(received) {
		c.samples = c.samples[:0]
	}
	c.last = received
	if stepBetween(sent, received) {
		return
	}
	if len(c.samples) == clockSamples {
		c.samples = append(c.samples[:0], c.samples[1:]...)
	}
	c.samples = append(c.samples, clockSample{offset, trip})
	c.metrics.clockOffset(c.best())
}

// stepped reports whether the clock was set since the last answer.
func (c *clock) stepped(now reading) bool {
	return !c.last.wall.IsZero() && stepBetween(c.last, now)
}

// stepBetween reports whether the wall clock and the monotonic one disagree
// about the time between two readings.
func stepBetween(a, b reading) bool {
	return (b.wall.Sub(a.wall) - (b.mono - a.mono)).Abs() > clockStep
}

func (c *clock) best() time.Duration {
	best := c.samples[0]
	for _, s := range c.samples[1:] {
		if s.trip <= best.trip {
			best = s
		}
	}
	return best.offset
}

func (c *clock) offset() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.samples) == 0 || c.stepped(readClock()) {
		return 0, false
	}
	return c.best(), true
}
