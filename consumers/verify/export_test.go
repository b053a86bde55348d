package verify

import (
	"context"
	"slices"
	"testing"
)

// PartitionOf is where a key belongs.
func PartitionOf(key string, partitions int) int { return partitionOf([]byte(key), partitions) }

// Bounds are those of a place.
func Bounds(ctx context.Context, k *Kafka, topic string, partition int) (first, end int64, err error) {
	return k.bounds(ctx, place{topic, partition})
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
func NameEveryPerson(t testing.TB) {
	before := factsPerPerson
	factsPerPerson = 0
	t.Cleanup(func() { factsPerPerson = before })
}
