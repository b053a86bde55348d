package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
)

// refreshEvery is the shortest time between two looks at the cluster: many shards find out at once that a leader has
// moved.
const refreshEvery = 200 * time.Millisecond

// cluster is the view of the brokers that all shards share, and answers questions about topics. Fetching has connections
// of its own (see fetcher).
type cluster struct {
	access  kafka.Access
	client  *kafka.Client
	topics  []string
	timeout time.Duration
	limit   int64 // of an answer to a fetch, in bytes
	metrics *metrics

	looking chan struct{} // holds one token while a goroutine looks at the cluster
	view    *kafka.Metadata
	seen    time.Time
}

func newCluster(cfg Config, m *metrics) *cluster {
	return &cluster{metrics: m, access: cfg.access(), client: kafka.NewClient(cfg.access()), topics: cfg.Topics, timeout: cfg.RequestTimeout,
		limit: int64(cfg.AnswerBytes), looking: make(chan struct{}, 1)}
}

func (c *cluster) close() { c.client.Close() }

// look returns a view of the cluster that is no older than refreshEvery.
func (c *cluster) look(ctx context.Context) (*kafka.Metadata, error) {
	select {
	case c.looking <- struct{}{}:
		defer func() { <-c.looking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.view != nil && time.Since(c.seen) < refreshEvery {
		return c.view, nil
	}
	view, err := c.client.Metadata(ctx, c.topics...)
	if err != nil {
		return nil, err
	}
	c.view, c.seen = view, time.Now()
	return view, nil
}

// connect returns a connection to the broker that leads a partition, for the caller alone.
func (c *cluster) connect(ctx context.Context, topic string, partition int) (*kafka.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	leader, err := c.leader(ctx, topic, partition)
	if err != nil {
		return nil, err
	}
	return c.access.Connect(ctx, leader, c.limit)
}

func (c *cluster) leader(ctx context.Context, topic string, partition int) (string, error) {
	view, err := c.look(ctx)
	if err != nil {
		return "", err
	}
	return view.Leader(topic, partition)
}

// partitionCounts asks for the topics; one that does not exist counts zero. It also shows how many partitions lack in-sync replicas.
func (c *cluster) partitionCounts(ctx context.Context, topics []string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	view, err := c.client.Metadata(ctx, topics...)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int, len(topics))
	for _, t := range topics {
		if counts[t], err = view.Partitions(t); err != nil {
			return nil, err
		}
		c.metrics.lacking.WithLabelValues(t).Set(float64(view.UnderReplicated(t)))
	}
	return counts, nil
}

// The isolation levels of a question: up to the end of the log, or up to the first transaction that is still open.
const (
	uncommitted int8 = 0
	committed   int8 = 1
)

// bounds asks for the first offset of a partition and the one after its last.
func (c *cluster) bounds(ctx context.Context, topic string, partition int, isolation int8) (first, end int64, err error) {
	const earliest, latest = -2, -1
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	leader, err := c.leader(ctx, topic, partition)
	if err != nil {
		return 0, 0, err
	}
	if first, err = c.offset(ctx, leader, topic, partition, isolation, earliest); err != nil {
		return 0, 0, err
	}
	end, err = c.offset(ctx, leader, topic, partition, isolation, latest)
	return first, end, err
}

func (c *cluster) offset(ctx context.Context, leader, topic string, partition int, isolation int8, which int64) (int64, error) {
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = int32(partition), which
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req := kmsg.NewPtrListOffsetsRequest()
	req.SetVersion(2)
	req.ReplicaID, req.IsolationLevel, req.Topics = -1, isolation, append(req.Topics, t)
	res, err := c.client.Ask(ctx, leader, req)
	if err != nil {
		return 0, err
	}
	for _, t := range res.(*kmsg.ListOffsetsResponse).Topics {
		for _, p := range t.Partitions {
			if t.Topic != topic || int(p.Partition) != partition {
				continue
			}
			if p.ErrorCode != 0 {
				return 0, fmt.Errorf("offsets of topic %s, partition %d: %w", topic, partition, kafkago.Error(p.ErrorCode))
			}
			return p.Offset, nil
		}
	}
	return 0, fmt.Errorf("%w: it is not about partition %d of topic %s", kafka.ErrCorrupt, partition, topic)
}

// fetchVersion is the request's version: brokers have known it since Kafka 2.1, and it is the first with zstd.
const fetchVersion = 10

// partitionData is what a fetch brought of a partition.
type partitionData struct {
	low, high int64 // the bounds of the log
	stable    int64 // up to here every transaction has ended; nothing beyond is brought
	aborted   []kmsg.FetchResponseTopicPartitionAbortedTransaction
	records   []byte // batches, as the broker keeps them
}

// fetch asks for the batches from the one on that holds offset.
func fetch(ctx context.Context, conn *kafka.Conn, topic string, partition int, offset int64, cfg *Config, maxBytes int) (*partitionData, error) {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = int32(partition), offset, int32(maxBytes)
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.SetVersion(fetchVersion)
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(cfg.MaxWait.Milliseconds()), int32(cfg.MinBytes), int32(maxBytes)
	req.IsolationLevel, req.SessionEpoch, req.Topics = committed, -1, append(req.Topics, t)
	res, err := conn.Ask(ctx, req)
	if err != nil {
		return nil, err
	}
	return partitionDataOf(res.(*kmsg.FetchResponse), topic, partition)
}

func partitionDataOf(res *kmsg.FetchResponse, topic string, partition int) (*partitionData, error) {
	if res.ErrorCode != 0 {
		return nil, kafkago.Error(res.ErrorCode)
	}
	if len(res.Topics) != 1 || res.Topics[0].Topic != topic || len(res.Topics[0].Partitions) != 1 ||
		int(res.Topics[0].Partitions[0].Partition) != partition {
		return nil, fmt.Errorf("%w: it is not about partition %d of topic %s", kafka.ErrCorrupt, partition, topic)
	}
	p := &res.Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		return nil, kafkago.Error(p.ErrorCode)
	}
	if p.HighWatermark < 0 || p.LogStartOffset < 0 || p.LastStableOffset > p.HighWatermark {
		return nil, fmt.Errorf("%w: the log goes from %d to %d and is stable up to %d", kafka.ErrCorrupt,
			p.LogStartOffset, p.HighWatermark, p.LastStableOffset)
	}
	a := &partitionData{low: p.LogStartOffset, high: p.HighWatermark, stable: p.LastStableOffset,
		aborted: p.AbortedTransactions, records: p.RecordBatches}
	if a.stable < 0 { // it does not say
		a.stable = a.high
	}
	slices.SortFunc(a.aborted, func(x, y kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return cmp.Compare(x.FirstOffset, y.FirstOffset)
	})
	return a, nil
}

// isTopicMissing reports whether the broker, or our view of the cluster, does not know the topic or the partition.
func isTopicMissing(err error) bool {
	return errors.Is(err, kafkago.UnknownTopicOrPartition) || errors.Is(err, kafkago.UnknownTopicID)
}
