// Package stream brings Kafka topics to a consumer, partition by partition.
//
// Members of a group share the partitions of co-partitioned topics. The same
// partition number of every topic is one shard; for each shard that falls to
// this member a function of the caller runs, until the group is divided again.
// The caller says where to begin (Shard.SeekAfter) and so decides what has been
// dealt with; offsets committed to the group serve lag tools only.
//
// It promises messages in order of offset and without a gap: every message
// from the position on is delivered, each batch's checksum verified, and
// what cannot be had contiguously stops the shard instead of being passed
// over. It commits only through the generation that assigned the shard, so a
// member that lost it cannot move the group's offsets. Memory is bounded: a
// caller that does not fetch makes fetching stop, while the member stays in
// the group.
//
// It never skips a message, never decides that lost data may be ignored, and
// never follows a change of the partition count.
//
// Failures are of two kinds. What time or another attempt can mend (network,
// leaders that move, brokers that restart, corrupted answers) is retried here
// and shows in the metrics. What it cannot (IsStop: retention has overrun the
// position, the topic was created again, partitions were added) stops the
// shard, is shown by Status and the metrics, and is looked at again from time
// to time, because the decision that resolves it is recorded elsewhere.
package stream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cespare/xxhash/v2"
	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// Header is a name and a value that came beside a message.
type Header = kafka.Header

// Message is one message. Key, Value and Headers stay valid for as long as
// they are referenced and must not be changed: the messages of one answer
// share memory, so holding on to one holds on to its neighbours.
type Message struct {
	Topic     string
	Partition int
	Offset    int64
	Key       []byte // nil when absent
	Value     []byte // nil for a tombstone
	Headers   []Header
	// Unreadable says why the batch that held this message cannot be read,
	// or is empty. Then the batch's bytes are the Value of its first message,
	// and the others have none: they are to be set aside, not understood.
	Unreadable string
	// Skipped says that the offset holds no record: it is a marker that ends
	// a transaction, or the record of a transaction that was aborted. Then
	// there is neither key nor value, and nothing is to be understood.
	Skipped bool
	// Time is the producer's time, also on topics with the broker's time.
	Time time.Time
	// BrokerTime is when the broker appended the message, to the millisecond;
	// zero on topics that keep only the producer's time
	// (message.timestamp.type=CreateTime).
	BrokerTime time.Time
}

// Fingerprint tells the message from another one at the same offset, also for
// another process: the xxHash64 of its key, its value and its time in
// milliseconds. 0 says nothing: what cannot be read today may be tomorrow.
func (m *Message) Fingerprint() uint64 {
	if m.Unreadable != "" {
		return 0
	}
	var fixed [16]byte
	binary.LittleEndian.PutUint64(fixed[:8], uint64(len(m.Key)))
	binary.LittleEndian.PutUint64(fixed[8:], uint64(m.Time.UnixMilli()))
	var h xxhash.Digest
	h.Reset()
	_, _ = h.Write(fixed[:]) // it never fails
	_, _ = h.Write(m.Key)
	_, _ = h.Write(m.Value)
	return max(1, h.Sum64())
}

// RunFunc works on one shard. It returns when ctx ends, which it does when the
// shard is being taken away or the process ends; what it still has to write
// and commit must be done within the group's rebalance and session timeouts.
// An error for which IsStop holds stops the shard until the next look; any
// other makes the member join the group again. Returning nil before ctx ends
// leaves the shard idle.
type RunFunc func(ctx context.Context, s *Shard) error

// Consumer is a member of a group.
type Consumer struct {
	cfg     Config
	cluster *cluster
	metrics *metrics
	board   *board
	log     *slog.Logger
	joins   int // attempts to join that failed in a row
}

// Run makes a Consumer and runs it; see Consumer.Run.
func Run(ctx context.Context, cfg Config, run RunFunc) error {
	c, err := New(cfg)
	if err != nil {
		return err
	}
	return c.Run(ctx, run)
}

// New returns a consumer. It opens no connection.
func New(cfg Config) (*Consumer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	board := newBoard()
	m, err := newMetrics(cfg.Registerer, board, cfg.Topics)
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	return &Consumer{cfg: cfg, cluster: newCluster(cfg, m), metrics: m, board: board, log: cfg.Logger}, nil
}

// Run joins the group and works until ctx ends, then leaves the group and
// returns nil. Before it joins it compares the topics' partition counts with
// the expected one and returns a stop error when they differ, or when the
// broker refuses the credentials. Later failures do not end it.
func (c *Consumer) Run(ctx context.Context, run RunFunc) error {
	defer c.cluster.close()
	if err := c.preflight(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	group, err := c.newGroup()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	// Closing the group is what ends a generation: its runs still may commit,
	// and only then the member leaves.
	closed := make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		defer close(closed)
		group.Close()
	})()
	for ctx.Err() == nil {
		gen, err := group.Next(ctx)
		if err != nil {
			c.nextFailed(ctx, err)
			continue
		}
		c.metrics.rebalances.Inc()
		c.joins = 0
		c.generation(ctx, gen, run)
	}
	c.board.left("stopped")
	c.cfg.Assigned(nil)
	// A member that waits for others to join cannot be interrupted by the
	// library; it has no shards, so nothing is lost by going without it.
	select {
	case <-closed:
	case <-time.After(c.cfg.RequestTimeout):
		c.log.Warn("stream: left without the group's answer", "group", c.cfg.Group)
	}
	return nil
}

func (c *Consumer) newGroup() (*kafkago.ConsumerGroup, error) {
	return kafkago.NewConsumerGroup(kafkago.ConsumerGroupConfig{
		ID:             c.cfg.Group,
		Brokers:        c.cfg.Brokers,
		Topics:         c.cfg.Topics,
		Dialer:         c.cfg.access().Dialer(),
		GroupBalancers: []kafkago.GroupBalancer{fixedRange{topics: c.cfg.Topics, partitions: c.cfg.Partitions}},
		// Who joins waits until all members have heard of it by a heartbeat.
		HeartbeatInterval: min(time.Second, c.cfg.SessionTimeout/5),
		SessionTimeout:    c.cfg.SessionTimeout,
		RebalanceTimeout:  c.cfg.RebalanceTimeout,
		JoinGroupBackoff:  c.cfg.JoinBackoff,
		Timeout:           c.cfg.RequestTimeout,
	})
}

// nextFailed reports why the group could not be joined; the library tries
// again by itself. A coordinator that is not there yet is ordinary on a fresh
// cluster.
func (c *Consumer) nextFailed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, kafkago.ErrGroupClosed) {
		return
	}
	c.board.left("joining the group: " + err.Error())
	if errors.Is(err, kafkago.GroupCoordinatorNotAvailable) || errors.Is(err, kafkago.RebalanceInProgress) {
		c.log.Debug("stream: group not ready yet", "group", c.cfg.Group, "error", err)
		return
	}
	c.metrics.retried(retryJoin)
	c.joins++
	c.log.Log(ctx, kafka.AttemptLevel(c.joins, slog.LevelWarn), "stream: joining the group failed, will try again", "group", c.cfg.Group, "attempt", c.joins, "error", err)
}

// preflight waits until the cluster answers, then compares the topics.
func (c *Consumer) preflight(ctx context.Context) error {
	start := time.Now()
	backoff := c.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		err := c.checkTopics(ctx)
		var stop *StopError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &stop) && (stop.Reason != ReasonTopicMissing || time.Since(start) > c.cfg.TopicGrace):
			return err
		}
		c.board.left("asking for topics: " + err.Error())
		c.log.Log(ctx, kafka.AttemptLevel(attempt, slog.LevelWarn), "stream: cluster not ready, will try again", "brokers", c.cfg.Brokers, "attempt", attempt, "error", err)
		if !sleep(ctx, backoff) {
			return ctx.Err()
		}
		backoff = min(2*backoff, c.cfg.MaxBackoff)
	}
}

// checkTopics returns a stop error when a topic is missing or has another
// number of partitions than expected.
func (c *Consumer) checkTopics(ctx context.Context) error {
	counts, err := c.cluster.partitionCounts(ctx, c.cfg.Topics)
	if err != nil {
		if kafka.Refused(err) {
			return &StopError{Reason: ReasonAuth, Err: fmt.Errorf("%w (%s)", err, kafka.Advice(err))}
		}
		return err
	}
	for _, t := range c.cfg.Topics {
		switch n := counts[t]; {
		case n == 0:
			return &StopError{Reason: ReasonTopicMissing, Topic: t, Partition: -1, Err: errors.New("the topic does not exist; create it first")}
		case n != c.cfg.Partitions:
			return &StopError{Reason: ReasonPartitionCount, Topic: t, Partition: -1, Err: fmt.Errorf(
				"the topic has %d partitions, expected %d; the count belongs to the deployment, because it decides where each person's facts meet",
				n, c.cfg.Partitions)}
		}
	}
	return nil
}

// sleep waits for d and reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
