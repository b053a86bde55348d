package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"retorno/deploy/command/screen"
	"retorno/producers/producer"
	"retorno/schemas/events"
)

// notebook stands in for Kafka.
type notebook struct {
	sent []producer.Message
	fail error
}

var _ messageWriter = (*notebook)(nil)

func (n *notebook) Write(_ context.Context, msgs ...producer.Message) error {
	if n.fail != nil {
		return n.fail
	}
	n.sent = append(n.sent, msgs...)
	return nil
}

func newSender(n *notebook) (*sender, *bytes.Buffer) {
	var errs bytes.Buffer
	t := &terminal{Err: &errs, Log: slog.New(slog.DiscardHandler)}
	return &sender{outbox: outbox{writer: n, clock: func() (time.Duration, bool) { return 0, false }}, t: t, progress: screen.NewProgress(io.Discard, "sending", 0)}, &errs
}

// event is a valid crossing as a JSON line; what is replaced makes it invalid.
func event(seq int, replace ...string) string {
	line := fmt.Sprintf(`{"record":{"record_id":"01550000-0000-7000-8000-%012d","revision":1,"source_id":"L-COR-1","source_seq":%d,`+
		`"event_time_ms":"1460000000000","recorded_time_ms":"1460000000000","schema_version":1,`+
		`"crossing":{"direction":"entry","border_point":"L-COR","returned":true,"sex":"M","age":30}}}`, seq, seq)
	return strings.NewReplacer(replace...).Replace(line)
}

func TestSoundLinesAreSentAndOthersNamed(t *testing.T) {
	n := &notebook{}
	s, errs := newSender(n)
	input := strings.Join([]string{
		"\ufeff" + event(1),
		event(2, "L-COR\",\"returned", "L-ZZZ\",\"returned"),
		"",
		"not json",
		event(3, `"age"`, `"shoe_size"`),
		`{"topic":"` + events.TopicCentre + `","key":"a2V5","raw":"AAE="}`,
		event(4, `"age":30`, `"age":300`, `"sex":"M"`, `"sex":"Q"`),
		event(5), // without a newline at the end
	}, "\r\n")
	if err := s.all(t.Context(), iotest.OneByteReader(strings.NewReader(input))); err != nil {
		t.Fatal(err)
	}
	if s.lines != 7 || s.sent != 3 || s.rejected != 4 || len(n.sent) != 3 {
		t.Errorf("%d lines, %d sent, %d rejected, %d written", s.lines, s.sent, s.rejected, len(n.sent))
	}
	if m := n.sent[1]; m.Topic != events.TopicCentre || string(m.Key) != "key" || string(m.Value) != "\x00\x01" {
		t.Errorf("raw message became %+v", m)
	}
	for i, want := range []string{"line 2: crossing.border_point: unknown_code", "line 4: ", `line 5: `, "line 7: crossing.sex: unknown_code"} {
		lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[i], want) {
			t.Errorf("%q does not begin with %q", lines, want)
		}
	}
	if !strings.Contains(errs.String(), "shoe_size") || !strings.Contains(errs.String(), "crossing.age") {
		t.Errorf("a fault is not named: %s", errs)
	}
	for _, i := range []int{0, 2} {
		opened, err := events.Open(n.sent[i].Value)
		if err != nil || opened.SentAtMs == 0 {
			t.Errorf("message %d: %v, sent at %d", i, err, opened.SentAtMs)
		}
	}
}

// Input that trickles, as from tail -f, is not kept back until a batch is full.
func TestTricklingInputIsSentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notebook{}
		s, _ := newSender(n)
		in, out := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.all(ctx, in) }()
		_, _ = io.WriteString(out, event(1)+"\n")
		<-time.After(2 * trickle) // on the bubble's clock
		synctest.Wait()
		if len(n.sent) != 1 {
			t.Errorf("%d sent while the input is open", len(n.sent))
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
		_ = out.Close()
	})
}

func TestFailedWriteIsNotCountedAsSent(t *testing.T) {
	n := &notebook{fail: errors.New("no broker")}
	s, _ := newSender(n)
	err := s.all(t.Context(), strings.NewReader(event(1)))
	if exitStatus(err) != exitMissing || s.sent != 0 {
		t.Errorf("%v, %d sent, %d rejected", err, s.sent, s.rejected)
	}
}

func TestInputErrorIsReportedAfterWhatCameBeforeWasSent(t *testing.T) {
	n := &notebook{}
	s, _ := newSender(n)
	broken := io.MultiReader(strings.NewReader(event(1)+"\n"), iotest.ErrReader(errors.New("disk fell off")))
	if err := s.all(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "read line 2: disk fell off") || s.sent != 1 {
		t.Errorf("%v, %d sent, %d rejected", err, s.sent, s.rejected)
	}
}

func TestLineWithoutEndIsRejectedAndTheNextSent(t *testing.T) {
	n := &notebook{}
	s, errs := newSender(n)
	long := io.MultiReader(io.LimitReader(endless{}, maxLine+10), strings.NewReader("\n"+event(1)+"\n"))
	if err := s.all(t.Context(), long); err != nil || s.sent != 1 || s.rejected != 1 || !strings.Contains(errs.String(), "line 1: longer than") {
		t.Errorf("%v, %d sent, %d rejected, %s", err, s.sent, s.rejected, errs)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestManyRejectedLinesAreNotAllNamed(t *testing.T) {
	n := &notebook{}
	s, errs := newSender(n)
	if err := s.all(t.Context(), strings.NewReader(strings.Repeat("{}\n", 500))); err != nil || s.rejected != 500 {
		t.Errorf("%v %d sent, %d rejected", err, s.sent, s.rejected)
	}
	if lines := strings.Count(errs.String(), "\n"); lines != shownFaults+1 {
		t.Errorf("%d lines on stderr", lines)
	}
}
