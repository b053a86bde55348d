package reading

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"retorno/schemas/calendar"
	"retorno/schemas/codelists"
)

// Age reads an age in completed years, 0 to 120: 23, 23 años, 23,0, 8 meses, 3 años y 4 meses.
func Age(text string) (uint32, bool) {
	if strings.ContainsAny(text, "mM") {
		if both := yearsAndMonths.FindStringSubmatch(codelists.Fold(text)); both != nil {
			text = both[1]
		}
	}
	number := strings.TrimRightFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
	n, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(number), ",", ".", 1), 64)
	per, known := ageUnits[codelists.Fold(text[len(number):])]
	years := math.Floor(n / per)
	if err != nil || !known || strings.ContainsAny(text, "+<>≥≤") || strings.ContainsAny(number, exponents) || !(n >= 0 && years <= codelists.MaxAge) || n != math.Trunc(n) {
		return 0, false
	}
	return uint32(years), true
}

// exponents are the letters of numbers that only a program writes: 1e1, 0x14.
const exponents = "eEpPxX_"

// yearsAndMonths is an age in two units, folded, of which completed years count.
var yearsAndMonths = regexp.MustCompile(`^(\d{1,3})(?:a|anos?|years?)(?:y|con|and)?(?:\d|1[01])(?:m|mes|meses|months?)$`)

// ageUnits says how many of a unit make a year.
var ageUnits = map[string]float64{
	"": 1, "a": 1, "ano": 1, "anos": 1, "year": 1, "years": 1, "anoscumplidos": 1,
	"m": 12, "mes": 12, "meses": 12, "month": 12, "months": 12, "d": 365.25, "dia": 365.25, "dias": 365.25, "days": 365.25,
}

// AgeOf works the age on a day out of the birth: completed years. hasStated says that an age was stated beside it. A code other
// than "" says what cannot be: born_after_event, bad_age (over 120), or age_contradicts_birth, when the two are more than a year apart.
func AgeOf(birth, on calendar.Day, stated uint32, hasStated bool) (years int, code string) {
	years = calendar.CompletedYears(birth, on)
	switch {
	case years < 0:
		return years, "born_after_event"
	case years > codelists.MaxAge:
		return years, "bad_age"
	case hasStated && (int(stated) > years+1 || years > int(stated)+1):
		return years, "age_contradicts_birth"
	}
	return years, ""
}
