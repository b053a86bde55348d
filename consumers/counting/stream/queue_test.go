package stream

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// testShard is a shard whose cluster is never asked.
func testShard(t *testing.T, cfg Config) *Shard {
	t.Helper()
	cfg.Brokers, cfg.Group, cfg.Topics, cfg.Partitions = []string{"127.0.0.1:1"}, "g", []string{"topic", "other"}, 4
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s := c.Open(3)
	t.Cleanup(s.Close)
	return s
}

func messagesOf(topic string, first int64, values ...string) *batch {
	b := &batch{}
	for i, v := range values {
		b.messages = append(b.messages, Message{Topic: topic, Partition: 3, Offset: first + int64(i), Value: []byte(v)})
		b.bytes += len(v)
	}
	return b
}

// What an ended fetcher brings, finds out or fails with afterwards concerns no one: the position is another one now.
func TestAnEndedFetcherDeliversNothing(t *testing.T) {
	f := testShard(t, Config{}).queues[0]
	old := newFetcher(f)
	f.put(old.epoch, messagesOf("topic", 0, "a"))
	f.seek(100, mark{})
	if msgs, err := f.pop(); len(msgs) > 0 || err != nil {
		t.Errorf("after a seek %d messages of before are delivered, %v", len(msgs), err)
	}
	f.put(old.epoch, messagesOf("topic", 1, "b"))
	f.fail(old.epoch, errors.New("old"))
	f.begun(old.epoch, 7)
	f.fetched(old.epoch, "")
	f.failed(old.epoch, "old")
	if msgs, err := f.pop(); len(msgs) > 0 || err != nil {
		t.Errorf("an ended fetcher delivers %d messages, %v", len(msgs), err)
	}
	if s := f.status(); s.Position != 100 || !s.FetchedAt.IsZero() || s.Failures != 0 || s.Trouble != "" {
		t.Errorf("an ended fetcher changes the status: %+v", s)
	}
	f.put(newFetcher(f).epoch, messagesOf("topic", 100, "c"))
	if msgs, err := f.pop(); len(msgs) != 1 || msgs[0].Offset != 100 || err != nil {
		t.Errorf("the new fetcher delivers %v, %v", msgs, err)
	}
}

// What was read last is what another log is told by, not what came first in the same answer.
func TestTheLastMessageIsTheMark(t *testing.T) {
	f := newFetcher(testShard(t, Config{}).queues[0])
	b := messagesOf("topic", 5, "a", "b", "c")
	f.accept(b)
	if last := (mark{offset: 7, print: b.messages[2].Fingerprint()}); f.last != last || f.position != 8 || f.base != 8 || !f.aligned {
		t.Errorf("the mark is %+v at position %d, want %+v", f.last, f.position, last)
	}
}

func TestFingerprintsTellMessagesApart(t *testing.T) {
	at := time.UnixMilli(1_460_000_000_000)
	m := Message{Key: []byte("ab"), Value: []byte("c"), Time: at}
	others := []Message{
		{Key: []byte("a"), Value: []byte("bc"), Time: at}, {Key: []byte("ab"), Value: []byte("d"), Time: at},
		{Key: []byte("ab"), Value: []byte("c"), Time: at.Add(time.Millisecond)}, {Key: []byte("ac"), Value: []byte("c"), Time: at},
	}
	for _, o := range others {
		if o.Fingerprint() == m.Fingerprint() {
			t.Errorf("%+v is taken for %+v", o, m)
		}
	}
	same := m
	same.Offset, same.BrokerTime = 9, at
	if same.Fingerprint() != m.Fingerprint() || m.Fingerprint() == 0 {
		t.Error("the same message has another fingerprint")
	}
	if m.Unreadable = "x"; m.Fingerprint() != 0 {
		t.Error("what cannot be read has a fingerprint")
	}
}

// The topics of a shard take turns, and an error comes after what preceded it.
func TestNoTopicStarves(t *testing.T) {
	s := testShard(t, Config{})
	for i := range int64(3) {
		for _, f := range s.queues {
			f.stop = func() {} // no fetcher is to run
			f.put(0, messagesOf(f.topic, i, "x"))
		}
	}
	trouble := errors.New("trouble")
	s.queues[0].fail(0, trouble)
	var order []string
	for {
		msgs, err := s.Fetch(t.Context(), 0)
		if err != nil {
			if !errors.Is(err, trouble) {
				t.Error(err)
			}
			break
		}
		order = append(order, msgs[0].Topic)
	}
	if !slices.Equal(order, []string{"topic", "other", "topic", "other", "topic", "other"}) {
		t.Errorf("the topics came in the order %v", order)
	}
	if s.c.board.status(); s.queues[0].bytes != 0 {
		t.Errorf("%d bytes are still counted", s.queues[0].bytes)
	}
}

// A shard is well once every topic has been fetched well, and not before.
func TestAShardIsWellWhenAllTopicsAre(t *testing.T) {
	s := testShard(t, Config{})
	well := 0
	s.well = func() { well++ }
	s.queues[0].fetched(0, "")
	s.queues[1].failed(0, "away")
	if well > 0 {
		t.Error("one of two topics makes the shard well")
	}
	s.queues[1].fetched(0, "")
	s.queues[0].fetched(0, "")
	if well != 1 {
		t.Errorf("it was said to be well %d times", well)
	}
}

// What is not known is not zero.
func TestLagIsUnknownUntilTheEndIsSeen(t *testing.T) {
	f := testShard(t, Config{EndTimeout: time.Hour}).queues[0]
	if _, known := f.status().Lag(); known {
		t.Error("the lag is known before anything is")
	}
	f.seek(10, mark{})
	if _, known := f.status().Lag(); known {
		t.Error("the lag is known without an end")
	}
	f.saw(0, 25)
	if n, known := f.status().Lag(); !known || n != 15 {
		t.Errorf("the lag is %d, known %v; want 15", n, known)
	}
	f.shard.c.cfg.EndTimeout = time.Nanosecond
	if s := f.status(); s.HighWatermark != -1 || s.lastEnd != 25 {
		t.Errorf("an end seen long ago counts as %d", s.HighWatermark)
	}
	if f.shard.HighWatermark("topic") != -1 || f.shard.LogStart("topic") != -1 {
		t.Error("the shard says otherwise")
	}
}
