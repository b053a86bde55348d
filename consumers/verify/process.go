package verify

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says how the verifier works when it goes on and on.
type Config struct {
	Conn driver.Conn
	// Every is the time from the end of one pass to the begin of the next; default one minute.
	Every time.Duration
	// Share bounds the part of the time that passes take, by making the pause longer; default 0.05.
	Share      float64
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("the verifier needs a connection to ClickHouse")
	case c.Every < 0 || c.Share < 0 || c.Share > 1:
		return errors.New("the verifier's pause must not be negative, and its share lies between 0 and 1")
	}
	return nil
}

// Verifier makes one pass after the other.
type Verifier struct {
	cfg       Config
	different *prometheus.GaugeVec
	passes    *prometheus.CounterVec
	seconds   prometheus.Histogram
	last      prometheus.Gauge

	mu     sync.Mutex
	newest Report
	failed error
}

// New makes a verifier. The error is for wrong settings.
func New(cfg Config) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Every == 0 {
		cfg.Every = time.Minute
	}
	if cfg.Share == 0 {
		cfg.Share = 0.05
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	v := &Verifier{cfg: cfg,
		different: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "retorno_verify_different_rows", Help: "Rows on which the second count disagrees, by check, in the latest pass."}, []string{"check"}),
		passes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_verify_passes_total", Help: "Passes of the verifier, by result: agrees, differs, failed."}, []string{"result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "retorno_verify_pass_seconds", Help: "Time of one pass.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 14)}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "retorno_verify_last_pass_timestamp_seconds", Help: "When the latest complete pass ended; seconds since 1970."}),
	}
	for _, c := range checks() {
		v.different.WithLabelValues(c.name)
	}
	for _, result := range []string{"agrees", "differs", "failed"} {
		v.passes.WithLabelValues(result)
	}
	if cfg.Registerer != nil {
		cfg.Registerer.MustRegister(v.different, v.passes, v.seconds, v.last)
	}
	return v, nil
}

// Run makes passes until ctx ends. A pass that cannot ask ClickHouse is tried again at the next turn.
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

// Pass makes one pass and keeps its report.
func (v *Verifier) Pass(ctx context.Context) (Report, error) {
	report, err := Once(ctx, v.cfg.Conn)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = err
	if err != nil {
		v.passes.WithLabelValues("failed").Inc()
		return report, err
	}
	v.newest = report
	result := "agrees"
	for _, r := range report.Results {
		v.different.WithLabelValues(r.Check).Set(float64(r.Different))
		for _, d := range r.Differences {
			result = "differs"
			v.cfg.Logger.Error("the second count disagrees", "check", r.Check, "surplus", d.Surplus, "row", d.Row)
		}
	}
	v.passes.WithLabelValues(result).Inc()
	v.seconds.Observe(report.Took.Seconds())
	v.last.SetToCurrentTime()
	return report, nil
}

// Newest is the report of the latest complete pass, and why the latest one failed, if it did.
func (v *Verifier) Newest() (Report, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.newest, v.failed
}
