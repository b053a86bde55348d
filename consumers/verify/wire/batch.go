package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/segmentio/kafka-go/compress"
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

	controlBit = 0x20
	// mostUnfolded bounds what a batch may unfold to; the topics bound batches far below.
	mostUnfolded = 64 << 20
	// leastRecord is the smallest record: length, attributes, time, offset, key, value and headers, one byte each.
	leastRecord = 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errWantMore = errors.New("enough")

// handOut takes the batches of an answer apart and hands out the messages from at up to before to. It returns the offset
// after the last one handed out. A batch that is cut off at the end is left for the next answer.
func (l *Log) handOut(b []byte, at, to int64, fn func(*Message) error) (int64, error) {
	for len(b) >= headerBytes && at < to {
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
		switch {
		case base > at:
			return at, l.broken(at, "offset %d follows", base)
		case next <= at:
			continue // before what was asked for
		case batch[attributesAt+1]&controlBit != 0:
			return at, l.broken(at, "a control record, as of transactions, which no producer of ours makes")
		}
		if err := l.records(batch, base, next, at, to, fn); err != nil {
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
		for offset := max(base, at); offset < min(next, to); offset++ {
			if err := fn(&Message{Offset: offset, Unreadable: why}); err != nil {
				return err
			}
		}
		return nil
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

// unfold returns the records of a batch, decompressed, or why it cannot.
func (l *Log) unfold(batch []byte) (records []byte, why string) {
	records = batch[headerBytes:]
	code := compress.Compression(batch[attributesAt+1] & 7)
	if code != compress.None {
		codec := code.Codec()
		if codec == nil {
			return nil, fmt.Sprintf("unknown compression %d", code)
		}
		r := codec.NewReader(bytes.NewReader(records))
		unfolded := bytes.NewBuffer(l.unfolded[:0])
		n, err := io.Copy(unfolded, io.LimitReader(r, mostUnfolded+1))
		_ = r.Close() // it holds no more than memory
		if err != nil {
			return nil, "decompression: " + err.Error()
		}
		if n > mostUnfolded {
			return nil, fmt.Sprintf("it unfolds to more than %d bytes", mostUnfolded)
		}
		records = unfolded.Bytes()
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
