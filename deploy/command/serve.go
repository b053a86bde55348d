package command

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/ops"
)

type serveCommand struct {
	ClickHouse clickhouseFlags `embed:"" prefix:"clickhouse-"`
	Listen     string          `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where the pages and the feed are."`
	OpsListen  string          `default:"127.0.0.1:9467" placeholder:"HOST:PORT" help:"Where /metrics, /healthz and /readyz are."`
}

// Help is the longer text of --help.
func (serveCommand) Help() string {
	return helpText("Serves the page for everyone at /, the feed for partner agencies at /feed/v1/returns.csv and .json, and the vintages that were published, with their files, at /vintages. It only reads from ClickHouse, and there only the database ceniss: give it a user who can read nothing else (role ceniss_reader). /readyz is here, too, and says nothing but whether it is ready; its reasons, /metrics and /healthz are at --ops-listen.",
		"retorno serve", "retorno serve --listen=0.0.0.0:8080 --clickhouse-addr=db:9000 --clickhouse-user=ceniss --clickhouse-password-file=/run/secrets/ceniss", "curl 'http://127.0.0.1:8080/feed/v1/returns.csv?period=2016-S1&by=route,exit_point'")
}

// Validate names what cannot be.
func (c *serveCommand) Validate() error {
	return checkAll(checkAddress("listen", c.Listen), checkAddress("ops-listen", c.OpsListen))
}

// Run serves until it is told to end.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	registry := ops.NewRegistry(version)
	s, err := c.ClickHouse.openPublished(ctx, t.Log, registry)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	listener, _, err := ops.Listen(c.Listen, false)
	if err != nil {
		return Missing(err)
	}
	operator, _, err := ops.Listen(c.OpsListen, false)
	if err != nil {
		return Missing(errors.Join(err, listener.Close()))
	}
	server := ops.New(registry)
	server.Ready("ClickHouse", s.Ping)
	return ops.Run(ctx, t.Log, []ops.Part{server.Part(operator), webPart(listener, s, server, t.Log, registry)})
}

// webPart is everything that a browser or a partner's program can ask for. It faces strangers: it keeps limits, and says
// nothing of what is behind it.
func webPart(listener net.Listener, s *store.Store, server *ops.Server, log *slog.Logger, registry prometheus.Registerer) ops.Part {
	mux := http.NewServeMux()
	server.RegisterPublic(mux)
	shelf := vintages.NewShelf(s.Conn(), 10*time.Second, time.Second)
	mux.Handle("/feed/v1/", feed.New(feed.Config{Shelf: shelf, Registerer: registry, Log: log}))
	files := vintages.New(vintages.Config{Shelf: shelf, Registerer: registry, Log: log})
	mux.Handle(vintages.Path, files)
	mux.Handle(vintages.Path+"/", files)
	mux.Handle("/", portal.New(portal.Config{Shelf: shelf, Registerer: registry, Log: log}))
	limited, handler := ops.Limited(listener, mux, ops.Limits{}, registry)
	return ops.HTTPPart("web", limited, handler)
}
