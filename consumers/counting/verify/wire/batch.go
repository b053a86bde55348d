package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"retorno/schemas/kafka/compression"
)

// The record batch, message format 2 (Kafka protocol guide, "Record Batch"): where its fields stand.
const (
	lengthAt     = 8
	afterLength  = 12
	magicAt      = 16
	crcAt        = 17
	attributesAt = 21
	lastDeltaAt  = 23
	countAt      = 57
	headerBytes  = 61

	producerAt      = 43
	transactionBit  = 0x10
	controlBit      = 0x20
	abortOfControl  = 0
	controlTypeAt   = 2 // in a control record's key, after its version
	controlKeyBytes = 4
	// leastRecord is the smallest record: length, attributes, time, offset, key, value and headers, one byte each.
	leastRecord = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errWantMore = errors.New("enough")

// handOut takes the batches of an answer apart and hands out the messages from at up to before to. It returns the offset
// after the last one delivered. A batch that is cut off at the end is left for the next answer.
func (l *Log) handOut(f fetched, at, to int64, fn func(*Message) error) (int64, error) {
	for b := f.batches; len(b) >= headerBytes && at < to; {
		size := int(int32(binary.BigEndian.Uint32(b[lengthAt:]))) + afterLength
		if size < headerBytes {
			return at, l.broken(at, "a batch has %d bytes", size)
		}
		if size > len(b) {
			break
		}
		batch := b[:size]
		b = b[size:]
		if magic := batch[magicAt]; magic != 2 {
			return at, l.broken(at, "message format %d, which no broker has stored for years", magic)
		}
		if crc32.Checksum(batch[attributesAt:], castagnoli) != binary.BigEndian.Uint32(batch[crcAt:]) {
			return at, l.broken(at, "a batch does not match its checksum")
		}
		base := int64(binary.BigEndian.Uint64(batch))
		next := base + int64(int32(binary.BigEndian.Uint32(batch[lastDeltaAt:]))) + 1
		void := f.void(batch, next)
		var err error
		switch {
		case base > at:
			return at, l.broken(at, "offset %d follows", base)
		case next <= at:
			continue // before what was asked for
		case void:
			err = eachOffset(max(base, at), min(next, to), Message{Skipped: true}, fn)
		default:
			err = l.records(batch, base, next, at, to, fn)
		}
		if err != nil {
			return at, err
		}
		at = min(next, to)
	}
	return at, nil
}

func (l *Log) broken(at int64, format string, args ...any) error {
	return fmt.Errorf("%s, partition %d: at offset %d: %s", l.topic, l.partition, at, fmt.Sprintf(format, args...))
}

// records hands out the messages of one batch that lie from at up to before to.
func (l *Log) records(batch []byte, base, next, at, to int64, fn func(*Message) error) error {
	messages, why := l.unfold(batch)
	if why == "" {
		why = walk(messages, next-base, func(int64, *Message) error { return nil })
	}
	if why != "" {
		return eachOffset(max(base, at), min(next, to), Message{Unreadable: why}, fn)
	}
	var failed error
	walk(messages, next-base, func(i int64, m *Message) error {
		if m.Offset = base + i; m.Offset < at {
			return nil
		}
		if m.Offset >= to {
			return errWantMore
		}
		failed = fn(m)
		return failed
	})
	return failed
}

// eachOffset hands out the same message at every offset of a range.
func eachOffset(from, to int64, m Message, fn func(*Message) error) error {
	for m.Offset = from; m.Offset < to; m.Offset++ {
		if err := fn(&m); err != nil {
			return err
		}
	}
	return nil
}

// void reports whether a batch that ends before next is the end of a transaction, or part of one that was aborted. It
// is to be asked about every batch, in order: a producer's aborted transaction lasts up to the batch that ends it.
func (f *fetched) void(batch []byte, next int64) bool {
	producer := int64(binary.BigEndian.Uint64(batch[producerAt:]))
	ends := batch[attributesAt+1]&controlBit != 0
	of := slices.IndexFunc(f.undone, func(u undone) bool { return u.producer == producer && u.first < next })
	if ends && of >= 0 && aborts(batch) {
		f.undone = slices.Delete(f.undone, of, of+1)
	}
	return ends || of >= 0 && batch[attributesAt+1]&transactionBit != 0
}

// aborts reports whether a control batch undoes the transaction that it ends.
func aborts(batch []byte) bool {
	undoes := false
	walk(batch[headerBytes:], 1, func(_ int64, m *Message) error {
		undoes = len(m.Key) >= controlKeyBytes && binary.BigEndian.Uint16(m.Key[controlTypeAt:]) == abortOfControl
		return nil
	})
	return undoes
}

// unfold returns the records of a batch, decompressed, or why it cannot.
func (l *Log) unfold(batch []byte) (records []byte, why string) {
	records = batch[headerBytes:]
	if codec := compression.Codec(batch[attributesAt+1] & 7); codec != compression.None {
		var err error
		if records, err = codec.Unfold(l.unfolded, records); err != nil {
			return nil, err.Error()
		}
		if cap(records) <= 2*fetchBytes {
			l.unfolded = records
		}
	}
	count := int(int32(binary.BigEndian.Uint32(batch[countAt:])))
	if count < 0 || count > len(records)/leastRecord {
		return nil, fmt.Sprintf("it says that it has %d records in %d bytes", count, len(records))
	}
	if lastDelta := int(int32(binary.BigEndian.Uint32(batch[lastDeltaAt:]))); count != lastDelta+1 {
		return nil, fmt.Sprintf("it has %d records and %d offsets", count, lastDelta+1)
	}
	return records, ""
}

// walk hands out count records, each with its number in the batch, and says why it cannot: they must fill the bytes
// exactly, and their offsets must follow each other. What fn returns ends it.
func walk(b []byte, count int64, fn func(i int64, m *Message) error) (why string) {
	all := cursor{b: b}
	for i := range count {
		n := all.varint()
		if all.short || n < leastRecord-1 || n > int64(len(all.b)) {
			return fmt.Sprintf("record %d of %d is malformed", i+1, count)
		}
		c := cursor{b: all.take(int(n))}
		c.take(1)  // attributes
		c.varint() // time
		delta := c.varint()
		m := Message{Key: c.bytes(), Value: c.bytes()}
		headers := c.varint()
		for j := int64(0); j < headers && !c.short; j++ {
			c.short = c.bytes() == nil || c.short
			c.bytes()
		}
		if c.short || len(c.b) != 0 || headers < 0 || delta != i {
			return fmt.Sprintf("record %d of %d is malformed", i+1, count)
		}
		if err := fn(i, &m); err != nil {
			return ""
		}
	}
	if len(all.b) != 0 {
		return fmt.Sprintf("%d bytes follow its last record", len(all.b))
	}
	return ""
}
