package command

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"retorno/consumers/counting/store"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/fakekafka"
)

// slowLine stands before a server and passes its answers on piece by piece, with a pause before each.
type slowLine struct {
	net.Listener
	server atomic.Value // string: its address
	pause  atomic.Int64 // before each piece
	piece  int          // bytes
}

func newSlowLine(t *testing.T, piece int) *slowLine {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	l := &slowLine{Listener: listener, piece: piece}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go l.serve(client)
		}
	}()
	return l
}

func (l *slowLine) addr() string { return l.Addr().String() }

// serve passes questions on as they come and answers slowly, until either side ends.
func (l *slowLine) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", l.server.Load().(string))
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		pass(server, client, make([]byte, 64<<10), func() {})
		_ = server.Close()
	}()
	pass(client, server, make([]byte, l.piece), func() { <-time.After(time.Duration(l.pause.Load())) })
}

func pass(to, from net.Conn, buf []byte, before func()) {
	for {
		n, err := from.Read(buf)
		if n > 0 {
			before()
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// TestASlowCommandIsNotOneWithoutAnAnswer runs commands over lines on which every answer takes its time: what they ask in
// turn takes longer than they wait for a server that is not there, and an answer of Kafka's takes longer than it may be
// silent. All come to their real end.
func TestASlowCommandIsNotOneWithoutAnAnswer(t *testing.T) {
	before := reachTimeout
	reachTimeout = 300 * time.Millisecond
	t.Cleanup(func() { reachTimeout = before })
	toKafka, toClickHouse := newSlowLine(t, 2<<10), newSlowLine(t, 64<<10)
	broker, err := fakekafka.Start(fakekafka.Config{Advertise: toKafka.addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	engine, err := embedded.StartEngine(t.Context(), embedded.EngineConfig{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Stop(context.Background()) })
	toKafka.server.Store(broker.Addr())
	toClickHouse.server.Store(engine.Native())
	slow := func(kafka, clickhouse time.Duration) {
		toKafka.pause.Store(int64(kafka))
		toClickHouse.pause.Store(int64(clickhouse))
	}
	kafkaAt := []string{"--kafka-brokers", toKafka.addr(), "--kafka-partitions=1", "--kafka-request-timeout=1s"}
	clickhouseAt := []string{"--clickhouse-addr", toClickHouse.addr()}
	done := func(in string, flags []string, args ...string) result {
		t.Helper()
		r := try(t, in, nil, append(args, flags...)...)
		if r.status != exitDone {
			t.Fatalf("%v: %+v", args, r)
		}
		return r
	}

	slow(100*time.Millisecond, 10*time.Millisecond)
	done("", clickhouseAt, "migrate")
	made := done("", nil, "register", "--table", writeFile(t, "tables.csv", small), "--id=T1").out
	done(made, kafkaAt, "send", "-")

	slow(0, 0)
	s, err := store.Open(store.Config{Addr: toClickHouse.addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	brokers := kafkaFlags{Brokers: []string{toKafka.addr()}, Partitions: 1}
	producerWithTopics(t, brokers) // that of the dead letters, too
	leave := consume(t, brokers, s)
	awaitRead(t, s, uint64(strings.Count(made, "\n")))
	leave()

	slow(100*time.Millisecond, 10*time.Millisecond)
	both := slices.Concat(kafkaAt, clickhouseAt)
	if r := done("", both, "verify", "--once"); !strings.Contains(r.out, "0 different") {
		t.Errorf("%+v", r)
	}
	done("", both, "publish", "2016-S1", "--signing-key", newKey(t), "--accept-incomplete=made")
}
