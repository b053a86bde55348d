package embedded_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded"
)

// startEngine runs an engine of the test's own on dir, fetched when this machine has none yet.
func startEngine(t *testing.T, dir string) *embedded.Engine {
	t.Helper()
	e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: dir, Log: t.Output()})
	if err != nil {
		t.Fatalf("start the engine: %v", err)
	}
	t.Cleanup(func() { stopEngine(t, e) })
	return e
}

func stopEngine(t *testing.T, e *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Errorf("stop the engine: %v", err)
	}
}

// dial connects clickhouse-go to the engine.
func dial(t *testing.T, e *embedded.Engine) driver.Conn {
	t.Helper()
	c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{e.Native()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close clickhouse-go: %v", err)
		}
	})
	return c
}

func count(t *testing.T, c driver.Conn, table string) (n uint64) {
	t.Helper()
	if err := c.QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func fill(t *testing.T, c driver.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if err := c.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// What an insert has acknowledged is there after a stop, and after a death.
func TestDataAreFoundAgain(t *testing.T) {
	dir := t.TempDir()
	e := startEngine(t, dir)
	fill(t, dial(t, e), "CREATE DATABASE ceniss", "CREATE TABLE ceniss.t (a UInt64) ENGINE = MergeTree ORDER BY a", "CREATE VIEW ceniss.v AS SELECT a FROM ceniss.t",
		"INSERT INTO ceniss.t SELECT number FROM numbers(1000)")
	stopEngine(t, e)
	if err := e.Err(); err != nil {
		t.Errorf("a stopped engine reports %v", err)
	}

	e = startEngine(t, dir)
	c := dial(t, e)
	if n := count(t, c, "ceniss.v"); n != 1000 {
		t.Errorf("after a stop: %d rows", n)
	}
	fill(t, c, "INSERT INTO ceniss.t SELECT number FROM numbers(500)")
	if err := e.Kill(); err != nil {
		t.Error(err)
	}

	if n := count(t, dial(t, startEngine(t, dir)), "ceniss.v"); n != 1500 {
		t.Errorf("after a kill: %d rows", n)
	}
}

func TestFolderIsUsedByOneAtATime(t *testing.T) {
	dir := t.TempDir()
	e := startEngine(t, dir)
	other, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: dir})
	if !errors.Is(err, embedded.ErrFolderInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), strconv.Itoa(e.PID())) {
		t.Errorf("got %v, %v; want an error naming %s and process %d", other, err, dir, e.PID())
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	address := taken.Addr().String()
	for name, one := range map[string]struct {
		config embedded.EngineConfig
		want   error
		names  string
	}{
		"native address taken": {embedded.EngineConfig{Dir: t.TempDir(), Native: address}, embedded.ErrAddressInUse, address},
		"HTTP address taken":   {embedded.EngineConfig{Dir: t.TempDir(), HTTP: address}, embedded.ErrAddressInUse, address},
		"folder is a file":     {embedded.EngineConfig{Dir: file}, embedded.ErrFolderUnusable, file},
		"folder in a file":     {embedded.EngineConfig{Dir: filepath.Join(file, "x")}, embedded.ErrFolderUnusable, file},
		"no folder":            {embedded.EngineConfig{}, embedded.ErrFolderUnusable, "folder"},
		"no library there":     {embedded.EngineConfig{Dir: t.TempDir(), Library: "/nowhere/libchdb.so"}, embedded.ErrNoEngine, "/nowhere/libchdb.so"},
		"no library at all":    {embedded.EngineConfig{Dir: t.TempDir(), Library: file}, embedded.ErrNoEngine, file},
	} {
		e, err := embedded.StartEngine(t.Context(), one.config)
		if !errors.Is(err, one.want) || !strings.Contains(err.Error(), one.names) {
			t.Errorf("%s: got %v, %v; want %v naming %s", name, e, err, one.want, one.names)
		}
		if err != nil && strings.Contains(err.Error(), "goroutine") {
			t.Errorf("%s: a stack trace: %v", name, err)
		}
	}
}

func TestDeathOfTheEngineIsSeen(t *testing.T) {
	e := startEngine(t, t.TempDir())
	if err := e.Err(); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	if err := syscall.Kill(e.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-e.Done()
	if err := e.Err(); !errors.Is(err, embedded.ErrEngineDied) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
}

// A terminal's Ctrl-C and a supervisor's stop reach the whole group of processes: the engine waits for its parent.
func TestEngineOutlivesSignalsMeantForItsParent(t *testing.T) {
	e := startEngine(t, t.TempDir())
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(e.PID(), s); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, dial(t, e), "system.one"); n != 1 {
		t.Errorf("got %d", n)
	}
}

const parentVariable = "RETORNO_TEST_PARENT"

// TestKilledParentLeavesNoProcess runs itself as the parent of an engine and kills that.
func TestKilledParentLeavesNoProcess(t *testing.T) {
	if dir := os.Getenv(parentVariable); dir != "" {
		beParent(dir)
		return
	}
	dir := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestKilledParentLeavesNoProcess$")
	parent.Env = append(os.Environ(), parentVariable+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := parent.StdinPipe() // its end would end the parent in an orderly way: keep it
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || convErr != nil {
		t.Fatalf("the parent said %q: %v %v", line, err, convErr)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the engine does not run: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // killed
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(pid, 0) == nil && !zombie(pid) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("engine %d outlives its parent", pid)
		}
	}
	startEngine(t, dir) // and its folder is free
}

func beParent(dir string) {
	e, err := embedded.StartEngine(context.Background(), embedded.EngineConfig{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(e.PID())
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed
}

// zombie says that a process has ended and only waits for its parent to take note, which init may do late.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(b), ") Z ")
}

func TestPasswordIsAskedOnBothInterfaces(t *testing.T) {
	e, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir(), Password: "s3cret", Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopEngine(t, e) })
	for password, want := range map[string]int32{"s3cret": 0, "": 516, "wrong": 516} {
		c, err := clickhouse.Open(&clickhouse.Options{Addr: []string{e.Native()}, Auth: clickhouse.Auth{Password: password}})
		if err != nil {
			t.Fatal(err)
		}
		var refused *clickhouse.Exception
		err = c.Ping(t.Context())
		if code := int32(0); errors.As(err, &refused) {
			code = refused.Code
			if code != want {
				t.Errorf("native, password %q: %v", password, err)
			}
		} else if err != nil || want != 0 {
			t.Errorf("native, password %q: %v", password, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+e.HTTP()+"/?query=SELECT+1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("default", password)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if ok := answer.StatusCode == http.StatusOK; ok != (want == 0) {
			t.Errorf("HTTP, password %q: %s", password, answer.Status)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A client that reaches the engine reaches no file of the machine by it.
func TestEngineTouchesNoFilesOfTheMachine(t *testing.T) {
	e := startEngine(t, t.TempDir())
	if !e.Confined() {
		if _, err := os.Stat("/sys/kernel/security/landlock"); runtime.GOOS == "linux" && err == nil {
			t.Error("the kernel could confine the engine, and it is not")
		}
		return // said in the log; other systems have no such means
	}
	c := dial(t, e)
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fill(t, c, "CREATE TABLE own (a String) ENGINE = MergeTree ORDER BY a", "INSERT INTO own VALUES ('x')")
	for _, statement := range []string{
		"SELECT file('" + outside + "')", "SELECT * FROM file('" + outside + "', LineAsString)", "SELECT * FROM default.`" + outside + "`", "SELECT * FROM '" + outside + "'",
		"INSERT INTO FUNCTION file('" + outside + ".new', LineAsString, 'a String') VALUES ('x')", "INSERT INTO own FROM INFILE '" + outside + "' FORMAT LineAsString",
		"INSERT INTO FUNCTION file('" + outside + "', LineAsString, 'a String') SETTINGS engine_file_truncate_on_insert = 1 VALUES ('x')",
	} {
		if err := c.Exec(t.Context(), statement); err == nil {
			t.Errorf("the engine does %s", statement)
		}
	}
	fill(t, c, "SELECT a FROM own INTO OUTFILE '"+outside+".out'") // a client's business: passed over
	b, err := os.ReadFile(outside)
	found, globErr := filepath.Glob(outside + "*")
	if err != nil || string(b) != "secret\n" || globErr != nil || len(found) != 1 {
		t.Errorf("%q %v, files %v %v", b, err, found, globErr)
	}
	fill(t, c, "SELECT * FROM own", "OPTIMIZE TABLE own FINAL", "ALTER TABLE own DETACH PARTITION ALL", "ALTER TABLE own ATTACH PARTITION ALL", "DROP TABLE own SYNC")
}

// A statement that wants more memory than there is fails by itself and takes nothing with it.
func TestMemoryLimit(t *testing.T) {
	e := startEngine(t, t.TempDir())
	c := dial(t, e)
	var refused *clickhouse.Exception
	err := c.Exec(t.Context(), "SELECT length(groupArray(repeat('x', 1000))) FROM numbers(100000000) SETTINGS max_threads = 2")
	if !errors.As(err, &refused) || refused.Code != 241 {
		t.Errorf("got %v, want code 241", err)
	}
	if n := count(t, c, "system.one"); n != 1 {
		t.Errorf("got %d", n)
	}
	if rss := peakMemory(t, e.PID()); rss > 3<<30/2 {
		t.Errorf("the engine took %d MB", rss>>20)
	}
}

// peakMemory is the most memory a process ever held, in bytes.
func peakMemory(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if errors.Is(err, os.ErrNotExist) {
		return 0 // no such files on this system
	}
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatalf("no VmHWM in %s", b)
	return 0
}

// The engine's process does not answer a person who calls it by hand.
func TestChildWithoutOrders(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RETORNO_ENGINE_CHILD=1")
	cmd.Stdin = strings.NewReader("")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "RETORNO_ENGINE_CHILD") {
		t.Errorf("got %v: %s", err, out)
	}
	if json.Valid(out) {
		t.Errorf("it reported: %s", out)
	}
}
