package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a process of the program whose use of the machine is known when it has ended.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	ops   string
	done  chan struct{}
	err   error        // valid after done
	most  uint64       // the most memory it had, in bytes, until it was asked to end
	words bytes.Buffer // what it said, unless that goes to the log; valid after done
}

// consume starts `retorno consume` on a machine.
func (m *machine) consume(group string, flags ...string) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ops := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	args := []string{"consume", "--kafka-brokers=" + m.broker.Addr(), fmt.Sprintf("--kafka-partitions=%d", m.cfg.Partitions),
		"--clickhouse-addr=" + m.engine.Native(), "--group=" + group, "--ops-listen=" + ops, "--log-level=warn"}
	return m.cfg.start(ops, append(args, flags...))
}

// command is a command line of the program.
func (c Config) command(args ...string) *exec.Cmd {
	cmd := exec.Command(c.Program[0], append(slices.Clone(c.Program[1:]), args...)...)
	cmd.Env = append(os.Environ(), c.Environ...)
	return cmd
}

// start starts a process of the program; ops is the address of its metrics, "" without one.
func (c Config) start(ops string, args []string) (*process, error) {
	cmd := c.command(args...)
	p := &process{cmd: cmd, ops: ops, done: make(chan struct{})}
	cmd.SysProcAttr = diesWithParent()
	if c.Log != nil {
		cmd.Stdout, cmd.Stderr = c.Log, c.Log
	} else {
		cmd.Stderr = &p.words
	}
	started := make(chan error)
	go func() {
		// Linux ties "end when the parent ends" to the thread that started the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p.began = time.Now()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start retorno %s: %w", args[0], err)
	}
	return p, nil
}

// alive is nil while the process runs.
func (p *process) alive() error {
	select {
	case <-p.done:
		return fmt.Errorf("the process ended by itself, %s: %s", p.cmd.ProcessState, strings.TrimSpace(p.words.String()))
	default:
		return nil
	}
}

// endPatience is how long a process may take to end in order.
const endPatience = time.Minute

// endAll asks processes to end and waits for them.
func endAll(all []*process) error {
	var errs []error
	for _, p := range all {
		p.most = mostMemory(p.cmd.Process.Pid)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
	}
	late := time.After(endPatience)
	for _, p := range all {
		select {
		case <-p.done:
			errs = append(errs, p.err)
		case <-late:
			errs = append(errs, fmt.Errorf("a process did not end within %s of SIGTERM", endPatience), p.cmd.Process.Kill())
			<-p.done
		}
	}
	return errors.Join(errs...)
}

// cpu is what the process used from its start to its end.
func (p *process) cpu() time.Duration {
	<-p.done
	s := p.cmd.ProcessState
	return s.UserTime() + s.SystemTime()
}

// mostMemory is the most memory that a process has had at once, in bytes; zero where the system does not tell. What the
// system tells at its end will not do: it counts the program that started it, too.
func mostMemory(pid int) uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
