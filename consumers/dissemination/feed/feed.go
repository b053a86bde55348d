// Package feed gives partner agencies counts of returns as CSV and JSON over HTTP, in one stable form:
//
//	GET /feed/v1/returns.csv?period=2016-S1&by=route,exit_point
//	GET /feed/v1/returns.json?period=2016-S1&by=route,exit_point
//
// It promises that every byte and every header is a function of the published vintages, the question and the build: it reads what
// package vintages gives and nothing else, so nothing that arrives, is counted or restarts moves an answer. A question is answered by
// the newest vintage of the half-year that holds the period, or by the one that `vintage` or `asOf` name, and only where it is a table
// of that vintage or a sum of its cells; else the answer is 404, and names the nearest tables. A withheld cell has no count and the
// status Q. Rounded cells are given as they are and never added up.
//
// Rows stand in an order that depends on nothing but the codes; equal questions give equal bytes under one strong ETag; a question it does
// not understand is refused with every wrong parameter named, never answered in part. The suffix chooses the format, Accept is not
// asked; labels are in one language, chosen by the address alone, so that a stored address always means the same.
//
// It says nothing about who asked. When ClickHouse is away, slow or not set up, the answer is 503 with Retry-After, and the cause is in
// the log.
package feed

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// Paths of the two formats.
const (
	PathCSV  = "/feed/v1/returns.csv"
	PathJSON = "/feed/v1/returns.json"
)

// Config is what the feed is made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
	MaxAge     time.Duration         // how long a client may keep the answer of a vintage that it named without asking again; 0: one minute
}

// Validate says what is wrong with the configuration.
func (c Config) Validate() error {
	var all []error
	if c.Shelf == nil {
		all = append(all, errors.New("feed: Shelf is missing: give it the vintages"))
	}
	if c.MaxAge < 0 {
		all = append(all, errors.New("feed: MaxAge must not be negative"))
	}
	return errors.Join(all...)
}

type server struct {
	shelf  *vintages.Shelf
	log    *slog.Logger
	maxAge time.Duration
}

// New makes the handler for /feed/v1/. It panics on a configuration that Validate refuses.
func New(c Config) http.Handler {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	s := &server{shelf: c.Shelf, log: c.Log, maxAge: c.MaxAge}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.maxAge == 0 {
		s.maxAge = time.Minute
	}
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	mux.Handle(PathCSV, rec.Handle(PathCSV, s.table(PathCSV, writeCSV)))
	mux.Handle(PathJSON, rec.Handle(PathJSON, s.table(PathJSON, writeJSON)))
	mux.Handle("/", rec.Handle("/feed/v1/", http.HandlerFunc(s.nothing)))
	return mux
}

// CoverageHeader says the coverage of the vintage in percent, in both formats: a CSV has no other place for it. It is left out where
// the vintage does not give it.
const CoverageHeader = "Retorno-Coverage-Percent"

// table answers one format.
func (s *server) table(path string, write func(Table) response.Representation) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		t, err := s.asked(r, path)
		if err != nil {
			response.RefuseError(w, r, s.log, "the feed could not read the vintages", err)
			return
		}
		s.send(w, r, t, write(t))
	})
}

// asked is the table that a request asks for.
func (s *server) asked(r *http.Request, path string) (Table, error) {
	q, faults := ParseQuery(r.URL.RawQuery)
	if q.BOM && path != PathCSV {
		faults = append(faults, bomOfJSON())
	}
	if len(faults) > 0 {
		s.nameVintages(r, faults)
		return Table{}, parameterProblem(faults)
	}
	t, lack, err := s.answer(r.Context(), q)
	if err == nil && t.From == nil {
		err = notPublished(path, q, lack)
	}
	return t, err
}

// send sends a table in one format.
func (s *server) send(w http.ResponseWriter, r *http.Request, t Table, rep response.Representation) {
	w.Header().Set("Link", links(t))
	if c := t.From.Manifest.Coverage; c != nil {
		w.Header().Set(CoverageHeader, strconv.FormatFloat(*c, 'f', 1, 64))
	}
	rep.Cache = "public, no-cache" // another vintage may be the newest at any moment: a cache asks each time, and gets 304
	if t.Query.Vintage > 0 {
		rep.Cache = "public, max-age=" + seconds(s.maxAge)
	}
	rep.Modified = t.From.Published
	rep.Language = t.Query.Lang
	response.Send(w, r, rep)
}

// nothing answers every other address below /feed/v1/.
func (s *server) nothing(w http.ResponseWriter, r *http.Request) {
	if !response.Readable(w, r) {
		return
	}
	if r.URL.Path == "/feed/v1/" || r.URL.Path == "/feed/v1" {
		http.Redirect(w, r, DocumentationPath, http.StatusSeeOther)
		return
	}
	response.RefuseError(w, r, s.log, "", pathProblem(r.URL.Path))
}
