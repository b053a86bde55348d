package formats

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// Patterns of the addresses, for a http.ServeMux.
const (
	PatternTables = vintages.Path + "/{period}/{number}/tables"
	PatternTable  = PatternTables + "/{table}"
)

// Config is what the handler is made of. Shelf and Files are required.
type Config struct {
	Shelf      *vintages.Shelf
	Files      http.Handler          // answers what stands beside the tables: their files
	Registerer prometheus.Registerer // where metrics go; nil: nowhere
	Log        *slog.Logger          // access log and causes of failures; nil: nowhere
}

type server struct {
	shelf *vintages.Shelf
	log   *slog.Logger
}

// New makes the handler of PatternTables and PatternTable.
func New(c Config) http.Handler {
	s := &server{shelf: c.Shelf, log: c.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	rec := response.NewRecorder(c.Registerer, c.Log)
	mux := http.NewServeMux()
	mux.Handle(PatternTables, rec.Handle(PatternTables, s.get(s.tables)))
	table := rec.Handle(PatternTable, s.get(s.table))
	mux.Handle(PatternTable, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.PathValue("table"), ".") {
			c.Files.ServeHTTP(w, r)
			return
		}
		table.ServeHTTP(w, r)
	}))
	return mux
}

// folder is where the tables of a vintage are listed.
func folder(v vintages.Vintage) string { return vintages.Address(v.Period, v.Number) + "tables" }

// address is where a table stands in a format.
func address(v vintages.Vintage, table, format, lang string) string {
	return Address(v, table, format) + "&lang=" + lang
}

// Address is where a table stands in a format, in Spanish.
func Address(v vintages.Vintage, table, format string) string {
	return folder(v) + "/" + table + "?format=" + format
}

// get answers GET and HEAD, and an error with a problem.
func (s *server) get(make func(*http.Request) (response.Representation, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !response.Readable(w, r) {
			return
		}
		rep, err := make(r)
		if errors.Is(err, vintages.ErrNotFound) {
			err = response.NotFound.Of("No existe tal edición o tabla; "+vintages.Path+" las nombra.", "There is no such vintage or table; "+vintages.Path+" names them.")
		}
		if err != nil {
			response.RefuseError(w, r, s.log, "a table could not be written", err)
			return
		}
		response.Send(w, r, rep)
	})
}

// cache lets a client keep a form for a minute: a later program may say more in it.
const cache = "public, max-age=60"

// tables answers PatternTables.
func (s *server) tables(r *http.Request) (response.Representation, error) {
	q, err := parse(r.URL.RawQuery, []string{"jsonstat"})
	if err != nil {
		return response.Representation{}, err
	}
	o, err := s.open(r)
	if err != nil {
		return response.Representation{}, err
	}
	body, err := writeCollection(o, q.lang)
	return response.Representation{Type: "application/json", Language: q.lang, Cache: cache, Modified: o.Published, Body: body}, err
}

// table answers PatternTable.
func (s *server) table(r *http.Request) (response.Representation, error) {
	q, err := parse(r.URL.RawQuery, IDs())
	if err != nil {
		return response.Representation{}, err
	}
	o, err := s.open(r)
	if err != nil {
		return response.Representation{}, err
	}
	i := slices.IndexFunc(o.Tables, func(t vintages.Table) bool { return t.ID == r.PathValue("table") })
	if i < 0 {
		return response.Representation{}, vintages.ErrNotFound
	}
	t := o.Tables[i].Table
	body, err := q.format.Write(Slice{From: o, Table: t, Lang: q.lang})
	if q.bom {
		body = append([]byte(mark), body...)
	}
	rep := response.Representation{Type: q.format.Type, Language: q.lang, Cache: cache, Modified: o.Published, Body: body, Link: links(o.Vintage, t.ID, q.lang),
		Name: fmt.Sprintf("retorno-%s-%d-%s.%s", o.Period, o.Number, t.ID, q.format.Suffix)}
	return rep, err
}

// open opens the vintage that an address names.
func (s *server) open(r *http.Request) (*vintages.Opened, error) {
	v, err := s.shelf.Named(r.Context(), r.PathValue("period"), r.PathValue("number"))
	if err != nil {
		return nil, err
	}
	return s.shelf.Open(r.Context(), v)
}

// links name the other forms of a table, and the vintage that it is of.
func links(v vintages.Vintage, table, lang string) string {
	var all []string
	for _, f := range formats {
		kind, _, _ := strings.Cut(f.Type, ";")
		all = append(all, "<"+address(v, table, f.ID, lang)+`>; rel="alternate"; type="`+kind+`"`)
	}
	return strings.Join(append(all, "<"+vintages.Address(v.Period, v.Number)+`>; rel="via"; type="application/json"`, vintages.MetadataLink(v, table)), ", ")
}

type query struct {
	format Format
	lang   string
	bom    bool
}

// values has what each parameter allows.
func values(formats []string) map[string][]string {
	return map[string][]string{"format": formats, "lang": {"es", "en"}, "bom": {"0", "1"}}
}

// parse reads a query string: right as a whole, or every wrong parameter is named. Without a format the answer is JSON, or what there is.
func parse(raw string, formats []string) (q query, err error) {
	given, err := url.ParseQuery(raw)
	if err != nil || len(raw) > 1000 {
		return q, response.Unreadable()
	}
	var es, en []string
	allowed := values(formats)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		may, known := allowed[name]
		switch {
		case !known:
			es, en = append(es, fmt.Sprintf("No existe el parámetro «%s».", response.Short(name))), append(en, fmt.Sprintf("There is no parameter %q.", response.Short(name)))
		case len(given[name]) > 1:
			es, en = append(es, fmt.Sprintf("El parámetro «%s» aparece varias veces.", name)), append(en, fmt.Sprintf("The parameter %q stands several times.", name))
		case !slices.Contains(may, given.Get(name)):
			list := strings.Join(may, ", ")
			es = append(es, fmt.Sprintf("%s no conoce el valor «%s»; se admite: %s.", name, response.Short(given.Get(name)), list))
			en = append(en, fmt.Sprintf("%s does not know the value %q; allowed: %s.", name, response.Short(given.Get(name)), list))
		}
	}
	id := given.Get("format")
	if id == "" && slices.Contains(formats, "json") {
		id = "json"
	}
	q.format, _ = Find(id)
	if q.lang, q.bom = "es", given.Get("bom") == "1"; given.Get("lang") == "en" {
		q.lang = "en"
	}
	if q.bom && !q.format.Text && len(es) == 0 {
		es, en = append(es, "Solo el CSV y el HXL llevan marca de orden de bytes."), append(en, "Only CSV and HXL have a byte order mark.")
	}
	if len(es) > 0 {
		return q, response.Parameter.Of(strings.Join(es, " "), strings.Join(en, " "))
	}
	return q, nil
}
