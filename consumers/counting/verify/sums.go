package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// sums are, by bucket, how many rows of a side of a check there are, and the sum of their weights modulo 2^64: what does
// not depend on the order of rows, and takes no memory for them.
type sums map[uint32]bucketSum

type bucketSum struct{ rows, weight uint64 }

func (s sums) add(others sums) {
	for bucket, o := range others {
		s[bucket] = bucketSum{s[bucket].rows + o.rows, s[bucket].weight + o.weight}
	}
}

func (s sums) rows() (n uint64) {
	for _, of := range s {
		n += of.rows
	}
	return n
}

// differing are the buckets whose weights are not the same, in order.
func (s sums) differing(other sums) []uint32 {
	both := maps.Clone(s)
	both.add(other)
	var all []uint32
	for bucket := range both {
		if s[bucket].weight != other[bucket].weight {
			all = append(all, bucket)
		}
	}
	slices.Sort(all)
	return all
}

// bounded says how the verifier's statements are run: on one thread, so that a consumer beside it has the others, and
// with what does not fit into memory on disk.
func bounded(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"prefer_column_name_to_alias": 1, // the queries name what they compute after the column it stands for
		"max_query_size":              1 << 20,
		"max_threads":                 1,
		"compile_expressions":         0, "compile_aggregate_expressions": 0,
		"max_bytes_before_external_group_by": spillFrom, "max_bytes_before_external_sort": spillFrom,
		"do_not_merge_across_partitions_select_final": 1, // every partition key is a function of the sorting key
	}))
}

// spillFrom is how many bytes one step of a statement takes before it goes on on disk.
const spillFrom = 200 << 20

// sum reads the sums of one side of a check.
func (c check) sum(ctx context.Context, conn driver.Conn, from string) (sums, error) {
	rows, err := conn.Query(bounded(ctx), fmt.Sprintf("SELECT bucket, count(), sum(weight) FROM (SELECT %s AS bucket, %s AS weight FROM (%s)) GROUP BY bucket",
		c.bucket, c.weight(), from))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := sums{}
	for rows.Next() {
		var bucket uint32
		var of bucketSum
		if err := rows.Scan(&bucket, &of.rows, &of.weight); err != nil {
			return nil, err
		}
		all[bucket] = of
	}
	return all, rows.Err()
}

// rowsAtOnce is how many rows are compared one by one in one statement, about, and how many can differ at a time.
const rowsAtOnce = 100_000

// suspects compares both sides of a check by their sums. It returns how many rows are stored, and a look at the rows
// themselves for each group of buckets that differ.
func (c check) suspects(ctx context.Context, conn driver.Conn, s scope, pieces []piece, done func(piece)) (uint64, []look, error) {
	stored, err := c.sum(ctx, conn, c.stored(s))
	if err != nil {
		return 0, nil, err
	}
	recounted := sums{}
	if !c.inPieces {
		pieces = []piece{{stretch: everyBucket}}
	}
	for _, p := range pieces {
		of := s
		if c.inPieces {
			of.within = p.stretch
		}
		found, err := c.sum(ctx, conn, c.recounted(of))
		if err != nil {
			return 0, nil, err
		}
		recounted.add(found)
		if c.inPieces {
			done(p)
		}
	}
	var looks []look
	for group, rows := range grouped(stored.differing(recounted), func(b uint32) uint64 { return max(stored[b].rows, recounted[b].rows) }, rowsAtOnce) {
		looks = append(looks, look{check: c.name, rows: rows, find: c.finder(conn, c.narrow(s, group))})
	}
	return stored.rows(), looks, nil
}

// finder looks for differing rows of a scope.
func (c check) finder(conn driver.Conn, s scope) func(context.Context) (finding, error) {
	return func(ctx context.Context) (finding, error) { return c.compare(ctx, conn, s) }
}

// compare finds every differing row of a scope, with how many more of it are stored than recounted.
func (c check) compare(ctx context.Context, conn driver.Conn, s scope) (found finding, err error) {
	rows, err := conn.Query(bounded(ctx), fmt.Sprintf(`SELECT row, sum(side) AS surplus
		FROM (SELECT row, 1 AS side FROM (%s) UNION ALL SELECT row, -1 AS side FROM (%s))
		GROUP BY row HAVING surplus != 0`, c.rows(c.stored(s)), c.rows(c.recounted(s))))
	if err != nil {
		return found, err
	}
	defer rows.Close()
	found = newFinding()
	for rows.Next() {
		var row string
		var surplus int64
		if err := rows.Scan(&row, &surplus); err != nil {
			return found, err
		}
		found.add(row, surplus)
	}
	return found, rows.Err()
}

// grouped divides buckets, in their order, into groups of about so many rows.
func grouped(buckets []uint32, rowsOf func(uint32) uint64, most uint64) func(yield func([]uint32, uint64) bool) {
	return func(yield func([]uint32, uint64) bool) {
		for len(buckets) > 0 {
			n, rows := 1, rowsOf(buckets[0])
			for n < len(buckets) && rows+rowsOf(buckets[n]) <= most {
				rows += rowsOf(buckets[n])
				n++
			}
			if !yield(buckets[:n], rows) {
				return
			}
			buckets = buckets[n:]
		}
	}
}

// dayOf is a day since 1970 in the form 2016-06-01.
func dayOf(day uint32) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }
