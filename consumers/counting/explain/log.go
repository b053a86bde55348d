package explain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/reconcile"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
)

// Span is what there is of one topic's partition, and how far the consumers have counted it.
type Span struct {
	Topic string `json:"topic"`
	// First is the first offset that still exists, End the one after the last, at the start of reading.
	First int64 `json:"first_offset"`
	End   int64 `json:"end_offset"`
	// Counted is the offset up to which the ledger accounts for the records.
	Counted int64 `json:"counted_to_offset"`
}

// record is one copy of a record as the log holds it.
type record struct {
	person ID
	fact   reconcile.Fact
	origin ledger.Origin
	// sentAt and recorded are milliseconds since 1970-01-01 UTC.
	sentAt, recorded int64
	opened           *events.Record // nil where only the method's part is needed, and for what comes from the store
}

// Rejected is a message that no consumer can count.
type Rejected struct {
	At     Place  `json:"at"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Place is a place in Kafka.
type Place struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

func (p Place) String() string { return fmt.Sprintf("%s/%d/%d", p.Topic, p.Partition, p.Offset) }

// spans asks what there is of a partition, and where its ledger stands.
func (e *Explainer) spans(ctx context.Context, partition int) ([]Span, error) {
	positions, err := e.cfg.Store.Positions(ctx, partition)
	if err != nil {
		return nil, err
	}
	all := make([]Span, len(e.topics))
	for i, topic := range e.topics {
		first, end, err := e.reader.Bounds(ctx, topic, partition)
		if err != nil {
			return nil, err
		}
		all[i] = Span{Topic: topic, First: first, End: end}
		for _, p := range positions {
			if p.Topic == topic {
				all[i].Counted = p.NextOffset
			}
		}
	}
	return all, nil
}

// scan hands out every message of the spans, each topic in the order of its offsets.
func (e *Explainer) scan(ctx context.Context, partition int, spans []Span, yield func(*stream.Message)) error {
	shard := e.reader.Open(partition)
	defer shard.Close()
	next, end := map[string]int64{}, map[string]int64{}
	var left int64
	for _, s := range spans {
		shard.Seek(s.Topic, s.First)
		next[s.Topic], end[s.Topic] = s.First, s.End
		left += s.End - s.First
	}
	for left > 0 {
		messages, err := shard.Fetch(ctx, time.Second)
		if err != nil {
			return fmt.Errorf("explain: read partition %d: %w", partition, err)
		}
		for i := range messages {
			m := &messages[i]
			if m.Offset >= end[m.Topic] {
				break
			}
			next[m.Topic]++
			left--
			if !m.Skipped {
				yield(m)
			}
		}
	}
	return nil
}

// understand reads a message as the consumers do: the same messages are records, the same ones rejected. A test
// compares the two over a register with everything that goes wrong.
func (e *Explainer) understand(m *stream.Message) (record, *events.Rejection) {
	if m.Unreadable != "" {
		return record{}, &events.Rejection{Code: events.CodeUnreadable, Detail: m.Unreadable}
	}
	opened, err := events.Open(m.Value)
	if err != nil {
		return record{}, asRejection(err)
	}
	r := opened.Record
	if rejection := events.AsRejection(events.Validate(r)); rejection != nil {
		return record{}, rejection
	}
	if events.Topic(r) != m.Topic || events.Key(r) != string(m.Key) || stream.PartitionOf(m.Key, e.partitions) != m.Partition {
		return record{}, &events.Rejection{Code: events.CodeMisfiled, Detail: "sent to another topic, key or partition than the record's own"}
	}
	person, err := reconcile.PersonID(r)
	if err != nil {
		return record{}, asRejection(err)
	}
	fact, err := reconcile.FactOf(&opened)
	if err != nil {
		return record{}, asRejection(err)
	}
	return record{person: person, fact: fact, origin: ledger.Origin{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
		sentAt: opened.SentAtMs, recorded: r.GetRecordedTimeMs(), opened: r}, nil
}

func asRejection(err error) *events.Rejection {
	var rejection *events.Rejection
	if errors.As(err, &rejection) {
		return rejection
	}
	return &events.Rejection{Code: events.CodeMalformed, Detail: err.Error()}
}

// lost are the stored facts whose record the log no longer has, in each revision that was accepted.
func (e *Explainer) lost(ctx context.Context, partition int, spans []Span, yield func(record)) error {
	first, gone := map[string]int64{}, false
	for _, s := range spans {
		first[s.Topic] = s.First
		gone = gone || s.First > 0
	}
	if !gone {
		return nil
	}
	return e.cfg.Store.Facts(ctx, partition, func(f *store.StoredFact) {
		if f.Origin.Offset < first[f.Origin.Topic] {
			yield(record{person: f.Person, fact: f.Fact, origin: f.Origin})
		}
	})
}

// ahead says of each topic whose log ends before the ledger's position that it is not the log that was counted.
func ahead(partition int, spans []Span) []string {
	var all []string
	for _, s := range spans {
		if s.Counted > s.End {
			all = append(all, fmt.Sprintf("the ledger has counted %s/%d up to offset %d, and the log ends at %d: the topic was made again",
				s.Topic, partition, s.Counted, s.End))
		}
	}
	return all
}

// counted reports whether the ledger accounts for a place.
func counted(spans []Span, o ledger.Origin) bool {
	for _, s := range spans {
		if s.Topic == o.Topic {
			return o.Offset < s.Counted
		}
	}
	return false
}

// inOrder merges the records of the two topics into one order: by offset in each topic, between topics by the time
// they were sent. The topics share no order of their own, and the end of a history does not depend on it.
func inOrder(topics ...[]record) []record {
	var all []record
	for {
		next := -1
		for i, t := range topics {
			if len(t) > 0 && (next < 0 || t[0].sentAt < topics[next][0].sentAt) {
				next = i
			}
		}
		if next < 0 {
			return all
		}
		all = append(all, topics[next][0])
		topics[next] = topics[next][1:]
	}
}
