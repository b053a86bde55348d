package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A partition whose in-sync replicas are fewer than its copies is counted; a topic that is not there has none.
func TestUnderReplicatedPartitions(t *testing.T) {
	partition := func(insync ...int32) kmsg.MetadataResponseTopicPartition {
		return kmsg.MetadataResponseTopicPartition{Replicas: []int32{1, 2, 3}, ISR: insync}
	}
	m := newMetadata(&kmsg.MetadataResponse{Topics: []kmsg.MetadataResponseTopic{
		{Topic: kmsg.StringPtr("t"), Partitions: []kmsg.MetadataResponseTopicPartition{partition(1, 2, 3), partition(1, 2), partition(2)}}}})
	if there, none := m.UnderReplicated("t"), m.UnderReplicated("u"); there != 2 || none != 0 {
		t.Errorf("%d and %d partitions", there, none)
	}
}
