package brokersuite

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
)

func TestMembersShareEverything(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		const partitions = 6
		topics := b.topics(t, 2, partitions)
		cfg := func() stream.Config { return b.streamConfig(t, topics, partitions) }
		first := cfg()
		l := newLedger()
		w := b.writer(t, partitions)
		all := facts(topics, 0, 12_000)
		writing := make(chan error, 1)
		next := make(chan struct{}, 6)
		go func() {
			for i := 0; i < len(all); i += 2000 {
				if err := w.Write(limited(t), all[i:i+2000]...); err != nil {
					writing <- err
					return
				}
				<-next
			}
			writing <- nil
		}()
		more := func() stream.Config {
			c := cfg()
			c.Group = first.Group
			return c
		}
		held := func(m *member) int { return len(m.consumer.Status().Shards) }
		m1 := join(t, first, l.run(topics))
		until(t, "one member has all shards", func() bool { return held(m1) == 6 })
		next <- struct{}{}
		m2 := join(t, more(), l.run(topics))
		until(t, "two members have three each", func() bool { return held(m1) == 3 && held(m2) == 3 })
		next <- struct{}{}
		m3 := join(t, more(), l.run(topics))
		until(t, "three members have two each", func() bool { return held(m1) == 2 && held(m2) == 2 && held(m3) == 2 })
		next <- struct{}{}
		m1.leave()
		until(t, "the two left have three each", func() bool { return held(m2) == 3 && held(m3) == 3 })
		next <- struct{}{}
		m3.leave()
		until(t, "the last has all", func() bool { return held(m2) == 6 })
		next <- struct{}{}
		next <- struct{}{}
		if err := <-writing; err != nil {
			t.Fatal(err)
		}
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
		until(t, "the group knows it", func() bool {
			for _, topic := range topics {
				for p := range partitions {
					l.mu.Lock()
					want := l.positions[at(topic, p)]
					l.mu.Unlock()
					if b.admin.committed(t, first.Group, topic, p) != want {
						return false
					}
				}
			}
			return true
		})
	})
}

func TestRebalanceStormReadsEverything(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		const partitions = 3
		topics := b.topics(t, 1, partitions)
		first := b.streamConfig(t, topics, partitions)
		l := newLedger()
		all := facts(topics, 0, 5000)
		w := b.writer(t, partitions)
		writing := make(chan error, 1)
		storm := make(chan struct{})
		go func() {
			for i := 0; i < len(all); i += 50 {
				if err := w.Write(limited(t), all[i:i+50]...); err != nil {
					writing <- err
					return
				}
			}
			<-storm
			writing <- nil
		}()
		stays := join(t, first, l.run(topics))
		for range 6 {
			c := b.streamConfig(t, topics, partitions)
			c.Group = first.Group
			m := join(t, c, l.run(topics))
			until(t, "the guest has a share", func() bool { return len(m.consumer.Status().Shards) > 0 })
			m.leave()
		}
		close(storm)
		if err := <-writing; err != nil {
			t.Fatal(err)
		}
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
		stays.leave()
	})
}

// A member that does not give its shard back in time is put out of the group;
// what it commits afterwards is refused.
func TestCommitOfAFormerOwnerIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 100))
		cfg := b.streamConfig(t, topics, 1)
		cfg.SessionTimeout, cfg.RebalanceTimeout = time.Second, time.Second
		held := make(chan *stream.Shard, 1)
		release := make(chan struct{})
		zombie := join(t, cfg, func(ctx context.Context, s *stream.Shard) error {
			select {
			case held <- s:
				<-release // deaf to ctx
			default:
				<-ctx.Done()
			}
			return ctx.Err()
		})
		old := <-held
		cfg2 := b.streamConfig(t, topics, 1)
		cfg2.Group, cfg2.SessionTimeout, cfg2.RebalanceTimeout = cfg.Group, time.Second, time.Second
		l := newLedger()
		join(t, cfg2, l.run(topics))
		until(t, "the new owner committed", func() bool { return b.admin.committed(t, cfg.Group, topics[0], 0) == 100 })
		if err := old.Commit(t.Context(), map[string]int64{topics[0]: 7}); err == nil {
			t.Error("the former owner could commit")
		}
		if got := b.admin.committed(t, cfg.Group, topics[0], 0); got != 100 {
			t.Errorf("the group's offset was moved to %d", got)
		}
		close(release)
		zombie.leave()
	})
}

func TestSeekDecidesNotTheCommittedOffset(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 2, 1)
		b.write(t, 1, facts(topics, 0, 200))
		cfg := b.streamConfig(t, topics, 1)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "the group is at the end", func() bool {
			return b.admin.committed(t, cfg.Group, topics[0], 0) == 100 && b.admin.committed(t, cfg.Group, topics[1], 0) == 100
		})
		m.leave()

		var mu sync.Mutex
		firsts := make(map[string]int64)
		run := func(seek map[string]int64) stream.RunFunc {
			return func(ctx context.Context, s *stream.Shard) error {
				for topic, offset := range seek {
					s.Seek(topic, offset)
				}
				for {
					msgs, err := s.Fetch(ctx, 50*time.Millisecond)
					if err != nil {
						return err
					}
					mu.Lock()
					for _, msg := range msgs {
						if _, ok := firsts[msg.Topic]; !ok {
							firsts[msg.Topic] = msg.Offset
						}
					}
					mu.Unlock()
				}
			}
		}
		cfg2 := b.streamConfig(t, topics, 1)
		cfg2.Group = cfg.Group
		m = join(t, cfg2, run(map[string]int64{topics[0]: 10}))
		until(t, "messages came", func() bool { mu.Lock(); defer mu.Unlock(); return len(firsts) > 0 })
		m.leave()
		if off, ok := firsts[topics[0]]; !ok || off != 10 {
			t.Errorf("after Seek(10) the first message was %d (%v)", off, ok)
		}
		if off, ok := firsts[topics[1]]; ok {
			t.Errorf("without Seek, behind the committed end, message %d came", off)
		}
	})
}

func TestSeekInMidStream(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 2, 1)
		b.write(t, 1, facts(topics, 0, 2000))
		c, err := stream.New(b.streamConfig(t, topics, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s := c.Open(0)
		defer s.Close()
		ctx := limited(t)
		next := make(map[string]int64)
		fetch := func() {
			msgs, err := s.Fetch(ctx, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range msgs {
				if m.Offset != next[m.Topic] {
					t.Fatalf("offset %d of %s follows, expected %d", m.Offset, m.Topic, next[m.Topic])
				}
				next[m.Topic] = m.Offset + 1
			}
		}
		fetch()
		s.Seek(topics[0], 500)
		next[topics[0]] = 500
		for next[topics[0]] < 1000 || next[topics[1]] < 1000 {
			fetch()
		}
	})
}

// A consumer that does not fetch holds little, stays a member, and loses nothing.
func TestSlowConsumerIsBounded(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 2)
		all := facts(topics, 0, 2000)
		for i := range all {
			all[i].Value = append(all[i].Value, make([]byte, 20_000)...)
		}
		b.write(t, 2, all)
		cfg := b.streamConfig(t, topics, 2)
		cfg.PrefetchBytes, cfg.FetchMaxBytes = 2<<20, 1<<20
		reg := newRegistry(&cfg)
		l := newLedger()
		var slow atomic.Bool
		slow.Store(true)
		wake := make(chan struct{})
		l.perFetch = func(*stream.Shard) error {
			if slow.Load() {
				<-wake
			}
			return nil
		}
		m := join(t, cfg, l.run(topics))
		held := func() float64 { return metric(t, reg, "retorno_stream_prefetched_bytes") }
		until(t, "the prefetch is full", func() bool { return held() >= 2<<20 })
		generation := m.consumer.Status().Generation
		var beats atomic.Int64
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.Heartbeat {
				beats.Add(1)
			}
			return pass
		})
		until(t, "it gives signs of life", func() bool {
			// A share of 1 MiB for each shard, and one answer beyond it.
			if most := float64(2 * (1<<20 + 1<<20 + 100_000)); held() > most {
				t.Fatalf("%v bytes are held, %v at most", held(), most)
			}
			return beats.Load() >= 3
		})
		if s := m.consumer.Status(); !s.Member || s.Generation != generation {
			t.Errorf("it is no longer the member of generation %d: %+v", generation, s)
		}
		slow.Store(false)
		close(wake)
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
	})
}

// An error of the run that is no stop makes the member join again.
func TestFailedRunJoinsAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		all := facts(topics, 0, 300)
		b.write(t, 1, all)
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		var failures atomic.Int64
		l.perFetch = func(*stream.Shard) error {
			if failures.Add(1) <= 2 {
				return context.DeadlineExceeded
			}
			return nil
		}
		join(t, cfg, l.run(topics))
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		until(t, "it joined three times", func() bool { return metric(t, reg, "retorno_stream_rebalances_total") >= 3 })
		l.check(t, all)
	})
}
