// Package clients_test runs clients that others wrote against the embedded engine: Python's clickhouse-driver and
// clickhouse-connect, both generations of the JDBC driver, and curl. None of them must notice that it is no server.
//
// What a client needs is fetched once, pinned, with its ordinary tools: Python packages into a virtual environment
// under the user's cache folder, Java ones into Maven's repository. A tool that is missing fails its test by name.
package clients_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"retorno/deploy/embedded"
)

// engine serves all tests of the package.
var engine *embedded.Engine

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clients-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if engine, err = embedded.StartEngine(context.Background(), embedded.EngineConfig{Dir: dir, Log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, "start the engine:", err)
		return 1
	}
	code := m.Run()
	if err := engine.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := engine.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "stop the engine:", err)
		return 1
	}
	return code
}

// need finds a tool of this machine or fails by its name.
func need(t *testing.T, tool string) string {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Fatalf("%s is not installed, and this test needs it", tool)
	}
	return path
}

// call runs a program that must succeed and say ok as its last word but for a version.
func call(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	out, err := output(t, dir, program, args...)
	if err != nil || !strings.Contains(out, "ok") {
		t.Errorf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
}

func output(t *testing.T, dir, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func TestCurl(t *testing.T) {
	need(t, "curl")
	call(t, ".", need(t, "sh"), "curl.sh", "http://"+engine.HTTP())
}

func TestClickHouseDriver(t *testing.T) {
	host, port := split(t, engine.Native())
	call(t, ".", python(t), "native_driver.py", host, port)
}

func TestClickHouseConnect(t *testing.T) {
	host, port := split(t, engine.HTTP())
	call(t, ".", python(t), "http_connect.py", host, port)
}

func split(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// JDBC, as BI tools use it, in the generation that is in the field and in the newest.
func TestJDBC(t *testing.T) {
	need(t, "java")
	mvn := need(t, "mvn")
	for generation, profile := range map[string][]string{"0.6": {"-Pold"}, "0.10": nil} {
		t.Run(generation, func(t *testing.T) {
			args := append([]string{"-q", "-B", "-Dout=" + t.TempDir(), "-Dexec.args=" + engine.HTTP(), "compile", "exec:java"}, profile...)
			out, err := output(t, "jdbc", mvn, append([]string{"-o"}, args...)...)
			if err != nil && strings.Contains(out, "offline") { // not all is there yet
				out, err = output(t, "jdbc", mvn, args...)
			}
			if err != nil || !strings.Contains(out, "ok ") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

var (
	pythonOnce sync.Once
	pythonPath string
)

// python gives the interpreter of a virtual environment with the pinned packages, made once for all runs.
func python(t *testing.T) string {
	t.Helper()
	python3 := need(t, "python3")
	pythonOnce.Do(func() { pythonPath = environment(t, python3) })
	if pythonPath == "" {
		t.Fatal("there is no Python environment")
	}
	return pythonPath
}

func environment(t *testing.T, python3 string) string {
	t.Helper()
	pinned, err := os.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	version, err := output(t, ".", python3, "--version")
	if err != nil {
		t.Fatalf("%s: %v", python3, err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(append(pinned, version...))
	dir := filepath.Join(cache, "retorno", "python", hex.EncodeToString(sum[:8]))
	ready := filepath.Join(dir, "ready")
	interpreter := filepath.Join(dir, "bin", "python")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ready); err == nil {
		return interpreter
	} else if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, step := range [][]string{{python3, "-m", "venv", "--clear", dir}, {interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "requirements.txt"}} {
		if out, err := output(t, ".", step[0], step[1:]...); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(step, " "), err, out)
		}
	}
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return interpreter
}
