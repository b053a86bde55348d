// Package torture runs the embedded system under load and faults, and holds what comes out against the truth.
//
// It starts a broker, a ClickHouse engine, and consumers as processes of their own, sends a made register through
// them, and meanwhile makes faults: every step (which, when, how long, on whom) is drawn from the seed before the
// first one is made. Beside them publishers, processes too, try again and again to publish the register's half-year and
// periods near it; some are killed or stopped between two statements. When the faults are over it waits until everything
// sent is accounted for, lets two publishers at once make a last vintage, and asks five oracles: the counts are the
// register's, cell by cell; the ledger's accounts balance and cover every offset of every partition without gap or
// overlap; the verifier finds no difference; all topics replayed into an empty database give the same tables; and each
// vintage that was ever seen was whole, stays as it was, and is what the facts before its positions come to.
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
	"iter"
	"math"
	"sync"
	"time"

	"retorno/deploy/lab/register"
	"retorno/producers/producer"
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
		r.plan = draw(cfg, 0x746f7274757265)
		calm := cfg
		calm.For, calm.Every = after(cfg.For), 2*cfg.Every
		r.calm = draw(calm, 0x63616c6d)
	}
	err = r.do(ctx)
	return r.report, err
}

// run is one run under way.
type run struct {
	cfg     Config
	made    *register.Register
	besides besides
	plan    []step // while most of the register is sent
	calm    []step // afterwards, while the rest follows
	next    func() (register.Event, error, bool)
	writer  *producer.Writer // of the register
	sent    int              // events of the register
	report  *Report
	machine *machine
	press   *press
	began   time.Time
}

func (r *run) do(ctx context.Context) (err error) {
	r.say("seed %d: %d events over %s, %d consumers, %d faults", r.cfg.Seed, r.made.Counts().Events, r.cfg.For, r.cfg.Consumers, len(r.plan)+len(r.calm))
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
	if r.press, err = r.startPress(ctx); err != nil {
		return err
	}
	defer r.press.end()
	r.began = time.Now()
	if err := r.perform(ctx); err != nil {
		return err
	}
	if err := r.press.finish(ctx); err != nil {
		return err
	}
	r.press.end()
	cancel()
	<-watched
	return r.judge(context.WithoutCancel(ctx))
}

// mainPart is the part of the register that is sent evenly under the faults. What is left follows afterwards in lots, with fewer
// faults: between two lots the counts rest, so that periods are published between faults, and change.
const (
	mainPart = 0.95
	lots     = 3
)

// perform sends the register and makes the faults, first under load, then beside the publishers.
func (r *run) perform(ctx context.Context) (err error) {
	next, stop := iter.Pull2(r.events)
	defer stop()
	if r.writer, err = r.machine.writer(r.report.producer); err != nil {
		return err
	}
	defer func() { _ = r.writer.Close() }()
	r.next = next
	total := float64(r.made.Counts().Events)
	err = r.torment(ctx, r.plan, r.cfg.For, func(time float64) float64 { return total * mainPart * time })
	if err != nil {
		return err
	}
	if err := r.press.compareAll(ctx); err != nil {
		return err
	}
	lasts := after(r.cfg.For)
	err = r.torment(ctx, r.calm, lasts, func(time float64) float64 { return total * (mainPart + (1-mainPart)*math.Ceil(lots*time)/lots) })
	r.report.Settled = time.Since(r.began)
	return err
}

// torment makes the steps of a plan, each at its time, while events are sent: due is how many after a part of the time. It
// returns when all that was sent is counted.
func (r *run) torment(ctx context.Context, plan []step, lasts time.Duration, due func(time float64) float64) error {
	began := time.Now()
	var load sync.WaitGroup
	defer load.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var unsent error
	load.Go(func() {
		unsent = r.load(ctx, func() (int, bool) {
			part := min(1, float64(time.Since(began))/float64(lasts))
			return int(math.Round(due(part))), part < 1
		})
	})
	for _, s := range plan {
		if err := pause(ctx, time.Until(began.Add(s.at))); err != nil {
			return err
		}
		r.say("%8s  %s", time.Since(r.began).Round(time.Millisecond), s)
		if err := r.make(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		r.report.Faults[s.kind]++
	}
	if err := pause(ctx, time.Until(began.Add(lasts))); err != nil {
		return err
	}
	if err := r.machine.heal(ctx); err != nil {
		return fmt.Errorf("end of the faults: %w", err)
	}
	r.say("faults over after %s; waiting until all is counted", time.Since(r.began).Round(100*time.Millisecond))
	if load.Wait(); unsent != nil {
		return fmt.Errorf("load: %w", unsent)
	}
	r.report.Loaded = time.Since(r.began)
	return r.settle(ctx)
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
