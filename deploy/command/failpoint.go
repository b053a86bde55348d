//go:build !server

package command

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// failpoints are the settings of the consumer that only tests use.
type failpoints struct {
	Failpoint failpoint `hidden:"" per:"call" placeholder:"ACTION@TABLE:N" help:"For tests: end (kill) or stop this process, or hang (stall), after its N-th insert into a table."`
}

func (f failpoints) hook() func(table string) { return f.Failpoint.hook() }

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
