package processor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/beat"
	"retorno/consumers/counting/store"
	"retorno/schemas/events"
)

// watched is a consumer with a watchdog, whose time is the test's.
func watched(t *testing.T) (*Processor, *prometheus.Registry) {
	t.Helper()
	s, err := store.Open(store.Config{Addr: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	registry := prometheus.NewRegistry()
	c, err := New(Config{Store: s, DeadLetters: &letters{}, Topics: []string{events.TopicCheckpoint, events.TopicCentre}, Partitions: 9, StallAfter: time.Minute, Registerer: registry})
	if err != nil {
		t.Fatal(err)
	}
	return c, registry
}

// TestTheWatchdogTellsWaitingFromHanging: attempts that fail for an hour are a sign of life; silence is not.
func TestTheWatchdogTellsWaitingFromHanging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, registry := watched(t)
		waiting := beat.With(t.Context(), c.state.began(7).beat)
		c.state.began(8) // nothing for its first half minute, and then it goes on
		ended := make(chan error, 1)
		go func() { ended <- c.Watch(t.Context()) }()
		for range 3600 / 5 {
			beat.Beat(waiting)
			c.state.pulses[8].beat()
			<-time.After(5 * time.Second)
		}
		if counter(t, registry, "retorno_watchdog_stalls_total") != 0 || c.Stalled() != nil {
			t.Fatal("who waits is taken to hang")
		}
		// A while of silence is seen, and forgotten when it goes on.
		for range 10 {
			beat.Beat(waiting)
			<-time.After(5 * time.Second)
		}
		if counter(t, registry, "retorno_watchdog_stalls_total") != 1 || !strings.Contains(c.Stalled().Error(), "partition 8 hangs") {
			t.Errorf("50 s of silence: %v", c.Stalled())
		}
		c.state.pulses[8].beat()
		beat.Beat(waiting)
		<-time.After(5 * time.Second)
		if c.Stalled() != nil {
			t.Errorf("it goes on: %v", c.Stalled())
		}
		began := time.Now()
		for len(ended) == 0 {
			beat.Beat(waiting)
			<-time.After(5 * time.Second)
		}
		var stall *StallError
		if err := <-ended; !errors.As(err, &stall) || stall.Partition != 8 || time.Since(began) > time.Minute+10*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
	})
}

// TestWhoReadsIsNoSignOfWhoWrites: while a flush is on its way, only its writer is listened to.
func TestWhoReadsIsNoSignOfWhoWrites(t *testing.T) {
	p := &pulse{}
	moves := func(beat func()) bool {
		before := p.beats()
		beat()
		return p.beats() != before
	}
	if !moves(p.beat) || !moves(p.write) {
		t.Error("without a flush everything is a sign of life")
	}
	p.flying.Store(true)
	if moves(p.beat) || !moves(p.write) {
		t.Error("with a flush on its way it is its writer's sign that counts")
	}
}

// TestWhereaboutsNameThePlace: functions and lines of that partition's goroutines, and of no other.
func TestWhereaboutsNameThePlace(t *testing.T) {
	in, out := make(chan struct{}), make(chan struct{})
	go labelled(t.Context(), 4711, func(context.Context) { hangsHere(in, out) })
	<-in
	defer close(out)
	if at := whereabouts(4711); !strings.Contains(at, "hangsHere watchdog_test.go:") || strings.Contains(at, "0x") {
		t.Errorf("it hangs at %q", at)
	}
	if at := whereabouts(471); at != "" {
		t.Errorf("no work is done on 471, but %q", at)
	}
}

func hangsHere(in, out chan struct{}) {
	close(in)
	<-out
}
