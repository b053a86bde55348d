package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
)

// errAgain says that everything is to be compared again, and why.
var errAgain = errors.New("verify: everything is to be compared again")

// Once makes one full pass over what ClickHouse holds; the facts are not compared with the log, and nothing is recorded.
// The error says that ClickHouse could not be asked.
func Once(ctx context.Context, conn driver.Conn) (Report, error) {
	report, _, err := (&pass{conn: conn, atOnce: 1, progress: &progress{}}).full(ctx)
	return report, err
}

// Once makes one full pass, the comparison of the facts with the log included; nothing is recorded. The error says that
// Kafka or ClickHouse could not be asked.
func (k *Kafka) Once(ctx context.Context, conn driver.Conn) (Report, error) {
	report, _, err := (&pass{conn: conn, kafka: k, atOnce: 1, progress: &progress{}}).full(ctx)
	return report, err
}

// pass is what a pass works with.
type pass struct {
	conn     driver.Conn
	kafka    *Kafka    // nil: there is none
	journal  *journal  // nil: the pass is not recorded
	begun    *begun    // the full pass to go on with; nil: another is begun
	atOnce   int       // how many Kafka partitions are compared at once
	progress *progress // of a full pass

	taken uint64 // facts that the checks of one Kafka partition have taken up
}

// hears reports whether a Kafka partition has a log that facts are sent to.
func (p *pass) hears(partition uint16) bool {
	return p.kafka != nil && int(partition) < p.kafka.Partitions
}

// full compares everything.
func (p *pass) full(ctx context.Context) (Report, *state, error) {
	report := Report{At: time.Now(), Full: true}
	begun := p.begun
	if begun == nil {
		var err error
		if begun, err = p.begin(ctx); err != nil {
			return report, nil, err
		}
	}
	report.At, report.Behind = begun.at, begun.Behind
	of, err := p.partitions(ctx)
	if err != nil {
		return report, nil, err
	}
	for partition, facts := range of {
		p.progress.total += (facts + 1) * p.takes(partition)
	}
	if err := p.parts(ctx, begun, of); err != nil {
		return report, nil, err
	}
	all := &results{}
	for _, check := range p.checks() {
		all.of(check)
	}
	for _, partition := range slices.Sorted(maps.Keys(begun.parts)) {
		found := begun.parts[partition]
		all.add(found.Results)
		if found.Log != nil {
			report.Partitions = append(report.Partitions, *found.Log)
		}
	}
	if err := confirm(ctx, []look{sourcesLook(p.conn)}, all, settled(p.conn)); err != nil {
		return report, nil, err
	}
	report.Results, report.Took = all.all, time.Since(report.At)
	return report, &begun.state, p.journal.end(ctx, begun, report)
}

// parts compares the Kafka partitions that the pass has not compared yet; of is how many facts each has.
func (p *pass) parts(ctx context.Context, begun *begun, of map[uint16]uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(p.atOnce)
	var mu sync.Mutex // guards begun.parts
	for _, partition := range slices.Sorted(maps.Keys(of)) {
		work := (of[partition] + 1) * p.takes(partition)
		mu.Lock()
		_, made := begun.parts[partition]
		mu.Unlock()
		if made {
			p.progress.advance(work)
			continue
		}
		group.Go(func() error {
			own := *p
			found, err := own.partition(ctx, partition)
			if err == nil {
				err = p.journal.part(ctx, begun, partition, found)
			}
			if err != nil {
				return err
			}
			p.progress.advance(max(work, own.taken) - own.taken)
			mu.Lock()
			defer mu.Unlock()
			begun.parts[partition] = found
			return nil
		})
	}
	return group.Wait()
}

// begin notes where a full pass begins.
func (p *pass) begin(ctx context.Context) (*begun, error) {
	b := &begun{at: time.Now(), parts: map[uint16]part{}}
	var err error
	if b.Cells, _, err = newCells(ctx, p.conn, nil); err != nil {
		return nil, err
	}
	if p.kafka != nil {
		if b.Marks, b.Behind, err = p.kafka.stand(ctx, p.conn); err != nil {
			return nil, err
		}
	}
	return b, p.journal.begin(ctx, b)
}

// checks are the names of the checks of the pass.
func (p *pass) checks() []string {
	return slices.DeleteFunc(checkNames(), func(check string) bool { return check == checkFacts && p.kafka == nil })
}

// partitions are the Kafka partitions that a full pass goes through, with how many facts are stored of each.
func (p *pass) partitions(ctx context.Context) (map[uint16]uint64, error) {
	of, err := partitions(ctx, p.conn)
	if err == nil && p.kafka != nil {
		for partition := range p.kafka.Partitions {
			of[uint16(partition)] += 0
		}
	}
	return of, err
}

// partition compares everything of one Kafka partition.
func (p *pass) partition(ctx context.Context, partition uint16) (found part, err error) {
	if err := ctx.Err(); err != nil { // another one has failed
		return found, err
	}
	pieces, err := divide(ctx, p.conn, partition)
	if err != nil {
		return found, err
	}
	all := &results{}
	looks := []look{ledgerLook(p.conn, partition)}
	if p.hears(partition) {
		facts := &factsPass{pass: p, report: Partition{Partition: int(partition)}}
		if facts.spans, err = p.kafka.spans(ctx, p.conn, int(partition)); err != nil {
			return found, err
		}
		more, err := facts.suspects(ctx, pieces)
		if err != nil {
			return found, fmt.Errorf("verify %s: %w", checkFacts, err)
		}
		looks, found.Log = append(looks, more...), &facts.report
	}
	if p.kafka != nil {
		looks = append(looks, p.strays(partition))
	}
	checks := rowChecks()
	for _, name := range cellChecks {
		checks = append(checks, cellCheck(name))
	}
	more, err := p.suspects(ctx, scope{partition: partition}, pieces, checks, all)
	if err != nil {
		return found, err
	}
	if err := confirm(ctx, append(looks, more...), all, settled(p.conn)); err != nil {
		return found, err
	}
	found.Results = all.all
	return found, nil
}

// suspects are looks at what differs by its sums.
func (p *pass) suspects(ctx context.Context, s scope, pieces []piece, checks []check, results *results) (looks []look, err error) {
	for _, c := range checks {
		rows, more, err := c.suspects(ctx, p.conn, s, pieces, p.done)
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", c.name, err)
		}
		results.compared(c.name, rows)
		looks = append(looks, more...)
	}
	return looks, nil
}
