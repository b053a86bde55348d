package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/calendar"
)

// Gate is what stands between counting and publishing. A period passes it when all of this holds: a final one is over; a
// provisional one comes before the final one, and not too soon after the one before; the final one comes once, and after it
// revisions alone; the records missing of the period and the computers silent since are few, or that is accepted with a reason;
// no partition has stopped; the latest full pass of the verifier
// found no difference, is young enough, and nothing has differed since; the ledger, and the second count, have reached the ends
// that the logs had when the publication began; and no log is shorter than what was counted of it, as one is that was made again or cut off.
type Gate struct {
	// Ends asks Kafka for the ends of the logs of both fact topics: for each partition the offset after the last record.
	Ends func(context.Context) ([]Position, error)
	// Wait is how long to wait until the second count has compared what the logs held when the publication began: longer than the verifier
	// pauses. 0: as long as for the ledger.
	Wait time.Duration
	// VerifiedWithin is how long ago the latest full pass of the verifier may have begun.
	VerifiedWithin time.Duration
	// MaxMissing and MaxSilent are how many records of the period may be missing, and how many computers may have been silent
	// since they sent in it, before that must be accepted.
	MaxMissing, MaxSilent uint64
	// ProvisionalEvery is how long after a provisional vintage of a period the next one may come: what changes between two
	// of them tells of those who came meanwhile. Zero: at once.
	ProvisionalEvery time.Duration
}

// Reason is why a period is not published.
type Reason struct {
	Code string `json:"code"` // see the constants
	Why  string `json:"why"`
	Do   string `json:"do"` // what to do about it
}

// Codes of reasons.
const (
	NotOver     = "not_over"    // the period is not over
	AfterFinal  = "after_final" // a final vintage is followed by revisions alone
	NoFinal     = "no_final"    // a revision has nothing to revise
	TooSoon     = "too_soon"    // the latest provisional vintage is too young
	Incomplete  = "incomplete"  // records are missing, or computers silent
	Stopped     = "stopped"     // a partition has stopped
	NotVerified = "not_verified"
	Differs     = "differs"   // the second count disagrees
	Behind      = "behind"    // the ledger has not reached the ends of the logs
	Unchanged   = "unchanged" // a revision would change nothing
	Disclosed   = "disclosed" // its tables would tell of single persons
	Ahead       = "ahead"     // the logs hold less than was counted of them
)

// RefusedError says that the gate is shut, with every reason.
type RefusedError struct {
	Period  string
	Reasons []Reason
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("%s is not published", e.Period)
	for _, r := range e.Reasons {
		text += fmt.Sprintf("\n%s: %s; %s", r.Code, r.Why, r.Do)
	}
	return text
}

// Has reports whether one of the reasons has this code.
func (e *RefusedError) Has(code string) bool {
	for _, r := range e.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// pass is nil when the period may be published; else the error is *RefusedError, or tells that Kafka or ClickHouse could
// not be asked. ends are those of the logs, asked before anything else.
// It returns how many vintages of the period there were.
func (g Gate) pass(ctx context.Context, conn Conn, o Order) (vintages uint64, err error) {
	if g.Ends == nil || g.VerifiedWithin <= 0 {
		return 0, errors.New("publication: the gate needs a way to ask for the ends of the logs, and an age for the verifier's pass")
	}
	ends, err := g.Ends(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask for the ends of the logs: %w", err)
	}
	var reasons []Reason
	for _, ask := range []func() ([]Reason, error){
		func() (reasons []Reason, err error) {
			vintages, reasons, err = g.calendarReasons(ctx, conn, o)
			return reasons, err
		},
		func() ([]Reason, error) { return stopReasons(ctx, conn) },
		func() ([]Reason, error) { return g.verifierReasons(ctx, conn) },
	} {
		more, err := ask()
		if err != nil {
			return 0, err
		}
		reasons = append(reasons, more...)
	}
	wait := patience
	if len(reasons) > 0 { // it is refused anyhow
		wait = 0
	}
	behind, err := within(ctx, wait, func() (*Reason, error) { return counted(ctx, conn, ends) })
	if err != nil {
		return 0, err
	}
	if len(reasons)+len(behind) == 0 { // else what was compared is behind for that reason
		if behind, err = within(ctx, max(wait, g.Wait), func() (*Reason, error) { return compared(ctx, conn, ends) }); err != nil {
			return 0, err
		}
	}
	ahead, err := g.beyond(ctx, conn)
	if err != nil {
		return 0, err
	}
	// Last, for it is of what the ledger has reached.
	incomplete, err := g.incompleteReasons(ctx, conn, o)
	if err != nil {
		return 0, err
	}
	if reasons = slices.Concat(reasons, behind, ahead, incomplete); len(reasons) > 0 {
		return 0, &RefusedError{Period: o.Period.Label, Reasons: reasons}
	}
	return vintages, nil
}

// calendarReasons asks how many vintages of the period there are, and which.
func (g Gate) calendarReasons(ctx context.Context, conn Conn, o Order) (vintages uint64, all []Reason, err error) {
	if today := calendar.DayOfTime(o.AsOf); o.Status != Provisional && today <= o.Period.Last {
		all = append(all, Reason{NotOver, fmt.Sprintf("it ends with %s, and it is %s", o.Period.Last, today), "publish it as provisional, or when it is over"})
	}
	var finals, provisionals uint64
	var latest time.Time
	err = conn.QueryRow(ctx, "SELECT countIf(status != ?), countIf(status = ?), maxIf(as_of, status = ?) FROM ceniss.publications WHERE period = ?",
		string(Provisional), string(Provisional), string(Provisional), o.Period.Label).Scan(&finals, &provisionals, &latest)
	if err != nil {
		return 0, nil, fmt.Errorf("read the earlier publications: %w", err)
	}
	switch next := latest.Add(g.ProvisionalEvery); {
	case o.Status != Revision && finals > 0:
		all = append(all, Reason{AfterFinal, "its final vintage exists", "publish it with --revision and --reason"})
	case o.Status == Revision && finals == 0:
		all = append(all, Reason{NoFinal, "it has no final vintage", "publish it with --final"})
	case o.Status == Provisional && provisionals > 0 && g.ProvisionalEvery > 0 && o.AsOf.Before(next):
		all = append(all, Reason{TooSoon, fmt.Sprintf("its latest provisional vintage is of %s", latest.In(calendar.Zone()).Format(time.DateTime)),
			fmt.Sprintf("publish it from %s on", next.In(calendar.Zone()).Format(time.DateTime))})
	}
	return finals + provisionals, all, nil
}

// incompleteReasons asks what is missing of the period, unless that is accepted.
func (g Gate) incompleteReasons(ctx context.Context, conn Conn, o Order) (all []Reason, err error) {
	if o.Accepted != "" {
		return nil, nil
	}
	missing, silent, err := incompleteness(ctx, conn, o.Period)
	if err != nil {
		return nil, err
	}
	const accept = "; or accept it with --accept-incomplete and the reason, which the vintage shows"
	if missing > g.MaxMissing {
		all = append(all, Reason{Incomplete, fmt.Sprintf("%d records that may be of it are missing, and at most %d may be", missing, g.MaxMissing),
			"ceniss.source_gaps names the computers: have them send again" + accept})
	}
	if silent > g.MaxSilent {
		all = append(all, Reason{Incomplete, fmt.Sprintf("%d computers have been silent since they sent in it, and at most %d may be", silent, g.MaxSilent),
			"ceniss.sources names them" + accept})
	}
	return all, nil
}

// incompleteness is how many records that may be of the period are missing, and how many computers are silent whose last
// sending is of the period.
func incompleteness(ctx context.Context, conn Conn, period calendar.Period) (missing, silent uint64, err error) {
	err = conn.QueryRow(ctx, `SELECT (SELECT sum(missing) FROM ceniss.source_gaps WHERE month <= ? AND last_month >= ?),
		(SELECT countIf(silent) FROM ceniss.sources WHERE toDate(last_seen) BETWEEN toDate(?) AND toDate(?))`,
		period.Last.Month(), period.First.Month(), period.First.String(), period.Last.String()).Scan(&missing, &silent)
	if err != nil {
		return 0, 0, fmt.Errorf("read what is missing: %w", err)
	}
	return missing, silent, nil
}

func stopReasons(ctx context.Context, conn Conn) (all []Reason, err error) {
	err = each(ctx, conn, "SELECT kafka_partition, topic, reason, detail, since FROM retorno.stops FINAL WHERE NOT cleared ORDER BY kafka_partition, topic", func(rows driver.Rows) error {
		var partition uint16
		var topic, reason, detail string
		var since time.Time
		if err := rows.Scan(&partition, &topic, &reason, &detail, &since); err != nil {
			return err
		}
		why := fmt.Sprintf("partition %d of %s has stopped since %s: %s", partition, orAll(topic), since.In(calendar.Zone()).Format(time.DateTime), reason)
		if detail != "" {
			why += " (" + detail + ")"
		}
		all = append(all, Reason{Stopped, why, "`retorno partition list` tells what there is to decide, `retorno partition resolve` records the decision"})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the stopped partitions: %w", err)
	}
	return all, nil
}

func orAll(topic string) string {
	if topic == "" {
		return "both topics"
	}
	return topic
}

// mostNamed is how many partitions a reason names.
const mostNamed = 6

// within asks until there is no reason any more, or the wait is over.
func within(ctx context.Context, wait time.Duration, ask func() (*Reason, error)) ([]Reason, error) {
	for until := time.Now().Add(wait); ; {
		reason, err := ask()
		if err != nil || reason == nil {
			return nil, err
		}
		if !time.Now().Before(until) {
			return []Reason{*reason}, nil
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// counted reports what the ledger lacks to the ends.
func counted(ctx context.Context, conn Conn, ends []Position) (*Reason, error) {
	positions, _, err := stands(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return lacking(ends, positions), nil
}

// lacking is what the positions lack to the ends; nil when they have reached them.
func lacking(ends, positions []Position) *Reason {
	missing := excess(ends, positions)
	if missing == "" {
		return nil
	}
	return &Reason{Behind, "of what the logs held when the command began the ledger lacks " + missing,
		"let the consumers catch up, and publish again; if their number does not fall, /readyz of `retorno consume` has the reason"}
}

// beyond is what was counted of the logs and is no longer in them. The ledger is read first: logs grow meanwhile.
func (g Gate) beyond(ctx context.Context, conn Conn) ([]Reason, error) {
	positions, _, err := stands(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	ends, err := g.Ends(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the ends of the logs: %w", err)
	}
	more := excess(positions, ends)
	if more == "" {
		return nil, nil
	}
	return []Reason{{Ahead, "a topic was made again, or the end of a log was lost: the ledger has counted more than the logs hold, by " + more,
		"start `retorno consume`, which stops such a partition, and decide with `retorno partition list` and `retorno partition resolve`"}}, nil
}

// excess says by how much, and where, positions are ahead of others; empty when none is.
func excess(positions, of []Position) string {
	type place struct {
		topic     string
		partition uint16
	}
	at := map[place]uint64{}
	for _, p := range of {
		of := place{p.Topic, p.Partition}
		at[of] = max(at[of], p.NextOffset)
	}
	var records uint64
	var named []string
	partitions := 0
	for _, p := range positions {
		has := at[place{p.Topic, p.Partition}]
		if has >= p.NextOffset {
			continue
		}
		partitions++
		records += p.NextOffset - has
		if len(named) < mostNamed {
			named = append(named, fmt.Sprintf("%s/%d at %d of %d", p.Topic, p.Partition, has, p.NextOffset))
		}
	}
	if partitions == 0 {
		return ""
	}
	if partitions > len(named) {
		named = append(named, "…")
	}
	return fmt.Sprintf("%d records of %d partitions, %s", records, partitions, strings.Join(named, ", "))
}
