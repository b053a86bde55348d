package ops

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary notes what happened in which order; parts write to it from their own goroutines.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) part(name string) Part {
	return Part{
		Name:  name,
		Start: func(context.Context) error { d.note("start " + name); return nil },
		Run: func(ctx context.Context) error {
			<-ctx.Done()
			d.note("end " + name)
			return ctx.Err()
		},
		Stop: func(context.Context) error { d.note("stop " + name); return nil },
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestPartsStartInOrderAndStopInReverse(t *testing.T) {
	var d diary
	ctx, cancel := context.WithCancel(t.Context())
	last := d.part("c")
	last.Start = func(context.Context) error { d.note("start c"); cancel(); return nil }
	if err := Run(ctx, quiet, []Part{d.part("a"), d.part("b"), last}); err != nil {
		t.Fatalf("a process that was asked to end: %v", err)
	}
	want := strings.Fields("start_a start_b start_c end_c stop_c end_b stop_b end_a stop_a")
	for i := range want {
		want[i] = strings.Replace(want[i], "_", " ", 1)
	}
	if !reflect.DeepEqual(d.lines, want) {
		t.Errorf("order %v, want %v", d.lines, want)
	}
}

// Each stage of a running process is killed in turn; whatever dies, all end in reverse order. A stage that dies while
// a later one starts is TestDeathDuringALaterStartIsReported.
func TestDeathOfAnyPartEndsTheProcess(t *testing.T) {
	names := []string{"fetch", "flush", "commit"}
	for dead, name := range names {
		var d diary
		fault := errors.New("broken pipe")
		parts := make([]Part, len(names))
		for i, n := range names {
			parts[i] = d.part(n)
		}
		allStarted := make(chan struct{})
		parts[dead].Run = func(context.Context) error { <-allStarted; return fault }
		parts[len(parts)-1].Start = func(context.Context) error { close(allStarted); return nil }
		err := Run(t.Context(), quiet, parts)
		if !errors.Is(err, fault) || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("death of %s reported as %v", name, err)
		}
		var stops []string
		for _, line := range d.lines {
			if s, ok := strings.CutPrefix(line, "stop "); ok {
				stops = append(stops, s)
			}
		}
		if want := []string{"commit", "flush", "fetch"}; !reflect.DeepEqual(stops, want) {
			t.Errorf("death of %s: stopped %v, want %v", name, stops, want)
		}
	}
}

func TestDeathDuringALaterStartIsReported(t *testing.T) {
	fault := errors.New("engine died")
	err := Run(t.Context(), quiet, []Part{
		{Name: "engine", Run: func(context.Context) error { return fault }},
		{Name: "migrate", Start: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
	})
	if !errors.Is(err, fault) {
		t.Errorf("got %v, want the engine's death", err)
	}
}

func TestFailedStartStopsOnlyWhatStarted(t *testing.T) {
	var d diary
	fault := errors.New("port taken")
	second := d.part("b")
	second.Start = func(context.Context) error { return fault }
	err := Run(t.Context(), quiet, []Part{d.part("a"), second, d.part("c")})
	if !errors.Is(err, fault) {
		t.Errorf("got %v, want %v", err, fault)
	}
	if want := []string{"start a", "end a", "stop a"}; !reflect.DeepEqual(d.lines, want) {
		t.Errorf("order %v, want %v", d.lines, want)
	}
}

func TestEndOfAPartIsAFaultUnlessFinite(t *testing.T) {
	ends := Part{Name: "once", Run: func(context.Context) error { return nil }}
	if err := Run(t.Context(), quiet, []Part{ends}); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v, want ErrEnded", err)
	}
	ends.Finite = true
	if err := Run(t.Context(), quiet, []Part{ends}); err != nil {
		t.Errorf("a finite part ended the process with %v", err)
	}
}

func TestPanicBecomesAnErrorThatSaysWhere(t *testing.T) {
	var d diary
	err := Run(t.Context(), quiet, []Part{d.part("a"), {Name: "b", Run: func(context.Context) error { panic("index out of reach") }}})
	var bug *Panic
	if !errors.As(err, &bug) {
		t.Fatalf("got %v, want a *Panic", err)
	}
	if !strings.HasPrefix(bug.Where, "deploy/ops/process_test.go:") || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("place %q, message %q", bug.Where, err)
	}
	if d.lines[len(d.lines)-1] != "stop a" {
		t.Errorf("the other part was not stopped: %v", d.lines)
	}
}

func TestPartThatDoesNotEndIsNamedAfterItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		stuck := Part{Name: "stuck", Grace: time.Minute, Run: func(context.Context) error { cancel(); <-release; return nil }}
		began := time.Now()
		err := Run(ctx, quiet, []Part{stuck})
		if err == nil || !strings.Contains(err.Error(), "stop stuck: did not end within 1m0s") {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("waited %s", waited)
		}
		close(release)
	})
}
