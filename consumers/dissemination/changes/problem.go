package changes

import (
	"fmt"
	"maps"
	"net/url"
	"slices"

	"retorno/consumers/dissemination/response"
)

// parameters reads a query string that may have these, each once.
func parameters(raw string, allowed ...string) (url.Values, error) {
	given, err := url.ParseQuery(raw)
	if err != nil || len(raw) > 3*maxPosition {
		return nil, response.Unreadable()
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(allowed, name) {
			return nil, response.Parameter.Of(fmt.Sprintf("No existe el parámetro «%s».", response.Short(name)), fmt.Sprintf("There is no parameter %q.", response.Short(name)))
		}
		if len(given[name]) > 1 {
			return nil, response.Parameter.Of(fmt.Sprintf("El parámetro «%s» aparece varias veces.", name), fmt.Sprintf("The parameter %q stands several times.", name))
		}
	}
	return given, nil
}
