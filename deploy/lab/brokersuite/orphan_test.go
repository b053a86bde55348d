package brokersuite

import (
	"encoding/binary"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestMemberThatHangsUpWhileJoining: a client asks to join the group and hangs up before the answer, as a process does
// that is killed at that moment. The group divides the partitions with it in mind, and takes them back when its
// session has run out.
func TestMemberThatHangsUpWhileJoining(t *testing.T) {
	onBoth(t, func(t *testing.T, b *backend) {
		const partitions = 4
		topics := b.topics(t, 1, partitions)
		cfg := b.streamConfig(t, topics, partitions)
		l := newLedger()
		m := join(t, cfg, l.run(topics))
		held := func() int { return len(m.consumer.Status().Shards) }
		until(t, "the member has all shards", func() bool { return held() == partitions })
		for range 4 { // the answer and the hanging up may cross
			joinAndHangUp(t, b, cfg.Group, topics)
			until(t, "the shards are divided with the one that is gone", func() bool { return held() < partitions })
			until(t, "the member has all shards again", func() bool { return held() == partitions })
		}
		all := facts(topics, 0, 400)
		b.write(t, partitions, all)
		until(t, "everything is read", func() bool { return l.count() == len(all) })
		l.check(t, all)
	})
}

// joinAndHangUp sends one request to join, in the version that enters a member at once, and closes the connection.
func joinAndHangUp(t *testing.T, b *backend, group string, topics []string) {
	t.Helper()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 0, topics
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", meta.AppendTo(nil)
	req := kmsg.NewPtrJoinGroupRequest()
	req.SetVersion(1)
	req.Group, req.ProtocolType = group, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 2000, 2000
	req.Protocols = append(req.Protocols, protocol)
	c, err := net.Dial("tcp", b.brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(requestFrame(req, "killed")); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// requestFrame is a request as it goes over the wire, with a header of version 1.
func requestFrame(req kmsg.Request, client string) []byte {
	out := make([]byte, 4, 256)
	out = binary.BigEndian.AppendUint16(out, uint16(req.Key()))
	out = binary.BigEndian.AppendUint16(out, uint16(req.GetVersion()))
	out = binary.BigEndian.AppendUint32(out, 1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(client)))
	out = append(out, client...)
	out = req.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}
