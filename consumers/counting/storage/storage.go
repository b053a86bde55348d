// Package storage tells operators how the database itself fares: parts and bytes of each table, room on its disks, when the
// latest backup ended, and when each period was last published. It reads the server's system tables and ceniss.publications.
//
// It promises a bounded number of time series: tables of the schema, disks of the server, the MostPeriods latest periods.
// A backup counts when the server says that it was made: those of system.backups, which a restart of the server forgets,
// and of system.backup_log, where the server keeps one. It never writes, and never looks into a backup.
// When ClickHouse cannot be asked, the figures of the latest good reading stay, its time says how old they are, and the
// failure is counted and logged.
package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
)

// MostPeriods is how many periods have a time of publication: the latest ones.
const MostPeriods = 40

// Conn is what is needed of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Config says how the storage is watched. Conn is required.
type Config struct {
	Conn Conn
	// Every is the time from the end of one reading to the begin of the next; default 1 minute.
	Every      time.Duration
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
}

// Watch reads again and again, and shows what it found as metrics.
type Watch struct {
	cfg     Config
	metrics *metrics
}

// New makes a watch. The error is for wrong settings.
func New(cfg Config) (*Watch, error) {
	if cfg.Conn == nil || cfg.Every < 0 {
		return nil, errors.New("the watch over storage needs a connection to ClickHouse and a pause that is not negative")
	}
	if cfg.Every == 0 {
		cfg.Every = time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Watch{cfg: cfg, metrics: newMetrics(cfg.Registerer)}, nil
}

// Run reads until ctx ends. A reading that fails is tried again at the next turn.
func (w *Watch) Run(ctx context.Context) error {
	for {
		if err := w.Pass(ctx); err != nil && ctx.Err() == nil {
			w.cfg.Logger.Warn("how the database fares could not be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.cfg.Every):
		}
	}
}

// Pass reads once and shows what it found. An error leaves what was shown before.
func (w *Watch) Pass(ctx context.Context) error {
	found, err := read(ctx, w.cfg.Conn)
	if err != nil {
		w.metrics.passes.WithLabelValues("failed").Inc()
		return err
	}
	w.metrics.show(found)
	w.metrics.passes.WithLabelValues("done").Inc()
	return nil
}

// backups asks one of the server's tables when the latest backup ended.
const backups = `SELECT '%[1]s', toFloat64(max(end_time)), 0. FROM system.%[1]s WHERE status = 'BACKUP_CREATED'`

// questions fill the figures: a name and numbers in each row.
var questions = []struct {
	about, statement string
	into             func(*figures) map[string][2]float64
}{
	{"parts of tables", `SELECT database || '.' || table, toFloat64(count()), toFloat64(sum(bytes_on_disk)) FROM system.parts
WHERE active AND database = 'retorno' GROUP BY ALL`, func(f *figures) map[string][2]float64 { return f.tables }},
	{"disks", `SELECT name, toFloat64(unreserved_space), toFloat64(total_space) FROM system.disks WHERE total_space < toUInt64(1e18)`,
		func(f *figures) map[string][2]float64 { return f.disks }},
	{"backups", fmt.Sprintf(backups, "backups"), func(f *figures) map[string][2]float64 { return f.backups }},
	{"logs of the server", `SELECT name, 0., 0. FROM system.tables WHERE database = 'system' AND name = 'backup_log'`,
		func(f *figures) map[string][2]float64 { return f.logs }},
	{"publications", fmt.Sprintf(`SELECT period, toFloat64(max(published_at)), 0. FROM ceniss.publications GROUP BY period ORDER BY max(last_day) DESC LIMIT %d`, MostPeriods),
		func(f *figures) map[string][2]float64 { return f.periods }},
}

// figures are what one reading found, by name.
type figures struct{ tables, disks, backups, logs, periods map[string][2]float64 }

func read(ctx context.Context, conn Conn) (*figures, error) {
	f := &figures{}
	for _, of := range []*map[string][2]float64{&f.tables, &f.disks, &f.backups, &f.logs, &f.periods} {
		*of = map[string][2]float64{}
	}
	for _, q := range questions {
		if err := ask(ctx, conn, q.statement, q.into(f)); err != nil {
			return nil, fmt.Errorf("read the %s: %w", q.about, err)
		}
	}
	for log := range f.logs {
		if err := ask(ctx, conn, fmt.Sprintf(backups, log), f.backups); err != nil {
			return nil, fmt.Errorf("read the log of backups: %w", err)
		}
	}
	return f, nil
}

func ask(ctx context.Context, conn Conn, statement string, into map[string][2]float64) (err error) {
	rows, err := conn.Query(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		var values [2]float64
		if err := rows.Scan(&name, &values[0], &values[1]); err != nil {
			return err
		}
		into[name] = values
	}
	return rows.Err()
}
