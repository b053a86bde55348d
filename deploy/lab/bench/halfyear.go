package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// returnsMade are returns of ten years, made in SQL: their shares are round numbers near those that were published,
// and what hangs together in life hangs together here (posts and centres by route). Ids hold their time, as UUIDv7 do.
const returnsMade = `INSERT INTO retorno.returns
SELECT
	reinterpretAsUUID(bitOr(bitShiftLeft(toUInt128(bitOr(bitShiftRight(r1, 2), 9223372036854775808)), 64), bitOr(bitShiftLeft(toUInt64(ms), 16), 28672))) AS return_id,
	1 AS version, 0 AS is_deleted, reinterpretAsUUID(bitOr(bitShiftLeft(toUInt128(r2), 64), r3)) AS person,
	1 AS method_version, toDate(arrival) AS day, arrival,
	['MX-LAND', 'US-AIR', 'MX-AIR', 'GT-LAND', 'US-UNK', 'MX-UNK', 'BZ-SEA', 'XX-UNK'][k] AS route,
	['MX', 'US', 'MX', 'GT', 'US', 'MX', 'BZ', 'XX'][k] AS country, ['land', 'air', 'air', 'land', 'unknown', 'unknown', 'sea', 'unknown'][k] AS mode,
	if(r1 %% 100 < 90, 'deported', 'assisted') AS return_type,
	['L-COR', 'A-SAP', 'A-SAP', 'L-AGC', 'A-TGU', 'X-UNK', 'X-UNK', 'X-UNK'][k] AS entry_point,
	multiIf(r2 %% 100 < 63, 'L-COR', r2 %% 100 < 85, 'L-AGC', r2 %% 100 < 95, 'X-BLD', 'X-UNK') AS exit_point,
	['CAMR-OMO', 'CAMR-LIM', 'CAMR-LIM', 'CAMR-OMO', 'CAMR-LIM', 'X-NON', 'X-NON', 'X-NON'][k] AS centre,
	'HN-CR' AS department, '0501' AS municipality, if(r3 %% 100 < 80, 'M', 'F') AS sex, toUInt8(r3 %% 60) AS age,
	multiIf(age >= 51, '51+', age >= 41, '41-50', age >= 31, '31-40', age >= 21, '21-30', age >= 18, '18-20', age >= 13, '13-17', age >= 12, '12', age >= 11, '11', age >= 7, '7-10', age >= 6, '6', '0-5') AS age_group,
	'unknown' AS accompanied, ['economic'] AS reasons, 'HN' AS nationality, 1 AS national, toUInt8(r1 %% 10 < 9) AS registered, 1 AS checkpoint, toUInt16(r1 %% 12) AS kafka_partition
FROM
(
	SELECT sipHash64(number, 1) AS r1, sipHash64(number, 2) AS r2, sipHash64(number, 3) AS r3,
		toInt64(1293861600000 + intDiv(number * 315532800000, %[1]d)) AS ms, fromUnixTimestamp64Milli(ms, 'America/Tegucigalpa') AS arrival,
		multiIf(r1 %% 100 < 45, 1, r1 %% 100 < 75, 2, r1 %% 100 < 85, 3, r1 %% 100 < 92, 4, r1 %% 100 < 95, 5, r1 %% 100 < 97, 6, r1 %% 100 < 98, 7, 8) AS k
	FROM numbers(%[1]d)
)
SETTINGS max_insert_block_size = 1048576, max_threads = 2, max_insert_threads = 2, optimize_on_insert = 0, materialize_statistics_on_insert = 0`

// countsMade are the cells of those returns.
const countsMade = `INSERT INTO retorno.return_counts
SELECT day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition, any(country), any(mode),
	sum(returns.registered) AS registered, sum(returns.checkpoint) AS checkpoint, count() AS reconciled, 1 AS version, 0 AS is_deleted
FROM retorno.returns AS returns WHERE toYear(day) = %d GROUP BY day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition`

// halfYearTable is the half-year table by route and exit point, as a statistician asks for it.
func halfYearTable(view string) string {
	return "SELECT route, exit_point, sum(registered) AS returns FROM ceniss." + view + " WHERE half_year = '2016-S1' GROUP BY route, exit_point ORDER BY returns DESC, route, exit_point"
}

// halfYear asks for the half-year table, from the cube and from the returns.
func (r *run) halfYear(ctx context.Context) (err error) {
	m, err := r.startStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	r.say("making %d returns", r.cfg.StoredReturns)
	r.report.Sizes["stored_returns"] = r.cfg.StoredReturns
	if err := m.exec(ctx, fmt.Sprintf(returnsMade, r.cfg.StoredReturns)); err != nil {
		return err
	}
	for year := 2010; year <= 2021; year++ {
		if err := m.exec(ctx, fmt.Sprintf(countsMade, year)); err != nil {
			return err
		}
	}
	cells, err := m.number(ctx, "(SELECT count() FROM retorno.return_counts)")
	if err != nil {
		return err
	}
	r.report.Sizes["stored_cells"] = int(cells)
	if err := m.settled(ctx); err != nil {
		return err
	}
	var cube, recount []float64
	for round := range r.cfg.Rounds {
		fast, a, err := m.timed(ctx, halfYearTable("return_counts"))
		if err != nil {
			return err
		}
		slow, b, err := m.timed(ctx, halfYearTable("returns"))
		if err != nil {
			return err
		}
		r.say("round %d of %d: from the cube %.3f s, recounted %.3f s", round+1, r.cfg.Rounds, fast, slow)
		if a != b || a == "" {
			r.report.fault("the half-year table from the cube and recounted differ, or are empty")
			return nil
		}
		cube, recount = append(cube, fast), append(recount, slow)
	}
	about := fmt.Sprintf("the registered returns of 2016-S1 by route and exit point, asked of %%s, of %d returns in ten years made in SQL (%d cells); both tables must be the same; merges of parts were awaited", r.cfg.StoredReturns, cells)
	r.report.set("half_year_from_counts_seconds", "s", fmt.Sprintf(about, "ceniss.return_counts"), cube)
	r.report.set("half_year_recounted_seconds", "s", fmt.Sprintf(about, "ceniss.returns"), recount)
	return nil
}

// settled waits until ClickHouse has merged what it means to merge, for a while at most.
func (m *machine) settled(ctx context.Context) error {
	const patience = 3 * time.Minute
	began, quiet := time.Now(), 0
	return await(ctx, "wait for merges", 2*patience, func() (bool, error) {
		n, err := m.number(ctx, "(SELECT count() FROM system.merges)")
		if quiet++; n > 0 {
			quiet = 0
		}
		return quiet >= 10 || time.Since(began) > patience, err
	})
}

// timed answers a query as one text, and in how many seconds.
func (m *machine) timed(ctx context.Context, query string) (seconds float64, answer string, err error) {
	began := time.Now()
	rows, err := m.conn().Query(ctx, query)
	if err != nil {
		return 0, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var route, exit string
		var n uint64
		if err := rows.Scan(&route, &exit, &n); err != nil {
			return 0, "", err
		}
		answer += fmt.Sprintln(route, exit, n)
	}
	return time.Since(began).Seconds(), answer, rows.Err()
}
