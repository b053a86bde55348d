package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/kafka"
)

// accounts are how many records ended in each account.
type accounts struct{ Accepted, Duplicate, Superseded, Rejected uint64 }

func (a accounts) sum() uint64 { return a.Accepted + a.Duplicate + a.Superseded + a.Rejected }

func (a accounts) minus(b accounts) accounts {
	return accounts{a.Accepted - b.Accepted, a.Duplicate - b.Duplicate, a.Superseded - b.Superseded, a.Rejected - b.Rejected}
}

// within reports whether none of a's accounts holds more than b's.
func (a accounts) within(b accounts) bool {
	return a.Accepted <= b.Accepted && a.Duplicate <= b.Duplicate && a.Superseded <= b.Superseded && a.Rejected <= b.Rejected
}

// mark is how far the ledger accounts for one partition of a topic without a gap: in which log of the topic, where that ends, the
// accounts of all of it, and who counted then. Rows of the ledger are summed up later, so it names none. The zero mark:
// there is nothing.
type mark struct {
	Log      int // retorno.ledger.log
	Next     int64
	Accounts accounts
	Owner    owner
}

// runs are the rows of the ledger that hold of the newest log of each partition of a topic, each with the accounts of all up to its end.
// Rows of no offset say nothing.
const runs = `SELECT topic, kafka_partition, toInt64(log) AS log, epoch, toInt64(first_offset) AS first, toInt64(next_offset) AS next,
	read, read + control + lost AS offsets, accepted, duplicate, superseded, rejected,
	sum(accepted) OVER before AS all_accepted, sum(duplicate) OVER before AS all_duplicate, sum(superseded) OVER before AS all_superseded, sum(rejected) OVER before AS all_rejected,
	first_offset != lagInFrame(next_offset, 1, 0) OVER before AS gap
FROM (SELECT *, max(log) OVER (PARTITION BY topic, kafka_partition) AS newest FROM retorno.accounts) WHERE log = newest AND first_offset < next_offset
WINDOW before AS (PARTITION BY topic, kafka_partition ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`

// contiguous are those runs that lie before the first gap.
const contiguous = `SELECT * FROM (SELECT *, sum(gap) OVER (PARTITION BY topic, kafka_partition ORDER BY first, next ROWS UNBOUNDED PRECEDING) AS gaps FROM (` + runs + `)) WHERE gaps = 0`

// marks reads how far the ledger accounts for each partition of a topic.
func marks(ctx context.Context, conn driver.Conn) (map[kafka.TopicPartition]mark, error) {
	taken, err := takeovers(ctx, conn)
	if err != nil {
		return nil, err
	}
	all := map[kafka.TopicPartition]mark{}
	err = query(ctx, conn, `SELECT topic, kafka_partition, any(log), max(next), max(all_accepted), max(all_duplicate), max(all_superseded), max(all_rejected)
		FROM (`+contiguous+`) GROUP BY topic, kafka_partition`, func(scan func(...any) error) error {
		var p kafka.TopicPartition
		var m mark
		var partition uint16
		var log int64
		if err := scan(&p.Topic, &partition, &log, &m.Next, &m.Accounts.Accepted, &m.Accounts.Duplicate, &m.Accounts.Superseded, &m.Accounts.Rejected); err != nil {
			return err
		}
		p.Partition, m.Log, m.Owner = int(partition), int(log), newest(taken[kafka.TopicPartition{Topic: p.Topic, Partition: int(partition)}])
		all[p] = m
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return all, nil
}

// stand is how far the ledger accounts for each partition of a topic, and how many records the logs hold beyond that.
func (k *Kafka) stand(ctx context.Context, conn driver.Conn) (map[kafka.TopicPartition]mark, *uint64, error) {
	all, behind := map[kafka.TopicPartition]mark{}, uint64(0)
	ends, err := k.Ends(ctx)
	if err != nil {
		return nil, nil, err
	}
	of, err := marks(ctx, conn)
	if err != nil {
		return nil, nil, err
	}
	for _, end := range ends {
		p := kafka.TopicPartition{Topic: end.Topic, Partition: end.Partition}
		all[p] = of[p]
		behind += uint64(max(0, end.Next-of[p].Next))
	}
	return all, &behind, nil
}

// span is a range of offsets of one partition of a topic that a pass compares.
type span struct {
	kafka.TopicPartition
	log      int
	from, to int64
	givenUp  []offsets // of them, by a recorded decision: nothing is known of what lies there
	// rejected is how many the ledger says were rejected from the offset rejectedFrom on: runs are whole, and retention
	// may cut one.
	rejected     uint64
	rejectedFrom int64
	mark         mark  // how far the ledger accounts for the partition at the end of the span
	end          int64 // of the log; of a full pass
	// beyond is up to where the ledger accounts for offsets that the log does not have; 0: it does not.
	beyond int64
}

// offsets is a range of them, without its last one.
type offsets struct{ from, to int64 }

// reads are the parts of the span that are not given up.
func (s span) reads() []offsets {
	parts, at := []offsets{}, s.from
	for _, gone := range s.givenUp { // in order
		if gone.from > at {
			parts = append(parts, offsets{at, min(gone.from, s.to)})
		}
		at = max(at, gone.to)
	}
	parts = append(parts, offsets{at, s.to})
	return slices.DeleteFunc(parts, func(o offsets) bool { return o.from >= o.to })
}

// holds reports whether the span's parts hold an offset of a log of a partition.
func (s span) holds(p kafka.TopicPartition, log int, offset int64) bool {
	return s.TopicPartition == p && s.log == log && slices.ContainsFunc(s.reads(), func(o offsets) bool { return o.from <= offset && offset < o.to })
}

// spans are everything that the ledger accounts for in a Kafka partition and the logs still hold.
func (k *Kafka) spans(ctx context.Context, conn driver.Conn, partition int) ([]span, error) {
	gone, err := givenUp(ctx, conn)
	if err != nil {
		return nil, err
	}
	var all []span
	for _, topic := range topics {
		s := span{TopicPartition: kafka.TopicPartition{Topic: topic, Partition: partition}}
		first, _, err := k.bounds(ctx, s.TopicPartition)
		if err != nil {
			return nil, err
		}
		var log int64
		err = conn.QueryRow(bounded(ctx), fmt.Sprintf(`SELECT any(log), max(next), sumIf(rejected, first >= %[1]d), if(countIf(first >= %[1]d) = 0, max(next), minIf(first, first >= %[1]d))
			FROM (%[2]s) WHERE topic = '%[3]s' AND kafka_partition = %[4]d`, first, contiguous, topic, partition)).Scan(&log, &s.to, &s.rejected, &s.rejectedFrom)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		if _, s.end, err = k.bounds(ctx, s.TopicPartition); err != nil { // after the ledger: no record is counted before it is there
			return nil, err
		}
		s.log, s.from = int(log), min(first, s.to)
		s.givenUp = gone[logOf{s.TopicPartition, s.log}]
		if s.to > s.end { // the topic was made again
			s.beyond, s.to = s.to, s.end
			s.from = min(s.from, s.to)
		}
		all = append(all, s)
	}
	return all, nil
}

// run is one row of the ledger.
type run struct {
	kafka.TopicPartition
	log           int
	epoch         uint32
	first, next   int64
	read, offsets uint64   // records, and offsets in all
	own, all      accounts // of the run, and of everything up to its end
}

func (r run) String() string {
	return fmt.Sprintf("%s, epoch %d, offsets %d to %d, %d accounted for, %d read, %d in accounts", r.TopicPartition, r.epoch, r.first, r.next, r.offsets, r.read, r.own.sum())
}

// balances reports whether every offset of the run is in an account.
func (r run) balances() bool { return int64(r.offsets) == r.next-r.first && r.own.sum() == r.read }

// runsSince reads the runs from the one on that holds the last offset before each mark, in the order of offsets.
func runsSince(ctx context.Context, conn driver.Conn, marks map[kafka.TopicPartition]mark) (map[kafka.TopicPartition][]run, error) {
	var since []string
	for p, m := range marks {
		since = append(since, fmt.Sprintf("(topic = '%s' AND kafka_partition = %d AND next >= %d)", p.Topic, p.Partition, m.Next))
	}
	all := map[kafka.TopicPartition][]run{}
	err := query(ctx, conn, `SELECT topic, kafka_partition, log, epoch, first, next, read, offsets, accepted, duplicate, superseded, rejected, all_accepted, all_duplicate, all_superseded, all_rejected
		FROM (`+runs+") WHERE "+strings.Join(since, " OR ")+" ORDER BY topic, kafka_partition, first, next", func(scan func(...any) error) error {
		var r run
		var partition uint16
		var log int64
		err := scan(&r.Topic, &partition, &log, &r.epoch, &r.first, &r.next, &r.read, &r.offsets, &r.own.Accepted, &r.own.Duplicate, &r.own.Superseded, &r.own.Rejected,
			&r.all.Accepted, &r.all.Duplicate, &r.all.Superseded, &r.all.Rejected)
		if err != nil {
			return err
		}
		r.Partition, r.log = int(partition), int(log)
		all[r.TopicPartition] = append(all[r.TopicPartition], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return all, nil
}

// MostAtOnce is how many records of one topic and partition an incremental pass takes, about: those that remain are the
// next one's. It bounds the memory of a pass.
const MostAtOnce = 100_000

// follows reports whether the ledger still holds what a mark was taken from, the first of the runs being that of the
// mark's last offset. If not, ClickHouse was restored to an older state, or offsets before the mark were read again.
func (m mark) follows(of []run, taken []takeover) bool {
	if m.Next == 0 {
		return true
	}
	if len(of) == 0 || of[0].log != m.Log || of[0].first >= m.Next || m.readAgain(taken) {
		return false
	}
	if of[0].next == m.Next {
		return of[0].all == m.Accounts
	}
	return of[0].all.minus(of[0].own).within(m.Accounts) && m.Accounts.within(of[0].all) // it was joined with later ones
}

// ledgerNews are the runs since the marks, and what is known about them.
type ledgerNews struct {
	runs    map[kafka.TopicPartition][]run
	taken   map[kafka.TopicPartition][]takeover
	givenUp map[logOf][]offsets
}

func readNews(ctx context.Context, conn driver.Conn, since map[kafka.TopicPartition]mark) (n ledgerNews, err error) {
	if n.runs, err = runsSince(ctx, conn, since); err != nil {
		return n, err
	}
	if n.givenUp, err = givenUp(ctx, conn); err != nil {
		return n, err
	}
	n.taken, err = takeovers(ctx, conn) // after the runs: a takeover is written before what it reads
	return n, err
}

// spans are the news as spans, how many records are left to a later pass, and what is wrong with the runs. The error is
// errAgain where the ledger does not hold a mark, or a run is longer than an incremental pass may be.
func (n ledgerNews) spans(since map[kafka.TopicPartition]mark) (spans []span, lag uint64, found finding, err error) {
	found = newFinding()
	for p, m := range since {
		if !m.follows(n.runs[p], n.taken[p]) {
			return nil, 0, found, fmt.Errorf("%w: the ledger of %s is not the one of the pass before", errAgain, p)
		}
		s := span{TopicPartition: p, log: m.Log, from: m.Next, to: m.Next, rejectedFrom: m.Next, mark: m}
		for _, r := range n.runs[p] {
			if r.next <= m.Next {
				continue
			}
			if r.next-max(r.first, m.Next) > 4*MostAtOnce {
				return nil, 0, found, fmt.Errorf("%w: %s has a run of %d records in the ledger, which is too long for a pass over what came", errAgain, p, r.read)
			}
			if s.to-s.from >= MostAtOnce {
				lag += r.read
				continue
			}
			follow := r.first == s.to || r.first < m.Next && s.to == m.Next
			if found.rows++; !follow || !r.balances() {
				found.add(r.String(), 1)
			}
			if !follow {
				break // what lies behind a gap does not count
			}
			s.to, s.log, s.mark = r.next, r.log, mark{Log: r.log, Next: r.next, Accounts: r.all}
		}
		s.mark.Owner = newest(n.taken[p])
		s.givenUp = n.givenUp[logOf{p, s.log}]
		s.rejected = s.mark.Accounts.Rejected - m.Accounts.Rejected
		spans = append(spans, s)
	}
	return spans, lag, found, nil
}

// ledgerLook looks at the ledger's rows of one Kafka partition: of each log offsets from 0 on without gap or overlap, every
// offset in an account, and none lost without a decision.
func ledgerLook(conn driver.Conn, partition uint16) look {
	const expected = "lagInFrame(next_offset, 1, 0) OVER (PARTITION BY topic, log ORDER BY first_offset, next_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
	statement := fmt.Sprintf(`SELECT topic, toInt64(log), epoch, toInt64(first_offset), toInt64(next_offset), read, read + control + lost, lost, accepted, duplicate, superseded, rejected,
			toInt64(first_offset) - toInt64(%s) FROM retorno.accounts WHERE kafka_partition = %d`, expected, partition)
	return look{check: checkLedger, find: func(ctx context.Context) (finding, error) {
		found := newFinding()
		gone, err := givenUp(ctx, conn)
		if err != nil {
			return found, err
		}
		err = query(ctx, conn, statement, func(scan func(...any) error) error {
			r := run{TopicPartition: kafka.TopicPartition{Partition: int(partition)}}
			var log, gap int64
			var lost uint64
			err := scan(&r.Topic, &log, &r.epoch, &r.first, &r.next, &r.read, &r.offsets, &lost, &r.own.Accepted, &r.own.Duplicate, &r.own.Superseded, &r.own.Rejected, &gap)
			if err != nil {
				return err
			}
			r.log = int(log)
			if found.rows++; gap != 0 || !r.balances() {
				found.add(r.String(), 1)
			}
			if decided := r.within(gone[logOf{r.TopicPartition, r.log}]); lost > decided {
				found.add(fmt.Sprintf("%s: %d offsets are lost, and decisions gave up %d", r, lost, decided), int64(lost-decided))
			}
			return nil
		})
		return found, err
	}}
}

// within is how many offsets of the run lie in ranges.
func (r run) within(ranges []offsets) (n uint64) {
	for _, o := range ranges {
		n += uint64(max(0, min(o.to, r.next)-max(o.from, r.first)))
	}
	return n
}

// query runs a statement and hands out its rows.
func query(ctx context.Context, conn driver.Conn, statement string, row func(scan func(...any) error) error) error {
	rows, err := conn.Query(bounded(ctx), statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
