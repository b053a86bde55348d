package feed_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

// conn leads to an engine that all tests of the package share; nothing writes to it after made.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Schema(&conn, made...)) }

// made are cells that show each case: a half-year of 27,086 registered returns, 17,064 of them by Corinto, cells of one
// and of two returns, a code that no list holds, a replaced row, a deleted row, the neighbours of the half-year, and a
// day that is a single bus.
var made = []string{
	`INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted) VALUES
	('2016-01-01','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','18-20',0,'MX','land',17060,16000,21000,2,0),
	('2016-01-01','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','18-20',1,'MX','land',4,4,4,2,0),
	('2016-02-03','US-AIR','deported','A-SAP','L-AGC','CAMR-SPS','F','21-30',0,'US','air',10001,9000,12000,2,0),
	('2016-03-05','GT-LAND','assisted','L-COR','L-AGC','CAMR-OMO','F','13-17',0,'GT','land',7,7,7,2,0),
	('2016-04-07','GT-LAND','assisted','L-COR','X-UNK','X-NON','F','unknown',0,'GT','land',0,843,843,2,0),
	('2016-05-08','BZ-SEA','voluntary','S-PCR','X-BLD','CAMR-OMO','M','6',0,'BZ','sea',2,0,2,2,0),
	('2016-06-30','BZ-SEA','voluntary','S-PCR','S-PCR','CAMR-OMO','U','6',0,'BZ','sea',1,0,1,2,0),
	('2016-06-30','ZZ-AIR','deported','A-SAP','L-FLO','CAMR-SPS','M','31-40',0,'ZZ','air',11,3,11,2,0),
	('2015-12-31','US-AIR','deported','A-SAP','L-COR','CAMR-SPS','M','21-30',0,'US','air',500,500,500,2,0),
	('2016-07-01','US-AIR','deported','A-SAP','L-COR','CAMR-SPS','M','21-30',0,'US','air',300,300,300,2,0)`,
	`INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted) VALUES
	('2016-01-01','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','18-20',0,'MX','land',99999,99999,99999,1,0),
	('2016-06-30','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','41-50',0,'MX','land',77,77,77,1,0)`,
	`INSERT INTO retorno.return_counts (day, route, return_type, entry_point, exit_point, centre, sex, age_group, kafka_partition,
		country, mode, registered, checkpoint, reconciled, version, is_deleted) VALUES
	('2016-06-30','MX-LAND','deported','L-COR','L-COR','CAMR-OMO','M','41-50',0,'MX','land',0,0,0,2,1)`,
	// 05:59 UTC on the 15th is still the 14th in Honduras.
	`INSERT INTO retorno.ledger (topic, kafka_partition, epoch, first_offset, next_offset, read, accepted, duplicate, superseded, rejected, consumer, flushed_at)
		VALUES ('retorno.centre.v1', 0, 1, 0, 10, 10, 10, 0, 0, 0, 'test', toDateTime64('2016-07-15 05:59:00', 3, 'UTC'))`,
}
