package release

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/calendar"
)

// Gate is what stands between counting and publishing. A period passes it when all of this holds: a final one is over; no
// final vintage of it is followed by a provisional one; no partition has stopped; the latest full pass of the verifier
// found no difference, is young enough, and nothing has differed since; the ledger has reached the ends that the logs had when
// the publication began; and no log is shorter than what was counted of it, as one is that was made again or cut off.
type Gate struct {
	// Ends asks Kafka for the ends of the logs of both fact topics: for each partition the offset after the last record.
	Ends func(context.Context) ([]Position, error)
	// VerifiedWithin is how long ago the latest full pass of the verifier may have begun.
	VerifiedWithin time.Duration
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
	AfterFinal  = "after_final" // a final vintage is followed by final ones alone
	Stopped     = "stopped"     // a partition has stopped
	NotVerified = "not_verified"
	Differs     = "differs" // the second count disagrees
	Behind      = "behind"  // the ledger has not reached the ends of the logs
	Ahead       = "ahead"   // the logs hold less than was counted of them
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
func (g Gate) pass(ctx context.Context, conn Conn, period calendar.Period, status Status, asOf time.Time) error {
	if g.Ends == nil || g.VerifiedWithin <= 0 {
		return errors.New("publication: the gate needs a way to ask for the ends of the logs, and an age for the verifier's pass")
	}
	ends, err := g.Ends(ctx)
	if err != nil {
		return fmt.Errorf("ask for the ends of the logs: %w", err)
	}
	var reasons []Reason
	for _, ask := range []func() ([]Reason, error){
		func() ([]Reason, error) { return calendarReasons(ctx, conn, period, status, asOf) },
		func() ([]Reason, error) { return stopReasons(ctx, conn) },
		func() ([]Reason, error) { return g.verifierReasons(ctx, conn) },
	} {
		more, err := ask()
		if err != nil {
			return err
		}
		reasons = append(reasons, more...)
	}
	wait := patience
	if len(reasons) > 0 { // it is refused anyhow
		wait = 0
	}
	behind, err := reach(ctx, conn, ends, wait)
	if err != nil {
		return err
	}
	ahead, err := g.beyond(ctx, conn)
	if err != nil {
		return err
	}
	if reasons = append(append(reasons, behind...), ahead...); len(reasons) > 0 {
		return &RefusedError{Period: period.Label, Reasons: reasons}
	}
	return nil
}

func calendarReasons(ctx context.Context, conn Conn, period calendar.Period, status Status, asOf time.Time) (all []Reason, err error) {
	if status == Final && calendar.DayOfTime(asOf) <= period.Last {
		all = append(all, Reason{NotOver, fmt.Sprintf("it ends with %s, and it is %s", period.Last, calendar.DayOfTime(asOf)), "publish it as provisional, or when it is over"})
	}
	if status == Final {
		return all, nil
	}
	var finals uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM ceniss.publications WHERE period = ? AND status = ?", period.Label, string(Final)).Scan(&finals); err != nil {
		return nil, fmt.Errorf("read the earlier publications: %w", err)
	}
	if finals > 0 {
		all = append(all, Reason{AfterFinal, fmt.Sprintf("%d final vintages of it exist", finals), "publish it with --final"})
	}
	return all, nil
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

// verifierReasons asks retorno.verifications for the latest full pass that found nothing, and for what differed since it
// began, in whichever pass.
func (g Gate) verifierReasons(ctx context.Context, conn Conn) ([]Reason, error) {
	const again = "`retorno verify --once` makes a full pass and names each row that differs"
	var passes, different uint64
	var clean, at time.Time
	err := conn.QueryRow(ctx, `WITH (SELECT maxIf(began, kind = 'ended' AND different = 0) FROM retorno.verifications FINAL) AS newest
		SELECT countIf(kind = 'ended'), newest, argMaxIf(different, at, different > 0 AND at > newest), maxIf(at, different > 0 AND at > newest)
		FROM retorno.verifications FINAL`).Scan(&passes, &clean, &different, &at)
	if err != nil {
		return nil, fmt.Errorf("read the passes of the verifier: %w", err)
	}
	if different > 0 {
		return []Reason{{Differs, fmt.Sprintf("the second count disagreed on %d rows on %s", different, at.In(calendar.Zone()).Format(time.DateTime)), again}}, nil
	}
	age := time.Since(clean)
	switch {
	case passes == 0:
		return []Reason{{NotVerified, "no full pass of the verifier is complete", again}}, nil
	case age > g.VerifiedWithin:
		return []Reason{{NotVerified, fmt.Sprintf("the latest full pass of the verifier began %s ago, and may have begun %s ago", age.Round(time.Second), g.VerifiedWithin), again}}, nil
	}
	return nil, nil
}

// mostNamed is how many partitions a reason names.
const mostNamed = 6

// reach waits for the ledger to reach the ends.
func reach(ctx context.Context, conn Conn, ends []Position, wait time.Duration) ([]Reason, error) {
	for until := time.Now().Add(wait); ; {
		positions, _, err := stands(ctx, conn)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		reason := lacking(ends, positions)
		if reason == nil {
			return nil, nil
		}
		if !time.Now().Before(until) {
			return []Reason{*reason}, nil
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
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
		at[place{p.Topic, p.Partition}] = p.NextOffset
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
