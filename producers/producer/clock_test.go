package producer

import (
	"testing"
	"time"
)

// world is a computer whose clock is ahead of the broker's.
type world struct {
	wall   time.Time
	mono   time.Duration
	offset time.Duration
	clock  *clock
}

func newWorld(t *testing.T, offset time.Duration) *world {
	t.Helper()
	m, err := newMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &world{wall: time.UnixMilli(1465344000000), mono: time.Hour, offset: offset, clock: newClock(m)}
}

func (w *world) pass(d time.Duration) {
	w.wall = w.wall.Add(d)
	w.mono += d
}

func (w *world) read() reading { return reading{w.wall, w.mono} }

// answer is one round trip.
func (w *world) answer(there, back time.Duration) {
	sent := w.read()
	w.pass(there)
	appended := w.wall.Add(-w.offset).Truncate(time.Millisecond)
	w.pass(back)
	w.clock.sample(sent, w.read(), appended)
}

func (w *world) want(t *testing.T, want, within time.Duration) {
	t.Helper()
	if len(w.clock.samples) == 0 {
		t.Fatal("no estimate")
	}
	if got := w.clock.best(); (got - want).Abs() > within {
		t.Errorf("offset %s, want %s", got, want)
	}
}

func TestOffsetIsTheShortestWays(t *testing.T) {
	w := newWorld(t, 3*time.Second)
	if _, ok := w.clock.offset(); ok {
		t.Error("an offset without an answer")
	}
	w.answer(900*time.Millisecond, 10*time.Millisecond)
	w.answer(time.Millisecond, time.Millisecond)
	w.answer(10*time.Millisecond, 700*time.Millisecond)
	w.want(t, 3*time.Second, time.Millisecond)
}

func TestOffsetFollowsADrift(t *testing.T) {
	w := newWorld(t, 0)
	w.answer(time.Millisecond, time.Millisecond)
	w.offset = time.Second
	for range clockSamples {
		w.answer(5*time.Millisecond, 5*time.Millisecond)
	}
	w.want(t, time.Second, 2*time.Millisecond)
}

// Setting the own clock makes what was learnt before worthless.
func TestStepForgets(t *testing.T) {
	for _, step := range []time.Duration{-24 * time.Hour, -time.Second, time.Second, 24 * time.Hour} {
		w := newWorld(t, 0)
		w.answer(time.Millisecond, time.Millisecond)
		w.pass(time.Minute)
		if w.clock.stepped(w.read()) {
			t.Error("an ordinary minute is taken for a step")
		}
		w.wall, w.offset = w.wall.Add(step), step
		if !w.clock.stepped(w.read()) {
			t.Errorf("a step of %s is not seen", step)
		}
		// A way ten times as long, and the only one since the step.
		w.answer(10*time.Millisecond, 10*time.Millisecond)
		w.want(t, step, 2*time.Millisecond)

		// A step between sending and receiving makes the answer worthless.
		sent := w.read()
		w.wall = w.wall.Add(step)
		w.clock.sample(sent, w.read(), w.wall)
		if len(w.clock.samples) != 0 {
			t.Error("an answer across a step is used")
		}
	}
}
