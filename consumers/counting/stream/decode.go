package stream

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kmsg"

	"retorno/schemas/kafka"
	"retorno/schemas/kafka/compression"
)

const (
	// maxRecords bounds how many offsets of one batch are delivered. Each costs memory of its own however small it is;
	// producers put thousands into a batch.
	maxRecords = 1 << 20
	// maxHeaders bounds the headers of one record, for the same reason.
	maxHeaders = 10_000
	// messageBytes is what a message takes beside its bytes.
	messageBytes = int(unsafe.Sizeof(Message{}))
)

// batch is what one answer brought: contiguous messages.
type batch struct {
	messages []Message
	bytes    int // of keys, values and headers
	unfolded int // bytes decompressed
	skipped  int // messages that hold no record
}

// size is how much memory it holds, without what its messages share with others.
func (b *batch) size() int { return b.bytes + len(b.messages)*messageBytes }

// noncontiguousError says that the answer does not continue at the position.
type noncontiguousError struct{ want, got int64 }

func (e *noncontiguousError) Error() string {
	return fmt.Sprintf("offset %d follows where %d was expected", e.got, e.want)
}

// misplacedError says that a batch does not begin where the one before it ended.
// No checksum covers that offset, and a smaller one would make messages look
// as if they had been read already.
type misplacedError struct{ want, got int64 }

func (e *misplacedError) Error() string {
	return fmt.Sprintf("a batch begins at offset %d and not at %d", e.got, e.want)
}

func (e *misplacedError) Unwrap() error { return kafka.ErrCorrupt }

// decoder takes answers apart into messages, which share the answer's memory, or that of what was decompressed. The
// sizes of the last answer are the estimate for the next, so that one answer costs few allocations.
type decoder struct {
	topic     string
	partition int
	messages  int
	unfolded  int
	slab      []byte // decompressed batches go here while there is room
}

// decode reads the messages from position on, out of batches of which the first begins at base. Messages before the
// position, which come because brokers send whole batches, are passed over.
//
// What follows a damaged batch is left out, so that the good ones before it are had; it will be fetched again. So is
// what follows much decompressing, so that an answer is bounded in memory and time. A damaged first batch is an error.
func (d *decoder) decode(a *partitionData, base, position int64) (*batch, error) {
	b := &batch{}
	d.slab = nil
	undone := undoneTransactions{coming: a.aborted}
	for rest := a.records; len(rest) > 0 && b.unfolded+len(b.messages)*messageBytes <= compression.Limit; {
		raw, err := firstBatch(rest)
		if err != nil && len(rest) < len(a.records) {
			break
		}
		if err != nil {
			return b, err
		}
		rest = rest[len(raw):]
		if raw.base() != base && raw.base() <= position {
			return b, &misplacedError{want: base, got: raw.base()}
		}
		skip := undone.skips(raw)
		switch {
		case raw.next() <= position: // before what was asked for
		case raw.base() > position:
			return b, &noncontiguousError{want: position, got: raw.base()}
		case skip:
			err = d.skipped(b, raw, position)
		default:
			err = d.records(b, raw, position)
		}
		if err != nil {
			return b, err
		}
		base = raw.next()
		position = max(position, base)
	}
	d.messages, d.unfolded = max(len(b.messages), 16), b.unfolded
	return b, nil
}

// baseOf returns the offset at which an answer's first batch begins; false when it has none. The error is that of a
// damaged batch.
func baseOf(a *partitionData) (base int64, ok bool, err error) {
	if len(a.records) == 0 {
		return 0, false, nil
	}
	raw, err := firstBatch(a.records)
	if err != nil {
		return 0, false, err
	}
	return raw.base(), true, nil
}

// records adds the messages of one batch from position on. Either all of its records are readable, or the batch is
// delivered as what it is. What follows a missing offset is left out.
func (d *decoder) records(b *batch, raw rawBatch, position int64) error {
	records, err := d.unfold(b, raw)
	if err != nil {
		return d.unreadable(b, raw, position, err.Error())
	}
	before, bytes := len(b.messages), b.bytes
	malformed := func(why string) error {
		b.messages, b.bytes = b.messages[:before], bytes
		return d.unreadable(b, raw, position, why)
	}
	d.reserve(b)
	base, end, appended := raw.base(), raw.next(), raw.brokerTime()
	expected, last := max(base, position), int64(-1)
	var gap error
	whole := 0 // messages before the gap
	for i := range raw.count() {
		r, rest, ok := cutRecord(records)
		offset := base + r.offset
		if !ok || r.offset <= last || offset >= end {
			return malformed(fmt.Sprintf("record %d of %d is malformed", i+1, raw.count()))
		}
		if offset > expected && gap == nil {
			gap, whole = &noncontiguousError{want: expected, got: offset}, len(b.messages)
		}
		m := Message{Topic: d.topic, Partition: d.partition, Offset: offset, Key: r.key, Value: r.value,
			Time: time.UnixMilli(raw.firstTime() + r.time), BrokerTime: appended}
		if !readHeaders(&m, &r) {
			return malformed(fmt.Sprintf("record %d of %d is malformed", i+1, raw.count()))
		}
		if offset >= position {
			d.add(b, m)
			expected = offset + 1
		}
		records, last = rest, r.offset
	}
	switch {
	case len(records) > 0:
		return malformed(fmt.Sprintf("%d bytes follow its last record", len(records)))
	case gap != nil:
		b.messages = b.messages[:whole]
	case expected < end:
		gap = &noncontiguousError{want: expected, got: end}
	}
	return gap
}

// unfold returns the records of a batch, in the slab when they are compressed and there is room.
func (d *decoder) unfold(b *batch, raw rawBatch) ([]byte, error) {
	if raw.codec() != compression.None && d.slab == nil {
		d.slab = make([]byte, 0, d.unfolded+d.unfolded/8)
	}
	room := d.slab[len(d.slab):cap(d.slab)]
	records, err := raw.unfold(room)
	if err != nil || raw.codec() == compression.None {
		return records, err
	}
	b.unfolded += len(records)
	if len(records) > 0 && len(room) > 0 && &records[0] == &room[0] {
		d.slab = d.slab[:len(d.slab)+len(records)]
		records = records[:len(records):len(records)]
	}
	return records, nil
}

// reserve makes room for as many messages as the last answer brought.
func (d *decoder) reserve(b *batch) {
	if b.messages == nil {
		b.messages = make([]Message, 0, max(d.messages+d.messages/8, 16))
	}
}

func (d *decoder) add(b *batch, m Message) {
	b.bytes += len(m.Key) + len(m.Value)
	for i := range m.Headers {
		b.bytes += len(m.Headers[i].Key) + len(m.Headers[i].Value)
	}
	b.messages = append(b.messages, m)
}

// readHeaders is false when the headers do not fill their bytes exactly.
func readHeaders(m *Message, r *record) bool {
	if r.headerCount == 0 {
		return true
	}
	if r.headerCount > maxHeaders {
		return false
	}
	m.Headers = make([]Header, 0, r.headerCount)
	return r.walkHeaders(func(key, value []byte) {
		m.Headers = append(m.Headers, Header{Key: string(key), Value: value})
	})
}

// unreadable adds a batch that cannot be read: the first message has its bytes as they came, the others are empty.
func (d *decoder) unreadable(b *batch, raw rawBatch, position int64, why string) error {
	return d.each(b, raw, position, func(m *Message) {
		m.Unreadable = why
		if m.Offset == raw.base() {
			m.Value = raw
		}
	})
}

// skipped adds the offsets of a batch that holds no record that counts.
func (d *decoder) skipped(b *batch, raw rawBatch, position int64) error {
	return d.each(b, raw, position, func(m *Message) {
		m.Skipped = true
		b.skipped++
	})
}

// each adds a message for every offset of a batch from position on.
func (d *decoder) each(b *batch, raw rawBatch, position int64, fill func(*Message)) error {
	first, end := max(raw.base(), position), raw.next()
	if end-raw.base() > maxRecords {
		return &noncontiguousError{want: first, got: end} // so many offsets without a record cannot be delivered
	}
	d.reserve(b)
	for offset := first; offset < end; offset++ {
		m := Message{Topic: d.topic, Partition: d.partition, Offset: offset, Time: time.UnixMilli(raw.firstTime()), BrokerTime: raw.brokerTime()}
		fill(&m)
		d.add(b, m)
	}
	return nil
}

// undoneTransactions follows an answer's transactions that were aborted.
type undoneTransactions struct {
	coming []kmsg.FetchResponseTopicPartitionAbortedTransaction // in the order of their first offset
	open   map[int64]bool                                       // by producer: one has begun
}

// skips reports whether a batch holds no records that count: a marker that ends a transaction, or records of one that
// was aborted. Batches are to be given in their order.
func (u *undoneTransactions) skips(raw rawBatch) bool {
	for len(u.coming) > 0 && u.coming[0].FirstOffset < raw.next() {
		if u.open == nil {
			u.open = make(map[int64]bool)
		}
		u.open[u.coming[0].ProducerID] = true
		u.coming = u.coming[1:]
	}
	if raw.control() {
		if raw.aborts() {
			delete(u.open, raw.producer())
		}
		return true
	}
	return raw.transactional() && u.open[raw.producer()]
}
