package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	fetchAPI "github.com/segmentio/kafka-go/protocol/fetch"
	"pgregory.net/rapid"
)

// answerOf builds a fetch answer with the library's own encoder.
func answerOf(t interface{ Fatal(...any) }, version int16, values ...string) []byte {
	records := make([]kafka.Record, len(values))
	for i, v := range values {
		records[i] = kafka.Record{Key: kafka.NewBytes([]byte("k")), Value: kafka.NewBytes([]byte(v)),
			Headers: []kafka.Header{{Key: "h", Value: []byte("x")}, {Key: "n"}}}
	}
	set := protocol.RecordSet{}
	if len(values) > 0 {
		set = protocol.RecordSet{Version: 2, Records: kafka.NewRecordReader(records...)}
	}
	var buf bytes.Buffer
	err := protocol.WriteResponse(&buf, version, 7, &fetchAPI.Response{Topics: []fetchAPI.ResponseTopic{{
		Topic: "topic", Partitions: []fetchAPI.ResponsePartition{{Partition: 3, HighWatermark: int64(len(values)), RecordSet: set}},
	}}})
	if err != nil && !errors.Is(err, protocol.ErrNoRecord) {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// recordsOf returns the batches in an answer: the bytes behind their own size.
func recordsOf(answer []byte) []byte {
	for at := 24; at+4 <= len(answer); at++ {
		if int(binary.BigEndian.Uint32(answer[at:])) == len(answer)-at-4 {
			return answer[at+4:]
		}
	}
	return nil
}

func TestGoodAnswersPassUnchanged(t *testing.T) {
	for version := int16(4); version <= 11; version++ {
		good := answerOf(t, version, "a", "b", "c")
		got, err := checkFetch(bytes.Clone(good), version)
		if err != nil || !bytes.Equal(got, good) {
			t.Errorf("version %d: %d bytes became %d, %v", version, len(good), len(got), err)
		}
	}
}

// Whatever bit is flipped in an answer, what passes the guard is something
// that the library reads without harm, and never other messages than were
// sent: it may only be fewer of them.
func TestFlippedBitsNeverBecomeOtherMessages(t *testing.T) {
	for version := int16(4); version <= 11; version++ {
		good := answerOf(t, version, "a", "bb", "ccc")
		for i := range good {
			for bit := range 8 {
				bad := bytes.Clone(good)
				bad[i] ^= 1 << bit
				if i < 4 {
					continue // the size: the guard waits for as much, in vain
				}
				out, err := checkFetch(bad, version)
				if err != nil {
					if !errors.Is(err, errCorrupt) {
						t.Fatalf("byte %d: %v", i, err)
					}
					continue
				}
				checkValues(t, version, out, i)
			}
		}
	}
}

func checkValues(t *testing.T, version int16, answer []byte, flipped int) {
	t.Helper()
	_, msg, err := protocol.ReadResponse(bytes.NewReader(answer), protocol.Fetch, version)
	if err != nil {
		return
	}
	for _, topic := range msg.(*fetchAPI.Response).Topics {
		for _, p := range topic.Partitions {
			if p.RecordSet.Records == nil {
				continue
			}
			d := decoder{}
			b, _ := d.decode(p.RecordSet.Records, 0, 0)
			for i, m := range b.messages {
				if want := []string{"a", "bb", "ccc"}[i]; string(m.Value) != want || m.Offset != int64(i) {
					t.Fatalf("byte %d flipped: message %d is %q at offset %d", flipped, i, m.Value, m.Offset)
				}
			}
		}
	}
}

// No bytes at all make the checks panic or allocate beyond reason.
func TestAnyBytesAreSurvived(t *testing.T) {
	good := answerOf(t, 11, "a", "bb", "ccc")
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
		// A right checksum leads further in.
		if at := len(good) - len(recordsOf(good)); len(b) > at+batchOverhead && rapid.Bool().Draw(t, "sign") {
			batch := b[at:]
			batch[16] = 2
			binary.BigEndian.PutUint32(batch[8:], uint32(len(batch)-batchPrefix))
			binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[batchChecked:], castagnoli))
			binary.BigEndian.PutUint32(b[at-4:], uint32(len(batch)))
		}
		out, err := checkFetch(b, int16(rapid.IntRange(4, 11).Draw(t, "version")))
		if err == nil && len(out) > len(b)+200*(1<<20) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
	})
}

func TestDamagedBatchLeavesThoseBeforeIt(t *testing.T) {
	one := recordsOf(answerOf(t, 4, "a", "b"))
	two := bytes.Clone(one)
	two[len(two)-1] ^= 1
	got, err := checkBatches(append(bytes.Clone(one), two...))
	if err != nil || !bytes.Equal(got, one) {
		t.Errorf("%d bytes, %v; want the first batch", len(got), err)
	}
	if _, err := checkBatches(two); !errors.Is(err, errCorrupt) {
		t.Errorf("a damaged first batch: %v", err)
	}
}
