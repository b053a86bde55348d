package verify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"retorno/consumers/counting/verify/wire"
)

// Verifier makes one pass after the other.
type Verifier struct {
	cfg     Config
	metrics *metrics

	passing sync.Mutex // held while a pass is made
	journal *journal   // nil: there is no Kafka, so no pass compares everything
	known   bool       // no pass of an earlier process, and none that failed, is to be gone on with
	begun   *begun     // a full pass that an earlier process has left; nil: none
	before  *state     // of the latest pass that found nothing; nil: the next pass is a full one
	fullAt  time.Time  // when the latest full pass began

	mu     sync.Mutex
	newest Report
	failed error
	moved  time.Time // when it last began or ended a pass, or got on with one
}

// New makes a verifier. The error is for wrong settings.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	v := &Verifier{cfg: cfg.withDefaults(), metrics: newMetrics(cfg.Registerer), moved: time.Now()}
	if cfg.Kafka != nil {
		v.journal = &journal{cfg.Conn}
	}
	return v, nil
}

// Run makes passes until ctx ends. A pass that cannot ask Kafka or ClickHouse is tried again at the next turn.
func (v *Verifier) Run(ctx context.Context) error {
	for {
		began := time.Now()
		v.move()
		_, err := v.Pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			v.cfg.Logger.Warn("the verifier could not make its pass", "error", err)
		}
		pause := max(v.cfg.Every, time.Duration(float64(time.Since(began))*(1/v.cfg.Share-1)))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// Pass makes one pass and keeps its report: an incremental one when there is one to go on from, a full one at first,
// after a difference, and when the latest full one is too old. The first one of a process goes on from where an earlier
// process was.
func (v *Verifier) Pass(ctx context.Context) (Report, error) { return v.pass(ctx, v.make) }

// Full makes one full pass from its begin and keeps its report.
func (v *Verifier) Full(ctx context.Context) (Report, error) {
	return v.pass(ctx, func(ctx context.Context) (Report, *state, error) {
		v.begun = nil
		return v.full(ctx)
	})
}

func (v *Verifier) pass(ctx context.Context, make func(context.Context) (Report, *state, error)) (Report, error) {
	v.passing.Lock()
	defer v.passing.Unlock()
	report, next, err := make(ctx)
	v.known = err == nil // what a full pass has done before it failed is in the journal
	if err == nil {
		if v.before = next; report.Different() > 0 || v.cfg.Kafka == nil {
			v.before = nil
		}
		if report.Full {
			v.begun, v.fullAt = nil, report.At
		}
	}
	v.keep(report, err)
	return report, err
}

func (v *Verifier) make(ctx context.Context) (Report, *state, error) {
	if err := v.remember(ctx); err != nil {
		return Report{}, nil, err
	}
	if v.before == nil || time.Since(v.fullAt) >= v.cfg.FullEvery {
		return v.full(ctx)
	}
	p := v.begin(nil)
	report, next, err := p.increment(ctx, v.before)
	var gone *wire.GoneError
	if errors.Is(err, errAgain) || errors.As(err, &gone) {
		v.cfg.Logger.Warn("the verifier compares everything again", "because", err)
		return v.full(ctx)
	}
	if err == nil {
		err = v.journal.increment(ctx, report, next)
	}
	return report, next, err
}

// full makes a full pass, or the rest of the one that an earlier process has left.
func (v *Verifier) full(ctx context.Context) (Report, *state, error) {
	p := v.begin(v.begun)
	defer v.metrics.progress.Set(1)
	return p.full(ctx)
}

func (v *Verifier) begin(from *begun) *pass {
	tell := func(done, total uint64) {
		v.move()
		v.metrics.progress.Set(float64(done) / float64(max(total, 1)))
		if v.cfg.Progress != nil {
			v.cfg.Progress(done, total)
		}
	}
	return &pass{conn: v.cfg.Conn, kafka: v.cfg.Kafka, journal: v.journal, begun: from, atOnce: v.cfg.AtOnce, progress: &progress{tell: tell}}
}

// remember asks the journal, once, where an earlier process was.
func (v *Verifier) remember(ctx context.Context) error {
	if v.journal == nil || v.known {
		return nil
	}
	last, lastFull, clean, err := v.journal.times(ctx)
	if err != nil {
		return err
	}
	v.metrics.recall(last, lastFull, clean)
	newest, err := v.journal.newest(ctx)
	if err != nil {
		return err
	}
	if newest != nil && time.Since(newest.at) < v.cfg.FullEvery {
		switch {
		case !newest.ended:
			v.cfg.Logger.Info("the verifier goes on with the pass of an earlier process", "began", newest.at, "partitions made", len(newest.parts))
			v.begun = newest
		case newest.wrong == 0:
			v.before, v.fullAt = &newest.state, newest.at
			if later, err := v.journal.latestIncrement(ctx, newest.at); err != nil {
				return err
			} else if later != nil {
				v.before = later
			}
		}
	}
	return nil
}

// keep notes what a pass came to.
func (v *Verifier) keep(report Report, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed, v.moved = err, time.Now()
	if err != nil {
		v.metrics.passes.WithLabelValues("failed").Inc()
		return
	}
	v.newest = report
	result := "agrees"
	for _, r := range report.Results {
		v.metrics.different.WithLabelValues(r.Check).Set(float64(r.Different))
		for _, d := range r.Differences {
			v.cfg.Logger.Error("the second count disagrees", "check", r.Check, "surplus", d.Surplus, "row", d.Row)
		}
		if r.Different > 0 {
			result = "differs"
		}
	}
	kind := "incremental"
	if report.Full {
		kind = "full"
		v.metrics.lastFull.SetToCurrentTime()
		if report.Different() == 0 {
			v.metrics.lastClean.Set(float64(report.At.UnixMilli()) / 1000)
		}
	}
	v.metrics.passes.WithLabelValues(result).Inc()
	v.metrics.seconds.WithLabelValues(kind).Observe(report.Took.Seconds())
	v.metrics.last.SetToCurrentTime()
	v.metrics.read.Add(float64(report.Read()))
	v.metrics.lag.Set(float64(report.Lag))
	if report.Behind != nil {
		v.metrics.behind.Set(float64(*report.Behind))
	}
}

func (v *Verifier) move() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.moved = time.Now()
}

// hangsAfter is how long a step of a pass may take. Each question to Kafka and ClickHouse is bounded by far less.
const hangsAfter = 30 * time.Minute

// Alive is nil unless the verifier has neither ended a pass nor got on with one for so long that it is taken to hang.
func (v *Verifier) Alive() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if quiet := time.Since(v.moved); quiet > max(hangsAfter, 2*v.cfg.Every) {
		return fmt.Errorf("no step of a pass has ended for %s", quiet.Round(time.Second))
	}
	return nil
}

// Newest is the report of the latest complete pass, and why the latest one failed, if it did.
func (v *Verifier) Newest() (Report, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, v.failed
}
