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
	"syscall"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/beat"
)

// Store is one ClickHouse. It is safe for use by several goroutines; a Claim and a Flush are not.
type Store struct {
	cfg     Config
	conn    driver.Conn
	writer  *writer
	metrics *metrics
}

// Open prepares the use of ClickHouse without connecting yet. The error is for wrong settings.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{cfg.Addr},
		Auth:        clickhouse.Auth{Username: cfg.User, Password: cfg.Password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		DialTimeout: 5 * time.Second,
		ReadTimeout: noLimit, // patient bounds the silence instead
	})
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

// Ping says whether ClickHouse answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.conn.Ping(ctx); err != nil {
		return classify("reach ClickHouse at "+s.cfg.Addr, err)
	}
	return nil
}

// Close gives the connections back.
func (s *Store) Close() error {
	s.writer.close()
	return s.conn.Close()
}

// bulk is a connection for whole columns; it is dialled anew after an error.
type bulk struct {
	store  *Store
	client *ch.Client
	once   bool // a connection that is lost is not dialled anew
}

var errConnectionLost = errors.New("the connection was lost")

func (b *bulk) do(ctx context.Context, q ch.Query) error {
	beat.Beat(ctx)
	ctx, cancel := context.WithTimeout(ctx, b.store.cfg.QueryTimeout)
	defer cancel()
	if b.client == nil && b.once {
		return errConnectionLost
	}
	if b.client == nil {
		cfg := b.store.cfg
		client, err := ch.Dial(ctx, ch.Options{
			Address: cfg.Addr, User: cfg.User, Password: cfg.Password, ClientName: "retorno",
			Compression: ch.CompressionLZ4, DialTimeout: 5 * time.Second, ReadTimeout: cfg.QueryTimeout,
		})
		if err != nil {
			return err
		}
		b.client = client
	}
	err := b.client.Do(ctx, q)
	if err != nil {
		b.close()
	}
	return err
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
		if err = classify(doing, err); IsStop(err) || IsFenced(err) {
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

const (
	// sayEvery is how often it is said that something is tried again: once a person knows, more lines hide others.
	sayEvery = 10 * time.Second
	// refusedMost bounds the pause while nobody listens at the address: to ask costs nothing then, and who has been away
	// for long has much to catch up with.
	refusedMost = 100 * time.Millisecond
)
