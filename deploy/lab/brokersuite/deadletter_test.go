package brokersuite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/deadletter"
	"retorno/consumers/counting/stream"
	"retorno/producers/producer"
	"retorno/schemas/kafka"
)

func (b *backend) letters(t testing.TB) deadletter.Config {
	return deadletter.Config{
		Brokers: b.brokers, RequestTimeout: 30 * time.Second, MinBackoff: 20 * time.Millisecond,
		MaxBackoff: 100 * time.Millisecond, Logger: testLog(t), Registerer: prometheus.NewRegistry(),
	}
}

func (b *backend) letterWriter(t testing.TB, cfg deadletter.Config) *deadletter.Writer {
	t.Helper()
	w, err := deadletter.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// ensure makes the three topics of the deployment.
func (b *backend) ensure(t testing.TB) {
	t.Helper()
	if err := producer.EnsureTopics(limited(t), b.brokers, producer.TopicsConfig{Partitions: 4}); err != nil {
		t.Fatal(err)
	}
}

// poison are messages that nothing can understand, with origins of this test.
func poison(topic string, n int) []deadletter.Letter {
	out := make([]deadletter.Letter, n)
	for i := range out {
		out[i] = deadletter.Letter{
			Origin: deadletter.Origin{Topic: topic, Partition: i % 4, Offset: int64(i)},
			Key:    fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "\xff\x00poison-%d", i),
			Code: "malformed", Field: "record", Detail: "the bytes are no envelope", Time: time.UnixMilli(1465344000000),
		}
	}
	return out
}

// list returns the letters whose origin is in the topic.
func list(t testing.TB, cfg deadletter.Config, topic string, since time.Time) []deadletter.Letter {
	t.Helper()
	var out []deadletter.Letter
	err := deadletter.List(limited(t), cfg, since, func(l deadletter.Letter) error {
		if l.Origin.Topic == topic {
			out = append(out, l)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameLetter(t *testing.T, l, x deadletter.Letter, before time.Time) {
	t.Helper()
	if l.Origin != x.Origin || !bytes.Equal(l.Key, x.Key) || !bytes.Equal(l.Value, x.Value) || (l.Key == nil) != (x.Key == nil) ||
		(l.Value == nil) != (x.Value == nil) || l.Code != x.Code || l.Field != x.Field || !l.Time.Equal(x.Time) || l.At.Before(before) {
		t.Errorf("%s came back as %s %q, %d bytes, %s %s, %s", x.Origin, l.Origin, l.Key, len(l.Value), l.Code, l.Field, l.Time)
	}
	if !strings.HasPrefix(x.Detail, strings.TrimSuffix(l.Detail, " …")) || len(l.Detail) > 2100 {
		t.Errorf("the detail of %s came back as %d bytes", x.Origin, len(l.Detail))
	}
}

func TestLettersComeBackAsTheyWere(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		b.ensure(t)
		cfg := b.letters(t)
		w := b.letterWriter(t, cfg)
		topic := unique(t, "origin")
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 3))
		// The largest message that a fact topic takes.
		large := make([]byte, producer.MaxFactBytes-1000)
		for i := range large {
			large[i] = byte(random.Uint32())
		}
		want := []deadletter.Letter{
			{Key: []byte("k"), Value: []byte{0, 1, 255}, Code: "malformed", Field: "record.age", Detail: "no envelope",
				Headers: []deadletter.Header{{Key: "trace", Value: []byte("a")}, {Key: "trace", Value: []byte("b")}}},
			{Key: nil, Value: nil, Code: "empty"},
			{Key: []byte{}, Value: []byte{}, Code: "empty"},
			{Key: []byte("large"), Value: large, Code: "too_large", Detail: strings.Repeat("ñ", 5000)},
			{Key: []byte("after"), Value: []byte("x"), Code: "malformed"},
		}
		for i := range want {
			want[i].Origin = deadletter.Origin{Topic: topic, Partition: 3, Offset: int64(100 + i)}
			want[i].Time = time.UnixMilli(1465344000000 + int64(i))
		}
		before := time.Now()
		if err := w.Write(limited(t), want); err != nil {
			t.Fatal(err)
		}
		got := list(t, cfg, topic, before)
		if len(got) != len(want) {
			t.Fatalf("%d letters, want %d", len(got), len(want))
		}
		for i, l := range got {
			sameLetter(t, l, want[i], before)
		}
		if len(got[0].Headers) != 2 || string(got[0].Headers[1].Value) != "b" {
			t.Errorf("the headers came back as %v", got[0].Headers)
		}
		if late := list(t, cfg, topic, time.Now().Add(time.Hour)); len(late) != 0 {
			t.Errorf("%d letters of the future", len(late))
		}
		l, err := deadletter.Show(limited(t), cfg, want[2].Origin)
		if err != nil || l.Code != "empty" || l.Value == nil {
			t.Errorf("Show returns %+v, %v", l, err)
		}
		_, err = deadletter.Show(limited(t), cfg, deadletter.Origin{Topic: topic, Offset: 9})
		if !errors.Is(err, deadletter.ErrNotFound) || !strings.Contains(err.Error(), topic+"/0/9") {
			t.Errorf("an absent letter is answered with %v", err)
		}
	})
}

func TestOneOriginIsListedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		b.ensure(t)
		cfg := b.letters(t)
		w := b.letterWriter(t, cfg)
		topic := unique(t, "origin")
		for range 3 {
			if err := w.Write(limited(t), poison(topic, 5)); err != nil {
				t.Fatal(err)
			}
		}
		if got := list(t, cfg, topic, time.Time{}); len(got) != 5 {
			t.Errorf("%d letters, want 5", len(got))
		}
	})
}

func TestUnavailableDeadLetterTopicBlocks(t *testing.T) {
	onBothProxied(t, func(t *testing.T, b *backend) {
		b.ensure(t)
		cfg := b.letters(t)
		reg := prometheus.NewRegistry()
		cfg.Registerer = reg
		w := b.letterWriter(t, cfg)
		var refused atomic.Int64
		if b.embedded != nil {
			// The broker takes nothing.
			h := b.embedded.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: deadletter.Topic, Err: kerr.NotEnoughReplicas, Count: -1})
			t.Cleanup(h.Remove)
			b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
				if key == kmsg.Produce && refused.Add(1) == 5 {
					go h.Remove()
				}
				return pass
			})
		} else {
			b.proxy.hook(func(key kmsg.Key, _ []byte) verdict {
				if key == kmsg.Produce && refused.Add(1) <= 5 {
					return cut
				}
				return pass
			})
		}
		topic := unique(t, "origin")
		done := make(chan error, 1)
		go func() { done <- w.Write(limited(t), poison(topic, 20)) }()
		until(t, "attempts were made", func() bool { return refused.Load() >= 3 })
		select {
		case err := <-done:
			if refused.Load() < 5 {
				t.Fatalf("Write returned %v while the topic was unavailable", err)
			}
			done <- err
		default:
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if metric(t, reg, "retorno_deadletter_retries_total") < 3 || metric(t, reg, "retorno_deadletter_written_total", "code=malformed") != 20 {
			t.Error("the metrics do not show it")
		}
		if got := list(t, cfg, topic, time.Time{}); len(got) != 20 {
			t.Errorf("%d letters, want 20", len(got))
		}
	})
}

func TestLetterTooLargeForItsTopicStops(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		b.ensure(t)
		w := b.letterWriter(t, b.letters(t))
		letters := poison(unique(t, "origin"), 3)
		letters[1].Value = make([]byte, producer.MaxDeadLetterBytes+1)
		err := w.Write(limited(t), letters)
		if !stream.IsStop(err) || !strings.Contains(err.Error(), letters[1].Origin.String()) {
			t.Errorf("Write returned %v", err)
		}
	})
}

// aside is a consumer that understands nothing and sets everything aside.
func aside(w *deadletter.Writer, set *atomic.Int64) stream.RunFunc {
	return func(ctx context.Context, s *stream.Shard) error {
		for {
			msgs, err := s.Fetch(ctx, 50*time.Millisecond)
			if err != nil {
				return err
			}
			var letters []deadletter.Letter
			for _, m := range msgs {
				letters = append(letters, deadletter.Letter{Origin: deadletter.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
					Key: m.Key, Value: m.Value, Headers: m.Headers, Code: "malformed", Time: m.Time})
			}
			if err := w.Write(ctx, letters); err != nil {
				return err
			}
			set.Add(int64(len(letters)))
		}
	}
}

func TestRedriveSendsTheSameMessageAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		b.ensure(t)
		const partitions = 4
		topics := b.topics(t, 1, partitions)
		sent := facts(topics, 0, 40)
		sent[0].Headers = []kafka.Header{{Key: "trace", Value: []byte("x")}}
		b.write(t, partitions, sent)
		w := b.letterWriter(t, b.letters(t))
		var set atomic.Int64
		m := join(t, b.streamConfig(t, topics, partitions), aside(w, &set))
		until(t, "all are set aside", func() bool { return set.Load() == 40 })
		m.leave()
		letters := list(t, b.letters(t), topics[0], time.Time{})
		if err := w.Redrive(limited(t), letters, partitions); err != nil {
			t.Fatal(err)
		}
		checkRedriven(t, b.admin.read(t, b.brokers, topics[0], 80), letters, partitions)
	})
}

// checkRedriven looks at a topic whose messages were all sent again: each is
// there twice, in its key's partition, and the second names its letter.
func checkRedriven(t *testing.T, records []*kgo.Record, letters []deadletter.Letter, partitions int) {
	t.Helper()
	times, from, trace := make(map[string]int), make(map[string]string), 0
	for _, r := range records {
		times[string(r.Value)]++
		if want := kafka.Partition(r.Key, partitions); int(r.Partition) != want {
			t.Errorf("key %s is in partition %d, not %d", r.Key, r.Partition, want)
		}
		for _, h := range r.Headers {
			switch h.Key {
			case "retorno-redriven-from":
				from[string(r.Value)] = string(h.Value)
			case "trace":
				trace++
			}
		}
	}
	for _, l := range letters {
		if times[string(l.Value)] != 2 || from[string(l.Value)] != l.Origin.String() {
			t.Errorf("%s is there %d times and names %q", l.Origin, times[string(l.Value)], from[string(l.Value)])
		}
	}
	if len(letters) != len(times) || trace != 2 {
		t.Errorf("%d letters of %d messages; the old header is there %d times, want twice", len(letters), len(times), trace)
	}
}
