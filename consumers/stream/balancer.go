package stream

import (
	"cmp"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
)

// sortedRange is the range balancer over partitions in order of their number.
// The library's own takes them as the broker happens to list them, topic by
// topic, and so may give a member different partitions of co-partitioned topics.
type sortedRange struct{ kafkago.RangeGroupBalancer }

// AssignGroups divides each topic's partitions in one order for all topics.
func (b sortedRange) AssignGroups(members []kafkago.GroupMember, partitions []kafkago.Partition) kafkago.GroupMemberAssignments {
	sorted := slices.Clone(partitions)
	slices.SortFunc(sorted, func(x, y kafkago.Partition) int {
		return cmp.Or(cmp.Compare(x.Topic, y.Topic), cmp.Compare(x.ID, y.ID))
	})
	return b.RangeGroupBalancer.AssignGroups(members, sorted)
}
