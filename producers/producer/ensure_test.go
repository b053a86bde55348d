package producer_test

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/deploy/lab/fakekafka"
	"retorno/producers/producer"
)

// A broker that answers just after the topics were made may show none of them, some of them or some of their
// partitions, or still one that was deleted: they are there for every broker when EnsureTopics returns.
func TestTopicsAreShownWhenTheyAreEnsured(t *testing.T) {
	all := map[string]int{producer.TopicCheckpoint: 4, producer.TopicCentre: 4, producer.TopicDeadLetter: 1}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for name, views := range map[string][]map[string]int{
		"none, some, and some partitions": {{}, {}, {producer.TopicCheckpoint: 4, producer.TopicDeadLetter: 1},
			{producer.TopicCheckpoint: 4, producer.TopicCentre: 3, producer.TopicDeadLetter: 1}},
		"one that was deleted": {{producer.TopicCentre: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			b := startBroker(t)
			shown := showTopics(t, b, views)
			if err := producer.EnsureTopics(ctx, []string{b.Addr()}, producer.TopicsConfig{Partitions: 4}); err != nil {
				t.Fatal(err)
			}
			if n := shown.Load(); n <= int32(len(views)) {
				t.Errorf("%d views of the cluster were asked for, and the first %d were incomplete", n, len(views))
			}
			for topic, want := range all {
				if b.Cluster().PartitionInfo(topic, int32(want-1)) == nil {
					t.Errorf("topic %s does not exist with its %d partitions", topic, want)
				}
			}
		})
	}
}

// showTopics makes the broker show these numbers of partitions, one view after the other, and then the truth. It counts
// the views that were asked for.
func showTopics(t *testing.T, b *fakekafka.Broker, views []map[string]int) *atomic.Int32 {
	t.Helper()
	host, port, err := net.SplitHostPort(b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	asked := new(atomic.Int32)
	b.Cluster().ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		i := int(asked.Add(1)) - 1
		b.Cluster().KeepControl()
		if i >= len(views) {
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.MetadataResponse)
		broker := kmsg.NewMetadataResponseBroker()
		broker.Host, broker.Port = host, int32(n)
		res.Brokers = append(res.Brokers, broker)
		for _, topic := range []string{producer.TopicCheckpoint, producer.TopicCentre, producer.TopicDeadLetter} {
			res.Topics = append(res.Topics, topicView(topic, views[i][topic]))
		}
		return res, nil, true
	})
	return asked
}

func topicView(topic string, partitions int) kmsg.MetadataResponseTopic {
	view := kmsg.NewMetadataResponseTopic()
	view.Topic = &topic
	if partitions == 0 {
		view.ErrorCode = kerr.UnknownTopicOrPartition.Code
	}
	for p := range partitions {
		part := kmsg.NewMetadataResponseTopicPartition()
		part.Partition = int32(p)
		part.Replicas, part.ISR = []int32{0}, []int32{0}
		view.Partitions = append(view.Partitions, part)
	}
	return view
}
