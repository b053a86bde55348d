package feed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/consumers/dissemination/disclosure"
)

// Row is one cell: a code for each dimension of the question, and the rounded count.
type Row struct {
	Codes   []string
	Returns uint64
}

// Table is the answer to a question. Every count in it is rounded.
type Table struct {
	Query      Query
	Rows       []Row  // ordered by codes; only rows that do not round to zero, but always one without dimensions
	Total      uint64 // of the series
	Registered uint64
	Reconciled uint64
	// Flushed is when facts were last written into the store these counts come from; zero: never.
	Flushed time.Time
}

// count puts the question to ClickHouse. Exact counts live only inside this function.
func (s *server) count(ctx context.Context, q Query) (Table, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return Table{}, fmt.Errorf("wait for one of %d places to ask ClickHouse: %w", cap(s.slots), context.Cause(ctx))
	}
	// ClickHouse ends the query by itself a little later, should the connection not carry the cancellation.
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": int(s.timeout.Seconds()) + 1}))
	t := Table{Query: q}
	var err error
	// First how far the facts go, then the counts: they hold at least what they say they hold.
	if t.Flushed, err = Flushed(ctx, s.conn); err != nil {
		return Table{}, err
	}
	rows, err := s.conn.Query(ctx, statement(q), q.Period.First.String(), q.Period.Last.String())
	if err != nil {
		return Table{}, fmt.Errorf("count returns of %s: %w", q.Period.Label, err)
	}
	defer func() { _ = rows.Close() }()
	var total, registered, reconciled uint64
	for rows.Next() {
		row := Row{Codes: make([]string, len(q.By))}
		var n, reg, rec uint64
		into := make([]any, 0, len(q.By)+3)
		for i := range row.Codes {
			into = append(into, &row.Codes[i])
		}
		if err := rows.Scan(append(into, &n, &reg, &rec)...); err != nil {
			return Table{}, fmt.Errorf("read counts of %s: %w", q.Period.Label, err)
		}
		total, registered, reconciled = total+n, registered+reg, reconciled+rec
		if row.Returns = disclosure.Round(n); row.Returns > 0 || len(q.By) == 0 {
			t.Rows = append(t.Rows, row)
		}
	}
	if err := rows.Err(); err != nil {
		return Table{}, fmt.Errorf("read counts of %s: %w", q.Period.Label, err)
	}
	slices.SortFunc(t.Rows, func(a, b Row) int { return slices.Compare(a.Codes, b.Codes) })
	t.Total, t.Registered, t.Reconciled = disclosure.Round(total), disclosure.Round(registered), disclosure.Round(reconciled)
	return t, nil
}

// statement writes the SQL of a question: its names come from the lists of this package, its values are bound. It
// filters by day and not by the period's name, so that ClickHouse reads only those days.
func statement(q Query) string {
	var columns, group strings.Builder
	for i, d := range q.By {
		columns.WriteString(d.ID + ", ")
		if i > 0 {
			group.WriteString(", ")
		}
		group.WriteString(d.ID)
	}
	text := "SELECT " + columns.String() + "sum(" + q.Series.ID + "), sum(registered), sum(reconciled) FROM ceniss.return_counts WHERE day BETWEEN toDate(?) AND toDate(?)"
	if len(q.By) > 0 {
		text += " GROUP BY " + group.String()
	}
	return text
}

// Flushed is when facts were last written into the store: how recent its counts are. Zero means never.
func Flushed(ctx context.Context, conn Conn) (time.Time, error) {
	rows, err := conn.Query(ctx, "SELECT counted_at FROM ceniss.state")
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of the last flush: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var at time.Time
	for rows.Next() {
		if err := rows.Scan(&at); err != nil {
			return time.Time{}, fmt.Errorf("read the time of the last flush: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return time.Time{}, fmt.Errorf("read the time of the last flush: %w", err)
	}
	if at.Unix() <= 0 { // ClickHouse's maximum of no rows
		return time.Time{}, nil
	}
	return at, nil
}
