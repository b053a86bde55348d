package sdmx

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/query"
	"retorno/consumers/dissemination/sdmx/structure"
)

// problem is an error in the form of RFC 9457, in both languages; title and detail are in the one the client asked for.
type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	TitleES  string        `json:"title_es"`
	TitleEN  string        `json:"title_en"`
	DetailES string        `json:"detail_es"`
	DetailEN string        `json:"detail_en"`
	Errors   []query.Fault `json:"errors,omitempty"` // every wrong parameter
}

// Error is the detail in English.
func (p *problem) Error() string { return p.DetailEN }

func newProblem(status int, kind string, title, detail structure.Text) *problem {
	return &problem{Type: "/problems/" + kind, Status: status, TitleES: title.ES, TitleEN: title.EN, DetailES: detail.ES, DetailEN: detail.EN}
}

// wrongQuestion names what is wrong. What cannot be read is told before what cannot be meant.
func wrongQuestion(faults []query.Fault) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "parameter", structure.Text{ES: "Consulta equivocada", EN: "Wrong question"}, structure.Text{})
	var es, en []string
	for _, f := range faults {
		if f.Status == http.StatusBadRequest {
			p.Status = f.Status
		}
		es, en = append(es, f.ES), append(en, f.EN)
	}
	p.Errors, p.DetailES, p.DetailEN = faults, strings.Join(es, " "), strings.Join(en, " ")
	return p
}

func noSuchAddress() *problem {
	return newProblem(http.StatusNotFound, "not-found", structure.Text{ES: "No existe", EN: "Not found"},
		structure.Text{ES: "No hay nada en esta dirección. Los flujos de datos están en " + Root21 + "dataflow y en " + Root30 + "structure/dataflow.",
			EN: "There is nothing at this address. The dataflows are at " + Root21 + "dataflow and at " + Root30 + "structure/dataflow."})
}

func noResults() *problem {
	return newProblem(http.StatusNotFound, "no-results", structure.Text{ES: "Sin resultados", EN: "No results"},
		structure.Text{ES: "Nada de lo publicado responde a esta consulta.", EN: "Nothing that is published answers this question."})
}

func notKept(what string) *problem {
	return newProblem(http.StatusNotImplemented, "not-implemented", structure.Text{ES: "No se ofrece", EN: "Not implemented"},
		structure.Text{ES: "Este servicio no ofrece «" + query.Short(what) + "».", EN: "This service does not offer \"" + query.Short(what) + "\"."})
}

func oneFlow() *problem {
	return newProblem(http.StatusNotImplemented, "not-implemented", structure.Text{ES: "No se ofrece", EN: "Not implemented"},
		structure.Text{ES: "Pida los datos de un flujo a la vez.", EN: "Ask for the data of one dataflow at a time."})
}

func notAcceptable(offered []string) *problem {
	list := strings.Join(offered, "; ")
	return newProblem(http.StatusNotAcceptable, "not-acceptable", structure.Text{ES: "Formato no disponible", EN: "Not acceptable"},
		structure.Text{ES: "Aquí se dan: " + list + ".", EN: "These are given here: " + list + "."})
}

func tooLarge(most int) *problem {
	n := strconv.Itoa(most)
	return newProblem(http.StatusRequestEntityTooLarge, "too-large", structure.Text{ES: "Respuesta demasiado grande", EN: "Answer too large"},
		structure.Text{ES: "La respuesta pasaría de " + n + " observaciones. Restrinja la clave o los períodos, o pida una parte con offset y limit.",
			EN: "The answer would exceed " + n + " observations. Narrow the key or the periods, or ask for a part with offset and limit."})
}

func addressTooLong() *problem {
	return newProblem(http.StatusRequestURITooLong, "address", structure.Text{ES: "Dirección demasiado larga", EN: "Address too long"},
		structure.Text{ES: "La dirección pasa de 8000 bytes.", EN: "The address exceeds 8000 bytes."})
}

func unreadable() *problem {
	return newProblem(http.StatusBadRequest, "parameter", structure.Text{ES: "Consulta equivocada", EN: "Wrong question"},
		structure.Text{ES: "La consulta no se puede leer: escriba nombre=valor, separados por &, con los % bien formados.",
			EN: "The query string cannot be read: write name=value, separated by &, with well-formed % escapes."})
}

func methodNotAllowed() *problem {
	return newProblem(http.StatusMethodNotAllowed, "method", structure.Text{ES: "Método no admitido", EN: "Method not allowed"},
		structure.Text{ES: "Aquí solo se lee: use GET o HEAD.", EN: "This is for reading only: use GET or HEAD."})
}

func away() *problem {
	return newProblem(http.StatusServiceUnavailable, "away", structure.Text{ES: "No disponible por ahora", EN: "Not available right now"},
		structure.Text{ES: "La base de datos no responde. Repita la consulta en unos segundos; la dirección es correcta.",
			EN: "The database does not answer. Repeat the question in a few seconds; the address is right."})
}

// refuse sends a problem.
func refuse(w http.ResponseWriter, r *http.Request, p *problem) {
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
	response.Send(w, r, response.Representation{Status: p.Status, Type: "application/problem+json", Language: lang, Cache: "no-store",
		Vary: []string{"Accept", "Accept-Language"}, Body: body.Bytes()})
}
