package verify

import (
	"context"
	"errors"
	"sync"
	"time"

	"retorno/consumers/verify/wire"
)

// Verifier makes one pass after the other.
type Verifier struct {
	cfg     Config
	metrics *metrics

	passing sync.Mutex // held while a pass is made
	before  *state     // of the latest pass that found nothing; nil: the next pass is a full one
	fullAt  time.Time

	mu     sync.Mutex
	newest Report
	failed error
}

// New makes a verifier. The error is for wrong settings.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Verifier{cfg: cfg.withDefaults(), metrics: newMetrics(cfg.Registerer)}, nil
}

// Run makes passes until ctx ends. A pass that cannot ask Kafka or ClickHouse is tried again at the next turn.
func (v *Verifier) Run(ctx context.Context) error {
	for {
		began := time.Now()
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
// after a difference, and when the latest full one is too old.
func (v *Verifier) Pass(ctx context.Context) (Report, error) { return v.pass(ctx, false) }

// Full makes one full pass and keeps its report.
func (v *Verifier) Full(ctx context.Context) (Report, error) { return v.pass(ctx, true) }

func (v *Verifier) pass(ctx context.Context, whole bool) (Report, error) {
	v.passing.Lock()
	defer v.passing.Unlock()
	report, next, err := v.make(ctx, whole)
	if err == nil {
		if v.before = next; report.Different() > 0 || v.cfg.Kafka == nil {
			v.before = nil
		}
		if report.Full {
			v.fullAt = time.Now()
		}
	}
	v.keep(report, err)
	return report, err
}

func (v *Verifier) make(ctx context.Context, whole bool) (Report, *state, error) {
	if !whole && v.before != nil && time.Since(v.fullAt) < v.cfg.FullEvery {
		report, next, err := increment(ctx, v.cfg.Conn, v.cfg.Kafka, v.before)
		var gone *wire.GoneError
		if !errors.Is(err, errAnew) && !errors.As(err, &gone) {
			return report, next, err
		}
		v.cfg.Logger.Warn("the verifier compares everything anew", "because", err)
	}
	return full(ctx, v.cfg.Conn, v.cfg.Kafka)
}

// keep notes what a pass came to.
func (v *Verifier) keep(report Report, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = err
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
	}
	v.metrics.passes.WithLabelValues(result).Inc()
	v.metrics.seconds.WithLabelValues(kind).Observe(report.Took.Seconds())
	v.metrics.last.SetToCurrentTime()
	v.metrics.read.Add(float64(report.Read()))
	v.metrics.lag.Set(float64(report.Lag))
}

// Newest is the report of the latest complete pass, and why the latest one failed, if it did.
func (v *Verifier) Newest() (Report, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, v.failed
}
