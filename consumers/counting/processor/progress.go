package processor

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// progress is how far each partition of this process is, for readiness, and whether it moves, for the watchdog.
type progress struct {
	mu     sync.Mutex
	shards map[int]lag
	pulses map[int]*pulse
}

// lag is how many records of a partition are not counted yet, and since when there have been any.
type lag struct {
	known  bool
	behind int64
	since  time.Time
}

func newProgress() *progress { return &progress{shards: map[int]lag{}, pulses: map[int]*pulse{}} }

func (p *progress) began(partition int) *pulse {
	p.report(partition, false, 0)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pulses[partition] = &pulse{heard: time.Now()}
	return p.pulses[partition]
}

// assigned forgets all partitions but these, which are still to be taken over.
func (p *progress) assigned(partitions []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.shards)
	for _, partition := range partitions {
		p.shards[partition] = lag{since: time.Now()}
	}
}

func (p *progress) report(partition int, known bool, behind int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := lag{known: known, behind: behind, since: time.Now()}
	if old, ok := p.shards[partition]; ok && old.behind > 0 && behind > 0 {
		l.since = old.since
	}
	p.shards[partition] = l
}

func (p *progress) ended(partition int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.shards, partition)
	delete(p.pulses, partition)
}

// CaughtUp reports whether every partition of this process has been counted to its end at some moment within the last
// grace; records that arrive without pause are always a flush behind. A partition whose end is not known is not. If not, it gives the reasons, one for each
// partition, in order. A process without a partition is caught up.
func (c *Processor) CaughtUp(grace time.Duration) (bool, []string) {
	p := c.state
	p.mu.Lock()
	defer p.mu.Unlock()
	var why []string
	for partition, l := range p.shards {
		switch {
		case !l.known:
			why = append(why, fmt.Sprintf("partition %d is being taken over, or the end of its log is not known", partition))
		case l.behind > 0 && time.Since(l.since) >= grace:
			why = append(why, fmt.Sprintf("partition %d has %d records still to count", partition, l.behind))
		}
	}
	slices.Sort(why)
	return len(why) == 0, why
}
