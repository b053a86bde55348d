package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// ErrEnded is wrapped by the error of a part that came to its end without being asked to.
var ErrEnded = errors.New("ended without being asked to")

// Part is one piece of a process. Every function may be nil.
type Part struct {
	Name string
	// Start returns once the part can be used by the parts after it. Its context is good for the start only.
	Start func(ctx context.Context) error
	// Run works until its context is done, and then ends in order.
	Run func(ctx context.Context) error
	// Stop frees what Start took; it is called after Run has ended. Its context carries the grace period.
	Stop func(ctx context.Context) error
	// Finite says that the end of Run without an error is the end of the whole process, and not a fault.
	Finite bool
	// Grace is how long Run and Stop together may take to end; 0 means 30 s.
	Grace time.Duration
}

type running struct {
	Part
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
	err    error         // of Run; read after done
}

// Run starts the parts in order, waits until ctx is done or a part ends, and stops them in reverse order: a part is
// asked to end only when all after it have ended. It returns nil when ctx asked for the end or a finite part
// was done, and otherwise the first fault with the name of its part; faults while stopping are joined to it.
func Run(ctx context.Context, log *slog.Logger, parts []Part) error {
	ended := make(chan *running, len(parts))
	// A part that dies while a later one is still starting must not leave that one waiting for it.
	starting, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	var started []*running
	var first error
	for _, p := range parts {
		r, err := start(starting, log, p, ended, abandon)
		if err != nil {
			if cause := context.Cause(starting); cause != nil {
				err = cause
			} else {
				err = fmt.Errorf("%s: %w", p.Name, err)
			}
			if ctx.Err() == nil {
				first = err
			}
			break
		}
		started = append(started, r)
	}
	if first == nil && len(started) == len(parts) {
		first = wait(ctx, ended)
	}
	for i := len(started) - 1; i >= 0; i-- {
		if err := stop(log, started[i]); err != nil && !errors.Is(first, err) {
			first = errors.Join(first, fmt.Errorf("stop %s: %w", started[i].Name, err))
		}
	}
	return first
}

func start(ctx context.Context, log *slog.Logger, p Part, ended chan<- *running, abandon context.CancelCauseFunc) (*running, error) {
	if p.Grace == 0 {
		p.Grace = 30 * time.Second
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.Start != nil {
		if err := protect(p.Name, func() error { return p.Start(ctx) }); err != nil {
			return nil, err
		}
	}
	log.Debug("started", "part", p.Name)
	r := &running{Part: p, done: make(chan struct{})}
	if p.Run == nil {
		close(r.done)
		r.cancel = func() {}
		return r, nil
	}
	// The end of the process must not reach all parts at once, so each has a context of its own.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	go func() {
		r.err = protect(p.Name, func() error { return p.Run(own) })
		close(r.done)
		ended <- r
		if r.err != nil {
			abandon(fmt.Errorf("%s: %w", p.Name, r.err))
		}
	}()
	return r, nil
}

// wait returns when the process is to end: nil when it was asked to or its work is done.
func wait(ctx context.Context, ended <-chan *running) error {
	select {
	case <-ctx.Done():
		return nil
	case r := <-ended:
		switch {
		case r.err != nil:
			return fmt.Errorf("%s: %w", r.Name, r.err)
		case r.Finite:
			return nil
		default:
			return fmt.Errorf("%s: %w", r.Name, ErrEnded)
		}
	}
}

// stop ends one part: cancel, wait, Stop. The error of Run counts only when it is not the cancellation itself.
func stop(log *slog.Logger, r *running) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.Grace)
	defer cancel()
	r.cancel()
	select {
	case <-r.done:
	case <-ctx.Done():
		return fmt.Errorf("did not end within %s", r.Grace)
	}
	err := r.err
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	if r.Stop != nil {
		err = errors.Join(err, protect(r.Name, func() error { return r.Stop(ctx) }))
	}
	log.Debug("stopped", "part", r.Name)
	return err
}

// Panic is a bug in the program that was caught where it happened, so that the rest can still stop in order.
type Panic struct {
	Part  string
	Value any
	Where string // file:line of the function that panicked
	Stack []byte
}

// Error names the bug and its place in one line.
func (p *Panic) Error() string {
	return fmt.Sprintf("a bug in the program, in %s: %v (at %s)", p.Part, p.Value, p.Where)
}

// Protect runs f and turns a panic in it into a *Panic.
func Protect(name string, f func() error) error { return protect(name, f) }

func protect(name string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Panic{Part: name, Value: v, Where: panicSite(), Stack: debug.Stack()}
		}
	}()
	return f()
}

// panicSite finds the first frame below the runtime's own panic machinery; called from a deferred function.
func panicSite() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", trimPath(f.File), f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

// trimPath shortens a file name to what means something to who reads the source.
func trimPath(file string) string {
	for _, room := range []string{"/schemas/", "/producers/", "/consumers/", "/deploy/"} {
		if i := strings.LastIndex(file, room); i >= 0 {
			return file[i+1:]
		}
	}
	return file[strings.LastIndex(file, string(os.PathSeparator))+1:]
}
