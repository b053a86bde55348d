// Package portal is the page for everyone: the table of a half-year in Spanish and English, with its base and its
// coverage, returns by month and by exit point as pictures, how complete they are by month, post and centre, and where
// computers are silent or lack records. It also describes the feed.
//
// It promises pages that stand alone: no script, nothing from elsewhere, readable without style, on a telephone, on
// paper and by a screen reader. The total of a half-year is the exact published figure; everything below it is rounded
// to base 5 and shares are worked out from rounded counts (package disclosure), as in the feed.
// It never shows one person's data and never says anything about who asked. Coverage and shares are given from 100 known
// returns on, and worked out from counts that stand rounded beside them. When ClickHouse is away the page says so
// with status 503; when nothing has been counted yet it says that, with status 200. A failure to read how
// complete they are leaves the figures standing and is said in their place.
package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
)

// Conn is what the page needs of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Config is what the portal is made of. Conn is required.
type Config struct {
	Conn       Conn
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
	Now        func() time.Time      // clock; nil: time.Now
	Timeout    time.Duration         // longest time ClickHouse may take for one page; 0: 10 s
	// Keep is how long counts that were read are shown again without asking; 0: 2 s, negative: not at all. How complete
	// they are, which costs more to read and changes more slowly, is shown fifteen times as long.
	Keep time.Duration
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var all []error
	if c.Conn == nil {
		all = append(all, errors.New("portal: Conn is missing: give it a connection to ClickHouse"))
	}
	if c.Timeout < 0 {
		all = append(all, errors.New("portal: Timeout must not be negative"))
	}
	return errors.Join(all...)
}

type server struct {
	conn     Conn
	log      *slog.Logger
	now      func() time.Time
	timeout  time.Duration
	shelf    *shelf[snapshot]
	complete *shelf[completeness]
}

// New makes the handler for "/", "/feed/" and "/assets/". It panics on a configuration that Validate refuses.
func New(c Config) http.Handler {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	s := &server{conn: c.Conn, log: c.Log, now: c.Now, timeout: c.Timeout}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.timeout == 0 {
		s.timeout = 10 * time.Second
	}
	if c.Keep == 0 {
		c.Keep = 2 * time.Second
	}
	s.shelf, s.complete = newShelf[snapshot](c.Keep, s.now), newShelf[completeness](15*c.Keep, s.now)
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	for _, at := range []struct {
		pattern, route string
		handler        http.HandlerFunc
	}{
		{"/{$}", "/", s.home},
		{"/feed/{$}", "/feed/", s.feed},
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
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout) // also for the wait behind other readers
	defer cancel()
	shown, err := s.shelf.get(ctx, asked.Get("period"), s.load)
	switch {
	case errors.Is(err, errNoSuchPeriod):
		s.fail(w, r, http.StatusNotFound, noSuchPeriod)
	case err != nil:
		s.log.LogAttrs(r.Context(), slog.LevelError, "the page could not be made", slog.Any("error", err))
		w.Header().Set("Retry-After", "10")
		s.fail(w, r, http.StatusServiceUnavailable, away)
	default:
		s.show(w, r, http.StatusOK, "home", s.view(shown, language(r)))
	}
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
	response.Send(w, r, response.Representation{Type: "text/css; charset=utf-8", Cache: "public, max-age=31536000, immutable", Body: styleSheet}, s.now())
}
