package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"retorno/consumers/counting/verify/wire"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

// topics are those that carry facts; a fact's place names one of them by its number here.
var topics = []string{events.TopicCheckpoint, events.TopicCentre}

// Kafka says where the facts were sent to.
type Kafka struct {
	wire.Config
	// Partitions is how many partitions each of the two fact topics has.
	Partitions int
}

// places are all that facts are sent to.
func (k *Kafka) places() []kafka.TopicPartition {
	var all []kafka.TopicPartition
	for partition := range k.Partitions {
		for _, topic := range topics {
			all = append(all, kafka.TopicPartition{Topic: topic, Partition: partition})
		}
	}
	return all
}

// key names a fact: the person under whom it meets others, and the record.
type key struct{ person, id uuid.UUID }

// latest is what the log says of a fact: the first copy with the largest version.
type latest struct {
	version       uint64
	content, copy uint64 // hashes of its columns
	offset        int64
	topic         uint8 // its number in topics
}

// said is what the log says in some spans of one partition of both topics.
type said struct {
	partition int
	spans     []span
	facts     map[key]latest
	read      uint64
	rejected  map[string]uint64 // by topic, from the span's rejectedFrom on
}

func newSaid(partition int, spans []span) *said {
	return &said{partition: partition, spans: spans, facts: map[key]latest{}, rejected: map[string]uint64{}}
}

// listen reads the spans of one partition.
func (k *Kafka) listen(ctx context.Context, partition int, spans []span) (*said, error) {
	s := newSaid(partition, spans)
	var h hasher
	err := k.scan(ctx, spans, func(span *span, m *wire.Message, record *sent) {
		s.read++
		switch {
		case record != nil:
			s.add(&h, record)
		case m.Offset >= span.rejectedFrom:
			s.rejected[span.Topic]++
		}
	})
	return s, err
}

// End is where the log of one partition of one topic ends.
type End struct {
	Topic     string
	Partition int
	Next      int64 // the offset after the last record
}

// Ends are the ends of the logs of all partitions of both fact topics. The error says that Kafka could not be asked.
func (k *Kafka) Ends(ctx context.Context) ([]End, error) {
	var all []End
	for _, p := range k.places() {
		_, next, err := k.bounds(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, End{p.Topic, p.Partition, next})
	}
	return all, nil
}

// read reads the messages of one partition of a topic from one offset up to before another one.
func (k *Kafka) read(ctx context.Context, p kafka.TopicPartition, from, to int64, fn func(*wire.Message) error) error {
	if from >= to {
		return nil
	}
	log, err := wire.Open(k.Config, p.Topic, p.Partition)
	if err != nil {
		return err
	}
	defer log.Close()
	return log.Read(ctx, from, to, fn)
}

// bounds are the first offset that a partition of a topic still holds and the one after its last.
func (k *Kafka) bounds(ctx context.Context, p kafka.TopicPartition) (first, end int64, err error) {
	log, err := wire.Open(k.Config, p.Topic, p.Partition)
	if err != nil {
		return 0, 0, err
	}
	defer log.Close()
	return log.Bounds(ctx)
}

// add keeps the largest version of a fact, of equal ones the first.
func (s *said) add(h *hasher, record *sent) {
	name := key{record.person, record.id}
	version := record.version()
	if before, known := s.facts[name]; known && before.version >= version {
		return
	}
	s.facts[name] = latest{version: version, content: h.hash(contentColumns, record), copy: h.hash(copyColumns, record),
		offset: record.offset, topic: topicNumber(record.place.Topic)}
}

func (s *said) latest(k key) *latest {
	if l, known := s.facts[k]; known {
		return &l
	}
	return nil
}

func topicNumber(topic string) uint8 {
	for i, t := range topics {
		if t == topic {
			return uint8(i)
		}
	}
	panic("verify: no topic of facts: " + topic)
}

// covers reports whether the spans hold an offset of a log of a partition.
func (s *said) covers(row *stored) bool {
	return slices.ContainsFunc(s.spans, func(of span) bool { return of.holds(row.place, row.log, row.offset) })
}

// rejects compares how many records belong among the dead letters with what the ledger says.
func (s *said) rejects(found *finding) {
	for _, span := range s.spans {
		if span.beyond > 0 {
			found.add(fmt.Sprintf("%s: the ledger accounts for offsets up to %d, the log ends at %d", span.TopicPartition, span.beyond, span.to), 1)
			continue
		}
		if n := s.rejected[span.Topic]; n != span.rejected {
			row := fmt.Sprintf("%s, offsets %d to %d: the ledger says that %d were rejected, the log holds %d such records",
				span.TopicPartition, span.rejectedFrom, span.to, span.rejected, n)
			found.add(row, int64(span.rejected)-int64(n))
		}
	}
}
