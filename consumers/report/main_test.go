package report_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/store"
	"retorno/deploy/embedded"
)

// conn leads to an engine that all tests of the package share.
var conn driver.Conn

func TestMain(m *testing.M) {
	code, err := withEngine(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withEngine(run func() int) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "retorno-report-")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	engine, err := embedded.StartEngine(ctx, embedded.EngineConfig{Dir: dir, Log: os.Stderr})
	if err != nil {
		return 1, fmt.Errorf("start the engine: %w", err)
	}
	defer func() {
		if stopped := engine.Stop(context.Background()); err == nil {
			err = stopped
		}
	}()
	s, err := store.Open(store.Config{Addr: engine.Native()})
	if err != nil {
		return 1, err
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Migrate(ctx); err != nil {
		return 1, err
	}
	conn = s.Conn()
	return run(), nil
}
