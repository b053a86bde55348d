package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// mark is where a pass ended in one place: the last run of the ledger that it has compared. The zero mark: there was none.
type mark struct {
	epoch       uint32
	first, next int64
}

// span is a range of offsets of one place that a pass compares.
type span struct {
	place
	from, to int64
	// rejected is how many the ledger says were rejected from the offset rejectedFrom on: runs are whole, and retention
	// may cut one.
	rejected     uint64
	rejectedFrom int64
	last         mark
	// beyond is up to where the ledger accounts for offsets that the log does not have; 0: it does not.
	beyond int64
}

// whole reads up to where the ledger accounts for each place without a gap, from the offsets in starts on, which are
// those that the logs still hold.
func whole(ctx context.Context, conn driver.Conn, starts map[place]int64) ([]span, error) {
	var names, offsets []string
	for p, start := range starts {
		names = append(names, fmt.Sprintf("'%s/%d'", p.topic, p.partition))
		offsets = append(offsets, fmt.Sprint(start))
	}
	if len(names) == 0 {
		return nil, nil
	}
	const runs = "OVER (PARTITION BY topic, kafka_partition ORDER BY first_offset, next_offset, epoch ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT topic, kafka_partition, toInt64(max(next_offset)),
			sumIf(rejected, first_offset >= start), if(countIf(first_offset >= start) = 0, toInt64(max(next_offset)), toInt64(minIf(first_offset, first_offset >= start))),
			argMax(tuple(epoch, toInt64(first_offset)), (next_offset, epoch, first_offset)) AS last, last.1, last.2
		FROM (SELECT *, sum(gap) %[1]s AS gaps, transform(concat(topic, '/', toString(kafka_partition)), [%[2]s], CAST([%[3]s], 'Array(UInt64)'), toUInt64(0)) AS start
			FROM (SELECT *, first_offset != lagInFrame(next_offset, 1, first_offset) %[1]s AS gap FROM retorno.accounts))
		WHERE gaps = 0 GROUP BY topic, kafka_partition`, runs, strings.Join(names, ", "), strings.Join(offsets, ", ")))
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	all := map[place]span{}
	for p := range starts {
		all[p] = span{place: p} // nothing is accounted for yet
	}
	for rows.Next() {
		var s span
		var partition uint16
		var ignored []any
		if err := rows.Scan(&s.topic, &partition, &s.to, &s.rejected, &s.rejectedFrom, &ignored, &s.last.epoch, &s.last.first); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		s.partition, s.last.next = int(partition), s.to
		if start, known := starts[s.place]; known {
			s.from = min(start, s.to)
			all[s.place] = s
		}
	}
	return slices.Collect(maps.Values(all)), rows.Err()
}

// run is one row of the ledger.
type run struct {
	place
	mark
	read, accounted, rejected uint64
}

func (r run) String() string {
	return fmt.Sprintf("%s, epoch %d, offsets %d to %d, %d read, %d in accounts", r.place, r.epoch, r.first, r.next, r.read, r.accounted)
}

// runsSince reads the runs that hold from each mark's on, that one included, in the order of offsets.
func runsSince(ctx context.Context, conn driver.Conn, marks map[place]mark) (map[place][]run, error) {
	var since []string
	for p, m := range marks {
		since = append(since, fmt.Sprintf("(topic = '%s' AND kafka_partition = %d AND (epoch > %d OR epoch = %d AND first_offset >= %d))",
			p.topic, p.partition, m.epoch, m.epoch, m.first))
	}
	// A later epoch has read anew whatever an older one wrote from the later one's begin on: as in retorno.accounts. Runs
	// without a record say nothing, but one may be a mark.
	rows, err := conn.Query(ctx, `SELECT topic, kafka_partition, epoch, toInt64(first_offset), toInt64(next_offset), read, accepted + duplicate + superseded + rejected, rejected
		FROM (SELECT *, min(first_offset) OVER (PARTITION BY topic, kafka_partition ORDER BY epoch RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS taken_from,
			max(epoch) OVER (PARTITION BY topic, kafka_partition) AS newest FROM retorno.ledger FINAL WHERE `+strings.Join(since, " OR ")+`)
		WHERE epoch = newest OR first_offset < taken_from OR first_offset = next_offset ORDER BY topic, kafka_partition, first_offset, next_offset, epoch`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	all := map[place][]run{}
	for rows.Next() {
		var r run
		var partition uint16
		if err := rows.Scan(&r.topic, &partition, &r.epoch, &r.first, &r.next, &r.read, &r.accounted, &r.rejected); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		r.partition = int(partition)
		all[r.place] = append(all[r.place], r)
	}
	return all, rows.Err()
}

// MostAtOnce is how many records of one topic and partition an incremental pass takes, about: those that remain are
// the next one's. It bounds the memory of a pass.
const MostAtOnce = 100_000

// news are the runs since the marks as spans, how many records are left to a later pass, and what is wrong with the
// runs. ok is false where the ledger does not
// hold a mark any more: ClickHouse was put back to an older state, and all is to be compared anew.
func news(runs map[place][]run, marks map[place]mark) (spans []span, lag uint64, found finding, ok bool) {
	found = finding{different: map[string]int64{}}
	for p, m := range marks {
		of := runs[p]
		if m != (mark{}) {
			if len(of) == 0 || of[0].mark != m {
				return nil, 0, found, false
			}
			of = of[1:]
		}
		s := span{place: p, from: m.next, to: m.next, rejectedFrom: m.next, last: m}
		for _, r := range of {
			if s.to-s.from >= MostAtOnce {
				lag += r.read
				continue
			}
			if r.first == r.next && r.first != s.to {
				continue
			}
			found.rows++
			if r.first != s.to || int64(r.read) != r.next-r.first || r.accounted != r.read {
				found.add(r.String(), 1)
			}
			if r.first != s.to {
				break // what lies behind a gap does not count
			}
			s.to, s.last = r.next, r.mark
			s.rejected += r.rejected
		}
		spans = append(spans, s)
	}
	return spans, lag, found, true
}
