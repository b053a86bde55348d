package completeness_test

import (
	"context"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/store"
	"retorno/deploy/embedded"
	"retorno/deploy/embedded/enginetest"
)

// conn leads to an engine that all tests of the package share.
var conn driver.Conn

func TestMain(m *testing.M) { enginetest.Main(m, prepare) }

// prepare makes the schema; the connections end with the engine.
func prepare(ctx context.Context, engine *embedded.Engine) error {
	s, err := store.Open(store.Config{Addr: engine.Native()})
	if err != nil {
		return err
	}
	if _, err := s.Migrate(ctx); err != nil {
		return err
	}
	conn = s.Conn()
	return nil
}
