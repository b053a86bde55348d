package torture

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/bundle"
	"retorno/consumers/dissemination/disclosure/published"
	"retorno/deploy/lab/register"
	"retorno/schemas/calendar"
	"retorno/schemas/kafka"
)

// vintage is one vintage as it was read.
type vintage struct {
	name             string // 2016-S1/1
	period           calendar.Period
	number           uint64
	status           string
	begun, published time.Time
	row              string // its row in ceniss.publications
	sums             sums   // as its row says
	counted          sums   // of its rows in published_counts
	counts           map[register.ReturnCell]register.ReturnCount
	files            map[string][]string // by path, each body
	positions        map[kafka.TopicPartition]int64
	undone, gone     bool // ClickHouse was restored to a state before it; it was seen to be missing
	recounted        map[register.ReturnCell]register.ReturnCount
}

// sums are what the counts of a vintage come to.
type sums struct{ cells, checksum, registered, checkpoint, reconciled uint64 }

func readVintage(ctx context.Context, s *store.Store, id uuid.UUID) (*vintage, error) {
	v := &vintage{counts: map[register.ReturnCell]register.ReturnCount{}, files: map[string][]string{}, positions: map[kafka.TopicPartition]int64{}}
	for _, read := range []func(context.Context, *store.Store, uuid.UUID) error{v.readRow, v.readCounts, v.readFiles} {
		if err := read(ctx, s, id); err != nil {
			return nil, fmt.Errorf("read publication %s: %w", id, err)
		}
	}
	return v, nil
}

func (v *vintage) readRow(ctx context.Context, s *store.Store, id uuid.UUID) error {
	var period string
	var topics []string
	var partitions []uint16
	var next []uint64
	err := s.Conn().QueryRow(ctx, `SELECT period, vintage, status, published_at, cells, checksum, registered, checkpoint, reconciled,
		topics, kafka_partitions, next_offsets, toString(tuple(* EXCEPT newest)) FROM ceniss.publications WHERE id = ?`, id).
		Scan(&period, &v.number, &v.status, &v.published, &v.sums.cells, &v.sums.checksum, &v.sums.registered, &v.sums.checkpoint, &v.sums.reconciled,
			&topics, &partitions, &next, &v.row)
	if err != nil {
		return err
	}
	v.name = fmt.Sprintf("%s/%d", period, v.number)
	v.begun = time.Unix(id.Time().UnixTime()) // an id is made when the counts are about to be copied
	for i, topic := range topics {
		v.positions[kafka.TopicPartition{Topic: topic, Partition: int(partitions[i])}] = int64(next[i])
	}
	v.period, err = calendar.ParsePeriod(period)
	return err
}

func (v *vintage) readCounts(ctx context.Context, s *store.Store, id uuid.UUID) error {
	err := s.Conn().QueryRow(ctx, `SELECT count(), groupBitXor(cityHash64(* EXCEPT publication)), sum(registered), sum(checkpoint), sum(reconciled)
		FROM retorno.published_counts WHERE publication = ?`, id).
		Scan(&v.counted.cells, &v.counted.checksum, &v.counted.registered, &v.counted.checkpoint, &v.counted.reconciled)
	if err != nil {
		return err
	}
	v.counts, err = returnCells(ctx, s, "SELECT month, "+returnDimensions+" FROM retorno.published_counts WHERE publication = ? GROUP BY ALL", id)
	return err
}

func (v *vintage) readFiles(ctx context.Context, s *store.Store, id uuid.UUID) error {
	rows, err := s.Conn().Query(ctx, "SELECT path, body FROM retorno.released_files WHERE publication = ? ORDER BY path, body", id)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var path, body string
		if err := rows.Scan(&path, &body); err != nil {
			return err
		}
		v.files[path] = append(v.files[path], body)
	}
	return rows.Err()
}

// Read gives a file, as a source of the bundle; List gives their paths.
func (v *vintage) Read(_ context.Context, path string) ([]byte, error) {
	if len(v.files[path]) != 1 {
		return nil, fmt.Errorf("%d files are %s: %w", len(v.files[path]), path, fs.ErrNotExist)
	}
	return []byte(v.files[path][0]), nil
}

// List gives the paths of the files.
func (v *vintage) List() ([]string, error) { return slices.Collect(maps.Keys(v.files)), nil }

// incomplete says what a vintage is not that its row says.
func (v *vintage) incomplete(ctx context.Context, key ed25519.PublicKey) (faults []string) {
	if v.counted != v.sums {
		faults = append(faults, fmt.Sprintf("vintage %s has counts of %+v, and its row says %+v", v.name, v.counted, v.sums))
	}
	if v.period.Kind != calendar.KindHalfYear {
		return faults
	}
	b, err := bundle.Open(ctx, v, key)
	if err != nil {
		return append(faults, fmt.Sprintf("the files of vintage %s: %v", v.name, err))
	}
	if m := b.Manifest; m.Period != v.period.Label || m.Vintage != v.number || m.Status != v.status {
		faults = append(faults, fmt.Sprintf("the files of vintage %s, %s, are of %s/%d, %s", v.name, v.status, m.Period, m.Vintage, m.Status))
	}
	for _, t := range b.Tables {
		if total, ok := totalOf(t.Table, v.period.Label); ok && total != rounded(int64(v.sums.reconciled), b.Manifest.Rounded) {
			faults = append(faults, fmt.Sprintf("table %s of vintage %s has %d returns in all, and its row says %d", t.ID, v.name, total, v.sums.reconciled))
		}
	}
	return faults
}

// totalOf is how many returns a table has in all; it may withhold that, or be of something else.
func totalOf(t published.Table, period string) (int64, bool) {
	if t.Measure != "returns" {
		return 0, false
	}
	for _, c := range t.Cells {
		whole := !c.Withheld
		for i, code := range c.Codes {
			whole = whole && (code == published.Total || t.Columns[i] == "time_period" && code == period)
		}
		if whole {
			return c.Value, true
		}
	}
	return 0, false
}

func rounded(n, base int64) int64 {
	if base < 2 {
		return n
	}
	return (n + base/2) / base * base
}
