package bench

import (
	"context"
	"time"
)

// sharing lets one process, and two that share the partitions, count the same events, in turns.
func (r *run) sharing(ctx context.Context) error {
	m, l, err := r.loaded(ctx)
	if err != nil {
		return err
	}
	own := newOurs(m, l)
	if _, err := own.run(ctx); err != nil { // not counted: the first one meets a broker that has just been loaded
		return err
	}
	var costs []float64
	for round := range r.cfg.Rounds {
		var used [2]time.Duration
		for i := range used {
			own.processes = 1 + (i+round)%2
			res, err := own.run(ctx)
			if err != nil {
				return err
			}
			for _, f := range res.faults {
				r.report.fault("share_cost, %d processes: %s", own.processes, f)
			}
			used[own.processes-1] = res.cpu
		}
		if r.report.OK() {
			costs = append(costs, used[1].Seconds()/used[0].Seconds())
		}
		r.say("round %d of %d: CPU of one process %s, of two that share %s", round+1, r.cfg.Rounds, used[0], used[1])
	}
	r.report.set("share_cost", "ratio", "CPU time (user and system) of two `retorno consume` processes from their start to their end, divided by that of one, for the same events; start and the sharing out of partitions are part of it", costs)
	return nil
}
