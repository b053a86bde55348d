// Package verify says every number a second time, by other means than the consumer: returns from facts by the method
// in SQL, cells from returns, helps and crossings from facts, and the ledger's offsets without gap or overlap.
//
// It promises to change nothing. A difference is reported with the rows that differ, and never repaired here. While
// consumers write, a row may be stored between two tables of one flush; so a difference counts only when it is still
// there, the same, when looked at again.
package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// MostShown is how many differing rows of one check are named; all of them are counted.
const MostShown = 20

// Settle is how long a difference must last before it counts: longer than a flush takes.
const Settle = 2 * time.Second

// Difference is one row that the two ways do not agree on.
type Difference struct {
	Row string `json:"row"` // its columns, in the order of the check's columns
	// Surplus is how many more of it are stored than recounted; negative: it is missing.
	Surplus int64 `json:"surplus"`
}

// Result is what one check found.
type Result struct {
	Check       string       `json:"check"`
	Rows        uint64       `json:"rows"` // stored rows that were compared
	Different   uint64       `json:"different"`
	Differences []Difference `json:"differences,omitempty"` // the first MostShown
}

// Report is what one pass found.
type Report struct {
	At      time.Time     `json:"at"`
	Took    time.Duration `json:"took_ns"`
	Results []Result      `json:"results"`
}

// Different is how many rows differ in all.
func (r Report) Different() uint64 {
	var n uint64
	for _, result := range r.Results {
		n += result.Different
	}
	return n
}

// Once makes one full pass. What differs is looked at again after Settle, and counts only if it differs in the same
// way. The error says that ClickHouse could not be asked.
func Once(ctx context.Context, conn driver.Conn) (Report, error) {
	report := Report{At: time.Now()}
	suspects := map[int]map[string]int64{} // by check
	for i, c := range checks() {
		found, rows, err := c.compare(ctx, conn)
		if err != nil {
			return Report{}, fmt.Errorf("verify %s: %w", c.name, err)
		}
		report.Results = append(report.Results, Result{Check: c.name, Rows: rows})
		if len(found) > 0 {
			suspects[i] = found
		}
	}
	if len(suspects) > 0 {
		select {
		case <-ctx.Done():
			return Report{}, ctx.Err()
		case <-time.After(Settle):
		}
	}
	for i, found := range suspects {
		if err := report.Results[i].confirm(ctx, conn, checks()[i], found); err != nil {
			return Report{}, fmt.Errorf("verify %s: %w", report.Results[i].Check, err)
		}
	}
	report.Took = time.Since(report.At)
	return report, nil
}

// confirm looks at a check again and keeps the differences that are still there, the same.
func (r *Result) confirm(ctx context.Context, conn driver.Conn, c check, found map[string]int64) error {
	again, rows, err := c.compare(ctx, conn)
	if err != nil {
		return err
	}
	r.Rows = rows
	for row, surplus := range found {
		if again[row] == surplus {
			r.Different++
			r.Differences = append(r.Differences, Difference{Row: row, Surplus: surplus})
		}
	}
	slices.SortFunc(r.Differences, func(a, b Difference) int { return strings.Compare(a.Row, b.Row) })
	r.Differences = r.Differences[:min(len(r.Differences), MostShown)]
	return nil
}

// compare returns every differing row, with how many more of it are stored than recounted, and how many are stored.
func (c check) compare(ctx context.Context, conn driver.Conn) (different map[string]int64, stored uint64, err error) {
	// The queries name what they compute after the column it stands for.
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"prefer_column_name_to_alias": 1}))
	if err := conn.QueryRow(ctx, "SELECT count() FROM ("+c.stored+")").Scan(&stored); err != nil {
		return nil, 0, err
	}
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT toString(row), sum(side) AS surplus
		FROM (SELECT tuple(*) AS row, 1 AS side FROM (%s) UNION ALL SELECT tuple(*) AS row, -1 AS side FROM (%s))
		GROUP BY row HAVING surplus != 0`, c.stored, c.recounted))
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	different = map[string]int64{}
	for rows.Next() {
		var row string
		var surplus int64
		if err := rows.Scan(&row, &surplus); err != nil {
			return nil, 0, err
		}
		different[row] = surplus
	}
	return different, stored, rows.Err()
}
