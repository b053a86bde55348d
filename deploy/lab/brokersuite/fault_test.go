package brokersuite

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBrokerRestartCostsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		const partitions = 3
		topics := b.topics(t, 2, partitions)
		w := b.writer(t, partitions)
		cfg := b.streamConfig(t, topics, partitions)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		all := facts(topics, 0, 6000)
		var written atomic.Int64
		done := make(chan error, 1)
		go func() {
			for i := 0; i < len(all); i += 100 {
				if err := w.Write(limited(t), all[i:i+100]...); err != nil {
					done <- err
					return
				}
				written.Add(100)
			}
			done <- nil
		}()
		until(t, "some is read", func() bool { return l.count() > 500 })
		b.restart(t, false)
		until(t, "more is read", func() bool { return l.count() > 1500 })
		b.restart(t, true)
		if err := <-done; err != nil {
			t.Fatalf("after %d messages: %v", written.Load(), err)
		}
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
		m.leave()
	})
}

// A bit that changes on the way, wherever it is in the answer, is noticed and
// the answer fetched again: never a wrong message, never a lost one, and never
// the end of the process.
func TestFlippedBitIsFetchedAgain(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 2))
		topics := b.topics(t, 1, 1)
		all := facts(topics, 0, 3000)
		w := b.writer(t, 1)
		for i := 0; i < len(all); i += 50 {
			if err := w.Write(limited(t), all[i:i+50]...); err != nil {
				t.Fatal(err)
			}
		}
		cfg := b.streamConfig(t, topics, 1)
		// A changed size is waited for in vain.
		cfg.FetchMaxBytes, cfg.RequestTimeout = 16<<10, 2*time.Second
		reg := newRegistry(&cfg)
		var mu sync.Mutex
		flips := 0
		b.proxy.hook(func(key kmsg.Key, frame []byte) verdict {
			mu.Lock()
			defer mu.Unlock()
			if key == kmsg.Fetch && len(frame) > 1000 && random.IntN(2) == 0 && flips < 60 {
				flips++
				// As often among the fields that no checksum covers as among the records.
				n := len(frame)
				if random.IntN(2) == 0 {
					n = 170
				}
				frame[random.IntN(n)] ^= 1 << random.IntN(8)
			}
			return pass
		})
		l := newLedger()
		l.positions[at(topics[0], 0)] = 20 // in the middle of a batch
		m := join(t, cfg, l.run(topics))
		until(t, "everything is read", func() bool { return l.count() >= len(all)-20 })
		l.check(t, all[20:])
		if _, stopped := m.stopped(); stopped {
			t.Error("a passing fault stopped the shard")
		}
		for value, n := range l.seen {
			if n != 1 {
				t.Errorf("%.20s was delivered %d times", value, n)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if n := metric(t, reg, "retorno_stream_corrupt_responses_total"); n == 0 || flips == 0 {
			t.Errorf("%d bits were flipped and %v noticed", flips, n)
		}
	})
}

// A batch's first offset is covered by no checksum. A smaller one makes its
// first messages look as if they had been read, and the rest take their places.
func TestShiftedBatchIsFetchedAgain(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		all := facts(topics, 0, 1000)
		w := b.writer(t, 1)
		for i := 0; i < len(all); i += 50 {
			if err := w.Write(limited(t), all[i:i+50]...); err != nil {
				t.Fatal(err)
			}
		}
		for _, start := range []int64{0, 120} {
			cfg := b.streamConfig(t, topics, 1)
			cfg.FetchMaxBytes = 4 << 10 // one batch an answer
			var answers, shifted atomic.Int64
			b.proxy.hook(func(key kmsg.Key, frame []byte) verdict {
				if at := batchAt(frame); key == kmsg.Fetch && at > 0 && answers.Add(1)%3 == 0 {
					if first := binary.BigEndian.Uint64(frame[at:]); first > 2 {
						binary.BigEndian.PutUint64(frame[at:], first-2)
						shifted.Add(1)
					}
				}
				return pass
			})
			l := newLedger()
			l.positions[at(topics[0], 0)] = start
			m := join(t, cfg, l.run(topics))
			until(t, "everything is read", func() bool {
				l.mu.Lock()
				defer l.mu.Unlock()
				return l.positions[at(topics[0], 0)] == int64(len(all))
			})
			m.leave()
			l.check(t, all[start:])
			if shifted.Load() == 0 {
				t.Error("no batch was shifted")
			}
		}
	})
}

// batchAt finds where the first batch begins in a fetch answer, or 0.
func batchAt(frame []byte) int {
	for at := 40; at+61 < len(frame) && at < 400; at++ {
		length := int(binary.BigEndian.Uint32(frame[at+8:]))
		if frame[at+16] == 2 && length > 49 && at+12+length <= len(frame) && binary.BigEndian.Uint64(frame[at:]) < 1<<20 {
			return at
		}
	}
	return 0
}

// Answers to commits are lost: the commit was applied or not, nothing else changes.
func TestFailedCommitDoesNoHarm(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 2)
		all := facts(topics, 0, 1000)
		cfg := b.streamConfig(t, topics, 2)
		cfg.FetchMaxBytes = 8 << 10
		reg := newRegistry(&cfg)
		var lost atomic.Int64
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.OffsetCommit && lost.Add(1) <= 3 {
				return cut
			}
			return pass
		})
		b.write(t, 2, all)
		l := newLedger()
		join(t, cfg, l.run(topics))
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
		until(t, "failures are counted", func() bool { return metric(t, reg, "retorno_stream_commits_total", "result=failed") > 0 })
		b.write(t, 2, facts(topics, 5000, 100))
		until(t, "the rest is read", func() bool { return l.count() == len(all)+100 })
	})
}

// Connections that break all the time slow things down and lose nothing.
func TestCutConnectionsLoseNothing(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 2, 2)
		var answers atomic.Int64
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if (key == kmsg.Fetch || key == kmsg.Produce) && answers.Add(1)%4 == 0 {
				return cut
			}
			return pass
		})
		cfg := b.streamConfig(t, topics, 2)
		cfg.FetchMaxBytes = 16 << 10
		l := newLedger()
		join(t, cfg, l.run(topics))
		all := facts(topics, 0, 2000)
		w := b.writer(t, 2)
		for i := 0; i < len(all); i += 100 {
			if err := w.Write(limited(t), all[i:i+100]...); err != nil {
				t.Fatal(err)
			}
		}
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
	})
}

// Leaders and the coordinator move between nodes.
func TestLeadersMove(t *testing.T) {
	b := clusterBackend(t, 3)
	const partitions = 4
	topics := b.topics(t, 2, partitions)
	all := facts(topics, 0, 4000)
	cfg := b.streamConfig(t, topics, partitions)
	l := newLedger()
	join(t, cfg, l.run(topics))
	w := b.writer(t, partitions)
	for i := 0; i < len(all); i += 200 {
		if err := w.Write(limited(t), all[i:i+200]...); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			b.embedded.Cluster().ShufflePartitionLeaders()
			b.embedded.Cluster().RehashCoordinators()
		}
	}
	until(t, "everything is read", func() bool { return l.count() == len(all) })
	l.check(t, all)
}
