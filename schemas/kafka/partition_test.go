package kafka

import (
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"
)

// The values of the Java client's own test
// (org.apache.kafka.common.utils.UtilsTest.testMurmur2).
func TestMurmur2IsJavas(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", key, got, want)
		}
	}
}

func TestPartitionIsTheLibrarys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "key")
		n := rapid.IntRange(1, 200).Draw(t, "partitions")
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		want := kafkago.Murmur2Balancer{Consistent: true}.Balance(kafkago.Message{Key: key}, all...)
		if got := Partition(key, n); got != want {
			t.Fatalf("Partition(%x, %d) = %d, want %d", key, n, got, want)
		}
	})
}
