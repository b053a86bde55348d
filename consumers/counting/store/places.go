package store

import (
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/cespare/xxhash/v2"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/events"
)

// Origin is the place in Kafka where a record was read.
type Origin struct {
	Topic     string
	Partition int
	Offset    int64
	// Log tells the logs of a topic apart: 0 is the first one, and each decision to accept the topic as made again
	// begins the next one, whose offsets begin at 0 again.
	Log int
}

// MostOffset and MostLog bound what the column place holds.
const (
	MostOffset = 1<<48 - 1
	MostLog    = 1<<15 - 1
)

// place is the origin as one number, ordered by log, topic and offset: retorno.facts.place.
func (o Origin) place() uint64 {
	p := uint64(o.Log)<<49 | uint64(o.Offset)
	if o.Topic == events.TopicCentre {
		p |= 1 << 48
	}
	return p
}

// logOf is the log of a place.
func logOf(place uint64) int { return int(place >> 49) }

// originAt is the origin that a place stands for, without its partition.
func originAt(place uint64) Origin {
	o := Origin{Topic: events.TopicCheckpoint, Offset: int64(place & MostOffset), Log: logOf(place)}
	if place&(1<<48) != 0 {
		o.Topic = events.TopicCentre
	}
	return o
}

// factSum is what a row of retorno.facts adds to the checksum of the flush that left it: the xxHash64 of the person, the
// record id, the version and the place.
func factSum(person, record reconcile.ID, version, place uint64) uint64 {
	var b [48]byte
	copy(b[:], person[:])
	copy(b[16:], record[:])
	binary.LittleEndian.PutUint64(b[32:], version)
	binary.LittleEndian.PutUint64(b[40:], place)
	return xxhash.Sum64(b[:])
}

// sendings are rows of retorno.sendings.
type sendings struct {
	block
	partition  *proto.ColUInt16
	place, seq numbers
	id         *names
	sent       times
	offset     *proto.ColInt64
}

func newSendings() *sendings {
	s := &sendings{}
	b := &s.block
	s.partition, s.place = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "place", newNumbers())
	s.id, s.seq, s.sent = col(b, "source_id", newNames()), col(b, "source_seq", newNumbers()), col(b, "sent_at", newTimes())
	s.offset = col(b, "clock_offset_ms", new(proto.ColInt64))
	return s
}

func (s *sendings) add(at Origin, id []byte, seq uint64, sentAtMs, clockOffsetMs int64) {
	s.partition.Append(uint16(at.Partition))
	s.place.Append(at.place())
	s.id.AppendBytes(id)
	s.seq.Append(seq)
	s.sent.AppendRaw(proto.DateTime64(sentAtMs))
	s.offset.Append(clockOffsetMs)
}

// redriven are rows of retorno.redriven, in the order of reading.
type redriven struct {
	block
	topic, account           *names
	partition, readPartition *proto.ColUInt16
	offset, again            numbers
	place, content           numbers
}

func newRedriven() *redriven {
	r := &redriven{}
	b := &r.block
	r.topic, r.account = col(b, "topic", newNames()), col(b, "account", newNames())
	r.partition, r.offset, r.again = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "kafka_offset", newNumbers()), col(b, "again", newNumbers())
	r.readPartition, r.place = col(b, "read_partition", new(proto.ColUInt16)), col(b, "place", newNumbers())
	r.content = col(b, "content", newNumbers())
	return r
}

// add returns whether the row is the first of its place.
func (r *redriven) add(from, to Origin, account string, content uint64) bool {
	first := r.place.Rows() == 0 || r.place.Row(r.place.Rows()-1) != to.place()
	r.topic.Append(from.Topic)
	r.partition.Append(uint16(from.Partition))
	r.offset.Append(uint64(from.Offset))
	r.again.Append(uint64(to.Offset))
	r.readPartition.Append(uint16(to.Partition))
	r.place.Append(to.place())
	r.content.Append(content)
	r.account.Append(account)
	return first
}
