// Package portal is the page for everyone: what was published of a half-year, in Spanish and English, with its base, its coverage and
// its vintage, returns by month, by route and by exit point as pictures and as a table. It also describes the feed and explains its errors.
//
// It promises pages that stand alone: no script, nothing from elsewhere, readable without style, on a telephone, on
// paper and by a screen reader. Every byte and every header is a function of the published vintages, the question and the build: it reads
// what package vintages gives and nothing else, and shows the numbers that the feed gives. What is withheld there is withheld here. It
// never says anything about who asked. When ClickHouse is away the page says so with status 503; when nothing has been published yet it
// says that, with status 200.
package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/vintages"
)

// Config is what the portal is made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Store      *cells.Store          // names the parts of SDMX keys, where others use it too; nil: a store of its own
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	if c.Shelf == nil {
		return errors.New("portal: Shelf is missing: give it the vintages")
	}
	return nil
}

type server struct {
	shelf *vintages.Shelf
	store *cells.Store
	log   *slog.Logger
}

// New makes the handler for "/", "/explore", "/calendar", "/partners", "/feed/", "/revisions/", "/problems/" and "/assets/". It panics on a configuration that Validate refuses.
func New(c Config) http.Handler {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	s := &server{shelf: c.Shelf, store: c.Store, log: c.Log}
	if s.store == nil {
		s.store = cells.NewStore(c.Shelf)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	for _, at := range []struct {
		pattern, route string
		handler        http.HandlerFunc
	}{
		{"/{$}", "/", s.home},
		{"/feed/{$}", "/feed/", s.feed},
		{explorePath, explorePath, s.tables},
		{explorePath + "/{table}", explorePath + "/", s.explore},
		{partnersPath, partnersPath, s.partners},
		{calendarPath, calendarPath, s.calendar},
		{revisionsPath + "{period}", revisionsPath, s.revisions},
		{response.ProblemsPath + "{$}", response.ProblemsPath, s.problems},
		{response.ProblemsPath + "{kind}", response.ProblemsPath, s.problem},
		{stylePath, "/assets/", s.style},
		{"/", "/*", s.nothing},
	} {
		mux.Handle(at.pattern, rec.Handle(at.route, s.guarded(at.handler)))
	}
	return mux
}

// guarded sets what every answer carries: a page of ours loads nothing from elsewhere, runs nothing, cannot be framed.
func (s *server) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if response.Allowed(w, r, func() { s.fail(w, r, http.StatusMethodNotAllowed, methodNotAllowed) }) {
			next(w, r)
		}
	})
}

// home is the page of a half-year.
func (s *server) home(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	if m, ok := understood(asked); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	all, shown, err := s.choose(r.Context(), asked.Get("period"))
	switch {
	case err != nil:
		s.log.LogAttrs(r.Context(), slog.LevelError, "the page could not be made", slog.Any("error", err))
		w.Header().Set("Retry-After", "10")
		s.fail(w, r, http.StatusServiceUnavailable, away)
	case shown == nil && asked.Get("period") != "":
		s.fail(w, r, http.StatusNotFound, noSuchPeriod)
	case shown == nil:
		s.show(w, r, http.StatusOK, "home", emptyView(language(r)))
	default:
		s.show(w, r, http.StatusOK, "home", view(all, shown, language(r)))
	}
}

// choose opens the newest vintage of a half-year, without one of the latest half-year that has any. It returns nil where there is none.
func (s *server) choose(ctx context.Context, period string) ([]vintages.Vintage, *vintages.Opened, error) {
	all, err := s.shelf.List(ctx)
	if err != nil || len(all) == 0 {
		return nil, nil, err
	}
	if period == "" {
		period = slices.MaxFunc(all, func(a, b vintages.Vintage) int { return strings.Compare(a.Period, b.Period) }).Period
	}
	i := slices.IndexFunc(all, func(v vintages.Vintage) bool { return v.Period == period })
	if i < 0 {
		return all, nil, nil
	}
	shown, err := s.shelf.Open(ctx, all[i])
	return all, shown, err
}

// feed describes the feed.
func (s *server) feed(w http.ResponseWriter, r *http.Request) {
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	s.show(w, r, http.StatusOK, "feed", s.documentation(language(r)))
}

// nothing answers addresses that do not exist.
func (s *server) nothing(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, http.StatusNotFound, notFound)
}

// style is the style sheet. Its name holds a digest of its content, so it may be kept for ever.
func (s *server) style(w http.ResponseWriter, r *http.Request) {
	response.Send(w, r, response.Representation{Type: "text/css; charset=utf-8", Cache: "public, max-age=31536000, immutable", Body: styleSheet})
}
