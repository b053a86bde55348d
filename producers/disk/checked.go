package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
)

// ErrDamaged says that a file does not hold what was written to it.
var ErrDamaged = errors.New("damaged: its checksum does not fit")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteChecked replaces the content of a file as WriteFile does, with a CRC-32C before it.
func WriteChecked(d Disk, name string, data []byte) error {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, len(data)+4), crc32.Checksum(data, castagnoli))
	return WriteFile(d, name, append(b, data...))
}

// ReadChecked reads what WriteChecked wrote, or fails with ErrDamaged.
func ReadChecked(d Disk, name string, limit int64) ([]byte, error) {
	b, err := ReadFile(d, name, limit)
	if err != nil {
		return nil, err
	}
	if len(b) < 4 || crc32.Checksum(b[4:], castagnoli) != binary.LittleEndian.Uint32(b) {
		return nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	}
	return b[4:], nil
}

// WriteTwice writes a file and a copy of it, so that ReadTwice finds the content when one of them is damaged.
func WriteTwice(d Disk, name string, data []byte) error {
	if err := WriteChecked(d, name, data); err != nil {
		return err
	}
	return WriteChecked(d, name+".copy", data)
}

// ReadTwice reads what WriteTwice wrote. damaged names the files that are not what was written. The error is
// fs.ErrNotExist when there is neither.
func ReadTwice(d Disk, name string, limit int64) (data []byte, damaged []string, err error) {
	for _, candidate := range []string{name, name + ".copy"} {
		b, err := ReadChecked(d, candidate, limit)
		switch {
		case err == nil:
			return b, damaged, nil
		case errors.Is(err, ErrDamaged):
			damaged = append(damaged, candidate)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, damaged, err
		}
	}
	if len(damaged) > 0 {
		return nil, damaged, fmt.Errorf("%s and its copy: %w", name, ErrDamaged)
	}
	return nil, nil, fs.ErrNotExist
}
