package response

import (
	"encoding/json"
	"net/http"
)

// Problem is an error (RFC 9457) in both languages. Its type is /problems/ with the kind.
func Problem(status int, kind, es, en string) Representation {
	body, _ := json.Marshal(map[string]any{"type": "/problems/" + kind, "status": status, "title": http.StatusText(status), "detail_es": es, "detail_en": en}) // strings and a number
	return Representation{Status: status, Type: "application/problem+json", Cache: "no-store", Body: body}
}

// ProblemOfMethod is that of a request which wants to do something else than read.
func ProblemOfMethod() Representation {
	return Problem(http.StatusMethodNotAllowed, "method", "Solo se lee: GET o HEAD.", "It is only read: GET or HEAD.")
}

// ProblemAway is that of a database which cannot be read just now. Send it with Retry-After.
func ProblemAway() Representation {
	return Problem(http.StatusServiceUnavailable, "away", "La base de datos no responde; inténtelo de nuevo en unos segundos.", "The database does not answer; try again in a few seconds.")
}
