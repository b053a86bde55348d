package verify

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// sourcesRecounted says of each computer how many of its numbers have not arrived, up to the highest one that came or that its
// latest heartbeat tells of: from the rows as they were written, without the views and without FINAL.
const sourcesRecounted = `SELECT source, toUInt64(greatest(max(came), max(told)) - max(numbers)) AS missing
FROM
(
    SELECT toString(source_id) AS source, max(source_seq) AS came, count() AS numbers, toUInt64(0) AS told
    FROM (SELECT source_id, source_seq FROM retorno.sendings GROUP BY source_id, source_seq) GROUP BY source
    UNION ALL
    SELECT source_id, 0, 0, argMax(last_seq, (at, last_seq)) FROM retorno.heartbeats GROUP BY source_id
)
GROUP BY source`

// sourcesLook compares what people are told is missing of each computer with what is counted again.
func sourcesLook(conn driver.Conn) look {
	return look{check: checkSources, find: func(ctx context.Context) (finding, error) {
		ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
			"max_threads": 1, "max_bytes_before_external_group_by": spillFrom, "max_bytes_before_external_sort": spillFrom,
		}))
		found := newFinding()
		statement := fmt.Sprintf(`SELECT if(s.source = '', r.source, s.source) AS source, toUInt64(s.source != ''), toUInt64(s.missing), toUInt64(r.source != ''), r.missing
			FROM (SELECT source, missing FROM ceniss.sources) AS s FULL JOIN (%s) AS r ON r.source = s.source`, sourcesRecounted)
		rows, err := conn.Query(ctx, statement)
		if err != nil {
			return found, err
		}
		defer rows.Close()
		for rows.Next() {
			var source string
			var shown, missing, counted, recounted uint64
			if err := rows.Scan(&source, &shown, &missing, &counted, &recounted); err != nil {
				return found, err
			}
			if found.rows++; shown != counted || missing != recounted {
				found.add(fmt.Sprintf("%s: %d missing are shown, %d are counted again", source, missing, recounted), int64(missing)-int64(recounted))
			}
		}
		return found, rows.Err()
	}}
}
