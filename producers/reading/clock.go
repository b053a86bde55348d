package reading

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"retorno/schemas/codelists"
)

// lateClock is a time without a colon behind a date: 14h30, 14.30, 1430, 2 p. m.
var lateClock = regexp.MustCompile(`(?i)^(.*\d)[ \x{a0}\x{202f}T]+(\d{1,2} ?h ?(?:\d\d)?|\d{1,2}\.\d\d(?:\.\d\d)?|\d{4}|\d{6}|\d{1,2}[ \x{a0}\x{202f}]?[ap]\.?[ \x{a0}\x{202f}]?m\.?)$`)

// SplitClock divides a date from the time behind it: at the T of ISO, or at the last blank before a colon.
func SplitClock(text string) (date, clock string) {
	colon := strings.IndexByte(text, ':')
	if colon > 0 {
		if _, _, _, ok := Together(strings.ToLower(text[:colon])); ok { // as SAS writes: 30JUN2015:23:45:00
			return text[:colon], text[colon+1:]
		}
	}
	if colon < 0 {
		if _, _, _, _, ok := Parts(text); ok {
			return text, ""
		}
		if p := lateClock.FindStringSubmatch(text); p != nil {
			return strings.TrimRight(p[1], ", "), p[2]
		}
		return text, ""
	}
	at := strings.LastIndexAny(text[:colon], " Tt\u00a0\u202f")
	if at < 0 {
		return text, ""
	}
	return strings.TrimRight(text[:at], " ,\u00a0\u202f"), strings.TrimLeft(text[at:], " Tt\u00a0\u202f")
}

// halves are the letters about a time of day: which half of the day it is in, or none.
var halves = map[string]string{"": "", "h": "", "hs": "", "hr": "", "hrs": "", "hora": "", "horas": "", "a": "a", "am": "a", "p": "p", "pm": "p", "m": "m", "md": "m"}

// Clock reads 23:45, 23:45:10, 23:45:10.123, 11:45 pm, 11:45 p. m., 12 m. (noon), 14h30, 14.30, 1430, 24:00 and the
// fraction of a day that a spreadsheet keeps, where it can be nothing else: 0.604166667.
func Clock(text string) (h, m, s int, ok bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if codelists.Fold(text) == "mediodia" {
		return 12, 0, 0, true
	}
	from, to := strings.IndexAny(text, "0123456789"), strings.LastIndexAny(text, "0123456789")+1
	if from < 0 {
		return 0, 0, 0, false
	}
	switch FormOf(text) {
	case Either:
		return 0, 0, 0, false
	case Fraction:
		day, _ := strconv.ParseFloat("0"+strings.Replace(strings.TrimPrefix(text, "0"), ",", ".", 1), 64)
		h, m, s = DayFraction(day)
		return h, m, s, true
	}
	before, knownBefore := halves[codelists.Fold(text[:from])]
	after, known := halves[codelists.Fold(text[to:])]
	if !known || !knownBefore || before != "" && after != "" || strings.ContainsAny(text[:from], "-+") {
		return 0, 0, 0, false
	}
	half := before + after
	if h, m, s, ok = clockFigures(text[from:to], codelists.Fold(text[to:]) != "" || half != ""); !ok {
		return 0, 0, 0, false
	}
	switch {
	case half == "":
		return h, m, s, h < 24 && m < 60 && s < 60 || h == 24 && m == 0 && s == 0
	case h < 1 || h > 12 || half == "m" && h != 12:
		return 0, 0, 0, false
	case half == "m":
		return h, m, s, m < 60 && s < 60
	}
	h %= 12
	if half == "p" {
		h += 12
	}
	return h, m, s, m < 60 && s < 60
}

// clockFigures reads the figures of a time of day. An hour alone needs a letter beside it that says what it is.
func clockFigures(text string, marked bool) (h, m, s int, ok bool) {
	text = strings.ReplaceAll(text, " ", "")
	parts := strings.Split(text, ":")
	if len(parts) == 1 {
		switch _, number := Digits(text, 3, 6); {
		case strings.Contains(text, "h"):
			parts = strings.Split(text, "h")
		case strings.ContainsAny(text, ".,"):
			if parts = strings.Split(strings.Replace(text, ",", ".", 1), "."); len(parts[1]) != 2 {
				return 0, 0, 0, false
			}
		case number && len(text) != 5:
			parts = nil
			for len(text) > 2 {
				parts, text = append([]string{text[len(text)-2:]}, parts...), text[:len(text)-2]
			}
			parts = append([]string{text}, parts...)
		case !marked:
			return 0, 0, 0, false
		}
	}
	if len(parts) > 3 {
		return 0, 0, 0, false
	}
	numbers := [3]int{}
	for i, part := range parts {
		if i == 2 {
			part, _, _ = strings.Cut(strings.Replace(part, ",", ".", 1), ".")
		}
		n, ok := Digits(part, 1, 2)
		if !ok {
			return 0, 0, 0, false
		}
		numbers[i] = n
	}
	return numbers[0], numbers[1], numbers[2], true
}

// DayFraction is the time of day of a fraction of a day, to the second.
func DayFraction(part float64) (h, m, s int) {
	seconds := int(math.Round(part * 86400))
	if seconds >= 86400 {
		seconds = 86399
	}
	return seconds / 3600, seconds / 60 % 60, seconds % 60
}

// Forms of a time of day in which a point or comma may part hours from minutes, or a whole day from its fraction.
const (
	Plain    = iota
	Pointed  // 14.30: hours and minutes
	Fraction // 0.604166667: a fraction of a day
	Either   // 0.30: half past midnight, or 07:12
)

var fraction = regexp.MustCompile(`^0?[.,](\d+)$`)
var pointed = regexp.MustCompile(`^\d{1,2}[.,]\d\d(?:[.,]\d\d)?$`)

// FormOf is the form of a time of day, one of the forms above.
func FormOf(text string) int {
	if !strings.ContainsAny(text, ".,") {
		return Plain
	}
	if p := fraction.FindStringSubmatch(text); p != nil {
		if len(p[1]) == 2 && p[1] < "60" && text[0] == '0' {
			return Either
		}
		return Fraction
	}
	if pointed.MatchString(text) {
		return Pointed
	}
	return Plain
}
