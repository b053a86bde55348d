package store

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Entry is one row of the ledger: a run of offsets of one topic and partition, and what became of its records.
// Read is the sum of the four accounts, always.
type Entry struct {
	Topic       string
	FirstOffset int64
	NextOffset  int64  // the offset after the last one read
	LastPrint   uint64 // the fingerprint of the last message read: stream.Message.Fingerprint; 0: not known
	Accounts    Accounts
	Consumer    string
	At          time.Time
}

// Accounts say what became of records that were read. Each record is in exactly one.
type Accounts struct{ Accepted, Duplicate, Superseded, Rejected uint64 }

// Read is how many records were read.
func (a Accounts) Read() uint64 { return a.Accepted + a.Duplicate + a.Superseded + a.Rejected }

type ledger struct {
	block
	topic, consumer                                                     *names
	partition                                                           *proto.ColUInt16
	epoch                                                               *proto.ColUInt32
	first, next, print, read, accepted, duplicate, superseded, rejected numbers
	at                                                                  times
}

func newLedger() *ledger {
	l := &ledger{}
	b := &l.block
	l.topic, l.consumer = col(b, "topic", newNames()), col(b, "consumer", newNames())
	l.partition, l.epoch, l.at = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "epoch", new(proto.ColUInt32)), col(b, "flushed_at", newTimes())
	l.first, l.next = col(b, "first_offset", newNumbers()), col(b, "next_offset", newNumbers())
	l.print, l.read = col(b, "last_print", newNumbers()), col(b, "read", newNumbers())
	l.accepted, l.duplicate = col(b, "accepted", newNumbers()), col(b, "duplicate", newNumbers())
	l.superseded, l.rejected = col(b, "superseded", newNumbers()), col(b, "rejected", newNumbers())
	return l
}

func (l *ledger) add(partition int, epoch uint32, e Entry) {
	l.topic.Append(e.Topic)
	l.consumer.Append(e.Consumer)
	l.partition.Append(uint16(partition))
	l.epoch.Append(epoch)
	l.at.AppendRaw(proto.DateTime64(e.At.UnixMilli()))
	l.first.Append(uint64(e.FirstOffset))
	l.next.Append(uint64(e.NextOffset))
	l.print.Append(e.LastPrint)
	l.read.Append(e.Accounts.Read())
	l.accepted.Append(e.Accounts.Accepted)
	l.duplicate.Append(e.Accounts.Duplicate)
	l.superseded.Append(e.Accounts.Superseded)
	l.rejected.Append(e.Accounts.Rejected)
}

// Position is where the ledger stands for one topic of a partition.
type Position struct {
	Topic      string
	NextOffset int64
	LastPrint  uint64   // the fingerprint of the message before NextOffset; 0: not known
	Accounts   Accounts // of everything up to NextOffset
}

// Positions reads where the ledger stands for the claim's Kafka partition.
func (c *Claim) Positions(ctx context.Context) ([]Position, error) {
	if c.first {
		return nil, nil
	}
	return c.store.Positions(ctx, c.partition)
}

// Positions reads where the ledger stands for a Kafka partition: the end of what it accounts for without a gap, for
// each topic that it knows. What lies behind a gap does not count: a database that was put back to an older state may
// hold rows of a process that had not noticed yet.
func (s *Store) Positions(ctx context.Context, partition int) (all []Position, err error) {
	const query = `SELECT topic, max(next_offset), argMax(last_print, (next_offset, epoch)), sum(accepted), sum(duplicate), sum(superseded), sum(rejected)
		FROM (SELECT *, sum(gap) OVER (PARTITION BY topic ORDER BY first_offset, next_offset ROWS UNBOUNDED PRECEDING) AS gaps
			FROM (SELECT *, first_offset != lagInFrame(next_offset, 1, 0) OVER (PARTITION BY topic ORDER BY first_offset, next_offset ROWS UNBOUNDED PRECEDING) AS gap
				FROM retorno.accounts WHERE kafka_partition = ?))
		WHERE gaps = 0 GROUP BY topic ORDER BY topic`
	err = s.retry(ctx, "read the ledger", func() error {
		all = nil
		rows, err := s.conn.Query(ctx, query, uint16(partition))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p Position
			var next uint64
			if err := rows.Scan(&p.Topic, &next, &p.LastPrint, &p.Accounts.Accepted, &p.Accounts.Duplicate, &p.Accounts.Superseded, &p.Accounts.Rejected); err != nil {
				return err
			}
			p.NextOffset = int64(next)
			all = append(all, p)
		}
		return rows.Err()
	})
	return all, err
}

// Accounted are the accounts of everything that is in the ledger, over all topics and partitions.
func (s *Store) Accounted(ctx context.Context) (Accounts, error) {
	var a Accounts
	err := s.retry(ctx, "read the accounts", func() error {
		return s.conn.QueryRow(ctx, "SELECT sum(accepted), sum(duplicate), sum(superseded), sum(rejected) FROM retorno.accounts").
			Scan(&a.Accepted, &a.Duplicate, &a.Superseded, &a.Rejected)
	})
	return a, err
}

// redriven are rows of retorno.redriven.
type redriven struct {
	block
	topic, account *names
	partition      *proto.ColUInt16
	offset, again  numbers
}

func newRedriven() *redriven {
	r := &redriven{}
	b := &r.block
	r.topic, r.account = col(b, "topic", newNames()), col(b, "account", newNames())
	r.partition, r.offset, r.again = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "kafka_offset", newNumbers()), col(b, "again", newNumbers())
	return r
}

func (r *redriven) add(from, to Origin, account string) {
	r.topic.Append(from.Topic)
	r.partition.Append(uint16(from.Partition))
	r.offset.Append(uint64(from.Offset))
	r.again.Append(uint64(to.Offset))
	r.account.Append(account)
}

// sources are rows of retorno.source_records.
type sources struct {
	block
	id     *names
	seq    numbers
	sent   times
	offset *proto.ColInt64
}

func newSources() *sources {
	s := &sources{}
	b := &s.block
	s.id, s.seq, s.sent = col(b, "source_id", newNames()), col(b, "source_seq", newNumbers()), col(b, "sent_at", newTimes())
	s.offset = col(b, "clock_offset_ms", new(proto.ColInt64))
	return s
}

func (s *sources) add(id []byte, seq uint64, sentAtMs, clockOffsetMs int64) {
	s.id.AppendBytes(id)
	s.seq.Append(seq)
	s.sent.AppendRaw(proto.DateTime64(sentAtMs))
	s.offset.Append(clockOffsetMs)
}
