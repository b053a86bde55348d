// Package ops gives every process of retorno the same frame: parts that start in order and stop in reverse,
// and a small HTTP server on which an operator sees whether the process lives, is ready, and what it counts.
//
// It promises that a part is stopped only after every part started later has ended, that the end of any part
// ends the process with that part's error, and that readiness always comes with its reasons.
// It never decides by itself that a process is unhealthy: each part says so for itself.
// When a part does not stop within its grace period, Run says which and gives up waiting for it.
package ops

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// checkTimeout bounds one readiness check, so that a probe is answered even while something hangs.
const checkTimeout = 2 * time.Second

// Check answers whether one thing is as it must be: nil, or the reason why not in words an operator can act on.
type Check func(ctx context.Context) error

// Server answers /metrics, /healthz and /readyz. The zero value is not usable; see New.
type Server struct {
	registry *prometheus.Registry

	mu     sync.Mutex
	health []namedCheck
	ready  []namedCheck
}

type namedCheck struct {
	name  string
	check Check
}

// Verdict is the answer to one check, in the JSON form of /healthz and /readyz.
type Verdict struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // why not; empty when OK
}

// Report is the JSON form of /healthz and /readyz.
type Report struct {
	OK     bool      `json:"ok"`
	Checks []Verdict `json:"checks"`
}

// New makes a server over the process's metrics. It listens to nothing until Handler is served or Part is run.
func New(registry *prometheus.Registry) *Server {
	s := &Server{registry: registry}
	registry.MustRegister(s.Verdicts())
	return s
}

// Ready adds a condition of readiness: /readyz answers 503 with its reason while check fails. Safe at any time.
func (s *Server) Ready(name string, check Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(s.ready, namedCheck{name, check})
}

// Healthy adds a condition of life: /healthz answers 503 while check fails, and the supervisor should restart.
func (s *Server) Healthy(name string, check Check) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.health = append(s.health, namedCheck{name, check})
}

// Register puts the three paths on another server's mux, for a process that shows pages as well.
func (s *Server) Register(mux *http.ServeMux) {
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { answer(w, r, s.checks(&s.health)) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, r, s.checks(&s.ready)) })
}

// RegisterPublic puts /readyz on the mux of a server that faces strangers: it answers whether this process is ready and
// nothing else, no reason, no name of an inner part, and asks the checks at most once a second.
func (s *Server) RegisterPublic(mux *http.ServeMux) {
	var mu sync.Mutex
	var asked time.Time
	var ready bool
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(asked) >= time.Second {
			ready = judge(context.WithoutCancel(r.Context()), s.checks(&s.ready)).OK // for others, too, who wait
			asked = time.Now()
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintln(w, "not ready")
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	})
}

// Handler serves the three paths, and a list of them at the root.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Register(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = fmt.Fprint(w, "/metrics\n/healthz\n/readyz\n")
	})
	return mux
}

// Part serves Handler on a listener as a part of a process.
func (s *Server) Part(listener net.Listener) Part {
	return HTTPPart("ops server", listener, s.Handler())
}

// Report runs every readiness check now.
func (s *Server) Report(ctx context.Context) Report {
	return judge(ctx, s.checks(&s.ready))
}

func (s *Server) checks(list *[]namedCheck) []namedCheck {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]namedCheck(nil), *list...)
}

// judge runs the checks side by side, so that one that hangs costs its own timeout only.
func judge(ctx context.Context, checks []namedCheck) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	report := Report{OK: true, Checks: make([]Verdict, len(checks))}
	answers := make([]chan error, len(checks))
	for i, c := range checks {
		answers[i] = make(chan error, 1)
		go func() { answers[i] <- protect(c.name, func() error { return c.check(ctx) }) }()
	}
	for i, c := range checks {
		err := fmt.Errorf("no answer within %s", checkTimeout)
		select {
		case err = <-answers[i]:
		case <-ctx.Done():
			// Time was used up by another check perhaps: an answer that is there counts.
			select {
			case err = <-answers[i]:
			default:
			}
		}
		report.Checks[i] = Verdict{Name: c.name, OK: err == nil}
		if err != nil {
			report.OK = false
			report.Checks[i].Reason = err.Error()
		}
	}
	return report
}

// answer writes a report: JSON for who asks for it (Accept or ?format=json), else one line a check.
func answer(w http.ResponseWriter, r *http.Request, checks []namedCheck) {
	report := judge(r.Context(), checks)
	status := http.StatusOK
	if !report.OK {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Query().Get("format") == "json" || strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(report)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if report.OK {
		_, _ = fmt.Fprintln(w, "ok")
	}
	for _, v := range report.Checks {
		if v.OK {
			_, _ = fmt.Fprintf(w, "ok   %s\n", v.Name)
		} else {
			_, _ = fmt.Fprintf(w, "not  %s: %s\n", v.Name, v.Reason)
		}
	}
}
