package release

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// begun is what was begun at some moment: by topic and partition where the furthest announced flush ends, and by partition
// the newest epoch, whose first flush mends what is stored.
type begun struct {
	ends   map[Position]logOffset // by a position without its offset
	epochs map[uint16]uint32
}

// logOffset is an offset in one of the logs that a topic has had: one that was made again begins at 0 again.
type logOffset struct {
	log    uint16
	offset uint64
}

func (o logOffset) before(other logOffset) bool {
	return o.log < other.log || o.log == other.log && o.offset < other.offset
}

// settled waits until everything that was begun before the call is in the ledger, and returns where that stands then.
func settled(ctx context.Context, conn Conn) ([]Position, error) {
	before, err := announced(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the announced writes: %w", err)
	}
	for until := time.Now().Add(patience); ; {
		positions, written, err := stands(ctx, conn)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the ledger: %w", err)
		case len(positions) == 0:
			return nil, ErrNoCounts
		case written.covers(before):
			return positions, nil
		case time.Now().After(until):
			return nil, ErrUnfinished
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func (b begun) covers(other begun) bool {
	for at, end := range other.ends {
		if b.ends[at].before(end) {
			return false
		}
	}
	for partition, epoch := range other.epochs {
		if b.epochs[partition] < epoch {
			return false
		}
	}
	return true
}

func announced(ctx context.Context, conn Conn) (begun, error) {
	b := begun{map[Position]logOffset{}, map[uint16]uint32{}}
	err := each(ctx, conn, "SELECT kafka_partition, max(epoch) FROM retorno.claims GROUP BY kafka_partition", func(rows driver.Rows) error {
		var partition uint16
		var epoch uint32
		err := rows.Scan(&partition, &epoch)
		b.epochs[partition] = epoch
		return err
	})
	if err != nil {
		return b, err
	}
	err = each(ctx, conn, `SELECT toString(topic) AS topic, kafka_partition, max((log, offset)) AS furthest, furthest.1, furthest.2
		FROM retorno.claims ARRAY JOIN topics AS topic, next_offsets AS offset, arrayResize(logs, length(topics)) AS log
		WHERE kind = 'flush' GROUP BY topic, kafka_partition`, func(rows driver.Rows) error {
		var at Position
		var end logOffset
		var both []any
		err := rows.Scan(&at.Topic, &at.Partition, &both, &end.log, &end.offset)
		b.ends[at] = end
		return err
	})
	return b, err
}

// stands is where the ledger stands in the newest log of each topic and partition.
func stands(ctx context.Context, conn Conn) (positions []Position, b begun, err error) {
	b = begun{map[Position]logOffset{}, map[uint16]uint32{}}
	err = each(ctx, conn, `SELECT toString(topic) AS topic, kafka_partition, max((log, next_offset)) AS furthest, furthest.1, furthest.2, max(epoch), sum(lost)
		FROM retorno.accounts GROUP BY topic, kafka_partition ORDER BY topic, kafka_partition`, func(rows driver.Rows) error {
		var at Position
		var end logOffset
		var both []any
		var epoch uint32
		err := rows.Scan(&at.Topic, &at.Partition, &both, &end.log, &end.offset, &epoch, &at.Lost)
		b.ends[Position{Topic: at.Topic, Partition: at.Partition}] = end
		b.epochs[at.Partition] = max(b.epochs[at.Partition], epoch)
		at.NextOffset, at.log = end.offset, end.log
		positions = append(positions, at)
		return err
	})
	return positions, b, err
}

func each(ctx context.Context, conn Conn, query string, row func(driver.Rows) error, args ...any) error {
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
