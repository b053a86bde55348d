package nativeserver_test

import (
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
)

// engine serves all tests of the package; each has a database of its own.
var engine *embedded.Engine

func TestMain(m *testing.M) { embeddedtest.Main(m, embeddedtest.Keep(&engine)) }

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
		embeddedtest.Eventually(t, "the connection comes back", func() bool { return c.Stats().Idle == 1 })
	}
}
