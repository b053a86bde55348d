package portal_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

// conn leads to an engine that all tests of the package share; nothing writes to it after made.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Schema(&conn, made...)) }

// made is a first half of 2016 of 27,086 registered returns, 17,064 of them by Corinto, and of 33,868 in all; what
// strayed into the second half; the live arrivals of the day on which the tests take place; and 23 computers at four
// places, of which one has been silent for days, one for years since it lost records in March 2016, one lacks records
// of today and one has a wrong clock. 812 returns of February 2016 were written down late, 300 almost so.
var made = []string{
	`INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted)
	SELECT if(number >= 27086 AND number % 2 = 0, toDate('2016-05-01') + (number % 31), toDate('2016-01-01') + (cityHash64(number) % 182)) AS day, r AS route, 'deported' AS return_type,
		multiIf(number % 10 < 6, 'L-COR', number % 10 < 9, 'A-SAP', number % 1000 = 9, 'L-POY', 'L-AGC') AS entry_point,
		multiIf(number >= 27086, 'X-UNK', number < 17064, 'L-COR', number < 20980, 'L-AGC', number < 22804, 'L-FLO', number < 24104, 'A-SAP',
			number < 24904, 'X-BLD', number < 25204, 'L-GUA', number < 25404, 'L-AMA', number < 25504, 'A-TGU', number < 25524, 'L-LMA',
			number < 25526, 'S-PCR', 'X-UNK') AS exit_point,
		if(number < 27086, 'CAMR-OMO', 'X-NON') AS centre, if(number % 7 = 0, 'F', 'M') AS sex, '21-30' AS age_group, 0 AS kafka_partition,
		splitByChar('-', r)[1] AS country, lower(splitByChar('-', r)[2]) AS mode,
		countIf(number < 27086) AS registered, countIf(number % 20 != 3 OR number >= 27086) AS checkpoint, count() AS reconciled, 1, 0
	FROM (SELECT number, multiIf(number % 100 < 46, 'MX-LAND', number % 100 < 91, 'US-AIR', number % 100 < 97, 'GT-LAND', number % 100 < 99, 'MX-AIR',
			number % 1000 < 994, 'BZ-SEA', number = 995, 'ES-AIR', 'XX-UNK') AS r FROM numbers(33868))
	GROUP BY day, route, entry_point, exit_point, centre, sex, age_group`,
	`INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted) VALUES
	('2016-07-01','US-AIR','deported','A-SAP','L-COR','CAMR-SPS','M','21-30',0,'US','air',9,8,9,1,0),
	('2026-11-23','US-AIR','deported','A-SAP','L-COR','CAMR-SPS','M','21-30',0,'US','air',60,61,70,1,0)`,
	`INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, duplicate, superseded, rejected, consumer, flushed_at)
		VALUES ('retorno.centre.v1', 0, 1, 0, 10, 10, 10, 0, 0, 0, 'test', toDateTime64('2026-11-23 17:15:00', 3, 'UTC'))`,
	`INSERT INTO retorno.sendings (place, source_id, source_seq, sent_at, clock_offset_ms)
	SELECT number, concat(['L-COR', 'L-AGC', 'A-SAP', 'CAMR-OMO'][number % 22 % 4 + 1], '-', leftPad(toString(number % 22 + 1), 2, '0')) AS source, intDiv(number, 22) + 1 AS seq,
		if(source = 'A-SAP-07', toDateTime64('2026-11-20 17:00:00', 3, 'UTC'), toDateTime64('2026-11-23 17:00:00', 3, 'UTC')) - seq,
		if(source = 'A-SAP-03', 5400000, 40)
	FROM numbers(2200) WHERE NOT (number % 22 = 11 AND intDiv(number, 22) IN (5, 6, 7))`,
	`INSERT INTO retorno.sendings (place, source_id, source_seq, sent_at, clock_offset_ms)
	SELECT 10000 + n, 'L-POY-1', n, toDateTime64('2016-03-10 12:00:00', 3, 'UTC') + n, 0 FROM (SELECT arrayJoin([1, 2, 3, 8, 9, 12]) AS n)`,
	`INSERT INTO retorno.returns (return_id, version, person, national, day, arrival, centre, entry_point)
	SELECT dateTimeToUUIDv7(toDateTime('2016-02-10 18:00:00', 'UTC') + number * 60 + if(number < 812, 73, 71) * 3600), 1, generateUUIDv4(), 1, '2016-02-10',
		toDateTime('2016-02-10 18:00:00', 'UTC') + number * 60, 'CAMR-OMO', 'L-COR' FROM numbers(1112)`,
	// Where the computers stand.
	`INSERT INTO retorno.facts (person, record_id, version, kind, source_id, source_seq, border_point, centre)
	SELECT generateUUIDv4(), generateUUIDv7(), 1, if(startsWith(source_id, 'CAMR'), 'registration', 'crossing') AS kind, source_id, 1,
		if(kind = 'crossing', substring(source_id, 1, 5), '') AS border_point, if(kind = 'crossing', '', 'CAMR-OMO') AS centre
	FROM (SELECT DISTINCT source_id FROM retorno.sendings)`,
}
