package feed

import (
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/vintages"
)

// notPublished says why a question has no answer, and which tables come near to it.
func notPublished(path string, q Query, l lack) error {
	addresses := make([]string, 0, len(l.near))
	for _, n := range l.near {
		addresses = append(addresses, path+"?"+n.Canonical())
	}
	es, en := " Las tablas más cercanas: "+strings.Join(addresses, "; "), " The nearest tables: "+strings.Join(addresses, "; ")
	if len(addresses) == 0 {
		es, en = " Todo lo publicado está en "+vintages.Path+".", " All that is published is at "+vintages.Path+"."
	}
	p := response.NotPublished.Of(l.why.ES+es, l.why.EN+en)
	p.Nearest = &addresses
	return p
}

func parameterProblem(faults []Fault) error {
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
	p := response.Parameter.Of(strings.Join(es, " "), strings.Join(en, " "))
	p.Errors = faults
	return p
}

func pathProblem(path string) error {
	return response.NotFound.Of("No hay nada en "+response.Short(path)+". Las tablas están en "+PathCSV+" y "+PathJSON+".",
		"There is nothing at "+response.Short(path)+". Tables are at "+PathCSV+" and "+PathJSON+".")
}
