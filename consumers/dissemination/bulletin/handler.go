package bulletin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
	"retorno/consumers/dissemination/wording"
)

// Path is below where bulletins stand: /bulletin/2016-S1, with ?lang=es or en, ?format=html or xlsx, ?vintage=1.
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

//go:embed templates/bulletin.html
var templateFiles embed.FS

//go:embed templates/bulletin.css
var style string

// pages are the template in each language.
var pages = map[string]*template.Template{"es": parse("es"), "en": parse("en")}

func parse(lang string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"t":     func(es, en string) string { return wording.In(lang, es, en) },
		"style": func() template.CSS { return template.CSS(style) }, //nolint:gosec // the program's own file
		"rest":  func(width float64) float64 { return 100 - width },
	}).ParseFS(templateFiles, "templates/bulletin.html"))
}

// policy lets the page's own style in, and nothing else: a page that was saved is whole.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// errNone says that there is no such bulletin.
var errNone = response.NotPublished.Of("De ese semestre no hay tal edición publicada; "+vintages.Path+" las nombra.", "No such vintage of that half-year is published; "+vintages.Path+" names them.")

// question is what is asked for.
type question struct {
	period, lang, format string
	number               uint64 // of the vintage; 0: the newest
}

// parseQuestion reads the address, or names a parameter that cannot be.
func parseQuestion(r *http.Request) (q question, err error) {
	asked := r.URL.Query()
	for name, values := range asked {
		if values[0] == "" && slices.Contains([]string{"lang", "format", "vintage"}, name) {
			return q, wrong(name)
		}
	}
	q = question{period: r.PathValue("period"), lang: asked.Get("lang"), format: asked.Get("format")}
	switch q.lang {
	case "":
		q.lang = response.Language(r)
	case "es", "en":
	default:
		return q, wrong("lang")
	}
	switch q.format {
	case "":
		q.format = "html"
	case "html", "xlsx":
	default:
		return q, wrong("format")
	}
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
	return response.Parameter.Of("El parámetro "+parameter+" no es válido: lang es es o en, format es html o xlsx, vintage es un número desde 1.",
		"The parameter "+parameter+" is not valid: lang is es or en, format is html or xlsx, vintage is a number from 1 on.")
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if !response.Readable(w, r) {
		return
	}
	q, err := parseQuestion(r)
	var rep response.Representation
	if err == nil {
		rep, err = s.make(r.Context(), q)
	}
	if err != nil {
		response.RefuseError(w, r, s.log, "the bulletin could not be made", err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if q.format == "xlsx" {
		h.Set("Content-Disposition", `attachment; filename="boletin-`+q.period+"-"+q.lang+`.xlsx"`)
	}
	response.Send(w, r, rep)
}

// make opens the vintage, and that of the year before, and writes the bulletin.
func (s *server) make(ctx context.Context, q question) (response.Representation, error) {
	all, err := s.shelf.List(ctx)
	if err != nil {
		return response.Representation{}, err
	}
	open := func(period string, number uint64) (*vintages.Opened, error) {
		i := slices.IndexFunc(all, func(v vintages.Vintage) bool { return v.Period == period && (number == 0 || v.Number == number) })
		if i < 0 {
			return nil, errNone
		}
		return s.shelf.Open(ctx, all[i])
	}
	o, err := open(q.period, q.number)
	if err != nil {
		return response.Representation{}, err
	}
	before, err := open(YearBefore(q.period), 0)
	if err != nil && !errors.Is(err, errNone) {
		return response.Representation{}, err
	}
	b := Make(o, before, q.lang)
	rep := response.Representation{Language: q.lang, Cache: "public, no-cache", Vary: []string{"Accept-Language"}}
	if q.format == "xlsx" {
		rep.Type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
		rep.Body, err = b.Workbook()
	} else {
		rep.Type = "text/html; charset=utf-8"
		rep.Body, err = b.HTML()
	}
	return rep, err
}

// HTML is the bulletin as a page that stands alone.
func (b *Bulletin) HTML() ([]byte, error) {
	var out bytes.Buffer
	err := pages[b.Lang].ExecuteTemplate(&out, "bulletin.html", b)
	return out.Bytes(), err
}
