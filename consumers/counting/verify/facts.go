package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"retorno/consumers/counting/verify/wire"
)

// Partition is what a pass compared of one Kafka partition of both topics.
type Partition struct {
	Partition int     `json:"partition"`
	Ranges    []Range `json:"ranges"`
	Read      uint64  `json:"read"`  // records read from the log
	Facts     uint64  `json:"facts"` // they come to
	// Log and Stored are the order-independent checksums of a full pass, of the facts as the log says them and as
	// ClickHouse holds them: sums of row hashes modulo 2^64, in hexadecimal. They may differ without a difference where
	// a fact was replaced, or its first copy was deleted by retention, meanwhile: those facts are compared one by one.
	Log    string `json:"log_checksum,omitempty"`
	Stored string `json:"stored_checksum,omitempty"`
}

// Range is a range of offsets of one topic.
type Range struct {
	Topic string `json:"topic"`
	From  int64  `json:"from"`
	To    int64  `json:"to"`            // the offset after the last one
	End   int64  `json:"end,omitempty"` // of the log, in a full pass
}

// factByFact compares the facts of the persons of buckets, which come in order, one by one.
func (f *factsPass) factByFact(ctx context.Context, of []uint32) (finding, error) {
	found := newFinding()
	s := newSaid(f.report.Partition, f.spans)
	var h hasher
	err := f.kafka.scan(ctx, f.spans, func(_ *span, _ *wire.Message, record *sent) {
		if record == nil {
			return
		}
		if _, named := slices.BinarySearch(of, uint32(bucketOf(record.person))); named {
			s.add(&h, record)
		}
	})
	if err != nil {
		return found, err
	}
	seen := map[key]bool{}
	where := scope{partition: uint16(s.partition)}.narrow(of).facts()
	err = selectStored(ctx, f.conn, where, func(row *stored) error {
		seen[row.key] = true
		return f.note(ctx, &found, s, row.key, s.latest(row.key), row)
	})
	for k, l := range s.facts {
		if err == nil && !seen[k] {
			err = f.note(ctx, &found, s, k, &l, nil)
		}
	}
	return found, err
}

// strays looks for facts of a Kafka partition that are stored as of a place that is none, or beyond the end of its log.
// Of a topic that was made again the earlier logs are gone, and nothing is known of them.
func (p *pass) strays(partition uint16) look {
	return look{check: checkFacts, find: func(ctx context.Context) (finding, error) {
		found := newFinding()
		of, err := p.logsOf(ctx, partition)
		if err != nil {
			return found, err
		}
		for _, l := range of {
			end := int64(0)
			if l.log < l.newest {
				continue
			}
			if l.log == l.newest && slices.Contains(p.kafka.places(), l.TopicPartition) {
				if _, end, err = p.kafka.bounds(ctx, l.TopicPartition); err != nil {
					return found, err
				}
			}
			if l.highest < end {
				continue
			}
			where := fmt.Sprintf("kafka_partition = %d AND topic = '%s' AND %s = %d AND kafka_offset >= %d", partition, escape(l.Topic), logSQL, l.log, end)
			err := selectStored(ctx, p.conn, where, func(row *stored) error {
				found.add(fmt.Sprintf("record %s, person %s: stored as of %s, offset %d, where the log ends at %d", row.id, row.person, l.TopicPartition, row.offset, end), 1)
				return nil
			})
			if err != nil {
				return found, err
			}
		}
		return found, nil
	}}
}

// storedLog is a log that facts are stored as of, up to which offset, and which log of its topic the ledger knows last.
type storedLog struct {
	logOf
	highest int64
	newest  int
}

func (p *pass) logsOf(ctx context.Context, partition uint16) (all []storedLog, err error) {
	err = query(ctx, p.conn, fmt.Sprintf(`SELECT f.topic, toInt64(f.log), toInt64(f.highest), toInt64(l.newest)
		FROM (SELECT toString(topic) AS topic, %s AS log, max(kafka_offset) AS highest FROM retorno.facts WHERE kafka_partition = %[2]d GROUP BY topic, log) AS f
		LEFT JOIN (SELECT toString(topic) AS topic, max(log) AS newest FROM retorno.accounts WHERE kafka_partition = %[2]d GROUP BY topic) AS l ON l.topic = f.topic`, logSQL, partition),
		func(scan func(...any) error) error {
			var l storedLog
			var log, newest int64
			err := scan(&l.Topic, &log, &l.highest, &newest)
			l.Partition, l.log, l.newest = int(partition), int(log), int(newest)
			all = append(all, l)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return all, nil
}

// escape makes a text safe between single quotes in SQL.
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }

func byPartition(spans []span) map[int][]span {
	all := map[int][]span{}
	for _, s := range spans {
		all[s.Partition] = append(all[s.Partition], s)
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b span) int { return cmp.Compare(a.Topic, b.Topic) })
	}
	return all
}

// newFacts are those that came since the pass before, as an incremental pass reads them again.
type newFacts struct {
	*pass
	spans   []span
	persons map[uint16]map[uuid.UUID]struct{} // whose records the spans hold, by Kafka partition
	report  []Partition
}

// compare compares what the spans say with what is stored of it, fact by fact, and each fact that is stored as of the
// spans with what they say.
func (n *newFacts) compare(ctx context.Context) (finding, error) {
	found := newFinding()
	n.report = nil
	spans := slices.DeleteFunc(slices.Clone(n.spans), func(s span) bool { return s.from == s.to })
	parts := byPartition(spans)
	for _, partition := range slices.Sorted(maps.Keys(parts)) {
		if err := n.comparePartition(ctx, partition, parts[partition], &found); err != nil {
			return found, err
		}
	}
	return found, nil
}

func (n *newFacts) comparePartition(ctx context.Context, partition int, spans []span, found *finding) error {
	s, err := n.kafka.listen(ctx, partition, spans)
	if err != nil {
		return err
	}
	of := map[uuid.UUID]struct{}{}
	keys := make([]key, 0, len(s.facts))
	for k := range s.facts {
		keys, of[k.person] = append(keys, k), struct{}{}
	}
	n.persons[uint16(partition)] = of
	r := Partition{Partition: partition, Read: s.read, Facts: uint64(len(s.facts))}
	for _, span := range spans {
		r.Ranges = append(r.Ranges, Range{Topic: span.Topic, From: span.from, To: span.to})
	}
	n.report = append(n.report, r)
	asOf, err := n.storedAsOf(ctx, spans)
	if err != nil {
		return err
	}
	keys = append(keys, slices.DeleteFunc(asOf, func(k key) bool { return s.latest(k) != nil })...)
	seen := make(map[key]bool, len(keys))
	err = lookUp(ctx, n.conn, partition, keys, func(row *stored) error {
		seen[row.key] = true
		return n.note(ctx, found, s, row.key, s.latest(row.key), row)
	})
	for k, l := range s.facts {
		if err == nil && !seen[k] {
			err = n.note(ctx, found, s, k, &l, nil)
		}
	}
	s.rejects(found)
	found.rows += r.Facts
	return err
}

// storedAsOf are the keys of facts that are stored as read in the spans.
func (n *newFacts) storedAsOf(ctx context.Context, spans []span) (all []key, err error) {
	err = query(ctx, n.conn, "SELECT DISTINCT person, record_id FROM retorno.facts WHERE "+ranges(spans), func(scan func(...any) error) error {
		var k key
		err := scan(&k.person, &k.id)
		all = append(all, k)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return all, nil
}
