package verify

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

const (
	// flushPatience bounds the waiting for a flush: one that was torn is mended by the process that takes the partition over, and
	// when none does for so long, what it left behind is a difference.
	flushPatience = 2 * time.Minute
	flushPoll     = 500 * time.Millisecond
)

// announced is one flush of a Kafka partition.
type announced struct {
	epoch uint32
	flush uint64
}

// underWay are the flushes, by Kafka partition, that are announced and not in the ledger yet.
func underWay(ctx context.Context, conn driver.Conn) (map[uint16]announced, error) {
	rows, err := conn.Query(ctx, `SELECT DISTINCT kafka_partition, last.1, last.2
		FROM (SELECT kafka_partition, argMax(tuple(epoch, flush, topics, next_offsets, arrayResize(logs, length(topics))), (epoch, flush)) AS last FROM retorno.claims WHERE kind = 'flush' GROUP BY kafka_partition) AS claims
		ARRAY JOIN last.3 AS topic, last.4 AS next_offset, last.5 AS log
		LEFT JOIN (SELECT topic, kafka_partition, max((log, next_offset)) AS accounted FROM retorno.accounts GROUP BY topic, kafka_partition) AS ledger
			ON ledger.topic = topic AND ledger.kafka_partition = claims.kafka_partition
		WHERE (log, next_offset) > accounted`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[uint16]announced{}
	for rows.Next() {
		var partition uint16
		var a announced
		if err := rows.Scan(&partition, &a.epoch, &a.flush); err != nil {
			return nil, err
		}
		all[partition] = a
	}
	return all, rows.Err()
}

// settled is a wait for settleFor, and until each flush that is under way at its begin has ended, or another one of its
// partition follows it.
func settled(conn driver.Conn) func(context.Context) error {
	return func(ctx context.Context) error { return settle(ctx, conn) }
}

func settle(ctx context.Context, conn driver.Conn) error {
	deadline := time.Now().Add(flushPatience)
	first, err := underWay(ctx, conn)
	if err != nil {
		return err
	}
	for pause := settleFor; ; pause = flushPoll {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		now, err := underWay(ctx, conn)
		if err != nil {
			return err
		}
		for partition, a := range first {
			if now[partition] != a {
				delete(first, partition)
			}
		}
		if len(first) == 0 || time.Now().After(deadline) {
			return nil
		}
	}
}
