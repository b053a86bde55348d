package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"retorno/consumers/dissemination/feed"
	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// errNoSuchPeriod means that nothing was counted in the period that was asked for.
var errNoSuchPeriod = errors.New("nothing was counted in that period")

// counts of one set of returns, by series.
type counts = dictionary.ReturnCounts[uint64]

// halfYear is a period in which something was counted.
type halfYear struct {
	period calendar.Period
	counts
}

// snapshot is all that a page shows, exact. It is shared between requests and not changed.
type snapshot struct {
	halfYears             []halfYear // newest first; empty when nothing was counted at all
	period                calendar.Period
	total                 counts
	routes, exits, months map[string]counts
	flushed               time.Time     // zero: never
	complete              *completeness // nil: it could not be read
}

// load reads the snapshot of a half-year, of the one that pick chooses when period is "".
func (s *server) load(ctx context.Context, period string) (*snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": int(s.timeout.Seconds()) + 1}))
	var snap snapshot
	var err error
	if snap.flushed, err = feed.Flushed(ctx, s.conn); err != nil {
		return nil, err
	}
	if snap.halfYears, err = s.loadHalfYears(ctx); err != nil {
		return nil, err
	}
	if period == "" {
		snap.period, _ = pick(snap.halfYears, calendar.DayOfTime(s.now()))
	} else {
		i := slices.IndexFunc(snap.halfYears, func(h halfYear) bool { return h.period.Label == period })
		if i < 0 {
			return nil, errNoSuchPeriod
		}
		snap.period = snap.halfYears[i].period
	}
	if snap.complete, err = s.complete.get(ctx, snap.period.Label, s.loadCompleteness); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "the page could not read how complete the numbers are", slog.Any("error", err))
	}
	if snap.period.Label == "" {
		return &snap, nil
	}
	if err := s.loadCounts(ctx, &snap); err != nil {
		return nil, err
	}
	return &snap, nil
}

// fragment is the share of the largest half-year below which one holds only what strayed into it: a wrong date, the
// first minutes after midnight of 30 June.
const fragment = 20

// pick chooses what the page shows to who does not ask for a period: the latest half-year that is over and is no
// fragment; without one that is over, the latest of all.
func pick(all []halfYear, today calendar.Day) (calendar.Period, bool) {
	var largest uint64
	var over []halfYear
	for _, h := range all {
		if h.period.Last < today && h.Registered > 0 {
			over = append(over, h)
			largest = max(largest, h.Registered)
		}
	}
	for _, h := range over {
		if h.Registered >= largest/fragment {
			return h.period, true
		}
	}
	if len(all) == 0 {
		return calendar.Period{}, false
	}
	return all[0].period, true
}

func (s *server) loadHalfYears(ctx context.Context) ([]halfYear, error) {
	rows, err := s.conn.Query(ctx, `SELECT half_year, sum(registered), sum(checkpoint), sum(reconciled) AS returns
FROM ceniss.return_counts GROUP BY half_year HAVING returns > 0 ORDER BY half_year DESC`)
	if err != nil {
		return nil, fmt.Errorf("read which half-years there are: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []halfYear
	for rows.Next() {
		var label string
		var h halfYear
		if err := rows.Scan(&label, &h.Registered, &h.Checkpoint, &h.Reconciled); err != nil {
			return nil, fmt.Errorf("read which half-years there are: %w", err)
		}
		if h.period, err = calendar.ParsePeriod(label); err != nil {
			return nil, fmt.Errorf("read which half-years there are: %w", err)
		}
		all = append(all, h)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read which half-years there are: %w", err)
	}
	return all, nil
}

// loadCounts reads everything about the period in one query, so that its parts belong together.
func (s *server) loadCounts(ctx context.Context, snap *snapshot) error {
	rows, err := s.conn.Query(ctx, `SELECT month, route, exit_point, sum(registered), sum(checkpoint), sum(reconciled)
FROM ceniss.return_counts WHERE day BETWEEN toDate(?) AND toDate(?) GROUP BY month, route, exit_point`,
		snap.period.First.String(), snap.period.Last.String())
	if err != nil {
		return fmt.Errorf("count returns of %s: %w", snap.period.Label, err)
	}
	defer func() { _ = rows.Close() }()
	snap.routes, snap.exits, snap.months = map[string]counts{}, map[string]counts{}, map[string]counts{}
	for rows.Next() {
		var month, route, exit string
		var c counts
		if err := rows.Scan(&month, &route, &exit, &c.Registered, &c.Checkpoint, &c.Reconciled); err != nil {
			return fmt.Errorf("read counts of %s: %w", snap.period.Label, err)
		}
		snap.total = snap.total.Plus(c)
		for _, part := range []struct {
			of  map[string]counts
			key string
		}{{snap.months, month}, {snap.routes, route}, {snap.exits, exit}} {
			part.of[part.key] = part.of[part.key].Plus(c)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read counts of %s: %w", snap.period.Label, err)
	}
	return nil
}
