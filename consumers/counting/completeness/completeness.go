// Package completeness tells operators how complete the numbers are: for each computer what is missing of it, when it
// was last heard and how wrong its clock is; for the latest month that is over, what share of its returns each post
// and centre knows. It reads the views ceniss.sources and ceniss.return_counts, in which statisticians see the same, and
// retorno.linked_records, which ceniss.keys_with_contradictions shows to them with places.
//
// It promises that every figure is a function of what is stored: "silent" is measured against the latest sending of
// all computers and "over" by it too, so that a replay shows the same, whatever the time. A time of sending that cannot
// be, by what the ledger says of when things were read, measures nothing, and is counted. The number of time series
// is bounded: posts and centres by their code lists, computers by Config.MostSources. It never writes.
// When ClickHouse cannot be asked, the figures of the latest good reading stay, its time says how old they are, and
// the failure is counted and logged.
package completeness

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/calendar"
	"retorno/schemas/dictionary"
)

// Conn is what is needed of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Source is the state of one computer, as ceniss.sources has it.
type Source struct {
	Name        string
	Missing     uint64 // records up to the highest number, seen or told by the agent, that have not arrived
	Gaps        uint64 // stretches of them
	LastSeen    time.Time
	Silent      bool // for longer than is usual for it
	UsualPause  time.Duration
	ClockOffset time.Duration // how far its clock was ahead at its last sending; at most 292 years
	// ImpossibleTimes are numbers whose time of sending cannot be. They say nothing of when the computer was heard.
	ImpossibleTimes uint64
	Agent           Agent
}

// Counts are returns by series.
type Counts = dictionary.ReturnCounts[uint64]

// share is the part of the whole; not a number when there is none.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}

// Snapshot is what one reading found.
type Snapshot struct {
	Sources []Source // by name
	// Month is the latest one that was over at the latest sending and in which something was counted; the zero value
	// means that there is none.
	Month   calendar.Period
	Total   Counts            // of the month
	Posts   map[string]Counts // of the month, by entry point
	Centres map[string]Counts // of the month, by centre
}

// Read asks for everything once. The error says that ClickHouse could not be asked.
func Read(ctx context.Context, conn Conn) (Snapshot, error) {
	s := Snapshot{Posts: map[string]Counts{}, Centres: map[string]Counts{}}
	if err := s.readSources(ctx, conn); err != nil {
		return Snapshot{}, fmt.Errorf("read the sources: %w", err)
	}
	var latest time.Time
	for _, one := range s.Sources {
		if one.LastSeen.After(latest) {
			latest = one.LastSeen
		}
	}
	if latest.IsZero() {
		return s, nil
	}
	begun := calendar.DayOfTime(latest).Period(calendar.KindMonth)
	if err := s.readMonth(ctx, conn, begun.First); err != nil {
		return Snapshot{}, fmt.Errorf("read the coverage of the latest month before %s: %w", begun.Label, err)
	}
	return s, nil
}

func (s *Snapshot) readSources(ctx context.Context, conn Conn) (err error) {
	rows, err := conn.Query(ctx, `SELECT source, missing, gaps, last_seen, silent, usual_pause_hours, clock_offset_seconds, impossible_times,
	heartbeat_at, unsent, oldest_unsent, disk_free_bytes, toUInt64(forms_missing), toUInt64(documents_met), disk_low, damaged > 0, foreign_secret, foreign_lists, stop_reason != ''
FROM ceniss.sources ORDER BY source`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var one Source
		var silent uint8
		var pause, offset float64
		var beat, oldest *time.Time
		var flags [5]uint8
		if err := rows.Scan(&one.Name, &one.Missing, &one.Gaps, &one.LastSeen, &silent, &pause, &offset, &one.ImpossibleTimes,
			&beat, &one.Agent.Unsent, &oldest, &one.Agent.DiskFree, &one.Agent.FormsMissing, &one.Agent.DocumentsMet, &flags[0], &flags[1], &flags[2], &flags[3], &flags[4]); err != nil {
			return err
		}
		for moment, stated := range map[*time.Time]*time.Time{&one.Agent.Heartbeat: beat, &one.Agent.OldestUnsent: oldest} {
			if stated != nil {
				*moment = *stated
			}
		}
		for i, flag := range []*int{&one.Agent.DiskLow, &one.Agent.Damaged, &one.Agent.ForeignSecret, &one.Agent.ForeignLists, &one.Agent.Stopped} {
			*flag = int(flags[i])
		}
		one.Silent = silent == 1
		one.UsualPause = time.Duration(pause * float64(time.Hour))
		one.ClockOffset = secondsOf(offset)
		s.Sources = append(s.Sources, one)
	}
	return rows.Err()
}

// secondsOf is so many seconds; what a Duration does not hold is the longest that it does.
func secondsOf(s float64) time.Duration {
	const most = float64(math.MaxInt64) / float64(time.Second)
	switch {
	case s >= most:
		return math.MaxInt64
	case s <= -most:
		return -math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}

// readMonth reads the latest month before a day in which something was counted.
func (s *Snapshot) readMonth(ctx context.Context, conn Conn, before calendar.Day) (err error) {
	rows, err := conn.Query(ctx, `SELECT month, centre, entry_point, sum(registered), sum(checkpoint), sum(reconciled)
FROM ceniss.return_counts
WHERE month = (SELECT max(month) FROM ceniss.return_counts WHERE day < toDate(?) AND reconciled > 0)
GROUP BY month, centre, entry_point`, before.String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var month, centre, post string
		var c Counts
		if err := rows.Scan(&month, &centre, &post, &c.Registered, &c.Checkpoint, &c.Reconciled); err != nil {
			return err
		}
		if s.Month, err = calendar.ParsePeriod(month); err != nil {
			return err
		}
		s.Total = s.Total.Plus(c)
		for of, key := range map[*map[string]Counts]string{&s.Posts: post, &s.Centres: centre} {
			(*of)[key] = (*of)[key].Plus(c)
		}
	}
	return rows.Err()
}
