package portal

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"retorno/consumers/dissemination/vintages"
)

// explorePath is where the published tables are listed; each stands below it.
const explorePath = "/explore"

// refusal is a question that is not answered, with its reason.
type refusal struct {
	status int
	message
}

func (e *refusal) Error() string { return e.title.en + " " + e.detail.en }

// refused makes a refusal of faults.
func refused(faults []both) error {
	var es, en []string
	for _, f := range faults {
		es, en = append(es, f.es), append(en, f.en)
	}
	return &refusal{http.StatusBadRequest, message{both{"La pregunta no se entiende", "The question is not understood"}, both{strings.Join(es, " "), strings.Join(en, " ")}}}
}

// explore is the page of one table.
func (s *server) explore(w http.ResponseWriter, r *http.Request) {
	v, err := s.explored(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "explore", v)
}

// failed says why a page cannot be shown.
func (s *server) failed(w http.ResponseWriter, r *http.Request, err error) {
	var no *refusal
	switch {
	case errors.As(err, &no):
		s.fail(w, r, no.status, no.message)
	case errors.Is(err, vintages.ErrNotFound):
		s.fail(w, r, http.StatusNotFound, noSuchPeriod)
	default:
		s.log.LogAttrs(r.Context(), slog.LevelError, "a page could not be made", slog.Any("error", err))
		w.Header().Set("Retry-After", "10")
		s.fail(w, r, http.StatusServiceUnavailable, away)
	}
}

// explored understands the address, and takes what it asks from the vintages.
func (s *server) explored(r *http.Request) (exploreView, error) {
	q, faults := parseQuestion(r.PathValue("table"), r.URL.RawQuery)
	if len(faults) > 0 {
		return exploreView{}, refused(faults)
	}
	all, err := s.shelf.List(r.Context())
	if err != nil {
		return exploreView{}, err
	}
	having := slices.DeleteFunc(newest(all), func(v vintages.Vintage) bool { return !slices.Contains(v.Tables(), q.table) })
	if q.period == "" && len(having) > 0 {
		q.period = having[0].Period
	}
	parts, err := s.parts(r.Context(), q, all, having)
	if err != nil {
		return exploreView{}, err
	}
	if faults := check(parts, q.codes); len(faults) > 0 {
		return exploreView{}, refused(faults)
	}
	for _, p := range parts {
		p.choose(q.codes)
	}
	state, err := s.store.State(r.Context())
	if err != nil {
		return exploreView{}, err
	}
	v := explorer{q: q, lang: language(r), all: all, having: having, parts: parts, structures: state.Structures}
	return v.view(func(o *vintages.Opened, path string) ([]byte, error) {
		return s.shelf.File(r.Context(), o.Period, o.Number, path)
	})
}

// parts opens the vintages that a question is about.
func (s *server) parts(ctx context.Context, q question, all, having []vintages.Vintage) (parts []*part, err error) {
	var from []vintages.Vintage
	for _, v := range having {
		if q.number == 0 && (q.period == v.Period || q.period == allPeriods) {
			from = append(from, v)
		}
	}
	for _, v := range all {
		if q.number > 0 && v.Period == q.period && v.Number == q.number {
			from = append(from, v)
		}
	}
	for _, v := range from {
		o, err := s.shelf.Open(ctx, v)
		if err != nil {
			return nil, err
		}
		if p := newPart(o, q.table); p != nil {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return nil, &refusal{http.StatusNotFound, notThere(q, having)}
	}
	return parts, nil
}

// notThere says why there is no such table.
func notThere(q question, having []vintages.Vintage) message {
	if len(having) == 0 {
		return message{both{"No hay tal tabla", "There is no such table"},
			both{"Ninguna edición vigente tiene la tabla «" + short(q.table) + "». La lista de tablas está en " + explorePath + ".",
				"No current vintage has a table " + short(q.table) + ". The list of tables is at " + explorePath + "."}}
	}
	var periods []string
	for _, v := range having {
		periods = append(periods, v.Period)
	}
	list := strings.Join(periods, ", ")
	return message{both{"Esa edición no tiene la tabla " + q.table, "That vintage does not have table " + q.table},
		both{"Una edición provisional publica menos tablas que una definitiva. La tabla está en: " + list + ".",
			"A provisional vintage publishes fewer tables than a final one. The table is in: " + list + "."}}
}

// newest are the newest vintages of each half-year, the latest half-year first.
func newest(all []vintages.Vintage) (first []vintages.Vintage) {
	for _, v := range all { // of each half-year the newest stands first
		if !slices.ContainsFunc(first, func(o vintages.Vintage) bool { return o.Period == v.Period }) {
			first = append(first, v)
		}
	}
	slices.SortFunc(first, func(a, b vintages.Vintage) int { return strings.Compare(b.Period, a.Period) })
	return first
}

// tables is the list of the published tables.
func (s *server) tables(w http.ResponseWriter, r *http.Request) {
	all, ok := s.published(w, r)
	if !ok {
		return
	}
	var opened []*vintages.Opened
	for _, v := range newest(all) {
		o, err := s.shelf.Open(r.Context(), v)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		opened = append(opened, o)
	}
	state, err := s.store.State(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "tables", viewTables(opened, state.Structures.Flows, language(r)))
}
