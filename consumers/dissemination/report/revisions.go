package report

import (
	"context"
	"fmt"

	"retorno/consumers/dissemination/revision"
	"retorno/schemas/calendar"
)

// Revisions are the vintages of a period, as the statistics office sees them: exact, with every cell that changed. A period of which nothing
// was published has no vintages.
func Revisions(ctx context.Context, conn Conn, period calendar.Period) (revision.Triangle, error) {
	fail := func(err error) (revision.Triangle, error) {
		return revision.Triangle{}, fmt.Errorf("read the revisions of %s: %w", period.Label, err)
	}
	var months []string
	for m := period.First.Period(calendar.KindMonth); m.First <= period.Last; m = m.Next() {
		months = append(months, m.Label)
	}
	rows, err := conn.Query(ctx, `SELECT p.vintage, p.status, p.as_of, p.published_at, p.reason, toInt64(p.registered), arrayMap(m -> toInt64(c.by[m]), ?)
		FROM ceniss.publications AS p
		LEFT JOIN (SELECT publication, sumMap(map(month, registered)) AS by FROM ceniss.published_counts WHERE period = ? GROUP BY publication) AS c ON c.publication = p.id
		WHERE p.period = ? ORDER BY p.vintage`, months, period.Label, period.Label)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = rows.Close() }()
	vintages := []revision.Vintage{}
	for rows.Next() {
		var v revision.Vintage
		var total int64
		var counts []int64
		if err := rows.Scan(&v.Number, &v.Status, &v.AsOf, &v.Published, &v.Reason, &total, &counts); err != nil {
			return fail(err)
		}
		v.AsOf, v.Published, v.Total = v.AsOf.In(calendar.Zone()), v.Published.In(calendar.Zone()), &total
		for i := range counts {
			v.Counts = append(v.Counts, &counts[i])
		}
		vintages = append(vintages, v)
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	cells, err := changed(ctx, conn, period)
	if err != nil {
		return fail(err)
	}
	return revision.NewTriangle(period.Label, months, vintages, cells), nil
}

// changed are the cells that changed, by the later vintage.
func changed(ctx context.Context, conn Conn, period calendar.Period) (map[uint64][]revision.Cell, error) {
	rows, err := conn.Query(ctx, `SELECT vintage, measure, cell, before, after, change, late, correction, void, method, code_list, other FROM ceniss.revisions
		WHERE period = ? ORDER BY vintage, measure != 'returns', measure, abs(change) DESC, cell`, period.Label)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[uint64][]revision.Cell{}
	for rows.Next() {
		var vintage uint64
		var c revision.Cell
		if err := rows.Scan(&vintage, &c.Measure, &c.Cell, &c.Before, &c.After, &c.Change, &c.Late, &c.Correction, &c.Void, &c.Method, &c.CodeList, &c.Other); err != nil {
			return nil, err
		}
		all[vintage] = append(all[vintage], c)
	}
	return all, rows.Err()
}
