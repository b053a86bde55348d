package stream_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// foreignLeader joins a group before anyone else and, as its leader, gives partition 0 to the next member and no other
// partition to any.
type foreignLeader struct {
	t          *testing.T
	site       *site
	memberID   string
	generation int32
}

func (f *foreignLeader) ask(req kmsg.Request) kmsg.Response {
	f.t.Helper()
	res, err := f.site.client.Request(f.t.Context(), req)
	if err != nil {
		f.t.Fatal(err)
	}
	return res
}

// join joins and returns the members that it is to give partitions to.
func (f *foreignLeader) join() []string {
	f.t.Helper()
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Version, meta.Topics = 0, []string{topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", meta.AppendTo(nil)
	for {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.ProtocolType, req.MemberID = "group", "consumer", f.memberID
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 1500, 1500
		req.Protocols = append(req.Protocols, protocol)
		res := f.ask(req).(*kmsg.JoinGroupResponse)
		f.memberID, f.generation = res.MemberID, res.Generation
		var others []string
		for _, m := range res.Members {
			if m.MemberID != res.MemberID {
				others = append(others, m.MemberID)
			}
		}
		if res.ErrorCode == 0 {
			return others
		}
	}
}

// give ends the division: every other member has partition 0. It is false when another one is joining at that moment.
func (f *foreignLeader) give(others []string) bool {
	f.t.Helper()
	a := kmsg.NewConsumerMemberAssignment()
	at := kmsg.NewConsumerMemberAssignmentTopic()
	at.Topic, at.Partitions = topic, []int32{0}
	a.Topics = append(a.Topics, at)
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = "group", f.memberID, f.generation
	kind, name := "consumer", "range"
	req.ProtocolType, req.Protocol = &kind, &name
	for _, other := range others {
		ga := kmsg.NewSyncGroupRequestGroupAssignment()
		ga.MemberID, ga.MemberAssignment = other, a.AppendTo(nil)
		req.GroupAssignment = append(req.GroupAssignment, ga)
	}
	err := kerr.ErrorForCode(f.ask(req).(*kmsg.SyncGroupResponse).ErrorCode)
	if err != nil && !errors.Is(err, kerr.RebalanceInProgress) {
		f.t.Fatal(err)
	}
	return err == nil
}

// A partition that falls to no member is noticed, although each member is well with what it has.
func TestAPartitionGivenToNobodyIsNoticed(t *testing.T) {
	s := newSite(t, 2)
	s.write(t, 0, "a")
	s.write(t, 1, "x")
	f := &foreignLeader{t: t, site: s}
	f.give(f.join())
	c, _ := join(t, s.config(), s.take)
	for given := false; !given; { // until the other one has joined
		others := f.join()
		given = f.give(others) && len(others) > 0
	}
	heartbeat := func() bool {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.Generation = "group", f.memberID, f.generation
		return f.ask(req).(*kmsg.HeartbeatResponse).ErrorCode == 0
	}
	until(t, "partition 0 is read", s.has(0, "a"))
	until(t, "it is shown that partition 1 has no owner", func() bool { return heartbeat() && s.gauge(t, "retorno_stream_unassigned_partitions") == 1 })
	if st := c.Status(); !st.Member || len(st.Shards) != 1 {
		t.Errorf("the status is %+v", st)
	}
	// The member joins again; the foreign one does not, so that the partitions are divided without it.
	until(t, "partition 1 is read", s.has(1, "x"))
	until(t, "nothing shows it any more", func() bool { return s.gauge(t, "retorno_stream_unassigned_partitions") == 0 })
}
