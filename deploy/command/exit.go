package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"retorno/consumers/counting/store"
	"retorno/deploy/command/settings"
	"retorno/deploy/ops"
	"retorno/schemas/kafka"
)

// Exit statuses of interfaces.md.
const (
	exitDone    = 0
	exitNo      = 1
	exitUsage   = 2
	exitMissing = 3
)

// status is an error that carries the exit status it asks for.
type status struct {
	code int
	err  error
}

func (s *status) Error() string { return s.err.Error() }
func (s *status) Unwrap() error { return s.err }

// No says that the command did its work and the answer is no: a difference, a contradiction, rejected rows. Status 1.
func No(err error) error { return withStatus(exitNo, err) }

// Usage says that the command was used or configured wrongly. Status 2.
func Usage(err error) error { return withStatus(exitUsage, err) }

// Missing says that something the command needs is not there: a broker, a server, a file, space, a network. Status 3.
func Missing(err error) error { return withStatus(exitMissing, err) }

func withStatus(code int, err error) error {
	if err == nil {
		return nil
	}
	return &status{code, err}
}

// exitStatus is the status an error ends the process with: what it says of itself, else what it is known to be.
func exitStatus(err error) int {
	var s *status
	var network net.Error
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &s):
		return s.code
	case errors.As(err, new(*ops.Panic)):
		return exitNo
	case store.RightsMissing(err), errors.As(err, new(*store.MisuseError)), kafka.Refused(err):
		return exitUsage
	case errors.As(err, &network),
		errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS),
		errors.Is(err, syscall.EADDRINUSE), errors.Is(err, syscall.EADDRNOTAVAIL),
		errors.Is(err, context.DeadlineExceeded):
		return exitMissing
	default:
		return exitNo
	}
}

// finish prints the one message of a failure and returns the exit status.
func finish(w io.Writer, command string, err error, lookup func(string) (string, bool)) int {
	code := exitStatus(err)
	if err == nil {
		return code
	}
	name := strings.TrimSpace(program + " " + command)
	message := err.Error()
	if errors.Is(err, context.Canceled) {
		message = "interrupted before it was done (" + message + ")"
	}
	if way := store.Grant(err); store.RightsMissing(err) && !strings.Contains(message, way) {
		message += "; " + way
	}
	var bug *ops.Panic
	if errors.As(err, &bug) {
		message += "; please report it with the output of the same command under RETORNO_DEBUG=1"
		if v, ok := lookup(settings.DebugVariable); ok && v != "" {
			message += "\n" + string(bug.Stack)
		}
	}
	_, _ = fmt.Fprintf(w, "%s: %s\n", name, strings.ReplaceAll(strings.TrimRight(message, "\n"), "\n", "\n  "))
	return code
}
