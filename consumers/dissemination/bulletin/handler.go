package bulletin

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// Path is below where bulletins stand: /bulletin/2016-S1, with ?lang=es or en, ?format=html, xlsx, ods or pdf, ?vintage=1.
const Path = "/bulletin/"

// Config is what the handler is made of. Shelf is required.
type Config struct {
	Shelf      *vintages.Shelf
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

type server struct {
	shelf *vintages.Shelf
	log   *slog.Logger
}

// New makes the handler of what stands below Path.
func New(c Config) http.Handler {
	s := &server{shelf: c.Shelf, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	handler := response.NewRecorder(c.Registerer, c.Log).Handle(Path, http.HandlerFunc(s.serve))
	mux.Handle(Path+"{period}", handler)
	mux.Handle(Path, handler) // no period: there is no such bulletin
	return mux
}

// policy lets in the page's own style and nothing else: a page that was saved is whole. Each kept page has the style of its build.
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// errNone says that there is no such bulletin.
var errNone = response.NotPublished.Of("De ese semestre no hay tal edición publicada; "+vintages.Path+" las nombra.", "No such vintage of that half-year is published; "+vintages.Path+" names them.")

// errUnprinted says that a vintage has no PDF: publish makes it, where there is Typst, and never this server.
var errUnprinted = response.NotPublished.Of("El boletín de esa edición se publicó sin PDF; tiene html, xlsx y ods.", "The bulletin of that vintage was published without a PDF; it has html, xlsx and ods.")

// question is what is asked for.
type question struct {
	period, lang string
	form         form
	number       uint64 // of the vintage; 0: the newest
}

// parseQuestion reads the address, or names a parameter that cannot be.
func parseQuestion(r *http.Request) (q question, err error) {
	asked := r.URL.Query()
	for name, values := range asked {
		if values[0] == "" && slices.Contains([]string{"lang", "format", "vintage"}, name) {
			return q, wrong(name)
		}
	}
	q = question{period: r.PathValue("period"), lang: asked.Get("lang")}
	switch q.lang {
	case "":
		q.lang = response.Language(r)
	case "es", "en":
	default:
		return q, wrong("lang")
	}
	i := slices.IndexFunc(forms, func(f form) bool { return f.id == cmp.Or(asked.Get("format"), "html") })
	if i < 0 {
		return q, wrong("format")
	}
	q.form = forms[i]
	if text := asked.Get("vintage"); text != "" {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil || n == 0 {
			return q, wrong("vintage")
		}
		q.number = n
	}
	return q, nil
}

func wrong(parameter string) error {
	return response.Parameter.Of("El parámetro "+parameter+" no es válido: lang es es o en, format es html, xlsx, ods o pdf, vintage es un número desde 1.",
		"The parameter "+parameter+" is not valid: lang is es or en, format is html, xlsx, ods or pdf, vintage is a number from 1 on.")
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if !response.Readable(w, r) {
		return
	}
	q, err := parseQuestion(r)
	var rep response.Representation
	if err == nil {
		rep, err = s.answer(r.Context(), q)
	}
	if err != nil {
		response.RefuseError(w, r, s.log, "the bulletin could not be made", err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if q.form.id != "html" {
		h.Set("Content-Disposition", `attachment; filename="boletin-`+q.period+"-"+q.lang+"."+q.form.id+`"`)
	}
	response.Send(w, r, rep)
}

// answer is what the vintage keeps; of one that was published before bulletins were kept, the bulletin is made.
func (s *server) answer(ctx context.Context, q question) (response.Representation, error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return response.Representation{}, err
	}
	i := slices.IndexFunc(all, func(v vintages.Vintage) bool { return v.Period == q.period && (q.number == 0 || v.Number == q.number) })
	if i < 0 {
		return response.Representation{}, errNone
	}
	v := all[i]
	rep := response.Representation{Type: q.form.media, Language: q.lang, Cache: "public, no-cache", Vary: []string{"Accept-Language"}}
	if path := q.form.path(q.lang); slices.Contains(v.Paths, path) {
		rep.Body, err = s.shelf.File(ctx, v.Period, v.Number, path)
		return rep, err
	}
	if q.form.write == nil {
		return rep, errUnprinted
	}
	o, err := s.shelf.Open(ctx, v)
	if err != nil {
		return rep, err
	}
	b, err := of(ctx, s.shelf, o, q.lang)
	if err == nil {
		rep.Body, err = q.form.write(&b)
	}
	return rep, err
}
