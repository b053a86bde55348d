package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Action is what a decision does with a topic of a partition that has stopped.
type Action string

// The actions of a decision.
const (
	// Skip: reading goes on at a later offset. What is not stored of the offsets between is given up.
	Skip Action = "skip"
	// NewLog: the topic was made again, and is read from its begin as another log.
	NewLog Action = "new_log"
)

// Decision is what a person decided about a topic of a partition that had stopped. It is never changed.
type Decision struct {
	ID        uuid.UUID `json:"id"`
	Partition int       `json:"partition"`
	Topic     string    `json:"topic"`
	Log       int       `json:"log"`      // see Origin.Log
	Position  int64     `json:"position"` // at which it had stopped: the next offset to read
	Action    Action    `json:"action"`
	To        int64     `json:"to"` // where reading goes on
	Who       string    `json:"who"`
	Why       string    `json:"why"`
	At        time.Time `json:"at"`
}

// Decide writes a decision down. The error is *StopError, or tells that ctx has ended.
func (s *Store) Decide(ctx context.Context, d Decision) error {
	return s.retry(ctx, "write the decision", func() error {
		batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO retorno.decisions (id, kafka_partition, topic, log, position, action, to_offset, who, why, decided_at)")
		if err != nil {
			return err
		}
		defer batch.Abort() //nolint:errcheck // after a send it does nothing
		err = batch.Append(d.ID, uint16(d.Partition), d.Topic, uint16(d.Log), uint64(d.Position), string(d.Action), uint64(d.To), d.Who, d.Why, d.At)
		if err != nil {
			return err
		}
		return batch.Send()
	})
}

// Decisions are all decisions about a partition, or with a negative number about all, in the order in which they were made.
func (s *Store) Decisions(ctx context.Context, partition int) (all []Decision, err error) {
	err = s.retry(ctx, "read the decisions", func() error {
		all = nil
		// A decision that was written twice because the answer was lost is one.
		rows, err := s.conn.Query(ctx, `SELECT DISTINCT id, toInt64(kafka_partition), topic, toInt64(log), toInt64(position), action, toInt64(to_offset), who, why, decided_at
			FROM retorno.decisions WHERE kafka_partition = ? OR ? < 0 ORDER BY decided_at, id`, partition, partition)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d Decision
			var partition, log int64
			var action string
			if err := rows.Scan(&d.ID, &partition, &d.Topic, &log, &d.Position, &action, &d.To, &d.Who, &d.Why, &d.At); err != nil {
				return err
			}
			d.Partition, d.Log, d.Action = int(partition), int(log), Action(action)
			all = append(all, d)
		}
		return rows.Err()
	})
	return all, err
}

// Stop is a partition, or one topic of it, that a consumer has stopped.
type Stop struct {
	Partition int       `json:"partition"`
	Topic     string    `json:"topic"` // empty: all of them
	Reason    string    `json:"reason"`
	Detail    string    `json:"detail"`
	Position  int64     `json:"position"` // the next offset to read
	Found     int64     `json:"found"`    // the next offset that can be read; -1: not known
	Since     time.Time `json:"since"`
	Consumer  string    `json:"consumer"`
}

// Stops are the partitions that have stopped, in order.
func (s *Store) Stops(ctx context.Context) (all []Stop, err error) {
	err = s.retry(ctx, "read the stops", func() error {
		all = nil
		rows, err := s.conn.Query(ctx, `SELECT toInt64(kafka_partition), topic, reason, detail, toInt64(position), found, since, consumer
			FROM retorno.stops FINAL WHERE NOT cleared ORDER BY kafka_partition, topic`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var stop Stop
			var partition int64
			if err := rows.Scan(&partition, &stop.Topic, &stop.Reason, &stop.Detail, &stop.Position, &stop.Found, &stop.Since, &stop.Consumer); err != nil {
				return err
			}
			stop.Partition = int(partition)
			all = append(all, stop)
		}
		return rows.Err()
	})
	return all, err
}

// KeepStop writes a stop down, or with cleared that it is over. It makes one attempt.
func (s *Store) KeepStop(ctx context.Context, stop Stop, cleared bool) error {
	batch, err := s.conn.PrepareBatch(ctx, "INSERT INTO retorno.stops (kafka_partition, topic, reason, detail, position, found, since, cleared, consumer, seen_at)")
	if err == nil {
		defer batch.Abort() //nolint:errcheck // after a send it does nothing
		err = batch.Append(uint16(stop.Partition), stop.Topic, stop.Reason, stop.Detail, uint64(max(0, stop.Position)), stop.Found, stop.Since,
			flag(cleared), stop.Consumer, time.Now())
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("write down that partition %d has stopped: %w", stop.Partition, classify("insert into retorno.stops", err))
	}
	return nil
}
