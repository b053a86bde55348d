package publication

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// begun is what was begun at some moment: by topic and partition the offset at which the furthest announced flush ends,
// and by partition the newest epoch, whose first flush mends what is stored.
type begun struct {
	offsets map[Position]uint64 // by a position without its offset
	epochs  map[uint16]uint32
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
	for at, offset := range other.offsets {
		if b.offsets[at] < offset {
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
	b := begun{map[Position]uint64{}, map[uint16]uint32{}}
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
	err = each(ctx, conn, `SELECT toString(topic) AS topic, kafka_partition, max(offset) FROM retorno.claims ARRAY JOIN topics AS topic, next_offsets AS offset
		WHERE kind = 'flush' GROUP BY topic, kafka_partition`, func(rows driver.Rows) error {
		var at Position
		var offset uint64
		err := rows.Scan(&at.Topic, &at.Partition, &offset)
		b.offsets[at] = offset
		return err
	})
	return b, err
}

// stands is where the ledger stands.
func stands(ctx context.Context, conn Conn) (positions []Position, b begun, err error) {
	b = begun{map[Position]uint64{}, map[uint16]uint32{}}
	err = each(ctx, conn, `SELECT toString(topic) AS topic, kafka_partition, max(next_offset), max(epoch) FROM retorno.accounts
		GROUP BY topic, kafka_partition ORDER BY topic, kafka_partition`, func(rows driver.Rows) error {
		var at Position
		var offset uint64
		var epoch uint32
		err := rows.Scan(&at.Topic, &at.Partition, &offset, &epoch)
		b.offsets[at] = offset
		b.epochs[at.Partition] = max(b.epochs[at.Partition], epoch)
		at.NextOffset = offset
		positions = append(positions, at)
		return err
	})
	return positions, b, err
}

func each(ctx context.Context, conn Conn, query string, row func(driver.Rows) error) error {
	rows, err := conn.Query(ctx, query)
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
