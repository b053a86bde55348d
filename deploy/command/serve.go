package command

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/feed"
	"retorno/consumers/portal"
	"retorno/consumers/store"
	"retorno/deploy/ops"
)

type serveCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Listen     string          `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the pages and the feed are."`
}

// Help is the longer text of --help.
func (serveCommand) Help() string {
	return helpText("Serves the page for everyone at /, the feed for partner agencies at /feed/v1/returns.csv and .json, and /metrics, /healthz and /readyz. It only reads from ClickHouse.",
		"retorno serve", "curl 'http://127.0.0.1:8080/feed/v1/returns.csv?period=2016-S1&by=route,exit_point'")
}

// Run serves until it is told to end.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version)
	s, err := c.ClickHouse.openSchema(ctx, t.Log, registry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	listener, _, err := ops.Listen(c.Listen, false)
	if err != nil {
		return Missing(err)
	}
	server := ops.New(registry)
	server.Ready("ClickHouse", s.Ping)
	return ops.Run(ctx, t.Log, []ops.Part{ops.HTTPPart("web", listener, webHandler(s, server, t.Log, registry))})
}

// webHandler is everything that a browser or a partner's program can ask for.
func webHandler(s *store.Store, server *ops.Server, log *slog.Logger, registry prometheus.Registerer) http.Handler {
	mux := http.NewServeMux()
	server.Register(mux)
	mux.Handle("/feed/v1/", feed.New(feed.Config{Conn: s.Conn(), Registerer: registry, Log: log}))
	mux.Handle("/", portal.New(portal.Config{Conn: s.Conn(), Registerer: registry, Log: log}))
	return mux
}
