package verify

import "sync"

// progress is how much of a full pass is done, in facts: each is taken up once by each check that reads facts. Safe for use
// by several goroutines.
type progress struct {
	tell func(done, total uint64) // nil: it is not told

	mu          sync.Mutex
	done, total uint64
}

func (p *progress) advance(facts uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += facts
	if p.tell != nil && p.total > 0 { // of an incremental pass the total is not known
		p.tell(min(p.done, p.total), p.total)
	}
}

// takes is how many checks take up each fact of a Kafka partition.
func (p *pass) takes(partition uint16) uint64 {
	const inPieces = 3 // returns, helps, crossings
	if p.hears(partition) {
		return inPieces + 1
	}
	return inPieces
}

// done notes that a check has taken up the facts of a piece.
func (p *pass) done(of piece) {
	p.taken += of.facts
	p.progress.advance(of.facts)
}
