package fakekafka

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
)

// brokerListener hands kfake connections whose answers are completed where
// kfake's differ from Apache Kafka's in a way that clients notice: the
// broker's time in the answers to producers, an answer to who may not log in,
// where kfake only hangs up, and the time-out of a member that has hung up
// while it waited to be let into its group, which kfake keeps for ever.
type brokerListener struct {
	net.Listener
	clock *appendClock
}

func (l brokerListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &brokerConn{Conn: c, clock: l.clock, asked: make(map[int32]request)}
	conn.answered.L = &conn.mu
	return conn, nil
}

// request is what is remembered of one until it is answered.
type request struct {
	key     kmsg.Key
	version int16
}

// brokerConn remembers the requests that it lets in. kfake reads a request as
// four bytes and then its body, and writes an answer with one call.
type brokerConn struct {
	net.Conn
	clock    *appendClock
	requests kafka.Requests

	mu       sync.Mutex
	asked    map[int32]request // by correlation id
	waiting  int               // of those asked, requests of a member to its group
	answered sync.Cond
	closed   bool
}

func (c *brokerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.requests.Pass(p[:n], c.remember)
	if err != nil && n == 0 {
		c.linger()
	}
	return n, err
}

// linger hides from kfake that a client has hung up until its group has
// answered it. A member whose answer cannot be delivered gets no session
// time-out there: the group would count on it for ever.
func (c *brokerConn) linger() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.waiting > 0 && !c.closed {
		c.answered.Wait()
	}
}

func ofGroup(key kmsg.Key) bool { return key == kmsg.JoinGroup || key == kmsg.SyncGroup }

// remember notes a request whose answer is to be completed or told apart.
func (c *brokerConn) remember(key, version int16, id int32) {
	r := request{kmsg.Key(key), version}
	if r.key != kmsg.Produce && r.key != kmsg.SASLAuthenticate && !ofGroup(r.key) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[id] = r
	if ofGroup(r.key) {
		c.waiting++
	}
}

func (c *brokerConn) Write(p []byte) (int, error) {
	if len(p) < 8 {
		return c.Conn.Write(p)
	}
	id := int32(binary.BigEndian.Uint32(p[4:]))
	c.mu.Lock()
	r, ok := c.asked[id]
	delete(c.asked, id)
	c.mu.Unlock()
	switch {
	case ok && ofGroup(r.key):
		return c.tellMember(p)
	case !ok || r.key != kmsg.Produce:
		return c.Conn.Write(p)
	}
	completed := c.completed(p, r.version)
	if n, err := c.Conn.Write(completed); err != nil {
		return min(n, len(p)), err
	} else if n < len(completed) {
		return min(n, len(p)), io.ErrShortWrite
	}
	return len(p), nil
}

// tellMember writes a group's answer. Whether anybody still hears it is not
// kfake's business: the session time-out settles that.
func (c *brokerConn) tellMember(p []byte) (int, error) {
	_, _ = c.Conn.Write(p)
	c.mu.Lock()
	c.waiting--
	c.mu.Unlock()
	c.answered.Broadcast()
	return len(p), nil
}

// completed returns the answer p to a producer with the broker's time filled
// in. An answer that it cannot read passes unchanged.
func (c *brokerConn) completed(p []byte, version int16) []byte {
	resp := kmsg.NewPtrProduceResponse()
	resp.SetVersion(version)
	head := 8
	if resp.IsFlexible() {
		head++ // the empty tag section of the response header
	}
	if len(p) < head || resp.ReadFrom(p[head:]) != nil || !c.clock.complete(resp) {
		return p
	}
	return frame(binary.BigEndian.Uint32(p[4:]), resp)
}

// Close answers a login that kfake has left without an answer: it refuses by
// closing, which clients would take for a fault of the network.
func (c *brokerConn) Close() error {
	c.mu.Lock()
	asked := c.asked
	c.asked = make(map[int32]request)
	c.closed = true
	c.mu.Unlock()
	c.answered.Broadcast()
	for id, r := range asked {
		if r.key != kmsg.SASLAuthenticate || !c.clock.running() {
			continue
		}
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.SetVersion(r.version)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr("the user or the password is wrong")
		// Who has gone already needs no answer.
		_, _ = c.Conn.Write(frame(uint32(id), resp))
	}
	return c.Conn.Close()
}

// frame returns an answer as it goes over the wire.
func frame(id uint32, resp kmsg.Response) []byte {
	out := make([]byte, 8, 256)
	if resp.IsFlexible() {
		out = append(out, 0)
	}
	out = resp.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	binary.BigEndian.PutUint32(out[4:], id)
	return out
}
