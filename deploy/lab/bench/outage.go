package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// outage takes ClickHouse away for a while and looks how long the consumer needs to catch up.
func (r *run) outage(ctx context.Context) (err error) {
	m, err := r.startMachine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	away := time.Duration(r.cfg.OutageSeconds) * time.Second
	// Events go on coming: a tenth of them before, and some after.
	l, err := makeLoad(ctx, r.cfg.Seed, r.cfg.Rate*(r.cfg.OutageSeconds*3/2+2))
	if err != nil {
		return err
	}
	p, err := m.startConsumer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endAll([]*process{p})) }()
	r.say("sending %d events at %d a second; ClickHouse will be away for %s", len(l.messages), r.cfg.Rate, away)
	f := &flow{m: m, l: l, rate: r.cfg.Rate}
	flowing, stop := context.WithCancel(ctx)
	defer stop()
	sent := make(chan error, 1)
	go func() { sent <- f.run(flowing) }()
	if err := m.awaitLedger(ctx, len(l.messages)/20, []*process{p}); err != nil {
		return err
	}
	took, err := m.interrupt(ctx, f, away, []*process{p})
	if err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if err := m.awaitLedger(ctx, len(l.messages), []*process{p}); err != nil {
		return err
	}
	have, err := m.storedCells(ctx, "retorno", true)
	if err != nil {
		return err
	}
	if faults := cellsOfTruth(l.truth).differences(have); len(faults) > 0 {
		r.report.fault("outage_catchup_ratio: %v", faults)
		return nil
	}
	r.report.Sizes["outage_seconds"] = r.cfg.OutageSeconds
	r.report.set("outage_catchup_ratio", "ratio", fmt.Sprintf("events are sent at %d a second without pause; ClickHouse is stopped for %s; from the moment it answers again until the ledger accounts for everything that Kafka had acknowledged one second before, divided by the time it was away", r.cfg.Rate, away), []float64{took.Seconds() / away.Seconds()})
	return nil
}

// interrupt stops ClickHouse for a while, and returns how long after it answers again the consumer is back to being
// at most a second behind.
func (m *machine) interrupt(ctx context.Context, f *flow, away time.Duration, all []*process) (time.Duration, error) {
	native := m.engine.Native()
	if err := m.engine.Kill(); err != nil {
		return 0, err
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(away):
	}
	engine, err := m.startEngine(ctx, native)
	if err != nil {
		return 0, err
	}
	m.engine = engine
	back := time.Now()
	type moment struct {
		at    time.Time
		acked int64
	}
	var past []moment
	err = await(ctx, "catch up after the outage", visiblePatience, func() (bool, error) {
		for _, p := range all {
			if err := p.alive(); err != nil {
				return false, err
			}
		}
		past = append(past, moment{time.Now(), f.acked.Load()})
		for len(past) > 1 && time.Since(past[1].at) > time.Second {
			past = past[1:] // what is left at the front is a second old
		}
		done, err := m.accounted(ctx, past[0].acked)
		return done && err == nil, nil // the pool may still hold connections to the one that is gone
	})
	return time.Since(back), err
}
