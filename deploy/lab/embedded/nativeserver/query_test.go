package nativeserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"retorno/deploy/lab/embedded/embeddedtest"
)

// endless never ends by itself.
const endless = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000) SETTINGS max_threads = 1"

func codeOf(err error) int32 {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestErrorsHaveTheirCodesAndLeaveTheConnectionUsable(t *testing.T) {
	c := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	before := one[string](t, c, "SELECT currentDatabase()")
	for sql, want := range map[string]int32{
		"SELECT * FROM nosuch": 60, "SELEC 1": 62, "SELECT nosuch": 47, "SELECT * FROM nosuch.t": 81, "SELECT 1; SELECT 2": 62,
		"SELECT throwIf(number = 300000) FROM numbers(1000000)": 395, "INSERT INTO nosuch VALUES (1)": 60, "CREATE TABLE t (a Nope) ENGINE = Memory": 50,
		"SELECT 1 SETTINGS nosuch = 1": 115, "INSERT INTO t FROM INFILE '/etc/hostname' FORMAT TSV": 78, "SYSTEM NOPE": 62, "1 + 1": 62, "SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_execution_time = 1": 159,
	} {
		err := c.Exec(t.Context(), sql)
		if codeOf(err) != want {
			t.Errorf("%s: got %v, want code %d", sql, err, want)
		}
		if strings.Contains(fmt.Sprint(err), "/fd/") {
			t.Errorf("%s: the message tells of the spool: %v", sql, err)
		}
		if after := one[string](t, c, "SELECT currentDatabase()"); after != before {
			t.Errorf("after %s the session is in %s", sql, after)
		}
	}
}

func TestWrongLogin(t *testing.T) {
	for name, auth := range map[string]clickhouse.Auth{"password": {Password: "wrong"}, "user": {Username: "stranger"}} {
		if err := connect(t, &clickhouse.Options{Auth: auth}).Ping(t.Context()); codeOf(err) != 516 {
			t.Errorf("wrong %s: got %v", name, err)
		}
	}
	if err := connect(t, &clickhouse.Options{Auth: clickhouse.Auth{Database: "nosuch"}}).Ping(t.Context()); codeOf(err) != 81 {
		t.Errorf("wrong database: got %v", err)
	}
}

// The reader sees database ceniss and, whatever is tried, nothing else.
func TestReaderReadsOnlyItsDatabase(t *testing.T) {
	admin := open(t)
	database := one[string](t, admin, "SELECT currentDatabase()")
	exec(t, admin, "CREATE TABLE secret (a Int32) ENGINE = MergeTree ORDER BY a")
	exec(t, admin, "INSERT INTO secret VALUES (1)")
	exec(t, admin, "CREATE DATABASE IF NOT EXISTS ceniss")
	exec(t, admin, "CREATE OR REPLACE VIEW ceniss.native_view AS SELECT a FROM secret")
	reader := connect(t, &clickhouse.Options{Auth: clickhouse.Auth{Username: "ceniss", Database: "ceniss"}, MaxOpenConns: 1})
	if a := one[int32](t, reader, "SELECT a FROM native_view"); a != 1 {
		t.Errorf("got %d", a)
	}
	rows, err := reader.Query(t.Context(), "SELECT a, count() FROM native_view GROUP BY a WITH TOTALS SETTINGS extremes = 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Errorf("totals for the reader: %v", err)
	}
	for _, sql := range []string{
		"SELECT * FROM " + database + ".secret", "INSERT INTO " + database + ".secret VALUES (2)", "SET ROLE ALL", "SET ROLE embedded_admin", "SET/**/ROLE embedded_admin",
		"DROP VIEW ceniss.native_view", "CREATE TABLE ceniss.t (a Int8) ENGINE = Memory", "SELECT * FROM file('/etc/passwd', LineAsString)", "KILL QUERY WHERE 1",
		"SYSTEM SHUTDOWN", "ALTER TABLE " + database + ".secret DELETE WHERE 1", "SELECT 1; SET ROLE embedded_admin", "GRANT embedded_admin TO default",
		"SELECT file('status')", "SELECT `file` ( 'status')", "SELECT \"FILE\"('status')", "SELECT * FROM (SELECT file/**/('status'))",
		"SELECT query FROM system.processes", "SELECT * FROM system.`processes`", "SHOW PROCESSLIST", "SELECT * FROM merge('system', 'proc')",
	} {
		if err := reader.Exec(t.Context(), sql); err == nil {
			t.Errorf("the reader may %s", sql)
		}
	}
	if n := one[uint64](t, admin, "SELECT count() FROM secret"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestSettingsLastForTheirStatement(t *testing.T) {
	c := open(t, func(o *clickhouse.Options) {
		o.MaxOpenConns = 1
		o.Settings = clickhouse.Settings{"max_block_size": 7}
	})
	const sql = "SELECT toUInt64(getSetting('max_threads'))"
	exec(t, c, "SET max_threads = 5")
	ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_threads": 3, "log_comment": "mine"}))
	var n uint64
	var comment string
	if err := c.QueryRow(ctx, "SELECT toUInt64(getSetting('max_threads')), getSetting('log_comment')").Scan(&n, &comment); err != nil || n != 3 || !strings.HasPrefix(comment, "mine") {
		t.Errorf("within: %d %q %v", n, comment, err)
	}
	returned(t, c)
	if n := one[uint64](t, c, sql); n != 5 {
		t.Errorf("after: %d", n)
	}
	if n := one[uint64](t, c, "SELECT toUInt64(getSetting('max_block_size'))"); n != 7 {
		t.Errorf("max_block_size: %d", n)
	}
	if got := one[string](t, c, "SELECT getSetting('log_comment')"); strings.HasPrefix(got, "mine") {
		t.Errorf("log_comment stays %q", got)
	}
}

func TestParametersTotalsExtremesAndExternalTables(t *testing.T) {
	c := open(t)
	ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"n": "41", "s": "O'Hara"}))
	var n uint64
	var s string
	if err := c.QueryRow(ctx, "SELECT {n:UInt64} + 1, {s:String}").Scan(&n, &s); err != nil || n != 42 || s != "O'Hara" {
		t.Errorf("parameters: %d %q %v", n, s, err)
	}
	rows, err := c.Query(t.Context(), "SELECT number % 2 AS k, count() AS c, toLowCardinality('x') AS l FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k")
	if err != nil {
		t.Fatal(err)
	}
	var k uint8
	var count uint64
	var l string
	for rows.Next() {
		if err := rows.Scan(&k, &count, &l); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Totals(&k, &count, &l); err != nil || count != 10 {
		t.Errorf("totals: %d %v", count, err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	table, err := ext.NewTable("posts", ext.Column("code", "String"), ext.Column("n", "UInt64"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := table.Append(fmt.Sprint("L-", i), uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	withTable := clickhouse.Context(t.Context(), clickhouse.WithExternalTable(table))
	for range 2 { // the table is gone after its statement
		if err := c.QueryRow(withTable, "SELECT sum(n) FROM posts").Scan(&n); err != nil || n != 3 {
			t.Errorf("external table: %d %v", n, err)
		}
	}
	if err := c.Exec(t.Context(), "SELECT * FROM posts"); codeOf(err) != 60 {
		t.Errorf("the external table outlives its statement: %v", err)
	}
}

func TestEmptyResultsKeepTheirColumns(t *testing.T) {
	c := open(t)
	exec(t, c, "CREATE TABLE e (a UInt32, l LowCardinality(Nullable(String)), t Tuple(x Int8, y Array(String))) ENGINE = MergeTree ORDER BY a")
	for sql, want := range map[string]string{
		"SELECT * FROM e":                                    "a UInt32, l LowCardinality(Nullable(String)), t Tuple(x Int8, y Array(String))",
		"SELECT a, count() FROM e GROUP BY a":                "a UInt32, count() UInt64",
		"WITH 1 AS one SELECT one AS o FROM e FORMAT Pretty": "o UInt8",
		"SHOW TABLES LIKE 'no such'":                         "name String",
		"DESCRIBE TABLE (SELECT * FROM e) SETTINGS limit = 0, describe_compact_output = 1 -- at the end": "name String, type String",
	} {
		rows, err := c.Query(t.Context(), sql)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		var got []string
		for i, typ := range rows.ColumnTypes() {
			got = append(got, rows.Columns()[i]+" "+typ.DatabaseTypeName())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: columns %v, want %s", sql, got, want)
		}
		if err := rows.Close(); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// A result is passed on while it is made: the first block of an endless one comes at once.
func TestResultsAreStreamedAndCanBeCancelled(t *testing.T) {
	c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	var progress atomic.Uint64
	rows, err := c.Query(clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) { progress.Add(p.Rows) })),
		"SELECT number, repeat('x', 100) FROM system.numbers")
	if err != nil {
		t.Fatal(err)
	}
	for range 200_000 {
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
	}
	cancel()
	for rows.Next() { // what was on its way
	}
	if progress.Load() == 0 {
		t.Error("no progress was told")
	}
	idle(t, "system.numbers")
}

// idle waits until no statement with text in it runs.
func idle(t *testing.T, text string) {
	t.Helper()
	watcher := connect(t, &clickhouse.Options{})
	embeddedtest.Eventually(t, "the end of "+text, func() bool {
		return one[uint64](t, watcher, "SELECT count() FROM system.processes WHERE position(query, ?) > 0 AND position(query, 'system.processes') = 0", text) == 0
	})
}

func running(t *testing.T, text string) {
	t.Helper()
	watcher := connect(t, &clickhouse.Options{})
	embeddedtest.Eventually(t, "the start of "+text, func() bool {
		return one[uint64](t, watcher, "SELECT count() FROM system.processes WHERE position(query, ?) > 0 AND position(query, 'system.processes') = 0", text) == 1
	})
}

// A statement that gives no rows for long tells how far it has come.
func TestProgressOfASilentStatement(t *testing.T) {
	c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	told := make(chan uint64, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Exec(clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) { told <- p.Rows })), "SELECT 'silent', ("+endless+")")
	}()
	var sum uint64
	for sum == 0 {
		select {
		case rows := <-told:
			sum += rows
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(embeddedtest.Patience):
			t.Fatal("no progress")
		}
	}
	cancel()
	<-ended
}

func TestCancelInMidQuery(t *testing.T) {
	c := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Exec(ctx, endless+", log_comment = 'cancel me'") }()
	running(t, "cancel me")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	idle(t, "cancel me")
	if one[uint8](t, c, "SELECT 1") != 1 {
		t.Error("the engine serves no more")
	}
}

func TestKillQueryByTheClientsOwnID(t *testing.T) {
	c := open(t)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Exec(clickhouse.Context(t.Context(), clickhouse.WithQueryID("my-own-id")), "SELECT 'kill me', ("+endless+")")
	}()
	running(t, "kill me")
	exec(t, c, "KILL QUERY WHERE query_id = 'my-own-id'")
	if err := <-ended; codeOf(err) != 394 {
		t.Errorf("got %v", err)
	}
}

// vanishing is a connection that can be torn away below the client.
type vanishing struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (v *vanishing) dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conns = append(v.conns, c)
	return c, err
}

func (v *vanishing) vanish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.conns {
		_ = c.Close() // that is the point
	}
}

func TestClientVanishesInMidQuery(t *testing.T) {
	var v vanishing
	c := open(t, func(o *clickhouse.Options) { o.DialContext = v.dial })
	ended := make(chan error, 1)
	go func() { ended <- c.Exec(t.Context(), "SELECT 'left alone', ("+endless+")") }()
	running(t, "left alone")
	v.vanish()
	if err := <-ended; err == nil {
		t.Error("the client saw no error")
	}
	idle(t, "left alone")
}

func TestParallelConnections(t *testing.T) {
	const clients = 32
	c := open(t, func(o *clickhouse.Options) { o.MaxOpenConns, o.MaxIdleConns = clients, clients })
	exec(t, c, "CREATE TABLE p (client UInt32, n UInt64) ENGINE = MergeTree ORDER BY (client, n)")
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			batch, err := c.PrepareBatch(t.Context(), "INSERT INTO p")
			if err != nil {
				t.Error(err)
				return
			}
			for n := range 1000 {
				if err := batch.Append(uint32(i), uint64(n)); err != nil {
					t.Error(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Error(err)
			}
			var n uint64
			if err := c.QueryRow(t.Context(), "SELECT sum(n) FROM p WHERE client = ?", i).Scan(&n); err != nil || n != 499500 {
				t.Errorf("client %d: %d %v", i, n, err)
			}
		})
	}
	wg.Wait()
	if n := one[uint64](t, c, "SELECT count() FROM p"); n != clients*1000 {
		t.Errorf("%d rows", n)
	}
}

// Who speaks HTTP to this port is told so in HTTP.
func TestHTTPOnTheNativePort(t *testing.T) {
	c, err := net.Dial("tcp", engine.Native())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(embeddedtest.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if !strings.HasPrefix(string(answer), "HTTP/1.0 400") {
		t.Errorf("got %q %v", answer, err)
	}
}
