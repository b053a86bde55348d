package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"retorno/schemas/kafka"
)

// owner is who has taken over a Kafka partition.
type owner struct {
	Epoch uint32
	Claim uuid.UUID
}

// takeover is from where an owner has read a log of a place.
type takeover struct {
	owner
	log  int
	from int64
}

// takeovers are all takeovers of each place, the newest last.
func takeovers(ctx context.Context, conn driver.Conn) (map[kafka.TopicPartition][]takeover, error) {
	all := map[kafka.TopicPartition][]takeover{}
	err := query(ctx, conn, "SELECT topic, kafka_partition, epoch, claim, toInt64(log), toInt64(read_from) FROM retorno.takeovers FINAL ORDER BY kafka_partition, epoch, taken_at, claim",
		func(scan func(...any) error) error {
			var at kafka.TopicPartition
			var t takeover
			var partition uint16
			var log int64
			err := scan(&at.Topic, &partition, &t.Epoch, &t.Claim, &log, &t.from)
			at.Partition, t.log = int(partition), int(log)
			all[at] = append(all[at], t)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the takeovers: %w", err)
	}
	return all, nil
}

func newest(all []takeover) owner {
	if len(all) == 0 {
		return owner{}
	}
	return all[len(all)-1].owner
}

// readAgain reports whether offsets before the mark were read again after it, or may have been.
func (m mark) readAgain(since []takeover) bool {
	return slices.ContainsFunc(since, func(t takeover) bool {
		return t.owner != m.Owner && t.Epoch >= m.Owner.Epoch && (t.log != m.Log || t.from < m.Next)
	})
}

// logOf is one log of a place.
type logOf struct {
	kafka.TopicPartition
	log int
}

// givenUp are the offsets that recorded decisions gave up, in order.
func givenUp(ctx context.Context, conn driver.Conn) (map[logOf][]offsets, error) {
	all := map[logOf][]offsets{}
	err := query(ctx, conn, "SELECT topic, kafka_partition, toInt64(log), toInt64(first_offset), toInt64(next_offset) FROM retorno.given_up ORDER BY first_offset, next_offset",
		func(scan func(...any) error) error {
			var of logOf
			var partition uint16
			var log int64
			var gone offsets
			err := scan(&of.Topic, &partition, &log, &gone.from, &gone.to)
			of.Partition, of.log = int(partition), int(log)
			all[of] = append(all[of], gone)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read the decisions: %w", err)
	}
	return all, nil
}
