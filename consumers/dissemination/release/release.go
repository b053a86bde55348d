// Package release keeps what was published: for a period the counts as they were then, for ever. A correction that
// comes later changes the counts, and with the next publication a new vintage; the old one stays as it was.
//
// It promises that nothing is published that does not pass the gate: see Gate. A vintage is exactly what the ledger's
// positions that it names come to, for every cell of its period, also while counting goes on: every write that was begun
// before the copy was complete is waited for, and the copy is taken again when a cell of the period moved under it, and
// given up with ErrMoving when they do not rest. A vintage is seen whole or not at all: its counts are written first, then
// its number, and its own row last, under an id that no other attempt has. Its number is stored and never changes, and no
// other vintage of the period has it, however many publish at once. It never changes or deletes anything.
package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// Conn is what is needed of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Exec(ctx context.Context, query string, args ...any) error
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) driver.Row
	PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error)
}

// Status reports whether a vintage is meant to be the last one.
type Status string

// The states of a vintage.
const (
	Provisional Status = "provisional"
	Final       Status = "final"
)

// Publication is one vintage of a period.
type Publication struct {
	ID            uuid.UUID    `json:"id"`
	Period        string       `json:"period"`
	FirstDay      calendar.Day `json:"-"`
	LastDay       calendar.Day `json:"-"`
	First         string       `json:"first_day"`
	Last          string       `json:"last_day"`
	Vintage       uint64       `json:"vintage"` // 1, 2, … of the period; a number may be left out, and none is given twice
	AsOf          time.Time    `json:"as_of"`
	Status        Status       `json:"status"`
	MethodVersion int          `json:"method_version"`
	dictionary.ReturnCounts[uint64]
	Late      uint64     `json:"late"`      // returns whose opening record was made more than 72 hours after the arrival
	Missing   uint64     `json:"missing"`   // records missing of the computers that may be of the period
	Lost      uint64     `json:"lost"`      // offsets of the logs that recorded decisions gave up, of all periods
	Cells     uint64     `json:"cells"`     // rows of published_counts
	Checksum  uint64     `json:"checksum"`  // of these rows
	Positions []Position `json:"positions"` // of the ledger
}

// Position is how far a partition of a topic was counted.
type Position struct {
	Topic      string `json:"topic"`
	Partition  uint16 `json:"partition"`
	NextOffset uint64 `json:"next_offset"`
	// Lost is how many offsets before it recorded decisions gave up, in all logs that the topic has had.
	Lost uint64 `json:"lost"`
}

// Errors of Take, beside *RefusedError.
var (
	ErrNoCounts   = errors.New("nothing has been counted in it")
	ErrUnfinished = errors.New("a write to ClickHouse was begun and does not end; is `retorno consume` running?")
	ErrMoving     = errors.New("the counts of the period are changing; publish once they rest")
)

const (
	attempts = 10
	pause    = 200 * time.Millisecond
)

// patience is how long to wait for a write that is under way, and for the ledger to reach the logs.
var patience = 30 * time.Second

// Take publishes a period as it is counted now, if it passes the gate; asOf is the moment that the vintage bears. The error
// is *RefusedError when it does not pass, or one of the errors above, or tells that Kafka or ClickHouse could not be asked.
func Take(ctx context.Context, conn Conn, gate Gate, period calendar.Period, status Status, asOf time.Time) (Publication, error) {
	if status != Provisional && status != Final {
		return Publication{}, fmt.Errorf("publish %s: status %q is neither %s nor %s", period.Label, status, Provisional, Final)
	}
	if err := gate.pass(ctx, conn, period, status, asOf); err != nil {
		return Publication{}, fmt.Errorf("publish %s: %w", period.Label, err)
	}
	p := Publication{Period: period.Label, FirstDay: period.First, LastDay: period.Last, First: period.First.String(), Last: period.Last.String(),
		AsOf: asOf.Truncate(time.Millisecond), Status: status, MethodVersion: reconcile.MethodVersion}
	for attempt := 1; ; attempt++ {
		rested, err := p.copyCells(ctx, conn)
		if err == nil && !rested {
			err = ErrMoving
		}
		if err == nil {
			err = p.write(ctx, conn)
		}
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, ErrMoving) || attempt == attempts {
			return Publication{}, fmt.Errorf("publish %s: %w", period.Label, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return Publication{}, fmt.Errorf("publish %s: %w", period.Label, err)
		}
	}
}

// copyCells writes the counts and reports whether they are exactly those of the positions that it notes: every flush of which
// a row may have been copied was begun before the copy was complete, so it is in the ledger when settled returns; and no
// flush that is in the ledger by then changed a cell of the period later, or the cells are not those of the copy.
func (p *Publication) copyCells(ctx context.Context, conn Conn) (rested bool, err error) {
	if p.ID, err = uuid.NewV7(); err != nil {
		return false, err
	}
	first, last := p.First, p.Last
	if err := conn.Exec(ctx, "INSERT INTO retorno.published_counts SELECT toUUID(?) AS publication, * FROM ("+cells+")", p.ID.String(), first, last); err != nil {
		return false, fmt.Errorf("write the counts: %w", err)
	}
	of := "SELECT count(), " + checksum + ", sum(registered), sum(checkpoint), sum(reconciled) FROM "
	err = conn.QueryRow(ctx, of+"retorno.published_counts WHERE publication = toUUID(?)", p.ID.String()).
		Scan(&p.Cells, &p.Checksum, &p.Registered, &p.Checkpoint, &p.Reconciled)
	if err != nil {
		return false, fmt.Errorf("read the counts again: %w", err)
	}
	if p.Cells == 0 {
		return false, ErrNoCounts
	}
	if p.Positions, err = settled(ctx, conn); err != nil {
		return false, err
	}
	p.Lost = 0
	for _, at := range p.Positions {
		p.Lost += at.Lost
	}
	var now Publication
	err = conn.QueryRow(ctx, of+"("+cells+")", first, last).Scan(&now.Cells, &now.Checksum, &now.Registered, &now.Checkpoint, &now.Reconciled)
	if err != nil {
		return false, fmt.Errorf("compare the counts: %w", err)
	}
	if now.Cells != p.Cells || now.Checksum != p.Checksum {
		return false, nil
	}
	err = conn.QueryRow(ctx, `SELECT
		(SELECT count() FROM retorno.returns FINAL WHERE national = 1 AND day BETWEEN toDate(?) AND toDate(?) AND UUIDv7ToDateTime(return_id, 'UTC') > arrival + INTERVAL 72 HOUR),
		(SELECT sum(missing) FROM ceniss.source_gaps WHERE month <= ? AND last_month >= ?)`, first, last, p.LastDay.Month(), p.FirstDay.Month()).Scan(&p.Late, &p.Missing)
	if err != nil {
		return false, fmt.Errorf("read the coverage: %w", err)
	}
	return true, nil
}

// cells are the counts of the days from ? to ?, by month.
var cells = `SELECT formatDateTime(day, '%Y-%m') AS month, ` + dimensions + `,
	sum(r) AS registered, sum(c) AS checkpoint, sum(k) AS reconciled
FROM (SELECT * EXCEPT (registered, checkpoint, reconciled), registered AS r, checkpoint AS c, reconciled AS k FROM retorno.return_counts FINAL WHERE day BETWEEN toDate(?) AND toDate(?))
GROUP BY month, ` + dimensions + `
HAVING reconciled > 0`

// checksum does not depend on the order of the rows.
var checksum = "groupBitXor(cityHash64(month, " + dimensions + ", registered, checkpoint, reconciled))"

// dimensions are the columns of the counts of returns but the day.
var dimensions = func() string {
	var names []string
	for _, a := range dictionary.Counted() {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}()

// write gives the vintage its number and makes it visible.
func (p *Publication) write(ctx context.Context, conn Conn) (err error) {
	if p.Vintage, err = claim(ctx, conn, p.Period, p.ID); err != nil {
		return err
	}
	var topics []string
	var partitions []uint16
	var next []uint64
	for _, at := range p.Positions {
		topics, partitions, next = append(topics, at.Topic), append(partitions, at.Partition), append(next, at.NextOffset)
	}
	batch, err := conn.PrepareBatch(ctx, `INSERT INTO retorno.publications (id, period, first_day, last_day, as_of, status, method_version,
		registered, checkpoint, reconciled, late, missing, lost, cells, checksum, topics, kafka_partitions, next_offsets)`)
	if err == nil {
		err = batch.Append(p.ID, p.Period, p.First, p.Last, p.AsOf, string(p.Status), uint8(p.MethodVersion),
			p.Registered, p.Checkpoint, p.Reconciled, p.Late, p.Missing, p.Lost, p.Cells, p.Checksum, topics, partitions, next)
		if err == nil {
			err = batch.Send()
		}
	}
	if err != nil {
		return fmt.Errorf("write the publication: %w", err)
	}
	return nil
}
