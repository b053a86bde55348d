package stream

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The layout of a fetch answer, versions 4 to 11
// (https://kafka.apache.org/protocol#The_Messages_Fetch), and of a record
// batch, version 2 (https://kafka.apache.org/documentation/#recordbatch).
const (
	batchOverhead = 61 // bytes of a batch before its records
	batchPrefix   = 12 // offset and length, which the length does not count
	batchChecked  = 21 // from here on the checksum covers
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// cursor walks over an answer and never beyond its end.
type cursor struct {
	b   []byte
	at  int
	bad bool
}

func (c *cursor) skip(n int) {
	if n < 0 || n > len(c.b)-c.at {
		c.bad = true
		return
	}
	c.at += n
}

func (c *cursor) int32() int {
	at := c.at
	if c.skip(4); c.bad {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(c.b[at:])))
}

func (c *cursor) string() {
	at := c.at
	if c.skip(2); !c.bad {
		c.skip(int(int16(binary.BigEndian.Uint16(c.b[at:]))))
	}
}

// checkFetch returns the answer, with its size in front, as it may be handed
// on: unchanged, or with unreadable batches replaced. The error wraps errCorrupt.
func checkFetch(frame []byte, version int16) ([]byte, error) {
	c := &cursor{b: frame, at: 4}
	c.skip(4 + 4) // correlation id, throttle time
	if version >= 7 {
		c.skip(2 + 4) // error, session
	}
	topics := c.int32()
	if topics == 0 && !c.bad && c.at == len(frame) {
		return frame, nil
	}
	// Each request is about one partition of one topic.
	c.string()
	if partitions := c.int32(); topics != 1 || partitions != 1 || c.bad {
		return nil, fmt.Errorf("%w: it is not about one partition", errCorrupt)
	}
	c.skip(4 + 2 + 8 + 8) // partition, error, high watermark, last stable offset
	if version >= 5 {
		c.skip(8) // log start
	}
	if aborted := c.int32(); aborted > 0 {
		c.skip(16 * min(aborted, len(frame)))
	}
	if version >= 11 {
		c.skip(4) // preferred replica
	}
	at := c.at
	size := c.int32()
	if size < 0 && size >= -1 && !c.bad && c.at == len(frame) {
		return frame, nil
	}
	if c.bad || size < 0 || size != len(frame)-c.at {
		return nil, fmt.Errorf("%w: its fields do not fit its %d bytes", errCorrupt, len(frame))
	}
	records, err := checkBatches(frame[c.at:])
	if err != nil {
		return nil, err
	}
	if len(records) == size && (size == 0 || &records[0] == &frame[c.at]) {
		return frame, nil
	}
	out := append(append(make([]byte, 0, c.at+len(records)), frame[:c.at]...), records...)
	binary.BigEndian.PutUint32(out[at:], uint32(len(records)))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}

// checkBatches verifies batches one after the other. What follows a damaged
// one is left out, so that the good ones before it are had; it will be fetched
// again. A damaged first one is an error. So is left out what follows much
// decompressing, so that an answer is looked at within its time.
func checkBatches(records []byte) ([]byte, error) {
	var rebuilt []byte // set once something differs
	unfolded := 0
	for at := 0; at < len(records); {
		batch, err := checkBatch(records[at:])
		if err != nil && at == 0 {
			return nil, err
		}
		if err != nil || unfolded > maxDecompressed {
			if rebuilt != nil {
				return rebuilt, nil
			}
			return records[:at], nil
		}
		why, size := readable(batch)
		unfolded += size
		switch {
		case why != "" && rebuilt == nil:
			rebuilt = append(append([]byte(nil), records[:at]...), unreadableBatch(batch, why)...)
		case why != "":
			rebuilt = append(rebuilt, unreadableBatch(batch, why)...)
		case rebuilt != nil:
			rebuilt = append(rebuilt, batch...)
		}
		at += len(batch)
	}
	if rebuilt != nil {
		return rebuilt, nil
	}
	return records, nil
}

// checkBatch returns the first batch when it is whole.
func checkBatch(b []byte) ([]byte, error) {
	if len(b) < batchOverhead {
		return nil, fmt.Errorf("%w: %d bytes are no batch", errCorrupt, len(b))
	}
	length := int(int32(binary.BigEndian.Uint32(b[8:])))
	if length < batchOverhead-batchPrefix || length > len(b)-batchPrefix {
		return nil, fmt.Errorf("%w: a batch of %d bytes in %d", errCorrupt, length, len(b))
	}
	if magic := b[16]; magic != 2 {
		return nil, fmt.Errorf("%w: message format %d", errCorrupt, magic)
	}
	b = b[:batchPrefix+length]
	if found, computed := binary.BigEndian.Uint32(b[17:]), crc32.Checksum(b[batchChecked:], castagnoli); found != computed {
		return nil, fmt.Errorf("%w: checksum mismatch (computed %08x, found %08x)", errCorrupt, computed, found)
	}
	return b, nil
}
