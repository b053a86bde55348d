package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// refreshEvery is the shortest time between two looks at the cluster.
const refreshEvery = 200 * time.Millisecond

// cluster is the connection to Kafka that all shards share, and can be built
// anew when it no longer serves.
type cluster struct {
	cfg Config

	mu        sync.Mutex
	transport *kafka.Transport
	client    *kafka.Client
	age       int // how often it has been rebuilt
	refreshed time.Time
}

func newCluster(cfg Config) (*cluster, error) {
	c := &cluster{cfg: cfg}
	if err := c.build(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *cluster) build() error {
	mechanism, err := c.cfg.SASL.mechanism()
	if err != nil {
		return err
	}
	c.transport = &kafka.Transport{
		Dial:        guardedDial(c.cfg.TLS),
		DialTimeout: 5 * time.Second,
		IdleTimeout: 30 * time.Second,
		// The cache of leaders follows a move within this time.
		MetadataTTL:    2 * time.Second,
		MetadataTopics: c.cfg.Topics,
		ClientID:       c.cfg.ClientID,
		SASL:           mechanism,
	}
	c.client = &kafka.Client{Addr: kafka.TCP(c.cfg.Brokers...), Transport: c.transport}
	return nil
}

// newDialer bounds how long a connection may take to be made, and notices one
// whose other end has vanished.
func newDialer() *net.Dialer {
	return &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}
}

// get returns the client and its age, which rebuild takes.
func (c *cluster) get() (*kafka.Client, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client, c.age
}

// rebuild replaces the client unless somebody has done so since age.
func (c *cluster) rebuild(age int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age != c.age {
		return nil
	}
	c.transport.CloseIdleConnections()
	c.age++
	return c.build()
}

// refresh makes the client ask for the cluster anew instead of trusting what it
// saw up to two seconds ago. Many shards find out at once that a leader has
// moved, so it does so now and then only.
func (c *cluster) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.refreshed) > refreshEvery {
		c.refreshed = time.Now()
		c.transport.CloseIdleConnections()
	}
}

func (c *cluster) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transport.CloseIdleConnections()
}

// partitionCounts asks for the topics; one that does not exist counts zero.
func (c *cluster) partitionCounts(ctx context.Context, topics []string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	client, age := c.get()
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		// A client whose first question failed keeps that answer for a
		// while; a new one asks again.
		if rebuildErr := c.rebuild(age); rebuildErr != nil {
			return nil, errors.Join(err, rebuildErr)
		}
		return nil, err
	}
	counts := make(map[string]int, len(topics))
	for _, t := range res.Topics {
		switch {
		case t.Error == nil:
			counts[t.Name] = len(t.Partitions)
		case errors.Is(t.Error, kafka.UnknownTopicOrPartition):
			counts[t.Name] = 0
		default:
			return nil, fmt.Errorf("topic %s: %w", t.Name, t.Error)
		}
	}
	return counts, nil
}

// bounds asks for the first offset of a partition and the one after its last.
func (c *cluster) bounds(ctx context.Context, topic string, partition int) (first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	client, _ := c.get()
	res, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		topic: {kafka.FirstOffsetOf(partition), kafka.LastOffsetOf(partition)},
	}})
	if err != nil {
		return 0, 0, err
	}
	for _, p := range res.Topics[topic] {
		if p.Partition == partition {
			return p.FirstOffset, p.LastOffset, p.Error
		}
	}
	return 0, 0, fmt.Errorf("no answer about partition %d of topic %s", partition, topic)
}
