package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
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

func TestCorruptionIsToldFromTheNetwork(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errors.New("crc32 checksum mismatch"), true},
		{fmt.Errorf("fetch: %w", errCorrupt), true},
		{kafka.InvalidMessage, true},
		{kafka.NotLeaderForPartition, false},
		{io.ErrUnexpectedEOF, false},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, false},
		{context.DeadlineExceeded, false},
		{fmt.Errorf("x: %w", protocol.NewErrNoTopic("t")), false},
		{protocol.NewErrNoLeader("t", 1), false},
	} {
		if got := isCorrupt(c.err); got != c.want {
			t.Errorf("%v: corrupt %v", c.err, got)
		}
	}
}
