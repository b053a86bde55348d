package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"retorno/deploy/lab/register"
)

// visibility sends events at a steady rate and looks when they are visible.
func (r *run) visibility(ctx context.Context) (err error) {
	m, err := r.startMachine(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	l, err := makeLoad(ctx, r.cfg.Seed, r.cfg.Rate*r.cfg.SteadySeconds)
	if err != nil {
		return err
	}
	p, err := m.startConsumer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, endAll([]*process{p})) }()
	r.say("sending %d events at %d a second", len(l.messages), r.cfg.Rate)
	f := &flow{m: m, l: l, rate: r.cfg.Rate, probes: newProbes(50 * time.Millisecond)}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan error, 1)
	go func() { watched <- f.probes.watch(watching, m) }()
	began := time.Now()
	if err := f.run(ctx); err != nil {
		return err
	}
	rate := float64(f.acked.Load()) / time.Since(began).Seconds()
	if err := m.awaitLedger(ctx, int(f.acked.Load()), []*process{p}); err != nil {
		return err
	}
	err = await(ctx, "see every probe", visiblePatience, func() (bool, error) { return f.probes.allSeen(), nil })
	if stop(); err != nil {
		return err
	}
	if err := <-watched; err != nil {
		return err
	}
	return r.visible(ctx, m, f, rate)
}

// visible makes the figures of the probes, by thirds of the time, and holds the cells against the truth.
func (r *run) visible(ctx context.Context, m *machine, f *flow, rate float64) error {
	all, err := f.probes.latencies()
	if err != nil {
		return err
	}
	want := cellsOfTruth(f.l.truth)
	for _, route := range f.probes.order {
		want.returns[register.ReturnCell{Day: probeDay, Route: route, ReturnType: "unknown", EntryPoint: "L-COR", ExitPoint: "X-UNK", Centre: "X-NON", Sex: "U", AgeGroup: "unknown"}] =
			register.ReturnCount{Checkpoint: 1, Reconciled: 1}
	}
	want.crossings[register.CrossingCell{Day: probeDay, BorderPoint: "L-COR", Direction: "entry", DocumentCheck: "unknown"}] += len(all)
	have, err := m.storedCells(ctx, "retorno", true)
	if err != nil {
		return err
	}
	if faults := want.differences(have); len(faults) > 0 {
		r.report.fault("visible_p99_seconds: %v", faults)
		return nil
	}
	var tails, middles []float64
	for third := range 3 {
		part := all[len(all)*third/3 : len(all)*(third+1)/3]
		tails, middles = append(tails, percentile(part, 99)), append(middles, percentile(part, 50))
	}
	method := fmt.Sprintf("%d probes, each an event that makes a cell of its own, among %d events sent through our producer at %.0f a second; from the acknowledgement of its batch until a query of ceniss.return_counts, asked every %s, shows the cell; the 99th percentile in each third of the time", len(all), len(f.l.messages), rate, lookEvery)
	r.report.set("visible_p99_seconds", "s", method, tails)
	r.report.set("visible_p50_seconds", "s", "the median of the same probes", middles)
	return nil
}

// startConsumer starts a consumer process and waits until it has taken over every partition.
func (m *machine) startConsumer(ctx context.Context) (*process, error) {
	p, err := m.consume("steady")
	if err != nil {
		return nil, err
	}
	err = await(ctx, "take over every partition", visiblePatience, func() (bool, error) {
		if err := p.alive(); err != nil {
			return false, err
		}
		n, err := m.number(ctx, "(SELECT uniqExact(kafka_partition) FROM retorno.ledger)")
		return n == int64(m.cfg.Partitions), err
	})
	if err != nil {
		return nil, errors.Join(err, endAll([]*process{p}))
	}
	return p, nil
}
