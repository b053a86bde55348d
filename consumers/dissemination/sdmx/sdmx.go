// Package sdmx answers partner agencies in SDMX, the standard of official statistics for data and their descriptions, in both versions
// of its interface that are in use:
//
//	GET /sdmx/2.1/data/T1/S..registered.MX?startPeriod=2016         SDMX 2.1: REST 1.5; XML and CSV 1.0
//	GET /sdmx/3.0/data/dataflow/CENISS/T1/1.0.0?c[ROUTE]=MX         SDMX 3.0: REST 2.2; JSON 2.0, CSV 2.0 and 2.1, XML 3.0
//
// A dataflow is a table of the lattice. It promises that every observation is a cell of a published vintage, that a cell that is withheld
// says so and has no value, in every format, and that every byte and every header follows from the published vintages, the question and
// the build. A question is understood whole, or refused with every wrong parameter named. Equal questions give equal bytes under one
// strong ETag. What the standard has and this service does not keep is answered with 501, never as if it were empty.
//
// It says nothing about who asked. When ClickHouse is away, slow or not set up, or a vintage is not what was published, the answer is 503
// with Retry-After, and the cause is in the log.
package sdmx

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/cells"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/vintages"
)

// Where the two versions are.
const (
	Path   = "/sdmx/"
	Root21 = Path + "2.1/"
	Root30 = Path + "3.0/"
)

// Config is what the service is made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Store      *cells.Store          // the observations of the shelf, where others use them too; nil: a store of its own
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
	Most       int                   // observations that one answer has at most; 0: 250,000
}

type server struct {
	store *cells.Store
	log   *slog.Logger
	most  int
}

// New makes the handler for Path. It panics without a shelf.
func New(c Config) http.Handler {
	if c.Shelf == nil {
		panic("sdmx: Shelf is missing: give it the vintages")
	}
	s := &server{store: c.Store, log: c.Log, most: c.Most}
	if s.store == nil {
		s.store = cells.NewStore(c.Shelf)
	}
	if s.most == 0 {
		s.most = 250_000
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	mux.Handle(Root21, rec.Handle(Root21, s.root(Root21, s.answer21)))
	mux.Handle(Root30, rec.Handle(Root30, s.root(Root30, s.answer30)))
	mux.Handle(Path, rec.Handle(Path, s.root(Path, func(*request) (response.Representation, error) { return response.Representation{}, noSuchAddress() })))
	return mux
}

// maxAddress is the longest address that is looked at, in bytes.
const maxAddress = 8000

// request is a question on its way.
type request struct {
	*http.Request
	server *server
	parts  []string // of the path below the root, unescaped
	values url.Values
	lang   string
	state  *cells.State
	pinned bool // the question names a time after which something was published
}

// part is a part of the path; "" where it is left out.
func (r *request) part(i int) string {
	if i < len(r.parts) {
		return r.parts[i]
	}
	return ""
}

// root answers what stands below a root.
func (s *server) root(root string, answer func(*request) (response.Representation, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		q, err := s.understand(r, root)
		var rep response.Representation
		if err == nil {
			rep, err = answer(q)
		}
		if errors.Is(err, query.ErrTooLarge) {
			err = tooLarge(s.most)
		}
		switch {
		case err != nil:
			w.Header().Set("Vary", "Accept")
			response.RefuseError(w, r, s.log, "the vintages could not be read for SDMX", err)
		case rep.Status == http.StatusNoContent:
			w.Header().Set("Cache-Control", "public, no-cache")
			w.WriteHeader(http.StatusNoContent)
		default:
			q.send(w, rep)
		}
	})
}

// understand reads path and parameters, and what is published.
func (s *server) understand(r *http.Request, root string) (*request, error) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), root)
	if len(path)+len(r.URL.RawQuery) > maxAddress {
		return nil, addressTooLong()
	}
	q := &request{Request: r, server: s, lang: response.Language(r)}
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return nil, noSuchAddress()
		}
		q.parts = append(q.parts, strings.ToValidUTF8(text, "�"))
	}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, response.Unreadable()
	}
	q.state, err = s.store.State(r.Context())
	return q, err
}

// send sends what was made, with the headers that all answers share.
func (r *request) send(w http.ResponseWriter, rep response.Representation) {
	rep.Cache = "public, no-cache" // another vintage may come at any moment: a cache asks each time, and gets 304
	if r.pinned {
		rep.Cache = "public, max-age=60"
	}
	rep.Vary = []string{"Accept", "Accept-Language"}
	rep.Modified = r.state.Published
	response.Send(w, r.Request, rep)
}

// allowOnly names parameters that there are not.
func (r *request) allowOnly(names ...string) (faults []query.Fault) {
	for name := range r.values {
		if !slices.Contains(names, name) && !(slices.Contains(names, "c") && strings.HasPrefix(name, "c[")) {
			faults = append(faults, query.Fault{Status: http.StatusBadRequest, Parameter: response.Short(name), Found: response.Short(r.values.Get(name)),
				ES: "No existe el parámetro «" + response.Short(name) + "». Los que hay: " + strings.Join(names, ", ") + ".",
				EN: "There is no parameter \"" + response.Short(name) + "\". There are: " + strings.Join(names, ", ") + "."})
		}
	}
	slices.SortFunc(faults, func(a, b query.Fault) int { return strings.Compare(a.Parameter, b.Parameter) })
	return faults
}

// pin takes the question to the time that it names.
func (r *request) pin(q *query.Data) error {
	now := r.state
	state, err := q.State(now)
	if err != nil {
		return err
	}
	r.state, r.pinned = state, !q.AsOf.IsZero() && !q.AsOf.After(now.Published)
	return nil
}
