package response

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Recorder counts, times and logs answers by route template. It never sees who asked, nor what stands in the address:
// the template is given by the code.
type Recorder struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	log      *slog.Logger
}

// NewRecorder registers the metrics, or joins those that the same registerer already has. A nil registerer counts
// for no registry, a nil logger logs nothing. It panics when the names are taken by something else, as a programmer's error.
func NewRecorder(registerer prometheus.Registerer, log *slog.Logger) *Recorder {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if registerer == nil {
		registerer = prometheus.NewRegistry()
	}
	return &Recorder{
		requests: join(registerer, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "retorno_http_requests_total",
			Help: "Answers given to partner agencies and the public, by route template and class of status (2xx, 3xx, 4xx, 5xx).",
		}, []string{"route", "code"})),
		seconds: join(registerer, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "retorno_http_request_duration_seconds",
			Help:    "Time from the request's headers to the end of the answer, by route template.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"})),
		log: log,
	}
}

func join[C prometheus.Collector](registerer prometheus.Registerer, c C) C {
	err := registerer.Register(c)
	var taken prometheus.AlreadyRegisteredError
	if errors.As(err, &taken) {
		if there, ok := taken.ExistingCollector.(C); ok {
			return there
		}
	}
	if err != nil {
		panic("metrics of the web: " + err.Error())
	}
	return c
}

// measure registers what tells how well the cache does.
func (c *Cache) measure(registerer prometheus.Registerer) {
	counter := func(name, help string, labels prometheus.Labels, value func() uint64) {
		registerer.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(value()) }))
	}
	const asked = "Answers of the web that were looked for among those that are kept, by result: hit, given again; miss, made."
	counter("retorno_http_cache_answers_total", asked, prometheus.Labels{"result": "hit"}, func() uint64 { return c.answers.Stats().Hits })
	counter("retorno_http_cache_answers_total", asked, prometheus.Labels{"result": "miss"}, func() uint64 { return c.answers.Stats().Misses })
	counter("retorno_http_cache_evictions_total", "Answers of the web that were given up to keep others.", nil, func() uint64 { return c.answers.Stats().Evictions })
	registerer.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "retorno_http_cache_bytes", Help: "Bytes of the answers of the web that are kept, with their headers and places."},
		func() float64 { return float64(c.answers.WeightedSize()) }))
}

// Handle wraps a handler so that its answers are recorded under that route template, such as "/feed/v1/returns.csv".
func (rec *Recorder) Handle(route string, next http.Handler) http.Handler {
	rec.seconds.WithLabelValues(route)
	// All classes exist from the start, so that a first error is an increase and not a new series.
	for class := 2; class <= 5; class++ {
		rec.requests.WithLabelValues(route, strconv.Itoa(class)+"xx")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rec.record(route, w, r, next) })
}

// record answers a request and records it.
func (rec *Recorder) record(route string, w http.ResponseWriter, r *http.Request, next http.Handler) {
	begin := time.Now()
	seen := &seenWriter{ResponseWriter: w, route: route, status: http.StatusOK}
	next.ServeHTTP(seen, r)
	took := time.Since(begin)
	rec.seconds.WithLabelValues(route).Observe(took.Seconds())
	rec.requests.WithLabelValues(route, strconv.Itoa(seen.status/100)+"xx").Inc()
	rec.log.LogAttrs(r.Context(), slog.LevelInfo, "answered", slog.String("route", route), slog.String("method", method(r)),
		slog.Int("status", seen.status), slog.Int("bytes", seen.bytes), slog.Duration("took", took))
}

// method keeps made-up methods out of the log.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return r.Method
	}
	return "other"
}

type seenWriter struct {
	http.ResponseWriter
	route         string
	status, bytes int
}

func (w *seenWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *seenWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
