package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"retorno/consumers/counting/verify/wire"
)

// digest is what the log says of many facts at 16 bytes each: by a number for its name, the largest version, and the hash
// of the first copy that has it. The last bits of the number are the person's bucket; that two facts of a bucket share
// one of 2^52 numbers would show as a difference of sums, and then not as one of facts.
type digest map[uint64]digested

type digested struct{ version, hash uint64 }

// mostDigested is how many facts are digested at once, about. The log of a partition with more is read several times.
var mostDigested uint64 = 4 << 20

func (d digest) add(h *hasher, s *sent) {
	var name [32]byte
	copy(name[:16], s.person[:])
	copy(name[16:], s.id[:])
	number := xxhash.Sum64(name[:])&^(buckets-1) | uint64(bucketOf(s.person))
	version := s.version()
	if before, known := d[number]; known && before.version >= version {
		return
	}
	d[number] = digested{version, h.hash(contentColumns, s) + h.hash(copyColumns, s)}
}

func (d digest) sums() sums {
	all := sums{}
	for number, of := range d {
		b := uint32(number & (buckets - 1))
		all[b] = bucketSum{all[b].rows + 1, all[b].weight + of.hash}
	}
	return all
}

// factsPass compares the facts of one partition with the log.
type factsPass struct {
	*pass
	spans  []span
	report Partition
	logSum uint64
	sum    uint64
}

// suspects compares the facts by sums, in runs of pieces that are digested at once. It returns looks at the facts
// themselves where these differ, and one at what the ledger says was rejected.
func (f *factsPass) suspects(ctx context.Context, pieces []piece) ([]look, error) {
	for _, s := range f.spans {
		f.report.Ranges = append(f.report.Ranges, Range{s.Topic, s.from, s.to, s.end})
	}
	var looks []look
	rejected := map[string]uint64{}
	for first := true; len(pieces) > 0; first = false {
		some := f.digestible(pieces)
		pieces = pieces[len(some):]
		of := stretch{some[0].from, some[len(some)-1].to}
		log := digest{}
		var h hasher
		err := f.kafka.scan(ctx, f.spans, func(span *span, m *wire.Message, record *sent) {
			if first {
				f.report.Read++
			}
			switch {
			case record != nil && of.holds(bucketOf(record.person)):
				log.add(&h, record)
			case record == nil && first && m.Offset >= span.rejectedFrom:
				rejected[span.Topic]++
			}
		})
		if err != nil {
			return nil, err
		}
		more, err := f.compare(ctx, log.sums(), some)
		if err != nil {
			return nil, err
		}
		looks = append(looks, more...)
	}
	f.report.Log, f.report.Stored = fmt.Sprintf("%016x", f.logSum), fmt.Sprintf("%016x", f.sum)
	return append(looks, f.rejects(rejected)), nil
}

// digestible are the first pieces, as many as are digested at once. A piece may have more facts in the log than are
// stored: at most its share of the records, about.
func (f *factsPass) digestible(pieces []piece) []piece {
	var records, facts uint64
	for _, s := range f.spans {
		records += uint64(s.to - s.from)
	}
	for i, p := range pieces {
		facts += max(p.facts, records*uint64(p.to-p.from)/buckets)
		if i > 0 && facts > mostDigested {
			return pieces[:i]
		}
	}
	return pieces
}

// compare compares what the log says of some pieces with what is stored as of the spans.
func (f *factsPass) compare(ctx context.Context, log sums, pieces []piece) ([]look, error) {
	stored := sums{}
	for _, p := range pieces {
		where := scope{partition: uint16(f.report.Partition), within: p.stretch}.facts() + " AND " + ranges(f.spans)
		err := query(ctx, f.conn, "SELECT "+personBucket+" AS bucket, count(), sum(hash) FROM (SELECT person, argMax("+contentSQL+" + "+copySQL+", version) AS hash FROM retorno.facts WHERE "+
			where+" GROUP BY person, record_id) GROUP BY bucket",
			func(scan func(...any) error) error {
				var bucket uint32
				var of bucketSum
				if err := scan(&bucket, &of.rows, &of.weight); err != nil {
					return err
				}
				stored[bucket] = of
				return nil
			})
		if err != nil {
			return nil, fmt.Errorf("sum facts: %w", err)
		}
		f.done(p)
	}
	for _, of := range log {
		f.logSum += of.weight
	}
	for _, of := range stored {
		f.sum += of.weight
	}
	f.report.Facts += log.rows()
	var looks []look
	for group, rows := range grouped(log.differing(stored), func(b uint32) uint64 { return max(log[b].rows, stored[b].rows) }, rowsAtOnce) {
		looks = append(looks, look{check: checkFacts, rows: rows, find: func(ctx context.Context) (finding, error) { return f.factByFact(ctx, group) }})
	}
	return looks, nil
}

// latestOf is the part of the facts for which where is true, each in its latest revision among these.
func latestOf(where string) string {
	return "retorno.facts FINAL WHERE " + where + " AND (person, record_id, version) IN (SELECT person, record_id, max(version) FROM retorno.facts WHERE " + where + " GROUP BY person, record_id)"
}

// rejects compares how many records belong among the dead letters with what the ledger says.
func (f *factsPass) rejects(counted map[string]uint64) look {
	return look{check: checkFacts, find: func(context.Context) (finding, error) {
		s := said{spans: f.spans, rejected: counted}
		found := newFinding()
		found.rows = f.report.Facts
		s.rejects(&found)
		return found, nil
	}}
}

// ranges is the SQL for facts that were read in the spans.
func ranges(spans []span) string {
	all := []string{"0"}
	for _, s := range spans {
		for _, part := range s.reads() {
			all = append(all, fmt.Sprintf("(topic = '%s' AND kafka_partition = %d AND %s = %d AND kafka_offset >= %d AND kafka_offset < %d)", s.Topic, s.Partition, logSQL, s.log, part.from, part.to))
		}
	}
	return "(" + strings.Join(all, " OR ") + ")"
}

// logSQL is which log of its topic a fact was read in.
const logSQL = "bitShiftRight(place, 49)"

// scan reads the spans and passes each message to fn; record is nil when it is no fact. Offsets without a record, as of
// transactions, are passed over.
func (k *Kafka) scan(ctx context.Context, spans []span, fn func(*span, *wire.Message, *sent)) error {
	for i := range spans {
		span := &spans[i]
		for _, part := range span.reads() {
			err := k.read(ctx, span.TopicPartition, part.from, part.to, func(m *wire.Message) error {
				if m.Skipped {
					return nil
				}
				record, err := open(m, span.TopicPartition, k.Partitions)
				var why refused
				if err != nil && !errors.As(err, &why) {
					return err
				}
				fn(span, m, record)
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
