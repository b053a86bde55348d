package nativeblock

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Versions of the serializations of Dynamic and JSON. Source: ClickHouse, SerializationDynamic.h and
// SerializationObject.h; "flattened" is what output_format_native_use_flattened_dynamic_and_json_serialization gives.
const (
	dynamicFlattened = 3
	jsonAsString     = 1
	jsonFlattened    = 3
	maxDynamicTypes  = 100_000
)

// dynamic: the types present are listed in the prefix; the data are an index for each row (the number of types
// meaning NULL), then each type's values.
type dynamic struct{ types []shape }

func (d *dynamic) prefix(c *copier) error {
	version, err := c.passUint64()
	if err != nil {
		return err
	}
	if version != dynamicFlattened {
		return fmt.Errorf("dynamic serialization %d: %w", version, ErrUnsupported)
	}
	n, err := c.passUvarint(maxDynamicTypes)
	if err != nil {
		return err
	}
	d.types = d.types[:0]
	for range n {
		name, err := c.copyName()
		if err != nil {
			return err
		}
		s, err := shapeOf(name)
		if err != nil {
			return err
		}
		d.types = append(d.types, s)
	}
	return tuple(d.types).prefix(c)
}

func (d *dynamic) data(c *copier, rows int) error {
	if rows == 0 {
		return nil
	}
	width := 8
	switch n := len(d.types); {
	case n <= math.MaxUint8:
		width = 1
	case n <= math.MaxUint16:
		width = 2
	case n <= math.MaxUint32:
		width = 4
	}
	counts, bad := make([]int, len(d.types)+1), false
	if err := c.each(rows*width, func(b []byte) {
		for ; len(b) >= width; b = b[width:] {
			var wide [8]byte
			copy(wide[:], b[:width])
			if i := binary.LittleEndian.Uint64(wide[:]); i < uint64(len(counts)) {
				counts[i]++
			} else {
				bad = true
			}
		}
	}); err != nil {
		return err
	}
	if bad {
		return fmt.Errorf("dynamic index beyond its %d types", len(d.types))
	}
	for i, s := range d.types {
		if counts[i] == 0 {
			continue
		}
		if err := s.data(c, counts[i]); err != nil {
			return err
		}
	}
	return nil
}

// jsonObject: either one text for each row, or the declared paths' columns and one dynamic column for each other path.
type jsonObject struct {
	typed  []shape // declared paths, in order of name
	asText bool
	paths  []shape
}

func (j *jsonObject) prefix(c *copier) error {
	version, err := c.passUint64()
	if err != nil {
		return err
	}
	switch version {
	case jsonAsString:
		j.asText = true
		return nil
	case jsonFlattened:
	default:
		return fmt.Errorf("JSON serialization %d: %w", version, ErrUnsupported)
	}
	n, err := c.passUvarint(maxDynamicTypes)
	if err != nil {
		return err
	}
	j.paths = j.paths[:0]
	for range n {
		if _, err := c.copyName(); err != nil {
			return err
		}
		j.paths = append(j.paths, &dynamic{})
	}
	if err := tuple(j.typed).prefix(c); err != nil {
		return err
	}
	return tuple(j.paths).prefix(c)
}

func (j *jsonObject) data(c *copier, rows int) error {
	if j.asText {
		return text{}.data(c, rows)
	}
	for _, part := range [][]shape{j.typed, j.paths} {
		for _, s := range part {
			if err := s.data(c, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *copier) passUvarint(limit uint64) (uint64, error) {
	n, err := binary.ReadUvarint(c.src)
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, fmt.Errorf("a count claims %d", n)
	}
	c.putUvarint(n)
	return n, c.err
}
