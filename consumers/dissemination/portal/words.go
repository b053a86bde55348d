package portal

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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

// number writes a count as Honduras does, in both languages: 27,086.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// percent writes a percentage with one decimal: 63.0 %, with a space that does not break in Spanish, without one in English.
func percent(value float64, lang string) string {
	return strconv.FormatFloat(value, 'f', 1, 64) + both{"\u00a0%", "%"}.in(lang)
}

// share is part of whole in percent, to the nearest tenth, halves up.
func share(part, whole int64) float64 {
	return math.Floor(float64(part)/float64(whole)*1000+0.5) / 10
}

var months = map[string][12]string{
	"es": {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// date writes a day in words: 30 de junio de 2016, 30 June 2016.
func date(d calendar.Day, lang string) string {
	y, m, day := d.Civil()
	if lang == "en" {
		return fmt.Sprintf("%d %s %d", day, months["en"][m-1], y)
	}
	return fmt.Sprintf("%d de %s de %d", day, months["es"][m-1], y)
}

// moment writes a time on the clocks of Honduras, to the minute.
func moment(t time.Time, lang string) string {
	t = t.In(calendar.Zone())
	return date(calendar.DayOfTime(t), lang) + ", " + t.Format("15:04")
}

// halfYearName writes a half-year in words.
func halfYearName(p calendar.Period, lang string) string {
	year, half := p.First.Year(), "primer"
	if lang == "en" {
		half = "first"
	}
	if strings.HasSuffix(p.Label, "S2") {
		half = both{"segundo", "second"}.in(lang)
	}
	return both{half + " semestre de " + year, half + " half of " + year}.in(lang)
}

// sentence is a text that a person typed, without the full stop that the page adds.
func sentence(text string) string { return strings.TrimSuffix(strings.TrimSpace(text), ".") }

// capital writes a text with a capital first letter.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(r)) + s[n:]
}
