package embedded

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"retorno/deploy/clickhouse"
	"retorno/deploy/lab/embedded/enginefetch"
)

// EngineConfig says how to run a ClickHouse engine.
type EngineConfig struct {
	// Dir is the folder of its data; made when it is not there, found again at the next start.
	Dir string
	// Library is the path of a libchdb; "" = RETORNO_ENGINE, else the user's cache, else fetched once.
	Library string
	// Native and HTTP are the listen addresses of the two interfaces; "127.0.0.1:0", also when empty, takes a free port.
	Native, HTTP string
	// Password of the user default; "" = none.
	Password string
	// Outside lets statements reach files of this machine, other computers and programs: file(), url(), mysql(), remote(),
	// ENGINE = Kafka, dictionaries and the like. Without it they are refused.
	Outside bool
	// Zone is the engine's time zone: what a time without one means, and what clients take for the server's. Empty:
	// that of deploy/clickhouse/timezone.xml, whatever this machine's is.
	Zone string
	// MemoryLimit is what the engine may allocate, in bytes; 0 = DefaultMemoryLimit.
	MemoryLimit int64
	// Log takes the engine's own words; nil = none.
	Log io.Writer
	// Progress hears how far the fetching of the library is; may be nil.
	Progress func(enginefetch.Progress)
}

// DefaultMemoryLimit leaves room for everything else of a demo within 2 GB.
const DefaultMemoryLimit = 1 << 30

// startTimeout is how long an engine may take to load its tables. Loading is parallel and takes 0.1 s when empty.
const startTimeout = 2 * time.Minute

// Engine is a running ClickHouse engine: a process of its own, which ends with this one.
type Engine struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser // its end tells the process to stop
	report engineReport
	tail   *logTail

	done chan struct{}
	mu   sync.Mutex
	err  error
	stop bool // it was asked to end
}

// StartEngine finds the library, starts the engine and returns once both its interfaces answer.
// Errors: ErrNoEngine, ErrFolderInUse, ErrFolderUnusable, ErrAddressInUse, ErrEngineDied.
func StartEngine(ctx context.Context, c EngineConfig) (*Engine, error) {
	library, err := enginefetch.Find(ctx, enginefetch.Options{Library: c.Library, Progress: c.Progress})
	if err != nil {
		return nil, err
	}
	order, err := c.order(library)
	if err != nil {
		return nil, err
	}
	e := &Engine{done: make(chan struct{}), tail: &logTail{out: c.Log}}
	reports, err := e.launch(order)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := e.await(ctx, reports); err != nil {
		return nil, errors.Join(err, e.Kill())
	}
	return e, nil
}

// order is what the child process is told.
func (c EngineConfig) order(library string) (engineOrder, error) {
	if c.Dir == "" {
		return engineOrder{}, fmt.Errorf("%w: no folder is named", ErrFolderUnusable)
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return engineOrder{}, fmt.Errorf("%w: %s: %w", ErrFolderUnusable, c.Dir, err)
	}
	o := engineOrder{Library: library, Dir: dir, Native: c.Native, HTTP: c.HTTP, Password: c.Password, MemoryLimit: c.MemoryLimit, Outside: c.Outside, Zone: c.Zone}
	if o.Zone == "" {
		o.Zone = clickhouse.Zone()
	}
	if o.Native == "" {
		o.Native = "127.0.0.1:0"
	}
	if o.HTTP == "" {
		o.HTTP = "127.0.0.1:0"
	}
	if o.MemoryLimit == 0 {
		o.MemoryLimit = DefaultMemoryLimit
	}
	return o, nil
}

// launch starts the child and gives the pipe it reports on.
func (e *Engine) launch(order engineOrder) (reports *os.File, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program to start the engine with: %w", err)
	}
	text, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("write the engine's orders: %w", err)
	}
	reports, childEnd, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the engine: %w", err)
	}
	e.cmd = exec.Command(self)
	e.cmd.Env = environment(order)
	e.cmd.ExtraFiles = []*os.File{childEnd}
	e.cmd.Stdout, e.cmd.Stderr = e.tail, e.tail
	e.cmd.SysProcAttr = dieWithParent()
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, errors.Join(err, reports.Close(), childEnd.Close())
	}
	started := make(chan error, 1)
	go e.run(started)
	err = <-started
	err = errors.Join(err, childEnd.Close())
	if err == nil {
		_, err = e.stdin.Write(append(text, '\n'))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the engine: %w", err), reports.Close())
	}
	return reports, nil
}

// environment is all that the child has of one: nothing of this process's own, which may hold secrets. The engine takes its
// time zone from it: what a time without a zone means must not depend on this machine.
func environment(order engineOrder) []string {
	all := []string{"TZ=" + order.Zone, childVariable + "=" + childNew, childDirVariable + "=" + order.Dir, childLibraryVariable + "=" + order.Library}
	if path := os.Getenv(loaderVariable); path != "" {
		all = append(all, loaderVariable+"="+path) // some systems find the C library by it
	}
	return all
}

const loaderVariable = "LD_LIBRARY_PATH"

// run starts the child and sees it end, on one thread that lives as long as the child does: Linux ties "end when
// the parent ends" to the thread that started it.
func (e *Engine) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := e.cmd.Start()
	started <- err
	if err == nil {
		err = e.cmd.Wait()
	}
	e.mu.Lock()
	if !e.stop {
		e.err = fmt.Errorf("%w: %w%s", ErrEngineDied, exitOf(err), e.tail.last())
	}
	e.mu.Unlock()
	close(e.done)
}

func exitOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// await reads the child's one report.
func (e *Engine) await(ctx context.Context, reports *os.File) error {
	defer reports.Close()
	got := make(chan error, 1)
	go func() { got <- json.NewDecoder(reports).Decode(&e.report) }()
	select {
	case err := <-got:
		if err != nil {
			<-e.done // it closed the pipe without a word
			return e.Err()
		}
		return e.report.error()
	case <-ctx.Done():
		return fmt.Errorf("the engine did not start: %w%s", ctx.Err(), e.tail.last())
	}
}

// Native is the address of the native protocol, as host:port.
func (e *Engine) Native() string { return e.report.Native }

// HTTP is the address of the HTTP interface, as host:port.
func (e *Engine) HTTP() string { return e.report.HTTP }

// Confined says that the engine can touch no files but those in its own folder and the system's programs; the kernel
// sees to that (Linux 5.19 and later).
func (e *Engine) Confined() bool { return e.report.Confined }

// Version is the engine's version, such as 26.5.1.1.
func (e *Engine) Version() string { return e.report.Version }

// PID is the process id of the engine.
func (e *Engine) PID() int { return e.cmd.Process.Pid }

// Done is closed when the engine's process has ended, for whatever reason.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why the engine ended: nil while it runs and after Stop or Kill, else ErrEngineDied with its last words.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Stop ends all connections, lets the engine write what it holds and ends it. When ctx ends first the engine is killed and
// ctx's error comes back; its data are then as after a power cut: whole, without what no insert had acknowledged.
func (e *Engine) Stop(ctx context.Context) error {
	e.ending()
	_ = e.stdin.Close() // a second Stop closes it again
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), e.Kill())
	}
}

// Kill ends the engine at once, as a power cut would, and waits until it is gone.
func (e *Engine) Kill() error {
	e.ending()
	err := e.cmd.Process.Kill()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the engine: %w", err)
	}
	<-e.done
	return nil
}

func (e *Engine) ending() {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-e.done:
	default:
		e.stop = true
	}
}

// logTail passes the child's words on and keeps the last of them for error messages.
type logTail struct {
	out io.Writer
	mu  sync.Mutex
	buf []byte
}

const logTailSize = 4 << 10

func (t *logTail) Write(b []byte) (int, error) {
	t.mu.Lock()
	t.buf = append(t.buf, b...)
	if n := len(t.buf); n > logTailSize {
		t.buf = append(t.buf[:0], t.buf[n-logTailSize:]...)
	}
	t.mu.Unlock()
	if t.out != nil {
		_, _ = t.out.Write(b) // a log that cannot be written must not end the engine
	}
	return len(b), nil
}

// last is the last few lines, for the end of a message.
func (t *logTail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(string(bytes.TrimSpace(t.buf)), "\n")
	if n := len(lines); n > 3 {
		lines = lines[n-3:]
	}
	if text := strings.Join(lines, " | "); text != "" {
		return "; its last words: " + text
	}
	return ""
}
