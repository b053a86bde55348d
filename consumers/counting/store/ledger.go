package store

import (
	"context"

	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/store/column"
)

// ledgerRows are rows of retorno.ledger.
type ledgerRows struct {
	block
	topic, consumer                                                     *column.Names
	partition, log                                                      *proto.ColUInt16
	epoch                                                               *proto.ColUInt32
	bound                                                               flags
	first, next, print, read, accepted, duplicate, superseded, rejected numbers
	control, lost, factsSum, sendings, redriven                         numbers
	at                                                                  times
}

func newLedgerRows() *ledgerRows {
	l := &ledgerRows{}
	b := &l.block
	l.topic, l.consumer = col(b, "topic", column.NewNames()), col(b, "consumer", column.NewNames())
	l.partition, l.epoch, l.at = col(b, "kafka_partition", new(proto.ColUInt16)), col(b, "epoch", new(proto.ColUInt32)), col(b, "flushed_at", newTimes())
	l.log, l.bound = col(b, "log", new(proto.ColUInt16)), col(b, "bound", newFlags())
	l.first, l.next = col(b, "first_offset", newNumbers()), col(b, "next_offset", newNumbers())
	l.print, l.read = col(b, "last_print", newNumbers()), col(b, "read", newNumbers())
	l.accepted, l.duplicate = col(b, "accepted", newNumbers()), col(b, "duplicate", newNumbers())
	l.superseded, l.rejected = col(b, "superseded", newNumbers()), col(b, "rejected", newNumbers())
	l.control, l.lost = col(b, "control", newNumbers()), col(b, "lost", newNumbers())
	l.factsSum, l.sendings, l.redriven = col(b, "facts_sum", newNumbers()), col(b, "sendings", newNumbers()), col(b, "redriven", newNumbers())
	return l
}

func (l *ledgerRows) add(partition int, epoch uint32, e ledger.Entry) {
	l.topic.Append(e.Topic)
	l.consumer.Append(e.Consumer)
	l.partition.Append(uint16(partition))
	l.epoch.Append(epoch)
	l.log.Append(uint16(e.Log))
	l.bound.Append(flag(e.Bound))
	l.at.AppendRaw(proto.DateTime64(e.At.UnixMilli()))
	l.first.Append(uint64(e.FirstOffset))
	l.next.Append(uint64(e.NextOffset))
	l.print.Append(e.LastPrint)
	l.read.Append(e.Accounts.Read())
	l.accepted.Append(e.Accounts.Accepted)
	l.duplicate.Append(e.Accounts.Duplicate)
	l.superseded.Append(e.Accounts.Superseded)
	l.rejected.Append(e.Accounts.Rejected)
	l.control.Append(e.Accounts.Control)
	l.lost.Append(e.Accounts.Lost)
	l.factsSum.Append(e.Left.FactsSum)
	l.sendings.Append(e.Left.Sendings)
	l.redriven.Append(e.Left.Redriven)
}

// Accounts reads the rows of the ledger that hold of the claim's Kafka partition, by topic, log and offset. What lies
// behind a gap does not count: a database that was restored to an older state may hold rows of a process that had not
// noticed yet.
func (c *Claim) Accounts(ctx context.Context) ([]ledger.Entry, error) {
	if c.first {
		return nil, nil
	}
	return c.store.entries(ctx, c.partition)
}

func (s *Store) entries(ctx context.Context, partition int) (all []ledger.Entry, err error) {
	const query = `SELECT topic, toInt64(log), toInt64(first_offset), toInt64(next_offset), last_print, accepted, duplicate, superseded, rejected, control, lost,
			bound = 1, facts_sum, sendings, redriven, flushed_at
		FROM retorno.accounts WHERE kafka_partition = ? ORDER BY topic, log, first_offset, next_offset`
	err = s.retry(ctx, "read the ledger", func() error {
		all = nil
		rows, err := s.conn.Query(ctx, query, uint16(partition))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e ledger.Entry
			var log int64
			a, l := &e.Accounts, &e.Left
			if err := rows.Scan(&e.Topic, &log, &e.FirstOffset, &e.NextOffset, &e.LastPrint, &a.Accepted, &a.Duplicate, &a.Superseded, &a.Rejected,
				&a.Control, &a.Lost, &e.Bound, &l.FactsSum, &l.Sendings, &l.Redriven, &e.At); err != nil {
				return err
			}
			e.Log = int(log)
			all = append(all, e)
		}
		return rows.Err()
	})
	return ledger.WithoutGaps(all), err
}

// Positions reads where the ledger stands for a Kafka partition: the end of what it accounts for without a gap, for
// each topic that it knows.
func (s *Store) Positions(ctx context.Context, partition int) ([]ledger.Position, error) {
	entries, err := s.entries(ctx, partition)
	return ledger.PositionsOf(entries), err
}

// Accounted are the accounts of everything that is in the ledger, over all topics and partitions.
func (s *Store) Accounted(ctx context.Context) (ledger.Accounts, error) {
	var a ledger.Accounts
	err := s.retry(ctx, "read the accounts", func() error {
		return s.conn.QueryRow(ctx, "SELECT sum(accepted), sum(duplicate), sum(superseded), sum(rejected), sum(control), sum(lost) FROM retorno.accounts").
			Scan(&a.Accepted, &a.Duplicate, &a.Superseded, &a.Rejected, &a.Control, &a.Lost)
	})
	return a, err
}
