package kafka

import (
	"encoding/binary"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every request of a stream is seen once, however the stream is cut, also one whose body has the form of a request.
func TestRequestsAreSeenHoweverTheyAreCut(t *testing.T) {
	type seen struct {
		key, version int16
		id           int32
	}
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want, got []seen
		for range rapid.IntRange(1, 8).Draw(t, "requests") {
			r := seen{rapid.Int16().Draw(t, "key"), rapid.Int16().Draw(t, "version"), rapid.Int32().Draw(t, "id")}
			want = append(want, r)
			body := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "body")
			stream = binary.BigEndian.AppendUint32(stream, uint32(8+len(body)))
			stream = binary.BigEndian.AppendUint16(stream, uint16(r.key))
			stream = binary.BigEndian.AppendUint16(stream, uint16(r.version))
			stream = binary.BigEndian.AppendUint32(stream, uint32(r.id))
			stream = append(stream, body...)
		}
		var r Requests
		for len(stream) > 0 {
			n := rapid.IntRange(1, len(stream)).Draw(t, "bytes")
			r.Pass(stream[:n], func(key, version int16, id int32) { got = append(got, seen{key, version, id}) })
			stream = stream[n:]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seen are %v, want %v", got, want)
		}
	})
}
