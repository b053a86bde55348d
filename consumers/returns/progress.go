package returns

import (
	"fmt"
	"slices"
	"sync"
)

// progress is how far each partition of this process is, for readiness.
type progress struct {
	mu     sync.Mutex
	shards map[int]lag
}

type lag struct {
	known  bool
	behind int64
}

func newProgress() *progress { return &progress{shards: map[int]lag{}} }

func (p *progress) began(partition int) { p.report(partition, false, 0) }

func (p *progress) report(partition int, known bool, behind int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shards[partition] = lag{known, behind}
}

func (p *progress) ended(partition int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.shards, partition)
}

// CaughtUp says whether every partition of this process is counted to its end; if not, the reasons, one for each
// partition, in order. A process without a partition is caught up.
func (c *Consumer) CaughtUp() (bool, []string) {
	p := c.state
	p.mu.Lock()
	defer p.mu.Unlock()
	var why []string
	for partition, l := range p.shards {
		switch {
		case !l.known:
			why = append(why, fmt.Sprintf("partition %d is being taken over", partition))
		case l.behind > 0:
			why = append(why, fmt.Sprintf("partition %d has %d records still to count", partition, l.behind))
		}
	}
	slices.Sort(why)
	return len(why) == 0, why
}
