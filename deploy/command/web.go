package command

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/counting/store"
	"retorno/consumers/dissemination/bulletin"
	"retorno/consumers/dissemination/catalog"
	changefeed "retorno/consumers/dissemination/changes"
	"retorno/consumers/dissemination/feed"
	"retorno/consumers/dissemination/formats"
	"retorno/consumers/dissemination/openapi"
	"retorno/consumers/dissemination/portal"
	"retorno/consumers/dissemination/quota"
	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx"
	sdmxcells "retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/vintages"
	"retorno/deploy/ops"
)

// webFlags are how much the web gives to whom.
type webFlags struct {
	LimitData       int    `default:"3000" placeholder:"N" help:"Questions for data that one client may put in a minute; 0: as many as it likes. Partners with a token may put ten times as many."`
	LimitStructures int    `default:"3000" placeholder:"N" help:"The same for questions about what the data mean: SDMX structures and availability, catalogue, OpenAPI."`
	PartnerTokens   string `placeholder:"FILE" help:"Partners' tokens: lines of a name and the SHA-256 of a token in hexadecimal. Read again within ten seconds of a change. A token allows more questions and changes no answer."`
	ClientHeader    string `placeholder:"NAME" help:"Header in which the proxy before the server tells the client's address, such as X-Forwarded-For; its last address is believed. Only where the proxy alone can reach the server. Without it, all that come through a proxy share one limit."`
}

func (f *webFlags) check() error {
	if f.LimitData < 0 || f.LimitStructures < 0 {
		return errors.New("--limit-data and --limit-structures must not be negative")
	}
	return nil
}

// kept is how much the web keeps of what it has answered, in bytes.
const kept = 64 << 20

// budgetOf is in which budget a question is counted. Pages for people are free: many may share an address.
func budgetOf(r *http.Request) quota.Budget {
	path := r.URL.Path
	under := func(roots ...string) bool {
		for _, root := range roots {
			if path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/") {
				return true
			}
		}
		return false
	}
	switch {
	case under(sdmx.Root21+"data", sdmx.Root30+"data", "/feed/v1", vintages.Path, bulletin.Path, changefeed.Path, changefeed.PathAtom):
		return quota.Data
	case under(sdmx.Path, catalog.Path, openapi.Path):
		return quota.Structures
	}
	return quota.Free
}

// services are what the catalogue says that one can ask.
var services = []catalog.Service{
	{Address: feed.PathCSV, Description: feed.DocumentationPath, ES: "Consulta de retornos, CSV", EN: "Feed of returns, CSV"},
	{Address: feed.PathJSON, Description: feed.DocumentationPath, ES: "Consulta de retornos, JSON", EN: "Feed of returns, JSON"},
	{Address: vintages.Path, Description: feed.DocumentationPath, ES: "Ediciones publicadas y sus archivos", EN: "Published vintages and their files"},
	{Address: sdmx.Path + "2.1/", Description: feed.DocumentationPath, ES: "Tablas en SDMX 2.1", EN: "Tables in SDMX 2.1"},
	{Address: sdmx.Path + "3.0/", Description: feed.DocumentationPath, ES: "Tablas en SDMX 3.0", EN: "Tables in SDMX 3.0"},
	{Address: changefeed.Path, Description: feed.DocumentationPath, ES: "Cambios desde una posición", EN: "Changes since a position"},
}

// publicMux has everything that is answered from published vintages, but for streams.
func publicMux(shelf *vintages.Shelf, news *changefeed.Server, log *slog.Logger, registry prometheus.Registerer) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/feed/v1/", feed.New(feed.Config{Shelf: shelf, Registerer: registry, Log: log}))
	observations := sdmxcells.NewStore(shelf)
	mux.Handle(sdmx.Path, sdmx.New(sdmx.Config{Shelf: shelf, Store: observations, Registerer: registry, Log: log}))
	files := vintages.New(vintages.Config{Shelf: shelf, Registerer: registry, Log: log})
	mux.Handle(vintages.Path, files)
	mux.Handle(vintages.Path+"/", files)
	mux.Handle(bulletin.Path, bulletin.New(bulletin.Config{Shelf: shelf, Registerer: registry, Log: log}))
	tables := formats.New(formats.Config{Shelf: shelf, Files: files, Registerer: registry, Log: log})
	mux.Handle(formats.PatternTables, tables)
	mux.Handle(formats.PatternTable, tables)
	mux.Handle(catalog.Path, catalog.New(catalog.Config{Shelf: shelf, Services: services, Registerer: registry, Log: log}))
	mux.Handle(openapi.Path, openapi.New(registry, log))
	mux.Handle("/", portal.New(portal.Config{Shelf: shelf, Store: observations, Registerer: registry, Log: log}))
	answers := news.Answers()
	mux.Handle(changefeed.Path, answers)
	mux.Handle(changefeed.PathAtom, answers)
	return mux
}

// busy answers who comes when all places are taken.
func busy(w http.ResponseWriter, r *http.Request) {
	if response.Readable(w, r) {
		response.Refuse(w, r, response.Busy.Of("Hay demasiadas consultas a la vez; repita en un segundo.", "There are too many questions at once; repeat in a second."))
	}
}

// part is everything that a browser or a partner's program can ask for. It faces strangers: it keeps limits, and says
// nothing of what is behind it. A question passes the limits, then what was kept, and then who answers it.
func (f *webFlags) part(listener net.Listener, s *store.Store, server *ops.Server, log *slog.Logger, registry prometheus.Registerer) ops.Part {
	shelf := vintages.NewShelf(s.Conn(), 10*time.Second, time.Second)
	done := make(chan struct{})
	news := changefeed.New(changefeed.Config{Shelf: shelf, Done: done, Registerer: registry, Log: log})
	limiter := quota.New(quota.Config{Of: budgetOf, Data: f.LimitData, Structures: f.LimitStructures, Header: f.ClientHeader, Registerer: registry})
	answers := response.NewCache(kept, shelf.Version, registry).Handle(response.NewRecorder(registry, log), publicMux(shelf, news, log, registry))
	mux := http.NewServeMux()
	server.RegisterPublic(mux)
	mux.Handle("/", answers)
	limited, handler := ops.Limited(listener, mux, ops.Limits{Busy: busy}, registry)
	all := http.NewServeMux()
	all.Handle("/", handler)
	all.Handle(changefeed.PathStream, news.Stream()) // it has a limit of its own: streams last, and would take the places of requests
	part := ops.HTTPPart("web", limited, limiter.Handle(all))
	part.Start = func(context.Context) (err error) {
		if f.PartnerTokens != "" {
			if limiter.Tokens, err = quota.OpenTokens(f.PartnerTokens, log, time.Now()); err != nil {
				err = Missing(err)
			}
		}
		return err
	}
	serve := part.Run
	part.Run = func(ctx context.Context) error {
		watching, stop := context.WithCancel(ctx)
		var watch sync.WaitGroup
		watch.Go(func() { shelf.Watch(watching) })
		defer watch.Wait()
		defer stop()
		context.AfterFunc(ctx, func() { close(done) }) // streams end first, so that the server need not wait for them
		return serve(ctx)
	}
	return part
}
