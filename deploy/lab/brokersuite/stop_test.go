package brokersuite

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

func newRegistry(cfg *stream.Config) *prometheus.Registry {
	r := prometheus.NewRegistry()
	cfg.Registerer = r
	return r
}

// expectStop waits until a shard has stopped for the reason, and stays so.
func expectStop(t *testing.T, m *member, reg *prometheus.Registry, reason string, words ...string) {
	t.Helper()
	until(t, "a shard stops", func() bool { _, ok := m.stopped(); return ok })
	s, _ := m.stopped()
	if s.Stopped != reason || !stream.IsStop(s.Err) {
		t.Fatalf("stopped for %q: %v; want %q", s.Stopped, s.Err, reason)
	}
	for _, w := range words {
		if !strings.Contains(s.Err.Error(), w) {
			t.Errorf("the message %q does not say %q", s.Err, w)
		}
	}
	holds(t, 300*time.Millisecond, "it stays stopped, looked at again, and in the metrics", func() bool {
		s, ok := m.stopped()
		return ok && s.Stopped == reason && metric(t, reg, "retorno_stream_stopped", "reason="+reason) == 1
	})
	if !m.consumer.Status().Member {
		t.Error("it is no member any more")
	}
}

func TestRetentionOverrunsThePosition(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 2, 1)
		b.write(t, 1, facts(topics, 0, 200))
		b.admin.deleteRecords(t, topics[1], 0, 60)
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		l.positions[at(topics[1], 0)] = 10
		m := join(t, cfg, l.run(topics))
		expectStop(t, m, reg, stream.ReasonRetention, "offsets 10 to 59", topics[1])
		s, _ := m.stopped()
		var gap *stream.GapError
		if !errors.As(s.Err, &gap) || gap.Position != 10 || gap.Found != 60 {
			t.Errorf("the gap is %+v", gap)
		}
		// The decision to go on at 60 is recorded: the shard goes on by itself.
		l.mu.Lock()
		l.positions[at(topics[1], 0)] = 60
		l.mu.Unlock()
		until(t, "the rest is read", func() bool { return l.count() == 140 })
		until(t, "the stop is over", func() bool { _, ok := m.stopped(); return !ok })
		if n := metric(t, reg, "retorno_stream_stopped"); n != 0 {
			t.Errorf("the metric still shows %v stopped shards", n)
		}
	})
}

func TestOneStoppedShardLeavesTheOthersRunning(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 2)
		b.write(t, 2, facts(topics, 0, 200))
		b.admin.deleteRecords(t, topics[0], 0, 20)
		cfg := b.streamConfig(t, topics, 2)
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		expectStop(t, m, reg, stream.ReasonRetention)
		other := facts(topics, 1000, 100)
		b.write(t, 2, other)
		want := 0
		for _, f := range other {
			want += kafka.Partition(f.Key, 2)
		}
		until(t, "the other shard goes on", func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			n := 0
			for _, f := range other {
				n += l.seen[string(f.Value)]
			}
			return n == want
		})
	})
}

func TestRecreatedShorterTopicStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 20))
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		l.positions[at(topics[0], 0)] = 50
		m := join(t, cfg, l.run(topics))
		expectStop(t, m, reg, stream.ReasonBeyondEnd, "ends at offset 20", "go on at 50")
	})
}

func TestTopicCreatedAnewWhileRunningStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 50))
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "all is read", func() bool { return l.count() == 50 })
		b.admin.remove(t, topics[0])
		b.admin.create(t, topics[0], 1, nil)
		// Long enough for the position to exist in the new topic.
		b.write(t, 1, facts(topics, 1000, 200))
		until(t, "a shard stops", func() bool { _, ok := m.stopped(); return ok })
		s, _ := m.stopped()
		// Which of the two is found depends on how far the new topic was
		// when it was looked at.
		if s.Stopped != stream.ReasonRecreated && s.Stopped != stream.ReasonBeyondEnd {
			t.Fatalf("stopped for %q: %v", s.Stopped, s.Err)
		}
		if metric(t, reg, "retorno_stream_stopped") != 1 {
			t.Error("the metric does not show it")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.seen) != 50 {
			t.Errorf("%d messages of the new topic were delivered", len(l.seen)-50)
		}
	})
}

// The new topic is as long as the old one and cut into the same batches: only
// the messages tell them apart.
func TestTopicCreatedAnewUnseenStops(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 50))
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "all is read", func() bool { return l.count() == 50 })
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.Fetch {
				return cut
			}
			return pass
		})
		b.admin.remove(t, topics[0])
		b.admin.create(t, topics[0], 1, nil)
		b.write(t, 1, facts(topics, 1000, 50))
		b.write(t, 1, facts(topics, 2000, 50))
		b.proxy.hook(nil)
		expectStop(t, m, reg, stream.ReasonRecreated, "offset 49", "made again")
		if n := l.count(); n != 50 {
			t.Errorf("%d messages of the new topic were delivered", n-50)
		}
		// The decision to read the new topic from its start is recorded.
		l.mu.Lock()
		l.positions[at(topics[0], 0)] = 0
		l.mu.Unlock()
		until(t, "the new topic is read", func() bool { return l.count() == 150 })
	})
}

// No process watched: one that had no part in reading the old topic finds a new one that is longer.
func TestTopicCreatedAnewBetweenProcessesStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 50))
		l := newLedger()
		first := join(t, b.streamConfig(t, topics, 1), l.run(topics))
		until(t, "all is read", func() bool { return l.count() == 50 })
		first.leave()
		b.admin.remove(t, topics[0])
		b.admin.create(t, topics[0], 1, nil)
		b.write(t, 1, facts(topics, 1000, 50))
		b.write(t, 1, facts(topics, 2000, 50))
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		m := join(t, cfg, l.run(topics))
		expectStop(t, m, reg, stream.ReasonRecreated, "offset 49", "made again")
		if n := l.count(); n != 50 {
			t.Errorf("%d messages of the new topic were delivered", n-50)
		}
	})
}

// A reader that waits for its consumer asks for nothing, and so is told of nothing.
func TestTopicCreatedAnewWhileNobodyAsksStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 50))
		cfg := b.streamConfig(t, topics, 1)
		cfg.PrefetchBytes = 1024 // less than one answer: no other is asked for until it is taken
		reg := newRegistry(&cfg)
		l := newLedger()
		hold := make(chan struct{})
		l.perFetch = func(*stream.Shard) error {
			if l.count() == 50 {
				<-hold
			}
			return nil
		}
		m := join(t, cfg, l.run(topics))
		until(t, "the first 50 are read", func() bool { return l.count() == 50 })
		b.write(t, 1, facts(topics, 500, 50))
		until(t, "the next ones are fetched", func() bool { return metric(t, reg, "retorno_stream_prefetched_bytes") > 0 })
		fetched := time.Now()
		b.admin.remove(t, topics[0])
		b.admin.create(t, topics[0], 1, nil)
		for part := range 3 {
			b.write(t, 1, facts(topics, 1000*(part+1), 50))
		}
		until(t, "the log has gone unread for longer than is taken on trust", func() bool { return time.Since(fetched) > cfg.MaxWait+1100*time.Millisecond })
		close(hold)
		expectStop(t, m, reg, stream.ReasonRecreated, "offset 99", "made again")
		if n := l.count(); n != 100 {
			t.Errorf("%d messages were delivered, 100 are of the old topic", n)
		}
	})
}

func TestDeletedTopicStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 50))
		cfg := b.streamConfig(t, topics, 1)
		cfg.TopicGrace = 500 * time.Millisecond
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "all is read", func() bool { return l.count() == 50 })
		b.admin.remove(t, topics[0])
		until(t, "a shard stops", func() bool { s, ok := m.stopped(); return ok && s.Stopped == stream.ReasonTopicMissing })
		if metric(t, reg, "retorno_stream_stopped") != 1 {
			t.Error("the metric does not show it")
		}
	})
}

func TestAddedPartitionsStopReadingAndWriting(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 2, 2)
		w := b.writer(t, 2)
		all := facts(topics, 0, 100)
		if err := w.Write(limited(t), all...); err != nil {
			t.Fatal(err)
		}
		cfg := b.streamConfig(t, topics, 2)
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "all is read", func() bool { return l.count() == 100 })
		b.admin.addPartitions(t, topics[1], 3)
		until(t, "both shards stop", func() bool { return metric(t, reg, "retorno_stream_stopped", "reason=partition_count") == 2 })
		expect, _ := m.stopped()
		if !strings.Contains(expect.Err.Error(), "has 3 partitions, expected 2") {
			t.Errorf("the message is %q", expect.Err)
		}
		// The writer refuses before any key has moved.
		until(t, "the writer stops", func() bool {
			err := w.Write(limited(t), facts(topics, 1000, 10)...)
			return producer.IsStop(err) && strings.Contains(err.Error(), "has 3 partitions, expected 2")
		})
		c2, err := stream.New(b.streamConfig(t, topics, 2))
		if err != nil {
			t.Fatal(err)
		}
		if err := c2.Run(limited(t), func(context.Context, *stream.Shard) error { return nil }); !stream.IsStop(err) {
			t.Errorf("a new consumer starts with %v", err)
		}
	})
}

func TestStopOfTheCallerStays(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		m := join(t, cfg, func(context.Context, *stream.Shard) error {
			return stream.Stop(errors.New("the store refuses the password"))
		})
		expectStop(t, m, reg, stream.ReasonConsumer, "the store refuses the password")
		if n := metric(t, reg, "retorno_stream_rebalances_total"); n != 1 {
			t.Errorf("a stopped shard made the member join %v times", n)
		}
	})
}
