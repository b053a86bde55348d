package stream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/segmentio/kafka-go/compress"
)

const (
	// maxDecompressed bounds what one batch may unfold to. Ours are under
	// 1 MB, and a broker takes no single fact above 16 MiB.
	maxDecompressed = 64 << 20
	// smallestRecord is the least a record takes: length, attributes, time,
	// offset, key, value and headers, one byte each.
	smallestRecord = 7
	// maxReplaced bounds how many messages stand for an unreadable batch.
	maxReplaced = 1 << 20
	// headerUnreadable marks them.
	headerUnreadable = "retorno-unreadable"
)

// unfolded lends buffers for decompressed batches.
var unfolded = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readable returns why the records of a whole batch cannot be read, or
// nothing, and how many bytes it was unfolded to. The checksum has been
// verified, so it is what a producer wrote.
func readable(batch []byte) (why string, size int) {
	attributes := binary.BigEndian.Uint16(batch[21:])
	records := batch[batchOverhead:]
	count := int(int32(binary.BigEndian.Uint32(batch[57:])))
	if code := compress.Compression(attributes & 7); code != compress.None {
		codec := code.Codec()
		if codec == nil {
			return fmt.Sprintf("unknown compression %d", code), 0
		}
		buf := unfolded.Get().(*bytes.Buffer)
		buf.Reset()
		defer func() {
			if buf.Cap() <= 8<<20 {
				unfolded.Put(buf)
			}
		}()
		r := codec.NewReader(bytes.NewReader(records))
		n, err := io.Copy(buf, io.LimitReader(r, maxDecompressed+1))
		r.Close()
		if err != nil {
			return "decompression: " + err.Error(), int(n)
		}
		if n > maxDecompressed {
			return fmt.Sprintf("it decompresses to more than %d bytes", maxDecompressed), int(n)
		}
		records = buf.Bytes()
	}
	if count < 0 || count > len(records)/smallestRecord {
		return fmt.Sprintf("it says that it has %d records in %d bytes", count, len(records)), len(records)
	}
	if i := malformed(records, count); i >= 0 {
		return fmt.Sprintf("record %d of %d is malformed", i+1, count), len(records)
	}
	return "", len(records)
}

// malformed walks over count records and returns the number of the first that
// does not fit, or -1.
func malformed(b []byte, count int) int {
	for i := range count {
		length, n := binary.Varint(b)
		if n <= 0 || length < smallestRecord-1 || length > int64(len(b)-n) {
			return i
		}
		if !recordFits(b[n : n+int(length)]) {
			return i
		}
		b = b[n+int(length):]
	}
	if len(b) != 0 {
		return count
	}
	return -1
}

// recordFits reports whether a record's fields fill it exactly.
func recordFits(b []byte) bool {
	b = b[1:] // attributes
	for range 2 {
		_, n := binary.Varint(b) // time, offset
		if n <= 0 {
			return false
		}
		b = b[n:]
	}
	ok := true
	skip := func(nullable bool) {
		length, n := binary.Varint(b)
		if n <= 0 || length > int64(len(b)-n) || length < -1 || length == -1 && !nullable {
			ok = false
			return
		}
		b = b[n+int(max(length, 0)):]
	}
	skip(true)
	if ok {
		skip(true)
	}
	if !ok {
		return false
	}
	headers, n := binary.Varint(b)
	if n <= 0 || headers < 0 || headers > int64(len(b)) {
		return false
	}
	b = b[n:]
	for range headers {
		if skip(false); ok {
			skip(true)
		}
		if !ok {
			return false
		}
	}
	return len(b) == 0
}

// unreadableBatch returns a batch with the offsets of the given one, whose
// first message is its bytes as they came and whose others are empty, each
// with a header that says why.
func unreadableBatch(batch []byte, why string) []byte {
	last := int(int32(binary.BigEndian.Uint32(batch[23:])))
	// An absurd count cannot be followed; what is missing shows as a gap.
	last = min(max(last, 0), maxReplaced-1)
	var header []byte
	header = binary.AppendVarint(header, 1)
	header = binary.AppendVarint(header, int64(len(headerUnreadable)))
	header = append(header, headerUnreadable...)
	header = binary.AppendVarint(header, int64(len(why)))
	header = append(header, why...)

	out := append([]byte(nil), batch[:batchOverhead]...)
	for i := range last + 1 {
		record := []byte{0, 0} // attributes, time
		record = binary.AppendVarint(record, int64(i))
		record = binary.AppendVarint(record, -1) // no key
		if i == 0 {
			record = binary.AppendVarint(record, int64(len(batch)))
			record = append(record, batch...)
		} else {
			record = binary.AppendVarint(record, -1)
		}
		record = append(record, header...)
		out = binary.AppendVarint(out, int64(len(record)))
		out = append(out, record...)
	}
	binary.BigEndian.PutUint32(out[8:], uint32(len(out)-batchPrefix))
	// Neither compressed nor a control batch; the kind of time stays.
	out[21], out[22] = 0, out[22]&0x08
	binary.BigEndian.PutUint32(out[23:], uint32(last))
	binary.BigEndian.PutUint32(out[57:], uint32(last+1))
	binary.BigEndian.PutUint32(out[17:], crc32.Checksum(out[batchChecked:], castagnoli))
	return out
}
