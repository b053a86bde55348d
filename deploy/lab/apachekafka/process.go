package apachekafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// process is a child that does not outlive its parent where the operating
// system offers that.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid after done
}

func startProcess(out io.Writer, name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = diesWithParent()
	started := make(chan error)
	go func() {
		// The death signal comes when the thread that started the child
		// ends, so the thread stays for as long as the child does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// signal sends sig unless the process has ended.
func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		// It may end in this moment, which is what was wanted.
		_ = p.cmd.Process.Signal(sig)
	}
}

// answers returns nil when the broker at addr lists itself as alive.
func answers(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(4)
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	body := make([]byte, min(binary.BigEndian.Uint32(size[:]), 1<<20))
	if _, err := io.ReadFull(conn, body); err != nil {
		return err
	}
	if len(body) < 4 {
		return fmt.Errorf("answer of %d bytes", len(body))
	}
	res := kmsg.NewPtrMetadataResponse()
	res.SetVersion(4)
	if err := res.ReadFrom(body[4:]); err != nil {
		return err
	}
	if len(res.Brokers) == 0 {
		return fmt.Errorf("no broker is alive yet")
	}
	return nil
}

// tail keeps the last lines that the server printed.
type tail struct {
	to io.Writer

	mu   sync.Mutex
	last []byte
}

func newTail(to io.Writer) *tail { return &tail{to: to} }

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	t.last = append(t.last, p...)
	if len(t.last) > 16<<10 {
		t.last = append(t.last[:0], t.last[len(t.last)-8<<10:]...)
	}
	t.mu.Unlock()
	if t.to != nil {
		return t.to.Write(p)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lastLines(string(t.last), 12)
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], " | ")
}
