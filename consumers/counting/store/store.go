// Package store is ClickHouse, out and in: it writes flushes and reads back what was written.
//
// A flush goes table by table, facts first and the ledger last; each insert becomes one block in one partition of one
// table, which ClickHouse takes as a whole or not at all. Flushes of several Kafka partitions that are ready at the same
// time go together: see writer. Any error but a final one means that the outcome is unknown: the same rows are written
// again from their begin until there is a definite answer, and their keys make that harmless. Who writes for a Kafka
// partition is settled by claims: see Claim. It never skips a row. A final error (schema, rights) comes back as
// *StopError.
package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/beat"
)

// Store is one ClickHouse. It is safe for use by several goroutines; a Claim and a Flush are not.
type Store struct {
	cfg     Config
	conn    driver.Conn
	writer  *writer
	metrics *metrics

	accepted atomic.Bool // the login was accepted once
}

// Open prepares the use of ClickHouse without connecting yet. The error is for wrong settings.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	conn, err := clickhouse.Open(cfg.options())
	if err != nil {
		return nil, fmt.Errorf("clickhouse %s: %w", cfg.Addr, err)
	}
	s := &Store{cfg: cfg, conn: patient{conn, cfg.QueryTimeout}, metrics: newMetrics(cfg.Registerer)}
	s.writer = newWriter(s)
	return s, nil
}

// Conn is a pool of connections for reading. A statement over it may take any time while ClickHouse gives signs of life;
// after Config.QueryTimeout of silence it ends with *SilentError.
func (s *Store) Conn() driver.Conn { return s.conn }

func (s *Store) inserted(table string) {
	if s.cfg.Inserted != nil {
		s.cfg.Inserted(table)
	}
}

// Ping reports whether ClickHouse answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.conn.Ping(ctx); err != nil {
		return classify("reach ClickHouse at "+s.cfg.Addr, err)
	}
	s.accepted.Store(true)
	return nil
}

// Close gives the connections back.
func (s *Store) Close() error {
	s.writer.close()
	return s.conn.Close()
}

// bulk is a connection for whole columns; it is dialled again after an error.
type bulk struct {
	store  *Store
	client *ch.Client
	conn   atomic.Pointer[net.Conn] // the client's
	once   bool                     // a connection that is lost is not dialled again
}

// DialContext implements ch.Dialer, and remembers the connection.
func (b *bulk) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := b.store.cfg.dial(ctx, address)
	if err == nil {
		b.conn.Store(&conn)
	}
	return conn, err
}

// hangUp ends the connection under the client, from another goroutine.
func (b *bulk) hangUp() {
	if conn := b.conn.Load(); conn != nil {
		_ = (*conn).Close() // it is given up
	}
}

var errConnectionLost = errors.New("the connection was lost")

// do makes one query. It gives up when ClickHouse says nothing for the query timeout: a block, a progress packet and a
// block asked for are signs of life, so that a long answer is limited by nothing but its silence.
func (b *bulk) do(ctx context.Context, q ch.Query) error {
	beat.Beat(ctx)
	limit, owner := b.store.cfg.QueryTimeout, ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The library waits inside a block for as long as it takes: only the end of the connection ends that.
	defer context.AfterFunc(ctx, b.hangUp)()
	silence := time.AfterFunc(limit, func() { cancel(&SilentError{limit}) })
	defer silence.Stop()
	if err := b.connect(ctx); err != nil {
		return err
	}
	err := b.client.Do(ctx, listening(q, func() {
		beat.Beat(ctx)
		silence.Reset(limit)
	}))
	if err != nil {
		b.close()
		var silent *SilentError
		switch {
		case owner.Err() != nil:
			err = fmt.Errorf("%w: %w", owner.Err(), err)
		case errors.As(context.Cause(ctx), &silent):
			err = fmt.Errorf("%w: %w", silent, err)
		}
	}
	return err
}

// connect makes the connection unless it is there.
func (b *bulk) connect(ctx context.Context) (err error) {
	switch {
	case b.client != nil:
		return nil
	case b.once:
		return errConnectionLost
	}
	b.client, err = b.store.cfg.dialBulk(ctx, b)
	return err
}

// listening is a query that calls alive whenever ClickHouse says or asks something.
func listening(q ch.Query, alive func()) ch.Query {
	q.OnProgress = func(context.Context, proto.Progress) error {
		alive()
		return nil
	}
	if result := q.OnResult; result != nil {
		q.OnResult = func(ctx context.Context, b proto.Block) error {
			alive()
			return result(ctx, b)
		}
	}
	if input := q.OnInput; input != nil {
		q.OnInput = func(ctx context.Context) error {
			alive()
			return input(ctx)
		}
	}
	return q
}

func (b *bulk) close() {
	if b.client != nil {
		_ = b.client.Close() // what was wrong with it is known already
		b.client = nil
	}
}

// retry repeats do until it succeeds, fails for good, or ctx ends.
func (s *Store) retry(ctx context.Context, doing string, do func() error) error {
	pause, began, said := s.cfg.RetryFirst, time.Now(), time.Time{}
	for attempt := 1; ; attempt++ {
		beat.Beat(ctx)
		err := do()
		if err == nil {
			if attempt > 1 {
				s.cfg.Logger.Info("ClickHouse has answered", "doing", doing, "attempts", attempt, "after", time.Since(began).Round(time.Millisecond))
			}
			return nil
		}
		if ended(ctx, err) {
			return errors.Join(ctx.Err(), fmt.Errorf("%s: %w", doing, err))
		}
		if err = classify(doing, err); IsFenced(err) || IsStop(err) && !s.changing(err) {
			return err
		}
		beat.Beat(ctx)
		s.metrics.retries.Inc()
		if time.Since(said) >= sayEvery {
			said = time.Now()
			s.cfg.Logger.Warn("ClickHouse gave no definite answer; the same again until it does", "doing", doing, "attempt", attempt, "error", err)
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			pause = min(pause, refusedMost)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		pause = min(2*pause, s.cfg.RetryMost)
	}
}

// changing reports whether a refusal may pass by itself: a password that was accepted before is just being changed, here
// or there.
func (s *Store) changing(err error) bool {
	return s.accepted.Load() && logins[Code(err)]
}

const (
	// sayEvery is how often it is said that something is tried again: once a person knows, more lines hide others.
	sayEvery = 10 * time.Second
	// refusedMost bounds the pause while no server listens at the address: to ask costs nothing then, and who has been away
	// for long has much to catch up with.
	refusedMost = 100 * time.Millisecond
)
