package brokersuite

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"retorno/consumers/counting/stream"
)

// foreign is a producer of transactions, as others may use on our topics.
type foreign struct {
	t      *testing.T
	client *kgo.Client
}

func newForeign(t *testing.T, b *backend, topic string) *foreign {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.brokers...), kgo.TransactionalID(unique(t, "foreign")), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &foreign{t, client}
}

// begin opens a transaction and writes into it.
func (f *foreign) begin(values ...string) {
	f.t.Helper()
	if err := f.client.BeginTransaction(); err != nil {
		f.t.Fatal(err)
	}
	for _, v := range values {
		if err := f.client.ProduceSync(limited(f.t), kgo.StringRecord(v)).FirstErr(); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *foreign) end(how kgo.TransactionEndTry) {
	f.t.Helper()
	if err := errors.Join(f.client.Flush(limited(f.t)), f.client.EndTransaction(limited(f.t), how)); err != nil {
		f.t.Fatal(err)
	}
}

// written is what came at each offset of a topic of one partition.
func written(msgs []stream.Message) []string {
	var out []string
	for i, m := range msgs {
		switch {
		case m.Offset != int64(i):
			out = append(out, "gap")
		case m.Skipped:
			out = append(out, "-")
		default:
			out = append(out, strings.TrimRight(string(m.Value), "0"))
		}
	}
	return out
}

// Transactions of other producers are read when they have ended, and as they ended: each offset is delivered, those
// without a record as such.
func TestTransactionsOfOtherProducers(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		f := newForeign(t, b, topics[0])
		f.begin("a", "b")
		f.end(kgo.TryCommit)
		f.begin("undone")
		f.end(kgo.TryAbort)
		f.begin("c")
		f.end(kgo.TryCommit)
		want := []string{"a", "b", "-", "-", "-", "c", "-"}
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		if got := written(readAll(t, cfg, len(want))); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if n := metric(t, reg, "retorno_stream_skipped_offsets_total"); n != 4 {
			t.Errorf("%v offsets without a record are counted", n)
		}
	})
}

// reading is how the member reads the only topic of its only shard; nothing before it reads.
func reading(m *member) stream.TopicStatus {
	for _, shard := range m.consumer.Status().Shards {
		for _, topic := range shard.Topics {
			return topic
		}
	}
	return stream.TopicStatus{}
}

// Nothing of an open transaction is delivered, nor what was written after its begin; that there is more is said.
func TestAnOpenTransactionIsWaitedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		topics := b.topics(t, 1, 1)
		before := facts(topics, 0, 5)
		b.write(t, 1, before)
		f := newForeign(t, b, topics[0])
		f.begin("undone")
		after := facts(topics, 5, 5)
		b.write(t, 1, after)
		cfg := b.streamConfig(t, topics, 1)
		reg := newRegistry(&cfg)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		until(t, "it says what it waits for, and the lag shows it", func() bool {
			return strings.Contains(reading(m).Trouble, "begins at offset 5 is still open") &&
				l.count() == 5 && metric(t, reg, "retorno_stream_lag_messages") == 6
		})
		for range 3 {
			last := reading(m).FetchedAt
			until(t, "another fetch is answered", func() bool { return reading(m).FetchedAt.After(last) })
		}
		if n := l.count(); n != 5 {
			t.Errorf("%d messages were delivered, want the 5 before the open transaction", n)
		}
		c, err := stream.New(b.streamConfig(t, topics, 1))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, end, err := c.Bounds(limited(t), topics[0], 0); err != nil || end != 5 {
			t.Errorf("the log can be read up to %d, %v; want 5", end, err)
		}
		f.end(kgo.TryAbort)
		// The two offsets without a record both have the empty value.
		until(t, "everything is read", func() bool { return l.count() == 11 && metric(t, reg, "retorno_stream_lag_messages") == 0 })
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, w := range slices.Concat(before, after) {
			if l.seen[string(w.Value)] != 1 {
				t.Errorf("%.20s was read %d times", w.Value, l.seen[string(w.Value)])
			}
		}
		if l.seen["undone"] > 0 || len(l.broken) > 0 {
			t.Errorf("the record that was undone was read %d times; %v", l.seen["undone"], l.broken)
		}
	})
}
