package brokersuite

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// admin changes and inspects a broker with another client than the one tested.
type admin struct{ client *kgo.Client }

func newAdmin(t testing.TB, brokers []string) *admin {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(1e7))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &admin{c}
}

func (a *admin) create(t testing.TB, topic string, partitions int, configs map[string]string) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 10_000
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, int32(partitions), 1
	for k, v := range configs {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = k, kmsg.StringPtr(v)
		rt.Configs = append(rt.Configs, c)
	}
	req.Topics = append(req.Topics, rt)
	// A topic that was just deleted may take a moment to be gone.
	until(t, "topic "+topic+" can be created", func() bool {
		res, err := req.RequestWith(limited(t), a.client)
		if err != nil {
			t.Fatal(err)
		}
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
		if err != nil && err != kerr.TopicAlreadyExists {
			t.Fatal(err)
		}
		return err == nil
	})
}

func (a *admin) remove(t testing.TB, topic string) {
	t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 10_000
	req.TopicNames = []string{topic}
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(limited(t), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (a *admin) deleteRecords(t testing.TB, topic string, partition int, before int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 10_000
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = int32(partition), before
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(limited(t), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (a *admin) addPartitions(t testing.TB, topic string, count int) {
	t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = 10_000
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, int32(count)
	req.Topics = append(req.Topics, rt)
	res, err := req.RequestWith(limited(t), a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// config returns a topic's setting as the broker says it.
func (a *admin) config(t testing.TB, topic, name string) string {
	t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	rr := kmsg.NewDescribeConfigsRequestResource()
	rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	req.Resources = append(req.Resources, rr)
	res, err := req.RequestWith(limited(t), a.client)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range res.Resources[0].Configs {
		if c.Name == name && c.Value != nil {
			return *c.Value
		}
	}
	return ""
}

// committed returns the group's offset of a partition, -1 for none.
func (a *admin) committed(t testing.TB, group, topic string, partition int) int64 {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic, rt.Partitions = topic, []int32{int32(partition)}
	req.Topics = append(req.Topics, rt)
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	rgt := kmsg.NewOffsetFetchRequestGroupTopic()
	rgt.Topic, rgt.Partitions = topic, []int32{int32(partition)}
	rg.Topics = append(rg.Topics, rgt)
	req.Groups = append(req.Groups, rg)
	var res *kmsg.OffsetFetchResponse
	until(t, "a coordinator answers", func() bool {
		var err error
		res, err = req.RequestWith(limited(t), a.client)
		if err != nil && !kerr.IsRetriable(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	for _, g := range res.Groups {
		for _, tt := range g.Topics {
			return tt.Partitions[0].Offset
		}
	}
	return -1
}

// read returns everything in a topic, by a client of another make.
func (a *admin) read(t testing.TB, brokers []string, topic string, n int) []*kgo.Record {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(1e8))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	var out []*kgo.Record
	for len(out) < n {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}
