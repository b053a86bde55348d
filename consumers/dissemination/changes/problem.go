package changes

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"retorno/consumers/dissemination/response"
)

// parameterError says in both languages what is wrong with a question.
type parameterError struct{ es, en string }

func (e *parameterError) Error() string { return e.en }

// refuse answers with a problem.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var wrong *parameterError
	if errors.As(err, &wrong) {
		response.Send(w, r, response.Problem(http.StatusBadRequest, "parameter", wrong.es, wrong.en))
		return
	}
	s.Log.LogAttrs(r.Context(), slog.LevelError, "the changes could not be read", slog.Any("error", err))
	w.Header().Set("Retry-After", "10")
	response.Send(w, r, response.ProblemAway())
}

// parameters reads a query string that may have these, each once.
func parameters(raw string, allowed ...string) (url.Values, error) {
	given, err := url.ParseQuery(raw)
	if err != nil || len(raw) > 3*maxPosition {
		return nil, &parameterError{"La consulta no se puede leer o es demasiado larga.", "The query string cannot be read, or is too long."}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(allowed, name) {
			return nil, &parameterError{fmt.Sprintf("No existe el parámetro «%s».", short(name)), fmt.Sprintf("There is no parameter %q.", short(name))}
		}
		if len(given[name]) > 1 {
			return nil, &parameterError{fmt.Sprintf("El parámetro «%s» aparece varias veces.", name), fmt.Sprintf("The parameter %q stands several times.", name)}
		}
	}
	return given, nil
}

// short cuts what a client sent to what fits a message.
func short(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}
