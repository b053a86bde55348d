package brokersuite

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/deadletter"
)

// spoiler changes answers of every kind, as often as it is told to.
type spoiler struct {
	mu     sync.Mutex
	random *rand.Rand
	left   int
	kinds  map[kmsg.Key]int
}

// hook flips a bit in one answer of four, and puts random bytes in the place of one of twenty.
func (s *spoiler) hook(key kmsg.Key, frame []byte) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return pass
	}
	switch n := s.random.IntN(20); {
	case n == 0:
		at := s.random.IntN(8) // with a right size and number, or without
		for i := at; i < len(frame); i++ {
			frame[i] = byte(s.random.Uint32())
		}
	case n < 6:
		frame[s.random.IntN(len(frame))] ^= 1 << s.random.IntN(8)
	default:
		return pass
	}
	s.left--
	s.kinds[key]++
	return pass
}

// Bits are flipped in answers of every kind, and random bytes come instead of them, while two members read, a writer
// writes and letters are set aside. The process lives, its memory is bounded, and once it is over every message has been
// read, in order and without a gap.
func TestSpoiltAnswersOfEveryKindDoNoHarm(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		b.ensure(t)
		const partitions = 4
		topics := b.topics(t, 2, partitions)
		s := &spoiler{random: rand.New(rand.NewPCG(seed, 3)), left: 400, kinds: map[kmsg.Key]int{}}
		peak := watchMemory(t)
		l := newLedger()
		cfg := b.streamConfig(t, topics, partitions)
		// A changed size is waited for in vain.
		cfg.RequestTimeout, cfg.FailAfter, cfg.SessionTimeout, cfg.RebalanceTimeout = time.Second, 2*time.Second, 3*time.Second, 3*time.Second
		cfg.TopicGrace = 30 * time.Second
		second := cfg
		second.Registerer = nil
		w := b.writer(t, partitions)
		letters := b.letters(t)
		aside := b.letterWriter(t, letters)
		b.proxy.hook(s.hook)
		join(t, cfg, l.run(topics))
		join(t, second, l.run(topics))
		all := facts(topics, 0, 4000)
		var kept atomic.Int64
		done := make(chan error, 1)
		go func() {
			for i := 0; i < len(all); i += 50 {
				for w.Write(t.Context(), all[i:i+50]...) != nil { // a false refusal is no reason to lose them
					if t.Context().Err() != nil {
						done <- t.Context().Err()
						return
					}
				}
				letter := []deadletter.Letter{{Origin: deadletter.Origin{Topic: topics[0], Offset: int64(i)}, Code: "test", Value: all[i].Value}}
				if err := aside.Write(t.Context(), letter); err != nil {
					done <- err
					return
				}
				kept.Add(1)
			}
			done <- nil
		}()
		spent := func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.left == 0 }
		until(t, "the answers are spoilt and everything is read", func() bool { return spent() && l.count() == len(all) })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		l.check(t, all)
		if got := list(t, letters, topics[0], time.Time{}); len(got) != int(kept.Load()) {
			t.Errorf("%d letters of %d", len(got), kept.Load())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, key := range []kmsg.Key{kmsg.Fetch, kmsg.Metadata, kmsg.Produce, kmsg.ListOffsets, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.FindCoordinator, kmsg.ApiVersions} {
			if s.kinds[key] == 0 {
				t.Logf("no answer to %s was spoilt this time", key.Name())
			}
		}
		if mib := peak() >> 20; mib > 512 {
			t.Errorf("%d MiB of memory were taken", mib)
		}
	})
}

// watchMemory returns how much memory the process held at most since the call.
func watchMemory(t *testing.T) (peak func() uint64) {
	var most atomic.Uint64
	end := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapAlloc))
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	}()
	stop := sync.OnceFunc(func() { close(end); <-ended })
	t.Cleanup(stop)
	return func() uint64 { stop(); return most.Load() }
}

// A broker that answers every request with random bytes, from the first one on, is an error for each client.
func TestABrokerOfRandomBytes(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b := proxied(t, "embedded")
	topics := b.topics(t, 1, 1)
	random := rand.New(rand.NewPCG(seed, 4))
	var mu sync.Mutex
	var answers atomic.Int64
	b.proxy.hook(func(_ kmsg.Key, frame []byte) verdict {
		mu.Lock()
		defer mu.Unlock()
		at := []int{0, 4, 8}[random.IntN(3)]
		for i := at; i < len(frame); i++ {
			frame[i] = byte(random.Uint32())
		}
		if at == 0 && random.IntN(2) == 0 {
			binary.BigEndian.PutUint32(frame, uint32(random.IntN(1<<31)))
		}
		answers.Add(1)
		return pass
	})
	peak := watchMemory(t)
	cfg := b.streamConfig(t, topics, 1)
	cfg.RequestTimeout = 500 * time.Millisecond
	l := newLedger()
	m := join(t, cfg, l.run(topics))
	w := b.writer(t, 1)
	written := make(chan error, 1)
	go func() { written <- w.Write(t.Context(), facts(topics, 0, 10)...) }()
	until(t, "many answers came", func() bool { return answers.Load() > 300 })
	if st := m.consumer.Status(); st.Member || st.Problem == "" {
		t.Errorf("random bytes made it a member: %+v", st)
	}
	if mib := peak() >> 20; mib > 256 {
		t.Errorf("%d MiB of memory were taken", mib)
	}
	b.proxy.hook(nil)
	if err := <-written; err != nil {
		t.Error(err)
	}
	until(t, "everything is read", func() bool { return l.count() == 10 })
}
