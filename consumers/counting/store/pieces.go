package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"retorno/consumers/counting/reconcile"
)

// pieceRows is about how many rows of a table are read at once: what is held in memory of them, and what is to be read
// again when a connection is lost.
const pieceRows = 1 << 20

// Pieces is into how many parts ids are divided: a power of two, at most 65,536. ClickHouse orders UUIDs by their second
// half, which is random in person keys and in record ids, so that equal ranges of it hold about equally many; of record
// ids, whose second half begins with the same two bits, up to four times as many.
type Pieces int

func piecesFor(rows uint64) Pieces {
	n := Pieces(1)
	for n < 1<<16 && rows/uint64(n) > pieceRows {
		n *= 2
	}
	return n
}

// Of is the piece that an id falls in.
func (n Pieces) Of(id reconcile.ID) int {
	return int(binary.BigEndian.Uint16(id[8:])) / (1 << 16 / int(n))
}

// where is the condition on a column of UUIDs for piece i.
func (n Pieces) where(column string, i int) string {
	bound := func(i int) string {
		return fmt.Sprintf("toUUID('00000000-0000-0000-%04x-000000000000')", i*(1<<16/int(n)))
	}
	all := "1"
	if i > 0 {
		all = column + " >= " + bound(i)
	}
	if i+1 < int(n) {
		all += " AND " + column + " < " + bound(i+1)
	}
	return all
}

// pieces counts the rows that the claim's Kafka partition has in tables, and divides them.
func (c *Claim) pieces(ctx context.Context, tables ...string) (Pieces, error) {
	most := uint64(0)
	for _, table := range tables {
		var rows proto.ColUInt64
		err := c.store.retry(ctx, "count "+table, func() error {
			return c.conn.do(ctx, ch.Query{Body: fmt.Sprintf("SELECT count() AS rows FROM %s WHERE kafka_partition = %d", table, c.partition),
				Settings: settings(0), Result: proto.Results{{Name: "rows", Data: &rows}}})
		})
		if err != nil {
			return 0, err
		}
		if len(rows) > 0 {
			most = max(most, rows[0])
		}
	}
	return piecesFor(most), nil
}

// stored reads the rows that the claim's Kafka partition has in a table: all that are stored for which where is true, also
// those that another replaces; row is called for each row of t. What breaks off is read again, so that a row may come twice.
func (c *Claim) stored(ctx context.Context, table, where string, t *block, row func(i int) error) error {
	query := fmt.Sprintf("SELECT %s FROM %s WHERE kafka_partition = %d AND %s", t.columns(), table, c.partition, where)
	return c.store.retry(ctx, "read "+table, func() error { return readRows(ctx, &c.conn, query, t, row) })
}

// readRows calls row for each row of a query's result, which comes block by block into t.
func readRows(ctx context.Context, conn *bulk, query string, t *block, row func(i int) error) error {
	return conn.do(ctx, ch.Query{
		Body: query, Settings: settings(0), Result: t.result,
		OnResult: func(_ context.Context, b proto.Block) error {
			for i := range b.Rows {
				if err := row(i); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
