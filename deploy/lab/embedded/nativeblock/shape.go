package nativeblock

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// shape knows how long a column of a type is. prefix comes once for the whole column, before any data; that of a
// composite holds those of its parts. Source: ClickHouse, src/DataTypes/Serializations.
type shape interface {
	prefix(c *copier) error
	data(c *copier, rows int) error
}

var shapes sync.Map // type name -> shape, for those without state

func shapeOf(typ string) (shape, error) {
	if s, ok := shapes.Load(typ); ok {
		return s.(shape), nil
	}
	s, stateful, err := parseShape(typ)
	if err == nil && !stateful {
		shapes.Store(typ, s)
	}
	return s, err
}

type fixed int

func (fixed) prefix(*copier) error             { return nil }
func (w fixed) data(c *copier, rows int) error { return c.pass(int(w) * rows) }

type text struct{}

func (text) prefix(*copier) error { return nil }

func (text) data(c *copier, rows int) error {
	for range rows {
		n, err := binary.ReadUvarint(c.src)
		if err != nil {
			return err
		}
		if n > maxString {
			return fmt.Errorf("a string claims %d bytes", n)
		}
		c.putUvarint(n)
		if err := c.pass(int(n)); err != nil {
			return err
		}
	}
	return c.err
}

type nullable struct{ of shape }

func (n nullable) prefix(c *copier) error { return n.of.prefix(c) }

func (n nullable) data(c *copier, rows int) error {
	if err := c.pass(rows); err != nil {
		return err
	}
	return n.of.data(c, rows)
}

type array struct{ of shape }

func (a array) prefix(c *copier) error { return a.of.prefix(c) }

func (a array) data(c *copier, rows int) error {
	if rows == 0 {
		return nil
	}
	var last uint64
	if err := c.each(8*rows, func(b []byte) { last = binary.LittleEndian.Uint64(b[len(b)-8:]) }); err != nil {
		return err
	}
	if last > maxRows {
		return fmt.Errorf("arrays claim %d elements", last)
	}
	if last == 0 {
		return nil
	}
	return a.of.data(c, int(last))
}

type tuple []shape

func (t tuple) prefix(c *copier) error {
	for _, s := range t {
		if err := s.prefix(c); err != nil {
			return err
		}
	}
	return nil
}

func (t tuple) data(c *copier, rows int) error {
	if len(t) == 0 {
		return c.pass(rows)
	}
	for _, s := range t {
		if err := s.data(c, rows); err != nil {
			return err
		}
	}
	return nil
}

// lowCardinality: a dictionary for each block, then indexes into it.
type lowCardinality struct{ keys shape }

const (
	lowCardinalityHasKeys   = 1 << 9
	lowCardinalityGlobal    = 1 << 8
	lowCardinalityWidthMask = 0xff
)

func (l lowCardinality) prefix(c *copier) error { return c.pass(8) }

func (l lowCardinality) data(c *copier, rows int) error {
	if rows == 0 {
		return nil
	}
	flags, err := c.passUint64()
	if err != nil {
		return err
	}
	width := flags & lowCardinalityWidthMask
	if flags&lowCardinalityGlobal != 0 || flags&lowCardinalityHasKeys == 0 || width > 3 {
		return fmt.Errorf("low cardinality serialization %#x: %w", flags, ErrUnsupported)
	}
	keys, err := c.passUint64()
	if err != nil {
		return err
	}
	if keys > maxRows {
		return fmt.Errorf("dictionary claims %d keys", keys)
	}
	if err := l.keys.data(c, int(keys)); err != nil {
		return err
	}
	n, err := c.passUint64()
	if err != nil {
		return err
	}
	if n != uint64(rows) {
		return fmt.Errorf("low cardinality holds %d rows, the block %d", n, rows)
	}
	return c.pass(rows << width)
}

// variant: one discriminator for each row (255 = NULL), then each alternative's values.
type variant []shape

func (v variant) prefix(c *copier) error {
	mode, err := c.passUint64()
	if err != nil {
		return err
	}
	if mode != 0 {
		return fmt.Errorf("variant serialization %d: %w", mode, ErrUnsupported)
	}
	return tuple(v).prefix(c)
}

func (v variant) data(c *copier, rows int) error {
	var counts [256]int
	if err := c.each(rows, func(b []byte) {
		for _, d := range b {
			counts[d]++
		}
	}); err != nil {
		return err
	}
	for d := len(v); d < math.MaxUint8; d++ {
		if counts[d] > 0 {
			return fmt.Errorf("variant discriminator %d of %d alternatives", d, len(v))
		}
	}
	for i, s := range v {
		if counts[i] == 0 {
			continue
		}
		if err := s.data(c, counts[i]); err != nil {
			return err
		}
	}
	return nil
}
