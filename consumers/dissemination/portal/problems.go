package portal

import (
	"net/http"
	"net/url"
	"slices"

	"retorno/consumers/dissemination/response"
)

// problemsView explains every kind of problem, from the same list that the answers are made of.
type problemsView struct {
	Frame
	Kinds []problemTerm
}

type problemTerm struct {
	ID, Address, Title, What string
	Status                   int
}

func explanations(lang string) problemsView {
	v := problemsView{Frame: frame(lang, response.ProblemsPath, "")}
	v.Title = both{"Qué dice un error", "What an error says"}.in(lang)
	for _, k := range response.Kinds() {
		v.Kinds = append(v.Kinds, problemTerm{k.ID, response.ProblemsPath + k.ID, both{k.ES, k.EN}.in(lang), both{k.WhatES, k.WhatEN}.in(lang), k.Status})
	}
	return v
}

// problems is the page that explains problems.
func (s *server) problems(w http.ResponseWriter, r *http.Request) {
	if m, ok := understood(r.URL.Query()); !ok {
		s.fail(w, r, http.StatusBadRequest, m)
		return
	}
	s.show(w, r, http.StatusOK, "problems", explanations(language(r)))
}

// problem leads from the type of a problem to where it is explained.
func (s *server) problem(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("kind")
	if !slices.ContainsFunc(response.Kinds(), func(k response.Kind) bool { return k.ID == id }) {
		s.nothing(w, r)
		return
	}
	http.Redirect(w, r, response.ProblemsPath+"#"+url.PathEscape(id), http.StatusSeeOther)
}
