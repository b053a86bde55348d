package feed

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// problem is an error in the form of RFC 9457, in both languages; title and detail are in the one the client asked for.
type problem struct {
	Type     string    `json:"type"` // points to its description on the feed's page
	Title    string    `json:"title"`
	Status   int       `json:"status"`
	Detail   string    `json:"detail"`
	TitleES  string    `json:"title_es"`
	TitleEN  string    `json:"title_en"`
	DetailES string    `json:"detail_es"`
	DetailEN string    `json:"detail_en"`
	Errors   []Fault   `json:"errors,omitempty"`  // every wrong parameter
	Nearest  *[]string `json:"nearest,omitempty"` // addresses of tables that come near to one that is not published
}

// notPublished says why a question has no answer, and which tables come near to it.
func notPublished(path string, q Query, l lack) problem {
	addresses := make([]string, 0, len(l.near))
	for _, n := range l.near {
		addresses = append(addresses, path+"?"+n.Canonical())
	}
	p := problem{Type: "/problems/not-published", Status: http.StatusNotFound, TitleES: "No está publicado", TitleEN: "Not published", Nearest: &addresses,
		DetailES: l.why.ES, DetailEN: l.why.EN}
	if len(addresses) == 0 {
		p.DetailES += " Todo lo publicado está en " + vintages.Path + "."
		p.DetailEN += " All that is published is at " + vintages.Path + "."
		return p
	}
	p.DetailES += " Las tablas más cercanas: " + strings.Join(addresses, "; ")
	p.DetailEN += " The nearest tables: " + strings.Join(addresses, "; ")
	return p
}

func parameterProblem(faults []Fault) problem {
	p := problem{Type: DocumentationPath + "#parameter", Status: http.StatusBadRequest, TitleES: "Consulta equivocada", TitleEN: "Wrong question", Errors: faults}
	var es, en []string
	for _, f := range faults {
		if len(f.Allowed) == 0 { // of a half-year without a vintage
			es, en = append(es, f.ES), append(en, f.EN)
			continue
		}
		allowed := strings.Join(f.Allowed, ", ")
		es = append(es, f.ES+" Se admite: "+allowed+".")
		en = append(en, f.EN+" Allowed: "+allowed+".")
	}
	p.DetailES, p.DetailEN = strings.Join(es, " "), strings.Join(en, " ")
	return p
}

func pathProblem(path string) problem {
	return problem{Type: DocumentationPath + "#address", Status: http.StatusNotFound, TitleES: "No existe", TitleEN: "Not found",
		DetailES: "No hay nada en " + short(path) + ". Las tablas están en " + PathCSV + " y " + PathJSON + ".",
		DetailEN: "There is nothing at " + short(path) + ". Tables are at " + PathCSV + " and " + PathJSON + "."}
}

func methodProblem(method string) problem {
	return problem{Type: DocumentationPath + "#method", Status: http.StatusMethodNotAllowed, TitleES: "Método no admitido", TitleEN: "Method not allowed",
		DetailES: "Aquí solo se lee: use GET o HEAD, no " + short(method) + ".",
		DetailEN: "This is for reading only: use GET or HEAD, not " + short(method) + "."}
}

func awayProblem() problem {
	return problem{Type: DocumentationPath + "#away", Status: http.StatusServiceUnavailable, TitleES: "No disponible por ahora", TitleEN: "Not available right now",
		DetailES: "La base de datos no responde. Repita la consulta en unos segundos; la dirección es correcta.",
		DetailEN: "The database does not answer. Repeat the question in a few seconds; the address is right."}
}

// refuse sends a problem.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, p problem) {
	lang := response.Language(r)
	p.Title, p.Detail = p.TitleES, p.DetailES
	if lang == "en" {
		p.Title, p.Detail = p.TitleEN, p.DetailEN
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil { // plain strings and numbers always marshal
		panic(err)
	}
	response.Send(w, r, response.Representation{Status: p.Status, Type: "application/problem+json", Language: lang,
		Cache: "no-store", Vary: []string{"Accept-Language"}, Body: body.Bytes()})
}
