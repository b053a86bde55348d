// Package wording writes numbers, percentages and dates as the office does, in Spanish and English. It has no I/O.
package wording

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"retorno/schemas/calendar"
)

// In is the text of a language, "es" or "en".
func In(lang, es, en string) string {
	if lang == "en" {
		return en
	}
	return es
}

// Number writes a count as Honduras does, in both languages: 27,086.
func Number(n int64) string {
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

// Percent writes a percentage with one decimal: 63.0 %, with a space that does not break in Spanish, without one in English.
func Percent(value float64, lang string) string {
	return strconv.FormatFloat(value, 'f', 1, 64) + In(lang, "\u00a0%", "%")
}

// Share is part of whole in percent, to the nearest tenth, halves up.
func Share(part, whole int64) float64 {
	return math.Floor(float64(part)/float64(whole)*1000+0.5) / 10
}

// Months are the names of the months, January first, by language.
var Months = map[string][12]string{
	"es": {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// Date writes a day in words: 30 de junio de 2016, 30 June 2016.
func Date(d calendar.Day, lang string) string {
	y, m, day := d.Civil()
	if lang == "en" {
		return fmt.Sprintf("%d %s %d", day, Months["en"][m-1], y)
	}
	return fmt.Sprintf("%d de %s de %d", day, Months["es"][m-1], y)
}

// Moment writes a time on the clocks of Honduras, to the minute.
func Moment(t time.Time, lang string) string {
	t = t.In(calendar.Zone())
	return Date(calendar.DayOfTime(t), lang) + ", " + t.Format("15:04")
}

// HalfYear writes a half-year in words.
func HalfYear(p calendar.Period, lang string) string {
	year, half := p.First.Year(), "primer"
	if lang == "en" {
		half = "first"
	}
	if strings.HasSuffix(p.Label, "S2") {
		half = In(lang, "segundo", "second")
	}
	return In(lang, half+" semestre de "+year, half+" half of "+year)
}

// Capital writes a text with a capital first letter.
func Capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(string(r)) + s[n:]
}
