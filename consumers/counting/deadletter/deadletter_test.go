package deadletter

import (
	"testing"

	"pgregory.net/rapid"

	"retorno/schemas/kafka"
)

func TestOriginsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Origin{
			Topic:     rapid.StringMatching(`[a-zA-Z0-9._-]{1,60}`).Draw(t, "topic"),
			Partition: rapid.IntRange(0, 10_000).Draw(t, "partition"),
			Offset:    rapid.Int64Min(0).Draw(t, "offset"),
		}
		got, err := ParseOrigin(o.String())
		if err != nil || got != o {
			t.Fatalf("%s reads as %v, %v", o, got, err)
		}
	})
	for _, s := range []string{"", "a", "a/1", "/1/2", "a/x/2", "a/-1/2", "a/1/-2", "a/1/2/3", "a/1/99999999999999999999"} {
		if o, err := ParseOrigin(s); err == nil {
			t.Errorf("%q reads as %v", s, o)
		}
	}
}

func TestRequestsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var messages []message
		for range rapid.IntRange(1, 40).Draw(t, "messages") {
			messages = append(messages, message{
				partition: rapid.IntRange(0, 1).Draw(t, "partition"),
				Message: kafka.Message{Topic: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic"),
					Value: make([]byte, rapid.SampledFrom([]int{10, 1000, 400_000, 2_000_000}).Draw(t, "size"))},
			})
		}
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		for len(messages) > 0 {
			n := span(messages, limit)
			if n < 1 || n > limit {
				t.Fatalf("%d messages in one request of at most %d", n, limit)
			}
			size := 0
			for _, m := range messages[:n] {
				size += m.Size()
				if m.to() != messages[0].to() {
					t.Fatal("one request for two partitions")
				}
			}
			if n > 1 && size > kafka.BatchBytes {
				t.Fatalf("%d bytes in one request", size)
			}
			messages = messages[n:]
		}
	})
}
