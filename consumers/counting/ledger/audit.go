package ledger

import (
	"fmt"
	"slices"
)

// Audit compares what is stored of one Kafka partition with what the rows of its ledger say that their flushes left
// behind. A replica that lags, a host that lost power, a table restored alone and a broken part all show here as a run of
// offsets that does not add up.
type Audit struct {
	logs []auditedLog
}

// auditedLog is one log of one topic: its rows of the ledger without a gap, and what was found of each.
type auditedLog struct {
	topic   string
	log     int
	entries []Entry
	found   []Found
	facts   bits
	sending bits
	redrive bits
	beyond  sparse // offsets of facts that the ledger does not account for
	at      int    // the entry that the row before fell in: rows come in runs
}

// Found is what is stored of the offsets of an entry.
type Found struct {
	Facts uint64 // rows of retorno.facts, each once
	Left  Left
}

// NewAudit makes an audit of rows of the ledger that hold, in order.
func NewAudit(entries []Entry) *Audit {
	a := &Audit{}
	for _, e := range entries {
		last := len(a.logs) - 1
		if last < 0 || a.logs[last].topic != e.Topic || a.logs[last].log != e.Log {
			a.logs = append(a.logs, auditedLog{topic: e.Topic, log: e.Log})
			last++
		}
		l := &a.logs[last]
		l.entries, l.found = append(l.entries, e), append(l.found, Found{})
	}
	return a
}

// log finds the log of an origin; nil when the ledger does not have it.
func (a *Audit) log(o Origin) *auditedLog {
	for i := range a.logs {
		if l := &a.logs[i]; l.log == o.Log && l.topic == o.Topic {
			return l
		}
	}
	return nil
}

// entry finds what was found of the entry that accounts for an offset; nil when none does.
func (l *auditedLog) entry(offset int64) *Found {
	if l == nil {
		return nil
	}
	if l.at < len(l.entries) && l.entries[l.at].holds(offset) {
		return &l.found[l.at]
	}
	at, _ := slices.BinarySearchFunc(l.entries, offset, func(e Entry, offset int64) int {
		if e.NextOffset <= offset {
			return -1
		}
		return 1
	})
	if at == len(l.entries) || !l.entries[at].holds(offset) {
		return nil
	}
	l.at = at
	return &l.found[at]
}

func (e *Entry) holds(offset int64) bool { return offset >= e.FirstOffset && offset < e.NextOffset }

// Fact notes a row of retorno.facts: where its record was read, and its FactSum.
func (a *Audit) Fact(at Origin, sum uint64) {
	l := a.log(at)
	if l == nil {
		a.logs = append(a.logs, auditedLog{topic: at.Topic, log: at.Log})
		l = &a.logs[len(a.logs)-1]
	}
	found := l.entry(at.Offset)
	switch {
	case found == nil && l.beyond == nil:
		l.beyond = sparse{}
		fallthrough
	case found == nil:
		l.beyond.set(at.Offset)
	case l.facts.set(at.Offset):
		found.Facts++
		found.Left.FactsSum += sum
	}
}

// SendingAt notes a row of retorno.sendings.
func (a *Audit) SendingAt(o Origin) {
	l := a.log(o)
	if found := l.entry(o.Offset); found != nil && l.sending.set(o.Offset) {
		found.Left.Sendings++
	}
}

// RedrivenAt notes a row of retorno.redriven.
func (a *Audit) RedrivenAt(o Origin) {
	l := a.log(o)
	if found := l.entry(o.Offset); found != nil && l.redrive.set(o.Offset) {
		found.Left.Redriven++
	}
}

// Beyond reports whether the audit has seen rows of retorno.facts that the ledger does not account for.
func (a *Audit) Beyond() bool {
	return slices.ContainsFunc(a.logs, func(l auditedLog) bool { return len(l.beyond) > 0 })
}

// Stored reports whether the audit has seen a row of retorno.facts at that place.
func (a *Audit) Stored(o Origin) bool {
	l := a.log(o)
	if l == nil {
		return false
	}
	return l.beyond.has(o.Offset) || l.facts.has(o.Offset)
}

// Entries are the rows of the ledger that the audit was made of. Of offsets that are given up, those of which a fact is
// stored are accepted, and the others lost.
func (a *Audit) Entries() []Entry {
	var all []Entry
	for i := range a.logs {
		l := &a.logs[i]
		for n, e := range l.entries {
			if f := l.found[n]; e.GivenUp {
				e.Accounts = Accounts{Accepted: f.Facts, Lost: uint64(e.NextOffset-e.FirstOffset) - f.Facts}
				e.Bound, e.Left = true, f.Left
			}
			all = append(all, e)
		}
	}
	return all
}

// Shortfall is a run of offsets whose flush left behind something else than what is stored.
type Shortfall struct {
	Entry Entry
	Found Found
}

func (s Shortfall) String() string {
	e := s.Entry
	return fmt.Sprintf("topic %s, log %d, offsets %d to %d: %d of %d facts, %d of %d sendings and %d of %d redriven records are stored, checksum %016x, expected %016x",
		e.Topic, e.Log, e.FirstOffset, e.NextOffset-1, s.Found.Facts, e.Accounts.Accepted, s.Found.Left.Sendings, e.Left.Sendings,
		s.Found.Left.Redriven, e.Left.Redriven, s.Found.Left.FactsSum, e.Left.FactsSum)
}

// Shortfalls are the runs of offsets that do not add up, in order. Rows of the ledger that are not bound are believed.
func (a *Audit) Shortfalls() []Shortfall {
	var all []Shortfall
	for i := range a.logs {
		l := &a.logs[i]
		for n, e := range l.entries {
			if f := l.found[n]; e.Bound && !e.GivenUp && (f.Facts != e.Accounts.Accepted || f.Left != e.Left) {
				all = append(all, Shortfall{e, f})
			}
		}
	}
	return all
}

// bits are a set of offsets.
type bits []uint64

// set adds an offset, and returns whether it is new.
func (b *bits) set(offset int64) bool {
	for int(offset>>6) >= len(*b) {
		*b = append(*b, make([]uint64, max(64, len(*b)))...)
	}
	word, bit := &(*b)[offset>>6], uint64(1)<<(offset&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

func (b bits) has(offset int64) bool {
	return int(offset>>6) < len(b) && b[offset>>6]&(1<<(offset&63)) != 0
}

// sparse is a set of offsets of which none need be near another.
type sparse map[int64]uint64

func (s sparse) set(offset int64) { s[offset>>6] |= 1 << (offset & 63) }

func (s sparse) has(offset int64) bool { return s[offset>>6]&(1<<(offset&63)) != 0 }
