package store

import (
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/store/column"
)

// sendings are rows of retorno.sendings.
type sendings struct {
	block
	partition  *proto.ColUInt16
	place, seq numbers
	id         *column.Names
	sent       times
	offset     *proto.ColInt64
}

func newSendings() *sendings {
	s := &sendings{}
	b := &s.block
	s.partition, s.place = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "place", newNumbers())
	s.id, s.seq, s.sent = col(b, "source_id", column.NewNames()), col(b, "source_seq", newNumbers()), col(b, "sent_at", newTimes())
	s.offset = col(b, "clock_offset_ms", new(proto.ColInt64))
	return s
}

func (s *sendings) add(at ledger.Origin, id []byte, seq uint64, sentAtMs, clockOffsetMs int64) {
	s.partition.Append(uint16(at.Partition))
	s.place.Append(at.Place())
	s.id.AppendBytes(id)
	s.seq.Append(seq)
	s.sent.AppendRaw(proto.DateTime64(sentAtMs))
	s.offset.Append(clockOffsetMs)
}

// redriven are rows of retorno.redriven, in the order of reading.
type redriven struct {
	block
	topic, account           *column.Names
	partition, readPartition *proto.ColUInt16
	elsewhere                *proto.ColUInt16
	offset, again            numbers
	place, content           numbers
}

func newRedriven() *redriven {
	r := &redriven{}
	b := &r.block
	r.topic, r.account = col(b, "topic", column.NewNames()), col(b, "account", column.NewNames())
	r.partition, r.offset, r.again = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "kafka_offset", newNumbers()), col(b, "again", newNumbers())
	r.readPartition, r.place = col(b, "read_partition", new(proto.ColUInt16)), col(b, "place", newNumbers())
	r.content, r.elsewhere = col(b, "content", newNumbers()), col(b, "elsewhere", new(proto.ColUInt16))
	return r
}

// add returns whether the row is the first of its place.
func (r *redriven) add(from, to ledger.Origin, account string, content uint64) bool {
	first := r.place.Rows() == 0 || r.place.Row(r.place.Rows()-1) != to.Place()
	r.topic.Append(from.Topic)
	r.partition.Append(uint16(from.Partition))
	r.offset.Append(uint64(from.Offset))
	r.again.Append(uint64(to.Offset))
	r.readPartition.Append(uint16(to.Partition))
	if to.Partition == from.Partition {
		r.elsewhere.Append(0)
	} else {
		r.elsewhere.Append(uint16(to.Partition) + 1)
	}
	r.place.Append(to.Place())
	r.content.Append(content)
	r.account.Append(account)
	return first
}
