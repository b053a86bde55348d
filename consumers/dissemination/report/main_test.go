package report_test

import (
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/deploy/lab/embedded/embeddedtest"
	"retorno/deploy/lab/enginetest"
)

// conn leads to an engine that all tests of the package share.
var conn driver.Conn

func TestMain(m *testing.M) { embeddedtest.Main(m, enginetest.Schema(&conn)) }
