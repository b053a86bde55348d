package processor

import (
	"context"
	"fmt"
	"slices"

	"retorno/consumers/counting/ledger"
	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
)

// restore reads the ledger and the facts that it accounts for, and applies what was decided about the partition. A run of
// offsets whose flush left behind something else than what is stored is not believed: reading goes on at its first
// offset, and the records from there on are read from Kafka again, whose keys make that harmless.
func (r *runner) restore(ctx context.Context) error {
	entries, err := r.claim.Accounts(ctx)
	if err != nil {
		return err
	}
	decisions, err := r.cfg.Store.Decisions(ctx, r.shard.Partition())
	if err != nil {
		return err
	}
	for {
		entries = r.decided(entries, decisions)
		r.startAt(entries)
		r.tally, r.restored = newTally(), 0
		audit := ledger.NewAudit(entries)
		if err := r.load(ctx, audit); err != nil {
			return err
		}
		short := audit.Shortfalls()
		if len(short) == 0 {
			if audit.Beyond() {
				r.stored = audit
			}
			r.resumeLedger(audit.Entries())
			return nil
		}
		if entries, err = r.believed(entries, short); err != nil {
			return err
		}
	}
}

// decided adds to the rows of the ledger what was decided about where they end.
func (r *runner) decided(entries []ledger.Entry, decisions []store.Decision) []ledger.Entry {
	all := slices.Clone(entries)
	for _, d := range decisions {
		for _, topic := range r.cfg.Topics {
			at := ledger.Position{Topic: topic}
			for _, p := range ledger.PositionsOf(all) {
				if p.Topic == topic {
					at = p
				}
			}
			if d.Topic != topic || d.Log != at.Log || d.Position != at.NextOffset {
				continue
			}
			e := ledger.Entry{Topic: topic, Log: at.Log, FirstOffset: at.NextOffset, NextOffset: d.To, GivenUp: true, Accounts: ledger.Accounts{Lost: uint64(d.To - at.NextOffset)}}
			if d.Action == store.NewLog {
				e = ledger.Entry{Topic: topic, Log: at.Log + 1, NextOffset: d.To, GivenUp: true, Accounts: ledger.Accounts{Lost: uint64(d.To)}}
			}
			end := len(all)
			for end > 0 && all[end-1].Topic > topic {
				end--
			}
			all = slices.Insert(all, end, e)
			r.cfg.Logger.Warn("a decision is applied", "partition", r.shard.Partition(), "topic", topic, "action", d.Action, "position", d.Position, "to", d.To, "who", d.Who, "why", d.Why)
		}
	}
	return all
}

// startAt sets where reading begins: after what the rows of the ledger account for.
func (r *runner) startAt(entries []ledger.Entry) {
	clear(r.prints)
	for _, topic := range r.cfg.Topics {
		r.next[topic], r.logs[topic] = 0, 0
	}
	for _, p := range ledger.PositionsOf(entries) {
		r.next[p.Topic], r.prints[p.Topic], r.logs[p.Topic] = p.NextOffset, p.LastPrint, p.Log
		r.claim.SetLog(p.Topic, p.Log)
	}
}

// load loads the facts before the position into the state, and audits all that is stored.
func (r *runner) load(ctx context.Context, audit *ledger.Audit) error {
	err := r.claim.Facts(ctx, func(f *store.StoredFact) {
		audit.Fact(f.Origin, f.Sum)
		if o := f.Origin; o.Log < r.logs[o.Topic] || o.Log == r.logs[o.Topic] && o.Offset < r.next[o.Topic] {
			r.tally.load(f)
			r.restored++
		}
	})
	if err != nil {
		return err
	}
	return r.claim.Audit(ctx, audit)
}

// believed are the rows of the ledger before the first one of each topic that does not add up. A row of a log that is
// closed cannot be read again, which stops the partition.
func (r *runner) believed(entries []ledger.Entry, short []ledger.Shortfall) ([]ledger.Entry, error) {
	back := map[string]int64{}
	for _, s := range short {
		topic := s.Entry.Topic
		r.cfg.Logger.Error("ClickHouse does not hold what the ledger says: reading again from Kafka", "partition", r.shard.Partition(), "found", s.String())
		if s.Entry.Log < r.logs[topic] {
			return nil, stream.Stop(fmt.Errorf("ClickHouse has lost facts of a log that Kafka no longer holds: %s; restore the table from a backup", s))
		}
		if _, before := back[topic]; !before {
			back[topic] = s.Entry.FirstOffset
			r.metrics.reread.Add(float64(r.next[topic] - s.Entry.FirstOffset))
		}
	}
	r.metrics.shortfalls.Add(float64(len(short)))
	return slices.DeleteFunc(slices.Clone(entries), func(e ledger.Entry) bool {
		offset, broken := back[e.Topic]
		return broken && e.Log == r.logs[e.Topic] && e.FirstOffset >= offset
	}), nil
}

// Variables, so that tests need no hundred thousand records.
var (
	// foldRecords is how many offsets a row of the ledger sums up at most, about: what is read again when it does not add up.
	foldRecords uint64 = 100_000
	// foldFlushes is after how many flushes their rows are summed up.
	foldFlushes = 256
)

// segment is the run of offsets of one topic, up to the latest flush that is stored, which one row of the ledger will
// sum up.
type segment struct {
	sum     ledger.Entry
	flushes int
}

func (s *segment) add(e ledger.Entry) {
	if s.flushes == 0 {
		s.sum = e
	} else {
		s.sum = s.sum.Follow(e)
	}
	s.flushes++
}

// fold returns the row that sums up the segment when it is due. A full segment is over.
func (s *segment) fold() (sum ledger.Entry, due bool) {
	sum, due = s.sum, s.flushes > 1 && (s.full() || s.flushes >= foldFlushes)
	switch {
	case s.full():
		*s = segment{}
	case due:
		s.flushes = 1
	}
	return sum, due
}

func (s *segment) full() bool { return s.sum.Accounts.Span() >= foldRecords }

// resumeLedger begins the rows of this epoch where those of earlier epochs make a segment that is not full, so that short
// epochs do not make the ledger long; where there are very many rows, it sums up all of them.
func (r *runner) resumeLedger(entries []ledger.Entry) {
	for _, topic := range r.cfg.Topics {
		var all []segment
		rows := 0
		for _, e := range entries {
			if e.Topic == topic && e.GivenUp {
				r.books.settle(r.shard.Partition(), topic, ledger.Accounts{Lost: e.Accounts.Lost})
			}
			if e.Topic != topic || e.Log != r.logs[topic] {
				if e.Topic == topic && e.GivenUp {
					r.carried = append(r.carried, e)
				}
				continue
			}
			if e.Accounts.Span() == 0 {
				continue
			}
			if last := len(all) - 1; last < 0 || all[last].full() || all[last].sum.Bound != e.Bound {
				all = append(all, segment{})
			}
			all[len(all)-1].add(e)
			rows++
		}
		if rows <= foldFlushes {
			all = all[max(0, len(all)-1):]
		}
		r.segments[topic] = &segment{}
		if n := len(all); n > 0 && !all[n-1].full() {
			r.segments[topic] = &all[n-1]
		}
		begin := ledger.Entry{Topic: topic, Log: r.logs[topic], FirstOffset: r.next[topic]}
		for i, s := range all {
			s.sum.Consumer = r.cfg.Name
			r.carried = append(r.carried, s.sum)
			if i == 0 {
				begin = s.sum
			}
		}
		r.begins = append(r.begins, begin)
	}
}
