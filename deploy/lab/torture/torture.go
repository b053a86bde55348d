// Package torture runs the embedded system under load and faults, and holds what comes out against the truth.
//
// It starts a broker, a ClickHouse engine, and consumers as processes of their own, sends a made register through
// them, and meanwhile makes faults: every step (which, when, how long, on whom) is drawn from the seed before the
// first one is made. When the faults are over it waits until everything sent is accounted for, and asks four oracles:
// the counts are the register's, cell by cell; the ledger's accounts balance and cover every offset of every
// partition without gap or overlap; the verifier finds no difference; and all topics replayed into an empty database
// give the same tables.
//
// It promises that a run which returns no fault found lost nothing and counted nothing twice, and that a seed repeats
// the same steps; what the operating system makes of them in between is not repeated to the microsecond. It binds
// loopback addresses only, ends every process it started, and never touches anything outside of its folder. On
// failure the report names the oracle, the rows, and the seed.
package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"retorno/deploy/lab/register"
)

// Run makes one run. The error says that the run could not be made; what the oracles found is in the report.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	made, err := makeLoad(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("make the register: %w", err)
	}
	r := &run{cfg: cfg, made: made, besides: newBesides(), report: newReport(cfg, made)}
	if cfg.form() == "" {
		r.plan = draw(cfg)
	}
	err = r.do(ctx)
	return r.report, err
}

// run is one run under way.
type run struct {
	cfg     Config
	made    *register.Register
	besides besides
	plan    []step
	report  *Report
	machine *machine
	press   *press
	began   time.Time
}

func (r *run) do(ctx context.Context) (err error) {
	r.say("seed %d: %d events over %s, %d consumers, %d faults", r.cfg.Seed, r.made.Counts().Events, r.cfg.For, r.cfg.Consumers, len(r.plan))
	if r.machine, err = startMachine(ctx, r.cfg); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.machine.close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.machine.startConsumers(); err != nil {
		return err
	}
	r.began = time.Now()
	watched := r.machine.watch(ctx, r.report)
	if own := map[Kind]func(context.Context) error{Retention: r.retain, Recreate: r.recreate}[r.cfg.form()]; own != nil {
		err := own(ctx)
		cancel()
		<-watched
		return err
	}
	first, _ := r.made.Period()
	r.press = &press{machine: r.machine, say: r.say, periods: periodsOf(first), metrics: r.report.producer, outcomes: map[string]int{},
		rnd: rand.New(rand.NewPCG(r.cfg.Seed, 0x7072657373))}
	if err := r.press.begin(ctx); err != nil {
		return err
	}
	defer r.press.end()
	loaded := make(chan error, 1)
	go func() { loaded <- r.load(ctx) }()
	if err := r.torment(ctx); err != nil {
		return err
	}
	if err := r.machine.heal(ctx); err != nil {
		return fmt.Errorf("end of the faults: %w", err)
	}
	r.say("faults over after %s; waiting until all is counted", time.Since(r.began).Round(100*time.Millisecond))
	if err := <-loaded; err != nil {
		return fmt.Errorf("load: %w", err)
	}
	r.report.Loaded = time.Since(r.began)
	if err := r.settle(ctx); err != nil {
		return err
	}
	r.report.Settled = time.Since(r.began)
	if err := r.press.finish(ctx); err != nil {
		return err
	}
	cancel()
	<-watched
	return r.judge(context.WithoutCancel(ctx))
}

// torment makes the steps of the plan, each at its time.
func (r *run) torment(ctx context.Context) error {
	for _, s := range r.plan {
		if err := pause(ctx, time.Until(r.began.Add(s.at))); err != nil {
			return err
		}
		r.say("%8s  %s", s.at, s)
		if err := r.make(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		r.report.Faults[s.kind]++
	}
	return pause(ctx, time.Until(r.began.Add(r.cfg.For)))
}

func (r *run) say(format string, args ...any) {
	if r.cfg.Out != nil {
		_, _ = fmt.Fprintf(r.cfg.Out, format+"\n", args...)
	}
}

// pause waits unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
