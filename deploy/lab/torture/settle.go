package torture

import (
	"context"
	"fmt"
	"time"

	"retorno/consumers/counting/store"
	"retorno/consumers/counting/stream"
	"retorno/schemas/events"
	"retorno/schemas/kafka"
)

var factTopics = []string{events.TopicCheckpoint, events.TopicCentre}

// ends are the offsets after the last record of every partition.
func (m *machine) ends(ctx context.Context) (map[kafka.TopicPartition]int64, error) {
	reader, err := stream.New(stream.Config{Brokers: []string{m.toKafka.Addr()}, Group: "torture", Topics: factTopics, Partitions: m.cfg.Partitions})
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	ends := map[kafka.TopicPartition]int64{}
	for _, topic := range factTopics {
		for p := range m.cfg.Partitions {
			_, end, err := reader.Bounds(ctx, topic, p)
			if err != nil {
				return nil, fmt.Errorf("ask for the end of %s, partition %d: %w", topic, p, err)
			}
			ends[kafka.TopicPartition{Topic: topic, Partition: p}] = end
		}
	}
	return ends, nil
}

// settle waits until the ledger accounts for every record of every partition.
func (r *run) settle(ctx context.Context) error {
	ends, err := r.machine.ends(ctx)
	if err != nil {
		return err
	}
	s, err := r.machine.store()
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return awaitAccounts(ctx, s, ends, r.cfg.Patience)
}

func awaitAccounts(ctx context.Context, s *store.Store, ends map[kafka.TopicPartition]int64, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		behind, err := missing(ctx, s, ends)
		if err == nil && len(behind) == 0 {
			return nil
		}
		if wait := pause(ctx, 100*time.Millisecond); wait != nil {
			return fmt.Errorf("not counted after %s: %v (%w)", patience, behind, wait)
		}
	}
}

// missing names the partitions that the ledger does not hold to their end, each with how many records it lacks.
func missing(ctx context.Context, s *store.Store, ends map[kafka.TopicPartition]int64) (map[kafka.TopicPartition]int64, error) {
	rows, err := s.Conn().Query(ctx, "SELECT topic, kafka_partition, toInt64(sum(read)) FROM retorno.accounts GROUP BY topic, kafka_partition")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	behind := map[kafka.TopicPartition]int64{}
	for p, end := range ends {
		if end > 0 {
			behind[p] = end
		}
	}
	for rows.Next() {
		var topic string
		var partition uint16
		var read int64
		if err := rows.Scan(&topic, &partition, &read); err != nil {
			return nil, err
		}
		p := kafka.TopicPartition{Topic: topic, Partition: int(partition)}
		if _, asked := behind[p]; !asked {
			continue
		}
		if behind[p] -= read; behind[p] == 0 {
			delete(behind, p)
		}
	}
	return behind, rows.Err()
}
