package brokersuite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"retorno/deploy/lab/apachekafka"
	"retorno/deploy/lab/fakekafka"
)

// childEnv makes the test binary run one of these instead of the tests.
const childEnv = "RETORNO_BROKERSUITE_CHILD"

// child starts what it is told to, says where, and waits to be killed.
func child(what string) error {
	kind, dir, _ := strings.Cut(what, ":")
	switch kind {
	case "broker":
		b, err := fakekafka.Start(fakekafka.Config{Dir: dir})
		if err != nil {
			return err
		}
		addr := b.Addr()
		// Nothing holds b any more. Its lock must not go when the garbage collector finds that.
		for range 3 {
			runtime.GC()
		}
		fmt.Println(addr)
	case "apache":
		s, err := apachekafka.Start(context.Background(), apachekafka.Config{Dir: dir})
		if err != nil {
			return err
		}
		fmt.Println(s.PID())
	}
	select {}
}

// spawn runs a child and returns the first line that it prints.
func spawn(t *testing.T, what string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

// What the embedded broker has acknowledged survives its sudden death, and its
// folder belongs to one process at a time.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	process, addr := spawn(t, "broker:"+dir)
	b := &backend{name: "child", brokers: []string{addr}}
	b.admin = newAdmin(t, b.brokers)
	topic := unique(t, "topic")
	b.admin.create(t, topic, 2, nil)
	all := facts([]string{topic}, 0, 1000)
	b.write(t, 2, all)
	if _, err := fakekafka.Start(fakekafka.Config{Dir: dir}); !errors.Is(err, fakekafka.ErrInUse) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder in use is answered with %v", err)
	}
	process.Process.Kill()
	process.Wait()
	again, err := fakekafka.Start(fakekafka.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	got := b.admin.read(t, []string{again.Addr()}, topic, len(all))
	if len(got) != len(all) {
		t.Errorf("%d messages of %d are left", len(got), len(all))
	}
}

// The server goes when the process that started it is killed.
func TestApacheKafkaDiesWithItsParent(t *testing.T) {
	process, line := spawn(t, "apache:"+filepath.Join(t.TempDir()))
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the server is not there: %v", err)
	}
	process.Process.Kill()
	process.Wait()
	until(t, "the server is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) })
}

// zombie reports whether a process has ended and only its parent does not know.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}
