package brokersuite

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
)

// reader joins a group on one topic of one partition, and fails soon.
func reader(t *testing.T, b *backend, cfg stream.Config) (*member, *ledger, *prometheus.Registry) {
	t.Helper()
	cfg.RequestTimeout, cfg.FailAfter, cfg.EndTimeout = 500*time.Millisecond, 2*time.Second, time.Second
	reg := newRegistry(&cfg)
	l := newLedger()
	return join(t, cfg, l.run(cfg.Topics)), l, reg
}

// goesBad waits until a partition that cannot be fetched is stopped for the reason.
func goesBad(t *testing.T, m *member, reg *prometheus.Registry, reason string) {
	t.Helper()
	until(t, "it stops for "+reason, func() bool {
		s, ok := m.stopped()
		return ok && s.Stopped == reason && metric(t, reg, "retorno_stream_stopped", "reason="+reason) == 1
	})
}

// recovers waits until all is read, and nothing shows a trouble any more.
func recovers(t *testing.T, m *member, l *ledger, reg *prometheus.Registry, n int) {
	t.Helper()
	until(t, "everything is read", func() bool { return l.count() == n })
	until(t, "nothing shows a trouble any more", func() bool {
		_, stopped := m.stopped()
		return !stopped && metric(t, reg, "retorno_stream_stopped") == 0 && metric(t, reg, "retorno_stream_fetch_failures") == 0 &&
			metric(t, reg, "retorno_stream_lag_messages") == 0 && m.consumer.Status().Shards[0].Topics[0].Trouble == ""
	})
}

// A broker that takes requests and answers neither fetches nor questions about the end of the log: the member stays in
// its group, so nothing else shows it.
func TestALeaderThatDoesNotAnswerIsNotTakenForCaughtUp(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		all := facts(topics, 0, 200)
		b.write(t, 1, all[:100])
		m, l, reg := reader(t, b, b.streamConfig(t, topics, 1))
		until(t, "the first 100 are read and nothing is behind", func() bool {
			return l.count() == 100 && metric(t, reg, "retorno_stream_lag_messages") == 0
		})
		b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
			if key == kmsg.Fetch || key == kmsg.ListOffsets {
				return hold
			}
			return pass
		})
		b.write(t, 1, all[100:])
		topic := func() stream.TopicStatus { return m.consumer.Status().Shards[0].Topics[0] }
		until(t, "what is behind is not known", func() bool { return math.IsNaN(metric(t, reg, "retorno_stream_lag_messages")) })
		if s := topic(); s.HighWatermark != -1 || s.Trouble == "" || time.Since(s.EndAt) < time.Second {
			t.Errorf("the status is %+v", s)
		}
		at := metric(t, reg, "retorno_stream_log_end_timestamp_seconds")
		if age := float64(time.Now().UnixMilli())/1000 - at; age < 1 || age > 60 {
			t.Errorf("the end was last seen %v s ago", age)
		}
		goesBad(t, m, reg, stream.ReasonUnreachable)
		holds(t, 500*time.Millisecond, "it stays so, and is not taken for caught up", func() bool {
			_, stopped := m.stopped()
			return stopped && math.IsNaN(metric(t, reg, "retorno_stream_lag_messages")) && l.count() == 100
		})
		if !m.consumer.Status().Member {
			t.Error("it left the group")
		}
		b.proxy.hook(nil)
		recovers(t, m, l, reg, 200)
		l.check(t, all)
	})
}

// spoil changes the first batch of every answer to a fetch, as a damaged disk would.
func (b *backend) spoil(change func(batch []byte)) {
	b.proxy.hook(func(key kmsg.Key, frame []byte) verdict {
		if at := batchAt(frame); key == kmsg.Fetch && at > 0 {
			change(frame[at:])
		}
		return pass
	})
}

// A batch that is damaged where the broker keeps it comes damaged each time.
func TestABatchThatStaysDamagedStops(t *testing.T) {
	for reason, change := range map[string]func(batch []byte){
		stream.ReasonDamaged: func(batch []byte) { batch[60+len(batch)/3] ^= 1 },
		stream.ReasonFormat:  func(batch []byte) { batch[16] = 1 },
	} {
		t.Run(reason, func(t *testing.T) {
			onBothProxied(t, func(t *testing.T, b *backend) {
				topics := b.topics(t, 1, 1)
				all := facts(topics, 0, 200)
				b.write(t, 1, all[:100])
				m, l, reg := reader(t, b, b.streamConfig(t, topics, 1))
				until(t, "the first 100 are read", func() bool { return l.count() == 100 })
				b.spoil(change)
				b.write(t, 1, all[100:])
				goesBad(t, m, reg, reason)
				// The broker says how much there is, so that is known.
				if s, _ := m.stopped(); !strings.Contains(s.Err.Error(), "offset 100") {
					t.Errorf("the stop does not say where: %v", s.Err)
				}
				until(t, "it is known how much waits", func() bool { return metric(t, reg, "retorno_stream_lag_messages") == 100 })
				if n := metric(t, reg, "retorno_stream_corrupt_responses_total"); n == 0 {
					t.Error("damaged answers are not counted")
				}
				b.proxy.hook(nil)
				recovers(t, m, l, reg, 200)
				l.check(t, all)
			})
		})
	}
}

// What says that it is larger than the limit is not read into memory, and what really is stops the partition.
func TestAnAnswerOverTheLimitStops(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		cfg := b.streamConfig(t, topics, 1)
		cfg.FetchMaxBytes, cfg.AnswerBytes = 16<<10, 64<<10
		all := facts(topics, 0, 101)
		all[100].Value = append(all[100].Value, make([]byte, 200<<10)...)
		b.write(t, 1, all)
		m, l, reg := reader(t, b, cfg)
		goesBad(t, m, reg, stream.ReasonTooLarge)
		if n := l.count(); n > 100 {
			t.Errorf("%d messages were read", n)
		}
		s, _ := m.stopped()
		if !strings.Contains(s.Err.Error(), "65536") || !strings.Contains(s.Err.Error(), "max.message.bytes") {
			t.Errorf("the stop is %v", s.Err)
		}
	})
}

// What only says that it is larger passes with its cause.
func TestAFalseSizeStopsAndResumes(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		all := facts(topics, 0, 100)
		m, l, reg := reader(t, b, b.streamConfig(t, topics, 1))
		b.proxy.hook(func(key kmsg.Key, frame []byte) verdict {
			if key == kmsg.Fetch {
				binary.BigEndian.PutUint32(frame, 1<<31-1)
			}
			return pass
		})
		b.write(t, 1, all)
		goesBad(t, m, reg, stream.ReasonTooLarge)
		b.proxy.hook(nil)
		recovers(t, m, l, reg, 100)
	})
}

// While the consumer takes nothing, none is fetched; what is behind is known all the same, and no trouble is shown.
func TestAConsumerThatWaitsKnowsTheEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		b.write(t, 1, facts(topics, 0, 100))
		cfg := b.streamConfig(t, topics, 1)
		cfg.PrefetchBytes, cfg.FetchMaxBytes, cfg.FailAfter, cfg.EndTimeout = 1024, 4<<10, 300*time.Millisecond, 500*time.Millisecond
		reg := newRegistry(&cfg)
		l := newLedger()
		busy := make(chan struct{})
		l.perFetch = func(*stream.Shard) error { <-busy; return nil }
		m := join(t, cfg, l.run(topics))
		until(t, "something is read", func() bool { return l.count() > 0 })
		read := float64(l.count())
		b.write(t, 1, facts(topics, 100, 100))
		until(t, "the lag is that of the whole log", func() bool { return metric(t, reg, "retorno_stream_lag_messages") == 200-read })
		holds(t, 2*time.Second, "it stays known, without a failure", func() bool {
			_, stopped := m.stopped()
			return !stopped && metric(t, reg, "retorno_stream_lag_messages") == 200-read && metric(t, reg, "retorno_stream_fetch_failures") == 0
		})
		close(busy)
		until(t, "everything is read", func() bool { return l.count() == 200 })
	})
}
