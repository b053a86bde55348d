package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Client asks brokers for what fits one request and one answer. It keeps connections that are not in use, and is safe
// for concurrent use: requests that run at the same time have connections of their own, so that a broker that does not
// answer one holds up no other.
type Client struct {
	access Access

	mu     sync.Mutex
	idle   map[string][]*Conn
	known  []string // brokers that the cluster has named, beside those to start from
	last   string   // the broker that answered last when any could
	closed bool
}

// NewClient returns a client. It opens no connection.
func NewClient(a Access) *Client { return &Client{access: a, idle: make(map[string][]*Conn)} }

// Close closes the connections that are not in use.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conns := range c.idle {
		for _, conn := range conns {
			conn.Close()
		}
	}
	clear(c.idle)
}

// Ask asks one broker, for ten seconds when ctx has no deadline. A connection that was kept may have been ended meanwhile,
// so its failure is followed by an attempt over a new one.
func (c *Client) Ask(ctx context.Context, addr string, req kmsg.Request) (kmsg.Response, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	if conn := c.kept(addr); conn != nil {
		res, err := conn.Ask(ctx, req)
		if err == nil {
			c.keep(conn)
			return res, nil
		}
		conn.Close()
		if ctx.Err() != nil {
			return nil, err
		}
	}
	conn, err := c.access.Connect(ctx, addr, 0)
	if err != nil {
		return nil, err
	}
	res, err := conn.Ask(ctx, req)
	if err != nil {
		conn.Close()
		return nil, err
	}
	c.keep(conn)
	return res, nil
}

func (c *Client) kept(addr string) *Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	conns := c.idle[addr]
	if len(conns) == 0 {
		return nil
	}
	c.idle[addr] = conns[:len(conns)-1]
	return conns[len(conns)-1]
}

func (c *Client) keep(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return
	}
	c.idle[conn.addr] = append(c.idle[conn.addr], conn)
}

// AskAny asks the first broker that answers, of those to start from and those that the cluster has named. One that does
// not answer is left after three seconds; when none has answered, those that were left are asked again for ten.
func (c *Client) AskAny(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	res, silent, failed := c.askEach(ctx, c.brokers(), connectTimeout, req)
	if failed != nil && len(silent) > 0 && ctx.Err() == nil {
		res, _, failed = c.askEach(ctx, silent, requestTimeout, req)
	}
	return res, failed
}

// askEach asks one broker after the other until one answers, each so long. It returns those that were silent.
func (c *Client) askEach(ctx context.Context, brokers []string, limit time.Duration, req kmsg.Request) (res kmsg.Response, silent []string, failed error) {
	for _, addr := range brokers {
		asking, cancel := context.WithTimeout(ctx, limit)
		res, err := c.Ask(asking, addr, req)
		// A connection's deadline may pass a moment before the context that it was taken from knows.
		if asking.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
			silent = append(silent, addr)
		}
		cancel()
		if err == nil {
			c.mu.Lock()
			c.last = addr
			c.mu.Unlock()
			return res, nil, nil
		}
		failed = errors.Join(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, silent, failed
}

// brokers lists those that can be asked, the one that answered last first.
func (c *Client) brokers() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	if c.last != "" {
		all = append(all, c.last)
	}
	for _, addr := range slices.Concat(c.access.Brokers, c.known) {
		if !slices.Contains(all, addr) {
			all = append(all, addr)
		}
	}
	return all
}

// Metadata asks for the brokers, and for topics and who leads their partitions.
func (c *Client) Metadata(ctx context.Context, topics ...string) (*Metadata, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(4)
	req.Topics = make([]kmsg.MetadataRequestTopic, 0, len(topics)) // nil would ask for every topic of the cluster
	for _, topic := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(topic)
		req.Topics = append(req.Topics, t)
	}
	res, err := c.AskAny(ctx, req)
	if err != nil {
		return nil, err
	}
	m := newMetadata(res.(*kmsg.MetadataResponse))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = m.addresses()
	return m, nil
}

// Metadata is a broker's view of the cluster.
type Metadata struct {
	brokers    map[int32]string
	controller int32
	topics     map[string]*kmsg.MetadataResponseTopic
}

func newMetadata(res *kmsg.MetadataResponse) *Metadata {
	m := &Metadata{brokers: make(map[int32]string), controller: res.ControllerID, topics: make(map[string]*kmsg.MetadataResponseTopic)}
	for _, b := range res.Brokers {
		m.brokers[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	for i := range res.Topics {
		if t := &res.Topics[i]; t.Topic != nil {
			m.topics[*t.Topic] = t
		}
	}
	return m
}

func (m *Metadata) addresses() []string {
	var all []string
	for _, addr := range m.brokers {
		all = append(all, addr)
	}
	slices.Sort(all)
	return all
}

// Brokers is how many brokers are alive.
func (m *Metadata) Brokers() int { return len(m.brokers) }

// Controller returns the address of the broker that takes changes of topics. The error is the library's
// BrokerNotAvailable while there is none.
func (m *Metadata) Controller() (string, error) {
	if addr, ok := m.brokers[m.controller]; ok {
		return addr, nil
	}
	return "", fmt.Errorf("no broker takes changes of topics at present: %w", kafkago.BrokerNotAvailable)
}

// Replicas returns the least number of copies that a partition of a topic has; 0 when the topic does not exist.
func (m *Metadata) Replicas(topic string) int {
	t := m.topics[topic]
	if t == nil {
		return 0
	}
	least := 0
	for i, p := range t.Partitions {
		if n := len(p.Replicas); i == 0 || n < least {
			least = n
		}
	}
	return least
}

// UnderReplicated returns how many partitions of a topic have fewer in-sync replicas than copies; 0 when it does not exist.
func (m *Metadata) UnderReplicated(topic string) (n int) {
	if t := m.topics[topic]; t != nil {
		for _, p := range t.Partitions {
			if len(p.ISR) < len(p.Replicas) {
				n++
			}
		}
	}
	return n
}

// Partitions returns how many partitions a topic has; 0 when it does not exist.
func (m *Metadata) Partitions(topic string) (int, error) {
	t := m.topics[topic]
	if t == nil {
		return 0, fmt.Errorf("%w: it does not name topic %s", ErrCorrupt, topic)
	}
	switch err := Code(t.ErrorCode, nil); {
	case err == nil:
		return len(t.Partitions), nil
	case errors.Is(err, kafkago.UnknownTopicOrPartition):
		return 0, nil
	default:
		return 0, fmt.Errorf("topic %s: %w", topic, err)
	}
}

// Leader returns the address of the broker that leads a partition. The error is the library's
// UnknownTopicOrPartition when there is no such partition, and LeaderNotAvailable when no broker leads it at present.
func (m *Metadata) Leader(topic string, partition int) (string, error) {
	if _, err := m.Partitions(topic); err != nil {
		return "", err
	}
	for _, p := range m.topics[topic].Partitions {
		if int(p.Partition) != partition {
			continue
		}
		if addr, ok := m.brokers[p.Leader]; ok {
			return addr, nil
		}
		return "", fmt.Errorf("topic %s, partition %d: no broker leads it at present: %w", topic, partition, kafkago.LeaderNotAvailable)
	}
	return "", fmt.Errorf("topic %s, partition %d: %w", topic, partition, kafkago.UnknownTopicOrPartition)
}
