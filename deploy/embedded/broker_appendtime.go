package embedded

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// appendClock makes producers see the broker's time on topics with
// message.timestamp.type=LogAppendTime, as Apache Kafka shows it. kfake keeps
// that setting but answers every produce request with -1, so the answers are
// completed here, between kfake and the socket. The records themselves keep
// the producer's time; no client of this project looks at it.
type appendClock struct {
	life    sync.RWMutex // held while the cluster is asked, so that it is not closed meanwhile
	cluster *kfake.Cluster

	mu     sync.RWMutex
	topics map[string]bool // whether the topic's times are the broker's
}

func newAppendClock() *appendClock {
	return &appendClock{topics: make(map[string]bool)}
}

// watch begins to answer for cluster and forgets a topic's setting whenever a
// request that could change it passes.
func (a *appendClock) watch(cluster *kfake.Cluster) {
	a.life.Lock()
	a.cluster = cluster
	a.life.Unlock()
	forget := func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		a.mu.Lock()
		clear(a.topics)
		a.mu.Unlock()
		return nil, nil, false
	}
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.AlterConfigs, kmsg.IncrementalAlterConfigs} {
		cluster.ControlKey(int16(key), forget)
	}
}

// leave ends watching; a closed cluster never answers a question.
func (a *appendClock) leave() {
	a.life.Lock()
	a.cluster = nil
	a.life.Unlock()
}

// appendTime reports whether the topic's times are the broker's.
func (a *appendClock) appendTime(topic string) bool {
	a.mu.RLock()
	known, ok := a.topics[topic]
	a.mu.RUnlock()
	if ok {
		return known
	}
	a.life.RLock()
	defer a.life.RUnlock()
	if a.cluster == nil {
		return false
	}
	info := a.cluster.TopicInfo(topic)
	if info == nil {
		return false
	}
	v := info.Configs["message.timestamp.type"]
	known = v != nil && *v == "LogAppendTime"
	a.mu.Lock()
	a.topics[topic] = known
	a.mu.Unlock()
	return known
}

func (a *appendClock) listener(ln net.Listener) net.Listener {
	return appendListener{ln, a}
}

type appendListener struct {
	net.Listener
	clock *appendClock
}

func (l appendListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &appendConn{Conn: c, clock: l.clock, produce: make(map[int32]int16)}, nil
}

// appendConn remembers the produce requests that it lets in and completes
// their answers. kfake reads a request as four bytes and then its body, and
// writes an answer with one call; requests on a connection are answered in turn.
type appendConn struct {
	net.Conn
	clock *appendClock

	header  [12]byte // size, api key, api version, correlation id
	have    int      // bytes of header seen
	remain  int      // bytes of the request's body still to come
	mu      sync.Mutex
	produce map[int32]int16 // correlation id to version
}

func (c *appendConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.see(p[:n])
	return n, err
}

// see follows the frames of the stream without holding on to their bodies.
func (c *appendConn) see(p []byte) {
	for len(p) > 0 {
		if c.remain > 0 {
			n := min(c.remain, len(p))
			c.remain -= n
			p = p[n:]
			continue
		}
		n := copy(c.header[c.have:], p)
		c.have += n
		p = p[n:]
		if c.have < len(c.header) {
			return
		}
		c.have = 0
		c.remain = max(0, int(binary.BigEndian.Uint32(c.header[:4]))-8)
		if kmsg.Key(binary.BigEndian.Uint16(c.header[4:])) == kmsg.Produce {
			c.mu.Lock()
			c.produce[int32(binary.BigEndian.Uint32(c.header[8:]))] = int16(binary.BigEndian.Uint16(c.header[6:]))
			c.mu.Unlock()
		}
	}
}

func (c *appendConn) Write(p []byte) (int, error) {
	if len(p) < 8 {
		return c.Conn.Write(p)
	}
	id := int32(binary.BigEndian.Uint32(p[4:]))
	c.mu.Lock()
	version, ok := c.produce[id]
	delete(c.produce, id)
	c.mu.Unlock()
	if !ok {
		return c.Conn.Write(p)
	}
	completed := c.complete(p, version)
	if n, err := c.Conn.Write(completed); err != nil {
		return min(n, len(p)), err
	} else if n < len(completed) {
		return min(n, len(p)), io.ErrShortWrite
	}
	return len(p), nil
}

// complete returns the answer p with the broker's time filled in. An answer
// that it cannot read passes unchanged.
func (c *appendConn) complete(p []byte, version int16) []byte {
	resp := kmsg.NewPtrProduceResponse()
	resp.SetVersion(version)
	head := 8
	if resp.IsFlexible() {
		head++ // the empty tag section of the response header
	}
	if len(p) < head || resp.ReadFrom(p[head:]) != nil {
		return p
	}
	now := time.Now().UnixMilli()
	changed := false
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if !c.clock.appendTime(t.Topic) {
			continue
		}
		for j := range t.Partitions {
			if t.Partitions[j].ErrorCode == 0 {
				t.Partitions[j].LogAppendTime = now
				changed = true
			}
		}
	}
	if !changed {
		return p
	}
	out := resp.AppendTo(append([]byte(nil), p[:head]...))
	binary.BigEndian.PutUint32(out[:4], uint32(len(out)-4))
	return out
}
