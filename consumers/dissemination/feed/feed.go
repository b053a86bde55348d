// Package feed gives partner agencies counts of returns as CSV and JSON over HTTP, in one stable form:
//
//	GET /feed/v1/returns.csv?period=2016-S1&by=route,exit_point
//	GET /feed/v1/returns.json?period=2016-S1&by=route,exit_point
//
// It promises counts only, each one and each total rounded to base 5 (package disclosure), in an order that depends on
// nothing but the codes; equal questions give equal bytes under one strong ETag; a question it does not understand is
// refused with every wrong parameter named, never answered in part. The suffix chooses the format, Accept is not
// asked; labels are in one language, chosen by the address alone, so that a stored address always means the same.
//
// Any of the six kinds of period may be asked for. Days and weeks are given in total and by route (or country or mode,
// of which route is made) only: a day at a border point is often one bus, and weeks cut across months, so that finer
// tables of both would give single days by subtraction. A row whose count rounds to zero is left out like one that
// does not exist, because a printed zero would say "one or two".
//
// It never reads microdata, only ceniss.return_counts and the time of the last count, and never says anything about who asked. When ClickHouse is
// away, slow or not set up, the answer is 503 with Retry-After, and the cause is in the log.
package feed

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/disclosure"
	"retorno/consumers/dissemination/response"
)

// Paths of the two formats.
const (
	PathCSV  = "/feed/v1/returns.csv"
	PathJSON = "/feed/v1/returns.json"
)

// Conn is what the feed needs of ClickHouse; a driver.Conn of clickhouse-go is one.
type Conn interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Config is what the feed is made of. Conn is required.
type Config struct {
	Conn       Conn
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
	Now        func() time.Time      // clock; nil: time.Now
	Timeout    time.Duration         // longest time one answer may take in ClickHouse; 0: 10 s
	Queries    int                   // questions put to ClickHouse at once, others wait; 0: 4
	MaxAge     time.Duration         // how long a client may keep an answer without asking again; 0: one minute
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var all []error
	if c.Conn == nil {
		all = append(all, errors.New("feed: Conn is missing: give it a connection to ClickHouse"))
	}
	if c.Timeout < 0 || c.Queries < 0 || c.MaxAge < 0 {
		all = append(all, errors.New("feed: Timeout, Queries and MaxAge must not be negative"))
	}
	return errors.Join(all...)
}

type server struct {
	conn    Conn
	log     *slog.Logger
	now     func() time.Time
	timeout time.Duration
	maxAge  time.Duration
	slots   chan struct{}
}

// New makes the handler for /feed/v1/. It panics on a configuration that Validate refuses.
func New(c Config) http.Handler {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	s := &server{conn: c.Conn, log: c.Log, now: c.Now, timeout: c.Timeout, maxAge: c.MaxAge}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.timeout == 0 {
		s.timeout = 10 * time.Second
	}
	if s.maxAge == 0 {
		s.maxAge = time.Minute
	}
	if c.Queries == 0 {
		c.Queries = 4
	}
	s.slots = make(chan struct{}, c.Queries)
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	mux.Handle(PathCSV, rec.Handle(PathCSV, s.table(writeCSV)))
	mux.Handle(PathJSON, rec.Handle(PathJSON, s.table(writeJSON)))
	mux.Handle("/", rec.Handle("/feed/v1/", http.HandlerFunc(s.nothing)))
	return mux
}

// CoverageHeader says the coverage of the period in percent, in both formats: a CSV has no other place for it. It is left out
// where coverage is not given.
const CoverageHeader = "Retorno-Coverage-Percent"

// table answers one format.
func (s *server) table(write func(Table) response.Representation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		common(w)
		if !response.Allowed(w, r, func() { s.refuse(w, r, methodProblem(r.Method)) }) {
			return
		}
		q, faults := ParseQuery(r.URL.RawQuery)
		if len(faults) > 0 {
			s.refuse(w, r, parameterProblem(faults))
			return
		}
		t, err := s.count(r.Context(), q)
		if err != nil {
			s.log.LogAttrs(r.Context(), slog.LevelError, "the feed could not count", slog.String("question", q.Canonical()), slog.Any("error", err))
			w.Header().Set("Retry-After", "10")
			s.refuse(w, r, awayProblem())
			return
		}
		w.Header().Set("Link", links(q))
		if c, ok := disclosure.Coverage(t.Registered, t.Reconciled); ok {
			w.Header().Set(CoverageHeader, strconv.FormatFloat(c.Percent(), 'f', 1, 64))
		}
		rep := write(t)
		rep.Cache = "public, max-age=" + seconds(s.maxAge)
		rep.Modified = t.Flushed
		rep.Language = q.Lang
		response.Send(w, r, rep, s.now())
	})
}

// nothing answers every other address below /feed/v1/.
func (s *server) nothing(w http.ResponseWriter, r *http.Request) {
	common(w)
	if r.URL.Path == "/feed/v1/" || r.URL.Path == "/feed/v1" {
		http.Redirect(w, r, DocumentationPath, http.StatusSeeOther)
		return
	}
	s.refuse(w, r, pathProblem(r.URL.Path))
}

// common sets what every answer of the feed carries. Any page of any site may read it: it is public.
func common(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Expose-Headers", "ETag, Link, Retry-After, "+CoverageHeader)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
}
