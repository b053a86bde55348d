package response

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
)

// ProblemsPath is where problems are explained; the type of a problem is an address below it.
const ProblemsPath = "/problems/"

// Kind is what a problem is one of. The variables of this file are all that there are.
type Kind struct {
	ID      string // what stands after ProblemsPath
	Status  int    // HTTP status, unless a problem has another
	ES, EN  string // its title
	WhatES  string // what it means and what to do, in Spanish
	WhatEN  string // the same in English
	seconds int    // after which it is worth asking again; 0: the question must be another one
}

// Kinds of problems.
var (
	Parameter = kind(Kind{"parameter", http.StatusBadRequest, "Consulta equivocada", "Wrong question",
		"Un parámetro no existe, aparece dos veces o tiene un valor que no se admite. El detalle nombra cada error y lo que se admite. En SDMX, 422 dice que la consulta se lee pero nombra algo que las tablas no tienen.",
		"A parameter does not exist, stands twice, or has a value that is not allowed. The detail names each fault and what is allowed. In SDMX, 422 is of a question that can be read but names what the tables do not have.", 0})
	Address = kind(Kind{"address", http.StatusRequestURITooLong, "Dirección demasiado larga", "Address too long",
		"La dirección es más larga que cualquiera que tenga sentido aquí. Divida la consulta en varias.", "The address is longer than any that makes sense here. Divide the question into several.", 0})
	NotFound = kind(Kind{"not-found", http.StatusNotFound, "No existe", "Not found",
		"En esta dirección no hay nada. /openapi.json y la página /feed/ nombran las que hay; /vintages, las ediciones y sus archivos.",
		"There is nothing at this address. /openapi.json and the page /feed/ name those that there are; /vintages has the vintages and their files.", 0})
	NotPublished = kind(Kind{"not-published", http.StatusNotFound, "No está publicado", "Not published",
		"La consulta es correcta, pero ninguna edición tiene esa tabla, o no hay tal edición. No todo se cruza con todo: se publican las tablas de cada edición y sumas de sus celdas, y nada más. nearest, si lo hay, nombra las tablas más cercanas.",
		"The question is right, but no vintage has such a table, or there is no such vintage. Not everything is crossed with everything: the tables of each vintage and sums of their cells are published, and nothing else. nearest, if it is there, names the tables that come near.", 0})
	NoResults = kind(Kind{"no-results", http.StatusNotFound, "Sin resultados", "No results",
		"La consulta de SDMX es correcta y nada de lo publicado responde a ella. En SDMX 3.0 se dice con el estado 204.",
		"The SDMX question is right, and nothing that is published answers it. In SDMX 3.0 the status 204 says so.", 0})
	NotAcceptable = kind(Kind{"not-acceptable", http.StatusNotAcceptable, "Formato no disponible", "Not acceptable",
		"No se da ningún formato de los que pide Accept o format. El detalle nombra los que hay.", "None of the formats that Accept or format asks for is given. The detail names those that there are.", 0})
	Method = kind(Kind{"method", http.StatusMethodNotAllowed, "Método no admitido", "Method not allowed",
		"Aquí solo se lee: GET y HEAD, y OPTIONS para preguntar desde páginas de otros sitios (CORS).", "This is for reading only: GET and HEAD, and OPTIONS to ask from pages of other sites (CORS).", 0})
	TooLarge = kind(Kind{"too-large", http.StatusRequestEntityTooLarge, "Respuesta demasiado grande", "Answer too large",
		"La respuesta tendría más observaciones de las que se dan de una vez. Restrinja la clave o los períodos, o pida partes con offset y limit.",
		"The answer would have more observations than are given at once. Narrow the key or the periods, or ask for parts with offset and limit.", 0})
	NotImplemented = kind(Kind{"not-implemented", http.StatusNotImplemented, "No se ofrece", "Not implemented",
		"El estándar SDMX lo tiene y este servicio no lo ofrece.", "The SDMX standard has it, and this service does not offer it.", 0})
	Token = kind(Kind{"token", http.StatusUnauthorized, "Clave no reconocida", "Token not recognised",
		"La clave de Authorization: Bearer no es de ningún socio, o fue revocada. Lo publicado se da sin clave: una clave solo permite más consultas por minuto.",
		"The token of Authorization: Bearer is of no partner, or was revoked. What is published is given without one: a token only allows more questions a minute.", 0})
	TooMany = kind(Kind{"too-many-requests", http.StatusTooManyRequests, "Demasiadas consultas", "Too many questions",
		"Un cliente ha hecho más consultas de las que se dan por minuto. RateLimit-Policy dice cuántas son; datos y estructuras se cuentan aparte. No hay bloqueo: repita después de los segundos de Retry-After.",
		"One client has put more questions than are answered in a minute. RateLimit-Policy says how many; data and structures are counted apart. There is no ban: repeat after the seconds of Retry-After.", 1})
	Busy = kind(Kind{"busy", http.StatusServiceUnavailable, "Ocupado", "Busy",
		"El servidor responde a tantas consultas, o tiene tantos lectores de /changes/stream, como puede a la vez. Repita después de los segundos de Retry-After.",
		"The server answers as many questions, or has as many readers of /changes/stream, as it can at once. Repeat after the seconds of Retry-After.", 1})
	Away = kind(Kind{"away", http.StatusServiceUnavailable, "No disponible por ahora", "Not available right now",
		"La base de datos no responde y lo que se pide no se había leído antes. Nada se ha perdido y la dirección es correcta: repita después de los segundos de Retry-After.",
		"The database does not answer, and what is asked for had not been read before. Nothing is lost and the address is right: repeat after the seconds of Retry-After.", 10})
)

var kinds []Kind

func kind(k Kind) Kind {
	kinds = append(kinds, k)
	return k
}

// Kinds are all kinds of problems. The slice is the caller's.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// Problem is an error in the form of RFC 9457, in both languages. It is an error to Go, too.
type Problem struct {
	Kind    Kind
	Status  int       // HTTP status
	ES, EN  string    // the detail: what is wrong with this request
	Errors  any       // a list of what is wrong, each by itself; nil leaves it out
	Nearest *[]string // addresses that come near to one that is not published; nil leaves it out
	Retry   int       // seconds after which it is worth asking again; 0 leaves Retry-After out
}

// Of is a problem of the kind with that detail.
func (k Kind) Of(es, en string) *Problem {
	return &Problem{Kind: k, Status: k.Status, ES: es, EN: en, Retry: k.seconds}
}

// Error is the detail in English.
func (p *Problem) Error() string { return p.EN }

// Refuse sends a problem. Title and detail stand in both languages, and in the one that the client asked for.
func Refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	body := struct {
		Type     string    `json:"type"`
		Title    string    `json:"title"`
		Status   int       `json:"status"`
		Detail   string    `json:"detail"`
		TitleES  string    `json:"title_es"`
		TitleEN  string    `json:"title_en"`
		DetailES string    `json:"detail_es"`
		DetailEN string    `json:"detail_en"`
		Errors   any       `json:"errors,omitempty"`
		Nearest  *[]string `json:"nearest,omitempty"`
	}{ProblemsPath + p.Kind.ID, p.Kind.ES, p.Status, p.ES, p.Kind.ES, p.Kind.EN, p.ES, p.EN, p.Errors, p.Nearest}
	lang := Language(r)
	if lang == "en" {
		body.Title, body.Detail = p.Kind.EN, p.EN
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil { // strings, numbers and lists of them always marshal
		panic(err)
	}
	if p.Retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.Retry))
	}
	Send(w, r, Representation{Status: p.Status, Type: ProblemType, Language: lang, Cache: "no-store", Vary: []string{"Accept-Language"}, Body: text.Bytes()})
}

// ProblemType is the media type of problems.
const ProblemType = "application/problem+json"

// RefuseError sends the problem that an error is. Any other error means that what is published cannot be read just now: it goes to the log
// under what, and the client is asked to come back.
func RefuseError(w http.ResponseWriter, r *http.Request, log *slog.Logger, what string, err error) {
	var p *Problem
	if !errors.As(err, &p) {
		log.LogAttrs(r.Context(), slog.LevelError, what, slog.Any("error", err))
		p = Away.Of("La base de datos no responde. Repita la consulta en unos segundos; la dirección es correcta.",
			"The database does not answer. Repeat the question in a few seconds; the address is right.")
	}
	Refuse(w, r, p)
}

// Unreadable is the problem of a query string that is no list of names and values.
func Unreadable() *Problem {
	return Parameter.Of("La consulta no se puede leer o es demasiado larga: escriba nombre=valor, separados por &, en UTF-8 y con los % bien formados.",
		"The query string cannot be read, or is too long: write name=value, separated by &, in UTF-8 and with well-formed % escapes.")
}

// Short cuts what a client sent to what fits a message, at a rune, and replaces what is not UTF-8.
func Short(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}
