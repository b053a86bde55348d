package store

import (
	"context"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// Entry is one row of the ledger: a run of offsets of one log of a topic and partition, and what became of its records.
// NextOffset - FirstOffset = Accounts.Span(), always.
type Entry struct {
	Topic       string
	Log         int // see Origin.Log
	FirstOffset int64
	NextOffset  int64  // the offset after the last one read
	LastPrint   uint64 // the fingerprint of the last message read: stream.Message.Fingerprint; 0: not known
	Accounts    Accounts
	// GivenUp: a decision that is not in the ledger yet gave these offsets up; what is stored of them stays. See Audit.
	GivenUp bool
	// Bound: Left is known. Rows of programs before migration 0005 are not bound.
	Bound    bool
	Left     Left
	Consumer string
	At       time.Time
}

// Accounts say what became of offsets that were read. Each is in exactly one account.
type Accounts struct {
	Accepted, Duplicate, Superseded, Rejected uint64 // records
	Control                                   uint64 // offsets without a record: transaction markers, records of aborted transactions
	Lost                                      uint64 // offsets that a recorded decision gave up
}

// Read is how many records were read.
func (a Accounts) Read() uint64 { return a.Accepted + a.Duplicate + a.Superseded + a.Rejected }

// Span is how many offsets are accounted for.
func (a Accounts) Span() uint64 { return a.Read() + a.Control + a.Lost }

// Plus is the sum of two accounts.
func (a Accounts) Plus(b Accounts) Accounts {
	return Accounts{a.Accepted + b.Accepted, a.Duplicate + b.Duplicate, a.Superseded + b.Superseded, a.Rejected + b.Rejected,
		a.Control + b.Control, a.Lost + b.Lost}
}

// Left is what a flush left behind in the tables whose rows lie at places in Kafka. Of retorno.facts it is
// Accounts.Accepted rows.
type Left struct {
	FactsSum uint64 // sum of factSum over the rows of retorno.facts, modulo 2^64
	Sendings uint64 // rows of retorno.sendings
	Redriven uint64 // offsets with a row in retorno.redriven
}

// Plus is what both left behind.
func (l Left) Plus(m Left) Left {
	return Left{l.FactsSum + m.FactsSum, l.Sendings + m.Sendings, l.Redriven + m.Redriven}
}

// Follow joins the run of offsets that follows to e.
func (e Entry) Follow(next Entry) Entry {
	next.FirstOffset = e.FirstOffset
	next.Accounts = e.Accounts.Plus(next.Accounts)
	next.Bound = e.Bound && next.Bound
	next.Left = e.Left.Plus(next.Left)
	return next
}

type ledger struct {
	block
	topic, consumer                                                     *names
	partition, log                                                      *proto.ColUInt16
	epoch                                                               *proto.ColUInt32
	bound                                                               flags
	first, next, print, read, accepted, duplicate, superseded, rejected numbers
	control, lost, factsSum, sendings, redriven                         numbers
	at                                                                  times
}

func newLedger() *ledger {
	l := &ledger{}
	b := &l.block
	l.topic, l.consumer = col(b, "topic", newNames()), col(b, "consumer", newNames())
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

func (l *ledger) add(partition int, epoch uint32, e Entry) {
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
func (c *Claim) Accounts(ctx context.Context) ([]Entry, error) {
	if c.first {
		return nil, nil
	}
	return c.store.entries(ctx, c.partition)
}

func (s *Store) entries(ctx context.Context, partition int) (all []Entry, err error) {
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
			var e Entry
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
	return withoutGaps(all), err
}

// withoutGaps leaves out what lies behind the first gap of a log. The rows are in order.
func withoutGaps(all []Entry) []Entry {
	var held []Entry
	var topic string
	log, next, broken := -1, int64(0), false
	for _, e := range all {
		if e.Topic != topic || e.Log != log {
			topic, log, next, broken = e.Topic, e.Log, 0, false
		}
		if broken = broken || e.FirstOffset != next; broken {
			continue
		}
		next = e.NextOffset
		held = append(held, e)
	}
	return held
}

// Position is where the ledger stands for one topic of a partition.
type Position struct {
	Topic      string
	Log        int // the newest one: see Origin.Log
	NextOffset int64
	LastPrint  uint64   // the fingerprint of the message before NextOffset; 0: not known
	Accounts   Accounts // of everything up to NextOffset, earlier logs included
}

// Positions reads where the ledger stands for a Kafka partition: the end of what it accounts for without a gap, for
// each topic that it knows.
func (s *Store) Positions(ctx context.Context, partition int) ([]Position, error) {
	entries, err := s.entries(ctx, partition)
	return PositionsOf(entries), err
}

// PositionsOf are the ends of rows of the ledger that hold, which are in order.
func PositionsOf(entries []Entry) []Position {
	var all []Position
	for _, e := range entries {
		if len(all) == 0 || all[len(all)-1].Topic != e.Topic {
			all = append(all, Position{Topic: e.Topic})
		}
		p := &all[len(all)-1]
		if e.NextOffset > e.FirstOffset || e.Log != p.Log || e.LastPrint != 0 {
			p.LastPrint = e.LastPrint
		}
		p.Log, p.NextOffset, p.Accounts = e.Log, e.NextOffset, p.Accounts.Plus(e.Accounts)
	}
	return all
}

// Accounted are the accounts of everything that is in the ledger, over all topics and partitions.
func (s *Store) Accounted(ctx context.Context) (Accounts, error) {
	var a Accounts
	err := s.retry(ctx, "read the accounts", func() error {
		return s.conn.QueryRow(ctx, "SELECT sum(accepted), sum(duplicate), sum(superseded), sum(rejected), sum(control), sum(lost) FROM retorno.accounts").
			Scan(&a.Accepted, &a.Duplicate, &a.Superseded, &a.Rejected, &a.Control, &a.Lost)
	})
	return a, err
}
