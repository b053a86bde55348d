package kafka

import (
	"sync"

	kafkago "github.com/segmentio/kafka-go"
)

// ByTopic gives the client library a client for each topic, whose view of the cluster is that topic alone: the library's
// view of everything is a large answer on a large cluster, and is asked for every other second.
type ByTopic struct {
	access Access

	mu      sync.Mutex
	clients map[string]*kafkago.Client
}

// NewByTopic returns clients that open no connection before they are used.
func NewByTopic(a Access) *ByTopic {
	return &ByTopic{access: a, clients: make(map[string]*kafkago.Client)}
}

// Client returns the client for requests about one topic.
func (b *ByTopic) Client(topic string) *kafkago.Client {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.clients[topic]
	if c == nil {
		c = &kafkago.Client{Addr: kafkago.TCP(b.access.Brokers...), Transport: b.access.Transport(topic)}
		b.clients[topic] = c
	}
	return c
}

// Forget closes the connections that are not in use, and drops what the clients know of the cluster: it may be out of
// date.
func (b *ByTopic) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.clients {
		c.Transport.(*kafkago.Transport).CloseIdleConnections()
	}
}
