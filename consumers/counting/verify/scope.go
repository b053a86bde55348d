package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// Persons are divided into buckets by the leading bits of the second half of their keys. ClickHouse sorts UUIDs by that
// half, so a run of buckets is a range of the facts' sorting key; and pseudonyms and record ids are random there, but for
// the two bits that tell a UUID's variant, so that buckets are of about a size.
const (
	bucketBits = 12
	buckets    = 1 << bucketBits
	// personBucket is the bucket of a column named person.
	personBucket = "toUInt32(bitShiftRight(reinterpretAsUInt128(person), 116))"
)

func bucketOf(person uuid.UUID) int { return int(person[8])<<4 | int(person[9])>>4 }

// stretch is a run of buckets: from the first up to before the last.
type stretch struct{ from, to int }

var everyBucket = stretch{0, buckets}

func (s stretch) holds(bucket int) bool { return s.from <= bucket && bucket < s.to }

// sql is the condition that a person lies in the stretch.
func (s stretch) sql() string {
	bound := func(bucket int) string { return fmt.Sprintf("toUUID('00000000-0000-0000-%03x0-000000000000')", bucket) }
	var all []string
	if s.from > 0 {
		all = append(all, "person >= "+bound(s.from))
	}
	if s.to < buckets {
		all = append(all, "person < "+bound(s.to))
	}
	return strings.Join(append(all, "1"), " AND ")
}

// around is the smallest stretch that holds buckets, which come in order.
func around(of []uint32) stretch { return stretch{int(of[0]), int(of[len(of)-1]) + 1} }

// scope is the part of the data that a statement reads: one Kafka partition, and there some persons or days. However many
// persons, buckets or days it names, it names them in one array: ClickHouse refuses a statement of too many conditions.
type scope struct {
	partition uint16
	within    stretch     // the zero value: all persons
	buckets   []uint32    // of persons; none: all of the stretch
	persons   []uuid.UUID // none: all of the buckets
	with      string      // a condition that one of a person's facts meets; none: all persons
	days      []string    // 2016-06-01 …; none: all
}

// narrow limits the scope to the persons of buckets, which come in order.
func (s scope) narrow(to []uint32) scope {
	if len(s.persons) > 0 {
		s.persons = slices.DeleteFunc(slices.Clone(s.persons), func(p uuid.UUID) bool {
			_, named := slices.BinarySearch(to, uint32(bucketOf(p)))
			return !named
		})
		return s
	}
	s.within, s.buckets = around(to), nil
	if len(to) < s.within.to-s.within.from {
		s.buckets = to
	}
	return s
}

// facts is the condition on facts of the scope's persons.
func (s scope) facts() string {
	where := fmt.Sprintf("kafka_partition = %d", s.partition)
	if s.within != (stretch{}) {
		where += " AND " + s.within.sql()
	}
	if len(s.buckets) > 0 {
		where += " AND " + personBucket + " IN (" + arrayOf("UInt32", s.buckets) + ")"
	}
	if len(s.persons) > 0 {
		where += " AND person IN (" + arrayOf("UUID", s.persons) + ")"
	}
	if s.with != "" {
		where += " AND person IN (SELECT person FROM retorno.facts WHERE " + where + " AND " + s.with + ")"
	}
	return where
}

// named is the condition on rows of the scope's persons that bear the id of one of their facts, by which they are sorted.
func (s scope) named(id string) string {
	if len(s.persons) == 0 {
		return s.facts()
	}
	return s.facts() + " AND " + id + " IN (SELECT record_id FROM retorno.facts WHERE " + s.facts() + ")"
}

// onDays is the condition that a day lies in the scope.
func (s scope) onDays(day string) string {
	if len(s.days) == 0 {
		return "1"
	}
	return day + " IN (" + arrayOf("Date", s.days) + ")"
}

// arrayOf selects values.
func arrayOf[V any](of string, values []V) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = fmt.Sprintf("'%v'", v)
	}
	return "SELECT arrayJoin(CAST([" + strings.Join(all, ",") + "], 'Array(" + of + ")'))"
}

// piece is a run of buckets of one Kafka partition with about factsAtOnce facts, or one bucket with more.
type piece struct {
	stretch
	facts uint64
}

// factsAtOnce is how many facts one statement takes to be recounted, about: it bounds the memory that ClickHouse needs.
var factsAtOnce uint64 = 250_000

// divide divides the persons of a Kafka partition. Together the pieces are all buckets.
func divide(ctx context.Context, conn driver.Conn, partition uint16) ([]piece, error) {
	rows, err := conn.Query(ctx, "SELECT "+personBucket+" AS bucket, count() FROM retorno.facts WHERE "+scope{partition: partition}.facts()+" GROUP BY bucket ORDER BY bucket")
	if err != nil {
		return nil, fmt.Errorf("count facts: %w", err)
	}
	defer rows.Close()
	all := []piece{{}}
	for rows.Next() {
		var bucket uint32
		var facts uint64
		if err := rows.Scan(&bucket, &facts); err != nil {
			return nil, fmt.Errorf("count facts: %w", err)
		}
		last := &all[len(all)-1]
		if last.facts > 0 && last.facts+facts > factsAtOnce {
			last.to = int(bucket)
			all = append(all, piece{stretch: stretch{from: int(bucket)}})
			last = &all[len(all)-1]
		}
		last.facts += facts
	}
	all[len(all)-1].to = buckets
	return all, rows.Err()
}

// partitions are the Kafka partitions of which anything is stored, with how many facts.
func partitions(ctx context.Context, conn driver.Conn) (map[uint16]uint64, error) {
	tables := append([]string{"returns", "assistance"}, cellChecks...)
	query := "SELECT kafka_partition, count() AS facts FROM retorno.facts GROUP BY kafka_partition UNION ALL SELECT DISTINCT kafka_partition, 0 FROM retorno.ledger"
	for _, table := range tables {
		query += " UNION ALL SELECT DISTINCT kafka_partition, 0 FROM retorno." + table
	}
	rows, err := conn.Query(ctx, "SELECT kafka_partition, sum(facts) FROM ("+query+") GROUP BY kafka_partition")
	if err != nil {
		return nil, fmt.Errorf("read the Kafka partitions: %w", err)
	}
	defer rows.Close()
	all := map[uint16]uint64{}
	for rows.Next() {
		var partition uint16
		var facts uint64
		if err := rows.Scan(&partition, &facts); err != nil {
			return nil, fmt.Errorf("read the Kafka partitions: %w", err)
		}
		all[partition] = facts
	}
	return all, rows.Err()
}
