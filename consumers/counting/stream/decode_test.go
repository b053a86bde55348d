package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"retorno/schemas/kafka"
	"retorno/schemas/kafka/compression"
)

// rawRecord is a record with the key "k" and a header without a value.
func rawRecord(delta int, value string) []byte {
	r := []byte{0, 0}
	r = binary.AppendVarint(r, int64(delta))
	r = append(binary.AppendVarint(r, 1), 'k')
	r = append(binary.AppendVarint(r, int64(len(value))), value...)
	r = append(binary.AppendVarint(r, 1), 2, 'h', 1)
	return append(binary.AppendVarint(nil, int64(len(r))), r...)
}

// rawOf is a batch from offset base on, with a right checksum.
func rawOf(base int64, attributes byte, producer int64, lastDelta int, records ...[]byte) []byte {
	b := make([]byte, batchHeader)
	binary.BigEndian.PutUint64(b, uint64(base))
	b[magicAt], b[attributesAt+1] = 2, attributes
	binary.BigEndian.PutUint32(b[lastDeltaAt:], uint32(lastDelta))
	binary.BigEndian.PutUint64(b[firstTimeAt:], 1_460_000_000_000)
	binary.BigEndian.PutUint64(b[maxTimeAt:], 1_460_000_000_999)
	binary.BigEndian.PutUint64(b[producerAt:], uint64(producer))
	binary.BigEndian.PutUint32(b[countAt:], uint32(len(records)))
	return sealed(append(b, bytes.Join(records, nil)...))
}

// sealed sets a batch's length and checksum to what it holds.
func sealed(b []byte) []byte {
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(len(b)-batchPrefix))
	binary.BigEndian.PutUint32(b[checksumAt:], crc32.Checksum(b[attributesAt:], castagnoli))
	return b
}

// batchOf is an ordinary batch.
func batchOf(base int64, values ...string) []byte {
	records := make([][]byte, len(values))
	for i, v := range values {
		records[i] = rawRecord(i, v)
	}
	return rawOf(base, 0, -1, len(values)-1, records...)
}

// read decodes batches from position on and writes what came of each offset.
func read(t interface{ Helper() }, base, position int64, aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction, batches ...[]byte) ([]string, *batch, error) {
	t.Helper()
	d := decoder{topic: "topic", partition: 3}
	b, err := d.decode(&partitionData{records: bytes.Join(batches, nil), aborted: aborted}, base, position)
	var got []string
	for _, m := range b.messages {
		switch {
		case m.Skipped:
			got = append(got, fmt.Sprintf("%d skipped", m.Offset))
		case m.Unreadable != "":
			got = append(got, fmt.Sprintf("%d unreadable", m.Offset))
		default:
			got = append(got, fmt.Sprintf("%d %s", m.Offset, m.Value))
		}
	}
	return got, b, err
}

func TestBatchesAreReadFromThePositionOn(t *testing.T) {
	for _, c := range []struct {
		position int64
		want     []string
	}{
		{10, []string{"10 a", "11 b", "12 c", "13 d"}},
		{11, []string{"11 b", "12 c", "13 d"}},
		{13, []string{"13 d"}},
		{14, nil},
	} {
		got, b, err := read(t, 10, c.position, nil, batchOf(10, "a", "b", "c"), batchOf(13, "d"))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("from %d on: %q, %v", c.position, got, err)
		}
		for _, m := range b.messages {
			if m.Topic != "topic" || m.Partition != 3 || string(m.Key) != "k" || len(m.Headers) != 1 || m.Headers[0].Key != "h" ||
				m.Headers[0].Value != nil || m.Time.UnixMilli() != 1_460_000_000_000 {
				t.Errorf("the message is %+v", m)
			}
		}
	}
}

// Only a topic with the broker's time says when the broker had a message; the producer's time is beside it.
func TestTheBrokersTimeIsToldFromTheProducers(t *testing.T) {
	_, b, _ := read(t, 0, 0, nil, rawOf(0, 0, -1, 0, rawRecord(0, "a")))
	if !b.messages[0].BrokerTime.IsZero() {
		t.Errorf("the producer's time is taken for the broker's: %s", b.messages[0].BrokerTime)
	}
	_, b, _ = read(t, 0, 0, nil, rawOf(0, brokerTimeBit, -1, 0, rawRecord(0, "a")))
	if m := b.messages[0]; !m.BrokerTime.Equal(time.UnixMilli(1_460_000_000_999)) || m.Time.UnixMilli() != 1_460_000_000_000 {
		t.Errorf("the broker's time is %s, the producer's %s", m.BrokerTime, m.Time)
	}
}

func aborted(producer, first int64) kmsg.FetchResponseTopicPartitionAbortedTransaction {
	return kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: producer, FirstOffset: first}
}

// marker ends a producer's transaction.
func marker(base, producer int64, kind byte) []byte {
	r := []byte{0, 0, 0, 8, 0, 0, 0, kind, 1, 0}
	return rawOf(base, transactionalBit|controlBit, producer, 0, append(binary.AppendVarint(nil, int64(len(r))), r...))
}

// Two producers' transactions cross: one is undone, then that producer begins another, which is not.
func TestAbortedTransactionsAndMarkersAreSkipped(t *testing.T) {
	const abort, commit = 0, 1
	log := [][]byte{
		rawOf(0, transactionalBit, 7, 1, rawRecord(0, "undone"), rawRecord(1, "undone")),
		rawOf(2, transactionalBit, 8, 0, rawRecord(0, "kept")),
		batchOf(3, "plain"),
		rawOf(4, transactionalBit, 7, 0, rawRecord(0, "undone")),
		marker(5, 7, abort),
		rawOf(6, transactionalBit, 7, 0, rawRecord(0, "kept")),
		marker(7, 8, commit),
		marker(8, 7, commit),
		batchOf(9, "plain"),
	}
	want := []string{"0 skipped", "1 skipped", "2 kept", "3 plain", "4 skipped", "5 skipped", "6 kept", "7 skipped", "8 skipped", "9 plain"}
	got, b, err := read(t, 0, 0, []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(7, 0)}, log...)
	if err != nil || !slices.Equal(got, want) || b.skipped != 6 {
		t.Errorf("%q with %d skipped, %v; want %q", got, b.skipped, err, want)
	}
	for _, m := range b.messages {
		if m.Skipped && (m.Key != nil || m.Value != nil || m.Headers != nil) {
			t.Errorf("offset %d is skipped and has content", m.Offset)
		}
	}
	// A reader that begins in the middle is told of transactions that began before.
	got, _, err = read(t, 4, 4, []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(7, 0)}, log[3:]...)
	if err != nil || !slices.Equal(got, want[4:]) {
		t.Errorf("from 4 on: %q, %v", got, err)
	}
}

func TestWhatIsWholeButMalformedIsHandedOutAsItIs(t *testing.T) {
	short := rawRecord(1, "b")
	huge := rawRecord(0, "x")
	huge[1+3+1+1+2] = 'y'
	for name, batch := range map[string][]byte{
		"garbage":              rawOf(5, 0, -1, 2, bytes.Repeat([]byte{0xfe}, 60)),
		"fewer than it says":   rawOf(5, 0, -1, 2, rawRecord(0, "a"), short[:4]),
		"more than it says":    sealed(append(batchOf(5, "a", "b", "c"), 1)),
		"offsets that go back": rawOf(5, 0, -1, 2, rawRecord(0, "a"), rawRecord(0, "b"), rawRecord(2, "c")),
		"an offset beyond":     rawOf(5, 0, -1, 2, rawRecord(0, "a"), rawRecord(1, "b"), rawRecord(3, "c")),
		"unknown compression":  rawOf(5, 7, -1, 2, rawRecord(0, "a"), rawRecord(1, "b"), rawRecord(2, "c")),
		"broken compression":   rawOf(5, byte(compression.Gzip), -1, 2, rawRecord(0, "a"), rawRecord(1, "b"), rawRecord(2, "c")),
		"a header cut short":   rawOf(5, 0, -1, 2, rawRecord(0, "a"), rawRecord(1, "b"), headerCutShort(2)),
	} {
		for _, position := range []int64{3, 5, 6} {
			got, b, err := read(t, 3, position, nil, batchOf(3, "x", "y"), batch, batchOf(8, "z"))
			want := []string{"3 x", "4 y", "5 unreadable", "6 unreadable", "7 unreadable", "8 z"}[position-3:]
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, from %d on: %q, %v", name, position, got, err)
				continue
			}
			for _, m := range b.messages {
				if m.Unreadable != "" && (m.Offset == 5) != bytes.Equal(m.Value, batch) {
					t.Errorf("%s: offset %d has %d bytes", name, m.Offset, len(m.Value))
				}
			}
		}
	}
}

// headerCutShort is a record that says it has two headers and has one.
func headerCutShort(delta int) []byte {
	r := []byte{0, 0}
	r = binary.AppendVarint(r, int64(delta))
	r = append(r, 1, 1) // neither key nor value
	r = append(binary.AppendVarint(r, 2), 2, 'h', 1)
	return append(binary.AppendVarint(nil, int64(len(r))), r...)
}

// An offset that is missing inside the log ends the reading there, never later.
func TestMissingOffsetsEndTheReading(t *testing.T) {
	for name, c := range map[string]struct {
		batches [][]byte
		want    []string
		gap     noncontiguousError
	}{
		"between batches":       {[][]byte{batchOf(0, "a"), batchOf(3, "d")}, []string{"0 a"}, noncontiguousError{1, 3}},
		"inside a batch":        {[][]byte{rawOf(0, 0, -1, 3, rawRecord(0, "a"), rawRecord(2, "c"), rawRecord(3, "d"))}, []string{"0 a"}, noncontiguousError{1, 2}},
		"at a batch's begin":    {[][]byte{rawOf(0, 0, -1, 1, rawRecord(1, "b"))}, nil, noncontiguousError{0, 1}},
		"at a batch's end":      {[][]byte{rawOf(0, 0, -1, 3, rawRecord(0, "a")), batchOf(4, "e")}, []string{"0 a"}, noncontiguousError{1, 4}},
		"a batch without any":   {[][]byte{rawOf(0, 0, -1, 2), batchOf(3, "d")}, nil, noncontiguousError{0, 3}},
		"more than is followed": {[][]byte{rawOf(0, controlBit, -1, maxRecords)}, nil, noncontiguousError{0, maxRecords + 1}},
	} {
		got, _, err := read(t, 0, 0, nil, c.batches...)
		var gap *noncontiguousError
		if !errors.As(err, &gap) || *gap != c.gap || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q and %v", name, got, err, c.want, &c.gap)
		}
	}
}

// A batch's first offset is covered by no checksum: it has to be where the batch before it ended.
func TestMisplacedBatchesAreRefused(t *testing.T) {
	for _, base := range []int64{8, 11} {
		if _, b, err := read(t, 10, 11, nil, batchOf(base, "a", "b", "c")); !errors.As(err, new(*misplacedError)) || len(b.messages) > 0 {
			t.Errorf("a batch that begins at %d is read where one at 10 belongs: %v", base, err)
		}
	}
}

func TestDamagedBatchLeavesThoseBeforeIt(t *testing.T) {
	damaged := batchOf(2, "c", "d")
	damaged[len(damaged)-1] ^= 1
	got, _, err := read(t, 0, 0, nil, batchOf(0, "a", "b"), damaged, batchOf(4, "e"))
	if err != nil || !slices.Equal(got, []string{"0 a", "1 b"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, _, err := read(t, 2, 2, nil, damaged); !errors.Is(err, kafka.ErrCorrupt) {
		t.Errorf("a damaged first batch: %v", err)
	}
	// A batch that is cut off at the end of an answer waits for the next one.
	whole := batchOf(2, "c", "d")
	got, _, err = read(t, 0, 0, nil, batchOf(0, "a", "b"), whole[:len(whole)-3])
	if err != nil || !slices.Equal(got, []string{"0 a", "1 b"}) {
		t.Errorf("with half a batch: %q, %v", got, err)
	}
}

func TestOldFormatsAreNamed(t *testing.T) {
	for _, magic := range []byte{0, 1} {
		old := batchOf(0, "a")
		old[magicAt] = magic
		if _, _, err := read(t, 0, 0, nil, old[:40]); !errors.Is(err, errFormat) {
			t.Errorf("message format %d: %v", magic, err)
		}
	}
}

// Whatever bit is flipped in the batches, what comes is never another message than was sent: it may only be fewer.
func TestFlippedBitsNeverBecomeOtherMessages(t *testing.T) {
	log := slices.Concat(batchOf(0, "a", "bb"), rawOf(2, transactionalBit, 7, 0, rawRecord(0, "undone")), marker(3, 7, 0), batchOf(4, "ccc"))
	want := []string{"0 a", "1 bb", "2 skipped", "3 skipped", "4 ccc"}
	for i := range log {
		for bit := range 8 {
			bad := bytes.Clone(log)
			bad[i] ^= 1 << bit
			got, _, _ := read(t, 0, 0, []kmsg.FetchResponseTopicPartitionAbortedTransaction{aborted(7, 2)}, bad)
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("byte %d, bit %d flipped: %q", i, bit, got)
			}
		}
	}
}

// No bytes at all make the decoder panic, or hand out more than there is.
func TestAnyBytesAreSurvived(t *testing.T) {
	good := slices.Concat(batchOf(0, "a", "bb", "ccc"), marker(3, 7, 0))
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(good)
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		b = b[:rapid.IntRange(0, len(b)).Draw(t, "length")]
		// A right checksum leads further in.
		if len(b) > batchHeader && rapid.Bool().Draw(t, "sign") {
			b[magicAt] = 2
			b = sealed(b)
		}
		if _, got, _ := read(t, 0, 0, nil, b); len(got.messages) > maxRecords {
			t.Fatalf("%d bytes became %d messages", len(b), len(got.messages))
		}
	})
}

// One answer of little batches that unfold to much is taken in parts.
func TestAnAnswerIsBoundedInMemory(t *testing.T) {
	records := bytes.Join([][]byte{rawRecord(0, strings.Repeat("x", 40<<20))}, nil)
	folded := snappyOf(records)
	batch := func(base int64) []byte {
		b := rawOf(base, byte(compression.Snappy), -1, 0, folded)
		return b
	}
	got, b, err := read(t, 0, 0, nil, batch(0), batch(1), batch(2), batch(3))
	if err != nil || len(got) != 2 || b.unfolded > 2*compression.Limit {
		t.Errorf("%d messages of 40 MiB from one answer, %v", len(got), err)
	}
	// Many records of nothing cost memory, too.
	tiny := make([]byte, 0, 8*maxRecords)
	count := maxRecords + 1
	for i := range count {
		r := binary.AppendVarint([]byte{0, 0}, int64(i))
		r = append(r, 1, 1, 0)
		tiny = append(binary.AppendVarint(tiny, int64(len(r))), r...)
	}
	many := rawOf(0, byte(compression.Snappy), -1, count-1, snappyOf(tiny))
	binary.BigEndian.PutUint32(many[countAt:], uint32(count))
	if _, b, err := read(t, 0, 0, nil, sealed(many)); !errors.As(err, new(*noncontiguousError)) || len(b.messages) > 0 {
		t.Errorf("%d messages of one batch, %v", len(b.messages), err)
	}
}
