// Package nativeblock copies blocks of ClickHouse's Native format between its two dialects: the one in files
// (what the engine reads and writes) and the one on the wire (a BlockInfo in front, and from protocol revision
// 54454 on a serialization flag after each column's type).
//
// It promises: values pass through byte for byte, nothing beyond the block's last byte is consumed, and memory use
// does not grow with the block. It never converts values. A type whose length cannot be known without its
// function (AggregateFunction) is refused with ErrUnsupported naming the column.
package nativeblock

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrUnsupported says that a block holds a column of a type whose bytes cannot be delimited.
var ErrUnsupported = errors.New("type is not supported by the embedded server")

// Dialect says how a block is framed.
type Dialect struct {
	Info  bool // a BlockInfo comes first
	Flags bool // one byte after each type reports whether the serialization is a custom one
}

// File is the dialect of FORMAT Native.
var File = Dialect{}

// revisionCustomSerialization is DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION of ClickHouse's ProtocolDefines.h.
const revisionCustomSerialization = 54454

// Wire is the dialect of the native protocol at a revision.
func Wire(revision int) Dialect {
	return Dialect{Info: true, Flags: revision >= revisionCustomSerialization}
}

// Column is a column's name and ClickHouse type.
type Column struct{ Name, Type string }

// Header says what a block holds.
type Header struct {
	Columns []Column
	Rows    int
}

// Empty says that a block holds no columns: the mark of the end of data in the protocol.
func (h Header) Empty() bool { return len(h.Columns) == 0 && h.Rows == 0 }

// Source is where blocks come from.
type Source interface {
	io.Reader
	io.ByteReader
}

// Limits on what a block may claim, so that a broken stream ends in an error and not in memory.
const (
	maxColumns = 100_000
	maxRows    = 1 << 32
	maxString  = 2 << 30
	maxName    = 1 << 20
)

// Copy reads one block in dialect from and writes it in dialect to. io.EOF, and only that, means that src was at
// its end before the first byte.
func Copy(dst *bufio.Writer, src Source, from, to Dialect) (Header, error) {
	c := &copier{dst: dst, src: src}
	if from.Info {
		if err := c.skipInfo(); err != nil {
			return Header{}, err
		}
	}
	columns, err := binary.ReadUvarint(src)
	if err != nil {
		return Header{}, err
	}
	rows, err := binary.ReadUvarint(src)
	if err != nil {
		return Header{}, noEOF(err)
	}
	if columns > maxColumns || rows > maxRows {
		return Header{}, fmt.Errorf("block claims %d columns and %d rows", columns, rows)
	}
	if to.Info {
		c.write(infoBytes)
	}
	c.putUvarint(columns)
	c.putUvarint(rows)
	h := Header{Rows: int(rows), Columns: make([]Column, 0, columns)}
	for range columns {
		col, err := c.column(int(rows), from, to)
		if err != nil {
			return h, noEOF(err)
		}
		h.Columns = append(h.Columns, col)
	}
	return h, c.err
}

// AppendHeader appends a block of no rows with the columns given.
func AppendHeader(b []byte, columns []Column, to Dialect) []byte {
	if to.Info {
		b = append(b, infoBytes...)
	}
	b = binary.AppendUvarint(b, uint64(len(columns)))
	b = binary.AppendUvarint(b, 0)
	for _, c := range columns {
		b = appendString(b, c.Name)
		b = appendString(b, c.Type)
		if to.Flags {
			b = append(b, 0)
		}
	}
	return b
}

// AppendInfo appends a block of the file dialect, put in front a BlockInfo that says nothing special.
func AppendInfo(b, block []byte) []byte { return append(append(b, infoBytes...), block...) }

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// infoBytes is a BlockInfo that says nothing special: field 1 (is_overflows) = 0, field 2 (bucket_num) = -1, end.
var infoBytes = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

type copier struct {
	dst     *bufio.Writer
	src     Source
	err     error // first error of dst
	scratch [16 << 10]byte
}

func (c *copier) skipInfo() error {
	for first := true; ; first = false {
		field, err := binary.ReadUvarint(c.src)
		if err != nil {
			if first {
				return err
			}
			return noEOF(err)
		}
		size := 0
		switch field {
		case 0:
			return nil
		case 1:
			size = 1
		case 2:
			size = 4
		default:
			return fmt.Errorf("block info has an unknown field %d", field)
		}
		if _, err := io.ReadFull(c.src, c.scratch[:size]); err != nil {
			return noEOF(err)
		}
	}
}

func (c *copier) column(rows int, from, to Dialect) (Column, error) {
	name, err := c.copyName()
	if err != nil {
		return Column{}, err
	}
	typ, err := c.copyName()
	if err != nil {
		return Column{}, err
	}
	col := Column{Name: name, Type: typ}
	if from.Flags {
		custom, err := c.src.ReadByte()
		if err != nil {
			return col, err
		}
		if custom != 0 {
			return col, fmt.Errorf("column %q of type %s has a custom serialization: %w", name, typ, ErrUnsupported)
		}
	}
	if to.Flags {
		c.write([]byte{0})
	}
	if rows == 0 {
		return col, nil // no rows, no bytes: not even the prefix
	}
	shape, err := shapeOf(typ)
	if err == nil {
		if err = shape.prefix(c); err == nil {
			err = shape.data(c, rows)
		}
	}
	if err != nil {
		return col, fmt.Errorf("column %q of type %s: %w", name, typ, err)
	}
	return col, c.err
}

// copyName copies a short string and returns it.
func (c *copier) copyName() (string, error) {
	n, err := binary.ReadUvarint(c.src)
	if err != nil {
		return "", err
	}
	if n > maxName {
		return "", fmt.Errorf("a name claims %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.src, b); err != nil {
		return "", err
	}
	c.putUvarint(n)
	c.write(b)
	return string(b), nil
}

func (c *copier) write(b []byte) {
	if _, err := c.dst.Write(b); err != nil && c.err == nil {
		c.err = err
	}
}

func (c *copier) putUvarint(v uint64) {
	var b [binary.MaxVarintLen64]byte
	c.write(b[:binary.PutUvarint(b[:], v)])
}

// pass copies n bytes.
func (c *copier) pass(n int) error {
	return c.each(n, nil)
}

// each copies n bytes and shows them to see, in pieces whose length is a multiple of eight but for the last.
func (c *copier) each(n int, see func([]byte)) error {
	for n > 0 {
		part := c.scratch[:min(n, len(c.scratch))]
		if _, err := io.ReadFull(c.src, part); err != nil {
			return err
		}
		if see != nil {
			see(part)
		}
		c.write(part)
		if c.err != nil {
			return c.err
		}
		n -= len(part)
	}
	return nil
}

// passUint64 copies one little-endian number and returns it.
func (c *copier) passUint64() (uint64, error) {
	var v uint64
	err := c.each(8, func(b []byte) { v = binary.LittleEndian.Uint64(b) })
	return v, err
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
