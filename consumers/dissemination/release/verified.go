package release

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/schemas/calendar"
	"retorno/schemas/kafka"
)

// clockSlack is how far clocks of computers may be apart.
const clockSlack = time.Minute

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
	case age < -clockSlack:
		return []Reason{{NotVerified, fmt.Sprintf("the latest full pass of the verifier bears a time that lies %s ahead, so that what differed since cannot be told", -age.Round(time.Second)),
			"set the clock of the verifier's computer; " + again + " once that time is over"}}, nil
	case age > g.VerifiedWithin:
		return []Reason{{NotVerified, fmt.Sprintf("the latest full pass of the verifier began %s ago, and may have begun %s ago", age.Round(time.Second), g.VerifiedWithin), again}}, nil
	}
	return nil, nil
}

// compared reports what the second count has not compared of the records before the ends. What it compared stands in the
// detail of its passes: of the latest full pass that found nothing, where the ledger stood when it began; and where the latest
// incremental pass ended.
func compared(ctx context.Context, conn Conn, ends []Position) (*Reason, error) {
	_, newest, err := stands(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	var positions []Position
	err = each(ctx, conn, `WITH (SELECT argMaxIf((pass, began), began, kind = 'ended' AND different = 0) FROM retorno.verifications FINAL) AS clean
		SELECT detail FROM retorno.verifications FINAL WHERE kind = 'began' AND pass = clean.1 OR kind = 'increment' AND different = 0 AND began > clean.2`, func(rows driver.Rows) error {
		var detail string
		if err := rows.Scan(&detail); err != nil {
			return err
		}
		var at struct {
			Marks map[kafka.TopicPartition]struct {
				Log  uint16
				Next uint64
			}
		}
		if err := json.Unmarshal([]byte(detail), &at); err != nil {
			return err
		}
		for of, mark := range at.Marks {
			p := Position{Topic: of.Topic, Partition: uint16(of.Partition)}
			if newest.ends[p].log == mark.Log {
				p.NextOffset = mark.Next
				positions = append(positions, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the passes of the verifier: %w", err)
	}
	missing := excess(ends, positions)
	if missing == "" {
		return nil, nil
	}
	return &Reason{NotVerified, "of what the logs held when the command began the second count has not compared " + missing,
		"is `retorno verify` running? It compares what has come as often as its --every says; publish again, or wait longer for it with --wait"}, nil
}
