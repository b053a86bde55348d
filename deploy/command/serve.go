package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"retorno/consumers/counting/store"
	"retorno/deploy/clickhouse"
	"retorno/deploy/ops"
)

type serveCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Listen     string          `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the pages and the feed are."`
	OpsListen  string          `default:"127.0.0.1:9467" placeholder:"HOST:PORT" help:"Where /metrics, /healthz and /readyz are."`
	webFlags   `embed:""`
}

// Help is the longer text of --help.
func (serveCommand) Help() string {
	return helpText("Serves the pages for everyone at / (tables at /explore, dates at /calendar, examples for partners at /partners), the bulletin of a half-year at /bulletin/2016-S1, the feed for partner agencies at /feed/v1/returns.csv and .json, the same in SDMX at /sdmx/2.1/ and /sdmx/3.0/, and the vintages that were published, with their files, at /vintages. All of it is of published vintages: what arrives and is counted changes nothing before the next one is published. It only reads from ClickHouse: give it a user who can read what was published and nothing else (role ceniss_public); it warns at the start when its user can read more. /readyz is here, too, and says nothing but whether it is ready; its reasons, /metrics and /healthz are at --ops-listen.",
		"retorno serve", "retorno serve --listen=0.0.0.0:8080 --clickhouse-addr=db:9000 --clickhouse-user=web --clickhouse-password-file=/run/secrets/web", "curl 'http://127.0.0.1:8080/feed/v1/returns.csv?period=2016-S1&by=exit_point'")
}

// Validate names what cannot be.
func (c *serveCommand) Validate() error {
	return checkAll(checkAddress("listen", c.Listen), checkAddress("ops-listen", c.OpsListen), c.webFlags.check())
}

// Run serves until it is told to end.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version, "serve")
	s, err := c.ClickHouse.openPublished(ctx, t.Log, registry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := warnOfRights(ctx, s, t.Log, c.ClickHouse.User); err != nil {
		return err
	}
	listener, _, err := ops.Listen(c.Listen, false)
	if err != nil {
		return Missing(err)
	}
	operator, _, err := ops.Listen(c.OpsListen, false)
	if err != nil {
		return Missing(errors.Join(err, listener.Close()))
	}
	registry.MustRegister(certificates(&kafkaFlags{}, &c.ClickHouse))
	server := ops.New(registry)
	server.Ready("ClickHouse", s.Ping)
	server.Healthy("web", func(ctx context.Context) error { return answers(ctx, listener.Addr()) })
	return ops.Run(ctx, t.Log, []ops.Part{server.Part(operator), c.part(listener, s, server, t.Log, registry)})
}

// answers reports why the web gives no answer at all. It asks for a page that is nowhere: whatever comes is one.
func answers(ctx context.Context, at net.Addr) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.String()+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the pages give no answer: %w", err)
	}
	return response.Body.Close()
}

// warnOfRights names what the user can read that is not published: an attacker who takes over a process that faces strangers could read it,
// too.
func warnOfRights(ctx context.Context, s *store.Store, log *slog.Logger, user string) error {
	more, err := unneededRights(ctx, s)
	if err != nil {
		return fmt.Errorf("ask ClickHouse what user %s can read: %w", user, err)
	}
	if n := len(more); n > 0 {
		log.Warn("the user can read more than what was published; give `"+program+" serve` a user whose only role is "+clickhouse.PublicRole+", of deploy/clickhouse/roles.sql",
			"user", user, "tables", n, "such as", strings.Join(more[:min(n, 5)], ", "))
	}
	return nil
}

// unneededRights are the tables with a column that the user can read and that the public role cannot. ClickHouse shows the columns that one has a
// right to.
func unneededRights(ctx context.Context, s *store.Store) (more []string, err error) {
	roles, err := clickhouse.Roles()
	if err != nil {
		return nil, err
	}
	public := roles[slices.IndexFunc(roles, func(r clickhouse.Role) bool { return r.Name == clickhouse.PublicRole })]
	rows, err := s.Conn().Query(ctx, `SELECT database, table, groupArray(name) FROM system.columns
		WHERE database NOT IN ('', 'system') AND lower(database) != 'information_schema' GROUP BY database, table ORDER BY database, table`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var database, table string
		var columns []string
		if err := rows.Scan(&database, &table, &columns); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(columns, func(column string) bool { return !public.Reads(database, table, column) }) {
			more = append(more, database+"."+table)
		}
	}
	return more, rows.Err()
}
