package verify

import (
	"context"
	"slices"
	"testing"
	"time"

	"retorno/schemas/kafka"
)

// PartitionOf is where a key belongs.
func PartitionOf(key string, partitions int) int { return partitionOf([]byte(key), partitions) }

// Bounds are those of a place.
func Bounds(ctx context.Context, k *Kafka, topic string, partition int) (first, end int64, err error) {
	return k.bounds(ctx, kafka.TopicPartition{Topic: topic, Partition: partition})
}

// ColumnNames are the columns of retorno.facts that are compared, sorted.
func ColumnNames() []string {
	var all []string
	for _, c := range slices.Concat(contentColumns, copyColumns) {
		all = append(all, c.name)
	}
	slices.Sort(all)
	return all
}

// NameEveryPerson makes passes name the persons that they compare, however few facts there are.
func NameEveryPerson(t testing.TB) { set(t, &factsPerPerson, 0) }

// SmallPieces makes statements take few facts, and the log be read often.
func SmallPieces(t testing.TB) {
	set(t, &factsAtOnce, 3)
	set(t, &mostDigested, 5)
}

// NoTraffic makes differences be looked at again at once: nothing writes while a pass is made.
func NoTraffic(t testing.TB) { set(t, &settleFor, time.Millisecond) }

func set[V any](t testing.TB, variable *V, value V) {
	before := *variable
	*variable = value
	t.Cleanup(func() { *variable = before })
}
