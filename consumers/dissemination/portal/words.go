package portal

import (
	"net/url"
	"strings"

	"retorno/schemas/calendar"
)

// both is a text in Spanish and English.
type both struct{ es, en string }

func (b both) in(lang string) string {
	if lang == "en" {
		return b.en
	}
	return b.es
}

// message is what a page says that has nothing else to say.
type message struct{ title, detail both }

var (
	away = message{both{"No disponible por ahora", "Not available right now"},
		both{"La base de datos no responde. Los datos están a salvo; vuelva a intentarlo en unos segundos.", "The database does not answer. The data are safe; please try again in a few seconds."}}
	notFound = message{both{"Esta página no existe", "There is no such page"},
		both{"Revise la dirección, o vuelva al inicio.", "Check the address, or go back to the start."}}
	noSuchPeriod = message{both{"No hay datos de ese semestre", "There are no data for that half-year"},
		both{"De ese semestre no se ha publicado nada. El inicio muestra el más reciente.", "Nothing of that half-year has been published. The start page shows the latest."}}
	methodNotAllowed = message{both{"Método no admitido", "Method not allowed"},
		both{"Esta página solo se lee (GET o HEAD).", "This page is for reading only (GET or HEAD)."}}
	wrongPeriod = message{both{"El parámetro period no es un semestre", "The parameter period is not a half-year"},
		both{"Escríbalo como 2016-S1 o 2016-S2.", "Write it as 2016-S1 or 2016-S2."}}
	wrongLang = message{both{"El parámetro lang no es un idioma de esta página", "The parameter lang is not a language of this page"},
		both{"Se admite es o en.", "It may be es or en."}}
)

// understood checks the parameters that mean something here. Others are let pass: links come with all kinds of them.
func understood(asked url.Values) (message, bool) {
	if period := asked.Get("period"); period != "" {
		if p, err := calendar.ParsePeriod(period); err != nil || p.Kind != calendar.KindHalfYear {
			return wrongPeriod, false
		}
	}
	switch asked.Get("lang") {
	case "", "es", "en":
		return message{}, true
	}
	return wrongLang, false
}

// sentence is a text that a person typed, without the full stop that the page adds.
func sentence(text string) string { return strings.TrimSuffix(strings.TrimSpace(text), ".") }
