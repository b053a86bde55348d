package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// growthFactor is how many times more events the large run has than the small one: 20 M to 1 M.
const growthFactor = 20

// growth compares what an event costs when there are many with what it costs when there are few.
func (r *run) growth(ctx context.Context) error {
	l, err := makeLoad(ctx, r.cfg.Seed, r.cfg.GrowthEvents/growthFactor)
	if err != nil {
		return err
	}
	small, err := r.costs(ctx, l, r.cfg.Rounds)
	if err != nil {
		return err
	}
	l.copies = growthFactor
	r.report.Sizes["growth_events"] = l.events()
	large, err := r.costs(ctx, l, 1)
	if err != nil {
		return err
	}
	if !r.report.OK() {
		return nil
	}
	var growth []float64
	for _, s := range small {
		growth = append(growth, large[0]/s)
	}
	r.report.set("cost_growth", "ratio", fmt.Sprintf("CPU time of one `retorno consume` process from its start to its end, less that of one with nothing to count, per event, with %d events divided by that with %d; the goal is said of 20 M and 1 M", l.events(), len(l.messages)), growth)
	r.report.set("cpu_microseconds_per_event_few", "us", "CPU time of the consumer process per event in the small runs of cost_growth", small)
	r.report.set("cpu_microseconds_per_event_many", "us", "CPU time of the consumer process per event in the large run of cost_growth", large)
	return nil
}

// costs are the microseconds of CPU per event of our consumer, on a machine of its own.
func (r *run) costs(ctx context.Context, l *load, rounds int) (costs []float64, err error) {
	m, err := r.startMachine(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	idle, err := m.startConsumer(ctx)
	if err != nil {
		return nil, err
	}
	if err := endAll([]*process{idle}); err != nil {
		return nil, err
	}
	if err := l.send(ctx, m); err != nil {
		return nil, err
	}
	own := newOurs(m, l)
	for range rounds {
		res, err := own.run(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range res.faults {
			r.report.fault("cost_growth, %d events: %s", l.events(), f)
		}
		costs = append(costs, float64((res.cpu-idle.cpu()).Microseconds())/float64(l.events()))
		r.say("%d events: CPU %s, %.0f events/s, at most %d MB", l.events(), res.cpu.Round(time.Millisecond), res.rate(), res.rss>>20)
	}
	return costs, nil
}
