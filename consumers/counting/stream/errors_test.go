package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

type foreignStop struct{}

func (foreignStop) Error() string      { return "foreign" }
func (foreignStop) StopReason() string { return "something made up 123" }

func TestStopErrors(t *testing.T) {
	for _, c := range []struct {
		err    error
		stop   bool
		reason string
	}{
		{nil, false, ""},
		{errors.New("x"), false, ""},
		{Stop(errors.New("x")), true, ReasonConsumer},
		{fmt.Errorf("flush: %w", Stop(io.EOF)), true, ReasonConsumer},
		{&GapError{Reason: ReasonRetention}, true, ReasonRetention},
		{errors.Join(io.EOF, &StopError{Reason: ReasonBeyondEnd, Err: io.EOF}), true, ReasonBeyondEnd},
		// Labels stay bounded whatever others invent.
		{foreignStop{}, true, ReasonConsumer},
	} {
		reason, stop := stopReason(c.err)
		if stop != c.stop || reason != c.reason || IsStop(c.err) != c.stop {
			t.Errorf("%v: stop %v for %q", c.err, stop, reason)
		}
	}
	if !errors.Is(Stop(io.EOF), io.EOF) {
		t.Error("Stop hides the error")
	}
}

// What a failure of fetching becomes when it lasts says where to look.
func TestLastingFailuresHaveAReason(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("fetch: %w", kafka.ErrCorrupt), ReasonDamaged},
		{&misplacedError{}, ReasonDamaged},
		{errFormat, ReasonFormat},
		{&kafka.SizeError{}, ReasonTooLarge},
		{kafkago.SASLAuthenticationFailed, ReasonAuth},
		{kafkago.TopicAuthorizationFailed, ReasonAuth},
		{kafkago.NotLeaderForPartition, ReasonRefused},
		{kafkago.KafkaStorageError, ReasonRefused},
		{errors.New("something never seen before"), ReasonRefused},
		{fmt.Errorf("no broker leads it: %w", kafkago.LeaderNotAvailable), ReasonUnreachable},
		{io.ErrUnexpectedEOF, ReasonUnreachable},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, ReasonUnreachable},
		{context.DeadlineExceeded, ReasonUnreachable},
		{&kafka.MismatchError{Err: io.EOF}, ReasonUnreachable},
	} {
		reason, look := lasting(c.err)
		if reason != c.want || look == "" {
			t.Errorf("%v: reason %s (%s), want %s", c.err, reason, look, c.want)
		}
		if r, ok := stopReason(&StopError{Reason: reason, Err: c.err}); !ok || r != c.want {
			t.Errorf("the label of %s is %s", reason, r)
		}
	}
}
