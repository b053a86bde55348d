package stream_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
)

func (s *site) deleteRecords(t *testing.T, before int64) {
	t.Helper()
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Offset = before
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic, rt.Partitions = topic, append(rt.Partitions, p)
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(t.Context(), s.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What is gone is never passed over: the shard stops, stays a member, and goes on from where it is told to.
func TestWhatIsGoneStopsUntilADecision(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a", "b", "c", "d")
	s.deleteRecords(t, 2)
	position := make(chan int64, 1)
	position <- 1
	c, _ := join(t, s.config(), func(ctx context.Context, shard *stream.Shard) error {
		at := <-position
		position <- at
		shard.Seek(topic, at)
		return s.readOn(ctx, shard)
	})
	until(t, "it stops", func() bool { _, ok := stopped(c); return ok })
	st, _ := stopped(c)
	var gap *stream.GapError
	if !errors.As(st.Err, &gap) || gap.Reason != stream.ReasonRetention || gap.Position != 1 || gap.Found != 2 || !stream.IsStop(st.Err) {
		t.Errorf("it stopped for %v", st.Err)
	}
	if s.gauge(t, "retorno_stream_stopped") != 1 || !c.Status().Member || !s.has(0)() {
		t.Error("the stop is not shown, or something was read")
	}
	until(t, "it is known how much waits meanwhile", func() bool { return s.gauge(t, "retorno_stream_lag_messages") == 3 })
	<-position
	position <- 2
	until(t, "the rest is read", s.has(0, "c", "d"))
	until(t, "the stop is over", func() bool { _, ok := stopped(c); return !ok && s.gauge(t, "retorno_stream_stopped") == 0 })
}

// A stop whose cause has gone is over even when nothing is left to read.
func TestAStopIsOverWhenItsCauseIs(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a")
	cfg := s.config()
	cfg.FailAfter = 200 * time.Millisecond
	c, _ := join(t, cfg, s.take)
	until(t, "all is read", s.has(0, "a"))
	refusal := s.broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	until(t, "it stops", func() bool { st, ok := stopped(c); return ok && st.Stopped == stream.ReasonAuth })
	if st, _ := stopped(c); !strings.Contains(st.Err.Error(), "grant the user READ") {
		t.Errorf("the stop does not say what to change: %v", st.Err)
	}
	refusal.Remove()
	until(t, "the stop is over", func() bool { _, ok := stopped(c); return !ok && s.gauge(t, "retorno_stream_stopped") == 0 })
}

// A broker that answers each fetch with an error that passes, for long, is a stop that names it, and that passes.
func TestAFailureThatLastsIsAStop(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a")
	cfg := s.config()
	cfg.FailAfter = 300 * time.Millisecond
	c, _ := join(t, cfg, s.take)
	until(t, "all is read", s.has(0, "a"))
	broken := s.broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.KafkaStorageError, Count: -1})
	s.write(t, 0, "b")
	until(t, "failures are counted", func() bool { return s.gauge(t, "retorno_stream_fetch_failures") > 2 })
	until(t, "it stops", func() bool { st, ok := stopped(c); return ok && st.Stopped == stream.ReasonRefused })
	if st, ok := stopped(c); ok && !strings.Contains(st.Err.Error(), "offset 1") {
		t.Errorf("the stop is %v", st.Err)
	}
	until(t, "it is known how much waits", func() bool { return s.gauge(t, "retorno_stream_lag_messages") == 1 })
	broken.Remove()
	until(t, "the rest is read", s.has(0, "a", "b"))
	until(t, "nothing shows it any more", func() bool { return s.gauge(t, "retorno_stream_fetch_failures") == 0 })
}

// The count of partitions decides where keys meet: another one is never followed.
func TestAnotherPartitionCountStops(t *testing.T) {
	s := newSite(t, 2)
	c, _ := join(t, s.config(), s.take)
	until(t, "it is a member", func() bool { return c.Status().Member })
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, 3
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics = append(req.Topics, rt)
	if _, err := req.RequestWith(t.Context(), s.client); err != nil {
		t.Fatal(err)
	}
	until(t, "both shards stop", func() bool { return s.gauge(t, "retorno_stream_stopped") == 2 })
	if st, _ := stopped(c); st.Stopped != stream.ReasonPartitionCount || !strings.Contains(st.Err.Error(), "has 3 partitions, expected 2") {
		t.Errorf("it stopped for %q: %v", st.Stopped, st.Err)
	}
	cfg := s.config()
	cfg.Registerer = nil
	if err := stream.Run(t.Context(), cfg, s.take); !stream.IsStop(err) {
		t.Errorf("another one starts with %v", err)
	}
}

// The caller's own stop leaves the member where it is; any other error makes it join again.
func TestErrorsOfTheCaller(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a")
	var mu sync.Mutex
	errs := []error{errors.New("passing"), stream.Stop(errors.New("decide")), stream.Stop(errors.New("decide"))}
	c, _ := join(t, s.config(), func(ctx context.Context, shard *stream.Shard) error {
		mu.Lock()
		var err error
		if len(errs) > 0 {
			err, errs = errs[0], errs[1:]
		}
		mu.Unlock()
		if err != nil {
			return err
		}
		return s.take(ctx, shard)
	})
	until(t, "it reads", s.has(0, "a"))
	if n, generation := s.gauge(t, "retorno_stream_rebalances_total"), c.Status().Generation; n != 2 || generation == 1 {
		t.Errorf("it joined %v times, up to generation %d", n, generation)
	}
}

// A commit that the broker refuses with its own errors is counted, and costs neither a record nor the membership.
func TestRefusedCommitDoesNoHarm(t *testing.T) {
	s := newSite(t, 1)
	s.broker.Cluster().Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RequestTimedOut, Count: 2}, // applied all the same
		kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.CoordinatorLoadInProgress, Count: 2},
	)
	s.write(t, 0, "a")
	c, _ := join(t, s.config(), s.take)
	until(t, "the first is read", s.has(0, "a"))
	s.write(t, 0, "b", "c")
	until(t, "all is read", s.has(0, "a", "b", "c"))
	until(t, "a refusal is counted", func() bool { return s.labelled(t, "retorno_stream_commits_total", "failed") > 0 })
	if !c.Status().Member {
		t.Error("the member was lost")
	}
}

// A reader that loses its rights stops, and goes on when it has them again.
func TestRefusedReadingStopsAndResumes(t *testing.T) {
	s := newSite(t, 1)
	s.write(t, 0, "a", "b")
	fault := s.broker.Cluster().Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	cfg := s.config()
	cfg.FailAfter = 300 * time.Millisecond
	c, _ := join(t, cfg, s.take)
	until(t, "it stops", func() bool { _, ok := stopped(c); return ok })
	if st, _ := stopped(c); st.Stopped != stream.ReasonAuth || !stream.IsStop(st.Err) || s.labelled(t, "retorno_stream_stopped", stream.ReasonAuth) != 1 {
		t.Errorf("it stopped for %q: %v", st.Stopped, st.Err)
	}
	fault.Remove()
	until(t, "all is read", s.has(0, "a", "b"))
}
