// Package release keeps what was published: for a period the counts as they were then, for ever. A correction that
// comes later changes the counts, and with the next publication a new vintage; the old one stays as it was.
//
// It promises that nothing is published that does not pass the gate: see Gate. A vintage is exactly what the ledger's
// positions that it names come to, for every cell of its period, also while counting goes on: every write that was begun
// before the copy was complete is waited for, and the copy is taken again when a cell of the period moved under it, and
// given up with ErrMoving when they do not rest. A vintage is seen whole or not at all: its counts are written first, then
// its number, its public form, and its own row last, under an id that no other attempt has. Its number is stored and never changes, and no
// other vintage of the period has it. Of several that publish a period at once one does, and the others are told. It never
// changes or deletes anything.
package release

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/counting/reconcile"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/lattice"
	"retorno/consumers/dissemination/revision"
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
	Revision    Status = "revision" // of a final one
)

// Order is what is to be published, and how.
type Order struct {
	Period   calendar.Period
	Status   Status
	AsOf     time.Time // the moment that the vintage bears
	Reason   string    // of a revision; required there
	Accepted string    // why it is published although records are missing; empty: it is not, when they are
	Software string    // version of the program
	Next     string    // the day, 2017-02-15, that is announced for the next publication; "": none is
}

// Public reports whether the vintage has a public form: those of half-years have one.
func (o Order) Public() bool { return o.Period.Kind == calendar.KindHalfYear }

// maxText bounds a reason, which the public reads.
const maxText = 1000

// Validate names what cannot be ordered.
func (o Order) Validate() error {
	for _, text := range []string{o.Reason, o.Accepted} {
		if !utf8.ValidString(text) || len(text) > maxText || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("publish %s: a reason is one line of at most %d bytes in UTF-8", o.Period.Label, maxText)
		}
	}
	if o.Next != "" {
		if p, err := calendar.ParsePeriod(o.Next); err != nil || p.Kind != calendar.KindDay || p.First <= calendar.DayOfTime(o.AsOf) {
			return fmt.Errorf("publish %s: the next release is a day to come, such as 2017-02-15, and not %q", o.Period.Label, o.Next)
		}
	}
	switch o.Status {
	case Provisional, Final:
		return nil
	case Revision:
		if o.Reason == "" {
			return fmt.Errorf("publish %s: a revision needs a reason", o.Period.Label)
		}
		return nil
	}
	return fmt.Errorf("publish %s: status %q is none of %s, %s and %s", o.Period.Label, o.Status, Provisional, Final, Revision)
}

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
	Published     time.Time    `json:"published_at"`
	Status        Status       `json:"status"`
	Reason        string       `json:"reason,omitempty"`
	Accepted      string       `json:"accepted_incomplete,omitempty"`
	Next          string       `json:"next_release,omitempty"` // the day that is announced for the next publication
	Software      string       `json:"software"`
	MethodVersion int          `json:"method_version"`
	dictionary.ReturnCounts[uint64]
	Late      uint64     `json:"late"`      // returns whose opening record was made more than 72 hours after the arrival
	Missing   uint64     `json:"missing"`   // records missing of the computers that may be of the period
	Lost      uint64     `json:"lost"`      // offsets of the logs that recorded decisions gave up, of all periods
	Silent    uint64     `json:"silent"`    // computers silent since, whose last sending is of the period
	Cells     uint64     `json:"cells"`     // rows of published_counts
	Checksum  uint64     `json:"checksum"`  // of these rows
	Positions []Position `json:"positions"` // of the ledger
	// LeftOut are the tables that the public form has not, because no choice of withheld cells protects everybody in them.
	LeftOut []string `json:"tables_left_out,omitempty"`
	// Key is the fingerprint of the key that signed the public form; KeyBefore that of the vintage before, if it is another.
	Key       string `json:"key,omitempty"`
	KeyBefore string `json:"key_before,omitempty"`
}

// Position is how far a partition of a topic was counted.
type Position struct {
	Topic      string `json:"topic"`
	Partition  uint16 `json:"partition"`
	NextOffset uint64 `json:"next_offset"`
	// Lost is how many offsets before it recorded decisions gave up, in all logs that the topic has had.
	Lost uint64 `json:"lost"`
	log  uint16 // of those that the topic has had
}

// Errors of Publish, beside *RefusedError.
var (
	ErrNoCounts   = errors.New("nothing has been counted in it")
	ErrUnfinished = errors.New("a write to ClickHouse was begun and does not end; is `retorno consume` running?")
	ErrMoving     = errors.New("the counts of the period are changing; publish once they rest")
	ErrNoKey      = errors.New("the public form of a half-year's vintage is signed, and there is no key")
	ErrConcurrent = errors.New("another publisher of the period is at work, or has just published; publish once it has ended")
)

const (
	attempts = 10
	pause    = 200 * time.Millisecond
)

// patience is how long to wait for a write that is under way, and for the ledger to reach the logs.
var patience = 30 * time.Second

// Publish publishes a period as it is counted now, if it passes the gate. The error is *RefusedError when it does not pass, or
// one of the errors above, or tells that Kafka or ClickHouse could not be asked.
func Publish(ctx context.Context, conn Conn, gate Gate, public Public, o Order) (Publication, error) {
	if err := o.Validate(); err != nil {
		return Publication{}, err
	}
	if o.Public() && public.Key == nil {
		return Publication{}, fmt.Errorf("publish %s: %w", o.Period.Label, ErrNoKey)
	}
	vintages, err := gate.pass(ctx, conn, o)
	if err != nil {
		return Publication{}, fmt.Errorf("publish %s: %w", o.Period.Label, err)
	}
	p := Publication{Period: o.Period.Label, FirstDay: o.Period.First, LastDay: o.Period.Last, First: o.Period.First.String(), Last: o.Period.Last.String(),
		AsOf: o.AsOf.Truncate(time.Millisecond), Status: o.Status, Reason: o.Reason, Accepted: o.Accepted, Next: o.Next, Software: o.Software, MethodVersion: reconcile.MethodVersion}
	e, err := before(ctx, conn, o)
	if err == nil {
		public.Lattice, err = e.lattice(o, public.Lattice)
		p.keys(public, o, e)
	}
	if err != nil {
		return Publication{}, fmt.Errorf("publish %s: read the vintage before: %w", o.Period.Label, err)
	}
	for attempt := 1; ; attempt++ {
		facts, err := p.copyCells(ctx, conn, public, o.Period)
		if err == nil {
			err = p.write(ctx, conn, public, o, e, facts, vintages)
		}
		if err == nil {
			return p, nil
		}
		if !errors.Is(err, ErrMoving) && !errors.Is(err, errBusy) || attempt == attempts {
			return Publication{}, fmt.Errorf("publish %s: %w", o.Period.Label, err)
		}
		// Two may each have seen the other: they do not wait equally long.
		if err := sleep(ctx, pause+time.Duration(rand.Int64N(int64(pause)))); err != nil {
			return Publication{}, fmt.Errorf("publish %s: %w", o.Period.Label, err)
		}
	}
}

// copyCells writes the counts and returns the facts that they are of, when both are exactly those of the positions that it
// notes: every flush of which a row may have been copied was begun before the copy was complete, so it is in the ledger when
// settled returns; and no flush that is in the ledger by then changed a cell or a fact of the period later, or they are not those
// of the copy, and the error is ErrMoving.
func (p *Publication) copyCells(ctx context.Context, conn Conn, public Public, period calendar.Period) (facts []lattice.Data, err error) {
	if p.ID, err = uuid.NewV7(); err != nil {
		return nil, err
	}
	rows, err := rowsOf(ctx, conn, period)
	if err != nil {
		return nil, fmt.Errorf("read the facts: %w", err)
	}
	if err := conn.Exec(ctx, "INSERT INTO retorno.published_counts SELECT toUUID(?) AS publication, * FROM ("+cells+")", p.ID.String(), p.First, p.Last); err != nil {
		return nil, fmt.Errorf("write the counts: %w", err)
	}
	if facts, err = public.facts(ctx, conn, period); err != nil {
		return nil, fmt.Errorf("read the facts: %w", err)
	}
	if err = p.sums(ctx, conn, "retorno.published_counts WHERE publication = toUUID(?)", p.ID.String()); err != nil {
		return nil, fmt.Errorf("read the counts again: %w", err)
	}
	if p.Cells == 0 {
		return nil, ErrNoCounts
	}
	if p.Positions, err = settled(ctx, conn); err != nil {
		return nil, err
	}
	p.Lost = 0
	for _, at := range p.Positions {
		p.Lost += at.Lost
	}
	var now Publication
	if err := now.sums(ctx, conn, "("+cells+")", p.First, p.Last); err != nil {
		return nil, fmt.Errorf("compare the counts: %w", err)
	}
	still, err := rowsOf(ctx, conn, period)
	if err != nil {
		return nil, fmt.Errorf("compare the facts: %w", err)
	}
	if now.Cells != p.Cells || now.Checksum != p.Checksum || still != rows {
		return nil, ErrMoving
	}
	if n := len(facts[0].Rows); uint64(n) != p.Reconciled {
		return nil, fmt.Errorf("%d returns are stored and %d are counted: `retorno verify --once` names the rows", n, p.Reconciled)
	}
	err = conn.QueryRow(ctx, `SELECT count() FROM retorno.returns FINAL
		WHERE national = 1 AND day BETWEEN toDate(?) AND toDate(?) AND UUIDv7ToDateTime(return_id, 'UTC') > arrival + INTERVAL 72 HOUR`, p.First, p.Last).Scan(&p.Late)
	if err != nil {
		return nil, fmt.Errorf("read the coverage: %w", err)
	}
	p.Missing, p.Silent, err = incompleteness(ctx, conn, period)
	return facts, err
}

// sums reads what counts come to.
func (p *Publication) sums(ctx context.Context, conn Conn, from string, args ...any) error {
	return conn.QueryRow(ctx, "SELECT count(), "+checksum+", sum(registered), sum(checkpoint), sum(reconciled) FROM "+from, args...).
		Scan(&p.Cells, &p.Checksum, &p.Registered, &p.Checkpoint, &p.Reconciled)
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

// write gives the vintage its number and makes it visible, unless another has been published since the gate saw so many
// vintages: it opened for what was there. ClickHouse looks at that, and at the lease, in the statement that writes, so that a
// publisher that was held up before it writes nothing afterwards. What takes long is done before the number is taken.
func (p *Publication) write(ctx context.Context, conn Conn, public Public, o Order, e *earlier, facts []lattice.Data, vintages uint64) error {
	content, err := p.compose(ctx, conn, public, o, e, facts)
	if err != nil {
		return err
	}
	if p.Vintage, err = claim(ctx, conn, p.Period, p.ID); err != nil {
		return err
	}
	p.Published = time.Now().Truncate(time.Millisecond)
	if err := p.seal(ctx, conn, content, public); err != nil {
		return errors.Join(err, note(ctx, conn, p.Period, withdrawn, p.ID))
	}
	var topics []string
	var partitions, logs []uint16
	var next []uint64
	for _, at := range p.Positions {
		topics, partitions, next, logs = append(topics, at.Topic), append(partitions, at.Partition), append(next, at.NextOffset), append(logs, at.log)
	}
	err = conn.Exec(ctx, `INSERT INTO retorno.publications (id, period, first_day, last_day, as_of, published_at, status, reason, accepted, software, method_version,
		registered, checkpoint, reconciled, late, missing, silent, lost, cells, checksum, topics, kafka_partitions, next_offsets, logs, code_lists)
		SELECT toUUID(?), ?, toDate(?), toDate(?), fromUnixTimestamp64Milli(?), fromUnixTimestamp64Milli(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
		WHERE (SELECT max(claimed_at) FROM retorno.vintages WHERE publication = toUUID(?)) > now64(3) - INTERVAL ? MILLISECOND
			AND (SELECT count() FROM ceniss.publications WHERE period = ?) = ?
		SETTINGS max_execution_time = ?`,
		p.ID.String(), p.Period, p.First, p.Last, p.AsOf.UnixMilli(), p.Published.UnixMilli(), string(p.Status), p.Reason, p.Accepted, p.Software, p.MethodVersion,
		p.Registered, p.Checkpoint, p.Reconciled, p.Late, p.Missing, p.Silent, p.Lost, p.Cells, p.Checksum, topics, partitions, next, logs, codeLists(),
		p.ID.String(), lease.Milliseconds()/2, p.Period, vintages, max(1, int(lease.Seconds()/2)))
	if err != nil {
		return fmt.Errorf("write the publication: %w", err)
	}
	var visible uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM retorno.publications WHERE id = toUUID(?)", p.ID.String()).Scan(&visible); err != nil {
		return fmt.Errorf("read the publication: %w", err)
	}
	if visible == 0 {
		return errors.Join(ErrConcurrent, note(ctx, conn, p.Period, withdrawn, p.ID))
	}
	return nil
}

// compose writes what is kept of the vintage beside its counts: its events, and what changed since the vintage before. It returns the
// content of its public form, which has neither its number nor its moment yet; nil where it has none. Nothing of it is visible.
func (p *Publication) compose(ctx context.Context, conn Conn, public Public, o Order, e *earlier, facts []lattice.Data) (*bundle.Content, error) {
	if err := p.keep(ctx, conn, facts); err != nil {
		return nil, fmt.Errorf("write the events: %w", err)
	}
	if e != nil && e.events != nil && o.Public() {
		changes, err := p.changes(ctx, conn, e, facts)
		if err != nil {
			return nil, err
		}
		differences, err := revision.Differences(public.Lattice, p.Period, e.events, changes)
		if err != nil {
			return nil, err
		}
		if o.Status == Revision && len(differences) == 0 {
			return nil, &RefusedError{Period: p.Period, Reasons: []Reason{{Unchanged, fmt.Sprintf("no count has changed since vintage %d", e.number), "publish it when one has"}}}
		}
		if err := p.noteDifferences(ctx, conn, e.number, differences); err != nil {
			return nil, fmt.Errorf("write what changed: %w", err)
		}
	}
	return p.public(ctx, conn, public, o, e, facts)
}
