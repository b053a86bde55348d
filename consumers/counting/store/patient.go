package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// SilentError reports that ClickHouse sent nothing for so long that the statement was given up: no row, and none of the
// reports of progress that it sends several times a second while it works. It is a net.Error.
type SilentError struct{ For time.Duration }

func (e *SilentError) Error() string {
	return fmt.Sprintf("ClickHouse has sent nothing for %s: neither rows nor progress; is it running, and can it be reached?", e.For)
}

// Timeout reports that time ran out.
func (e *SilentError) Timeout() bool { return true }

// Temporary reports that a later attempt may succeed.
func (e *SilentError) Temporary() bool { return true }

// patient is a pool of connections whose statements may take any time while the server gives signs of life. The client's
// own read timeout bounds a statement as a whole, so that a large database could not be read at all. Select is not watched.
type patient struct {
	driver.Conn
	limit time.Duration // of silence
}

// noLimit is the read timeout of the client beneath a patient.
const noLimit = 100 * 365 * 24 * time.Hour

// watch ends a statement when the server has been silent for the limit, or its caller's context ends.
type watch struct {
	caller context.Context
	ctx    context.Context // of the statement; it does not end when a statement has succeeded
	cancel context.CancelCauseFunc
	leave  func() bool // lets the caller's context go
	timer  *time.Timer
	limit  time.Duration
}

// sameDeadline has the deadline of the caller's context and does not end with it.
type sameDeadline struct {
	context.Context
	caller context.Context
}

func (d sameDeadline) Deadline() (time.Time, bool) { return d.caller.Deadline() }

// watch begins to watch a statement. When it has succeeded, its context must never end: what the client started to close
// the connection at the end of the context may still run when the connection is back in the pool, and would break the next
// statement.
func (p patient) watch(caller context.Context) *watch {
	w := &watch{caller: caller, limit: p.limit}
	w.ctx, w.cancel = context.WithCancelCause(sameDeadline{context.WithoutCancel(caller), caller})
	w.leave = context.AfterFunc(caller, func() { w.cancel(context.Cause(caller)) })
	w.timer = time.AfterFunc(p.limit, func() { w.cancel(&SilentError{p.limit}) })
	w.ctx = clickhouse.Context(w.ctx, clickhouse.WithProgress(func(*clickhouse.Progress) { w.heard() }))
	return w
}

// heard notes a sign of life.
func (w *watch) heard() { w.timer.Reset(w.limit) }

// end gives the watch up and returns why the statement ended.
func (w *watch) end(err error) error {
	w.timer.Stop()
	w.leave()
	if err = w.why(err); err != nil {
		w.cancel(nil)
	}
	return err
}

// why is err, or that the server was silent or the caller ended when that is what ended the statement.
func (w *watch) why(err error) error {
	if err == nil {
		return nil
	}
	var silent *SilentError
	if errors.As(context.Cause(w.ctx), &silent) {
		return silent
	}
	if errors.Is(err, context.Canceled) && w.caller.Err() != nil {
		return w.caller.Err()
	}
	return err
}

// Query runs a statement that returns rows.
func (p patient) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	w := p.watch(ctx)
	rows, err := p.Conn.Query(w.ctx, query, args...)
	if err != nil {
		return nil, w.end(err)
	}
	return &watchedRows{rows, w}, nil
}

// QueryRow runs a statement that returns one row.
func (p patient) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	rows, err := p.Query(ctx, query, args...)
	return &watchedRow{rows, err}
}

// Exec runs a statement that returns nothing.
func (p patient) Exec(ctx context.Context, query string, args ...any) error {
	w := p.watch(ctx)
	return w.end(p.Conn.Exec(w.ctx, query, args...))
}

// PrepareBatch begins an INSERT. The time until it is sent is the caller's.
func (p patient) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	w := p.watch(ctx)
	batch, err := p.Conn.PrepareBatch(w.ctx, query, opts...)
	if err != nil {
		return nil, w.end(err)
	}
	w.timer.Stop()
	return &watchedBatch{batch, w}, nil
}

// Ping asks for a sign of life.
func (p patient) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	return p.Conn.Ping(ctx)
}

type watchedRows struct {
	driver.Rows
	watch *watch
}

func (r *watchedRows) Next() bool {
	if r.Rows.Next() {
		r.watch.heard()
		return true
	}
	r.watch.timer.Stop()
	return false
}

func (r *watchedRows) Err() error { return r.watch.why(r.Rows.Err()) }

func (r *watchedRows) Close() error { return r.watch.end(r.Rows.Close()) }

type watchedRow struct {
	rows driver.Rows
	err  error
}

func (r *watchedRow) Err() error { return r.err }

func (r *watchedRow) Scan(dest ...any) error {
	return r.scan(func() error { return r.rows.Scan(dest...) })
}

func (r *watchedRow) ScanStruct(dest any) error {
	return r.scan(func() error { return r.rows.ScanStruct(dest) })
}

func (r *watchedRow) scan(do func() error) error {
	if r.err != nil {
		return r.err
	}
	if !r.rows.Next() {
		return errors.Join(r.rows.Err(), r.rows.Close(), r.none())
	}
	return errors.Join(do(), r.rows.Close(), r.rows.Err())
}

// none is the error of an answer without a row that came whole.
func (r *watchedRow) none() error {
	if r.rows.Err() != nil {
		return nil
	}
	return sql.ErrNoRows
}

type watchedBatch struct {
	driver.Batch
	watch *watch
}

func (b *watchedBatch) Send() error {
	b.watch.heard()
	return b.watch.end(b.Batch.Send())
}

func (b *watchedBatch) Abort() error { return b.watch.end(b.Batch.Abort()) }

func (b *watchedBatch) Close() error { return b.watch.end(b.Batch.Close()) }
