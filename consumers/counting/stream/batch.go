package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"retorno/schemas/kafka"
	"retorno/schemas/kafka/compression"
)

// The layout of a record batch, version 2 (https://kafka.apache.org/documentation/#recordbatch): where its fields stand.
const (
	lengthAt     = 8
	batchPrefix  = 12 // offset and length, which the length does not count
	magicAt      = 16 // in every version
	checksumAt   = 17
	attributesAt = 21 // from here on the checksum covers
	lastDeltaAt  = 23
	firstTimeAt  = 27
	maxTimeAt    = 35
	producerAt   = 43
	countAt      = 57
	batchHeader  = 61

	compressionBits  = 0x07
	brokerTimeBit    = 0x08
	transactionalBit = 0x10
	controlBit       = 0x20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errFormat says that a batch is of a format that brokers have not written for years. A flipped bit looks the same.
var errFormat = fmt.Errorf("%w: message format before version 2", kafka.ErrCorrupt)

// rawBatch is one batch, whole by its checksum.
type rawBatch []byte

// firstBatch returns the batch at the begin of b. The error wraps kafka.ErrCorrupt when it is not whole.
func firstBatch(b []byte) (rawBatch, error) {
	if len(b) > magicAt && b[magicAt] < 2 {
		return nil, errFormat
	}
	if len(b) < batchHeader {
		return nil, fmt.Errorf("%w: %d bytes are no batch", kafka.ErrCorrupt, len(b))
	}
	length := int(int32(binary.BigEndian.Uint32(b[lengthAt:])))
	if length < batchHeader-batchPrefix || length > len(b)-batchPrefix {
		return nil, fmt.Errorf("%w: a batch of %d bytes in %d", kafka.ErrCorrupt, length, len(b))
	}
	if magic := b[magicAt]; magic != 2 {
		return nil, fmt.Errorf("%w: message format %d", kafka.ErrCorrupt, magic)
	}
	b = b[:batchPrefix+length]
	if found, computed := binary.BigEndian.Uint32(b[checksumAt:]), crc32.Checksum(b[attributesAt:], castagnoli); found != computed {
		return nil, fmt.Errorf("%w: checksum mismatch (computed %08x, found %08x)", kafka.ErrCorrupt, computed, found)
	}
	return rawBatch(b), nil
}

func (b rawBatch) base() int64 { return int64(binary.BigEndian.Uint64(b)) }

// next is the offset after the batch's last one.
func (b rawBatch) next() int64 {
	return b.base() + int64(max(0, int32(binary.BigEndian.Uint32(b[lastDeltaAt:])))) + 1
}

func (b rawBatch) codec() compression.Codec {
	return compression.Codec(b[attributesAt+1] & compressionBits)
}

func (b rawBatch) control() bool { return b[attributesAt+1]&controlBit != 0 }

func (b rawBatch) transactional() bool { return b[attributesAt+1]&transactionalBit != 0 }

func (b rawBatch) producer() int64 { return int64(binary.BigEndian.Uint64(b[producerAt:])) }

func (b rawBatch) firstTime() int64 { return int64(binary.BigEndian.Uint64(b[firstTimeAt:])) }

func (b rawBatch) count() int { return int(int32(binary.BigEndian.Uint32(b[countAt:]))) }

// brokerTime is when the broker appended the batch; the zero time when the topic does not say.
func (b rawBatch) brokerTime() time.Time {
	if b[attributesAt+1]&brokerTimeBit == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b[maxTimeAt:])))
}

// aborts reports whether a control batch ends its producer's transaction by undoing it.
func (b rawBatch) aborts() bool {
	r, _, ok := cutRecord(b[batchHeader:])
	// The key is a version, then the kind: 0 for abort, 1 for commit.
	return ok && len(r.key) >= 4 && binary.BigEndian.Uint16(r.key[2:]) == 0
}

// record is one record of a batch, as it stands there.
type record struct {
	time, offset int64 // less the batch's own
	key, value   []byte
	headers      []byte // headerCount of them
	headerCount  int
}

// smallestRecord is the least a record takes: length, attributes, time, offset, key, value and headers, one byte each.
const smallestRecord = 7

// cutRecord takes the first record off b. It is false when the fields do not fill it exactly; the headers are for
// walkHeaders to look at.
func cutRecord(b []byte) (r record, rest []byte, ok bool) {
	length, n := binary.Varint(b)
	if n <= 0 || length < smallestRecord-1 || length > int64(len(b)-n) {
		return r, nil, false
	}
	b, rest = b[n:n+int(length)], b[n+int(length):]
	f := fields{b: b[1:]} // attributes are not used
	r.time, r.offset = f.number(), f.number()
	r.key, r.value = f.bytes(), f.bytes()
	headers := f.number()
	if f.bad || headers < 0 || headers > int64(len(f.b)) || headers == 0 && len(f.b) > 0 {
		return r, nil, false
	}
	r.headers, r.headerCount = f.b, int(headers)
	return r, rest, true
}

// walkHeaders calls fn with each header. It is false when they do not fill their bytes exactly.
func (r *record) walkHeaders(fn func(key, value []byte)) bool {
	f := fields{b: r.headers}
	for range r.headerCount {
		key := f.bytes()
		value := f.bytes()
		if f.bad || key == nil {
			return false
		}
		fn(key, value)
	}
	return len(f.b) == 0
}

// fields reads one field after the other. Once one does not fit, all that follow are zero.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) number() int64 {
	v, n := binary.Varint(f.b)
	if n <= 0 {
		f.bad, f.b = true, nil
		return 0
	}
	f.b = f.b[n:]
	return v
}

// bytes reads a length and so many bytes; nil for the length -1.
func (f *fields) bytes() []byte {
	n := f.number()
	if n == -1 {
		return nil
	}
	if n < 0 || n > int64(len(f.b)) {
		f.bad, f.b = true, nil
		return nil
	}
	p := f.b[:n:n]
	f.b = f.b[n:]
	return p
}

// unfold returns the records of a batch, in buf's memory when they are compressed and fit there.
func (b rawBatch) unfold(buf []byte) (records []byte, err error) {
	records = b[batchHeader:]
	if b.codec() != compression.None {
		if records, err = b.codec().Unfold(buf, records); err != nil {
			return nil, err
		}
	}
	switch n := b.count(); {
	case n < 0 || n > len(records)/smallestRecord:
		return nil, fmt.Errorf("it says that it has %d records in %d bytes", n, len(records))
	case n > maxRecords:
		return nil, errors.New("it has more records than a batch may hold")
	}
	return records, nil
}
