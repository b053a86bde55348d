// Package changes tells programs what was published since they last looked:
//
//	GET /changes?since=2016-S1/1    JSON, oldest first; next is the position to ask from the next time
//	GET /changes.atom               all of them as an Atom feed, newest first
//	GET /changes/stream             server-sent events, as they come; Last-Event-ID resumes
//
// It promises that a client which goes on from the last position that it was given gets every vintage exactly once, however long
// it was away, over restarts, and from whichever server. For this a position is the set of vintages that were given, not a place in an
// order: no clock and no order decides what is left. A vintage that becomes visible late is given late, and never skipped. Positions
// are kept by clients alone.
//
// A vintage that cannot be read stops an answer before it, and is tried again: none is left out. A client that reads too slowly
// loses its stream and resumes. Streams are bounded in number, and end when the server ends.
package changes

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// Addresses.
const (
	Path       = "/changes"
	PathAtom   = "/changes.atom"
	PathStream = "/changes/stream"
)

// page is how many changes one answer has at most.
const page = 100

// Config is what the handlers are made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Done       <-chan struct{}       // closed: streams end
	Streams    int                   // at once; others get 503; 0: 64
	Every      time.Duration         // how often a stream looks for another vintage; 0: a second
	Patience   time.Duration         // how long a stream waits for a reader; 0: ten seconds
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

// Server answers all three addresses.
type Server struct {
	Config
	slots   chan struct{}
	metrics metrics

	mu   sync.Mutex
	made map[uuid.UUID]*change // of every vintage that was told; they do not change
}

// New makes a server.
func New(c Config) *Server {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Streams == 0 {
		c.Streams = 64
	}
	if c.Every == 0 {
		c.Every = time.Second
	}
	if c.Patience == 0 {
		c.Patience = 10 * time.Second
	}
	return &Server{Config: c, slots: make(chan struct{}, c.Streams), metrics: newMetrics(c.Registerer), made: map[uuid.UUID]*change{}}
}

// Answers is the handler of Path and PathAtom.
func (s *Server) Answers() http.Handler {
	rec := response.NewRecorder(s.Registerer, s.Log)
	mux := http.NewServeMux()
	mux.Handle(Path, rec.Handle(Path, s.get(s.list)))
	mux.Handle(PathAtom, rec.Handle(PathAtom, s.get(s.atom)))
	return mux
}

// get answers GET and HEAD, and turns an error into a problem.
func (s *Server) get(make func(*http.Request) (response.Representation, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		rep, err := make(r)
		if err != nil {
			response.RefuseError(w, r, s.Log, unread, err)
			return
		}
		response.Send(w, r, rep)
	})
}

// unread is what the log has when an answer could not be made.
const unread = "the changes could not be read"

// list answers Path.
func (s *Server) list(r *http.Request) (response.Representation, error) {
	given, err := parameters(r.URL.RawQuery, "since")
	if err != nil {
		return response.Representation{}, err
	}
	all, err := s.visible(r.Context())
	if err != nil {
		return response.Representation{}, err
	}
	seen, err := since(given.Get("since"), all)
	if err != nil {
		return response.Representation{}, err
	}
	out := document{Changes: []told{}}
	for _, v := range all {
		if seen.has(v) {
			continue
		}
		if out.More = len(out.Changes) == page; out.More {
			break
		}
		c, err := s.change(r.Context(), v)
		if err != nil && len(out.Changes) == 0 {
			return response.Representation{}, err
		}
		if out.More = err != nil; out.More {
			break
		}
		seen = seen.with(v)
		out.Changes = append(out.Changes, told{seen.String(), c})
	}
	out.Next = seen.String()
	next := Path + "?" + url.Values{"since": {out.Next}}.Encode()
	out.Links = map[string]string{"next": next, "stream": PathStream, "atom": PathAtom}
	body, err := indented(out)
	return response.Representation{Type: "application/json", Cache: "public, no-cache", Link: "<" + next + `>; rel="next"; type="application/json"`, Body: body}, err
}

// visible are all vintages, oldest first: of a period, the provisional ones first, and then by their numbers.
func (s *Server) visible(ctx context.Context) ([]vintages.Vintage, error) {
	all, err := s.Shelf.List(ctx)
	all = slices.Clone(all)
	slices.Reverse(all)
	return all, err
}

// change is what is told of a vintage.
func (s *Server) change(ctx context.Context, v vintages.Vintage) (*change, error) {
	s.mu.Lock()
	c := s.made[v.ID]
	s.mu.Unlock()
	if c != nil {
		return c, nil
	}
	o, err := s.Shelf.Open(ctx, v)
	if err != nil {
		return nil, err
	}
	c = changeOf(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[v.ID] = c
	return c, nil
}
