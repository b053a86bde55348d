package stream

import "github.com/segmentio/kafka-go"

// partitioner places keys as the default partitioner of Java clients does: murmur2. Every producer must use it, or
// the messages of one key end up in two partitions.
var partitioner = kafka.Murmur2Balancer{Consistent: true}

// Partitions numbers the partitions of a topic, for PartitionOf.
func Partitions(count int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return all
}

// PartitionOf is the partition in which a message with that key belongs, out of those made by Partitions.
func PartitionOf(key []byte, partitions []int) int {
	return partitioner.Balance(kafka.Message{Key: key}, partitions...)
}
