// Package openapi describes the project's own addresses as OpenAPI 3.1, for programs that make clients and tests from it:
//
//	GET /openapi.json
//
// SDMX describes itself and is left out. It promises that what parameters allow is taken from the packages that read them, that every
// address of the document is served and every address that is served is in it, and that its bytes follow from the build alone.
package openapi

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"retorno/consumers/dissemination/response"
)

// Path is where the document stands.
const Path = "/openapi.json"

// Type is its media type (OpenAPI 3.1 has registered none that programs ask for).
const Type = "application/json"

// object is a JSON object. Its members are written in the order of their names.
type object map[string]any

// Document is the whole description.
func Document() []byte {
	paths := object{}
	for _, r := range routes() {
		paths[r.path] = object{"get": r.operation()}
	}
	var tagged []object
	for _, t := range tags {
		tagged = append(tagged, object{"name": t.name, "description": t.what})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(object{
		"openapi": "3.1.0",
		"info": object{"title": "Retorno", "version": "1", "summary": "Statistics of returned migrants of Honduras",
			"description": "Conteos publicados de migrantes retornados a Honduras. Cada número es de una edición publicada, que no cambia. / Published counts of migrants returned to Honduras. Every number is of a published vintage, which never changes.\n\nThe same tables in SDMX are at /sdmx/2.1/ and /sdmx/3.0/.",
			"contact":     object{"name": "CENISS"}},
		"servers":    []object{{"url": "/"}},
		"tags":       tagged,
		"security":   []object{{}, {"partner": []string{}}},
		"paths":      paths,
		"components": components(),
	})
	if err != nil { // strings, numbers and lists of them always marshal
		panic(err)
	}
	return out.Bytes()
}

// New makes the handler of Path.
func New(registerer prometheus.Registerer, log *slog.Logger) http.Handler {
	body := Document()
	return response.NewRecorder(registerer, log).Handle(Path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if response.Readable(w, r) {
			response.Send(w, r, response.Representation{Type: Type, Cache: "public, no-cache", Body: body})
		}
	}))
}

// components are what operations share.
func components() object {
	str := object{"type": "string"}
	var types []string
	for _, k := range response.Kinds() {
		types = append(types, response.ProblemsPath+k.ID)
	}
	all := schemas()
	all["Problem"] = object{"type": "object", "description": "An error (RFC 9457) in both languages",
		"required": []string{"type", "title", "status", "detail", "title_es", "title_en", "detail_es", "detail_en"},
		"properties": object{"type": object{"type": "string", "enum": types}, "title": str, "status": object{"type": "integer"}, "detail": str, "title_es": str, "title_en": str,
			"detail_es": str, "detail_en": str, "errors": object{"type": "array", "items": object{"type": "object"}}, "nearest": object{"type": "array", "items": str}},
		"examples": []object{{"type": response.ProblemsPath + response.NotFound.ID, "title": response.NotFound.EN, "status": 404, "detail": "There is no such vintage.", "title_es": response.NotFound.ES, "title_en": response.NotFound.EN,
			"detail_es": "No existe tal edición.", "detail_en": "There is no such vintage."}}}
	return object{
		"securitySchemes": object{"partner": object{"type": "http", "scheme": "bearer",
			"description": "La clave de un socio: más consultas por minuto, las mismas respuestas. / A partner's token: more questions a minute, the same answers."}},
		"schemas": all,
		"headers": object{
			"ETag":        object{"description": "Strong validator: send it back as If-None-Match", "schema": str},
			"RateLimit":   object{"description": "Budget, questions left, seconds until it is full", "schema": str},
			"Retry-After": object{"description": "Seconds after which to ask again", "schema": object{"type": "integer"}}},
		"responses": object{
			"Problem": object{"description": "What is wrong, by its type", "headers": object{"RateLimit": ref("headers/RateLimit")},
				"content": object{response.ProblemType: object{"schema": ref("schemas/Problem")}}},
			"Later": object{"description": "Too many questions, or the database is away: ask again after Retry-After", "headers": object{"Retry-After": ref("headers/Retry-After")},
				"content": object{response.ProblemType: object{"schema": ref("schemas/Problem")}}},
			"NotModified": object{"description": "The content that If-None-Match names holds", "headers": object{"ETag": ref("headers/ETag")}},
			"Page":        object{"description": "A page that says what is wrong", "content": object{"text/html": object{"schema": str}}}},
	}
}

func ref(to string) object { return object{"$ref": "#/components/" + to} }
