package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"retorno/deploy/ops"
)

func TestExitStatusOfErrors(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{No(errors.New("3 cells differ")), 1},
		{Usage(errors.New("no table is called nonsense")), 2},
		{Missing(errors.New("no broker")), 3},
		{fmt.Errorf("read ledger: %w", Missing(errors.New("no server"))), 3},
		{fmt.Errorf("connect: %w", refused), 3},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT}, 3},
		{&fs.PathError{Op: "mkdir", Path: "/data", Err: syscall.EACCES}, 3},
		{&fs.PathError{Op: "write", Path: "/data/x", Err: syscall.ENOSPC}, 3},
		{fmt.Errorf("ping: %w", context.DeadlineExceeded), 3},
		{ops.Protect("x", func() error { panic("y") }), 1},
		{errors.New("anything else"), 1},
	} {
		if got := exitStatus(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
	if No(nil) != nil || Usage(nil) != nil || Missing(nil) != nil {
		t.Error("no error became one")
	}
}

// A bug is one message without a trace; the trace comes on request.
func TestPanicIsOneMessage(t *testing.T) {
	var nothing map[string]int
	bug := ops.Protect("send", func() error { nothing["x"] = 1; return nil })
	for _, debug := range []bool{false, true} {
		lookup := func(k string) (string, bool) { return "1", debug && k == "RETORNO_DEBUG" }
		var w bytes.Buffer
		if code := finish(&w, "send", bug, lookup); code != exitNo {
			t.Errorf("status %d", code)
		}
		if text := w.String(); !strings.Contains(text, "retorno send: a bug in the program") || !strings.Contains(text, "exit_test.go:") ||
			strings.Contains(text, "goroutine") != debug {
			t.Errorf("debug %v: %q", debug, text)
		}
	}
}
