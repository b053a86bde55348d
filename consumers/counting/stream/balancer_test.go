package stream

import (
	"slices"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"
)

// Whatever the broker lists, each member gets the same numbers of both topics, every partition goes to one member, and
// no member has two more than another.
func TestBothTopicsGiveTheSameNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "partitions")
		var listed []kafkago.Partition
		for range rapid.IntRange(0, 20).Draw(t, "listed") {
			listed = append(listed, kafkago.Partition{Topic: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "topic"), ID: rapid.IntRange(-1, 50).Draw(t, "id")})
		}
		var members []kafkago.GroupMember
		for i := range rapid.IntRange(1, 9).Draw(t, "members") {
			members = append(members, kafkago.GroupMember{ID: string(rune('a' + i)), Topics: []string{"a", "b"}})
		}
		given := fixedRange{topics: []string{"a", "b"}, partitions: n}.AssignGroups(rapid.Permutation(members).Draw(t, "joined"), listed)
		times := make([]int, n)
		for id, topics := range given {
			if !slices.Equal(topics["a"], topics["b"]) {
				t.Fatalf("member %s has %v and %v", id, topics["a"], topics["b"])
			}
			if few, many := n/len(members), (n+len(members)-1)/len(members); len(topics["a"]) < few || len(topics["a"]) > many {
				t.Fatalf("member %s has %d of %d", id, len(topics["a"]), n)
			}
			for _, p := range topics["a"] {
				times[p]++
			}
		}
		for p, given := range times {
			if given != 1 {
				t.Fatalf("partition %d goes to %d members", p, given)
			}
		}
	})
}

func TestDifferentPartitionsAreNoAssignment(t *testing.T) {
	gen := &kafkago.Generation{Assignments: map[string][]kafkago.PartitionAssignment{
		"a": {{ID: 1}, {ID: 0}}, "b": {{ID: 1}, {ID: 2}},
	}}
	got, err := sharedPartitions(gen, []string{"a", "b"})
	if !slices.Equal(got, []int{0, 1, 2}) || !IsStop(err) {
		t.Errorf("%v, %v", got, err)
	}
	if reason, _ := stopReason(err); reason != ReasonAssignment {
		t.Errorf("the reason is %q", reason)
	}
	gen.Assignments["b"] = []kafkago.PartitionAssignment{{ID: 0}, {ID: 1}}
	if got, err := sharedPartitions(gen, []string{"a", "b"}); err != nil || !slices.Equal(got, []int{0, 1}) {
		t.Errorf("%v, %v", got, err)
	}
}
