package stream

import kafkago "github.com/segmentio/kafka-go"

// fixedRange is the range balancer over the partitions that the deployment has, in order of their number. The library
// would divide those that a broker happens to list: none while it starts, and in an order that may differ between
// co-partitioned topics, so that a partition falls to no member or the topics' partitions do not match.
type fixedRange struct {
	kafkago.RangeGroupBalancer
	topics     []string
	partitions int
}

// AssignGroups divides every partition of every topic among the members that read it.
func (b fixedRange) AssignGroups(members []kafkago.GroupMember, _ []kafkago.Partition) kafkago.GroupMemberAssignments {
	var all []kafkago.Partition
	for _, topic := range b.topics {
		for i := range b.partitions {
			all = append(all, kafkago.Partition{Topic: topic, ID: i})
		}
	}
	return b.RangeGroupBalancer.AssignGroups(members, all)
}
