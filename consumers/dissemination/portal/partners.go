package portal

import (
	"net/http"
	"slices"

	"retorno/consumers/dissemination/vintages"
)

// partnersPath is where partner agencies read how to pull.
const partnersPath = "/partners"

// partnersView is what the template of the page for partners is given.
type partnersView struct {
	Frame
	Base   string // the site's address in the examples
	Period string // the half-year of the examples
}

// partners is the page for partner agencies. A test runs each of its examples.
func (s *server) partners(w http.ResponseWriter, r *http.Request) {
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	lang := language(r)
	v := partnersView{Frame: frame(lang, partnersPath, ""), Base: "http://127.0.0.1:8080", Period: "2016-S1"}
	v.Title = both{"Para instituciones socias", "For partner agencies"}.in(lang)
	all, err := s.shelf.List(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	// The latest half-year that has the table by exit point; without one, the examples stay what they would be.
	if i := slices.IndexFunc(newest(all), func(v vintages.Vintage) bool { return slices.Contains(v.Tables(), "T2") }); i >= 0 {
		v.Period = newest(all)[i].Period
	}
	s.show(w, r, http.StatusOK, "partners", v)
}
