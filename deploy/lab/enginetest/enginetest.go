// Package enginetest gives tests the project's schema in a ClickHouse engine of their own.
package enginetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/vintages/vintagestest"
	"retorno/deploy/lab/embedded"
)

// Schema is for embeddedtest.Main: it makes the schema, runs the statements that fill it, and leaves the way to it in conn; the
// connections end with the engine.
func Schema(conn *driver.Conn, made ...string) func(context.Context, *embedded.Engine) error {
	return func(ctx context.Context, engine *embedded.Engine) error {
		s, err := store.Open(store.Config{Addr: engine.Native()})
		if err != nil {
			return err
		}
		if _, err := s.Migrate(ctx); err != nil {
			return err
		}
		*conn = s.Conn()
		for _, statement := range made {
			if err := (*conn).Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}
}

// Vintages is Schema, and publishes made vintages into it.
func Vintages(conn *driver.Conn, made ...vintagestest.Vintage) func(context.Context, *embedded.Engine) error {
	return func(ctx context.Context, engine *embedded.Engine) error {
		if err := Schema(conn)(ctx, engine); err != nil {
			return err
		}
		for _, v := range made {
			if err := vintagestest.Publish(ctx, *conn, v); err != nil {
				return err
			}
		}
		return nil
	}
}

// Fresh is an empty schema in an engine that tests share one after the other. What earlier ones left is deleted; the
// schema is made again only when one of them has changed it.
func Fresh(t testing.TB, engine *embedded.Engine) *store.Store {
	t.Helper()
	s, err := store.Open(store.Config{Addr: engine.Native()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if made[engine] != "" && made[engine] == schemaOf(t, s) {
		empty(t, s)
		return s
	}
	for _, database := range []string{"ceniss", "retorno"} {
		exec(t, s, "DROP DATABASE IF EXISTS "+database+" SYNC")
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	made[engine] = schemaOf(t, s)
	return s
}

// made is the schema of each engine as it was made.
var made = map[*embedded.Engine]string{}

// schemaOf is everything that a test may have changed of the schema, as text; tables of its own are none of it.
func schemaOf(t testing.TB, s *store.Store) string {
	t.Helper()
	var text string
	err := s.Conn().QueryRow(t.Context(), `SELECT toString(groupArray((database, name, create_table_query))) FROM
		(SELECT * FROM system.tables WHERE database IN ('retorno', 'ceniss') AND NOT startsWith(name, 'test_') ORDER BY database, name)`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// empty deletes all rows but those that `retorno migrate` writes, and the tables that tests have made.
func empty(t testing.TB, s *store.Store) {
	t.Helper()
	var tables []string
	err := s.Conn().QueryRow(t.Context(), `SELECT groupArray(if(startsWith(name, 'test_'), 'DROP TABLE retorno.', 'TRUNCATE TABLE retorno.') || name)
		FROM system.tables WHERE database = 'retorno' AND endsWith(engine, 'MergeTree') AND name NOT IN ('migrations', 'codes')`).Scan(&tables)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, s, append(tables, "SYSTEM START MERGES")...)
}

func exec(t testing.TB, s *store.Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
