package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
	"retorno/producers/spool"
	"retorno/producers/vault"
	"retorno/schemas/agents"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
	reader "retorno/schemas/kafka/follow"
)

const passphrase = "tres tristes tigres"

var keys *vault.Keyring

func TestMain(m *testing.M) {
	recovery, err := vault.NewRecoverySecret()
	if err == nil {
		keys = vault.NewKeyring(recovery.Public())
		if err = keys.AddClerk("ana", passphrase, nil); err == nil {
			err = keys.AddSecret("", "0123456789abcdef0123456789abcdef-test")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const partitions = 3

// newBroker starts a broker with the topics of facts and agents.
func newBroker(t *testing.T, cfg fakekafka.Config) *fakekafka.Broker {
	t.Helper()
	b, err := fakekafka.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func topics(t *testing.T, addr string, names ...string) {
	t.Helper()
	if err := producer.EnsureTopics(t.Context(), []string{addr}, producer.TopicsConfig{Partitions: partitions, Topics: names}); err != nil {
		t.Fatal(err)
	}
}

func allTopics() []string {
	return append([]string{events.TopicCheckpoint, events.TopicCentre}, producer.AgentTopics()...)
}

func open(t *testing.T, dir string) *spool.Spool {
	t.Helper()
	s, err := spool.Open(spool.Config{Dir: dir, Source: "L-COR-1", Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t *testing.T, s *spool.Spool, n int) {
	t.Helper()
	if s.Clerk() == "" {
		if err := s.Unlock("ana", passphrase); err != nil {
			t.Fatal(err)
		}
	}
	entries := make([]spool.Entry, n)
	now := time.Now()
	for i := range entries {
		id, err := uuid.NewV7()
		if err != nil {
			t.Fatal(err)
		}
		entries[i] = spool.Entry{
			Record: &events.Record{RecordId: id.String(), Revision: 1, SchemaVersion: 1, EventTimeMs: now.UnixMilli(), RecordedTimeMs: now.UnixMilli(),
				Body: &events.Record_Crossing{Crossing: &events.Crossing{Direction: "entry", BorderPoint: "L-COR", Sex: "F"}}},
			Form: []byte(id.String()), Identity: []byte(`{"names":"Maria"}`), Clerk: "ana", At: now,
		}
	}
	if _, err := s.Save(entries); err != nil {
		t.Fatal(err)
	}
}

// running is a dispatcher that runs.
type running struct {
	*Dispatcher
	stop func() error
}

func run(t *testing.T, s *spool.Spool, link func() (Link, error)) running {
	t.Helper()
	d := New(Config{Spool: s, Link: link, Version: "test", Every: 50 * time.Millisecond, Retry: 200 * time.Millisecond, Patience: 5 * time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stop := func() error { cancel(); err := <-done; done <- err; return err }
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return running{d, stop}
}

func to(addr string) func() (Link, error) {
	return func() (Link, error) {
		return Link{Access: kafka.Access{Brokers: []string{addr}}, Partitions: partitions}, nil
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func sentAll(t *testing.T, s *spool.Spool) {
	t.Helper()
	eventually(t, "all is sent", func() bool { st, err := s.State(); return err == nil && st.Unsent == 0 })
}

// received reads what the topic holds: record bytes by number. Copies of one number must be equal.
func received(t *testing.T, addr, topic string) map[uint64][]byte {
	t.Helper()
	r := reader.New(kafka.Access{Brokers: []string{addr}}, topic)
	defer r.Close()
	all := map[uint64][]byte{}
	err := r.Read(t.Context(), func(m reader.Message) error {
		o, err := events.Open(m.Value)
		if err != nil {
			return err
		}
		raw, err := events.Bytes(o.Record)
		if have := all[o.Record.GetSourceSeq()]; have != nil && !bytes.Equal(have, raw) {
			return fmt.Errorf("number %d has two contents", o.Record.GetSourceSeq())
		}
		all[o.Record.GetSourceSeq()] = raw
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantNumbers(t *testing.T, got map[uint64][]byte, n int) {
	t.Helper()
	for seq := uint64(1); seq <= uint64(n); seq++ {
		if got[seq] == nil {
			t.Fatalf("number %d did not arrive", seq)
		}
	}
	if len(got) != n {
		t.Fatalf("%d numbers arrived, want %d", len(got), n)
	}
}

// TestSendsLockedAndAfterARestartOfTheBroker: what is saved while the line is down, and before a start without a login,
// leaves by itself.
func TestSendsLockedAndAfterARestartOfTheBroker(t *testing.T) {
	logs := t.TempDir()
	b, err := fakekafka.Start(fakekafka.Config{Dir: logs})
	if err != nil {
		t.Fatal(err)
	}
	addr := b.Addr()
	topics(t, addr, allTopics()...)
	s := open(t, t.TempDir())
	defer s.Close()
	save(t, s, 5)
	s.Lock()
	d := run(t, s, to(addr))
	sentAll(t, s)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	save(t, s, 5)
	s.Lock()
	newBroker(t, fakekafka.Config{Dir: logs, Addr: addr})
	sentAll(t, s)
	if stop := d.Status().Stop; stop.Code != "" {
		t.Fatalf("%s", stop)
	}
	if _, known := d.ClockOffset(); !known {
		t.Fatal("the broker's time is not known")
	}
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	wantNumbers(t, received(t, addr, events.TopicCheckpoint), 10)
}

// TestLostAckSendsTheSameBytes (F11): a broker that answers nothing has the batch twice, and one content of each number.
func TestLostAckSendsTheSameBytes(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), allTopics()...)
	s := open(t, t.TempDir())
	save(t, s, 20)
	d := run(t, s, to(b.Addr()))
	sentAll(t, s)
	if err := errors.Join(d.stop(), s.Close()); err != nil {
		t.Fatal(err)
	}
	// The acknowledgement is lost with the folder's last bytes: the next run sends once more.
	path := filepath.Join(s.Dir(), "journal")
	forgetAck(t, path)
	again := open(t, s.Dir())
	defer again.Close()
	if st, err := again.State(); err != nil || st.Unsent != 20 {
		t.Fatalf("%+v %v", st, err)
	}
	run(t, again, to(b.Addr()))
	sentAll(t, again)
	wantNumbers(t, received(t, b.Addr(), events.TopicCheckpoint), 20)
}

// TestStopsStandInWordsAndMend: a wrong partition count and a missing topic keep records here, are named, and go on when
// mended, without a restart.
func TestStopsStandInWordsAndMend(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), producer.AgentTopics()...)
	s := open(t, t.TempDir())
	defer s.Close()
	save(t, s, 3)
	var expected atomic.Int64
	expected.Store(partitions + 1)
	d := run(t, s, func() (Link, error) {
		return Link{Access: kafka.Access{Brokers: []string{b.Addr()}}, Partitions: int(expected.Load())}, nil
	})
	eventually(t, "the missing topic is named", func() bool { return d.Status().Stop.Code == StopTopic })
	topics(t, b.Addr(), events.TopicCheckpoint)
	eventually(t, "the partition count is named", func() bool { return d.Status().Stop.Code == StopPartitions })
	if st, err := s.State(); err != nil || st.Unsent != 3 {
		t.Fatalf("%+v %v", st, err)
	}
	expected.Store(partitions)
	sentAll(t, s)
	eventually(t, "the words go", func() bool { return d.Status().Stop == Stop{} })
	wantNumbers(t, received(t, b.Addr(), events.TopicCheckpoint), 3)
}

// TestChangedPasswordMends: a refused login keeps records here, is named, and goes on with the new password.
func TestChangedPasswordMends(t *testing.T) {
	const mechanism = "SCRAM-SHA-512"
	b := newBroker(t, fakekafka.Config{Users: []fakekafka.User{{Mechanism: mechanism, Name: "post", Password: "new"}}})
	access := func(password string) kafka.Access {
		return kafka.Access{Brokers: []string{b.Addr()}, SASL: &kafka.SASL{Mechanism: mechanism, User: "post", Password: password}}
	}
	client := producer.Config{SASL: access("new").SASL}
	if err := producer.EnsureTopics(t.Context(), []string{b.Addr()}, producer.TopicsConfig{Partitions: partitions, Topics: allTopics(), Client: client}); err != nil {
		t.Fatal(err)
	}
	s := open(t, t.TempDir())
	defer s.Close()
	save(t, s, 3)
	var password atomic.Value
	password.Store("old")
	d := run(t, s, func() (Link, error) {
		return Link{Access: access(password.Load().(string)), Partitions: partitions}, nil
	})
	eventually(t, "the refused login is named", func() bool { return d.Status().Stop.Code == StopLogin })
	password.Store("new")
	sentAll(t, s)
	eventually(t, "the words go", func() bool { return d.Status().Stop == Stop{} })
}

// TestAnOlderCopyOfTheFolderStops: the source's own heartbeat is ahead of it, so it sends nothing.
func TestAnOlderCopyOfTheFolderStops(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), allTopics()...)
	first := t.TempDir()
	s := open(t, first)
	save(t, s, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	s = open(t, first)
	d := run(t, s, to(b.Addr()))
	save(t, s, 3)
	sentAll(t, s)
	eventually(t, "the heartbeat is at the broker", func() bool { return latestBeat(t, b.Addr()).LastSeq == 5 })
	if err := errors.Join(d.stop(), s.Close()); err != nil {
		t.Fatal(err)
	}
	c := open(t, copied)
	defer c.Close()
	save(t, c, 4)
	twin := run(t, c, to(b.Addr()))
	eventually(t, "the copy is named", func() bool { return twin.Status().Stop.Code == StopCopy })
	if st, err := c.State(); err != nil || st.Unsent != 6 {
		t.Fatalf("%+v %v", st, err)
	}
	wantNumbers(t, received(t, b.Addr(), events.TopicCheckpoint), 5)
}

// TestTwoCopiesAtWorkStop: the one that was there before notices the heartbeat of the other.
func TestTwoCopiesAtWorkStop(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), allTopics()...)
	first := t.TempDir()
	s := open(t, first)
	defer s.Close()
	d := run(t, s, to(b.Addr()))
	save(t, s, 2)
	sentAll(t, s)
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(first)); err != nil {
		t.Fatal(err)
	}
	c := open(t, copied)
	defer c.Close()
	twin := run(t, c, to(b.Addr()))
	eventually(t, "one of the two stops", func() bool { return d.Status().Stop.Code == StopCopy || twin.Status().Stop.Code == StopCopy })
}

// TestHeartbeatSaysHowTheComputerIs.
func TestHeartbeatSaysHowTheComputerIs(t *testing.T) {
	b := newBroker(t, fakekafka.Config{})
	topics(t, b.Addr(), allTopics()...)
	s := open(t, t.TempDir())
	defer s.Close()
	save(t, s, 2)
	run(t, s, to(b.Addr()))
	eventually(t, "a heartbeat after the records", func() bool {
		beat := latestBeat(t, b.Addr())
		return beat.LastSeq == 2 && beat.Unsent == 0 && beat.ClockOffsetMs != nil && beat.DiskFree > 0 && beat.Version == "test" && beat.Run == s.Run() &&
			len(beat.Secrets[""]) == 8 && len(beat.Lists) == 8
	})
}

func latestBeat(t *testing.T, addr string) agents.Beat {
	t.Helper()
	var latest agents.Beat
	r := reader.New(kafka.Access{Brokers: []string{addr}}, agents.TopicAgents)
	defer r.Close()
	err := r.Read(t.Context(), func(m reader.Message) error {
		beat, err := agents.ParseBeat(m.Key, m.Value)
		latest = beat
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return latest
}
