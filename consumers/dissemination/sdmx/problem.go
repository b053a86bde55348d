package sdmx

import (
	"net/http"
	"strconv"
	"strings"

	"retorno/consumers/dissemination/response"
	"retorno/consumers/dissemination/sdmx/query"
)

// wrongQuestion names what is wrong. What cannot be read is told before what cannot be meant.
func wrongQuestion(faults []query.Fault) *response.Problem {
	p := response.Parameter.Of("", "")
	p.Status = http.StatusUnprocessableEntity
	var es, en []string
	for _, f := range faults {
		if f.Status == http.StatusBadRequest {
			p.Status = f.Status
		}
		es, en = append(es, f.ES), append(en, f.EN)
	}
	p.Errors, p.ES, p.EN = faults, strings.Join(es, " "), strings.Join(en, " ")
	return p
}

func noSuchAddress() *response.Problem {
	return response.NotFound.Of("No hay nada en esta dirección. Los flujos de datos están en "+Root21+"dataflow y en "+Root30+"structure/dataflow.",
		"There is nothing at this address. The dataflows are at "+Root21+"dataflow and at "+Root30+"structure/dataflow.")
}

func noResults() *response.Problem {
	return response.NoResults.Of("Nada de lo publicado responde a esta consulta.",
		"Nothing that is published answers this question.")
}

func notKept(what string) *response.Problem {
	return response.NotImplemented.Of("Este servicio no ofrece «"+response.Short(what)+"».",
		"This service does not offer \""+response.Short(what)+"\".")
}

// byFlow says that data are asked for by dataflow, and by no other context.
func byFlow(context string) *response.Problem {
	return response.NotImplemented.Of("Los datos se piden por flujo de datos, no por «"+response.Short(context)+"»: /sdmx/3.0/data/dataflow/CENISS/T1/1.0.0.",
		"Data are asked for by dataflow, not by \""+response.Short(context)+"\": /sdmx/3.0/data/dataflow/CENISS/T1/1.0.0.")
}

func oneFlow() *response.Problem {
	return response.NotImplemented.Of("Pida los datos de un flujo a la vez.",
		"Ask for the data of one dataflow at a time.")
}

func notAcceptable(offered []string) *response.Problem {
	list := strings.Join(offered, "; ")
	return response.NotAcceptable.Of("Aquí se dan: "+list+".",
		"These are given here: "+list+".")
}

func tooLarge(most int) *response.Problem {
	n := strconv.Itoa(most)
	return response.TooLarge.Of("La respuesta pasaría de "+n+" observaciones. Restrinja la clave o los períodos, o pida una parte con offset y limit.",
		"The answer would exceed "+n+" observations. Narrow the key or the periods, or ask for a part with offset and limit.")
}

func addressTooLong() *response.Problem {
	return response.Address.Of("La dirección pasa de 8000 bytes.",
		"The address exceeds 8000 bytes.")
}
