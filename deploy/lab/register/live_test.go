package register

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

// errEnough ends a run of live arrivals.
var errEnough = errors.New("enough")

func TestLiveGoesOn(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A14"), Settings{Seed: 2})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		live, err := r.Live(LiveSettings{ArrivalsPerMinute: 40})
		if err != nil {
			t.Fatal(err)
		}
		next := map[string]uint64{}
		for _, s := range r.Truth().Sources {
			next[s.ID] = s.HighestSeq
		}
		var messages []events.Message
		err = live.Run(t.Context(), func(e Event) error {
			if now := time.Now(); e.SentAtMs != now.UnixMilli() {
				t.Errorf("an event of %s is dated %s", now, time.UnixMilli(e.SentAtMs))
			}
			o, err := events.Open(e.Value)
			if err != nil {
				return err
			}
			next[o.Record.SourceId]++
			if o.Record.SourceSeq != next[o.Record.SourceId] {
				t.Errorf("%s sends number %d; its next one is %d", o.Record.SourceId, o.Record.SourceSeq, next[o.Record.SourceId])
			}
			messages = append(messages, e.Message)
			if time.Since(start) > 2*time.Hour {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			t.Fatalf("the run ended with %v", err)
		}
		liveReturns(t, messages, start)
	})
}

// liveReturns reads what two hours of 40 arrivals a minute said.
func liveReturns(t *testing.T, messages []events.Message, start time.Time) {
	t.Helper()
	today := calendar.DayOfTime(start)
	c := read(t, messages)
	c.reckon(today, today)
	if len(c.rejected) > 0 || c.held > 0 {
		t.Errorf("rejected: %v, held: %d", c.rejected, c.held)
	}
	registered := 0
	for _, ret := range c.returns {
		if ret.Day != today || !ret.Checkpoint {
			t.Errorf("a live return of %s, seen at a post: %v; expected one of %s", ret.Date, ret.Checkpoint, today)
		}
		if ret.Registered {
			registered++
		}
	}
	if n := len(c.returns); n < 4500 || n > 5100 || registered < n*3/4 || registered > n*17/20 {
		t.Errorf("%d returns, %d of them registered; 4,800 and four of five are expected", n, registered)
	}
	if len(c.helps) == 0 {
		t.Error("no person is helped")
	}
}

func TestLiveEndsWithItsContext(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A04"), Settings{})
	synctest.Test(t, func(t *testing.T) {
		live, err := r.Live(LiveSettings{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		n := 0
		if err := live.Run(ctx, func(Event) error { n++; return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the run ended with %v", err)
		}
		if n == 0 {
			t.Error("nothing happened in a minute")
		}
	})
}

// TestLiveAfterSleep holds the machine for a day: no person arrives in the past, and there is no flood afterwards.
func TestLiveAfterSleep(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A04"), Settings{})
	synctest.Test(t, func(t *testing.T) {
		live, err := r.Live(LiveSettings{ArrivalsPerMinute: 10})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Hour)
		defer cancel()
		n := 0
		_ = live.Run(ctx, func(Event) error {
			if n++; n == 10 {
				<-time.After(24 * time.Hour) // by the fake clock of the bubble
			}
			return nil
		})
		if n > 4000 {
			t.Errorf("%d events in two hours of 10 arrivals a minute", n)
		}
	})
}

func TestLiveRefuses(t *testing.T) {
	r, _ := makeAll(t, devTable(t, "A04"), Settings{})
	inside := func() time.Time { return time.Date(2021, 2, 9, 12, 0, 0, 0, time.UTC) }
	if _, err := r.Live(LiveSettings{Clock: inside}); !errors.Is(err, ErrPeriodNotOver) {
		t.Errorf("live arrivals inside the period: %v", err)
	}
	for _, s := range []LiveSettings{{ArrivalsPerMinute: -1}, {ArrivalsPerMinute: 1e9}, {InterviewAfter: -time.Second}} {
		if _, err := r.Live(s); err == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
	empty, _ := makeAll(t, tableOf(t, "NONE", "total,TOTAL,0"), Settings{})
	if _, err := empty.Live(LiveSettings{}); err == nil {
		t.Error("a register without people makes live arrivals")
	}
}
