package release_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/dissemination/release"
	"retorno/deploy/lab/embedded"
	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
	"retorno/schemas/calendar"
	"retorno/schemas/events"
)

var engine *embedded.Engine

func TestMain(m *testing.M) {
	embeddedtest.Main(m, embeddedtest.Keep(&engine))
}

var (
	halfYear = calendar.Date(2016, 1, 1).Period(calendar.KindHalfYear)
	after    = time.Date(2016, 8, 1, 12, 0, 0, 0, time.UTC)
)

// office is a database with one Kafka partition, into which the test writes as a consumer does, and the ends of its logs.
type office struct {
	t    *testing.T
	conn driver.Conn
	ends map[string]uint64 // by topic
}

// open makes an office in which 7 registered returns of June 2016 are counted and verified.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, conn: enginetest.Fresh(t, engine).Conn(), ends: map[string]uint64{}}
	o.take(1)
	o.count(1, 1, "L-COR", 7)
	o.account(1, 0, 7)
	o.verified(time.Now(), 0)
	return o
}

func (o *office) exec(statement string, args ...any) {
	o.t.Helper()
	if err := o.conn.Exec(o.t.Context(), fmt.Sprintf(statement, args...)); err != nil {
		o.t.Fatal(err)
	}
}

// take takes an epoch of the partition.
func (o *office) take(epoch int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.claims (kafka_partition, epoch, claim, kind) VALUES (0, %d, generateUUIDv4(), 'claim')", epoch)
}

// announce says that a flush is begun that ends at an offset.
func (o *office) announce(epoch, next int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.claims (kafka_partition, epoch, claim, kind, flush, topics, next_offsets, logs) VALUES (0, %d, generateUUIDv4(), 'flush', %d, ['%s'], [%d], [0])", epoch, next, events.TopicCentre, next)
}

// count writes a cell: so many registered returns by an exit point, in the n-th write of an epoch.
func (o *office) count(epoch, n int, exit string, registered int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.return_counts (day, route, country, mode, exit_point, registered, reconciled, version) VALUES ('2016-06-02', 'US-AIR', 'US', 'air', '%s', %d, %[2]d, %d)", exit, registered, epoch<<40+n)
}

// account writes a row of the ledger, and the log goes on to there.
func (o *office) account(epoch, first, next int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted) VALUES ('%s', 0, %d, %d, %d, %d, %[5]d)", events.TopicCentre, epoch, first, next, next-first)
	o.ends[events.TopicCentre] = max(o.ends[events.TopicCentre], uint64(next))
}

// verified records a full pass of the verifier that began then and found so many rows that differ.
func (o *office) verified(began time.Time, different int) {
	o.t.Helper()
	o.record("ended", began, began, different)
}

func (o *office) record(kind string, began, at time.Time, different int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.verifications (kind, pass, began, at, rows, different) VALUES ('%s', generateUUIDv4(), fromUnixTimestamp64Milli(%d), fromUnixTimestamp64Milli(%d), 100, %d)", kind, began.UnixMilli(), at.UnixMilli(), different)
}

func (o *office) gate() release.Gate {
	return release.Gate{VerifiedWithin: time.Hour, Ends: func(context.Context) ([]release.Position, error) {
		var all []release.Position
		for topic, next := range o.ends {
			all = append(all, release.Position{Topic: topic, NextOffset: next})
		}
		return all, nil
	}}
}

func (o *office) publish(conn release.Conn, status release.Status, asOf time.Time) (release.Publication, error) {
	o.t.Helper()
	return release.Take(o.t.Context(), conn, o.gate(), halfYear, status, asOf)
}

func (o *office) mustPublish(conn release.Conn, status release.Status, asOf time.Time) release.Publication {
	o.t.Helper()
	p, err := o.publish(conn, status, asOf)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// rows runs a query and returns its rows as sorted lines.
func (o *office) rows(query string, args ...any) string {
	o.t.Helper()
	result, err := o.conn.Query(o.t.Context(), "SELECT toString(tuple(*)) FROM ("+fmt.Sprintf(query, args...)+")")
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = result.Close() }()
	var lines []string
	for result.Next() {
		var line string
		if err := result.Scan(&line); err != nil {
			o.t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := result.Err(); err != nil {
		o.t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// watched is ClickHouse with something done before each statement that holds a text.
type watched struct {
	driver.Conn
	text string
	do   func(times int) error
	n    int
}

func (w *watched) see(query string) error {
	if !strings.Contains(query, w.text) {
		return nil
	}
	w.n++
	return w.do(w.n)
}

func (w *watched) Exec(ctx context.Context, query string, args ...any) error {
	if err := w.see(query); err != nil {
		return err
	}
	return w.Conn.Exec(ctx, query, args...)
}

func (w *watched) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	if err := w.see(query); err != nil {
		return nil, err
	}
	return w.Conn.Query(ctx, query, args...)
}

func (w *watched) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	if err := w.see(query); err != nil {
		return failed{err}
	}
	return w.Conn.QueryRow(ctx, query, args...)
}

func (w *watched) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	if err := w.see(query); err != nil {
		return nil, err
	}
	return w.Conn.PrepareBatch(ctx, query, opts...)
}

type failed struct{ err error }

func (f failed) Err() error           { return f.err }
func (f failed) Scan(...any) error    { return f.err }
func (f failed) ScanStruct(any) error { return f.err }
