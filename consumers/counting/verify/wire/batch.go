package wire

import (
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The record batch, message format 2 (Kafka protocol guide, "Record Batch").
const (
	headerBytes  = 61
	afterLength  = 12 // where the bytes begin that its length counts
	checkedFrom  = 21 // where those begin that its checksum covers
	leastLength  = headerBytes - afterLength
	format       = 2
	codecBits    = 0x07
	transactions = 0x10
	control      = 0x20
	// mostRoom is how much memory is kept for what the next batch decompresses to.
	mostRoom = 8 << 20
	// leastRecord is the smallest record: length, attributes, time, offset, key, value and headers, one byte each.
	leastRecord = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// deliver takes the batches of an answer apart and calls fn with the messages from at up to before to. It returns the
// offset after the last one delivered. A batch that is cut off at the end is left for the next answer.
func (l *Log) deliver(answer *kmsg.FetchResponseTopicPartition, at, to int64, fn func(*Message) error) (int64, error) {
	aborted := aborts(answer.AbortedTransactions)
	for rest := answer.RecordBatches; len(rest) >= headerBytes && at < to; {
		var b kmsg.RecordBatch
		if err := b.ReadFrom(rest); b.Length < leastLength {
			return at, broken(at, "a batch has %d bytes", b.Length)
		} else if err != nil {
			break
		}
		whole := rest[:afterLength+int(b.Length)]
		rest = rest[len(whole):]
		if b.Magic != format {
			return at, broken(at, "message format %d, which no broker has stored for years", b.Magic)
		}
		if crc32.Checksum(whole[checkedFrom:], castagnoli) != uint32(b.CRC) {
			return at, broken(at, "a batch does not match its checksum")
		}
		next := b.FirstOffset + int64(b.LastOffsetDelta) + 1
		skipped := aborted.skip(&b, next)
		var err error
		switch {
		case b.FirstOffset > at, b.FirstOffset != at && at == l.edge: // no checksum covers where it begins
			return at, broken(at, "offset %d follows", b.FirstOffset)
		case next <= at:
			continue // before what was asked for
		case skipped:
			err = eachOffset(at, min(next, to), Message{Skipped: true}, fn)
		default:
			err = l.records(&b, at, min(next, to), fn)
		}
		if err != nil {
			return at, err
		}
		at, l.edge = min(next, to), next
	}
	return at, nil
}

// broken is the error for an answer from at on that is not contiguous and whole.
func broken(at int64, format string, args ...any) error {
	return fmt.Errorf("at offset %d: %s", at, fmt.Sprintf(format, args...))
}

// records delivers the messages of one batch from at up to before to. When one of them is malformed, none is readable.
func (l *Log) records(b *kmsg.RecordBatch, at, to int64, fn func(*Message) error) error {
	records, why := l.unpack(b)
	if why == "" {
		why = walk(records, b.NumRecords, func(int32, *Message) error { return nil })
	}
	if why != "" {
		return eachOffset(at, to, Message{Unreadable: why}, fn)
	}
	var failed error
	walk(records, int32(to-b.FirstOffset), func(i int32, m *Message) error {
		if m.Offset = b.FirstOffset + int64(i); m.Offset >= at {
			failed = fn(m)
		}
		return failed
	})
	return failed
}

// eachOffset delivers the same message at every offset of a range.
func eachOffset(from, to int64, m Message, fn func(*Message) error) error {
	for offset := from; offset < to; offset++ {
		m.Offset = offset
		if err := fn(&m); err != nil {
			return err
		}
	}
	return nil
}

// aborts are the aborted transactions of an answer that have not ended yet.
type aborts []kmsg.FetchResponseTopicPartitionAbortedTransaction

// skip reports whether a batch that ends before next is the end of a transaction, or part of one that was aborted. It
// is to be asked about every batch, in order: a producer's aborted transaction lasts up to the batch that ends it.
func (a *aborts) skip(b *kmsg.RecordBatch, next int64) bool {
	of := slices.IndexFunc(*a, func(t kmsg.FetchResponseTopicPartitionAbortedTransaction) bool {
		return t.ProducerID == b.ProducerID && t.FirstOffset < next
	})
	if b.Attributes&control == 0 {
		return of >= 0 && b.Attributes&transactions != 0
	}
	if of >= 0 && marksAbort(b) {
		*a = slices.Delete(*a, of, of+1)
	}
	return true
}

// marksAbort reports whether a control batch aborts the transaction that it ends.
func marksAbort(b *kmsg.RecordBatch) bool {
	abort := false
	walk(b.Records, 1, func(_ int32, m *Message) error {
		var key kmsg.ControlRecordKey
		abort = key.ReadFrom(m.Key) == nil && key.Type == kmsg.ControlRecordKeyTypeAbort
		return nil
	})
	return abort
}

// unpack returns the records of a batch, decompressed, or why it cannot.
func (l *Log) unpack(b *kmsg.RecordBatch) (records []byte, why string) {
	codec := kgo.CompressionCodecType(b.Attributes & codecBits)
	records, err := l.codecs.Decompress(b.Records, codec)
	if codec != kgo.CodecNone && cap(records) > cap(l.room) && cap(records) <= mostRoom {
		l.room = records[:0]
	}
	switch {
	case err != nil:
		return nil, "decompression: " + err.Error()
	case b.NumRecords < 0 || int(b.NumRecords) > len(records)/leastRecord:
		return nil, fmt.Sprintf("it says that it has %d records in %d bytes", b.NumRecords, len(records))
	case b.NumRecords != b.LastOffsetDelta+1:
		return nil, fmt.Sprintf("it has %d records and %d offsets", b.NumRecords, b.LastOffsetDelta+1)
	}
	return records, ""
}

// walk calls fn with count records, each with its number in the batch, and says why it cannot: they must fill the bytes
// exactly, and their offsets must follow each other. An error of fn ends it.
func walk(records []byte, count int32, fn func(i int32, m *Message) error) (why string) {
	all := kbin.Reader{Src: records}
	var m Message // one for all, because it escapes
	for i := range count {
		r := kbin.Reader{Src: field(&all)}
		r.Int8()    // attributes
		r.Varlong() // time
		delta := r.Varint()
		m = Message{Key: field(&r), Value: field(&r)}
		headers := r.VarintArrayLen()
		named := true
		for range headers {
			named = field(&r) != nil && named
			field(&r)
		}
		if !all.Ok() || !r.Ok() || len(r.Src) != 0 || headers < 0 || !named || delta != i {
			return fmt.Sprintf("record %d of %d is malformed", i+1, count)
		}
		if fn(i, &m) != nil {
			return ""
		}
	}
	if len(all.Src) != 0 {
		return fmt.Sprintf("%d bytes follow its last record", len(all.Src))
	}
	return ""
}

// field reads a length and so many bytes; nil for the length -1. A smaller one is not Ok.
func field(r *kbin.Reader) []byte {
	n := r.Varint()
	if n == -1 {
		return nil
	}
	return r.Span(int(n))
}
