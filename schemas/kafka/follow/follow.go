// Package follow reads a topic from its beginning, and then what follows: the small topics of agents.
//
// It promises that Read hands out each message that the topic holds, in the order of each partition, up to the end as it
// was when Read was called; compacted topics with their gaps, too. What was given is not given once more,
// unless the log begins behind the place that was reached. Memory is bounded by one answer of the broker.
//
// It joins no group, commits nothing and creates nothing. When the brokers do not answer, or refuse, Read returns the
// error, and the next call goes on where this one ended.
package follow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"retorno/schemas/kafka"
)

// Message is one message. Value is nil for a tombstone.
type Message struct {
	Key, Value []byte
	// At is the time that the broker gives.
	At time.Time
}

const (
	// maxValue is the largest key or value that is given; a larger one is passed over.
	maxValue = 64 << 10
	fetch    = 1 << 20
	patience = 10 * time.Second // for one answer
)

// ErrNoTopic says that the topic does not exist.
var ErrNoTopic = errors.New("the topic does not exist")

// Reader follows one topic. It belongs to one goroutine.
type Reader struct {
	clients *kafka.ByTopic
	topic   string
	next    map[int]int64 // the offset to read next, by partition
}

// New returns a reader that begins at the beginning. It opens no connection; the first Read does.
func New(access kafka.Access, topic string) *Reader {
	return &Reader{clients: kafka.NewByTopic(access), topic: topic, next: map[int]int64{}}
}

// Close closes the connections.
func (r *Reader) Close() { r.clients.Forget() }

// Read hands out what the topic holds and was not given before.
func (r *Reader) Read(ctx context.Context, each func(Message) error) error {
	client := r.clients.Client(r.topic)
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	meta, err := client.Metadata(asking, &kafkago.MetadataRequest{Topics: []string{r.topic}})
	if err != nil {
		return fmt.Errorf("topic %s: %w", r.topic, err)
	}
	for _, t := range meta.Topics {
		if errors.Is(t.Error, kafkago.UnknownTopicOrPartition) {
			return fmt.Errorf("topic %s: %w", r.topic, ErrNoTopic)
		}
		if t.Error != nil {
			return fmt.Errorf("topic %s: %w", r.topic, t.Error)
		}
		for _, p := range t.Partitions {
			if err := r.partition(ctx, client, p.ID, each); err != nil {
				return fmt.Errorf("topic %s, partition %d: %w", r.topic, p.ID, err)
			}
		}
	}
	return nil
}

// partition reads one partition up to its end.
func (r *Reader) partition(ctx context.Context, client *kafkago.Client, id int, each func(Message) error) error {
	first, end, err := r.bounds(ctx, client, id)
	if err != nil {
		return err
	}
	if next, known := r.next[id]; !known || next < first || next > end {
		r.next[id] = first
	}
	for r.next[id] < end {
		before := r.next[id]
		if err := r.batch(ctx, client, id, each); err != nil {
			return err
		}
		if r.next[id] == before {
			// What is left up to the end holds no message: it was compacted away, or ends a transaction.
			r.next[id] = end
		}
	}
	return nil
}

func (r *Reader) bounds(ctx context.Context, client *kafkago.Client, id int) (first, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{
		r.topic: {kafkago.FirstOffsetOf(id), kafkago.LastOffsetOf(id)},
	}})
	if err != nil {
		return 0, 0, err
	}
	found := res.Topics[r.topic]
	if len(found) != 1 {
		return 0, 0, errors.New("the broker does not name its offsets")
	}
	return found[0].FirstOffset, found[0].LastOffset, found[0].Error
}

// batch reads one answer.
func (r *Reader) batch(ctx context.Context, client *kafkago.Client, id int, each func(Message) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := client.Fetch(ctx, &kafkago.FetchRequest{Topic: r.topic, Partition: id, Offset: r.next[id], MinBytes: 1, MaxBytes: fetch, MaxWait: time.Second})
	if err != nil {
		return err
	}
	if res.Error != nil {
		return res.Error
	}
	for {
		record, err := res.Records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		m, whole, err := message(record)
		if err != nil {
			return err
		}
		// A batch begins before the offset that was asked for when it was asked for in its middle.
		if whole && record.Offset >= r.next[id] {
			if err := each(m); err != nil {
				return err
			}
		}
		r.next[id] = max(r.next[id], record.Offset+1)
	}
}

func message(record *kafkago.Record) (m Message, whole bool, err error) {
	m.At = record.Time
	parts := []struct {
		from kafkago.Bytes
		to   *[]byte
	}{{record.Key, &m.Key}, {record.Value, &m.Value}}
	for _, p := range parts {
		if p.from == nil {
			continue
		}
		if p.from.Len() > maxValue {
			return m, false, nil
		}
		b, err := io.ReadAll(p.from)
		if err != nil {
			return m, false, err
		}
		*p.to = b
	}
	return m, true, nil
}
