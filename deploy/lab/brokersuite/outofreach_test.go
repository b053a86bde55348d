package brokersuite

import (
	"context"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/consumers/counting/stream"
	"retorno/deploy/lab/apachekafka"
	"retorno/schemas/kafka"
)

// three is a cluster of three Apache Kafka brokers that replicate to each other. Clients reach each through a proxy of
// its own; the brokers reach each other without.
type three struct {
	*backend
	proxies []*proxy
	direct  *admin
	inside  *backend // reached without proxies
}

func threeBrokers(t *testing.T) *three {
	t.Helper()
	c := &three{}
	for range 3 {
		c.proxies = append(c.proxies, newProxy(t))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	servers, err := apachekafka.StartCluster(ctx, 3, func(i int) apachekafka.Config { return apachekafka.Config{Advertise: c.proxies[i].addr()} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range servers {
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
		}
		for _, p := range c.proxies {
			p.close()
		}
	})
	var direct, proxied []string
	for i, s := range servers {
		c.proxies[i].target(s.Behind())
		direct, proxied = append(direct, s.Addr()), append(proxied, c.proxies[i].addr())
	}
	c.direct = newAdmin(t, direct)
	c.inside = &backend{name: "inside", brokers: direct, admin: c.direct}
	c.backend = &backend{name: "three", brokers: proxied, admin: c.direct}
	return c
}

// createReplicated makes a topic with three copies.
func (c *three) createReplicated(t *testing.T, topic string, partitions int) {
	t.Helper()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, int32(partitions), 3
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 30_000
	req.Topics = append(req.Topics, rt)
	until(t, "the topic is there", func() bool {
		res, err := req.RequestWith(limited(t), c.direct.client)
		if err == nil {
			err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
		}
		return err == nil || err == kerr.TopicAlreadyExists
	})
}

// leads returns the partitions that a broker leads, by its place in the cluster, in order.
func (c *three) leads(t *testing.T, topic string, broker int) []int {
	t.Helper()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = kmsg.StringPtr(topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, mt)
	res, err := req.RequestWith(limited(t), c.direct.client)
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, p := range res.Topics[0].Partitions {
		if int(p.Leader) == broker+1 {
			all = append(all, int(p.Partition))
		}
	}
	slices.Sort(all) // brokers name them in any order
	return all
}

// coordinator returns the place of the broker that the group meets at.
func (c *three) coordinator(t *testing.T, group string) int {
	t.Helper()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.SetVersion(1)
	req.CoordinatorKey = group
	res, err := req.RequestWith(limited(t), c.direct.client)
	if err == nil {
		err = kerr.ErrorForCode(res.ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	return int(res.NodeID) - 1
}

// One broker of three is out of reach for the consumer alone: the brokers are well, the group too, and records go on
// being written. What that broker leads is not taken for read.
func TestOneBrokerOfThreeIsOutOfReach(t *testing.T) {
	c := threeBrokers(t)
	const partitions = 6
	topic := unique(t, "topic")
	c.createReplicated(t, topic, partitions)
	cfg := c.streamConfig(t, []string{topic}, partitions)
	cfg.RequestTimeout, cfg.FailAfter, cfg.EndTimeout = time.Second, 3*time.Second, 2*time.Second
	reg := newRegistry(&cfg)
	l := newLedger()
	m := join(t, cfg, l.run(cfg.Topics))
	all := facts(cfg.Topics, 0, 600)
	c.write(t, partitions, all[:300])
	until(t, "the first 300 are read", func() bool { return l.count() == 300 })
	until(t, "nothing is behind", func() bool { return metric(t, reg, "retorno_stream_lag_messages") == 0 })

	away := (c.coordinator(t, cfg.Group) + 1) % 3
	c.proxies[away].hook(func(kmsg.Key, []byte) verdict { return hold })
	c.inside.write(t, partitions, all[300:])
	var gone []int
	until(t, "what the broker leads is stopped, and the rest is read", func() bool {
		reachable := 300
		gone = c.leads(t, topic, away) // a busy machine may change who leads
		for _, m := range all[300:] {
			if !slices.Contains(gone, kafka.Partition(m.Key, partitions)) {
				reachable++
			}
		}
		var stopped []int
		for _, s := range m.consumer.Status().Shards {
			if s.Stopped == stream.ReasonUnreachable {
				stopped = append(stopped, s.Partition)
			} else if s.Stopped != "" {
				t.Fatalf("partition %d stopped for %s: %v", s.Partition, s.Stopped, s.Err)
			}
		}
		return len(gone) > 0 && slices.Equal(stopped, gone) && l.count() >= reachable
	})
	for _, p := range gone {
		if lag := metric(t, reg, "retorno_stream_lag_messages", "partition="+strconv.Itoa(p)); !math.IsNaN(lag) {
			t.Errorf("the lag of partition %d is %v", p, lag)
		}
	}
	read := l.count()
	holds(t, time.Second, "the member stays in its group and reads no more", func() bool {
		return m.consumer.Status().Member && l.count() == read && metric(t, reg, "retorno_stream_member") == 1
	})
	c.proxies[away].hook(nil)
	until(t, "everything is read", func() bool { return l.count() == len(all) })
	l.check(t, all)
	until(t, "nothing shows it any more", func() bool {
		_, stopped := m.stopped()
		return !stopped && metric(t, reg, "retorno_stream_lag_messages") == 0
	})
}
