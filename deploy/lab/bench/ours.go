package bench

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"retorno/consumers/counting/verify"
)

// result is one run of one contender.
type result struct {
	events int
	wall   time.Duration // from the start of the contender to the moment everything is visible
	cpu    time.Duration // of the contender itself
	engine time.Duration // CPU of ClickHouse meanwhile
	merge  time.Duration // for which ClickHouse's merges were busy meanwhile
	sort   time.Duration // for which ClickHouse sorted what was inserted meanwhile
	broker time.Duration // CPU of Kafka meanwhile
	rss    uint64
	faults []string // what is wrong with its counts
}

func (r result) rate() float64 { return float64(r.events) / r.wall.Seconds() }

// visiblePatience is how long one run of a contender may take.
const visiblePatience = 20 * time.Minute

// ours counts everything in the topics from the beginning with consumer processes that share the work.
type ours struct {
	m         *machine
	l         *load
	want      cells
	processes int
	profile   string // takes a CPU profile of the next run; "": none
	runs      int
}

func newOurs(m *machine, l *load) *ours {
	return &ours{m: m, l: l, want: cellsOfTruth(l.truth).times(l.copies), processes: 1}
}

func (o *ours) name() string { return "ours" }

func (o *ours) run(ctx context.Context) (result, error) {
	if err := o.m.newSchema(ctx); err != nil {
		return result{}, err
	}
	r, err := o.consume(ctx)
	if err != nil {
		return r, err
	}
	return r, o.check(ctx, &r)
}

// consume runs the processes until the ledger, which each flush writes last, accounts for every event.
func (o *ours) consume(ctx context.Context) (r result, err error) {
	o.runs++
	var flags []string
	if o.profile != "" {
		flags, o.profile = []string{"--cpuprofile=" + o.profile}, ""
	}
	used, err := o.m.usage(ctx)
	if err != nil {
		return r, err
	}
	began := time.Now()
	var all []*process
	defer func() {
		err = errors.Join(err, endAll(all))
		for _, p := range all {
			r.cpu += p.cpu()
			r.rss = max(r.rss, p.most)
		}
	}()
	for range o.processes {
		p, err := o.m.consume(fmt.Sprintf("ours-%d-%d", o.processes, o.runs), flags...)
		if err != nil {
			return r, err
		}
		all = append(all, p)
	}
	err = o.m.awaitLedger(ctx, o.l.events(), all)
	r.events, r.wall = o.l.events(), time.Since(began)
	err = errors.Join(err, r.used(ctx, o.m, used))
	r.cpu = 0
	return r, err
}

// awaitLedger waits until so many records are in the accounts.
func (m *machine) awaitLedger(ctx context.Context, events int, all []*process) error {
	return await(ctx, "count every event", visiblePatience, func() (bool, error) {
		for _, p := range all {
			if err := p.alive(); err != nil {
				return false, err
			}
		}
		return m.accounted(ctx, int64(events))
	})
}

// accounted reports whether so many records are in the accounts. The exact question takes its share of the machine, so it is
// asked only when the ledger's rows, which may hold some twice, come to as many.
func (m *machine) accounted(ctx context.Context, events int64) (bool, error) {
	n, err := m.number(ctx, "(SELECT sum(read) FROM retorno.ledger)")
	if err == nil && n >= events {
		n, err = m.number(ctx, "(SELECT sum(read) FROM retorno.accounts)")
	}
	return n >= events, err
}

// check holds what stands in ClickHouse against the truth of the register, and asks the verifier.
func (o *ours) check(ctx context.Context, r *result) error {
	have, err := o.m.storedCells(ctx, "retorno", true)
	if err != nil {
		return err
	}
	r.faults = o.want.differences(have)
	report, err := verify.Once(ctx, o.m.conn())
	if err != nil {
		return err
	}
	if n := report.Different(); n > 0 {
		r.faults = append(r.faults, fmt.Sprintf("the verifier disagrees on %d rows", n))
	}
	return nil
}

// usage is the CPU time that ClickHouse, Kafka and this process have used so far, and for how long ClickHouse has merged and
// sorted.
type usage struct{ engine, broker, self, merge, sort time.Duration }

func (m *machine) usage(ctx context.Context) (usage, error) {
	u := usage{engine: cpuOf(m.engine.PID()), broker: cpuOf(m.broker.PID())}
	merge, err := m.number(ctx, "(SELECT sum(value) FROM system.events WHERE event = 'MergeExecuteMilliseconds')")
	if err != nil {
		return u, err
	}
	sort, err := m.number(ctx, "(SELECT sum(value) FROM system.events WHERE event = 'MergeTreeDataWriterSortingBlocksMicroseconds')")
	u.merge, u.sort = time.Duration(merge)*time.Millisecond, time.Duration(sort)*time.Microsecond
	var self syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &self) == nil {
		u.self = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	}
	return u, err
}

// used notes what ClickHouse and Kafka have used since before, and of the contender what this process has, in which
// all contenders but ours run.
func (r *result) used(ctx context.Context, m *machine, before usage) error {
	now, err := m.usage(ctx)
	r.engine, r.broker, r.cpu = now.engine-before.engine, now.broker-before.broker, now.self-before.self
	r.merge, r.sort = now.merge-before.merge, now.sort-before.sort
	return err
}

// cost is all CPU time of an event, in microseconds.
func (r *result) cost() float64 { return r.perEvent(r.cpu + r.engine + r.broker) }

// perEvent is an event's share of d, in microseconds.
func (r *result) perEvent(d time.Duration) float64 {
	return float64(d.Microseconds()) / float64(r.events)
}
