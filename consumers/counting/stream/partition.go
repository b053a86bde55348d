package stream

import "retorno/schemas/kafka"

// Partitions numbers the partitions of a topic, for PartitionOf.
func Partitions(count int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return all
}

// PartitionOf is the partition in which a message with that key belongs, out of those made by Partitions. Every
// producer must place keys so, or the messages of one key end up in two partitions.
func PartitionOf(key []byte, partitions []int) int { return kafka.Partition(key, len(partitions)) }
