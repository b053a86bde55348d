package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// Kinds of rows of retorno.verifications.
const (
	rowBegan     = "began"     // a full pass began; detail: where the ledger and the cells stood
	rowPart      = "part"      // it has compared one Kafka partition; detail: what it found
	rowEnded     = "ended"     // it is complete
	rowIncrement = "increment" // the latest incremental pass, one row that is replaced; detail: where it ended
)

// journal is retorno.verifications, where passes are recorded. A nil journal records nothing.
type journal struct{ conn driver.Conn }

// begun is a full pass that is under way or complete.
type begun struct {
	id uuid.UUID
	at time.Time
	state
	Behind *uint64
	parts  map[uint16]part // that are made
	ended  bool
	wrong  uint64 // rows that differ
}

// part is what a full pass found in one Kafka partition.
type part struct {
	Results []Result
	Log     *Partition // nil: it has none
}

func (p part) counts() (rows, different uint64) {
	for _, r := range p.Results {
		rows, different = rows+r.Rows, different+r.Different
	}
	return rows, different
}

func (j *journal) write(ctx context.Context, kind string, b *begun, partition uint16, found part, detail any) error {
	if j == nil {
		return nil
	}
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("record the pass: %w", err)
	}
	rows, different := found.counts()
	err = j.conn.Exec(ctx, "INSERT INTO retorno.verifications (kind, pass, began, kafka_partition, at, rows, different, detail) VALUES (?, ?, fromUnixTimestamp64Milli(?), ?, now64(3), ?, ?, ?)",
		kind, b.id, b.at.UnixMilli(), partition, rows, different, string(text))
	if err != nil {
		return fmt.Errorf("record the pass: %w", err)
	}
	return nil
}

func (j *journal) begin(ctx context.Context, b *begun) (err error) {
	if b.id, err = uuid.NewV7(); err != nil {
		return err
	}
	return j.write(ctx, rowBegan, b, 0, part{}, b)
}

func (j *journal) part(ctx context.Context, b *begun, partition uint16, found part) error {
	return j.write(ctx, rowPart, b, partition, found, found)
}

func (j *journal) end(ctx context.Context, b *begun, report Report) error {
	return j.write(ctx, rowEnded, b, 0, part{Results: report.Results}, struct{}{})
}

func (j *journal) increment(ctx context.Context, report Report, next *state) error {
	return j.write(ctx, rowIncrement, &begun{at: report.At}, 0, part{Results: report.Results}, next)
}

// newest is the full pass that began last, with the parts that are made; nil when there is none.
func (j *journal) newest(ctx context.Context) (*begun, error) {
	b := &begun{parts: map[uint16]part{}}
	rows, err := j.rows(ctx, "kind = '"+rowBegan+"' ORDER BY began DESC LIMIT 1")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if err := json.Unmarshal([]byte(rows[0].detail), b); err != nil {
		return nil, fmt.Errorf("read the passes: %w", err)
	}
	b.id, b.at = rows[0].pass, rows[0].began
	if rows, err = j.rows(ctx, fmt.Sprintf("pass = '%s' AND kind IN ('%s', '%s')", b.id, rowPart, rowEnded)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.kind == rowEnded {
			b.ended, b.wrong = true, r.different
			continue
		}
		var found part
		if err := json.Unmarshal([]byte(r.detail), &found); err != nil {
			return nil, fmt.Errorf("read the passes: %w", err)
		}
		b.parts[r.partition] = found
	}
	return b, nil
}

// latestIncrement is where the latest incremental pass ended, when it began after a moment and found nothing; nil when there
// is none.
func (j *journal) latestIncrement(ctx context.Context, after time.Time) (*state, error) {
	rows, err := j.rows(ctx, "kind = '"+rowIncrement+"' AND different = 0")
	if err != nil || len(rows) == 0 || !rows[0].began.After(after) {
		return nil, err
	}
	var s state
	if err := json.Unmarshal([]byte(rows[0].detail), &s); err != nil {
		return nil, fmt.Errorf("read the passes: %w", err)
	}
	return &s, nil
}

// times are when the latest pass and the latest full pass ended, and when the latest full pass began that found nothing.
// They are zero when there is none.
func (j *journal) times(ctx context.Context) (last, full, clean time.Time, err error) {
	err = j.conn.QueryRow(ctx, `SELECT maxIf(at, kind IN ('ended', 'increment')), maxIf(at, kind = 'ended'), maxIf(began, kind = 'ended' AND different = 0)
		FROM retorno.verifications FINAL`).Scan(&last, &full, &clean)
	if err != nil {
		err = fmt.Errorf("read the passes: %w", err)
	}
	return last, full, clean, err
}

// journalRow is a row of retorno.verifications.
type journalRow struct {
	kind, detail string
	pass         uuid.UUID
	partition    uint16
	began        time.Time
	different    uint64
}

func (j *journal) rows(ctx context.Context, where string) (all []journalRow, err error) {
	err = query(ctx, j.conn, "SELECT kind, pass, kafka_partition, began, different, detail FROM retorno.verifications FINAL WHERE "+where, func(scan func(...any) error) error {
		var r journalRow
		err := scan(&r.kind, &r.pass, &r.partition, &r.began, &r.different, &r.detail)
		all = append(all, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the passes: %w", err)
	}
	return all, nil
}
