package nativeserver_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded"
)

// engine serves all tests of the package; each has a database of its own.
var engine *embedded.Engine

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nativeserver-*")
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

// open connects clickhouse-go to a database of the test's own.
func open(t *testing.T, change ...func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	name := "t_" + strings.ToLower(strings.NewReplacer("/", "_", "#", "_", "-", "_").Replace(t.Name()))
	admin := connect(t, &clickhouse.Options{})
	exec(t, admin, "CREATE DATABASE IF NOT EXISTS "+name)
	o := &clickhouse.Options{Auth: clickhouse.Auth{Database: name}}
	for _, c := range change {
		c(o)
	}
	return connect(t, o)
}

func connect(t *testing.T, o *clickhouse.Options) driver.Conn {
	t.Helper()
	o.Addr = []string{engine.Native()}
	c, err := clickhouse.Open(o)
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

func exec(t *testing.T, c driver.Conn, sql string, args ...any) {
	t.Helper()
	if err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one reads a result of one row and one column.
func one[T any](t *testing.T, c driver.Conn, sql string, args ...any) (v T) {
	t.Helper()
	if err := c.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	returned(t, c)
	return v
}

// returned waits until the only connection of c is back where the next statement finds it. clickhouse-go puts it there a
// moment after the answer has been read, and a statement of that moment gets a new connection, a new session.
func returned(t *testing.T, c driver.Conn) {
	t.Helper()
	if c.Stats().MaxOpenConns == 1 {
		eventually(t, "the connection comes back", func() bool { return c.Stats().Idle == 1 })
	}
}

// patience is how long anything may take before a test takes it to hang; a busy machine is slow, not wrong.
const patience = 5 * time.Minute

// eventually waits until ok, asking again and again.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("waited in vain: " + what)
		}
	}
}
