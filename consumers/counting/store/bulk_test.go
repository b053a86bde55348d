package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/deploy/lab/embedded"
	"retorno/schemas/events"
)

// link is a connection to the engine that can be made to hold back what the engine says.
type link struct {
	listener net.Listener
	held     atomic.Int64 // how many more bytes pass; negative: all
}

func linkTo(t *testing.T, address string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener}
	l.held.Store(-1)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", address)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
			go func() { _, _ = io.Copy(in, heldBack{out, l}); _ = in.Close() }()
		}
	}()
	return l
}

// heldBack reads until no more bytes may pass, and then for ever.
type heldBack struct {
	net.Conn
	link *link
}

func (h heldBack) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	for h.link.held.Load() >= 0 && h.link.held.Add(-int64(n)) < 0 {
		h.link.held.Store(0)
		if _, err := h.Conn.Read(p); err != nil {
			return 0, err
		}
	}
	return n, err
}

// TestABulkAnswerMayTakeItsTime: blocks that come slowly are signs of life.
func TestABulkAnswerMayTakeItsTime(t *testing.T) {
	s := impatient(t, engine, 4*time.Second)
	conn := bulk{store: s}
	defer conn.close()
	var slept proto.ColUInt8
	rows := 0
	began := time.Now()
	err := conn.do(t.Context(), ch.Query{
		Body:     "SELECT sleepEachRow(0.5) AS slept FROM numbers(17) SETTINGS max_block_size = 1, max_threads = 1",
		Result:   proto.Results{{Name: "slept", Data: &slept}},
		OnResult: func(_ context.Context, b proto.Block) error { rows += b.Rows; return nil },
	})
	if took := time.Since(began); err != nil || rows != 17 || took < 2*s.cfg.QueryTimeout {
		t.Errorf("%d rows after %s, %v", rows, took, err)
	}
}

// TestASilentServerIsGivenUp: a connection that hangs in the middle of a block is ended after so much silence, and at once
// when its owner goes.
func TestASilentServerIsGivenUp(t *testing.T) {
	l := linkTo(t, engine.Native())
	s, err := Open(Config{Addr: l.listener.Addr().String(), QueryTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ask := func(ctx context.Context) error {
		conn := bulk{store: s}
		defer conn.close()
		var n proto.ColUInt64
		query := ch.Query{Body: "SELECT number FROM numbers(1000000)", Result: proto.Results{{Name: "number", Data: &n}}}
		query.OnResult = func(context.Context, proto.Block) error {
			l.held.CompareAndSwap(-1, 1000) // the next block comes in part
			return nil
		}
		defer l.held.Store(-1)
		return conn.do(ctx, query)
	}
	var silent *SilentError
	if err := ask(t.Context()); !errors.As(err, &silent) {
		t.Errorf("a server that hangs in a block: %v", err)
	}
	s.cfg.QueryTimeout = time.Hour
	ctx, leave := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, leave)
	if err := ask(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("its owner has gone: %v", err)
	}
}

// TestAServerThatWasStartedAgainIsNotBelieved: what a server had not written to disk may be gone after it was started
// again, so a claim that was taken before holds no longer.
func TestAServerThatWasStartedAgainIsNotBelieved(t *testing.T) {
	dir := t.TempDir()
	first, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Kill() }()
	s := impatient(t, first, time.Minute)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := s.Claim(t.Context(), 3, "first")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := NewFlush(3, c.Epoch())
	f.Ledger(ledger.Entry{Topic: events.TopicCentre, At: time.Now()})
	if err := c.Write(t.Context(), f, map[string]int64{events.TopicCentre: 0}); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.server.host += "-2"
	if err := c.Write(t.Context(), f, map[string]int64{events.TopicCentre: 0}); !IsFenced(err) {
		t.Errorf("a flush through another server: %v", err)
	}
	c.server.host = strings.TrimSuffix(c.server.host, "-2")
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for up := uint32(0); up < 5; { // its start is told in whole seconds
		if err := s.Conn().QueryRow(t.Context(), "SELECT uptime()").Scan(&up); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Kill(); err != nil {
		t.Fatal(err)
	}
	second, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: dir, Native: first.Native()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = second.Kill() }()
	if err := c.Check(t.Context()); !IsFenced(err) || !strings.Contains(err.Error(), "started again") {
		t.Errorf("the claim after it was started again: %v", err)
	}
	if err := c.Write(t.Context(), f, map[string]int64{events.TopicCentre: 0}); !IsFenced(err) {
		t.Errorf("a flush after it was started again: %v", err)
	}
}
