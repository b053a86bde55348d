package verify

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
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
	To    int64  `json:"to"` // the offset after the last one
}

// factsPass compares the facts of some spans with the log.
type factsPass struct {
	conn    driver.Conn
	kafka   *Kafka
	spans   []span
	found   finding
	persons map[uuid.UUID]struct{} // whose records the spans hold; nil: not wanted
	report  []Partition
}

func byPartition(spans []span) map[int][]span {
	all := map[int][]span{}
	for _, s := range spans {
		all[s.partition] = append(all[s.partition], s)
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b span) int { return cmp.Compare(a.topic, b.topic) })
	}
	return all
}

// ranges is the SQL for facts that were read in the spans.
func ranges(spans []span) string {
	all := make([]string, len(spans))
	for i, s := range spans {
		all[i] = fmt.Sprintf("(topic = '%s' AND kafka_partition = %d AND kafka_offset >= %d AND kafka_offset < %d)", s.topic, s.partition, s.from, s.to)
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

// each reads the spans of one partition after the other, and hands out what they say.
func (p *factsPass) each(ctx context.Context, compare func(*said, *Partition) error) error {
	parts := byPartition(p.spans)
	p.found, p.report = finding{different: map[string]int64{}}, nil
	for _, partition := range slices.Sorted(maps.Keys(parts)) {
		s, err := p.kafka.listen(ctx, partition, parts[partition])
		if err != nil {
			return err
		}
		r := Partition{Partition: partition, Read: s.read, Facts: uint64(len(s.facts))}
		for _, span := range s.spans {
			r.Ranges = append(r.Ranges, Range{span.topic, span.from, span.to})
		}
		if p.persons != nil {
			personsOf(p.persons, s.facts)
		}
		if err := compare(s, &r); err != nil {
			return err
		}
		s.rejects(&p.found)
		p.found.rows += r.Facts
		p.report = append(p.report, r)
	}
	return nil
}

// increment compares what the spans say with what is stored of it, fact by fact, and each fact that is stored as of the
// spans with what they say.
func (p *factsPass) increment(ctx context.Context) (finding, error) {
	p.spans = slices.DeleteFunc(p.spans, func(s span) bool { return s.from == s.to })
	if len(p.spans) == 0 {
		return finding{}, nil
	}
	asOf, err := p.storedAsOf(ctx)
	if err != nil {
		return finding{}, err
	}
	err = p.each(ctx, func(s *said, _ *Partition) error {
		keys := slices.Collect(maps.Keys(s.facts))
		for _, k := range asOf[s.partition] {
			if _, known := s.facts[k]; !known {
				keys = append(keys, k)
			}
		}
		seen := make(map[key]bool, len(keys))
		err := lookUp(ctx, p.conn, keys, func(row *stored) error {
			seen[row.key] = true
			return p.note(ctx, s, row.key, s.latest(row.key), row)
		})
		if err != nil {
			return err
		}
		for k, l := range s.facts {
			if !seen[k] {
				if err := p.note(ctx, s, k, &l, nil); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return p.found, err
}

func (s *said) latest(k key) *latest {
	if l, known := s.facts[k]; known {
		return &l
	}
	return nil
}

// storedAsOf are the keys of facts that are stored as read in the spans, by partition.
func (p *factsPass) storedAsOf(ctx context.Context) (map[int][]key, error) {
	rows, err := p.conn.Query(ctx, "SELECT DISTINCT kafka_partition, person, record_id FROM retorno.facts WHERE "+ranges(p.spans))
	if err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	all := map[int][]key{}
	for rows.Next() {
		var partition uint16
		var k key
		if err := rows.Scan(&partition, &k.person, &k.id); err != nil {
			return nil, fmt.Errorf("read facts: %w", err)
		}
		all[int(partition)] = append(all[int(partition)], k)
	}
	return all, rows.Err()
}

// buckets is into how many parts a partition's checksum is divided, so that only parts that differ are compared fact by
// fact.
const buckets = 1024

const bucketSQL = "toUInt16(xxHash64(toString(record_id)) % 1024)"

func bucketOf(id uuid.UUID) uint16 { return uint16(xxhash.Sum64String(id.String()) % buckets) }

// sums are the checksums of one partition by bucket, and how many facts each is of.
type sums [buckets]struct{ sum, facts uint64 }

func (s *sums) total() string {
	var total uint64
	for i := range s {
		total += s[i].sum
	}
	return fmt.Sprintf("%016x", total)
}

// all compares the spans, partition after partition, by checksums; fact by fact where these differ.
func (p *factsPass) all(ctx context.Context) (finding, error) {
	stored, err := p.storedSums(ctx)
	if err != nil {
		return finding{}, err
	}
	err = p.each(ctx, func(s *said, r *Partition) error {
		var log sums
		for k, l := range s.facts {
			b := &log[bucketOf(k.id)]
			b.sum += l.content + l.copy
			b.facts++
		}
		have := stored[s.partition]
		if have == nil {
			have = new(sums)
		}
		r.Log, r.Stored = log.total(), have.total()
		var differ []string
		suspect := map[uint16]bool{}
		for i := range log {
			if log[i] != have[i] {
				suspect[uint16(i)] = true
				differ = append(differ, fmt.Sprint(i))
			}
		}
		if len(differ) == 0 {
			return nil
		}
		return p.factByFact(ctx, s, suspect, strings.Join(differ, ", "))
	})
	if err == nil {
		err = p.strays(ctx)
	}
	return p.found, err
}

// storedSums are the checksums of what is stored as of the spans.
func (p *factsPass) storedSums(ctx context.Context) (map[int]*sums, error) {
	if len(p.spans) == 0 {
		return nil, nil
	}
	rows, err := p.conn.Query(ctx, "SELECT kafka_partition, "+bucketSQL+" AS bucket, count(), sum("+contentSQL+" + "+copySQL+
		") FROM retorno.latest_facts WHERE "+ranges(p.spans)+" GROUP BY kafka_partition, bucket")
	if err != nil {
		return nil, fmt.Errorf("sum facts: %w", err)
	}
	defer rows.Close()
	all := map[int]*sums{}
	for rows.Next() {
		var partition, bucket uint16
		var facts, sum uint64
		if err := rows.Scan(&partition, &bucket, &facts, &sum); err != nil {
			return nil, fmt.Errorf("sum facts: %w", err)
		}
		of := all[int(partition)]
		if of == nil {
			of = new(sums)
			all[int(partition)] = of
		}
		of[bucket].facts, of[bucket].sum = facts, sum
	}
	return all, rows.Err()
}

// factByFact compares the facts of some buckets of one partition.
func (p *factsPass) factByFact(ctx context.Context, s *said, suspect map[uint16]bool, list string) error {
	seen := map[key]bool{}
	err := selectStored(ctx, p.conn, fmt.Sprintf("kafka_partition = %d AND %s IN (%s)", s.partition, bucketSQL, list), func(row *stored) error {
		seen[row.key] = true
		return p.note(ctx, s, row.key, s.latest(row.key), row)
	})
	if err != nil {
		return err
	}
	for k, l := range s.facts {
		if suspect[bucketOf(k.id)] && !seen[k] {
			if err := p.note(ctx, s, k, &l, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// strays are facts stored as of a place that is none, or beyond the end of its log.
func (p *factsPass) strays(ctx context.Context) error {
	rows, err := p.conn.Query(ctx, "SELECT topic, kafka_partition, toInt64(max(kafka_offset)) FROM retorno.facts GROUP BY topic, kafka_partition")
	if err != nil {
		return fmt.Errorf("read facts: %w", err)
	}
	defer rows.Close()
	highest := map[place]int64{}
	for rows.Next() {
		var at place
		var partition uint16
		var offset int64
		if err := rows.Scan(&at.topic, &partition, &offset); err != nil {
			return fmt.Errorf("read facts: %w", err)
		}
		at.partition = int(partition)
		highest[at] = offset
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for at, offset := range highest {
		end := int64(0)
		if slices.Contains(p.kafka.places(), at) {
			if _, end, err = p.kafka.bounds(ctx, at); err != nil {
				return err
			}
		}
		if offset < end {
			continue
		}
		where := fmt.Sprintf("topic = '%s' AND kafka_partition = %d AND kafka_offset >= %d", escape(at.topic), at.partition, end)
		err := selectStored(ctx, p.conn, where, func(row *stored) error {
			p.found.add(fmt.Sprintf("record %s, person %s: stored as of %s, offset %d, where the log ends at %d", row.id, row.person, at, row.offset, end), 1)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// escape makes a text safe between single quotes in SQL.
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }
