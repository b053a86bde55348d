package stream

import (
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// batch is what one answer brought: contiguous messages.
type batch struct {
	messages []Message
	bytes    int
}

// errCorrupt says that an answer cannot be what the broker holds. It is
// fetched again.
var errCorrupt = errors.New("corrupted answer")

// noncontiguousError says that the answer does not continue at the position.
type noncontiguousError struct {
	want, got int64
	control   bool
}

func (e *noncontiguousError) Error() string {
	if e.control {
		return fmt.Sprintf("control record at offset %d", e.want)
	}
	return fmt.Sprintf("offset %d follows where %d was expected", e.got, e.want)
}

// misplacedError says that a batch does not begin where the one before it ended.
// No checksum covers that offset, and a smaller one would make messages look
// as if they had been read already.
type misplacedError struct{ want, got int64 }

func (e *misplacedError) Error() string {
	return fmt.Sprintf("a batch begins at offset %d and not at %d", e.got, e.want)
}

// decoder copies the library's records into messages. The sizes of the last
// answer are the estimate for the next, so that one answer costs few
// allocations.
type decoder struct {
	topic     string
	partition int
	messages  int
	bytes     int
	slab      []byte
}

// decode reads the records from position on, out of batches of which the first
// begins at base. Messages before the position, which come because brokers
// send whole batches, are passed over.
func (d *decoder) decode(r kafka.RecordReader, base, position int64) (*batch, error) {
	readers := batches(r)
	b := &batch{}
	d.slab = nil
	for i, r := range readers {
		err := d.records(b, r, base, &position)
		base = position
		if err != nil {
			release(readers[i:])
			return b, err
		}
	}
	d.messages, d.bytes = max(len(b.messages), 16), max(b.bytes, 4096)
	return b, nil
}

// batches returns the broker's batches in an answer.
func batches(r kafka.RecordReader) []kafka.RecordReader {
	if stream, ok := r.(*protocol.RecordStream); ok {
		return stream.Records
	}
	return nil
}

// baseOf returns the offset at which an answer's first batch begins.
func baseOf(r kafka.RecordReader) (int64, bool) {
	for _, r := range batches(r) {
		switch b := r.(type) {
		case *protocol.RecordBatch:
			return b.BaseOffset, true
		case *protocol.ControlBatch:
			return b.BaseOffset, true
		}
		return 0, false
	}
	return 0, false
}

// records reads one batch of the broker's.
func (d *decoder) records(b *batch, r kafka.RecordReader, base int64, position *int64) error {
	if rb, ok := r.(*protocol.RecordBatch); ok && rb.BaseOffset != base && rb.BaseOffset <= *position {
		return &misplacedError{want: base, got: rb.BaseOffset}
	}
	_, control := r.(*protocol.ControlBatch)
	if _, old := r.(*protocol.MessageSet); old {
		// Brokers have not stored this format for years; a flipped byte
		// looks like it, and it has a weaker checksum.
		return fmt.Errorf("%w: message format before version 2", errCorrupt)
	}
	for {
		rec, err := r.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errCorrupt, err)
		}
		switch {
		case rec.Offset < *position:
			closeRecord(rec)
			continue
		case rec.Offset > *position || control:
			closeRecord(rec)
			return &noncontiguousError{want: *position, got: rec.Offset, control: control && rec.Offset == *position}
		}
		if err := d.add(b, rec); err != nil {
			return fmt.Errorf("%w: %w", errCorrupt, err)
		}
		*position++
	}
}

func (d *decoder) add(b *batch, rec *kafka.Record) error {
	if b.messages == nil {
		b.messages = make([]Message, 0, max(d.messages+d.messages/8, 16))
	}
	key, err := d.read(rec.Key)
	if err != nil {
		return err
	}
	value, err := d.read(rec.Value)
	if err != nil {
		return err
	}
	m := Message{Topic: d.topic, Partition: d.partition, Offset: rec.Offset, Key: key, Value: value, Time: rec.Time}
	b.bytes += len(key) + len(value)
	if len(rec.Headers) == 1 && rec.Headers[0].Key == headerUnreadable {
		m.Unreadable = string(rec.Headers[0].Value)
	} else if len(rec.Headers) > 0 {
		m.Headers = make([]Header, len(rec.Headers))
		for i, h := range rec.Headers {
			m.Headers[i] = Header{Key: h.Key, Value: h.Value}
			b.bytes += len(h.Key) + len(h.Value)
		}
	}
	b.messages = append(b.messages, m)
	return nil
}

// read copies p to the slab and gives its pages back to the library.
func (d *decoder) read(p kafka.Bytes) ([]byte, error) {
	if p == nil {
		return nil, nil
	}
	defer p.Close()
	n := p.Len()
	if cap(d.slab)-len(d.slab) < n {
		d.slab = make([]byte, 0, max(n, min(max(d.bytes+d.bytes/8, 4096), 4<<20)))
	}
	at := len(d.slab)
	d.slab = d.slab[:at+n]
	out := d.slab[at : at+n : at+n]
	_, err := io.ReadFull(p, out)
	return out, err
}

// release gives back the pages of records that nobody will read.
func release(readers []kafka.RecordReader) {
	for _, r := range readers {
		for {
			rec, err := r.ReadRecord()
			if err != nil {
				break
			}
			closeRecord(rec)
		}
	}
}

func closeRecord(rec *kafka.Record) {
	if rec.Key != nil {
		rec.Key.Close()
	}
	if rec.Value != nil {
		rec.Value.Close()
	}
}
