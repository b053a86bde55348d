//go:build !server

package command

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/release"
)

// failpoints are the settings of consumers and publishers that only tests use.
type failpoints struct {
	Failpoint failpoint `hidden:"" per:"call" placeholder:"ACTION@TABLE:N" help:"For tests: end (kill) or stop this process, or hang (stall), after its N-th insert into a table."`
}

func (f failpoints) hook() func(table string) { return f.Failpoint.hook() }

// on is the connection of a publisher whose inserts the failpoint hears.
func (f failpoints) on(conn release.Conn) release.Conn {
	if hook := f.hook(); hook != nil {
		return heard{conn, hook}
	}
	return conn
}

// heard is a connection that tells each insert that was answered.
type heard struct {
	release.Conn
	inserted func(table string)
}

// Exec tells an insert.
func (h heard) Exec(ctx context.Context, query string, args ...any) error {
	err := h.Conn.Exec(ctx, query, args...)
	if table := insertedInto(query); err == nil && table != "" {
		h.inserted(table)
	}
	return err
}

// PrepareBatch returns a batch that tells when it was sent.
func (h heard) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := h.Conn.PrepareBatch(ctx, query, opts...)
	if err != nil {
		return nil, err
	}
	return heardBatch{b, func() { h.inserted(insertedInto(query)) }}, nil
}

type heardBatch struct {
	driver.Batch
	sent func()
}

// Send tells that the batch was answered.
func (b heardBatch) Send() error {
	err := b.Batch.Send()
	if err == nil {
		b.sent()
	}
	return err
}

// insertedInto is the table of an insert; empty for another statement.
func insertedInto(query string) string {
	if words := strings.Fields(query); len(words) > 2 && words[0] == "INSERT" && words[1] == "INTO" {
		return words[2]
	}
	return ""
}

// failpoint makes a fault of the process itself at a place that no fault from outside could hit: between two inserts of one
// flush. Its form is ACTION@TABLE:N; the process is killed (kill), is stopped until SIGCONT (stop), or keeps the
// goroutine of that flush for ever (stall) right after its N-th insert into the table was answered. Empty, as always outside of tests, does nothing.
type failpoint string

// Validate refuses what is no failpoint.
func (f failpoint) Validate() error {
	_, _, _, err := f.parse()
	return err
}

func (f failpoint) parse() (act func() error, table string, n int64, err error) {
	if f == "" {
		return nil, "", 0, nil
	}
	action, rest, _ := strings.Cut(string(f), "@")
	table, number, _ := strings.Cut(rest, ":")
	n, err = strconv.ParseInt(number, 10, 64)
	act = actions[action]
	if err != nil || n < 1 || table == "" || act == nil {
		return nil, "", 0, fmt.Errorf("failpoint %q: expected kill@TABLE:N, stop@TABLE:N or stall@TABLE:N", string(f))
	}
	return act, table, n, nil
}

var actions = map[string]func() error{
	// A signal to oneself is delivered before kill returns, to this thread or to another one.
	"kill":  func() error { return syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"stop":  func() error { return syscall.Kill(os.Getpid(), syscall.SIGSTOP) },
	"stall": func() error { select {} },
}

// hook is called after each insert; nil when there is no failpoint.
func (f failpoint) hook() func(table string) {
	act, at, n, err := f.parse()
	if err != nil || n == 0 {
		return nil
	}
	var seen atomic.Int64
	return func(table string) {
		if table == at && seen.Add(1) == n {
			if err := act(); err != nil {
				panic(fmt.Sprintf("failpoint %s: %v", string(f), err))
			}
		}
	}
}
