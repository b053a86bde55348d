package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A copy of an entry in the file: magic (4 bytes), CRC-32C of all that follows (4), length of the entry (4), its number
// (8), a random number of its batch (4), its index in the batch (4), entries of the batch (4), and the entry. Numbers are
// little endian.
const (
	headerBytes = 32
	magic       = "\xb7RJ1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one copy of an entry.
type frame struct {
	number              uint64
	batch, index, count uint32
	entry               []byte
}

// first and last are the numbers of the first and the last entry of the batch.
func (f frame) first() uint64 { return f.number - uint64(f.index) }
func (f frame) last() uint64  { return f.first() + uint64(f.count) - 1 }
func (f frame) size() int64   { return headerBytes + int64(len(f.entry)) }

func (f frame) append(b []byte) []byte {
	start := len(b)
	b = append(b, magic+"\x00\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.entry)))
	b = binary.LittleEndian.AppendUint64(b, f.number)
	b = binary.LittleEndian.AppendUint32(b, f.batch)
	b = binary.LittleEndian.AppendUint32(b, f.index)
	b = binary.LittleEndian.AppendUint32(b, f.count)
	b = append(b, f.entry...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// frameSize is how long the frame at the beginning of b says that it is, 0 when none begins there.
func frameSize(b []byte) int {
	if len(b) < headerBytes || string(b[:4]) != magic {
		return 0
	}
	size := binary.LittleEndian.Uint32(b[8:])
	if size > MaxEntry {
		return 0
	}
	return headerBytes + int(size)
}

// parse takes one copy from the beginning of b, when a whole one is there.
func parse(b []byte) (f frame, ok bool) {
	size := frameSize(b)
	if size == 0 || size > len(b) || crc32.Checksum(b[8:size], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return frame{}, false
	}
	f = frame{
		number: binary.LittleEndian.Uint64(b[12:]), batch: binary.LittleEndian.Uint32(b[20:]),
		index: binary.LittleEndian.Uint32(b[24:]), count: binary.LittleEndian.Uint32(b[28:]), entry: b[headerBytes:size],
	}
	return f, f.index < f.count && f.number > uint64(f.index)
}
