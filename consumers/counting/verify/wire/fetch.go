package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// The fetch request and its answer in version 10 (Kafka protocol guide, "Fetch API").
const (
	fetchKey     = 1
	fetchVersion = 10
	// fetchBytes is how much one answer brings; a larger first batch comes whole all the same.
	fetchBytes = 4 << 20
	// mostBytes bounds an answer: topics bound their batches far below.
	mostBytes = 256 << 20
	maxWait   = 500 * time.Millisecond

	offsetOutOfRange = 1
)

var errShort = errors.New("the answer ends too early")

// undone is a transaction that was aborted.
type undone struct{ producer, first int64 }

// fetched is what one answer brings: batches, and which transactions in them were aborted.
type fetched struct {
	batches []byte
	undone  []undone
}

// fetch asks for the batches from the one that holds offset on. The answer is valid until the next one.
func (l *Log) fetch(ctx context.Context, offset int64) (fetched, error) {
	if err := l.connect(ctx); err != nil {
		return fetched{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	l.correlation++
	if _, err := l.raw.Write(l.request(offset)); err != nil {
		return fetched{}, err
	}
	if err := l.readFrame(); err != nil {
		return fetched{}, err
	}
	return l.answer(offset)
}

func (l *Log) request(offset int64) []byte {
	const client = "retorno-verify"
	b := make([]byte, 4, 128)
	b = binary.BigEndian.AppendUint16(b, fetchKey)
	b = binary.BigEndian.AppendUint16(b, fetchVersion)
	b = binary.BigEndian.AppendUint32(b, uint32(l.correlation))
	b = appendString(b, client)
	b = appendInt32(b, -1) // no replica
	b = appendInt32(b, int32(maxWait.Milliseconds()))
	b = appendInt32(b, 1) // byte at least
	b = appendInt32(b, fetchBytes)
	b = append(b, 1)       // read committed
	b = appendInt32(b, 0)  // no session
	b = appendInt32(b, -1) // and none wanted
	b = appendInt32(b, 1)  // topic
	b = appendString(b, l.topic)
	b = appendInt32(b, 1) // partition
	b = appendInt32(b, int32(l.partition))
	b = appendInt32(b, -1) // leader's epoch not known
	b = binary.BigEndian.AppendUint64(b, uint64(offset))
	b = binary.BigEndian.AppendUint64(b, ^uint64(0)) // no log of our own
	b = appendInt32(b, fetchBytes)
	b = appendInt32(b, 0) // nothing to forget
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// readFrame reads one answer, growing with what really comes.
func (l *Log) readFrame() error {
	var size [4]byte
	if _, err := io.ReadFull(l.raw, size[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	if n > mostBytes {
		return fmt.Errorf("the answer says that it has %d bytes", n)
	}
	if cap(l.frame) > 2*fetchBytes {
		l.frame = nil // one large batch is no reason to keep so much for ever
	}
	l.frame = l.frame[:0]
	for n > 0 {
		step := min(n, 1<<20)
		at := len(l.frame)
		if cap(l.frame) < at+step {
			l.frame = append(make([]byte, 0, max(2*cap(l.frame), at+step)), l.frame...)
		}
		l.frame = l.frame[:at+step]
		if _, err := io.ReadFull(l.raw, l.frame[at:]); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// answer takes the frame apart down to the batches.
func (l *Log) answer(offset int64) (f fetched, err error) {
	c := cursor{b: l.frame}
	if got := c.int32(); got != l.correlation {
		return f, fmt.Errorf("the answer is to request %d, not to %d", got, l.correlation)
	}
	c.int32() // throttled
	if code := c.int16(); code != 0 {
		return f, kafkago.Error(code)
	}
	c.int32() // session
	if topics, name := c.int32(), c.string(); topics != 1 || name != l.topic {
		return f, fmt.Errorf("the answer is about topic %q", name)
	}
	if partitions, partition := c.int32(), c.int32(); partitions != 1 || int(partition) != l.partition {
		return f, fmt.Errorf("the answer is about partition %d", partition)
	}
	code, end := c.int16(), c.int64()
	c.int64() // last stable
	first := c.int64()
	for range max(0, int(c.int32())) {
		u := undone{producer: c.int64(), first: c.int64()}
		if c.short {
			return f, errShort
		}
		f.undone = append(f.undone, u)
	}
	size := int(c.int32())
	switch {
	case code == offsetOutOfRange:
		return f, &GoneError{Topic: l.topic, Partition: l.partition, Asked: offset, First: first, End: end}
	case code != 0:
		return f, kafkago.Error(code)
	case c.short || size > len(c.b):
		return f, errShort
	case size > 0:
		f.batches = c.b[:size]
	}
	return f, nil
}

// cursor reads fields one after the other. After the end of the bytes they are zero, and short is set.
type cursor struct {
	b     []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.short, c.b = true, nil
		return make([]byte, 8)
	}
	p := c.b[:n]
	c.b = c.b[n:]
	return p
}

func (c *cursor) int16() int16 { return int16(binary.BigEndian.Uint16(c.take(2))) }
func (c *cursor) int32() int32 { return int32(binary.BigEndian.Uint32(c.take(4))) }
func (c *cursor) int64() int64 { return int64(binary.BigEndian.Uint64(c.take(8))) }

func (c *cursor) string() string { return string(c.take(int(c.int16()))) }

func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.short, c.b = true, nil
		return 0
	}
	c.b = c.b[n:]
	return v
}

// bytes reads a length and so many bytes; nil for the length -1.
func (c *cursor) bytes() []byte {
	n := c.varint()
	if n == -1 {
		return nil
	}
	if n < 0 || n > int64(len(c.b)) {
		c.short, c.b = true, nil
		return nil
	}
	return c.take(int(n))
}
