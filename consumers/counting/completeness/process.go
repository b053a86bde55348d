package completeness

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says how the completeness is watched. Conn is required.
type Config struct {
	Conn Conn
	// Every is the time from the end of one reading to the begin of the next; default 30 s.
	Every time.Duration
	// Share bounds the part of the time that readings take, by making the pause longer; default 0.05.
	Share float64
	// MostSources is how many computers have time series of their own; what is over it is summed up as one. Default 200.
	MostSources int
	Logger      *slog.Logger
	Registerer  prometheus.Registerer // nil: no metrics
}

// Validate says what is wrong with the settings.
func (c Config) Validate() error {
	switch {
	case c.Conn == nil:
		return errors.New("the watch over completeness needs a connection to ClickHouse")
	case c.Every < 0 || c.Share < 0 || c.Share > 1:
		return errors.New("the pause of the watch over completeness must not be negative, and its share lies between 0 and 1")
	case c.MostSources < 0:
		return errors.New("the watch over completeness cannot show fewer than no sources")
	}
	return nil
}

// Watch reads again and again, and shows what it found as metrics.
type Watch struct {
	cfg     Config
	metrics *metrics
}

// New makes a watch. The error is for wrong settings.
func New(cfg Config) (*Watch, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Every == 0 {
		cfg.Every = 30 * time.Second
	}
	if cfg.Share == 0 {
		cfg.Share = 0.05
	}
	if cfg.MostSources == 0 {
		cfg.MostSources = 200
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watch{cfg: cfg, metrics: newMetrics(cfg.Registerer, cfg.MostSources)}, nil
}

// Run reads until ctx ends. A reading that fails is tried again at the next turn. Links have turns of their own, since they take the
// longest.
func (w *Watch) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { w.repeat(ctx, "the keys with contradictions could not be read", w.PassLinks) })
	both.Go(func() { w.repeat(ctx, "the completeness could not be read", w.Pass) })
	both.Wait()
	return nil
}

// repeat makes a reading again and again until ctx ends.
func (w *Watch) repeat(ctx context.Context, failed string, pass func(context.Context) error) {
	for {
		began := time.Now()
		if err := pass(ctx); err != nil && ctx.Err() == nil {
			w.cfg.Logger.Warn(failed, "error", err)
		}
		pause := max(w.cfg.Every, time.Duration(float64(time.Since(began))*(1/w.cfg.Share-1)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// PassLinks reads the links once and shows them. An error leaves what was shown before.
func (w *Watch) PassLinks(ctx context.Context) error {
	links, err := ReadLinks(ctx, w.cfg.Conn)
	if err != nil {
		w.metrics.passes.WithLabelValues("failed").Inc()
		return err
	}
	w.metrics.showLinks(links)
	return nil
}

// Pass reads once and shows what it found. An error leaves what was shown before.
func (w *Watch) Pass(ctx context.Context) error {
	began := time.Now()
	found, err := Read(ctx, w.cfg.Conn)
	if err != nil {
		w.metrics.passes.WithLabelValues("failed").Inc()
		return err
	}
	w.metrics.show(found)
	w.metrics.passes.WithLabelValues("done").Inc()
	w.metrics.seconds.Observe(time.Since(began).Seconds())
	w.metrics.last.SetToCurrentTime()
	return nil
}
