package nativeserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// 500,000 rows in one columnar batch arrive as one part: one block of the client is one block of the engine.
func TestColumnarInsertOfHalfAMillionRows(t *testing.T) {
	const rows = 500_000
	for name, compression := range map[string]*clickhouse.Compression{
		"none": nil, "lz4": {Method: clickhouse.CompressionLZ4}, "zstd": {Method: clickhouse.CompressionZSTD},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, func(o *clickhouse.Options) { o.Compression = compression })
			exec(t, c, "CREATE TABLE big (id UUID DEFAULT generateUUIDv4(), a UInt64, b LowCardinality(String), d DateTime64(3), n Nullable(Int32), s String, f Float64, e UInt8) "+
				"ENGINE = MergeTree ORDER BY a")
			a, b, d, n, s, f, e := make([]uint64, rows), make([]string, rows), make([]time.Time, rows), make([]*int32, rows), make([]string, rows), make([]float64, rows), make([]uint8, rows)
			start := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)
			for i := range rows {
				v := int32(i)
				a[i], b[i], d[i], s[i], f[i], e[i] = uint64(i), fmt.Sprint("L-", i%19), start.Add(time.Duration(i)*time.Second), fmt.Sprint(i), float64(i), uint8(i)
				if i%2 == 0 {
					n[i] = &v
				}
			}
			batch, err := c.PrepareBatch(t.Context(), "INSERT INTO big (a, b, d, n, s, f, e)")
			if err != nil {
				t.Fatal(err)
			}
			for i, column := range []any{a, b, d, n, s, f, e} {
				if err := batch.Column(i).Append(column); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			var count, sum, nulls, ids, parts uint64
			if err := c.QueryRow(t.Context(), "SELECT count(), sum(a), countIf(n IS NULL), uniqExact(id), uniqExact(_part) FROM big WHERE b = concat('L-', toString(a % 19)) AND s = toString(a)").
				Scan(&count, &sum, &nulls, &ids, &parts); err != nil {
				t.Fatal(err)
			}
			if count != rows || sum != rows*(rows-1)/2 || nulls != rows/2 || ids != rows || parts != 1 {
				t.Errorf("count %d sum %d nulls %d ids %d parts %d", count, sum, nulls, ids, parts)
			}
		})
	}
}

func TestInsertsWithDataInTheText(t *testing.T) {
	c := open(t)
	exec(t, c, "CREATE TABLE i (a Int32, b String DEFAULT 'none', m Int32 MATERIALIZED a * 2) ENGINE = MergeTree ORDER BY a")
	exec(t, c, "INSERT INTO i VALUES (1, 'it''s; SELECT'), (2, concat('x', 'y'))")
	exec(t, c, "INSERT INTO i (a) SETTINGS async_insert = 0 VALUES (3)")
	exec(t, c, "INSERT INTO i FORMAT CSV\n4,\"a\n\n b\"\n")
	exec(t, c, `INSERT INTO i FORMAT JSONEachRow {"a": 5} {"a": 6, "b": "six"}`)
	exec(t, c, "INSERT INTO i (* EXCEPT (b)) VALUES (7)")
	exec(t, c, "INSERT INTO i SELECT number + 8, 'selected' FROM numbers(2)")
	rows, err := c.Query(t.Context(), "SELECT a, b, m FROM i ORDER BY a")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := []string{"it's; SELECT", "xy", "none", "a\n\n b", "none", "six", "none", "selected", "selected"}
	for i := range want {
		var a, m int32
		var b string
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(&a, &b, &m); err != nil || a != int32(i+1) || b != want[i] || m != 2*a {
			t.Errorf("row %d: %d %q %d %v", i, a, b, m, err)
		}
	}
	for sql, code := range map[string]int32{
		"INSERT INTO i VALUES (": 62, "INSERT INTO i VALUES ('x', 1)": 53, "INSERT INTO i FORMAT CSV\nx,y\n": 27, "INSERT INTO i FORMAT Nope\n1": 73, "INSERT INTO i (nope) VALUES (1)": 16,
	} {
		if err := c.Exec(t.Context(), sql); codeOf(err) == 0 {
			t.Errorf("%s: got %v, want an error such as %d", sql, err, code)
		}
	}
	if n := one[uint64](t, c, "SELECT count() FROM i"); n != uint64(len(want)) {
		t.Errorf("%d rows after inserts that failed", n)
	}
}

// What the engine refuses only at the end of an insert comes back as that insert's error, and nothing is kept.
func TestInsertThatFailsInTheEngine(t *testing.T) {
	c := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	exec(t, c, "CREATE TABLE f (a Int32, CONSTRAINT small CHECK a < 10) ENGINE = MergeTree ORDER BY a")
	batch, err := c.PrepareBatch(t.Context(), "INSERT INTO f")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := batch.Append(int32(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); codeOf(err) != 469 {
		t.Errorf("got %v, want code 469", err)
	}
	if n := one[uint64](t, c, "SELECT count() FROM f"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// The columns that an INSERT wants are those of the table as it is, whichever client changed it meanwhile.
func TestInsertAfterTheTableChanged(t *testing.T) {
	c, other := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1 }), open(t)
	exec(t, c, "CREATE TABLE changing (a UInt8) ENGINE = MergeTree ORDER BY a")
	insert := func(row ...any) error {
		batch, err := c.PrepareBatch(t.Context(), "INSERT INTO changing")
		if err != nil {
			return err
		}
		if err := batch.Append(row...); err != nil {
			return errors.Join(err, batch.Abort())
		}
		return batch.Send()
	}
	for range 2 { // the second time the columns are known
		if err := insert(uint8(1)); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, other, "ALTER TABLE changing ADD COLUMN b String")
	if err := insert(uint8(1)); err == nil {
		t.Error("a row with one column was taken")
	}
	if err := insert(uint8(2), "two"); err != nil {
		t.Error(err)
	}
	exec(t, other, "DROP TABLE changing SYNC")
	if err := insert(uint8(3), "three"); codeOf(err) != 60 {
		t.Errorf("into a table that is gone: %v", err)
	}
}

// A client that goes away before it has sent all leaves nothing behind.
func TestClientVanishesInMidInsert(t *testing.T) {
	var v vanishing
	c := open(t, func(o *clickhouse.Options) { o.DialContext = v.dial })
	exec(t, c, "CREATE TABLE half (a UInt64) ENGINE = MergeTree ORDER BY a")
	batch, err := c.PrepareBatch(t.Context(), "INSERT INTO half")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		if err := batch.Append(uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Flush(); err != nil { // one block is sent, the end is not
		t.Fatal(err)
	}
	v.vanish()
	if err := batch.Send(); err == nil {
		t.Error("the client saw no error")
	}
	other := open(t)
	idle(t, "INSERT INTO half")
	if n := one[uint64](t, other, "SELECT count() FROM half"); n != 0 {
		t.Errorf("%d rows of an insert that never ended", n)
	}
}

// ch-go is the other Go client: typed columns, streaming both ways.
func TestChGo(t *testing.T) {
	admin := open(t)
	exec(t, admin, "CREATE TABLE g (a UInt64, s String, l LowCardinality(String), arr Array(UInt32)) ENGINE = MergeTree ORDER BY a")
	database := one[string](t, admin, "SELECT currentDatabase()")
	for name, compression := range map[string]ch.Compression{"none": ch.CompressionDisabled, "lz4": ch.CompressionLZ4, "zstd": ch.CompressionZSTD} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			c, err := ch.Dial(ctx, ch.Options{Address: engine.Native(), Database: database, Compression: compression})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}()
			if err := c.Do(ctx, ch.Query{Body: "TRUNCATE TABLE g"}); err != nil {
				t.Fatal(err)
			}
			var a proto.ColUInt64
			var s proto.ColStr
			l := new(proto.ColStr).LowCardinality()
			arr := new(proto.ColUInt32).Array()
			for i := range 10_000 {
				a.Append(uint64(i))
				s.Append(strings.Repeat("x", i%10))
				l.Append(fmt.Sprint(i % 7))
				arr.Append([]uint32{uint32(i), 2})
			}
			blocks := 0
			err = c.Do(ctx, ch.Query{
				Body:  "INSERT INTO g VALUES",
				Input: proto.Input{{Name: "a", Data: &a}, {Name: "s", Data: &s}, {Name: "l", Data: l}, {Name: "arr", Data: arr}},
				OnInput: func(context.Context) error {
					if blocks++; blocks > 3 {
						a.Reset()
						s.Reset()
						l.Reset()
						arr.Reset()
						return io.EOF
					}
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			read := 0
			var got proto.ColUInt64
			var low = new(proto.ColStr).LowCardinality()
			err = c.Do(ctx, ch.Query{
				Body:       "SELECT a, l FROM g WHERE a < {max:UInt64}",
				Result:     proto.Results{{Name: "a", Data: &got}, {Name: "l", Data: low}},
				Parameters: ch.Parameters(map[string]any{"max": 5000}),
				OnResult: func(_ context.Context, b proto.Block) error {
					read += b.Rows
					return nil
				},
			})
			if err != nil || read != 4*5000 {
				t.Errorf("%d rows read: %v", read, err)
			}
			err = c.Do(ctx, ch.Query{Body: "SELECT * FROM nosuch"})
			if !ch.IsErr(err, proto.ErrUnknownTable) {
				t.Errorf("got %v", err)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}
