package release_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/consumers/dissemination/disclosure/lattice"
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
	t               *testing.T
	conn            driver.Conn
	ends            map[string]uint64 // by topic
	every           time.Duration     // between provisional vintages
	returns         map[string]int    // by exit point
	public          release.Public
	log, increments int // the newest log; incremental passes
}

// oneTable is so coarse that an office's few returns can be published.
const oneTable = `version: "test"
core_limit: 100
measures: [{id: returns, es: Retornos, en: Returns}]
columns:
  - id: exit_point
    list: border_point
    groups: [{code: L-COR, es: Corinto, en: Corinto, of: [L-COR]}, {code: OTH, es: Otros, en: Other, others: true}]
    levels: {exit: [L-COR, OTH]}
tables:
  - {id: T2, es: Salida, en: Exit, measure: returns, levels: [exit_point.exit], time: [M, S], threshold: 3}
classes:
  - {id: P, status: provisional, base: 10, tables: {T2: [S]}}
  - {id: A, status: final, base: 1}
  - {id: R, status: revision, base: 1, rule: hold}
`

// public is a small lattice with a key.
func public(t *testing.T) release.Public {
	t.Helper()
	l, err := lattice.Parse("test", []byte(oneTable))
	if err != nil {
		t.Fatal(err)
	}
	return release.Public{Lattice: l, Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
}

// open makes an office in which 7 registered returns of June 2016 are counted and verified.
func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, conn: enginetest.Fresh(t, engine).Conn(), ends: map[string]uint64{}, returns: map[string]int{}, public: public(t)}
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

// count writes a cell, so many registered returns by an exit point of as many persons, and its returns, in the n-th write of an
// epoch.
func (o *office) count(epoch, n int, exit string, registered int) {
	o.t.Helper()
	o.cell("2016-06-02", epoch<<40+n, exit, registered)
	for i := range max(registered, o.returns[exit]) {
		id := uuid.NewSHA1(uuid.Nil, fmt.Appendf(nil, "%s/%d", exit, i))
		copy(id[:8], []byte{0x01, 0x55, 0x0f, 0x5a, 0x58, 0x00, 0x70, byte(i)}) // UUIDv7 of 2016-06-02
		o.exec(`INSERT INTO retorno.returns (return_id, version, is_deleted, person, method_version, day, arrival, route, country, mode, return_type, entry_point, exit_point,
			centre, department, municipality, sex, age, age_group, accompanied, nationality, national, registered, checkpoint)
			VALUES ('%s', %d, %d, '%[1]s', 1, '2016-06-02', '2016-06-02 10:00:00', 'US-AIR', 'US', 'air', 'deported', 'A-SAP', '%[4]s', 'CAMR-SPS', 'HN-CR', '0501', 'M', 30, '21-30', 'unknown', 'HN', 1, 1, 0)`,
			id, epoch<<40+n, map[bool]int{true: 1}[i >= registered], exit)
	}
	o.returns[exit] = registered
}

// cell writes a cell alone.
func (o *office) cell(day string, version int, exit string, registered int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.return_counts (day, route, country, mode, exit_point, registered, reconciled, version) VALUES ('%s', 'US-AIR', 'US', 'air', '%s', %d, %[3]d, %d)", day, exit, registered, version)
}

// account writes a row of the ledger, and the log goes on to there.
func (o *office) account(epoch, first, next int) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, flushed_at) VALUES ('%s', 0, %d, %d, %d, %d, %[5]d, '2016-10-01 00:00:00')", events.TopicCentre, epoch, first, next, next-first)
	o.ends[events.TopicCentre] = max(o.ends[events.TopicCentre], uint64(next))
}

// verified records a full pass of the verifier that began then, with the logs as they are, and found so many rows that differ.
func (o *office) verified(began time.Time, different int) {
	o.t.Helper()
	pass := uuid.NewString()
	o.pass("began", pass, began, began, 0, o.marks())
	o.pass("ended", pass, began, began, different, "{}")
}

// compared records an incremental pass that has found no difference up to the ends, in the newest logs.
func (o *office) compared() {
	o.t.Helper()
	o.increments++
	at := time.Now().Add(time.Duration(o.increments) * time.Second)
	o.pass("increment", uuid.Nil.String(), at, at, 0, o.marks())
}

// marks is where the verifier says that the ledger stood.
func (o *office) marks() string {
	var all []string
	for topic, next := range o.ends {
		all = append(all, fmt.Sprintf(`"%s/0": {"Log": %d, "Next": %d}`, topic, o.log, next))
	}
	return `{"Marks": {` + strings.Join(all, ", ") + `}}`
}

func (o *office) record(kind string, began, at time.Time, different int) {
	o.t.Helper()
	o.pass(kind, uuid.NewString(), began, at, different, "{}")
}

func (o *office) pass(kind, pass string, began, at time.Time, different int, detail string) {
	o.t.Helper()
	o.exec("INSERT INTO retorno.verifications (kind, pass, began, at, rows, different, detail) VALUES ('%s', '%s', fromUnixTimestamp64Milli(%d), fromUnixTimestamp64Milli(%d), 100, %d, '%s')", kind, pass, began.UnixMilli(), at.UnixMilli(), different, detail)
}

// sent notes that some numbers of a computer have arrived in June 2016.
func (o *office) sent(source string, numbers ...int) {
	o.t.Helper()
	for _, n := range numbers {
		o.exec("INSERT INTO retorno.sendings (kafka_partition, place, source_id, source_seq, sent_at) VALUES (0, %d, '%s', %[1]d, '2016-06-02 1%[1]d:00:00')", n, source)
	}
}

func (o *office) gate() release.Gate {
	return release.Gate{VerifiedWithin: time.Hour, MaxMissing: 2, ProvisionalEvery: o.every, Ends: func(context.Context) ([]release.Position, error) {
		var all []release.Position
		for topic, next := range o.ends {
			all = append(all, release.Position{Topic: topic, NextOffset: next})
		}
		return all, nil
	}}
}

// order is one for the half-year, with the reason that a revision needs.
func order(status release.Status, asOf time.Time) release.Order {
	return release.Order{Period: halfYear, Status: status, AsOf: asOf, Reason: map[release.Status]string{release.Revision: "late records"}[status], Software: "test"}
}

func (o *office) publish(conn release.Conn, status release.Status, asOf time.Time) (release.Publication, error) {
	o.t.Helper()
	return release.Publish(o.t.Context(), conn, o.gate(), o.public, order(status, asOf))
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
