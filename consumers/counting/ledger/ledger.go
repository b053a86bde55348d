// Package ledger is the arithmetic of the ledger: which offsets of a log are accounted for, what became of their records,
// and whether what is stored adds up to it. Pure: no I/O, no clock.
//
// It promises that accounts only add up, and that whatever lies behind a gap, or differs from what a flush left behind, is
// told from what holds. The store reads and writes the rows.
package ledger

import (
	"time"
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

// WithoutGaps leaves out what lies behind the first gap of a log. The rows are in order.
func WithoutGaps(all []Entry) []Entry {
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
