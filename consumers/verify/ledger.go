package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// mark is where a pass ended in one place: what the ledger accounted for then. The zero mark: there was nothing.
type mark struct {
	log      int // which log of the topic: retorno.ledger.log
	epoch    uint32
	next     int64  // the offset after the last one
	rejected uint64 // records of that log up to it
	owner    owner  // who counted the partition then
}

// owner is who has taken over a Kafka partition.
type owner struct {
	epoch uint32
	claim uuid.UUID
}

// takeover is from where an owner has read a log of a place.
type takeover struct {
	owner
	log  int
	from int64
}

// takeovers are all takeovers of each place, the newest last.
func takeovers(ctx context.Context, conn driver.Conn) (map[place][]takeover, error) {
	rows, err := conn.Query(ctx, "SELECT topic, kafka_partition, epoch, claim, toInt64(log), toInt64(read_from) FROM retorno.takeovers FINAL ORDER BY kafka_partition, epoch, taken_at, claim")
	if err != nil {
		return nil, fmt.Errorf("read the takeovers: %w", err)
	}
	defer rows.Close()
	all := map[place][]takeover{}
	for rows.Next() {
		var at place
		var t takeover
		var partition uint16
		var log int64
		if err := rows.Scan(&at.topic, &partition, &t.epoch, &t.claim, &log, &t.from); err != nil {
			return nil, fmt.Errorf("read the takeovers: %w", err)
		}
		at.partition, t.log = int(partition), int(log)
		all[at] = append(all[at], t)
	}
	return all, rows.Err()
}

// readAgain reports whether offsets before the mark were read again after it, or may have been.
func (m mark) readAgain(since []takeover) bool {
	return m.next > 0 && slices.ContainsFunc(since, func(t takeover) bool {
		return t.owner != m.owner && t.epoch >= m.owner.epoch && (t.log != m.log || t.from < m.next)
	})
}

func newest(all []takeover) owner {
	if len(all) == 0 {
		return owner{}
	}
	return all[len(all)-1].owner
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
	const runs = "OVER (PARTITION BY topic, kafka_partition, log ORDER BY first_offset, next_offset, epoch ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT topic, kafka_partition, toInt64(log), toInt64(max(next_offset)),
			sumIf(rejected, first_offset >= start), if(countIf(first_offset >= start) = 0, toInt64(max(next_offset)), toInt64(minIf(first_offset, first_offset >= start))),
			max(epoch), sum(rejected)
		FROM (SELECT *, sum(gap) %[1]s AS gaps, transform(concat(topic, '/', toString(kafka_partition)), [%[2]s], CAST([%[3]s], 'Array(UInt64)'), toUInt64(0)) AS start
			FROM (SELECT *, first_offset != lagInFrame(next_offset, 1, first_offset) %[1]s AS gap FROM retorno.accounts))
		WHERE gaps = 0 GROUP BY topic, kafka_partition, log ORDER BY log`, runs, strings.Join(names, ", "), strings.Join(offsets, ", ")))
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	taken, err := takeovers(ctx, conn)
	if err != nil {
		return nil, err
	}
	all := map[place]span{}
	for p := range starts {
		all[p] = span{place: p} // nothing is accounted for yet
	}
	for rows.Next() { // of a topic that was made again the newest log comes last, and only that can be read
		var s span
		var partition uint16
		var log int64
		if err := rows.Scan(&s.topic, &partition, &log, &s.to, &s.rejected, &s.rejectedFrom, &s.last.epoch, &s.last.rejected); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		s.partition, s.last.log, s.last.next = int(partition), int(log), s.to
		if start, known := starts[s.place]; known {
			s.from, s.last.owner = min(start, s.to), newest(taken[s.place])
			all[s.place] = s
		}
	}
	return slices.Collect(maps.Values(all)), rows.Err()
}

// run is one row of the ledger.
type run struct {
	place
	mark                     // as it is after the row
	first                    int64
	read, accounted, offsets uint64 // offsets is how many are accounted for in all, those without a record included
}

func (r run) String() string {
	return fmt.Sprintf("%s, epoch %d, offsets %d to %d, %d read, %d in accounts, %d accounted for", r.place, r.epoch, r.first, r.next, r.read, r.accounted, r.offsets)
}

// runsSince reads the runs that hold of the newest log of each place and end after its mark, in the order of offsets. The
// first one may begin before it: the consumers sum up the rows of flushes that are stored.
func runsSince(ctx context.Context, conn driver.Conn, marks map[place]mark) (map[place][]run, error) {
	rows, err := conn.Query(ctx, `SELECT topic, kafka_partition, toInt64(log), epoch, toInt64(first_offset), toInt64(next_offset), read,
			accepted + duplicate + superseded + rejected, read + control + lost, sum(rejected) OVER up_to_here
		FROM (SELECT *, max(log) OVER (PARTITION BY topic, kafka_partition) AS newest FROM retorno.accounts) WHERE log = newest
		WINDOW up_to_here AS (PARTITION BY topic, kafka_partition ORDER BY first_offset, next_offset, epoch ROWS UNBOUNDED PRECEDING)
		ORDER BY topic, kafka_partition, first_offset, next_offset, epoch`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	defer rows.Close()
	all := map[place][]run{}
	for rows.Next() {
		var r run
		var partition uint16
		var log int64
		if err := rows.Scan(&r.topic, &partition, &log, &r.epoch, &r.first, &r.next, &r.read, &r.accounted, &r.offsets, &r.rejected); err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		r.partition, r.log = int(partition), int(log)
		if m := marks[r.place]; r.next > m.next || r.next == m.next && r.epoch >= m.epoch {
			all[r.place] = append(all[r.place], r)
		}
	}
	return all, rows.Err()
}

// MostAtOnce is how many records of one topic and partition an incremental pass takes, about: those that remain are
// the next one's. It bounds the memory of a pass.
const MostAtOnce = 100_000

// news are the runs since the marks as spans, how many records are left to a later pass, and what is wrong with the
// runs. ok is false where the ledger does not reach a mark any more: ClickHouse was restored to an older state, and all is
// to be compared again.
func news(runs map[place][]run, taken map[place][]takeover, marks map[place]mark) (spans []span, lag uint64, found finding, ok bool) {
	found = finding{different: map[string]int64{}}
	for p, m := range marks {
		of := runs[p]
		if m != (mark{}) && (len(of) == 0 || of[0].log != m.log || newestOf(of) < m.epoch || m.readAgain(taken[p])) {
			return nil, 0, found, false
		}
		s := span{place: p, from: m.next, to: m.next, rejectedFrom: m.next, last: m}
		for i, r := range of {
			if s.to-s.from >= MostAtOnce {
				lag += r.read
				continue
			}
			if r.next == s.to && (r.first == r.next || i == 0) { // nothing, or nothing new
				s.last.epoch = max(s.last.epoch, r.epoch)
				continue
			}
			found.rows++
			follows := r.first == s.to || i == 0 && r.first < s.to
			if !follows || int64(r.offsets) != r.next-r.first || r.accounted != r.read {
				found.add(r.String(), 1)
			}
			if !follows {
				break // what lies behind a gap does not count
			}
			s.to, s.last = r.next, r.mark
			s.rejected = r.rejected - m.rejected
		}
		s.last.owner = newest(taken[p])
		spans = append(spans, s)
	}
	return spans, lag, found, true
}

func newestOf(runs []run) uint32 {
	var epoch uint32
	for _, r := range runs {
		epoch = max(epoch, r.epoch)
	}
	return epoch
}
