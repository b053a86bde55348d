// Package heartbeats takes what the computers at posts and centres say of themselves from Kafka into ClickHouse: last number,
// records that wait, clock, disk, version, fingerprints, and why a computer does not send.
//
// It promises that of each source the latest heartbeat holds, by time and then by number, whatever the order and however often
// it is read, by any number of processes at a time; that what is no heartbeat, or says that it was made more than an hour from
// now, is refused by the name of the field, counted and logged, and changes nothing; that memory is bounded by one answer of a
// broker and Config.MostSources heartbeats. A message without a value says nothing.
//
// It joins no group and commits nothing: each start reads the topic, which is compacted, from its beginning. It ends no
// process: while the topic is missing or the brokers or ClickHouse do not answer, the failure is counted and logged, and
// the next turn goes on where this one ended.
package heartbeats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/schemas/agents"
	"retorno/schemas/kafka"
	"retorno/schemas/kafka/follow"
)

// Conn is what is needed of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error)
}

// Config says where heartbeats come from and go to. Access and Conn are required.
type Config struct {
	Access kafka.Access
	Conn   Conn
	// Every is the time between two looks at the topic; default 10 s.
	Every time.Duration
	// MostSources is how many computers are known at a time; heartbeats of others are refused. Default 2,000.
	MostSources int
	// Now is the clock. Default time.Now.
	Now        func() time.Time
	Logger     *slog.Logger          // nil drops what is said
	Registerer prometheus.Registerer // nil: no metrics
}

// ahead is how far in the future a heartbeat may have been made, by this process's clock.
const ahead = time.Hour

// Taker takes heartbeats in. It belongs to one goroutine.
type Taker struct {
	cfg     Config
	metrics *metrics
	reader  *follow.Reader
	newest  map[string]agents.Beat
	unsaved map[string]struct{} // sources whose newest heartbeat is not in ClickHouse yet
}

// New makes a taker. The error is for wrong settings.
func New(cfg Config) (*Taker, error) {
	if cfg.Conn == nil || len(cfg.Access.Brokers) == 0 {
		return nil, errors.New("heartbeats need brokers and a connection to ClickHouse")
	}
	if cfg.Every == 0 {
		cfg.Every = 10 * time.Second
	}
	if cfg.MostSources == 0 {
		cfg.MostSources = 2000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Taker{cfg: cfg, metrics: newMetrics(cfg.Registerer), newest: map[string]agents.Beat{}, unsaved: map[string]struct{}{}}, nil
}

// Run takes heartbeats in until ctx ends, which is no error.
func (t *Taker) Run(ctx context.Context) error {
	defer t.leave()
	failed := ""
	for {
		err := t.Pass(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			failed = ""
		case failed != err.Error(): // each cause once
			failed = err.Error()
			t.cfg.Logger.Warn("heartbeats of agents are not taken in at present; it goes on by itself", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(t.cfg.Every):
		}
	}
}

// Pass takes in what the topic holds by now. After an error the next pass goes on.
func (t *Taker) Pass(ctx context.Context) error {
	err := t.read(ctx)
	if saving := t.save(ctx); saving != nil {
		err = errors.Join(err, fmt.Errorf("write heartbeats: %w", saving))
	}
	if err != nil {
		t.metrics.failures.Inc()
		return err
	}
	t.metrics.last.SetToCurrentTime()
	return nil
}

// read takes what was not read before.
func (t *Taker) read(ctx context.Context) error {
	if t.reader == nil {
		t.reader = follow.New(t.cfg.Access, agents.TopicAgents)
	}
	err := t.reader.Read(ctx, func(m follow.Message) error {
		t.take(m.Key, m.Value)
		return nil
	})
	if err != nil {
		t.leave() // a reader of new connections begins at the beginning: what is known changes nothing
	}
	return err
}

func (t *Taker) leave() {
	if t.reader != nil {
		t.reader.Close()
		t.reader = nil
	}
}

// take takes one message in.
func (t *Taker) take(key, value []byte) {
	if value == nil {
		return
	}
	t.metrics.read.Inc()
	b, err := agents.ParseBeat(key, value)
	before, known := t.newest[b.Source]
	switch {
	case err != nil:
	case b.AtMs > t.cfg.Now().Add(ahead).UnixMilli():
		err = &agents.BeatError{Field: "at_ms", Found: fmt.Sprintf("%d is in the future", b.AtMs)}
	case !known && len(t.newest) >= t.cfg.MostSources:
		err = &agents.BeatError{Field: "source", Found: fmt.Sprintf("more than %d computers", t.cfg.MostSources)}
	}
	var refused *agents.BeatError
	switch {
	case errors.As(err, &refused):
		t.metrics.refused.WithLabelValues(refused.Field).Inc()
		t.cfg.Logger.Warn("a heartbeat is refused", "source", fmt.Sprintf("%.80q", key), "error", err)
	case !known || before.Before(b):
		t.newest[b.Source] = b
		t.unsaved[b.Source] = struct{}{}
	}
}

// save writes what is not written yet, in one insert.
func (t *Taker) save(ctx context.Context) error {
	if len(t.unsaved) == 0 {
		return nil
	}
	batch, err := t.cfg.Conn.PrepareBatch(ctx, `INSERT INTO retorno.heartbeats (source_id, at, last_seq, run, unsent, oldest_unsent, clock_offset_ms, disk_free, disk_low,
		damaged, version, secrets, lists, forms_missing, documents_met, stopped)`)
	if err != nil {
		return err
	}
	for _, source := range slices.Sorted(maps.Keys(t.unsaved)) {
		if err := batch.Append(row(t.newest[source])...); err != nil {
			return errors.Join(err, batch.Abort())
		}
	}
	if err := batch.Send(); err != nil {
		return err
	}
	clear(t.unsaved)
	return nil
}

// row is a heartbeat in the columns of save.
func row(b agents.Beat) []any {
	var oldest *time.Time
	if b.OldestUnsentMs != 0 {
		at := time.UnixMilli(b.OldestUnsentMs)
		oldest = &at
	}
	low, secrets := uint8(0), b.Secrets
	if b.DiskLow {
		low = 1
	}
	if secrets == nil {
		secrets = map[string]string{}
	}
	return []any{b.Source, time.UnixMilli(b.AtMs), b.LastSeq, b.Run, b.Unsent, oldest, b.ClockOffsetMs, b.DiskFree, low,
		uint32(b.Damaged), b.Version, secrets, b.Lists, uint32(b.FormsMissing), uint32(b.DocumentsMet), b.Stopped}
}
