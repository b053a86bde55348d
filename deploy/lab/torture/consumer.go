package torture

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// consumer is a place for a consumer process: whatever ends it, another one is started there, as a supervisor does.
type consumer struct {
	name    string
	command func(ops string) *exec.Cmd
	log     io.Writer

	mu      sync.Mutex
	process *os.Process
	ops     string // where its metrics are
	flags   []string
	wanted  bool
	done    chan struct{} // closed when the supervisor has ended
	starts  int
	began   time.Time
}

// start begins to supervise.
func (c *consumer) start() {
	c.mu.Lock()
	c.wanted, c.done = true, make(chan struct{})
	c.mu.Unlock()
	go c.supervise()
}

// supervise starts the process again and again. It stays on one thread: Linux ties "end when the parent ends" to the
// thread that started the process.
func (c *consumer) supervise() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	for {
		cmd, ok := c.launch()
		if !ok {
			return
		}
		if cmd != nil {
			err := cmd.Wait()
			_, _ = fmt.Fprintf(c.log, "%s: process %d ended: %v\n", c.name, cmd.Process.Pid, err)
			c.mu.Lock()
			c.process = nil
			c.mu.Unlock()
		}
		time.Sleep(50 * time.Millisecond) // a supervisor does not spin
	}
}

// launch starts a process unless none is wanted any more. A nil command with true: it could not be started.
func (c *consumer) launch() (*exec.Cmd, bool) {
	ops, err := freeAddr()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted {
		return nil, false
	}
	if err != nil {
		return nil, true
	}
	cmd := c.command(ops)
	cmd.Args = append(cmd.Args, c.flags...)
	c.flags = nil
	cmd.Stdout, cmd.Stderr = c.log, c.log
	if err := cmd.Start(); err != nil {
		_, _ = fmt.Fprintf(c.log, "%s: cannot start: %v\n", c.name, err)
		return nil, true
	}
	_, _ = fmt.Fprintf(c.log, "%s: process %d started: %s\n", c.name, cmd.Process.Pid, strings.Join(cmd.Args[1:], " "))
	c.process, c.ops, c.began = cmd.Process, ops, time.Now()
	c.starts++
	return cmd, true
}

// signal sends a signal to the process that runs now.
func (c *consumer) signal(s syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return nil // it is just being started again
	}
	if err := c.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// again ends the process; the next one gets these flags besides.
func (c *consumer) again(s syscall.Signal, flags ...string) error {
	c.mu.Lock()
	c.flags = flags
	c.mu.Unlock()
	return c.signal(s)
}

// stopped reports whether the process is stopped by SIGSTOP.
func (c *consumer) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.process.Pid))
	if err != nil {
		return false
	}
	// The state follows the name, which stands in parentheses and may hold anything.
	after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	return strings.HasPrefix(after, " T")
}

// end ends the process and does not start another one: in order (SIGTERM), or at once when that takes too long.
func (c *consumer) end(s syscall.Signal) error {
	c.mu.Lock()
	c.wanted = false
	c.mu.Unlock()
	err := errors.Join(c.signal(s), c.signal(syscall.SIGCONT))
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	select {
	case <-c.done:
		return err
	case <-late.C:
	}
	err = errors.Join(err, c.signal(syscall.SIGKILL))
	<-c.done
	return err
}

func (c *consumer) address() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil {
		return ""
	}
	return c.ops
}

// freeAddr is a loopback address that is free.
func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}
