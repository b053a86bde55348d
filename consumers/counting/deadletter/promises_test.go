package deadletter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	"retorno/deploy/lab/fakekafka"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// office is a broker with the topics, and a writer of letters to it.
type office struct {
	broker *fakekafka.Broker
	cfg    deadletter.Config
	writer *deadletter.Writer
}

func newOffice(t *testing.T, set func(*deadletter.Config)) *office {
	t.Helper()
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	createTopic(t, broker, deadletter.Topic, 1)
	createTopic(t, broker, events.TopicCentre, 4)
	o := &office{broker: broker, cfg: deadletter.Config{Brokers: []string{broker.Addr()}, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}}
	if set != nil {
		set(&o.cfg)
	}
	if o.writer, err = deadletter.New(o.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.writer.Close() })
	return o
}

func createTopic(t *testing.T, broker *fakekafka.Broker, name string, partitions int32) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// refuse answers what is produced to the topic with an error until the returned function is called.
func (o *office) refuse(topic string, err *kerr.Error) (allow func()) {
	return o.broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topic, Err: err, Count: -1}).Remove
}

func (o *office) list(t *testing.T) []deadletter.Letter {
	t.Helper()
	var all []deadletter.Letter
	if err := deadletter.List(t.Context(), o.cfg, time.Time{}, func(l deadletter.Letter) error { all = append(all, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

const secret = "0801-1990-12345"

func letters(n int) []deadletter.Letter {
	all := make([]deadletter.Letter, n)
	for i := range all {
		all[i] = deadletter.Letter{Origin: deadletter.Origin{Topic: events.TopicCentre, Partition: i % 4, Offset: int64(i)},
			Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "\xff\x00%s %d", secret, i), Headers: []deadletter.Header{{Key: "trace", Value: []byte(secret)}},
			Code: "malformed", Field: "record", Detail: "the bytes are no envelope", Time: time.UnixMilli(1465344000000).UTC()}
	}
	return all
}

// A letter holds the bytes as they came, where they came from and why they were set aside; one that was written twice is
// delivered once.
func TestALetterIsReadAsItWasWritten(t *testing.T) {
	o := newOffice(t, nil)
	want := letters(6)
	want[1].Key, want[2].Value, want[3].Value, want[4].Headers = nil, nil, []byte{}, nil
	for range 2 {
		if err := o.writer.Write(t.Context(), want); err != nil {
			t.Fatal(err)
		}
	}
	got := o.list(t)
	if len(got) != len(want) {
		t.Fatalf("%d letters are listed, want %d", len(got), len(want))
	}
	for i, l := range got {
		if l.At.IsZero() {
			t.Errorf("%s was set aside at no time", l.Origin)
		}
		l.At = time.Time{}
		if fmt.Sprintf("%#v", l) != fmt.Sprintf("%#v", want[i]) {
			t.Errorf("%#v is read as %#v", want[i], l)
		}
	}
	if l, err := deadletter.Show(t.Context(), o.cfg, want[5].Origin); err != nil || !bytes.Equal(l.Value, want[5].Value) {
		t.Errorf("%+v, %v", l, err)
	}
	if _, err := deadletter.Show(t.Context(), o.cfg, deadletter.Origin{Topic: "t"}); !errors.Is(err, deadletter.ErrNotFound) {
		t.Errorf("a letter that is not there: %v", err)
	}
}

// While the topic refuses, for whatever reason, the caller waits. Nothing is dropped, the metric shows each attempt, and
// the letters are there once the topic takes them.
func TestARefusingTopicIsWaitedFor(t *testing.T) {
	for _, why := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition, kerr.InvalidRecord} {
		t.Run(why.Message, func(t *testing.T) {
			registry := prometheus.NewRegistry()
			var attempts atomic.Int32
			o := newOffice(t, func(c *deadletter.Config) {
				c.Registerer, c.Logger = registry, slog.New(counter{slog.DiscardHandler, &attempts})
			})
			allow := o.refuse(deadletter.Topic, why)
			written := make(chan error, 1)
			go func() { written <- o.writer.Write(t.Context(), letters(3)) }()
			for attempts.Load() < 3 {
				select {
				case err := <-written:
					t.Fatalf("the topic refuses, and writing ends with %v", err)
				case <-time.After(time.Millisecond):
				}
			}
			allow()
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			if n := len(o.list(t)); n != 3 {
				t.Errorf("%d letters, want 3", n)
			}
			if n := retries(t, registry); n < 3 {
				t.Errorf("%v retries are counted", n)
			}
		})
	}
}

// A missing topic is waited for as well; only the end of the context ends it.
func TestAMissingTopicIsWaitedFor(t *testing.T) {
	broker, err := fakekafka.Start(fakekafka.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = broker.Stop() })
	registry := prometheus.NewRegistry()
	o := &office{broker: broker, cfg: deadletter.Config{Brokers: []string{broker.Addr()}, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Registerer: registry}}
	if o.writer, err = deadletter.New(o.cfg); err != nil {
		t.Fatal(err)
	}
	defer o.writer.Close()
	waits := func(ctx context.Context) <-chan error {
		before, done := retries(t, registry), make(chan error, 1)
		go func() { done <- o.writer.Write(ctx, letters(3)) }()
		for retries(t, registry) < before+3 {
			select {
			case err := <-done:
				t.Fatalf("the topic is missing, and writing ends with %v", err)
			case <-time.After(time.Millisecond):
			}
		}
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := waits(ctx)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || stream.IsStop(err) {
		t.Errorf("the context has ended: %v", err)
	}
	done = waits(t.Context())
	createTopic(t, broker, deadletter.Topic, 1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := len(o.list(t)); n != 3 {
		t.Errorf("%d letters, want 3", n)
	}
}

// retries is how many attempts to write failed, as the metric says.
func retries(t *testing.T, r prometheus.Gatherer) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "retorno_deadletter_retries_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

// counter counts the messages of a logger.
type counter struct {
	slog.Handler
	n *atomic.Int32
}

func (c counter) Enabled(context.Context, slog.Level) bool  { return true }
func (c counter) Handle(context.Context, slog.Record) error { c.n.Add(1); return nil }
func (c counter) WithAttrs([]slog.Attr) slog.Handler        { return c }

// The end of the context ends the wait with an error that is no stop; what can never be written is a stop error that
// names its origin, and leaves the letters after it unwritten.
func TestWhatEndsAWrite(t *testing.T) {
	o := newOffice(t, nil)
	allow := o.refuse(deadletter.Topic, kerr.NotEnoughReplicas)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := o.writer.Write(ctx, letters(2)); !errors.Is(err, context.DeadlineExceeded) || stream.IsStop(err) {
		t.Errorf("the context has ended: %v", err)
	}
	allow()
	allow = o.refuse(deadletter.Topic, kerr.MessageTooLarge)
	err := o.writer.Write(t.Context(), letters(2))
	if !stream.IsStop(err) || !bytes.Contains([]byte(err.Error()), []byte(letters(1)[0].Origin.String())) {
		t.Errorf("a letter that its topic never takes: %v", err)
	}
	allow()
	if n := len(o.list(t)); n != 0 {
		t.Errorf("%d letters are there", n)
	}
}

// A letter is sent again to its topic, as it was and into the partition of its key, with its first origin, which is that
// of an earlier letter only if that has the same content. One without a key goes where it was. The letters stay.
func TestALetterIsSentAgainAsItWas(t *testing.T) {
	o := newOffice(t, nil)
	all := letters(5)
	from := func(origin string) deadletter.Header {
		return deadletter.Header{Key: "retorno-redriven-from", Value: []byte(events.TopicCentre + origin)}
	}
	all[1].Headers = append(all[1].Headers, from("/0/0")) // of other content
	all[2].Key, all[2].Value, all[2].Headers = all[0].Key, all[0].Value, append(all[2].Headers, from("/0/0"))
	all[3].Key, all[3].Value, all[3].Headers = all[0].Key, all[0].Value, append(all[3].Headers, from("/2/2"), from("/1/1")) // which came of the first
	all[4].Key = nil
	if err := o.writer.Write(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	history, err := deadletter.ReadHistory(t.Context(), o.cfg)
	if err != nil {
		t.Fatal(err)
	}
	roots := []int{0, 1, 0, 0, 4}
	for i := range all {
		all[i].First = history.First(&all[i])
		if latest := i != 0 && i != 2; history.Latest(&all[i]) != latest {
			t.Errorf("%s is the latest: %v", all[i].Origin, !latest)
		}
	}
	if err := o.writer.Redrive(t.Context(), all, 4); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(o.broker.Addr()), kgo.ConsumeTopics(events.TopicCentre), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var want, got []string
	for i, l := range all {
		partition := l.Origin.Partition
		if l.Key != nil {
			partition = kafka.Partition(l.Key, 4)
		}
		want = append(want, fmt.Sprintf("%d %q %q trace=%s %s", partition, l.Key, l.Value, l.Headers[0].Value, all[roots[i]].Origin))
	}
	for len(got) < len(want) {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			again := r.Headers[len(r.Headers)-1]
			if len(r.Headers) != 2 || r.Headers[0].Key != "trace" || again.Key != "retorno-redriven-from" {
				t.Errorf("headers %v", r.Headers)
			}
			got = append(got, fmt.Sprintf("%d %q %q trace=%s %s", r.Partition, r.Key, r.Value, r.Headers[0].Value, again.Value))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("sent again:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(o.list(t)); n != len(all) {
		t.Errorf("%d letters stay, want %d", n, len(all))
	}
}

// Nothing of a message is logged, however its writing fails or its letter reads.
func TestNoBytesAreLogged(t *testing.T) {
	var log bytes.Buffer
	o := newOffice(t, func(c *deadletter.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	allow := o.refuse(deadletter.Topic, kerr.InvalidRecord)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := o.writer.Write(ctx, letters(2))
	allow()
	client, e := kgo.NewClient(kgo.SeedBrokers(o.broker.Addr()))
	if e != nil {
		t.Fatal(e)
	}
	defer client.Close()
	if e := client.ProduceSync(t.Context(), &kgo.Record{Topic: deadletter.Topic, Value: []byte(secret)}).FirstErr(); e != nil { // no letter
		t.Fatal(e)
	}
	if n := len(o.list(t)); n != 0 {
		t.Errorf("%d letters of another program", n)
	}
	if log.Len() == 0 || bytes.Contains(log.Bytes(), []byte(secret)) || err == nil || bytes.Contains([]byte(err.Error()), []byte(secret)) {
		t.Errorf("%v; it is logged: %s", err, log.String())
	}
}
